// Launches that do over again what was done before: what need not be executed, or not be timed.
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <random>

#include "tests/timing/kernel_commands.h"

namespace sluice {
namespace {

// Launches that repeat the one before. Two are executed: the first fills the caches, the second finds them as it leaves
// them. An instance of `step` reads device memory and writes other device memory, 64 groups of it.
class Repeats : public Commands {
 protected:
  void open_stable(const char* detail = "train") {
    open("h200-pcie5", detail);
    engine.told_all = true;
    map.add({reinterpret_cast<std::byte*>(source_base), mib, Placement::device, 1ULL << 33, true});
    map.add({reinterpret_cast<std::byte*>(target_base), mib, Placement::device, 1ULL << 34, true});
    step = synthetic::module("step", [](synthetic::WaveWriter& w, std::uint64_t item) {
      w.global(AccessKind::load, 1, source_base + item * 4, 4, 4);
      w.global(AccessKind::store, 2, target_base + item * 4, 4, 4);
    });
  }
  // Groups that the next launch executes.
  std::uint64_t executes(std::shared_ptr<const KernelModule> module) {
    const std::uint64_t before = engine.groups_run;
    last = launch(std::move(module), synthetic::linear(64 * 256, 256));
    drain();
    return engine.groups_run - before;
  }
  void settle() {
    for (int i = 0; i < 3; ++i) executes(step);
    ASSERT_EQ(executes(step), 0U);
  }
  void write(std::uint64_t at, std::uint64_t bytes) {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.in_order = true;
    c.op = Operation::fill_buffer;
    c.direction = Direction::device_to_device;
    c.target.placement = Placement::device;
    c.target.data = storage.data() + at;
    c.shape.row_bytes = bytes;
    const std::byte zero{};
    c.fill.assign(&zero, 1);
    sim->enqueue(c, sim->now());
    drain();
  }

  static constexpr std::uint64_t source_base = 0x220000000000;
  static constexpr std::uint64_t target_base = 0x230000000000;
  std::vector<std::byte> storage = std::vector<std::byte>(mib);
  std::shared_ptr<const KernelModule> step;
  CommandId last = 0;
};

TEST_F(Repeats, AreNotExecutedAndTakeTheSameTime) {
  open_stable();
  EXPECT_EQ(executes(step), 64U);
  EXPECT_EQ(executes(step), 64U);
  const TimePs second = took(last);
  const KernelRecord record = sink.kernels[last];
  for (int i = 0; i < 3; ++i) {
    executes(step);
    EXPECT_EQ(took(last), second);
    EXPECT_EQ(sink.kernels[last].l2_hit_sectors, record.l2_hit_sectors);
    EXPECT_EQ(sink.kernels[last].groups, 64U);
  }
  EXPECT_LE(engine.groups_run, 192U);
  EXPECT_EQ(executes(step), 0U);
}

TEST_F(Repeats, InPacketDetailToo) {
  open_stable("packet");
  executes(step);
  executes(step);
  const TimePs second = took(last);
  settle();
  EXPECT_EQ(took(last), second);
}

// Beside a launch that was not executed, others find the units as full as they would be.
TEST_F(Repeats, OccupyTheUnits) {
  open_stable();
  const auto beside = [&] {
    const CommandId a = launch(step, synthetic::linear(64 * 256, 256), 1);
    const CommandId b = launch(work(1000), synthetic::linear(132 * 2048, 256), 2);
    drain();
    EXPECT_LT(done[b].started, done[a].ended);
    return took(b);
  };
  settle();
  engine.told_all = false;  // nothing can be repeated from here on, but what is known is
  const std::uint64_t before = engine.groups_run;
  const TimePs repeated = beside();
  EXPECT_EQ(engine.groups_run - before, 132U * 8);
  executes(step);  // executed; the caches are as they were
  EXPECT_EQ(beside(), repeated);
}

TEST_F(Repeats, EndWhereMemoryMayHaveChanged) {
  open_stable();
  settle();
  map.set_stable(reinterpret_cast<std::byte*>(source_base), false);
  EXPECT_EQ(executes(step), 64U);
  EXPECT_EQ(executes(step), 64U);
  EXPECT_EQ(executes(step), 64U);
  map.set_stable(reinterpret_cast<std::byte*>(source_base), true);
  settle();
  // Freed, and another allocation in its place.
  map.remove(reinterpret_cast<std::byte*>(target_base));
  map.add({reinterpret_cast<std::byte*>(target_base), mib, Placement::device, 1ULL << 34, true});
  EXPECT_EQ(executes(step), 64U);
}

// Real memory, as a fill writes it.
TEST_F(Repeats, EndWithAWriteToWhatTheyTouched) {
  open_stable();
  map.remove(reinterpret_cast<std::byte*>(source_base));
  const auto base = reinterpret_cast<std::uint64_t>(storage.data());
  map.add({storage.data(), mib / 2, Placement::device, 1ULL << 33, true});
  step = synthetic::module("step", [base](synthetic::WaveWriter& w, std::uint64_t item) {
    w.global(AccessKind::load, 1, base + item * 4, 4, 4);
    w.global(AccessKind::store, 2, target_base + item * 4, 4, 4);
  });
  // For the caches all writes are the same here.
  for (int i = 0; i < 3; ++i) write(mib / 2, 64), executes(step);
  write(mib / 2, 64);  // beside it
  EXPECT_EQ(executes(step), 0U);
  write(0, 64);
  EXPECT_EQ(executes(step), 64U);
}

TEST_F(Repeats, AreNotLaunchesThatFeedThemselvesOrOthers) {
  open_stable();
  const auto other = synthetic::module("other", [](synthetic::WaveWriter& w, std::uint64_t item) {
    w.global(AccessKind::store, 1, source_base + item * 4, 4, 4);
  });
  const auto in_place = synthetic::module("in_place", [](synthetic::WaveWriter& w, std::uint64_t item) {
    w.global(AccessKind::load, 1, target_base + item * 4, 4, 4);
    w.global(AccessKind::store, 2, target_base + item * 4, 4, 4);
  });
  const auto counting = synthetic::module(
      "counting", [](synthetic::WaveWriter& w, std::uint64_t) { w.global(AccessKind::atomic, 1, target_base, 0, 4); });
  const auto stray = synthetic::module("stray", [](synthetic::WaveWriter& w, std::uint64_t item) {
    w.global(AccessKind::load, 1, 0x240000000000 + item * 4, 4, 4);
  });
  for (const std::shared_ptr<const KernelModule>& module :
       {std::shared_ptr<const KernelModule>(in_place), std::shared_ptr<const KernelModule>(counting),
        std::shared_ptr<const KernelModule>(stray), zero_copy_read(mib)}) {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(executes(module), 64U);
  }
  settle();
  EXPECT_EQ(executes(other), 64U);
  EXPECT_EQ(executes(step), 64U);
  settle();
  engine.told_all = false;
  executes(other);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(executes(step), 64U);
}

// Launches that are executed, as what they read has changed, but not timed.
class KnownTimes : public Repeats {
 protected:
  static constexpr std::uint64_t groups = 64;
  struct Ran {
    std::uint64_t timed = 0, unseen = 0;  // groups
    bool operator==(const Ran&) const = default;
  };
  static constexpr Ran all_timed{groups, 0}, none_timed{0, groups};

