// A simulated machine of a shipped profile with changes, which commands are given one by one.
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

// One in each process, which has one SystemC kernel that takes no parts once it has started.
class CommandMachine {
 public:
  // `changes`: members of the profile, after a comma, as in R"(, "link": {"lanes": 8})".
  CommandMachine(const std::string& base, const std::string& changes, const char* detail, TraceSink* sink) {
    const auto file = std::filesystem::temp_directory_path() / ("sluice_machine_" + std::to_string(::getpid()) + ".json");
    std::ofstream(file) << R"({"include": ")" << PROFILES << "/" << base << R"(.json", "name": "changed")" << changes << "}";
    SimulatorOptions options;
    options.profile = file.string();
    options.detail = detail;
    options.trace = sink;
    std::vector<std::string> errors;
    sim = open_simulator(options, errors);
    std::filesystem::remove(file);
    if (sim == nullptr) {
      ADD_FAILURE() << (errors.empty() ? "" : errors.front());
      return;
    }
    sim->on_completion([this](const Completion& c) { done[c.id] = c; });
  }

  // START to END of a transfer alone; `rows` of `bytes` each, `pitch` apart on the host.
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
    device.row_pitch_bytes = bytes;
    c.shape.row_bytes = bytes;
    c.shape.rows = rows;
    c.moves_data = false;
    return run(c);
  }
  TimePs run(const Command& command) {
    sim->enqueue(command, sim->now());
    while (sim->run_until_next_completion()) {
    }
    return done[command.id].ended - done[command.id].started;
  }

  std::unique_ptr<Simulator> sim;
  std::map<CommandId, Completion> done;
  CommandId id = 0;
};

}  // namespace sluice
