#include "sim/models/compute/compute_units.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <system_error>
#include <utility>

#include "sim/iface/fiber.h"
#include "sim/models/compute/group_pipeline.h"
#include "sim/models/compute/repeats.h"

namespace sluice::sim {

using compute::Cost;
using compute::to_ps;

namespace {

constexpr TimePs look_again_ps = 20'000'000;  // of a kernel that waits for the host

}  // namespace

// One kind of a launch's traffic.
struct Crossing {
  enum class What : std::uint8_t { reads, writes, atomics };
  explicit Crossing(What of) : what(of) {}
  const What what;
  // AtomicOps are requests with answers, as reads are.
  [[nodiscard]] Direction direction() const noexcept {
    return what == What::writes ? Direction::device_to_host : Direction::host_to_device;
  }
  std::shared_ptr<Flow> flow;
  std::uint64_t held = 0;  // bytes of the host's that stay in the device's cache until the launch ends
  TimePs start = 0;
  TimePs alone = 0;    // end, had it the link to itself
  TimePs unwalked = 0;   // the same, had the IO-TLB held all pages
  TimePs unsnooped = 0;  // and no core's cache a line
  TimePs unowned = 0;    // and had the device owned what it writes
  TimePs waiting = 0;  // of that, what single requests took where few were under way at once
  TimePs tail = 0;     // from the flow's end to the last wave's
  TimePs end = 0;
};

struct ComputeUnits::Machine {
  Machine(const profile::Profile& profile, const Link& link, memory::DeviceMemory& device_memory, WriteLog& writes)
      : rates(profile, link, device_memory), grid(profile, rates), memory(profile, rates), repeats(writes) {
    if (!device_memory.takes_accesses()) return;
    grid.dram.attach(device_memory);
    memory.keep_misses();
  }
  compute::Rates rates;
  compute::Grid grid;
  compute::MemorySide memory;
  compute::Repeats repeats;
  compute::Outcome outcome;  // of the launch that is being run
};

struct ActiveLaunch {
  Job* job = nullptr;
  std::unique_ptr<PausingWork> work;               // of a kernel that may wait
  std::unique_ptr<ComputeUnits::Machine> machine;  // its own, once it has waited
  compute::Occupancy occupancy;
  TimePs begin = 0;      // first dispatch
  TimePs local_end = 0;  // as the units see it, with the link to themselves
  TimePs end = 0;
  compute::LaunchResult result;
  Crossing read{Crossing::What::reads}, written{Crossing::What::writes}, atomics{Crossing::What::atomics};
  [[nodiscard]] std::array<Crossing*, 3> crossings() noexcept { return {&read, &written, &atomics}; }
  std::uint32_t flows_left = 0;
  LaunchMemory::Work before;
  std::array<TimePs, compute::busy_parts> busy{};
};

ComputeUnits::ComputeUnits(const sc_core::sc_module_name& name, const profile::Profile& profile, const Link& link,
                           FlowEngine& flows, cache::HostMemory& host, memory::DeviceMemory& memory,
                           Translator* iommu, Migration* migration, Unmapper& unmapper,
                           cache::DeviceLines* lines, KernelEngine* engine, WriteLog& writes, Detail detail, TraceSink* trace)
    : Agenda(name),
      profile_(profile),
      link_(link),
      flows_(flows),
      host_(host),
      memory_(memory),
      iommu_(iommu),
      migration_(migration),
      prepares_(profile, link, flows, host, memory, iommu, migration, unmapper, lines, trace),
      lines_(lines),
      engine_(engine),
      writes_(writes),
      detail_(detail),
      trace_(trace) {}

ComputeUnits::~ComputeUnits() = default;

void ComputeUnits::execute(Job& job) {
  if (machine_ == nullptr) {
    machine_ = std::make_unique<Machine>(profile_, link_, memory_, writes_);
    memory_.share(machine_->memory);
  }
  const TimePs now = kernel_now();
  active_.push_back(std::make_unique<ActiveLaunch>());
  ActiveLaunch& a = *active_.back();
  a.job = &job;
  job.times.started = now;
  job.spend(Stage::queue_wait, now - job.arrived);
  // The next launch is prepared while this one runs.
  const KernelLaunch& launch = *job.command.kernel;
  const bool has_images = std::any_of(launch.arguments.begin(), launch.arguments.end(),
                                      [](const LaunchArgument& argument) { return argument.image != nullptr; });
  a.begin = std::max(now, job.decoded + machine_->rates.launch_ps + (has_images ? machine_->rates.image_launch_ps : 0));
  a.local_end = a.begin;
  if (executes_ && launch.module->kernels()[launch.kernel].may_wait) {
    a.work = std::make_unique<PausingWork>([this, &a] {
      try {
        run(a);
      } catch (const std::exception&) {
        a.result.failed = true;
      }
    });
  } else if (executes_) {
    run(a);
  }
  go_on(a);
}

// Until the launch's groups have run, or wait for what the program has yet to do.
void ComputeUnits::go_on(ActiveLaunch& a) {
  const TimePs now = kernel_now();
  if (a.work != nullptr && !a.work->resume()) {
    post(now + look_again_ps, {&a, ComputeStep::go_on});
    sink_->kernel_waits();
    return;
  }
  a.local_end = std::max(a.local_end, now);
  if (a.before.needed()) {
    post(std::max(now, a.begin), {&a, ComputeStep::prepare});
  } else {
    cross(a, now);
  }
}

void ComputeUnits::cross(ActiveLaunch& a, TimePs now) {
  if (a.read.flow != nullptr) post(std::max(now, a.result.first_host_read), {&a, ComputeStep::start_read});
  if (a.written.flow != nullptr) post(std::max(now, a.result.first_host_write), {&a, ComputeStep::start_write});
  if (a.atomics.flow != nullptr) post(std::max(now, a.result.first_host_read), {&a, ComputeStep::start_atomics});
  if (a.flows_left == 0) settle(a);
}

// All that the launch does on its own comes later by what memory takes before.
void ComputeUnits::prepare(ActiveLaunch& a, TimePs now) {
  if (prepares_.next(*a.job, a.before, now, [this, &a](TimePs at) { post(at, {&a, ComputeStep::prepare}); })) return;
  const TimePs took = a.before.took();
  a.local_end += took;
  for (Crossing* c : a.crossings()) {
    for (TimePs* t : {&c->start, &c->alone, &c->unwalked, &c->unsnooped, &c->unowned}) *t += took;
  }
  for (TimePs* first : {&a.result.first_host_read, &a.result.first_host_write}) {
    if (*first != time_never) *first += took;
  }
  cross(a, now);
}

// From inside the launch's work. Other launches get units of their own from now on.
bool ComputeUnits::wait(ActiveLaunch& a) {
  if (a.machine == nullptr) {
    a.machine = std::move(machine_);
    machine_ = std::make_unique<Machine>(profile_, link_, memory_, writes_);
    memory_.share(machine_->memory);  // not the waiting launch's, which ends with it
  }
  a.work->pause();
  return executes_;
}

ComputeUnits::Machine& ComputeUnits::machine_of(const ActiveLaunch& a) const {
  return a.machine != nullptr ? *a.machine : *machine_;
}

// Runs and times all groups; from then on only the link can change when the launch ends.
void ComputeUnits::run(ActiveLaunch& a) {
  Machine& m = *machine_;
  const KernelLaunch& launch = *a.job->command.kernel;
  const KernelInfo& info = launch.module->kernels()[launch.kernel];
  std::uint64_t local_bytes = info.local_bytes;
  for (std::size_t i = 0; i < launch.arguments.size() && i < info.arguments.size(); ++i) {
    if (info.arguments[i].kind == ArgumentKind::local) local_bytes += launch.arguments[i].size_bytes;
  }
  a.occupancy = compute::occupancy_of(profile_, launch.range, info.registers, local_bytes);
  if (engine_ == nullptr || a.occupancy.groups_per_unit == 0) {
    a.result.failed = true;
    return;
  }
  const bool traces = trace_ != nullptr && trace_->level() >= TraceLevel::stage;
  // Which lines it takes back from the host, and what it finds in the DRAM where that is simulated, no cache tells.
  const bool alone = active_.size() == 1 && m.grid.is_idle(a.begin) && (lines_ == nullptr || !lines_->holds_any()) &&
                     !memory_.takes_accesses();
  memory_.begin_launch(a.begin);
  using Known = compute::Repeats::Known;
  const Known known =
      alone ? m.repeats.replay(launch, a.begin, traces, m.memory, m.grid, m.outcome) : Known::nothing;
  if (known == Known::nothing) {
    m.repeats.before(launch, alone, m.memory);
    const bool told_all = execute_groups(a, local_bytes, traces);
    // What its pages take depends on where they are.
    const bool pages_move = !m.memory.moving_pages().empty();
    m.repeats.after(launch, told_all && !pages_move, traces, m.grid, m.memory, m.outcome);
    if (!m.outcome.result.failed) a.before = prepares_.plan(*a.job, m.memory, a.begin);
    if (a.before.needed()) m.outcome.timeline.move(a.begin + a.before.alone());
  } else if (known == Known::time) {
    m.outcome.result.failed = !execute_unseen(launch);
  }
  a.result = m.outcome.result;
  if (!executes_) a.result.failed = false;  // given up at the end of the process
  a.busy = m.outcome.busy;
  if (a.result.failed) return;
  a.local_end = a.result.end;
  if (traces && a.machine == nullptr && memory_.takes_accesses()) tell_dram(a);
  if (traces && a.machine == nullptr) tell_counters(a);  // of one that has waited they would come too late
  if (!a.result.traffic.crosses_link()) return;
  for (Crossing* c : a.crossings()) plan(a, *c);
}

// Leaves all about it in machine_->outcome. True: what the groups told is all that there is to their work.
bool ComputeUnits::execute_groups(ActiveLaunch& a, std::uint64_t local_bytes, bool with_timeline) {
  Machine& m = *machine_;
  compute::Outcome& outcome = m.outcome;
  const KernelLaunch& launch = *a.job->command.kernel;
  outcome.result = {};
  outcome.begin = a.begin;
  outcome.busy = {};
  outcome.timeline.begin(a.begin);
  m.memory.begin(launch.memory, local_bytes * a.occupancy.groups_per_unit, migration_, launch.system_memory);
  m.grid.begin();
  const std::unique_ptr<KernelRun> run = engine_->start(launch, profile_.compute.wave_size);
  if (run == nullptr) {
    outcome.result.failed = true;
    return false;
  }
  if (a.work != nullptr) run->on_wait([this, &a] { return wait(a); });
  run->set_resident_groups(std::uint64_t{a.occupancy.groups_per_unit} * m.grid.units.size());
  bool recorded = true;
  compute::Launch l;
  l.range = launch.range;
  l.begin = a.begin;
  l.occupancy = a.occupancy;
  if (with_timeline) l.timeline = &outcome.timeline;
  const AlikeGroups* alike = nullptr;
  try {
    auto* const whole = dynamic_cast<AlikeRun*>(run.get());
    if (whole != nullptr) alike = whole->run_alike();
  } catch (const std::exception&) {
    alike = nullptr;
  }
  const auto execute = [&run](const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
    try {
      return run->run_group(group, trace);
    } catch (const std::exception&) {
      return false;  // nothing may pass through the simulation kernel
    }
  };
  const bool whole = alike != nullptr && alike->whole;
  std::optional<compute::GroupPipeline> ahead;
  compute::GroupOrder order(launch.range);
  bool may_go_ahead = !whole && run->any_thread();
  std::uint64_t groups = 0, records = 0;
  const auto go_ahead_if_it_pays = [&] {
    if (!compute::GroupPipeline::pays(launch.range, groups, records)) return;
    may_go_ahead = false;
    try {
      ahead.emplace(order, execute);
    } catch (const std::system_error&) {  // no thread: one after the other, then
    }
  };
  if (may_go_ahead) go_ahead_if_it_pays();
  l.run_group = [&](const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
    if (whole) {
      trace.alike = true;
      return true;
    }
    const bool ok = ahead ? ahead->next(trace) : execute(group, trace);
    for (const WaveTrace& w : trace.waves) recorded &= w.unrecorded == 0;
    if (!may_go_ahead || !ok) return ok;
    order.next();
    records += compute::GroupPipeline::records_of(trace.alike ? alike->first : trace, trace.alike);
    if (++groups % compute::GroupPipeline::first_groups == 0) go_ahead_if_it_pays();
    return ok;
  };
  l.alike = alike;
  outcome.result = detail_ == Detail::packet ? compute::run_waves(l, profile_, m.rates, m.grid, m.memory)
                                             : compute::run_groups(l, profile_, m.rates, m.grid, m.memory);
  ahead.reset();
  TimePs units = 0, l1 = 0, local = 0;
  for (const compute::Unit& u : m.grid.units) {
    for (std::size_t p = 0; p <= compute::issue_pipe; ++p) units = std::max(units, to_ps(u.pipe[p].busy()));
    l1 = std::max(l1, to_ps(u.pipe[compute::l1_pipe].busy()));
    local = std::max(local, to_ps(u.pipe[compute::local_pipe].busy()));
  }
  outcome.busy = {units,
                  l1,
                  local,
                  to_ps(m.grid.l2.busy()),
                  to_ps(m.grid.atomics.busy()),
                  to_ps(m.grid.dram.server().busy()),
                  std::max(to_ps(m.grid.host_read.busy()), to_ps(m.grid.host_write.busy()))};
  if (!recorded) writes_.wrote_something();
  return recorded && run->told_all();
}

// Of which the time is known.
bool ComputeUnits::execute_unseen(const KernelLaunch& launch) {
  const std::unique_ptr<KernelRun> run = engine_->start(launch, profile_.compute.wave_size);
  if (run == nullptr) return false;
  try {
    for (compute::GroupOrder order(launch.range); !order.done(); order.next()) {
      if (!run->run_unseen(order.at())) return false;
    }
  } catch (const std::exception&) {
    return false;  // nothing may pass through the simulation kernel
  }
  return true;
}

// The DRAM's bursts by how they found their bank; those that still wait are the next launch's.
void ComputeUnits::tell_dram(const ActiveLaunch& a) {
  const memory::DramUse use = memory_.kernel_use();
  const auto tell = [&](std::string_view name, std::uint64_t value) {
    trace_->counter({a.job->command.device, "compute.device_memory", name, a.local_end, value});
  };
  tell("row_hits", use.row_hits);
  tell("row_misses", use.row_misses);
  tell("row_conflicts", use.row_conflicts);
  tell("activations", use.activations);
  tell("refreshes", use.refreshes);
  tell("open_rows", use.open_rows);
}

// As the units see it, with the link to themselves; told before anything later is.
void ComputeUnits::tell_counters(const ActiveLaunch& a) {
  using compute::Timeline;
  const Timeline& line = machine_of(a).outcome.timeline;
  const DeviceIndex device = a.job->command.device;
  TimePs at = line.origin();
  for (const Timeline::Sums& sums : line.spans()) {
    // A span's value stands at its beginning and holds until the next one.
    trace_->counter({device, "compute", "resident_waves", at, sums[Timeline::wave_time] / line.span()});
    trace_->counter({device, "compute", "instructions", at, sums[Timeline::instructions]});
    trace_->counter({device, "compute", "device_memory_bytes", at, sums[Timeline::device_bytes]});
    trace_->counter({device, "compute", "link_bytes", at, sums[Timeline::link_bytes]});
    at += line.span();
  }
  for (const std::string_view name : {"resident_waves", "instructions", "device_memory_bytes", "link_bytes"})
    trace_->counter({device, "compute", name, std::max(at - line.span() + 1, a.local_end), 0});
}

// One flow for all of a kind that a launch moves.
std::shared_ptr<Flow> ComputeUnits::flow_of(const compute::Traffic& t, const Crossing& crossing) {
  using What = Crossing::What;
  const Direction direction = crossing.direction();
  std::array<std::uint64_t, 4> lines{};
  std::uint64_t all_lines = 0;
  for (const cache::LineRun& r : runs_) lines[static_cast<std::size_t>(r.state)] += r.lines, all_lines += r.lines;
  auto flow = std::make_shared<Flow>();
  Flow part;
  // Packets of each size meet lines of each state in proportion.
  const auto add = [&](std::uint64_t count, TimePs home_ps, const auto& plan_some) {
    std::uint64_t seen = 0;
    std::uint64_t done = 0;
    for (std::size_t s = 0; s < lines.size() && count > 0; ++s) {
      seen += lines[s];
      const std::uint64_t upto =
          all_lines == 0 ? count
                         : static_cast<std::uint64_t>(static_cast<double>(count) * static_cast<double>(seen) /
                                                      static_cast<double>(all_lines));
      if (upto <= done) continue;
      plan_some(static_cast<cache::LineState>(s), upto - done);
      done = upto;
      for (Segment& segment : part.segments) {
        for (std::size_t j = 0; j < part.hops; ++j) {
          if (part.path[j] == Resource::home_agent) segment.service_ps[j] = std::max(segment.service_ps[j], home_ps);
        }
      }
      if (flow->segments.empty()) {
        *flow = part;
      } else {
        if (part.snoop_once_ps > flow->snoop_once_ps) sim::add_snoop(*flow, part.snoop_once_ps - flow->snoop_once_ps);
        if (part.kind != flow->kind) flow->kind = "AtomicOp";
        flow->segments.insert(flow->segments.end(), part.segments.begin(), part.segments.end());
      }
    }
  };
  if (crossing.what == What::atomics) {
    for (std::size_t op = 0; op < compute::atomic_ops; ++op) {
      add(t.host_atomics[op], 0, [&](cache::LineState state, std::uint64_t n) {
        compute::plan_atomics(link_, op, state, n, part);
        part.kind = compute::atomic_name(op);
      });
    }
    return flow;
  }
  const auto packets = [&](std::uint32_t bytes, std::uint64_t count, TimePs home_ps) {
    add(count, home_ps, [&](cache::LineState state, std::uint64_t n) {
      compute::plan_packets(link_, direction, bytes, state, n, part);
    });
  };
  const auto& whole = crossing.what == What::reads ? t.host_reads : t.host_writes;
  for (std::uint32_t n = compute::max_line_sectors; n > 0; --n) packets(n * sector_bytes, whole[n], 0);
  if (crossing.what == What::writes)
    packets(sector_bytes, t.host_partial_writes, profile_.compute.host_partial_write_ps);
  return flow;
}

// As fast as its waves ask for it: where they have few requests under way, the flow has as few.
void ComputeUnits::plan(ActiveLaunch& a, Crossing& c) {
  const Direction direction = c.direction();
  const bool reads = c.what == Crossing::What::reads;
  const compute::HostSpan span = reads ? machine_of(a).memory.host_read() : machine_of(a).memory.host_written();
  runs_.clear();
  host_.classify(span.address, span.bytes, runs_);
  auto flow = flow_of(a.result.traffic, c);
  if (flow->segments.empty()) return;
  flow->command = a.job->command.id;
  flow->device = a.job->command.device;
  flow->address = span.address;
  c.start = direction == Direction::host_to_device ? a.result.first_host_read : a.result.first_host_write;
  Flow one = *flow;
  one.segments.resize(1);
  one.segments.front().packets = 1;
  const TimePs trip = times_alone(one).drained;
  const std::uint64_t n = flow->packets();
  const TimePs left = a.local_end > c.start ? a.local_end - c.start : 1;
  const std::uint64_t wanted = std::max<std::uint64_t>(1, (n * (trip + flow->window_return_ps) + left - 1) / left);
  if (flow->window == 0 || wanted < flow->window) {
    flow->window = static_cast<std::uint32_t>(std::min<std::uint64_t>(wanted, 1U << 20));
    const TimePs turn = left * flow->window / n;
    if (turn > trip) flow->window_return_ps = std::max(flow->window_return_ps, turn - trip);
    c.waiting = n * trip / flow->window;
  }
  if (iommu_ != nullptr) {
    const Walks walks = iommu_->walk({span.address, span.bytes, 1, 0}, direction);
    add_walks(*flow, walks);
    link_.plan_translations(walks, *flow);
  }
  // What kernels read over a coherent link stays in the device's cache until the launch ends.
  if (reads && profile_.link.kind == profile::LinkKind::coherent && profile_.host.home_agent.filter_lines != 0) {
    c.held = std::min(span.bytes, flow->bytes());
    link_.plan_filter(host_.device_holds(span.address, c.held), *flow);
  }
  const FlowTimes alone = times_alone(*flow);
  c.alone = c.start + alone.end;
  c.unwalked = flow->walks == 0 ? c.alone : c.start + times_alone(*flow, Without::walks).end;
  c.unsnooped = c.start + times_alone(*flow, Without::walks_and_snoops).end;
  c.unowned = c.start + times_alone(*flow, Without::walks_and_coherence).end;
  c.tail = std::min(a.local_end > c.alone ? a.local_end - c.alone : 0, machine_of(a).rates.l2_ps);
  c.flow = std::move(flow);
  ++a.flows_left;
  if (reads) {
    host_.device_read(span.address, span.bytes);
  } else if (!link_.maintains_caches()) {
    host_.device_wrote(span.address, span.bytes);
  }
}

void ComputeUnits::start(ActiveLaunch& a, Crossing& c, TimePs now) {
  c.start = now;
  const Link::WireUse use = link_.wire_use(*c.flow, c.direction());
  a.job->wire_up += use.up;
  a.job->wire_down += use.down;
  a.job->tlps += use.tlps;
  flows_.start(c.flow, [this, &a, &c](FlowTimes times) {
    c.end = times.end;
    if (&c == &a.written) a.job->drained = times.drained;
    post(std::max(times.end, kernel_now()), {&a, ComputeStep::flow_ended});
  });
}

// Nothing is under way any more: the launch's end is known.
void ComputeUnits::settle(ActiveLaunch& a) {
  a.end = a.local_end;
  for (const Crossing* c : a.crossings()) {
    if (c->flow != nullptr) a.end = std::max(a.end, c->end + c->tail);
  }
  account(a);
  post(std::max(kernel_now(), a.end + machine_of(a).rates.finish_ps), {&a, ComputeStep::finish});
}

// Cuts the launch's time into its own work and what memory, link and other traffic added to it.
void ComputeUnits::account(ActiveLaunch& a) {
  Job& job = *a.job;
  TimePs alone = a.local_end;
  TimePs unwalked = a.local_end;
  TimePs unsnooped = a.local_end;
  TimePs unowned = a.local_end;
  std::array<TimePs, compute::busy_parts> busy = a.busy;
  TimePs& link_busy = busy[compute::link_part];
  for (const Crossing* c : a.crossings()) {
    if (c->flow == nullptr) continue;
    alone = std::max(alone, c->alone + c->tail);
    unwalked = std::max(unwalked, c->unwalked + c->tail);
    unsnooped = std::max(unsnooped, c->unsnooped + c->tail);
    unowned = std::max(unowned, c->unowned + c->tail);
    link_busy = std::max(link_busy, c->waiting);
  }
  alone = std::min(alone, a.end);
  unwalked = std::min(unwalked, alone);
  unsnooped = std::min(unsnooped, unwalked);
  unowned = std::min(unowned, unsnooped);
  const TimePs whole = unowned - a.begin - a.before.took();
  static constexpr std::array<std::string_view, compute::busy_parts> parts = {
      "issue", "l1", "local_memory", "l2", "atomics", "device_memory", "link"};
  const auto most = std::max_element(busy.begin(), busy.end());
  const TimePs own = *std::max_element(busy.begin(), busy.begin() + compute::memory_part);
  const TimePs memory_busy = busy[compute::memory_part];
  const TimePs on_link = link_busy > std::max(own, memory_busy) ? link_busy - std::max(own, memory_busy) : 0;
  const TimePs in_memory = memory_busy > own ? memory_busy - own : 0;
  const TimePs link = std::min(whole, on_link);
  const TimePs memory = std::min(whole - link, in_memory);
  const TimePs start = job.times.started;
  job.spend(Stage::setup, a.begin - start + machine_of(a).rates.finish_ps);
  job.spend(Stage::compute, whole - link - memory);
  job.spend(Stage::device_memory, memory);
  job.spend(Stage::link, link);
  job.spend(Stage::iommu, alone - unwalked);
  job.spend(Stage::snoop, unwalked - unsnooped);
  job.spend(Stage::coherence, unsnooped - unowned);
  job.spend(Stage::contention, a.end - alone);
  a.before.account(job);

  auto figures = std::make_unique<KernelRecord>(a.result.figures);
  const compute::Traffic& t = a.result.traffic;
  const NdRange& range = job.command.kernel->range;
  figures->work_items = range.global[0] * range.global[1] * range.global[2];
  figures->name = job.command.kernel->module->kernels()[job.command.kernel->kernel].name;
  figures->lines = t.lines;
  figures->sectors = t.sectors;
  figures->l1_hit_sectors = t.l1_hits;
  figures->l2_hit_sectors = t.l2_hits;
  figures->device_read_bytes = t.device_read;
  figures->device_written_bytes = t.device_written;
  if (a.read.flow != nullptr) figures->link_read_bytes = a.read.flow->bytes();
  if (a.written.flow != nullptr) figures->link_written_bytes = a.written.flow->bytes();
  if (a.atomics.flow != nullptr) figures->link_read_bytes += a.atomics.flow->bytes();
  figures->groups_per_unit = a.occupancy.groups_per_unit;
  figures->occupancy_permille = a.occupancy.permille;
  figures->occupancy_limit = a.occupancy.limit;
  figures->limiter = *most * 2 < whole ? "latency" : parts[static_cast<std::size_t>(most - busy.begin())];
  job.kernel = std::move(figures);
  if (trace_ == nullptr || trace_->level() < TraceLevel::stage) return;
  const auto tell = [&](std::string_view action, TimePs begin, TimePs end, std::uint64_t bytes) {
    trace_->stage({job.command.id, job.command.device, "compute", action, begin, end,
                   (end - begin) / machine_of(a).rates.cycle_ps, bytes});
  };
  tell("launch", start, a.begin, 0);
  tell("execute", a.begin, a.end, t.sectors * sector_bytes);
  const auto tell_host = [&](std::string_view part, std::string_view action, TimePs took, std::uint64_t bytes) {
    if (took == 0) return;
    trace_->stage({job.command.id, job.command.device, part, action, a.end - took, a.end,
                   took * (profile_.host.home_agent.clock_hz / 1'000'000) / 1'000'000, bytes});
  };
  const std::uint64_t crossed = job.kernel->link_read_bytes + job.kernel->link_written_bytes;
  tell_host("host.home_agent", "snoop", unwalked - unsnooped, crossed);
  tell_host("host.home_agent", "ownership", unsnooped - unowned, job.kernel->link_written_bytes);
  const Flow* walked = nullptr;
  for (const Crossing* c : a.crossings()) {
    if (c->flow != nullptr && (walked == nullptr || walked->walks == 0)) walked = c->flow.get();
  }
  if (walked != nullptr) tell_host(walked->walk_part, walked->walk_action, alone - unwalked, crossed);
  tell("finish", a.end, a.end + machine_of(a).rates.finish_ps, 0);
  if (trace_->level() < TraceLevel::packet) return;
  sectors_ += t.sectors;
  l1_hit_sectors_ += t.l1_hits;
  l2_hit_sectors_ += t.l2_hits;
  trace_->counter({job.command.device, "compute", "sectors", a.end, sectors_});
  trace_->counter({job.command.device, "compute", "l1_hit_sectors", a.end, l1_hit_sectors_});
  trace_->counter({job.command.device, "compute", "l2_hit_sectors", a.end, l2_hit_sectors_});
}

void ComputeUnits::finish(ActiveLaunch& a, TimePs now) {
  Job& job = *a.job;
  job.times.ended = job.times.completed = now;
  if (a.result.failed) job.times.status = std::min(-1, job.command.kernel->failure_status);
  if (a.read.held != 0) host_.device_drops(a.read.flow->address, a.read.held);
  std::erase_if(active_, [&](const auto& p) { return p.get() == &a; });
  sink_->job_ended(job);
}

void ComputeUnits::act(const ComputeEvent& event, TimePs now) {
  ActiveLaunch& a = *event.launch;
  switch (event.step) {
    case ComputeStep::go_on:
      go_on(a);
      break;
    case ComputeStep::prepare:
      prepare(a, now);
      break;
    case ComputeStep::start_read:
      start(a, a.read, now);
      break;
    case ComputeStep::start_write:
      start(a, a.written, now);
      break;
    case ComputeStep::start_atomics:
      start(a, a.atomics, now);
      break;
    case ComputeStep::flow_ended:
      if (--a.flows_left == 0) settle(a);
      break;
    case ComputeStep::finish:
      finish(a, now);
      break;
  }
}

}  // namespace sluice::sim
