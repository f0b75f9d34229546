// Runs the groups of one launch, by default one after another on the caller's stack. A group that waits for others, or
// for the host, gives way: groups that the device would hold at the same time then take turns, each on a stack of its
// own. Turns are counted in instructions, so that their order is the same on every run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "sim/exec/group_runner.h"
#include "sim/iface/fiber.h"

namespace sluice::exec {

class LaunchRunner final : public KernelRun, public AlikeRun, private Turns {
 public:
  // Throws std::bad_alloc where a group's memory cannot be had.
  LaunchRunner(std::shared_ptr<const LoadedProgram> program, const KernelLaunch& launch, std::uint32_t wave_size);
  ~LaunchRunner() override;
  void set_resident_groups(std::uint64_t groups) override;
  [[nodiscard]] bool run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) override;
  [[nodiscard]] bool run_unseen(const std::array<std::uint64_t, 3>& group) override;
  [[nodiscard]] bool told_all() const noexcept override;
  // Groups that take turns do so on the stack of who asks for them, and let other commands run there.
  [[nodiscard]] bool any_thread() const noexcept override { return !program_->kernels()[launch_.kernel].may_wait; }
  void on_wait(std::function<bool()> wait) override { wait_ = std::move(wait); }
  [[nodiscard]] const AlikeGroups* run_alike() override { return first_.run_alike(); }

 private:
  // A group that was begun ahead of being asked for.
  struct Strand {
    explicit Strand(std::uint64_t stack_bytes) : stack(stack_bytes) {}
    FiberStack stack;
    FiberPlace place;
    std::unique_ptr<GroupRunner> runner;
    std::uint64_t group = 0;  // linear
    GroupTrace trace;
    bool good = false;
    bool ended = true;
  };

  [[nodiscard]] bool give_way() override;
  [[nodiscard]] std::uint64_t instructions() const noexcept override { return turn_; }
  [[nodiscard]] std::uint64_t linear(const std::array<std::uint64_t, 3>& group) const noexcept;
  [[nodiscard]] Strand* strand_of(std::uint64_t group) noexcept;
  [[nodiscard]] Strand* free_strand();
  [[nodiscard]] Strand* begin_next();
  void switch_to(std::size_t next, bool for_good = false);
  static void enter(void* self);
  void run_strand(Strand& strand);
  [[nodiscard]] bool handed_over(bool good);

  std::shared_ptr<const LoadedProgram> program_;
  const KernelLaunch launch_;
  const std::uint32_t wave_size_;
  const std::array<std::uint64_t, 3> groups_;
  std::uint64_t group_count_ = 1;
  std::uint64_t resident_ = 1;

  GroupRunner first_;    // for groups that nobody has begun
  FiberPlace caller_;   // while a strand runs
  std::vector<std::unique_ptr<Strand>> strands_;
  std::map<std::uint64_t, std::pair<bool, GroupTrace>> ended_;  // and were not asked for yet
  static constexpr std::size_t caller_turn = ~std::size_t{0};
  std::size_t current_ = caller_turn;
  bool failed_ = false;
  std::function<bool()> wait_;
  std::uint64_t next_group_ = 0;  // that was not begun
  std::uint64_t handed_over_ = 0;  // groups
  std::uint64_t rounds_ = 0;      // of turns since a group ended
  std::uint64_t turn_ = first_turn;
};

}  // namespace sluice::exec
