// A kernel cut at its barriers: what a work-item does from one to the next, as functions that loops over the work-items
// of a group may call (lane_loops.cpp). For kernels whose control flow and addresses do not depend on what is loaded
// (uniformity.h), so all work-items of a group come to the same barriers, and which comes next is known before any of
// them has run. Internal to sim/exec.
#pragma once

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallPtrSet.h>
#include <llvm/ADT/SmallVector.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/ValueMapper.h>

#include <array>
#include <vector>

#include "sim/exec/lowering.h"
#include "sim/exec/runtime.h"

namespace sluice::exec {

// Behind the body's own parameters, of which the Item is the work-item's.
enum LaneParameter : unsigned {
  local_id_parameter,       // three
  global_id_parameter = 3,  // three
  lane_parameter = 6,       // the work-item's number in its group
  lane_count_parameter,
  slots_parameter,        // memory for what work-items keep from one region to the next
  uniform_in_parameter,   // what is the same for all of them: a struct uniform_type(),
  uniform_out_parameter,  // and as it will be in the next region
  lane_parameters
};

class LaneRegions {
 public:
  // All return a word.
  enum class Form : std::uint8_t {
    checked,  // executes a work-item, with all checks; 0, or what a path function's work-item decides
    free,     // the same without checks
    check,    // has no effect: 0 if all checks would hold
  };
  // A start is 0 for the kernel's begin, or k behind barrier k; an end is 0 for the kernel's, or k at barrier k.
  explicit LaneRegions(const KernelUnit& unit);
  [[nodiscard]] unsigned starts() const noexcept { return static_cast<unsigned>(barriers_.size()) + 1; }
  [[nodiscard]] llvm::SmallVector<unsigned> ends(unsigned start) const;
  // The end that a start leads to; fills what is uniform there. Has no other effect.
  [[nodiscard]] llvm::Function* make_state(unsigned start);
  [[nodiscard]] llvm::Function* make_region(unsigned start, unsigned end, Form form);
  // Whether a region's work-items may be executed at the same time, by its checked form.
  [[nodiscard]] static bool is_straight(const llvm::Function& region);
  [[nodiscard]] static bool has_checks(const llvm::Function& region);
  // Of logs in rows (lane_rows.cpp): the classes of instructions that there are, a bit each.
  [[nodiscard]] std::uint32_t classes() const;
  // The sites that a region's work-items come to, in that order, whichever way they go; what is the same for all of them
  // is no longer written. False: there is no such order.
  [[nodiscard]] static bool find_rows(llvm::Function& region, std::vector<RowSite>& sites);

  [[nodiscard]] llvm::FunctionType* type() const { return whole_->getFunctionType(); }
  [[nodiscard]] llvm::StructType* uniform_type() const noexcept { return uniform_type_; }
  // Of the slots, for each work-item.
  [[nodiscard]] std::uint64_t slot_bytes() const noexcept { return slot_bytes_; }

 private:
  // A value that is needed behind a barrier.
  struct Slot {
    llvm::AllocaInst* value = nullptr;
    bool uniform = false;
    std::uint64_t place = 0;  // bytes before it in the slots of each work-item, or its number in uniform_type()
    llvm::SmallVector<bool> needed;  // behind which barriers
  };
  struct Barrier {
    llvm::BasicBlock* end = nullptr;    // of the region before
    llvm::BasicBlock* begin = nullptr;  // of the one behind
  };
  void copy_body();
  void place_rows();
  [[nodiscard]] llvm::Value* in_row(llvm::IRBuilder<>& b, llvm::Function& function, unsigned row, llvm::Type* type,
                                    std::size_t rows) const;
  void clear_rows(llvm::Function& region) const;
  void replace_ids();
  // As QueryWord numbers them.
  [[nodiscard]] llvm::Value* id(llvm::IRBuilder<>& b, unsigned word) const;
  void cut();
  void hoist();
  void find_slots();
  [[nodiscard]] llvm::SmallVector<bool> needed_behind(const llvm::Instruction& value) const;
  void keep(llvm::Instruction& value, llvm::AllocaInst& slot);
  [[nodiscard]] llvm::Argument* parameter(llvm::Function& function, unsigned number) const;
  [[nodiscard]] llvm::Function* begin_region(unsigned start, llvm::ValueToValueMapTy& map);
  void drop_effects(llvm::Function& region) const;
  void finish(llvm::Function& region, llvm::ValueToValueMapTy& map, llvm::ArrayRef<llvm::AllocaInst*> more) const;
  llvm::Value* place_of(llvm::IRBuilder<>& b, llvm::Function& region, const Slot& slot) const;
  llvm::Type* kept_type(const Slot& slot) const;

  const KernelUnit& unit_;
  llvm::Module& module_;
  llvm::LLVMContext& context_;
  llvm::Function* whole_ = nullptr;  // the body as a function of LaneParameters
  std::vector<Barrier> barriers_;
  std::vector<Slot> slots_;
  // Of logs in rows: instructions, and those by class; nullptr: there are none.
  std::array<llvm::AllocaInst*, 1 + instruction_classes> counters_{};
  llvm::StructType* uniform_type_ = nullptr;
  std::uint64_t slot_bytes_ = 0;
};

}  // namespace sluice::exec
