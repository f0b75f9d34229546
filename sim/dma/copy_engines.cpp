#include "sim/dma/copy_engines.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "sim/dma/functional.h"
#include "sim/models/line_records.h"

namespace sluice::sim {

namespace {

// The staging buffer in device memory, above all that is handed out.
constexpr std::uint64_t detile_address = 1ULL << 48;

constexpr std::string_view device_part = "device_memory";
constexpr std::string_view host_part = "host_memory";

bool crosses_link(const Command& c) {
  return c.direction == Direction::host_to_device || c.direction == Direction::device_to_host;
}

// A read or write of a buffer that lies in host memory is the driver's memcpy: no part of the device takes part in it.
bool is_copied_by_host(const Command& c) {
  if (c.direction != Direction::host_to_host) return false;
  switch (c.op) {
    case Operation::read_buffer:
    case Operation::write_buffer:
    case Operation::read_buffer_rect:
    case Operation::write_buffer_rect:
    case Operation::read_image:
    case Operation::write_image: return true;
    default: return false;
  }
}

const Endpoint& host_end(const Command& c) {
  return c.direction == Direction::host_to_device ? c.source : c.target;
}
const Endpoint& device_end(const Command& c) {
  return c.direction == Direction::host_to_device ? c.target : c.source;
}

}  // namespace

CopyEngines::CopyEngines(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
                         FlowEngine& flows, cache::HostMemory& host, memory::DeviceMemory& memory,
                         memory::DeviceMemory* host_dram, Translator* iommu, Migration* migration,
                         Unmapper& unmapper, cache::DeviceLines* lines, WriteLog& writes, TraceSink* trace)
    : Agenda(name),
      profile_(profile),
      link_(link),
      flows_(flows),
      host_(host),
      memory_(memory),
      host_dram_(host_dram),
      iommu_(iommu),
      migration_(migration),
      mover_(profile.link.max_payload_bytes, profile.host.core_clock_hz, link, host, iommu, unmapper, profile.migration.block_bytes, trace),
      lines_(lines),
      writes_(writes),
      trace_(trace),
      cycle_ps_(1'000'000'000'000ULL / profile.copy_engines.clock_hz) {
  h2d_.part = "copy_engine.h2d";
  d2h_.part = "copy_engine.d2h";
  device_.part = "copy_engine.device";
  h2d_.engines = profile.copy_engines.host_to_device;
  d2h_.engines = profile.copy_engines.device_to_host;
}

CopyEngines::Pool* CopyEngines::pool_of(const Job& job) {
  if (job.inline_payload) return nullptr;  // the front end writes it itself
  if (is_copied_by_host(job.command)) return nullptr;
  switch (job.command.direction) {
    case Direction::host_to_device: return &h2d_;
    case Direction::device_to_host: return &d2h_;
    case Direction::device_to_device:
    case Direction::host_to_host: return &device_;
    case Direction::none: break;
  }
  return nullptr;  // markers need no engine
}

std::unique_ptr<CopyState> CopyEngines::new_state() {
  if (idle_states_.empty()) return std::make_unique<CopyState>();
  std::unique_ptr<CopyState> state = std::move(idle_states_.back());
  idle_states_.pop_back();
  auto copy_done = std::move(state->copy_done);  // keeps its memory
  copy_done.clear();
  *state = CopyState{};
  state->copy_done = std::move(copy_done);
  return state;
}

void CopyEngines::execute(Job& job) {
  Pool* pool = pool_of(job);
  if (pool != nullptr) {
    if (pool->running == pool->engines) {
      pool->waiting.push_back(&job);
      count(*pool, job.command.device, kernel_now());
      return;
    }
    ++pool->running;
    count(*pool, job.command.device, kernel_now());
  }
  begin(job, kernel_now());
}

// Transfers that an engine has or will have next.
void CopyEngines::count(const Pool& pool, DeviceIndex device, TimePs now) {
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  trace_->counter({device, pool.part, "queue_depth", now, pool.running + pool.waiting.size()});
}

void CopyEngines::begin(Job& job, TimePs now) {
  if (job.copy == nullptr) job.copy = new_state();
  job.times.started = now;
  job.spend(Stage::queue_wait, now - job.arrived);
  if (migration_ == nullptr || !bring_pages(job, now)) begin_work(job, now);
}

// Pages that must be elsewhere before the command begins: those that it names, and of a copy of shared memory, which
// works on the host's side, those that are on the device. False: there are none.
bool CopyEngines::bring_pages(Job& job, TimePs now) {
  const Command& c = job.command;
  PageMoves all;
  const auto add = [&](const PageMoves& m) {
    all.faults += m.faults;
    all.handling_ps += m.handling_ps;
    if (all.to_device_bytes == 0) all.first_to_device = m.first_to_device;
    if (all.to_host_bytes == 0) all.first_to_host = m.first_to_host;
    all.to_device_bytes += m.to_device_bytes;
    all.to_host_bytes += m.to_host_bytes;
  };
  for (const Command::Pages& p : *c.pages) {
    add(c.pages_by_faults ? migration_->host_faults(p.address, p.bytes)
                          : migration_->move(p.address, p.bytes, c.pages_to_device, c.pages_have_contents));
  }
  if (c.op == Operation::svm_memcpy || c.op == Operation::svm_memfill) {
    for (const Endpoint* end : {&c.source, &c.target}) {
      if (end->placement == Placement::host_pinned && c.shape.bytes() != 0)
        add(migration_->move(end->address, c.shape.bytes(), false, true));
    }
  }
  if (all.to_device_bytes + all.to_host_bytes == 0) return false;
  // What a wish drives out goes back before.
  job.flow = flow_pool_.take();
  const bool both = all.to_device_bytes != 0 && all.to_host_bytes != 0;
  TimePs evicting = 0;
  const auto use = [&](Direction direction) {
    const Link::WireUse wire = link_.wire_use(*job.flow, direction);
    job.wire_up += wire.up, job.wire_down += wire.down, job.tlps += wire.tlps;
  };
  if (all.to_host_bytes != 0) {
    mover_.plan(Direction::device_to_host, all.first_to_host, all.to_host_bytes, memory_, c.id, c.device, *job.flow);
    use(Direction::device_to_host);
    if (both) evicting = alone_times_(*job.flow).drained;
  }
  if (all.to_device_bytes != 0) {
    mover_.plan(Direction::host_to_device, all.first_to_device, all.to_device_bytes, memory_, c.id, c.device,
                *job.flow);
    use(Direction::host_to_device);
    job.copy->unmapping = mover_.unmap(all.first_to_device, all.to_device_bytes, c.id);
  }
  const Unmapping& gone = job.copy->unmapping;
  job.wire_up += gone.wire.up, job.wire_down += gone.wire.down, job.tlps += gone.wire.tlps;
  const TimePs alone = alone_times_(*job.flow).drained;
  mover_.tell(all, migration_->totals(), c.pages_by_faults ? "host_faults" : "move", c.id, c.device, now,
              evicting + alone);
  job.spend(Stage::page_fault, all.handling_ps);
  job.spend(Stage::migration, evicting + alone);
  job.spend(Stage::iommu, gone.wait);
  job.copy->pages_alone = alone;
  job.copy->pages_wait = all.handling_ps + evicting + gone.wait;
  job.copy->flow_start = now;
  flows_.start(job.flow, [this, &job](FlowTimes times) {
    post(std::max(times.drained, kernel_now()), {&job, DmaStep::end_pages});
  });
  return true;
}

void CopyEngines::end_pages(Job& job, TimePs now) {
  const TimePs took = now - job.copy->flow_start;
  job.spend(Stage::contention, took > job.copy->pages_alone ? took - job.copy->pages_alone : 0);
  job.flow.reset();
  mover_.send(job.copy->unmapping, job.command.id, job.command.device, now);
  post(now + job.copy->pages_wait, {&job, DmaStep::begin_work});
}

void CopyEngines::begin_work(Job& job, TimePs now) {
  if (lines_ == nullptr || !take_lines(job, now)) start_work(job, now);
}

// Of device memory that the host addresses: what the program has touched enters its caches, and what a copy is about to
// touch leaves them. False: there is nothing to wait for.
bool CopyEngines::take_lines(Job& job, TimePs now) {
  const Command& c = job.command;
  cache::DeviceLines::Taken all;
  for (const Command::Pages& p : *c.host_touches) all.add(lines_->host_touches(p.address, p.bytes, c.host_writes));
  const Shape& s = c.shape;
  for (const Endpoint* end : {&c.source, &c.target}) {
    if (c.direction == Direction::none || end->placement != Placement::device || s.bytes() == 0) continue;
    const std::uint64_t span =
        (s.slices - 1) * end->slice_pitch_bytes + (s.rows - 1) * end->row_pitch_bytes + s.row_bytes;
    all.add(lines_->device_touches(end->address, span));
  }
  Recalls recalls = plan_recalls(link_, all, job, now, profile_.link.line_bytes, trace_);
  job.copy->flips_ps = all.flips_ps;
  job.copy->recalls_alone = recalls.alone;
  job.copy->flow_start = now;
  if (recalls.took == 0) return false;
  job.flow = std::move(recalls.flow);
  job.spend(Stage::coherence, recalls.took);
  if (job.flow == nullptr) {
    post(now + recalls.took, {&job, DmaStep::start_work});
  } else {
    flows_.start(job.flow, [this, &job](FlowTimes times) {
      post(std::max(times.drained, kernel_now()), {&job, DmaStep::end_recalls});
    });
  }
  return true;
}

void CopyEngines::end_recalls(Job& job, TimePs now) {
  const TimePs took = now - job.copy->flow_start;
  job.spend(Stage::contention, took > job.copy->recalls_alone ? took - job.copy->recalls_alone : 0);
  job.flow.reset();
  post(now + job.copy->flips_ps, {&job, DmaStep::start_work});
}

void CopyEngines::start_work(Job& job, TimePs now) {
  const profile::CopyEngines& p = profile_.copy_engines;
  const Command& c = job.command;
  if (c.direction == Direction::none) {
    const TimePs work = job.is_merged ? 0
                                      : profile_.command_processor.marker_cycles * 1'000'000'000'000ULL /
                                            profile_.command_processor.clock_hz;
    TimePs coherence = 0;
    if (c.source.placement == Placement::host_pinned && link_.maintains_caches()) {
      // Only lines that a host cache holds must be cleaned; the others are looked up and found absent.
      runs_.clear();
      host_.classify(c.source.address, c.shape.bytes(), runs_);
      std::uint64_t lines = 0;
      for (const cache::LineRun& r : runs_) lines += r.state == cache::LineState::memory ? 0 : r.lines;
      coherence = link_.map_cost(lines);
      // Before the host reads what the device wrote its lines must be gone; what it wrote itself is written back.
      const bool maps = c.op == Operation::map_buffer || c.op == Operation::map_image || c.op == Operation::svm_map;
      if (maps) {
        host_.forget(c.source.address, c.shape.bytes());
      } else {
        host_.device_read(c.source.address, c.shape.bytes());
      }
      if (trace_ != nullptr && trace_->level() >= TraceLevel::stage) {
        trace_->stage({c.id, c.device, "host.caches", maps ? "invalidate" : "clean", now + work, now + work + coherence,
                       coherence * (profile_.host.core_clock_hz / 1'000'000) / 1'000'000,
                       lines * profile_.host.private_cache.line_bytes});
      }
    }
    job.spend(Stage::setup, work);
    job.spend(Stage::coherence, coherence);
    post(now + work + coherence, {&job, DmaStep::finish});
    return;
  }
  if (is_copied_by_host(c)) {
    const std::uint64_t rows = c.shape.rows * c.shape.slices;
    const TimePs work = host_.copy_in(c.source.address, c.target.address, c.shape.bytes()) +
                        (rows > 1 ? rows * profile_.host.copy.out_row_ps : 0);
    job.spend(Stage::host_copy, work);
    post(now + work, {&job, DmaStep::finish});
    return;
  }
  if (!crosses_link(c)) {
    const TimePs setup = local_setup_cycles(c) * cycle_ps_;
    const TimePs work = local_copy_time(job);
    job.spend(Stage::setup, setup);
    job.spend(Stage::device_memory, work);
    post(now + setup + work, {&job, DmaStep::finish});
    return;
  }
  if (job.inline_payload) {
    const TimePs setup = p.inline_cycles * cycle_ps_;
    const TimePs payload =
        p.inline_bytes_per_cycle == 0 ? 0 : c.shape.bytes() * cycle_ps_ / p.inline_bytes_per_cycle;
    job.spend(Stage::setup, setup);
    const std::uint64_t prefetch = profile_.command_processor.prefetch_bytes;
    if (prefetch != 0 && c.shape.bytes() > prefetch) {
      fetch_payload(job, now, now + payload);
      return;
    }
    job.spend(Stage::link, payload);
    post(now + setup + payload, {&job, DmaStep::finish});
    return;
  }
  const TimePs setup = p.setup_cycles * cycle_ps_;
  job.spend(Stage::setup, setup);
  job.copy->detile = detile_time(c);
  TimePs before = 0;
  if (c.direction == Direction::device_to_host && job.copy->detile != 0) {
    before = job.copy->detile;
    tell_detile(job, now + setup);
    job.spend(Stage::detile, before);
  }
  job.copy->chunk = 0;
  job.copy->chunks = 1;
  if (job.staged) {
    const std::uint64_t chunk = profile_.driver.staging_chunk_bytes;
    job.copy->chunks = (c.shape.bytes() + chunk - 1) / chunk;
    if (!job.by_thread) job.copy->copy_done.assign(job.copy->chunks, 0);
    if (c.direction == Direction::host_to_device && !job.by_thread) {
      // The first chunk was copied before submission; the next buffers fill while the first travels.
      job.copy->copy_done[0] = job.first_chunk_ready;
      for (std::uint64_t i = 1; i < std::min<std::uint64_t>(job.copy->chunks, profile_.driver.staging_buffers); ++i) {
        job.copy->copy_done[i] = job.copy->copy_done[i - 1] + staging_copy(job, i);
      }
    }
  }
  post(now + setup + before, {&job, DmaStep::begin_flow});
}

// What an end of `shape` costs device memory: a linear one as a stream of its bytes, tiles with all that is touched.
memory::StreamCost CopyEngines::stream(memory::Access access, const Endpoint& end, const Shape& shape,
                                       std::uint32_t packet_bytes) {
  if (end.tiling->is_linear()) return memory_.stream(access, end.address, shape.bytes(), packet_bytes);
  const ImageRegion box = end.tiling->region(end.image_offset, shape.row_bytes, shape.rows, shape.slices);
  tiles_.clear();
  end.tiling->runs(box, std::max(sector_bytes, profile_.compute.fetch_bytes), tiles_);
  for (AddressRun& run : tiles_) {
    run.begin += end.address - end.image_offset;
    run.end += end.address - end.image_offset;
  }
  return memory_.stream(access, tiles_, shape.bytes(), packet_bytes);
}

// A fill's patterns, written by work-items: whole up to the widest store, else byte by byte.
double CopyEngines::pattern_cycles(const Command& c) const {
  const profile::CopyEngines& p = profile_.copy_engines;
  const auto bytes = static_cast<double>(c.shape.bytes());
  const auto pattern = static_cast<double>(c.fill.size_bytes());
  if (p.device_fill_widest_bytes == 0 || c.fill.size_bytes() <= p.device_fill_widest_bytes) {
    return p.device_fill_items_per_cycle == 0 ? 0 : bytes / pattern / p.device_fill_items_per_cycle;
  }
  const double lanes = profile_.compute.wave_size;
  const double lines = std::max(1.0, lanes * pattern / profile_.device_cache.line_bytes);
  const double units = profile_.machine.device.compute_units;
  const double all = bytes / lanes * (p.device_fill_store_cycles + lines * p.device_fill_line_cycles) / units;
  if (p.device_fill_group_items == 0) return all;
  // Few patterns are few work-groups: the unit that has most of them ends last.
  const double items = bytes / pattern;
  const double group = std::min<double>(p.device_fill_group_items, std::ceil(items / lanes) * lanes);
  const double waves = std::ceil(std::ceil(items / group) / units) * group / lanes;
  return std::max(all, waves * pattern * (p.device_fill_unit_store_cycles + lines * p.device_fill_unit_line_cycles));
}

// What a kernel of the driver's takes until its first work-item copies or fills, and behind the last.
std::uint64_t CopyEngines::local_setup_cycles(const Command& c) const {
  const profile::CopyEngines& p = profile_.copy_engines;
  if (c.fill.empty()) return p.device_copy_setup_cycles;
  const bool image = c.op == Operation::fill_image && p.device_image_fill_setup_cycles != 0;
  return image ? p.device_image_fill_setup_cycles : p.device_fill_setup_cycles;
}

// The work of a copy's kernels alone, `missing` of its source not in the device's cache.
double CopyEngines::local_copy_cycles(const Command& c, double missing) const {
  const profile::CopyEngines& p = profile_.copy_engines;
  const auto bytes = static_cast<double>(c.shape.bytes());
  const bool one_image = c.op == Operation::copy_buffer_to_image || c.op == Operation::copy_image_to_buffer;
  const ImageTiling& tiling = c.source.tiling->is_linear() ? *c.target.tiling : *c.source.tiling;
  const bool layers = tiling.is_linear() ? c.shape.slices > 1 : tiling.slice_pitch_bytes != 0;
  if (one_image && layers && p.device_layers_bytes_per_cycle != 0) {
    // A work-item waits for what it reads, longer where that comes from memory.
    const double from_memory = p.device_layers_memory_bytes_per_cycle != 0 ? p.device_layers_memory_bytes_per_cycle
                                                                           : p.device_layers_bytes_per_cycle;
    return bytes * ((1 - missing) / p.device_layers_bytes_per_cycle + missing / from_memory);
  }
  if (one_image && !layers && p.device_image_bytes_per_cycle != 0) return bytes / p.device_image_bytes_per_cycle;
  const std::uint64_t rows = c.shape.rows * c.shape.slices;
  if (rows > 1) {
    const std::uint64_t row = std::max<std::uint64_t>(c.shape.row_bytes, p.device_rect_row_bytes);
    return static_cast<double>(rows * row) / p.device_rect_bytes_per_cycle;
  }
  const std::uint64_t off = c.source.address | c.target.address;
  const bool odd = off % 4 != 0 && p.device_copy_odd_bytes_per_cycle != 0;
  const bool split = off % profile_.device_cache.line_bytes != 0 && p.device_copy_split_bytes != 0 &&
                     c.shape.bytes() >= p.device_copy_split_bytes;
  return bytes / (odd ? p.device_copy_odd_bytes_per_cycle : p.device_copy_bytes_per_cycle) +
         (split ? p.device_copy_split_cycles : 0);
}

// The pass between the tiles of an image and rows in a staging buffer, as the driver has it made.
TimePs CopyEngines::detile_time(const Command& c) {
  const Detile by = profile_.machine.policy.detile;
  const Endpoint& image = device_end(c);
  if (image.tiling->is_linear() || by == Detile::in_transfer) return 0;
  constexpr std::uint32_t packet = 4096;
  const bool reads = c.direction == Direction::device_to_host;
  const auto tiles = stream(reads ? memory::Access::read : memory::Access::write, image, c.shape, packet);
  const auto rows = memory_.stream(reads ? memory::Access::write : memory::Access::read, detile_address,
                                   c.shape.bytes(), packet);
  const double packets = static_cast<double>(c.shape.bytes()) / packet;
  const TimePs dram = (reads ? tiles : rows).first_ps +
                      static_cast<TimePs>(packets * static_cast<double>(tiles.interval_ps + rows.interval_ps));
  if (by == Detile::kernel) {
    const double cycle = 1e6 / profile_.machine.device.max_clock_mhz;
    const std::uint32_t cycles = profile_.compute.launch_cycles + profile_.compute.finish_cycles;
    return static_cast<TimePs>(cycles * cycle) + dram;
  }
  const profile::CopyEngines& p = profile_.copy_engines;
  const std::uint64_t row = std::max<std::uint64_t>(c.shape.row_bytes, p.device_rect_row_bytes);
  const auto engine = static_cast<TimePs>(static_cast<double>(c.shape.rows * c.shape.slices * row) /
                                          p.device_rect_bytes_per_cycle * static_cast<double>(cycle_ps_));
  return p.device_copy_setup_cycles * cycle_ps_ + std::max(engine, dram);
}

void CopyEngines::tell_detile(const Job& job, TimePs begin) const {
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  const bool by_kernel = profile_.machine.policy.detile == Detile::kernel;
  const TimePs cycle = by_kernel ? 1'000'000 / profile_.machine.device.max_clock_mhz : cycle_ps_;
  trace_->stage({job.command.id, job.command.device, by_kernel ? "compute" : "copy_engine.device", "detile", begin,
                 begin + job.copy->detile, job.copy->detile / cycle, job.command.shape.bytes()});
}

// The CPU's copy of one chunk between the program's memory and its staging buffer.
TimePs CopyEngines::staging_copy(Job& job, std::uint64_t chunk) {
  const Command& c = job.command;
  const std::uint64_t size = profile_.driver.staging_chunk_bytes;
  const std::uint64_t offset = chunk * size;
  const std::uint64_t bytes = std::min(size, c.shape.bytes() - offset);
  const std::uint64_t buffer = staging_address + chunk % profile_.driver.staging_buffers * size;
  const std::uint64_t program = host_end(c).address + offset;
  if (c.direction == Direction::host_to_device) {
    const TimePs work = job.by_thread ? profile_.driver.staging_thread_chunk_ps +
                                            host_.copy_in(program, buffer, bytes, cache::Copier::driver_thread)
                                      : host_.copy_in(program, buffer, bytes);
    job.copy->limits.add(Part::host_copy, work);
    return work;
  }
  // A rectangle is copied out row by row.
  const TimePs rows = c.shape.rows * c.shape.slices > 1
                          ? (c.shape.rows * c.shape.slices) * profile_.host.copy.out_row_ps / job.copy->chunks
                          : 0;
  const TimePs work = host_.copy_out(buffer, program, bytes) + rows;
  job.copy->limits.add(Part::host_copy, work);
  return work;
}

TimePs CopyEngines::local_copy_time(const Job& job) {
  const Command& c = job.command;
  const profile::CopyEngines& p = profile_.copy_engines;
  const std::uint64_t bytes = c.shape.bytes();
  if (c.direction == Direction::host_to_host) {
    const auto agent = static_cast<TimePs>(static_cast<double>(2 * bytes) * 1e12 /
                                           static_cast<double>(profile_.host.home_agent.memory_bytes_per_s));
    if (host_dram_ == nullptr) return agent;
    const auto read = host_dram_->stream(memory::Access::read, c.source.address, bytes, host_memory_bytes);
    const auto write = host_dram_->stream(memory::Access::write, c.target.address, bytes, host_memory_bytes);
    tell_dram(job, host_part, read.dram, bytes, kernel_now());
    tell_dram(job, host_part, write.dram, bytes, kernel_now());
    return std::max(agent, static_cast<TimePs>(static_cast<double>(bytes) / host_memory_bytes *
                                               static_cast<double>(read.interval_ps + write.interval_ps)));
  }
  constexpr std::uint32_t packet = 4096;
  const double packets = static_cast<double>(bytes) / packet;
  const bool fill = !c.fill.empty();
  double missing = 0;
  double dram = 0;
  TimePs first = 0;
  if (!fill) {
    const auto read = stream(memory::Access::read, c.source, c.shape, packet);
    dram += packets * static_cast<double>(read.interval_ps);
    first = read.first_ps;
    missing = read.missing;
    tell_dram(job, device_part, read.dram, bytes, kernel_now());
  }
  const auto write = stream(memory::Access::write, c.target, c.shape, packet);
  dram += packets * static_cast<double>(write.interval_ps);
  tell_dram(job, device_part, write.dram, bytes, kernel_now());
  const double cycles = fill ? std::max(static_cast<double>(bytes) / p.device_fill_bytes_per_cycle, pattern_cycles(c))
                             : local_copy_cycles(c, missing);
  return first + static_cast<TimePs>(std::max(cycles * static_cast<double>(cycle_ps_), dram));
}

// Rows that lie one behind another from `address` on begin anywhere in a line: the mean over those that differ.
TimePs CopyEngines::packed_row_time(std::uint64_t address, std::uint64_t row_bytes) const {
  const std::uint64_t line = profile_.host.private_cache.line_bytes;
  const std::uint64_t differ = line / std::gcd(line, row_bytes);
  std::uint64_t lines = 0;
  for (std::uint64_t i = 0; i < differ; ++i) {
    lines += ((address + i * row_bytes) % line + row_bytes + line - 1) / line;
  }
  return profile_.copy_engines.row_cycles * cycle_ps_ * lines / differ;
}

void CopyEngines::begin_flow(Job& job, TimePs now) {
  const Command& c = job.command;
  LinkTransfer t;
  t.direction = c.direction;
  const std::uint64_t rows = c.shape.rows * c.shape.slices;
  const Endpoint& host = host_end(c);
  t.row_ps = profile_.copy_engines.row_cycles * cycle_ps_;
  runs_.clear();
  if (job.staged) {
    const std::uint64_t size = profile_.driver.staging_chunk_bytes;
    t.host_address = staging_address + job.copy->chunk % profile_.driver.staging_buffers * size;
    t.row_bytes = std::min(size, c.shape.bytes() - job.copy->chunk * size);
    host_.classify(t.host_address, t.row_bytes, runs_);
  } else if (rows == 1 || host.row_pitch_bytes == c.shape.row_bytes) {
    t.host_address = host.address;
    t.row_bytes = c.shape.row_bytes * rows;
    // The device may still walk rows of its own; of a tiled image it walks the tiles.
    if (rows > 1 && device_end(c).tiling->is_linear() && device_end(c).row_pitch_bytes != c.shape.row_bytes) {
      t.row_bytes = c.shape.row_bytes;
      t.rows = rows;
    } else if (rows > 1 && !device_end(c).tiling->is_linear() && device_end(c).row_pitch_bytes != c.shape.row_bytes) {
      // A piece of a tiled image: the engine gathers its rows line by line of the host.
      t.row_ps = packed_row_time(host.address, c.shape.row_bytes);
      t.row_unit_bytes = c.shape.row_bytes;
    }
    host_.classify(t.host_address, c.shape.bytes(), runs_);
  } else {
    t.host_address = host.address;
    t.row_bytes = c.shape.row_bytes;
    t.rows = rows;
    t.host_row_pitch_bytes = host.row_pitch_bytes;
    // Rows of a rectangle are classified as one range: the holes between them are in the same state as a rule.
    host_.classify(t.host_address, (rows - 1) * host.row_pitch_bytes + c.shape.row_bytes, runs_);
  }
  const auto access = c.direction == Direction::host_to_device ? memory::Access::write : memory::Access::read;
  const Endpoint& device = device_end(c);
  const std::uint32_t packet = profile_.link.max_payload_bytes;
  if (device.tiling->is_linear() || job.copy->detile != 0) {
    const std::uint64_t from = job.copy->detile != 0 ? detile_address : device.address;
    const auto cost =
        memory_.stream(access, from + job.copy->chunk * profile_.driver.staging_chunk_bytes, t.row_bytes * t.rows, packet);
    t.memory_interval_ps = cost.interval_ps;
    tell_dram(job, device_part, cost.dram, t.row_bytes * t.rows, now);
  } else {
    if (job.copy->chunk == 0) {
      const auto cost = stream(access, device, c.shape, packet);
      job.copy->memory_interval = cost.interval_ps;
      tell_dram(job, device_part, cost.dram, c.shape.bytes(), now);
    }
    t.memory_interval_ps = job.copy->memory_interval;
  }
  use_host_dram(job, t, now);
  const std::uint64_t touched = t.rows > 1 ? t.rows * std::max(t.host_row_pitch_bytes, t.row_bytes) : t.row_bytes;
  if (c.direction == Direction::host_to_device) {
    host_.device_read(t.host_address, touched);
  } else if (!link_.maintains_caches()) {
    host_.device_wrote(t.host_address, touched);
  }
  job.copy->rows_ps = t.rows > 1 || t.row_unit_bytes != 0 ? rows * t.row_ps : 0;
  start_flow(job, t, now, DmaStep::end_chunk);
}

// Lines that caches have need no memory, so a transfer without others asks nothing of it.
void CopyEngines::use_host_dram(const Job& job, LinkTransfer& t, TimePs now) {
  const bool needed = std::any_of(runs_.begin(), runs_.end(),
                                  [](const cache::LineRun& r) { return r.state == cache::LineState::memory; });
  if (host_dram_ == nullptr || !needed) return;
  const std::uint64_t pitch = std::max(t.host_row_pitch_bytes, t.row_bytes);
  const AddressRun run{t.host_address, t.host_address + (t.rows - 1) * pitch + t.row_bytes, t.rows * t.row_bytes};
  const auto access = t.direction == Direction::host_to_device ? memory::Access::read : memory::Access::write;
  const auto cost = host_dram_->stream(access, {&run, 1}, run.bytes, host_memory_bytes);
  t.host_memory_interval_ps = cost.interval_ps;
  tell_dram(job, host_part, cost.dram, run.bytes, now);
}

void CopyEngines::tell_dram(const Job& job, std::string_view part, const memory::DramUse& use, std::uint64_t bytes,
                            TimePs now) {
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage || use.limit.empty()) return;
  const bool host = part == host_part;
  const TimePs clock = std::max<TimePs>(1, (host ? profile_.host_memory : profile_.device_memory).timings.tck_ps);
  trace_->stage({job.command.id, job.command.device, part, use.limit, now, now + use.ps, use.ps / clock, bytes});
  memory::DramUse& sum = host ? host_dram_use_ : device_dram_use_;
  const auto count = [&](std::string_view name, std::uint64_t& value, std::uint64_t more) {
    if (more == 0) return;
    value += more;
    trace_->counter({job.command.device, part, name, now, value});
  };
  count("row_hits", sum.row_hits, use.row_hits);
  count("row_misses", sum.row_misses, use.row_misses);
  count("row_conflicts", sum.row_conflicts, use.row_conflicts);
  count("activations", sum.activations, use.activations);
  count("refreshes", sum.refreshes, use.refreshes);
  count("refresh_ps", sum.refresh_ps, use.refresh_ps);
  if (trace_->level() < TraceLevel::packet) return;
  trace_->counter({job.command.device, part, "open_rows", now + use.ps, use.open_rows});
}