  Ran run(std::shared_ptr<const KernelModule> module, std::vector<LaunchArgument> arguments = {}) {
    const Ran before{engine.groups_run, engine.groups_unseen};
    last = launch(std::move(module), synthetic::linear(groups * 256, 256), 1, std::move(arguments));
    drain();
    return {engine.groups_run - before.timed, engine.groups_unseen - before.unseen};
  }
  // Adds to the memory at `base`. `steered_by`: of its arguments, a value and what is in `storage`.
  static std::shared_ptr<const KernelModule> in_place(std::uint64_t base, std::uint64_t steered_by = 0) {
    KernelInfo info;
    info.steered_by = steered_by;
    info.arguments.resize(2);
    info.arguments[1].kind = ArgumentKind::global;
    return synthetic::module(
        "in_place",
        [base](synthetic::WaveWriter& w, std::uint64_t item) {
          w.global(AccessKind::load, 1, base + item * 4, 4, 4);
          w.global(AccessKind::store, 2, base + item * 4, 4, 4);
        },
        info);
  }
  std::vector<LaunchArgument> arguments(int value) {
    LaunchArgument number, memory;
    number.value.assign(4, static_cast<std::byte>(value));
    memory.data = storage.data();
    memory.size_bytes = mib / 2;
    return {number, memory};
  }
  void open_with_storage() {
    open_stable();
    map.add({storage.data(), mib / 2, Placement::device, 1ULL << 35, true});
  }
};

TEST_F(KnownTimes, OfALaunchThatFeedsItself) {
  open_stable();
  const auto step = in_place(target_base);
  EXPECT_EQ(run(step, arguments(0)), all_timed);
  EXPECT_EQ(run(step, arguments(0)), all_timed);
  const TimePs second = took(last);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run(step, arguments(i)), none_timed);
    EXPECT_EQ(took(last), second);
    EXPECT_EQ(sink.kernels[last].groups, groups);
  }
}

TEST_F(KnownTimes, NotWhereItIsUnknownWhatSteers) {
  open_stable();
  const auto step = in_place(target_base, std::uint64_t{1} << steered_by_other);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(step, arguments(0)), all_timed);
}

