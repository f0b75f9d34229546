// A group as loops over its work-items, a loop for each way from barrier to barrier, instead of a call for each
// work-item. Where such a way has no loop of its own it is first asked, for all work-items, whether every access is
// where it must be: then they are executed without checks, several at once in vector registers.
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/MDBuilder.h>

#include "sim/exec/lane_regions.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

using namespace llvm;

namespace {

class GroupFunction {
 public:
  explicit GroupFunction(const KernelUnit& unit)
      : unit_(unit), regions_(unit), context_(unit.body->getContext()), b_(context_) {
    word_ = b_.getInt64Ty();
    pointer_ = PointerType::get(context_, private_space);
  }

  Function* run() {
    begin({pointer_, word_});
    BasicBlock* const next = BasicBlock::Create(context_, "next", function_);
    BasicBlock* const over = BasicBlock::Create(context_, "over", function_);
    b_.CreateStore(b_.getInt64(0), start_);
    b_.CreateBr(next);
    b_.SetInsertPoint(next);
    SwitchInst* const by_start = b_.CreateSwitch(b_.CreateLoad(word_, start_), over, regions_.starts());
    ReturnInst::Create(context_, over);
    for (unsigned start = 0; start < regions_.starts(); ++start) {
      BasicBlock* const here = BasicBlock::Create(context_, "start", function_);
      by_start->addCase(b_.getInt64(start), here);
      b_.SetInsertPoint(here);
      run_from(start, next, over);
    }
    return rows_are_good_ ? function_ : nullptr;
  }

  Function* run_paths() {
    begin({pointer_, word_, pointer_});
    Function* const region = regions_.make_region(0, 0, LaneRegions::Form::checked);
    for_items(*region, LaneRegions::is_straight(*region), function_->getArg(2));
    b_.CreateRetVoid();
    return function_;
  }

 private:
  void begin(ArrayRef<Type*> parameter_types) {
    auto* const type = FunctionType::get(b_.getVoidTy(), parameter_types, false);
    function_ =
        Function::Create(type, GlobalValue::ExternalLinkage, unit_.image->symbol, *unit_.body->getParent());
    function_->addFnAttr(Attribute::NoUnwind);
    function_->addFnAttr(Attribute::NullPointerIsValid);
    function_->addFnAttr("prefer-vector-width", "256");  // a row of a group often has no more than 8 or 16 work-items
    function_->addParamAttr(0, Attribute::NoAlias);
    unit_.body->setLinkage(GlobalValue::InternalLinkage);  // nobody needs it any more
    b_.SetInsertPoint(BasicBlock::Create(context_, "", function_));
    set_up();
  }

  LoadInst* once(LoadInst* load) {
    load->setMetadata(LLVMContext::MD_invariant_load, MDNode::get(context_, {}));
    return load;
  }
  Value* member(Value* base, std::size_t offset) {
    return b_.CreateConstInBoundsGEP1_64(b_.getInt8Ty(), base, offset);
  }

  void set_up() {
    start_ = b_.CreateAlloca(word_);
    bad_ = b_.CreateAlloca(word_);
    uniform_in_ = b_.CreateAlloca(regions_.uniform_type());
    uniform_out_ = b_.CreateAlloca(regions_.uniform_type());
    Value* const item = function_->getArg(0);
    Value* const group = once(b_.CreateLoad(pointer_, member(item, offsetof(Item, group))));
    arguments_ = load_arguments(b_, unit_, group);
    arguments_.push_back(group);
    for (std::size_t d = 0; d < 3; ++d) {
      const std::size_t size = offsetof(Group, words) + sizeof(std::uint64_t) * (local_size_word - group_words + d);
      sizes_[d] = once(b_.CreateLoad(word_, member(group, size)));
      const std::size_t first = offsetof(Item, ids) + sizeof(std::uint64_t) * (global_id_word + d);
      corner_[d] = once(b_.CreateLoad(word_, member(item, first)));
    }
    slots_ = ConstantPointerNull::get(cast<PointerType>(pointer_));
    if (regions_.slot_bytes() != 0) slots_ = slots(item, group);
  }

  // Memory for slots is there, unless it is too small.
  Value* slots(Value* item, Value* group) {
    Value* const bytes = b_.getInt64(regions_.slot_bytes());
    Value* const there = b_.CreateLoad(word_, member(group, offsetof(Group, frame_bytes)));
    BasicBlock* const small = BasicBlock::Create(context_, "", function_);
    BasicBlock* const enough = BasicBlock::Create(context_, "", function_);
    b_.CreateCondBr(b_.CreateICmpULT(there, bytes), small, enough);
    b_.SetInsertPoint(small);
    auto frame = function_->getParent()->getOrInsertFunction("sluice_exec_frame", pointer_, pointer_, word_);
    b_.CreateCall(frame, {item, bytes});
    b_.CreateBr(enough);
    b_.SetInsertPoint(enough);
    return b_.CreateLoad(pointer_, member(item, offsetof(Item, room)));
  }

