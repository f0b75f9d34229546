#include "sim/exec/group_runner.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

namespace sluice::exec {
namespace {

// What is kept of a group; more is counted, not recorded.
constexpr std::uint64_t most_records = std::uint64_t{4} << 20;
constexpr std::uint64_t most_sectors = std::uint64_t{16} << 20;
constexpr std::uint64_t largest_group_memory = std::uint64_t{4} << 30;

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
  return (value + alignment - 1) / alignment * alignment;
}

MappedMemory memory_for(std::uint64_t each, std::uint64_t count) {
  if (count != 0 && each > largest_group_memory / count) throw std::bad_alloc();
  return MappedMemory(each * count);
}

std::uint64_t address_of(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

}  // namespace

GroupRunner::GroupRunner(std::shared_ptr<const LoadedProgram> program, const KernelLaunch& launch,
                         std::uint32_t wave_size, std::uint64_t log_entries, Turns& turns)
    : program_(std::move(program)),
      launch_(launch),
      kernel_(program_->ready(launch.kernel)->image),
      code_(*program_->ready(launch.kernel)->code),
      entry_(code_.entry()),
      wave_size_(std::clamp<std::size_t>(wave_size, 1, most_lanes)),
      turns_(turns) {
  std::uint64_t items = 1;
  for (std::size_t i = 0; i < 3; ++i) items *= std::min(launch_.range.local[i], launch_.range.global[i]);
  items_.resize(items);
  waves_.resize((items + wave_size_ - 1) / wave_size_);
  lanes_.reserve(wave_size_);

  for (std::uint64_t i = 0; i < kernel_.sites.size(); ++i) {
    if (site(i).kind == SiteKind::barrier && barriers_++ == 0) first_barrier_ = i;
  }
  // Without barriers one work-item is done before the next begins, so they share private memory.
  private_stride_ = align_up(kernel_.info.private_bytes, 64);
  private_ = memory_for(private_stride_, kernel_.suspends ? items : 1);
  sink_ = MappedMemory(align_up(kernel_.largest_access_bytes, 64) + 64);
  const std::uint64_t margin = std::uint64_t{4} * (kernel_.largest_block_entries + 1);
  log_ = memory_for(sizeof(LogEntry), std::max(log_entries, margin * wave_size_));
  spill_ = memory_for(sizeof(LogEntry), 2 * margin + 4096);
  place_arguments();
  place_sub_groups();

  for (Item& item : items_) {
    item.group = &state_;
    item.private_memory =
        private_.data() + (kernel_.suspends ? private_stride_ * static_cast<std::uint64_t>(&item - items_.data()) : 0);
  }
  state_.local = local_.data();
  state_.scratch = scratch_.data();
  state_.arguments = value_pointers_.data();
  state_.argument_bytes = argument_bytes_.data();
  state_.private_bytes = private_stride_;
  state_.runner = this;
  memory_.local = {address_of(local_.data()), state_.local_bytes};
  memory_.private_memory = {address_of(private_.data()), private_.bytes()};
}

void GroupRunner::place_arguments() {
  const auto& arguments = kernel_.info.arguments;
  std::uint64_t local_bytes = kernel_.info.local_bytes;
  std::vector<std::uint64_t> local_at(arguments.size());
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].kind != ArgumentKind::local) continue;
    local_at[i] = align_up(local_bytes, 128);
    local_bytes = local_at[i] + launch_.arguments[i].size_bytes;
  }
  local_ = memory_for(align_up(local_bytes, 128), 1);
  state_.local_bytes = local_bytes;

  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const LaunchArgument& given = launch_.arguments[i];
    std::vector<std::byte> value(align_up(std::max<std::uint64_t>(arguments[i].size_bytes, 8), 128));
    const void* pointer = nullptr;
    switch (arguments[i].kind) {
      case ArgumentKind::value:
      case ArgumentKind::sampler:
        std::copy_n(given.value.begin(), std::min(given.value.size(), value.size()), value.begin());
        break;
      case ArgumentKind::global:
      case ArgumentKind::constant:
        pointer = given.data;
        std::memcpy(value.data(), &pointer, sizeof pointer);
        break;
      case ArgumentKind::local:
        pointer = local_.data() + local_at[i];
        std::memcpy(value.data(), &pointer, sizeof pointer);
        break;
      case ArgumentKind::image:
        pointer = given.image.get();
        std::memcpy(value.data(), &pointer, sizeof pointer);
        if (given.image != nullptr && !given.image->tiling.is_linear())
          memory_.tiled_images.push_back(
              {{address_of(given.image->data), given.image->tiling.bytes()}, TexelPlaces(given.image->tiling)});
        break;
    }
    values_.push_back(std::move(value));
    value_pointers_.push_back(values_.back().data());
    argument_bytes_.push_back(given.size_bytes);
  }
}

