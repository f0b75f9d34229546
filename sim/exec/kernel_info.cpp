#include <llvm/ADT/PostOrderIterator.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/DataLayout.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Metadata.h>
#include <llvm/IR/Module.h>

#include <map>

#include "sim/exec/lowering.h"

namespace sluice::exec {

using namespace llvm;

namespace {

std::string text(const Function& kernel, StringRef list, unsigned index) {
  const MDNode* node = kernel.getMetadata(list);
  if (node == nullptr || index >= node->getNumOperands()) return {};
  const auto* string = dyn_cast<MDString>(node->getOperand(index));
  return string != nullptr ? string->getString().str() : std::string{};
}

std::array<std::uint64_t, 3> sizes(const Function& kernel, StringRef name) {
  std::array<std::uint64_t, 3> result{};
  const MDNode* node = kernel.getMetadata(name);
  for (unsigned i = 0; node != nullptr && i < 3 && i < node->getNumOperands(); ++i) {
    if (const auto* value = mdconst::dyn_extract<ConstantInt>(node->getOperand(i))) result[i] = value->getZExtValue();
  }
  return result;
}

std::string type_name(const Type& type) {
  switch (type.getTypeID()) {
    case Type::HalfTyID:
      return "half";
    case Type::FloatTyID:
      return "float";
    case Type::DoubleTyID:
      return "double";
    case Type::FixedVectorTyID: {
      const auto& vector = cast<FixedVectorType>(type);
      return type_name(*vector.getElementType()) + std::to_string(vector.getNumElements());
    }
    case Type::IntegerTyID:
      switch (type.getIntegerBitWidth()) {
        case 8:
          return "char";
        case 16:
          return "short";
        case 32:
          return "int";
        default:
          return "long";
      }
    default:
      return {};
  }
}

std::string vector_hint(const Function& kernel) {
  const MDNode* node = kernel.getMetadata("vec_type_hint");
  if (node == nullptr || node->getNumOperands() < 2) return {};
  const auto* type = dyn_cast<ValueAsMetadata>(node->getOperand(0));
  if (type == nullptr) return {};
  const auto* is_signed = mdconst::dyn_extract<ConstantInt>(node->getOperand(1));
  const std::string name = type_name(*type->getType());
  const bool is_integer = type->getType()->isIntOrIntVectorTy();
  return is_integer && is_signed != nullptr && is_signed->isZero() ? "u" + name : name;
}

std::string attributes(const KernelInfo& info) {
  std::string result;
  auto add = [&](const std::string& one) { result += (result.empty() ? "" : " ") + one; };
  auto triple = [](const std::array<std::uint64_t, 3>& n) {
    return '(' + std::to_string(n[0]) + ',' + std::to_string(n[1]) + ',' + std::to_string(n[2]) + ')';
  };
  if (info.required_group[0] != 0) add("reqd_work_group_size" + triple(info.required_group));
  if (info.group_hint[0] != 0) add("work_group_size_hint" + triple(info.group_hint));
  if (!info.vector_hint.empty()) add("vec_type_hint(" + info.vector_hint + ')');
  return result;
}

// Not a structure of the program's, nor a pointer to one.
bool is_image(const Argument& argument, StringRef type) {
  const bool named = type.startswith("image1d_") || type.startswith("image2d_") || type.startswith("image3d_");
  return named && type.endswith("_t") && argument.getType()->isPointerTy() && !argument.hasByValAttr();
}

// Whether `word` is one of the words of `list`, between which are blanks.
bool is_word_of(StringRef word, StringRef list) {
  SmallVector<StringRef, 4> words;
  list.split(words, ' ');
  return is_contained(words, word);
}

ArgumentKind kind_of(const Argument& argument, const std::string& base_type) {
  if (is_image(argument, base_type)) return ArgumentKind::image;
  if (base_type == "sampler_t") return ArgumentKind::sampler;
  if (!argument.getType()->isPointerTy() || argument.hasByValAttr()) return ArgumentKind::value;
  switch (argument.getType()->getPointerAddressSpace()) {
    case constant_space:
      return ArgumentKind::constant;
    case local_space:
      return ArgumentKind::local;
    default:
      return ArgumentKind::global;
  }
}

}  // namespace

KernelInfo describe_kernel(const Function& kernel) {
  const DataLayout& layout = kernel.getParent()->getDataLayout();
  KernelInfo info;
  info.name = kernel.getName().str();
  for (const Argument& argument : kernel.args()) {
    const unsigned i = argument.getArgNo();
    KernelArgumentInfo described;
    described.kind = kind_of(argument, text(kernel, "kernel_arg_base_type", i));
    described.size_bytes =
        argument.hasByValAttr()                 ? layout.getTypeAllocSize(argument.getParamByValType()).getFixedSize()
        : described.kind == ArgumentKind::value ? layout.getTypeAllocSize(argument.getType()).getFixedSize()
                                                : 8;
    described.type_name = text(kernel, "kernel_arg_type", i);
    described.name = text(kernel, "kernel_arg_name", i);
    const std::string access = text(kernel, "kernel_arg_access_qual", i);
    described.access = access == "read_only" ? 1 : access == "write_only" ? 2 : access == "read_write" ? 3 : 0;
    const std::string qualifiers = text(kernel, "kernel_arg_type_qual", i);
    described.is_const = qualifiers.find("const") != std::string::npos;
    described.is_restrict = qualifiers.find("restrict") != std::string::npos;
    described.is_volatile = qualifiers.find("volatile") != std::string::npos;
    described.is_pipe = described.kind == ArgumentKind::global && is_word_of("pipe", qualifiers);
    info.arguments.push_back(std::move(described));
  }
  info.required_group = sizes(kernel, "reqd_work_group_size");
  info.group_hint = sizes(kernel, "work_group_size_hint");
  info.vector_hint = vector_hint(kernel);
  info.attributes = attributes(info);
  info.uniform_groups = kernel.getFnAttribute("uniform-work-group-size").getValueAsString() == "true";
  return info;
}

namespace {

std::uint32_t registers_of(const Value& value, const DataLayout& layout) {
  Type* type = value.getType();
  if (!type->isSized() || isa<AllocaInst>(value)) return 0;
  if (type->isIntOrIntVectorTy(1)) return 0;  // predicates
  return static_cast<std::uint32_t>((layout.getTypeStoreSize(type).getFixedSize() + 3) / 4);
}

bool counts(const Value& value) {
  return isa<Instruction>(value) || isa<Argument>(value);
}

// Values that live at once, as a register allocator of a machine without spills would need them.
class Pressure {
 public:
  explicit Pressure(const Function& body) : layout_(body.getParent()->getDataLayout()) {
    for (bool changed = true; changed;) {
      changed = false;
      for (const BasicBlock* block : post_order(&body)) changed = visit(*block) || changed;
    }
  }
  [[nodiscard]] std::uint32_t most() const { return most_; }