  // What one work-item is told.
  std::vector<Value*> parameters(Value* item, ArrayRef<Value*> local, Value* lane) {
    std::vector<Value*> values = arguments_;
    values.push_back(item);
    values.insert(values.end(), local.begin(), local.end());
    for (std::size_t d = 0; d < 3; ++d) values.push_back(b_.CreateAdd(corner_[d], local[d]));
    values.insert(values.end(), {lane, function_->getArg(1), slots_, uniform_in_, uniform_out_});
    return values;
  }

  void run_from(unsigned start, BasicBlock* next, BasicBlock* over) {
    const auto ends = regions_.ends(start);
    Value* const none = b_.getInt64(0);
    Value* end = b_.getInt64(ends.front());
    if (ends.size() > 1 || regions_.uniform_type()->getNumElements() != 0) {
      Value* const item = function_->getArg(0);
      end = b_.CreateCall(regions_.make_state(start), parameters(item, {none, none, none}, none));
    }
    b_.CreateStore(end, start_);
    SwitchInst* const by_end = b_.CreateSwitch(end, over, static_cast<unsigned>(ends.size()));
    for (const unsigned each : ends) {
      BasicBlock* const here = BasicBlock::Create(context_, "way", function_);
      by_end->addCase(b_.getInt64(each), here);
      b_.SetInsertPoint(here);
      if (unit_.image->in_rows) {
        run_in_rows(start, each, over);
      } else {
        run_way(start, each);
      }
      for (unsigned i = 0; i < regions_.uniform_type()->getNumElements(); ++i) {
        Type* const type = regions_.uniform_type()->getElementType(i);
        Value* const value = b_.CreateLoad(type, b_.CreateStructGEP(regions_.uniform_type(), uniform_out_, i));
        b_.CreateStore(value, b_.CreateStructGEP(regions_.uniform_type(), uniform_in_, i));
      }
      b_.CreateBr(each == 0 ? over : next);
    }
  }

  void run_way(unsigned start, unsigned end) {
    Function* const checked = regions_.make_region(start, end, LaneRegions::Form::checked);
    if (!may_be_parallel() || !LaneRegions::is_straight(*checked)) {
      for_items(*checked, false);
      return;
    }
    if (!LaneRegions::has_checks(*checked)) {
      for_items(*checked, true);
      return;
    }
    b_.CreateStore(b_.getInt64(0), bad_);
    for_items(*regions_.make_region(start, end, LaneRegions::Form::check), true);
    BasicBlock* const good = BasicBlock::Create(context_, "", function_);
    BasicBlock* const bad = BasicBlock::Create(context_, "", function_);
    BasicBlock* const behind = BasicBlock::Create(context_, "", function_);
    MDNode* const likely = MDBuilder(context_).createBranchWeights(100000, 1);
    b_.CreateCondBr(b_.CreateICmpEQ(b_.CreateLoad(word_, bad_), b_.getInt64(0)), good, bad, likely);
    b_.SetInsertPoint(good);
    for_items(*regions_.make_region(start, end, LaneRegions::Form::free), true);
    b_.CreateBr(behind);
    b_.SetInsertPoint(bad);
    for_items(*checked, false);
    b_.CreateBr(behind);
    b_.SetInsertPoint(behind);
  }

  void run_in_rows(unsigned start, unsigned end, BasicBlock* over) {
    Function* const region = regions_.make_region(start, end, LaneRegions::Form::checked);
    std::vector<RowSite> sites;
    rows_are_good_ = LaneRegions::find_rows(*region, sites) && rows_are_good_;
    for_items(*region, false);
    SmallVector<std::uint32_t> words;
    for (const RowSite& site : sites) words.append({site.site, site.issued});
    Constant* const list = ConstantDataArray::get(context_, words);
    Module& module = *function_->getParent();
    auto* const at = new GlobalVariable(module, list->getType(), true, GlobalValue::InternalLinkage, list);
    auto take = module.getOrInsertFunction("sluice_exec_rows", b_.getInt32Ty(), pointer_, pointer_, word_, word_);
    BasicBlock* const behind = BasicBlock::Create(context_, "", function_);
    Value* const classes = b_.getInt64(regions_.classes());
    Value* const stops = b_.CreateCall(take, {function_->getArg(0), at, b_.getInt64(sites.size()), classes});
    b_.CreateCondBr(b_.CreateICmpEQ(stops, b_.getInt32(0)), behind, over);
    b_.SetInsertPoint(behind);
  }

