// The simulated machine as the driver sees it. One per process (SystemC has one context a process).
// Not thread-safe: the driver holds its one lock around every call (design: the simulator runs on the calling thread).
//
// Time rule. The device never runs ahead of the host's clock unless the host blocks: the driver calls run_until(t)
// with the calling thread's clock before it acts, and run_until_complete(id) only for a call that blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/iface/command.h"
#include "sim/iface/machine.h"
#include "sim/iface/time.h"
#include "sim/iface/trace_sink.h"

namespace sluice {

// Work of the driver on the host that is not part of a command; its price comes from the profile's `driver` part.
class KernelEngine;

enum class HostAction : std::uint8_t {
  poll_event,      // clGetEventInfo(CL_EVENT_COMMAND_EXECUTION_STATUS)
  finish_idle,     // clFinish or a wait when everything is complete already
  read_clock,      // the program reads a wall clock under --virtual-time
  flush,           // clFlush
  set_user_event,  // clSetUserEventStatus
  create_buffer,   // clCreateBuffer, clSVMAlloc
  count_,
};

struct EnqueueStamps {
  TimePs queued = 0;     // CL_PROFILING_COMMAND_QUEUED
  TimePs submitted = 0;  // CL_PROFILING_COMMAND_SUBMIT
  TimePs returned = 0;   // the (non-blocking) API call returns to the program
};

struct SimulatorOptions {
  std::string profile;            // a shipped name or a path to a JSON file; empty: generic-pcie4
  std::string detail = "train";   // "train" or "packet"
  TraceSink* trace = nullptr;     // may be nullptr; must outlive the simulator
  KernelEngine* kernels = nullptr;  // may be nullptr: then no command is a kernel; must outlive the simulator
};

class Simulator {
 public:
  virtual ~Simulator() = default;

  [[nodiscard]] virtual const Machine& machine() const noexcept = 0;

  // Called once per finished command, in order of `visible`, ties by id, from inside run_* after the SystemC kernel
  // has returned. May call enqueue(); must not call run_*.
  virtual void on_completion(std::function<void(const Completion&)> sink) = 0;

  // Reserves simulated addresses. nullopt: the profile's device memory is exhausted.
  [[nodiscard]] virtual std::optional<std::uint64_t> reserve_device(DeviceIndex device, std::uint64_t bytes) = 0;
  virtual void release_device(DeviceIndex device, std::uint64_t address) = 0;
  // The simulated address of host memory [p, p + bytes). The same bytes always get the same address; addresses are
  // handed out in the order of first use, so that they do not depend on where the process was loaded.
  [[nodiscard]] virtual std::uint64_t host_address(const void* p, std::uint64_t bytes) = 0;
  // The host memory is freed at `host_now`: its simulated addresses leave the caches and are forgotten. Returns how long the
  // call waits for devices to drop its translations.
  virtual TimePs forget_host(const void* p, std::uint64_t bytes, TimePs host_now) = 0;
  // The driver no longer keeps memory of the program's mapped for devices: only translations of it are dropped.
  virtual TimePs unmap_host(const void* p, std::uint64_t bytes, TimePs host_now) = 0;

  // Shared virtual memory that both sides address: where the profile has it so, its pages move to the side that touches
  // them, from now until they are forgotten. `address` is one from host_address(), of the whole allocation. False: they
  // stay at the host.
  [[nodiscard]] virtual bool manage(std::uint64_t address, std::uint64_t bytes) {
    static_cast<void>(address + bytes);
    return false;
  }

  // The program is taken to have written / read these bytes through the cores' caches (an unmap after a write map,
  // a host read of a result). `address` is one from host_address().
  virtual void host_wrote(std::uint64_t address, std::uint64_t bytes) = 0;
  virtual void host_read(std::uint64_t address, std::uint64_t bytes) = 0;
  // The same of stores whose time counts, which it returns; whether the machine has such a time.
  [[nodiscard]] virtual TimePs host_stored(std::uint64_t address, std::uint64_t bytes) {
    host_wrote(address, bytes);
    return 0;
  }
  [[nodiscard]] virtual bool times_stores() const noexcept { return false; }

  // For a command that the driver keeps for now, because it waits for a user event or another device: charges the part
  // of the host work that its call does, sets `called` and `queued`, and returns when the call returns. enqueue() takes
  // the command later. Requires host_now >= now().
  [[nodiscard]] virtual TimePs hold(Command& command, TimePs host_now) = 0;
  // Charges the driver's host work from `host_now` on and hands the command to the device. Functional effects happen
  // when the command ends on the device. Requires host_now >= now().
  virtual EnqueueStamps enqueue(Command&& command, TimePs host_now) = 0;
  EnqueueStamps enqueue(const Command& command, TimePs host_now) { return enqueue(Command(command), host_now); }
  [[nodiscard]] virtual TimePs host_cost(HostAction action) const noexcept = 0;

  [[nodiscard]] virtual TimePs now() const noexcept = 0;
  // True if a copy engine, or what else executes it, has begun with a command that was not delivered yet.
  [[nodiscard]] virtual bool has_started(CommandId id) const noexcept = 0;
  // Advances the device to `t` (no-op when t <= now()) and delivers every completion with visible <= t.
  virtual void run_until(TimePs t) = 0;
  // Both run_until_* below also end, with true, when a kernel waits for what the host writes: it goes on in later calls,
  // before which the driver lets other threads act. Whether the last one ended so:
  [[nodiscard]] virtual bool waits_for_host() const noexcept { return false; }
  // Runs until `id` was delivered. False: nothing is left to simulate and `id` did not complete.
  [[nodiscard]] virtual bool run_until_complete(CommandId id) = 0;
  // Runs what is left until the device is idle, at the end of the process: no byte moves, since the program's memory may
  // be gone.
  virtual void run_out() = 0;
  // Runs until the next delivered completion. False: the device is idle.
  [[nodiscard]] virtual bool run_until_next_completion() = 0;
};

// Opens the machine. On a bad profile returns nullptr and one line per problem in `errors`
// ("FILE: /json/pointer: found X; allowed Y").
[[nodiscard]] std::unique_ptr<Simulator> open_simulator(const SimulatorOptions& options, std::vector<std::string>& errors);

}  // namespace sluice