// Lines of the transfer that a host cache holds, of all that it touches.
void CopyEngines::tell_lines(const Job& job, TimePs now) {
  if (trace_ == nullptr || trace_->level() < TraceLevel::packet) return;
  for (const cache::LineRun& run : runs_) {
    host_lines_ += run.lines;
    if (run.state != cache::LineState::memory) host_hit_lines_ += run.lines;
  }
  trace_->counter({job.command.device, "host.caches", "lines", now, host_lines_});
  trace_->counter({job.command.device, "host.caches", "hit_lines", now, host_hit_lines_});
}

void CopyEngines::start_flow(Job& job, LinkTransfer& transfer, TimePs now, DmaStep then) {
  if (iommu_ != nullptr) {
    transfer.walks = iommu_->walk(
        {transfer.host_address, transfer.row_bytes, transfer.rows, transfer.host_row_pitch_bytes}, transfer.direction);
  }
  job.flow = flow_pool_.take();
  Flow& flow = *job.flow;
  link_.plan(transfer, runs_, flow);
  if (then == DmaStep::end_payload) {
    // The command processor reads the ring, with buffers for so much at a time.
    const std::uint32_t packet = std::max(1U, flow.segments.front().packet_bytes);
    const std::uint32_t buffered = std::max(1U, profile_.command_processor.prefetch_bytes / packet);
    flow.window = flow.window == 0 ? buffered : std::min(flow.window, buffered);
  }
  flow.command = job.command.id;
  flow.device = job.command.device;
  flow.address = transfer.host_address;
  job.copy->flow_start = now;
  tell_lines(job, now);
  job.copy->then = then;
  flows_.start(job.flow, [this, &job](FlowTimes times) {
    job.drained = times.drained;
    post(std::max(times.end, kernel_now()), {&job, job.copy->then});
  });
}