void GroupRunner::place_group(const std::array<std::uint64_t, 3>& group) {
  const NdRange& range = launch_.range;
  const auto groups = range.groups();
  auto set = [&](QueryWord word, std::size_t i, std::uint64_t value) { state_.words[word - group_words + i] = value; };
  count_ = 1;
  for (std::size_t i = 0; i < 3; ++i) {
    placed_[i] = std::min(range.local[i], range.global[i] - group[i] * range.local[i]);
    count_ *= placed_[i];
    set(group_id_word, i, group[i]);
    set(local_size_word, i, placed_[i]);
    set(enqueued_local_size_word, i, range.local[i]);
    set(global_size_word, i, range.global[i]);
    set(global_offset_word, i, range.offset[i]);
    set(group_count_word, i, groups[i]);
    items_.front().ids[global_id_word + i] = range.offset[i] + group[i] * range.local[i];
  }
  set(dimensions_word, 0, range.dimensions);
  const std::uint64_t whole = range.local[0] * range.local[1] * range.local[2];
  set(max_sub_group_size_word, 0, std::min<std::uint64_t>(whole, wave_size_));
  set(sub_group_count_word, 0, (count_ + wave_size_ - 1) / wave_size_);
  set(enqueued_sub_group_count_word, 0, (whole + wave_size_ - 1) / wave_size_);
  set(last_sub_group_size_word, 0, (count_ - 1) % wave_size_ + 1);
  items_placed_ = false;
}

// Of the group that was placed; loops over work-items do without.
void GroupRunner::place_items() {
  if (items_placed_) return;
  items_placed_ = true;
  if (numbered_ != placed_) {
    numbered_ = placed_;
    std::size_t next = 0;
    for (std::uint64_t z = 0; z < placed_[2]; ++z) {
      for (std::uint64_t y = 0; y < placed_[1]; ++y) {
        for (std::uint64_t x = 0; x < placed_[0]; ++x) {
          Item& item = items_[next++];
          item.ids[local_id_word] = x;
          item.ids[local_id_word + 1] = y;
          item.ids[local_id_word + 2] = z;
        }
      }
    }
    for (std::size_t i = 0; i < count_; ++i) {
      items_[i].ids[sub_group_id_word] = i / wave_size_;
      items_[i].ids[sub_group_local_id_word] = i % wave_size_;
    }
  }
  const Item& first = items_.front();
  const std::array<std::uint64_t, 3> corner{first.ids[global_id_word], first.ids[global_id_word + 1],
                                            first.ids[global_id_word + 2]};
  for (std::size_t i = 0; i < count_; ++i) {
    Item& item = items_[i];
    for (std::size_t d = 0; d < 3; ++d) item.ids[global_id_word + d] = corner[d] + item.ids[local_id_word + d];
    item.frame = nullptr;
    item.stopped = 0;
  }
}

bool GroupRunner::run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
  trace.clear();
  if (failed_) return false;
  if (const auto kept = kept_.find(group); kept != kept_.end()) {
    trace = std::move(kept->second);
    kept_.erase(kept);
    return true;
  }
  if (way_known_ && is_known(group)) {
    trace.alike = true;
    return run_known(group);
  }
  // Whether the launch comes to an end is seen by the first group.
  if (in_rows_ && std::exchange(ran_one_, true) && is_whole(group)) return run_in_rows(group, trace);
  if (!run_traced(group, trace)) return false;
  if (kernel_.guarded || kernel_.in_rows) program_->spend(launch_.kernel, instructions_of(trace));
  return true;
}

