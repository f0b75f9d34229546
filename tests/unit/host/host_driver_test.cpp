// What a call costs on the host, and how the host learns of a completion.
#include "sim/models/host/host_driver.h"

#include <gtest/gtest.h>

#include <optional>

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

// A command that was kept has its stamps ahead of it: pack 2, stamps 5, submit 3 us from the moment that it may go.
TEST_F(Completion, AKeptCommandsStampsDelayTheDoorbell) {
  driver().kernel = {1'000'000, 2'000'000, 3'000'000, 4'000'000, 5'000'000};
  cache::HostMemory memory(loaded_.profile->host);
  HostDriver host(*loaded_.profile, *link_, memory);
  for (const bool stamped : {false, true}) {
    Job job;
    job.command.op = Operation::kernel;
    job.command.stamped = stamped;
    EXPECT_EQ(host.hold(job.command, 10'000'000), 11'000'000);
    host.charge(job, 100'000'000);
    EXPECT_EQ(job.doorbell, stamped ? 110'000'000 : 105'000'000);
  }
}

// A queue's write of 2 KiB, where an idle queue takes up to 16 KiB in its ring and one that is not up to 1 KiB.
class RingWrites : public Completion {
 protected:
  void SetUp() override {
    Completion::SetUp();
    driver().completion = profile::Completion::poll;
    loaded_.profile->copy_engines.inline_limit_bytes = 16384;
    loaded_.profile->copy_engines.inline_limit_queued_bytes = 1024;
    memory_.emplace(loaded_.profile->host);
    host_.emplace(*loaded_.profile, *link_, *memory_);
  }
  Job write(QueueId queue, std::uint64_t bytes, TimePs called) {
    Job job;
    job.command.op = Operation::write_buffer;
    job.command.queue = queue;
    job.command.direction = Direction::host_to_device;
    job.command.source.placement = Placement::host_pinned;
    job.command.target.placement = Placement::device;
    job.command.shape.row_bytes = bytes;
    host_->charge(job, called);
    return job;
  }
  void complete(Job& job, TimePs at) {
    job.times.completed = at;
    host_->complete(job);
  }

  std::optional<cache::HostMemory> memory_;
  std::optional<HostDriver> host_;
};

TEST_F(RingWrites, ABusyQueueTakesSmallOnesOnly) {
  EXPECT_TRUE(write(1, 2048, 1'000'000).inline_payload);
  EXPECT_FALSE(write(1, 2048, 2'000'000).inline_payload);
  EXPECT_TRUE(write(1, 1024, 3'000'000).inline_payload);
  EXPECT_TRUE(write(2, 2048, 4'000'000).inline_payload);  // of another queue
}

TEST_F(RingWrites, AQueueIsIdleOnceItsLastFenceIsThere) {
  Job first = write(1, 2048, 1'000'000);
  complete(first, 5'000'000);
  const TimePs fenced = 5'000'000 + 200'000 + flight_;  // not when the program wakes up, 9 us later
  EXPECT_FALSE(write(1, 2048, fenced - 1).inline_payload);
  Job other = write(2, 2048, 1'000'000);
  complete(other, 5'000'000);
  EXPECT_TRUE(write(2, 2048, fenced).inline_payload);
}

TEST_F(RingWrites, WhatTheProgramHasSeenIsForgotten) {
  Job first = write(1, 2048, 1'000'000);
  Job second = write(1, 2048, 2'000'000);
  complete(first, 5'000'000);
  host_->delivered(first);  // the second is still open
  EXPECT_FALSE(write(1, 2048, 50'000'000).inline_payload);
  EXPECT_FALSE(write(1, 2048, 90'000'000).inline_payload);
}

TEST_F(RingWrites, WithoutTheKeyTheQueueDoesNotMatter) {
  loaded_.profile->copy_engines.inline_limit_queued_bytes = 0;
  EXPECT_TRUE(write(1, 2048, 1'000'000).inline_payload);
  EXPECT_TRUE(write(1, 2048, 2'000'000).inline_payload);
}