// An inline payload that is longer than what the command processor prefetches: the rest is read from the ring, where
// the driver has just written it, while the engine takes what is there already.
void CopyEngines::fetch_payload(Job& job, TimePs now, TimePs taken) {
  LinkTransfer t;
  t.direction = Direction::host_to_device;
  t.host_address = ring_address + profile_.command_processor.prefetch_bytes;
  t.row_bytes = job.command.shape.bytes() - profile_.command_processor.prefetch_bytes;
  runs_.clear();
  host_.classify(t.host_address, t.row_bytes, runs_);
  host_.device_read(t.host_address, t.row_bytes);
  job.copy->payload_taken = taken;
  start_flow(job, t, now, DmaStep::end_payload);
}

void CopyEngines::end_payload(Job& job, TimePs now) {
  account(job, now);
  const TimePs more = job.copy->payload_taken > now ? job.copy->payload_taken - now : 0;
  job.spend(Stage::link, more);
  post(now + more + profile_.copy_engines.inline_cycles * cycle_ps_, {&job, DmaStep::finish});
}

// Cuts the flow's time into what the wire needs and what each other part added to it.
void CopyEngines::account(Job& job, TimePs now) {
  const TimePs total = now - job.copy->flow_start;
  const Flow& flow = *job.flow;
  const Link::WireUse use = link_.wire_use(flow, job.command.direction);
  job.wire_up += use.up;
  job.wire_down += use.down;
  job.tlps += use.tlps;
  if (trace_ == nullptr) {
    job.spend(Stage::link, total);
    return;
  }
  const TimePs alone = std::min(total, alone_times_(flow).end);
  const TimePs unwalked = flow.walks != 0 ? std::min(alone, alone_times_(flow, Without::walks).end) : alone;
  const TimePs unsnooped = std::min(unwalked, alone_times_(flow, Without::walks_and_snoops).end);
  const TimePs owned = std::min(unsnooped, alone_times_(flow, Without::walks_and_coherence).end);
  const TimePs wire = std::min(owned, alone_times_(flow, Without::walks_coherence_and_memory).end);
  job.spend(Stage::contention, total - alone);
  job.spend(Stage::iommu, alone - unwalked);
  job.spend(Stage::snoop, unwalked - unsnooped);
  job.spend(Stage::coherence, unsnooped - owned);
  job.spend(Stage::device_memory, owned - wire);
  job.spend(Stage::link, wire);
  if (trace_->level() >= TraceLevel::stage) {
    const bool down = job.command.direction == Direction::host_to_device;
    if (job.copy->transfer_start == 0) job.copy->transfer_start = job.copy->flow_start;
    job.copy->limits.add(flow, job.copy->rows_ps);
    job.copy->limits.add(Part::contention, total - alone);
    trace_->stage({job.command.id, job.command.device, down ? "copy_engine.h2d" : "copy_engine.d2h", "transfer",
                   job.copy->flow_start, now, total / cycle_ps_, flow.bytes()});
    const auto part = [&](std::string_view name, std::string_view action, TimePs took) {
      if (took == 0) return;
      trace_->stage({job.command.id, job.command.device, name, action, now - took, now,
                     took * (profile_.host.home_agent.clock_hz / 1'000'000) / 1'000'000, flow.bytes()});
    };
    part("host.home_agent", "snoop", unwalked - unsnooped);
    part("host.home_agent", "ownership", unsnooped - owned);
    part(flow.walk_part, flow.walk_action, alone - unwalked);
  }
}