bool GroupRunner::run_unseen(const std::array<std::uint64_t, 3>& group) {
  if (failed_) return false;
  if (!looked_for_quiet_) {
    looked_for_quiet_ = true;
    if (kernel_.in_rows) {
      find_rows();
    } else if (const auto* quiet = program_->quiet(launch_.kernel)) {
      quiet_ = quiet;
    }
  }
  if (quiet_ != nullptr) {
    place_group(group);
    return run_quietly();
  }
  const bool ran = run_untraced(group);
  program_->spend(launch_.kernel, program_->options().group_instruction_limit - budget_);
  return ran;
}

bool GroupRunner::run_untraced(const std::array<std::uint64_t, 3>& group) {
  untraced_ = true;
  const bool ran = run_traced(group, unused_);
  untraced_ = false;
  return ran;
}

void GroupRunner::begin_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
  place_group(group);
  budget_ = program_->options().group_instruction_limit;
  records_ = 0;
  const std::size_t waves = (count_ + wave_size_ - 1) / wave_size_;
  for (std::size_t i = 0; i < waves; ++i) {
    waves_[i].accesses.clear();
    waves_[i].issued.fill(0);
    waves_[i].unrecorded = 0;
    waves_[i].pending = 0;
  }
  trace.waves.resize(waves);
}

// A wave's records are contiguous in the trace. With barriers waves take turns, so each has collected its own first.
void GroupRunner::end_group(GroupTrace& trace, bool collected) const {
  for (std::size_t i = 0; i < trace.waves.size(); ++i) {
    trace.waves[i].issued = waves_[i].issued;
    trace.waves[i].unrecorded = waves_[i].unrecorded;
    if (!collected) continue;
    trace.waves[i].first_access = static_cast<std::uint32_t>(trace.accesses.size());
    trace.waves[i].accesses = static_cast<std::uint32_t>(waves_[i].accesses.size());
    trace.accesses.insert(trace.accesses.end(), waves_[i].accesses.begin(), waves_[i].accesses.end());
  }
}

bool GroupRunner::run_traced(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) {
  begin_group(group, trace);
  place_items();
  runnable_ = count_;
  barrier_is_open_ = false;
  const std::size_t waves = trace.waves.size();
  std::uint64_t budget_before = budget_;
  for (bool more = true; more;) {
    for (std::size_t i = 0; i < waves && !failed_; ++i) {
      trace.waves[i].first_access = static_cast<std::uint32_t>(trace.accesses.size());
      if (kernel_.lockstep) {
        step_wave(i, waves_[i].accesses, trace.sectors);
      } else {
        run_wave(i, kernel_.suspends ? waves_[i].accesses : trace.accesses, trace.sectors);
        if (kernel_.sub_groups) run_together(i, waves_[i].accesses, trace.sectors);
      }
      trace.waves[i].accesses = static_cast<std::uint32_t>(trace.accesses.size()) - trace.waves[i].first_access;
    }
    more = kernel_.suspends && !failed_ && items_wait();
    // Loops that wait with all work-items, each by itself or from barrier to barrier.
    if (more && kernel_.may_wait && budget_before - budget_ > first_turn * runnable_) {
      failed_ = !turns_.give_way();
      more = !failed_;
      budget_before = budget_;
      state_.recent_bytes = 0;  // the host may have freed it
    }
  }
  if (failed_) {
    trace.clear();
    return false;
  }
  end_group(trace, kernel_.suspends);
  return true;
}

// A coroutine's frame begins with the address of its resumption.
inline auto GroupRunner::resumption_of(const void* frame) -> void (*)(void*) {
  return *static_cast<void (*const*)(void*)>(frame);
}

// A group of which all is known but what it writes: it comes to the barriers that the groups before it came to, with all
// work-items.
bool GroupRunner::run_quietly() {
  if (!quiet_->image.lane_loops) place_items();
  if (!kernel_.suspends || quiet_->image.lane_loops) {
    reinterpret_cast<void (*)(Item*, std::uint64_t)>(quiet_->code->entry())(items_.data(), count_);
    return !failed_;
  }
  const auto begin = reinterpret_cast<void* (*)(Item*)>(quiet_->code->entry());
  frames_of_quiet_.resize(count_);
  for (std::size_t i = 0; i < count_; ++i) frames_of_quiet_[i] = begin(&items_[i]);
  while (state_.stopped != 0 && !failed_) {
    const auto resume = resumption_of(frames_of_quiet_.front());
    for (void* const frame : frames_of_quiet_) resume(frame);
  }
  return !failed_;
}