  // Without barriers work-items share private memory.
  bool may_be_parallel() const { return unit_.image->info.private_bytes == 0 || unit_.image->suspends; }

  // Calls `region` for each work-item, row by row. What it returns goes to `results`, or into bad_.
  void for_items(Function& region, bool parallel, Value* results = nullptr) {
    Value* const item = function_->getArg(0);
    struct Loop {
      BasicBlock* head = nullptr;
      PHINode* at = nullptr;
    };
    std::array<Loop, 3> loops;
    Value* row = nullptr;
    for (const std::size_t d : {2, 1, 0}) {
      BasicBlock* const before = b_.GetInsertBlock();
      loops[d].head = BasicBlock::Create(context_, "items", function_);
      b_.CreateBr(loops[d].head);
      b_.SetInsertPoint(loops[d].head);
      loops[d].at = b_.CreatePHI(word_, 2);
      loops[d].at->addIncoming(b_.getInt64(0), before);
      row = row == nullptr ? loops[d].at : b_.CreateNUWAdd(b_.CreateNUWMul(row, sizes_[d]), loops[d].at);
    }
    Value* const own = b_.CreateGEP(b_.getInt8Ty(), item, b_.CreateNUWMul(row, b_.getInt64(sizeof(Item))));
    CallInst* const call = b_.CreateCall(&region, parameters(own, {loops[0].at, loops[1].at, loops[2].at}, row));
    Instruction* const result =
        results == nullptr ? b_.CreateStore(b_.CreateOr(b_.CreateLoad(word_, bad_), call), bad_)
                           : b_.CreateStore(call, b_.CreateGEP(word_, results, row));
    MDNode* const accesses = parallel ? MDNode::getDistinct(context_, {}) : nullptr;
    if (parallel) call->setMetadata(LLVMContext::MD_access_group, accesses);
    if (parallel) result->setMetadata(LLVMContext::MD_access_group, accesses);
    for (const std::size_t d : {0, 1, 2}) {
      BasicBlock* const behind = BasicBlock::Create(context_, "", function_);
      Value* const next = b_.CreateNUWAdd(loops[d].at, b_.getInt64(1));
      loops[d].at->addIncoming(next, b_.GetInsertBlock());
      BranchInst* const again = b_.CreateCondBr(b_.CreateICmpULT(next, sizes_[d]), loops[d].head, behind);
      if (d == 0) again->setMetadata(LLVMContext::MD_loop, loop_of(accesses));
      b_.SetInsertPoint(behind);
    }
  }

  MDNode* loop_of(MDNode* accesses) {
    const auto property = [&](StringRef name, Metadata* value) {
      return MDNode::get(context_, {MDString::get(context_, name), value});
    };
    const auto number = [&](std::uint32_t n) { return ConstantAsMetadata::get(b_.getInt32(n)); };
    SmallVector<Metadata*> all{nullptr};
    if (accesses == nullptr) {
      all.push_back(property("llvm.loop.vectorize.width", number(1)));
    } else {
      all.push_back(property("llvm.loop.parallel_accesses", accesses));
    }
    all.push_back(property("llvm.loop.interleave.count", number(1)));
    MDNode* const loop = MDNode::getDistinct(context_, all);
    loop->replaceOperandWith(0, loop);
    return loop;
  }

  const KernelUnit& unit_;
  LaneRegions regions_;
  LLVMContext& context_;
  IRBuilder<> b_;
  Type* word_ = nullptr;
  Type* pointer_ = nullptr;
  Function* function_ = nullptr;
  std::vector<Value*> arguments_;  // and the group
  std::array<Value*, 3> sizes_{}, corner_{};
  Value* slots_ = nullptr;
  AllocaInst* start_ = nullptr;
  AllocaInst* bad_ = nullptr;  // of all calls since it was 0
  AllocaInst* uniform_in_ = nullptr;
  AllocaInst* uniform_out_ = nullptr;
  bool rows_are_good_ = true;
};

}  // namespace

Function* make_group_function(const KernelUnit& unit) { return GroupFunction(unit).run(); }
Function* make_path_function(const KernelUnit& path) { return GroupFunction(path).run_paths(); }

}  // namespace sluice::exec