void CopyEngines::end_chunk(Job& job, TimePs now) {
  account(job, now);
  const std::uint64_t done = job.copy->chunk;
  if (job.staged) {
    const bool write = job.command.direction == Direction::host_to_device;
    const std::uint64_t buffers = profile_.driver.staging_buffers;
    if (write && done + buffers < job.copy->chunks) {
      const std::uint64_t next = done + buffers;
      job.copy->copy_done[next] = std::max(job.copy->copy_done[next - 1], now) + staging_copy(job, next);
    } else if (!write) {
      job.copy->copy_done[done] = std::max(done > 0 ? job.copy->copy_done[done - 1] : 0, std::max(now, job.drained)) + staging_copy(job, done);
    }
    if (done + 1 < job.copy->chunks) {
      ++job.copy->chunk;
      // A write waits for the next chunk's copy, a read for a buffer to be emptied.
      TimePs at = now;
      if (write) {
        at = std::max(now, job.copy->copy_done[job.copy->chunk]);
      } else if (job.copy->chunk >= buffers) {
        at = std::max(now, job.copy->copy_done[job.copy->chunk - buffers]);
      }
      job.spend(Stage::staging, at - now);
      post(at, {&job, DmaStep::begin_flow});
      return;
    }
  }
  const TimePs finish = profile_.copy_engines.finish_cycles * cycle_ps_;
  job.spend(Stage::setup, finish);
  TimePs behind = 0;
  if (job.command.direction == Direction::host_to_device && job.copy->detile != 0) {
    behind = job.copy->detile;
    tell_detile(job, now);
    job.spend(Stage::detile, behind);
  }
  post(now + behind + finish, {&job, DmaStep::finish});
}