inline void GroupRunner::run_item(Item& item) {
  item.limit = std::min(budget_, first_turn);
  if (!kernel_.suspends) {
    reinterpret_cast<void (*)(Item*)>(entry_)(&item);
  } else if (item.frame == nullptr) {
    item.frame = reinterpret_cast<void* (*)(Item*)>(entry_)(&item);
  } else {
    resumption_of(item.frame)(item.frame);
  }
  // A loop that waits at its own barrier is not seen to be late from inside.
  if (item.stopped != 0 && item.issued > budget_) hang(item, site(item.stopped).line);
  budget_ -= std::min(budget_, item.issued);
  if (item.stopped == 0 || is_at_barrier(item)) --runnable_;
}

bool GroupRunner::can_go_on(const Item& item) const {
  if (item.frame == nullptr) return true;
  if (kernel_.sub_groups && held_[item.stopped] != Held::no) return false;
  return item.stopped != 0 && (barrier_is_open_ || !is_at_barrier(item));
}

// Whether it is its turn.
inline bool GroupRunner::goes_on(const Item& item) const {
  if (in_step_ == any_site) return can_go_on(item);
  return item.stopped == in_step_ && ((kernel_.sub_groups && held_[in_step_] != Held::no) || can_go_on(item));
}

// One step of a wavefront that goes on in step; those of a group take turns. The work-items go on that are furthest
// behind in the code, so that the others are met again where their ways join: sites are numbered in that order. Who has
// not begun is at 0.
void GroupRunner::step_wave(std::size_t wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors) {
  const std::size_t first = wave * wave_size_;
  const std::size_t end = std::min(count_, first + wave_size_);
  std::uint64_t next = ~std::uint64_t{0};
  for (std::size_t i = first; i < end; ++i) {
    if (can_go_on(items_[i])) next = std::min(next, items_[i].stopped);
  }
  if (kernel_.sub_groups && next != 0) {
    const std::uint64_t together = next_together(wave);
    if (together != 0 && together < next) exchange_at(next = together, wave);
  }
  if (next == ~std::uint64_t{0} || failed_) return;
  in_step_ = next;
  run_wave(wave, accesses, sectors);
  in_step_ = any_site;
}

void GroupRunner::run_wave(std::size_t wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors) {
  const std::size_t first = wave * wave_size_;
  const std::size_t end = std::min(count_, first + wave_size_);
  auto* const log = reinterpret_cast<LogEntry*>(log_.data());
  const std::uint64_t margin = kernel_.largest_block_entries + 1;
  const std::uint64_t share = log_.bytes() / sizeof(LogEntry) / wave_size_;
  state_.log = log;
  std::fill(std::begin(state_.classes), std::end(state_.classes), 0);
  unrecorded_ = 0;
  lanes_.clear();
  for (std::size_t i = first; i < end; ++i) {
    Item& item = items_[i];
    if (!goes_on(item)) continue;
    if (untraced_) state_.log = log;
    LogEntry* const begin = state_.log;
    state_.log_limit = begin + (share - margin);
    run_item(item);
    if (failed_ && budget_ == 0) return;
    if (spilled_from_ != nullptr) close_spill();
    lanes_.emplace_back(begin, state_.log);
  }
  if (untraced_) return;
  if (touched_ != nullptr) {
    for (const auto& lane : lanes_) {
      for (const LogEntry& entry : lane) touched_->push_back({entry.address, entry.site});
    }
  }
  if (stores_ != nullptr) {
    for (const auto& lane : lanes_) {
      for (const LogEntry& entry : lane) {
        if (site(entry.site).kind == SiteKind::store && site(entry.site).space == SiteSpace::global)
          stores_->push_back({entry.address, entry.site});
      }
    }
  }
  Wave& result = waves_[wave];
  const std::size_t records_before = accesses.size(), sectors_before = sectors.size();
  if (kernel_.sub_groups) merge_.begin_with(result.pending);
  count_instructions(result, merge_.run(lanes_, kernel_.sites, memory_, accesses, sectors));
  result.pending = merge_.pending();
  keep_or_drop(result, accesses, sectors, records_before, sectors_before);
  result.unrecorded += unrecorded_;
}

