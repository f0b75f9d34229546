// A machine that is a shipped one with some constants more, and commands one after another on it.
#pragma once

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/iface/simulator.h"

namespace sluice {

// One in each test: a process has one SystemC kernel, which takes no parts once it has started.
template <class Sink>
class CommandMachine {
 public:
  // `constants` are more members of the profile: R"(, "iommu": {...})".
  CommandMachine(const std::string& constants, const char* detail, const char* base = "generic-pcie4") {
    const auto file = std::filesystem::temp_directory_path() / ("sluice_machine_" + std::to_string(::getpid()) + ".json");
    std::ofstream(file) << R"({"include": ")" << PROFILES << '/' << base << R"(.json", "name": "changed")" << constants << "}";
    SimulatorOptions options;
    options.profile = file.string();
    options.detail = detail;
    options.trace = &sink;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    std::filesystem::remove(file);
    if (sim == nullptr) {
      ADD_FAILURE() << (errors.empty() ? "" : errors.front());
      return;
    }
    sim->on_completion([this](const Completion& c) { done[c.id] = c; });
  }
  // START to END of a transfer alone, or of a copy on the device: `rows` of `bytes` each, `pitch` apart on the host.
  TimePs copy(Direction direction, std::uint64_t address, std::uint64_t bytes, std::uint64_t rows = 1,
              std::uint64_t pitch = 0, Placement placement = Placement::host_pinned) {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.direction = direction;
    const bool write = direction == Direction::host_to_device;
    c.op = write ? Operation::write_buffer : Operation::read_buffer;
    Endpoint& host = write ? c.source : c.target;
    Endpoint& device = write ? c.target : c.source;
    host.placement = placement;
    host.address = address;
    host.row_pitch_bytes = pitch;
    device.placement = Placement::device;
    device.address = 1ULL << 31;
    device.row_pitch_bytes = rows > 1 ? bytes : 0;
    if (direction == Direction::device_to_device) {
      c.op = Operation::copy_buffer;
      host.placement = Placement::device;
    }
    c.shape.row_bytes = bytes;
    c.shape.rows = rows;
    return run(c);
  }
  // A copy from device 0's memory to device 1's, or back.
  TimePs copy_to_other(std::uint64_t address, std::uint64_t bytes, bool back = false) {
    Command c;
    c.id = ++id;
    c.queue = 1;
    c.op = Operation::copy_buffer;
    c.direction = Direction::device_to_device;
    c.source.placement = c.target.placement = Placement::device;
    c.source.address = c.target.address = address;
    c.source.device = back ? 1 : 0;
    c.target.device = back ? 0 : 1;
    c.shape.row_bytes = bytes;
    return run(c);
  }
  TimePs run(Command& c) {
    return run(c, [] {});
  }
  // `act` is called when it has been enqueued.
  template <class Act>
  TimePs run(Command& c, Act act) {
    c.moves_data = false;
    sim->enqueue(Command(c), sim->now());
    act();
    while (sim->run_until_next_completion()) {
    }
    return done[c.id].ended - done[c.id].started;
  }

  Sink sink;
  std::unique_ptr<Simulator> sim;
  std::map<CommandId, Completion> done;
  CommandId id = 0;
};

}  // namespace sluice