void CopyEngines::end(Job& job, TimePs now) {
  job.times.ended = job.times.completed = now;
  if (job.staged && job.command.direction == Direction::device_to_host) {
    job.times.completed = std::max(now, job.copy->copy_done.back());
    job.spend(Stage::host_copy_out, job.times.completed - now);
  }
  job.flow.reset();
  idle_states_.push_back(std::move(job.copy));
  const CopyState& state = *idle_states_.back();
  if (state.transfer_start != 0) {
    const std::string_view limiter = state.limits.limiter();
    trace_->stage({job.command.id, job.command.device, limiter, "limits", state.transfer_start, job.times.completed,
                   (job.times.completed - state.transfer_start) / cycle_ps_, job.command.shape.bytes()});
  }
  if (moves_bytes_) carry_out(job.command, writes_);
  Pool* pool = pool_of(job);
  sink_->job_ended(job);
  if (pool == nullptr) return;
  if (pool->waiting.empty()) {
    --pool->running;
    count(*pool, job.command.device, now);
    return;
  }
  Job* next = pool->waiting.front();
  pool->waiting.pop_front();
  count(*pool, job.command.device, now);
  post(now + profile_.copy_engines.switch_cycles * cycle_ps_, {next, DmaStep::begin});
}

void CopyEngines::act(const DmaEvent& event, TimePs now) {
  switch (event.step) {
    case DmaStep::begin: begin(*event.job, now); break;
    case DmaStep::end_pages: end_pages(*event.job, now); break;
    case DmaStep::begin_work: begin_work(*event.job, now); break;
    case DmaStep::end_recalls: end_recalls(*event.job, now); break;
    case DmaStep::start_work: start_work(*event.job, now); break;
    case DmaStep::begin_flow: begin_flow(*event.job, now); break;
    case DmaStep::end_chunk: end_chunk(*event.job, now); break;
    case DmaStep::end_payload: end_payload(*event.job, now); break;
    case DmaStep::finish: end(*event.job, now); break;
  }
}

}  // namespace sluice::sim
