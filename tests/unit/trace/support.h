// Records made up by hand, and files to write them to.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "sim/iface/machine.h"
#include "sim/iface/trace_sink.h"
#include "traces/recorder.h"

namespace sluice::trace {

inline Machine make_machine() {
  Machine machine;
  machine.profile_name = "made-up";
  machine.profile_hash = "0123456789abcdef";
  machine.device.name = "A \"device\"";
  return machine;
}

// A write of 4 KiB: called at `called`, 10 ns of validation, 5 ns in the ring, 100 ns on the link, 85 ns to wake up.
struct MadeUpCommand {
  Command command;
  CommandRecord record;

  explicit MadeUpCommand(CommandId id, TimePs called = 1'000'000) {
    command.id = id;
    command.op = Operation::write_buffer;
    command.queue = 1;
    command.blocking = true;
    command.direction = Direction::host_to_device;
    command.source.placement = Placement::host_pageable;
    command.target.placement = Placement::device;
    command.shape.row_bytes = 4096;
    record.command = &command;
    record.called = called;
    record.times = {
        id, called + 10'000, called + 15'000, called + 15'000, called + 115'000, called + 115'000, called + 200'000, 0};
    record.stages[static_cast<std::size_t>(Stage::host_validate)] = 10'000;
    record.stages[static_cast<std::size_t>(Stage::host_pack)] = 5'000;
    record.stages[static_cast<std::size_t>(Stage::link)] = 100'000;
    record.stages[static_cast<std::size_t>(Stage::wakeup)] = 85'000;
    record.wire_bytes_up = 192;
    record.wire_bytes_down = 4424;
    record.tlps = 24;
  }
  MadeUpCommand(const MadeUpCommand&) = delete;
  MadeUpCommand& operator=(const MadeUpCommand&) = delete;
};

// A folder of its own for each test.
class TraceFiles : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() /
              ("sluice-trace-" + std::string(info->name()) + "-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::unique_ptr<Recorder> open(const std::vector<std::string>& files,
                                               TraceLevel level = TraceLevel::command) {
    std::string error;
    auto recorder = open_recorder({files, level}, error);
    EXPECT_NE(recorder, nullptr) << error;
    return recorder;
  }
  [[nodiscard]] static std::string read(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sluice::trace
