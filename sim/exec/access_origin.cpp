#include "sim/exec/access_origin.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/DataLayout.h>

#include <optional>

namespace sluice::exec {

using namespace llvm;

namespace {

SiteSpace space_of(unsigned address_space) {
  switch (address_space) {
    case private_space:
      return SiteSpace::private_;
    case global_space:
      return SiteSpace::global;
    case constant_space:
      return SiteSpace::constant;
    case local_space:
      return SiteSpace::local;
    default:
      return SiteSpace::generic;
  }
}

// clang calls a kernel's local variable "kernel.variable".
StringRef source_name(const GlobalVariable& variable) {
  StringRef name = variable.getName();
  if (name.consume_front(shared_prefix)) return name.split('.').second;
  const StringRef last = name.rsplit('.').second;
  return variable.getAddressSpace() == local_space && !last.empty() ? last : name;
}

class OriginFinder {
 public:
  OriginFinder(Value* pointer, std::uint64_t bytes, const KernelUnit& unit)
      : pointer_(pointer), bytes_(bytes), unit_(unit), layout_(unit.body->getParent()->getDataLayout()) {}

  Origin run() {
    SmallVector<const Value*, 4> roots;
    getUnderlyingObjects(pointer_, roots, nullptr, 64);
    origin_.complete = true;
    bool all_trusted = true;
    for (const Value* root : roots) {
      if (!is_trusted(*root)) all_trusted = false;
    }
    if (all_trusted && !roots.empty()) {
      origin_.trusted = true;
      return std::move(origin_);
    }
    for (const Value* root : roots) add(const_cast<Value*>(root));
    origin_.space = space_.value_or(space_of(pointer_->getType()->getPointerAddressSpace()));
    // Casts from generic to private that the built-ins' shims make may hide where a pointer leads.
    if (!origin_.complete && origin_.space == SiteSpace::private_) origin_.space = SiteSpace::generic;
    // The device library has compared the coordinates of texels with the image's extents.
    origin_.in_bounds = origin_.space == SiteSpace::image || proven();
    return std::move(origin_);
  }

 private:
  ArgumentKind kind_of(const Argument& argument) const { return unit_.image->info.arguments[argument.getArgNo()].kind; }

  bool is_descriptor(const Value& value) const {
    const auto* argument = dyn_cast<Argument>(&value);
    if (argument == nullptr) return false;
    if (argument == unit_.item() || argument == unit_.group()) return true;
    return kind_of(*argument) == ArgumentKind::image || kind_of(*argument) == ArgumentKind::sampler;
  }

  bool is_trusted(const Value& root) const {
    if (is_descriptor(root)) return true;
    const auto* call = dyn_cast<CallInst>(&root);
    return call != nullptr && call->getCalledFunction() != nullptr &&
           (call->getCalledFunction()->getName() == "__sluice_scratch" ||
            call->getCalledFunction()->getName() == "__sluice_place");
  }

  void in(SiteSpace space) {
    if (space_.has_value() && *space_ != space) space = SiteSpace::generic;
    space_ = space;
  }

  void add_object(Value* base, std::uint64_t size, StringRef name) {
    Type* word = Type::getInt64Ty(base->getContext());
    origin_.objects.push_back({base, cast<ConstantInt>(ConstantInt::get(word, size)), -1});
    if (origin_.name.empty()) origin_.name = name.str();
  }

  void add(Value* root) {
    if (auto* variable = dyn_cast<AllocaInst>(root)) {
      in(SiteSpace::private_);
      add_object(variable, layout_.getTypeAllocSize(variable->getAllocatedType()),
                 variable->getName().split('.').first);
    } else if (auto* global = dyn_cast<GlobalVariable>(root)) {
      in(space_of(global->getAddressSpace()));
      add_object(global, layout_.getTypeAllocSize(global->getValueType()), source_name(*global));
    } else if (auto* argument = dyn_cast<Argument>(root)) {
      add_argument(*argument);
    } else {
      origin_.complete = false;
      in(space_of_unknown(*root));
    }
  }

  void add_argument(Argument& argument) {
    const unsigned index = argument.getArgNo();
    if (index < unit_.by_value.size() && unit_.by_value[index] != nullptr) {
      in(SiteSpace::private_);
      add_object(&argument, layout_.getTypeAllocSize(unit_.by_value[index]), "");
      return;
    }
    in(space_of(argument.getType()->getPointerAddressSpace()));
    origin_.objects.push_back({&argument, nullptr, static_cast<std::int32_t>(index)});
  }

  // A pointer out of an image's descriptor leads to texels.
  SiteSpace space_of_unknown(const Value& root) const {
    if (const auto* load = dyn_cast<LoadInst>(&root)) {
      if (is_descriptor(*getUnderlyingObject(load->getPointerOperand()))) return SiteSpace::image;
    }
    const unsigned own = root.getType()->isPointerTy() ? root.getType()->getPointerAddressSpace() : generic_space;
    const unsigned used = pointer_->getType()->getPointerAddressSpace();
    return space_of(used == generic_space || used == private_space ? own : used);
  }

  bool proven() const {
    APInt offset(64, 0);
    const Value* base = pointer_->stripAndAccumulateConstantOffsets(layout_, offset, true);
    for (const Origin::Object& object : origin_.objects) {
      if (object.base != base || object.size == nullptr) continue;
      const std::uint64_t size = object.size->getZExtValue();
      const std::uint64_t at = offset.getZExtValue();
      return at <= size && bytes_ <= size - at;
    }
    return false;
  }

  Value* pointer_;
  std::uint64_t bytes_;
  const KernelUnit& unit_;
  const DataLayout& layout_;
  Origin origin_;
  std::optional<SiteSpace> space_;
};

}  // namespace

Origin find_origin(Value* pointer, std::uint64_t bytes, const KernelUnit& unit) {
  return OriginFinder(pointer, bytes, unit).run();
}

}  // namespace sluice::exec
