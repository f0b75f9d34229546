#include "sim/models/page_mover.h"

namespace sluice::sim {

void PageMover::plan(Direction direction, std::uint64_t address, std::uint64_t bytes, memory::DeviceMemory& memory,
                     CommandId command, DeviceIndex device, Flow& flow) {
  const bool to_device = direction == Direction::host_to_device;
  LinkTransfer t;
  t.direction = direction;
  t.host_address = address;
  t.row_bytes = bytes;
  t.memory_interval_ps = memory.stream(to_device ? memory::Access::write : memory::Access::read,
                                       moved_pages_address + address, bytes, packet_bytes_)
                             .interval_ps;
  runs_.clear();
  host_.classify(address, bytes, runs_);
  if (iommu_ != nullptr) t.walks = iommu_->walk({address, bytes, 1, 0}, direction);
  link_.plan(t, runs_, flow);
  flow.command = command;
  flow.device = device;
  flow.address = address;
  if (to_device) {
    host_.device_read(address, bytes);
  } else if (!link_.maintains_caches()) {
    host_.device_wrote(address, bytes);
  }
}

void PageMover::send(const Unmapping& unmapping, CommandId command, DeviceIndex device, TimePs now) const {
  if (unmapping.wait == 0) return;
  unmapper_.send(unmapping, now);
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  trace_->stage({command, device, "host.iommu", "invalidate", now, now + unmapping.wait,
                 unmapping.wait * (host_clock_hz_ / 1'000'000) / 1'000'000, 0});
}

void PageMover::tell(const PageMoves& moves, const MigrationTotals& totals, std::string_view action, CommandId command,
                     DeviceIndex device, TimePs begin, TimePs crossing) const {
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  constexpr std::string_view part = "host.migration";
  const auto cycles = [&](TimePs t) { return t * (host_clock_hz_ / 1'000'000) / 1'000'000; };
  if (moves.batches.empty()) {
    const TimePs took = moves.handling_ps + crossing;
    trace_->stage({command, device, part, action, begin, begin + took, cycles(took),
                   moves.to_device_bytes + moves.to_host_bytes});
  }
  TimePs at = begin;
  std::uint64_t moved = 0;
  TimePs crossed = 0;
  const std::uint64_t all = moves.to_device_bytes;
  for (const FaultBatch& b : moves.batches) {
    moved += b.bytes;
    // By its share of the bytes; the last batch ends with the flow.
    const auto until = all == 0 ? crossing
                                : static_cast<TimePs>(static_cast<double>(crossing) * static_cast<double>(moved) /
                                                      static_cast<double>(all));
    const TimePs took = b.handling_ps + (until - crossed);
    crossed = until;
    trace_->stage({command, device, part, action, at, at + took, cycles(took), b.bytes});
    at += took;
  }
  const auto count = [&](std::string_view name, std::uint64_t value) {
    if (value != 0) trace_->counter({device, part, name, begin, value});
  };
  count("faults", totals.faults);
  count("fault_batches", totals.batches);
  count("host_faults", totals.host_faults);
  count("to_device_bytes", totals.to_device_bytes);
  count("to_host_bytes", totals.to_host_bytes);
  count("evicted_bytes", totals.evicted_bytes);
}

}  // namespace sluice::sim