 private:
  using Live = SmallPtrSet<const Value*, 16>;

  bool visit(const BasicBlock& block) {
    Live live;
    for (const BasicBlock* successor : successors(&block)) {
      for (const Value* value : live_in_[successor]) live.insert(value);
      for (const PHINode& phi : successor->phis()) {
        live.erase(&phi);
        const Value* incoming = phi.getIncomingValueForBlock(&block);
        if (counts(*incoming)) live.insert(incoming);
      }
    }
    std::uint32_t now = 0;
    for (const Value* value : live) now += registers_of(*value, layout_);
    most_ = std::max(most_, now);
    for (const Instruction& instruction : reverse(block)) {
      if (live.erase(&instruction)) now -= registers_of(instruction, layout_);
      if (isa<PHINode>(instruction)) continue;
      for (const Use& use : instruction.operands()) {
        if (counts(*use.get()) && live.insert(use.get()).second) now += registers_of(*use.get(), layout_);
      }
      most_ = std::max(most_, now);
    }
    Live& known = live_in_[&block];
    if (known.size() == live.size()) return false;
    known = live;
    return true;
  }

  const DataLayout& layout_;
  std::map<const BasicBlock*, Live> live_in_;
  std::uint32_t most_ = 0;
};

}  // namespace

void estimate_resources(const KernelUnit& unit) {
  constexpr std::uint32_t fixed = 8;  // stack pointer, ids and addresses that no IR value stands for
  unit.image->info.registers = std::min<std::uint32_t>(255, fixed + Pressure(*unit.body).most());
  for (Instruction& instruction : instructions(*unit.body)) {
    if (as_call_of(instruction, "__sluice_barrier") != nullptr) unit.image->suspends = true;
    if (as_call_of(instruction, "__sluice_sub_group") != nullptr) unit.image->sub_groups = true;
  }
  unit.image->info.has_barrier = unit.image->suspends;
  unit.image->suspends |= unit.image->lockstep || unit.image->sub_groups;
}

}  // namespace sluice::exec
