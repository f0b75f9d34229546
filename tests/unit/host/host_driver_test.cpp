// What a call costs on the host, and how the host learns of a completion.
#include "sim/models/host/host_driver.h"

#include <gtest/gtest.h>

#include "sim/models/link/link.h"
#include "sim/profile/load.h"

namespace sluice::sim {
namespace {

class Completion : public testing::Test {
 protected:
  void SetUp() override {
    loaded_ = profile::load_profile("legacy-pcie3");
    ASSERT_TRUE(loaded_.profile.has_value());
    driver().fence_ps = 200'000;
    driver().wakeup_ps = 9'000'000;
    driver().interrupt_moderation_ps = 20'000'000;
    link_ = make_link(*loaded_.profile);
    flight_ = link_->posted_time();
  }
  profile::Driver& driver() { return loaded_.profile->driver; }
  // From completed to visible of commands that complete at the given times, one after the other.
  std::vector<TimePs> waits(const std::vector<TimePs>& completed) {
    cache::HostMemory memory(loaded_.profile->host);
    HostDriver host(*loaded_.profile, *link_, memory);
    std::vector<TimePs> result;
    for (const TimePs t : completed) {
      Job job;
      job.times.completed = t;
      host.complete(job);
      result.push_back(job.times.visible - t);
      TimePs stages = 0;
      for (const TimePs s : job.stages) stages += s;
      EXPECT_EQ(stages, result.back());
    }
    return result;
  }

  profile::Loaded loaded_;
  std::unique_ptr<Link> link_;
  TimePs flight_ = 0;
};

TEST_F(Completion, PollingSeesTheFence) {
  driver().completion = profile::Completion::poll;
  const TimePs each = 200'000 + flight_ + 9'000'000;
  EXPECT_EQ(waits({1'000'000, 2'000'000}), (std::vector<TimePs>{each, each}));
}

TEST_F(Completion, AnInterruptFollowsTheFence) {
  driver().completion = profile::Completion::interrupt;
  const TimePs each = 200'000 + 2 * flight_ + 9'000'000;
  EXPECT_EQ(waits({1'000'000, 100'000'000}), (std::vector<TimePs>{each, each}));
}

TEST_F(Completion, InterruptsAreModerated) {
  driver().completion = profile::Completion::interrupt;
  const TimePs each = 200'000 + 2 * flight_ + 9'000'000;
  // The second and third, 5 and 6 us later, share the interrupt that may be sent 20 us after the first.
  EXPECT_EQ(waits({1'000'000, 6'000'000, 7'000'000, 60'000'000}),
            (std::vector<TimePs>{each, each + 15'000'000, each + 14'000'000, each}));
}

TEST_F(Completion, TheFenceQueuesBehindPostedData) {
  driver().completion = profile::Completion::poll;
  cache::HostMemory memory(loaded_.profile->host);
  HostDriver host(*loaded_.profile, *link_, memory);
  Job job;
  job.times.completed = 1'000'000;
  job.drained = 1'700'000;  // the root port's buffer
  host.complete(job);
  EXPECT_EQ(job.times.visible, 1'700'000 + 200'000 + flight_ + 9'000'000);
}

// validate 1 + pack 2 + submit 3 + return 4 us; 5 more if its event tells its stamps, and none of them before the doorbell.
TEST_F(Completion, AnEventWithStampsDelaysTheReturnAlone) {
  driver().kernel = {1'000'000, 2'000'000, 3'000'000, 4'000'000, 5'000'000};
  cache::HostMemory memory(loaded_.profile->host);
  HostDriver host(*loaded_.profile, *link_, memory);
  for (const bool stamped : {false, true}) {
    Job job;
    job.command.op = Operation::kernel;
    job.command.stamped = stamped;
    const EnqueueStamps stamps = host.charge(job, 100'000'000);
    EXPECT_EQ(job.doorbell, 106'000'000);
    EXPECT_EQ(stamps.returned, stamped ? 115'000'000 : 110'000'000);
  }
}

}  // namespace
}  // namespace sluice::sim