// A wave's phase of a group that has more records than are kept.
void GroupRunner::keep_or_drop(Wave& wave, std::vector<WaveAccess>& accesses, std::vector<std::uint64_t>& sectors,
                               std::size_t accesses_before, std::size_t sectors_before) {
  if (records_ > most_records || sectors_before > most_sectors) {
    for (std::size_t i = accesses_before; i < accesses.size(); ++i) wave.unrecorded += accesses[i].lanes;
    accesses.resize(accesses_before);
    sectors.resize(sectors_before);
  }
  records_ += accesses.size() - accesses_before;
}

// The lane's last entry says where the phase ended; there is room for it.
void GroupRunner::close_spill() {
  LogEntry* const spill = reinterpret_cast<LogEntry*>(spill_.data());
  unrecorded_ += static_cast<std::uint64_t>(state_.log - spill) - 1;
  *spilled_from_ = state_.log[-1];
  state_.log = spilled_from_ + 1;
  spilled_from_ = nullptr;
}

LogEntry* GroupRunner::log_full(LogEntry* end) {
  auto* const spill = reinterpret_cast<LogEntry*>(spill_.data());
  if (spilled_from_ == nullptr) {
    spilled_from_ = end;
    state_.log_limit = spill + (spill_.bytes() / sizeof(LogEntry) - kernel_.largest_block_entries - 1);
  } else {
    unrecorded_ += static_cast<std::uint64_t>(end - spill);
  }
  return spill;
}

// Lanes that agree give the exact count of each class; where they diverge, the wave's instructions are shared among the
// classes as the lanes' are.
void GroupRunner::count_instructions(Wave& wave, std::uint64_t issued) {
  const std::uint64_t lanes = std::accumulate(std::begin(state_.classes), std::end(state_.classes), std::uint64_t{0});
  if (lanes == 0) return;
  std::uint64_t rest = issued;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < instruction_classes; ++i) {
    __extension__ using Wide = unsigned __int128;
    const bool narrow = (issued | state_.classes[i]) >> 32 == 0;  // as nearly always, and divided sooner
    const auto share = narrow ? issued * state_.classes[i] / lanes
                              : static_cast<std::uint64_t>(Wide{issued} * state_.classes[i] / lanes);
    wave.issued[i] += share;
    rest -= share;
    if (state_.classes[i] > state_.classes[largest]) largest = i;
  }
  wave.issued[largest] += rest;
}

// Whether the group goes on: where work-items wait for others by themselves, or behind a barrier; all that have not ended
// must wait at the same one.
bool GroupRunner::items_wait() {
  barrier_is_open_ = runnable_ == 0;
  if (!barrier_is_open_) return true;
  const std::uint64_t first_stop = items_.front().stopped;
  if (first_stop != 0 && std::all_of(items_.begin(), items_.begin() + static_cast<std::ptrdiff_t>(count_),
                                     [=](const Item& item) { return item.stopped == first_stop; })) {
    runnable_ = count_;
    return true;
  }
  const Item* waiting = nullptr;
  const Item* ended = nullptr;
  for (std::size_t i = 0; i < count_; ++i) {
    const Item& item = items_[i];
    if (item.stopped == 0) {
      if (ended == nullptr) ended = &item;
    } else if (waiting == nullptr) {
      waiting = &item;
    } else if (item.stopped != waiting->stopped) {
      report(barrier_report(where(item), site(item.stopped).line, site(waiting->stopped).line));
      failed_ = true;
      return false;
    }
  }
  if (waiting == nullptr) return false;
  for (std::size_t i = 0; i < count_; ++i) runnable_ += items_[i].stopped != 0 ? 1 : 0;
  if (ended != nullptr && !reported_early_end_) {
    // As hardware does: who has ended is not waited for.
    reported_early_end_ = true;
    told_all_ = false;
    if (launch_.reports != nullptr)
      launch_.reports->bad_access(early_end_report(where(*ended), site(waiting->stopped).line));
  }
  return true;
}

// Also where other code needs larger ones; between two groups no frame is in use.
std::byte* GroupRunner::frame(const Item& item, std::uint64_t bytes) {
  state_.frame_bytes = align_up(bytes, 64);
  frames_ = memory_for(state_.frame_bytes, items_.size());
  std::byte* next = frames_.data();
  for (Item& each : items_) each.room = std::exchange(next, next + state_.frame_bytes);
  return item.room;
}

}  // namespace sluice::exec