// Pageable writes of which a thread of the driver's makes the staging copies: 4 KiB chunks in two buffers, 1 us to take up
// each and 4 us to copy it. A call takes 1 + 2 us until it hands over, 0.5 us for that and 0.25 more a KiB, 4 us to its end.
class StagingThread : public Completion {
 protected:
  void SetUp() override {
    Completion::SetUp();
    profile::Profile& p = *loaded_.profile;
    p.copy_engines.inline_limit_pageable_bytes = 0;
    p.host.copy = {};
    p.host.copy.private_bytes_per_s = p.host.copy.llc_bytes_per_s = p.host.copy.memory_bytes_per_s = 1'024'000'000;
    driver().transfer = {1'000'000, 2'000'000, 3'000'000, 4'000'000, 0};
    driver().pack_per_mib_ps = driver().pageable_ps = 0;
    driver().staging_chunk_bytes = 4096;
    driver().staging_buffers = 2;
    driver().staging_thread_chunk_ps = 1'000'000;
    driver().staging_handover_ps = 500'000;
    driver().staging_handover_per_mib_ps = 256'000'000;
    memory_.emplace(p.host);
    host_.emplace(p, *link_, *memory_);
  }
  EnqueueStamps write(Job& job, std::uint64_t bytes, TimePs called, bool blocking = false) {
    job.command.op = Operation::write_buffer;
    job.command.direction = Direction::host_to_device;
    job.command.blocking = blocking;
    job.command.source.placement = Placement::host_pageable;
    job.command.target.placement = Placement::device;
    job.command.shape.row_bytes = bytes;
    return host_->charge(job, called);
  }
  static TimePs spent(const Job& job) {
    TimePs all = 0;
    for (const TimePs s : job.stages) all += s;
    return all;
  }

  std::optional<cache::HostMemory> memory_;
  std::optional<HostDriver> host_;
};

constexpr TimePs us = 1'000'000;

TEST_F(StagingThread, TheCallIsBackBeforeTheCopy) {
  Job job;
  const EnqueueStamps stamps = write(job, 4096, 100 * us);
  EXPECT_EQ(stamps.submitted, 103 * us);
  EXPECT_EQ(stamps.returned, 103 * us + us / 2 + us + 4 * us);
  EXPECT_FALSE(job.awaits_thread);
  EXPECT_EQ(job.doorbell, 103 * us + 5 * us + 3 * us);
  EXPECT_EQ(spent(job), job.doorbell - 100 * us);
}

TEST_F(StagingThread, ABlockingCallCopiesItself) {
  Job job;
  const EnqueueStamps stamps = write(job, 4096, 100 * us, true);
  EXPECT_EQ(stamps.submitted, 107 * us);
  EXPECT_EQ(job.doorbell, 110 * us);
  EXPECT_EQ(stamps.returned, 114 * us);
}

// It turns to the next when it sees that the one before is over.
TEST_F(StagingThread, ItTakesOneWriteAfterTheOther) {
  Job first;
  Job second;
  Job third;
  write(first, 12288, 100 * us);  // three chunks, of which two find room
  EXPECT_EQ(first.copy->chunks, 3U);
  EXPECT_EQ(first.copy->copy_done[1], 103 * us + 10 * us);
  write(second, 4096, 104 * us);
  write(third, 4096, 150 * us);
  EXPECT_TRUE(second.awaits_thread);
  EXPECT_TRUE(third.awaits_thread);
  EXPECT_EQ(host_->stage_next(140 * us), &second);
  EXPECT_FALSE(second.awaits_thread);
  EXPECT_EQ(second.doorbell, 140 * us + 5 * us + 3 * us);
  EXPECT_EQ(second.stages[static_cast<std::size_t>(Stage::staging)], 140 * us - 107 * us);
  EXPECT_EQ(spent(second), second.doorbell - 104 * us);
  EXPECT_EQ(host_->stage_next(151 * us), &third);  // before the call has handed it over
  EXPECT_EQ(third.doorbell, 153 * us + 5 * us + 3 * us);
  EXPECT_EQ(host_->stage_next(170 * us), nullptr);
  Job fourth;
  write(fourth, 4096, 180 * us);  // at once
  EXPECT_EQ(fourth.doorbell, 183 * us + 5 * us + 3 * us);
}

TEST_F(Completion, AUserEventCostsWhatTheProfileSays) {
  driver().user_event_ps = 5'100'000;
  cache::HostMemory memory(loaded_.profile->host);
  EXPECT_EQ(HostDriver(*loaded_.profile, *link_, memory).cost(HostAction::set_user_event), 5'100'000);
}

}  // namespace
}  // namespace sluice::sim