TEST_F(KnownTimes, OfTheSameValueIfItSteers) {
  open_stable();
  const auto step = in_place(target_base, 0b01);
  for (int i = 0; i < 3; ++i) run(step, arguments(7));
  EXPECT_EQ(run(step, arguments(7)), none_timed);
  EXPECT_EQ(run(step, arguments(8)), all_timed);
  EXPECT_EQ(run(step, arguments(7)), none_timed);  // and the one before is not forgotten
}

TEST_F(KnownTimes, UntilWhatSteersIsWritten) {
  open_with_storage();
  const auto step = in_place(target_base, 0b10);
  for (int i = 0; i < 3; ++i) write(mib / 2, 64), run(step, arguments(0));
  write(mib / 2, 64);  // beside it
  EXPECT_EQ(run(step, arguments(0)), none_timed);
  write(0, 64);
  EXPECT_EQ(run(step, arguments(0)), all_timed);
  write(mib / 2, 64);
  EXPECT_EQ(run(step, arguments(0)), none_timed);
  map.set_stable(storage.data(), false);  // the program may write it
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run(step, arguments(0)), all_timed);
}

// What it took before steered other launches than those that are run now, though the last of them saw the change.
TEST_F(KnownTimes, UntilALaunchBesideOthersSawAnotherContent) {
  open_with_storage();
  const auto step = in_place(target_base, 0b10);
  for (int i = 0; i < 3; ++i) write(mib / 2, 64), run(step, arguments(0));
  write(0, 64);
  launch(work(1000), synthetic::linear(132 * 2048, 256), 2);
  launch(step, synthetic::linear(groups * 256, 256), 1, arguments(0));
  drain();
  EXPECT_LT(done[id].started, done[id - 1].ended);
  write(mib / 2, 64);
  EXPECT_EQ(run(step, arguments(0)), all_timed);
}

TEST_F(KnownTimes, NotOfALaunchThatWritesWhatSteersIt) {
  open_with_storage();
  const auto step = in_place(reinterpret_cast<std::uint64_t>(storage.data()), 0b10);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(run(step, arguments(0)), all_timed);
}

TEST_F(KnownTimes, NotElsewhereInMemory) {
  open_stable();
  const auto step = in_place(target_base);
  for (int i = 0; i < 3; ++i) run(step);
  EXPECT_EQ(run(step), none_timed);
  map.remove(reinterpret_cast<std::byte*>(target_base));
  map.add({reinterpret_cast<std::byte*>(target_base), mib, Placement::device, 1ULL << 36, true});
  EXPECT_EQ(run(step), all_timed);
}

// Some launches and copies in any order, of which the caches hold but a part: each takes what it takes where nothing is
// ever known.
TEST_F(KnownTimes, AreThoseThatTimingWouldYield) {
  const auto takes = [&](bool told_all) {
    open_stable();
    engine.told_all = told_all;
    const auto sweep = [](std::uint64_t base, std::uint64_t bytes) {  // a launch has 64 KiB of work-items' words
      KernelInfo info;
      info.steered_by = 0;
      return synthetic::module(
          "sweep",
          [base, bytes](synthetic::WaveWriter& w, std::uint64_t item) {
            for (std::uint64_t at = item * 128; at < bytes; at += groups * 256 * 128) {
              w.global(AccessKind::load, 1, base + at, 128, 4);
              w.global(AccessKind::store, 2, base + at + 64, 128, 4);
            }
          },
          info);
    };
    const std::vector<std::shared_ptr<const KernelModule>> modules{
        sweep(device_base, 8 * mib), sweep(device_base + 4 * mib, 40 * mib), sweep(device_base + 200 * mib, 24 * mib),
        sweep(target_base, mib)};
    std::vector<TimePs> times;
    std::mt19937 random(5);
    for (int round = 0; round < 12; ++round) {
      const auto a = random() % modules.size(), b = random() % modules.size();
      const bool copies = random() % 3 == 0;
      for (int i = 0; i < 5; ++i) {
        for (const auto& module : {modules[a], modules[b]}) {
          (void)run(module);
          times.push_back(took(last));
        }
        if (copies) times.push_back(took((copy(mib, 1), drain(), id)));
      }
    }
    return times;
  };
  // SystemC lets a process have one simulator.
  const std::string file = testing::TempDir() + "known-times";
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const std::vector<TimePs> times = takes(false);
    std::ofstream out(file);
    for (const TimePs t : times) out << t << '\n';
    out.close();
    _exit(engine.groups_unseen == 0 && !HasFailure() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  std::ifstream in(file);
  const std::vector<TimePs> expected{std::istream_iterator<TimePs>(in), {}};
  EXPECT_GE(expected.size(), 120U);
  EXPECT_EQ(takes(true), expected);
  EXPECT_GT(engine.groups_unseen, 30 * groups);
}

}  // namespace
}  // namespace sluice
