#include "sim/models/memory/dram_controller.h"

#include <algorithm>

namespace sluice::memory {

namespace {

bool is_column(DramCommand command) { return command == DramCommand::read || command == DramCommand::write; }

}  // namespace

DramController::Channel::Channel(const DramRules& rules) : banks(rules), refresh_due(rules.trefi) {
  reads.banks.resize(rules.banks);
  writes.banks.resize(rules.banks);
  refreshed.resize(rules.banks);
  opened.resize(rules.banks);
}

DramController::DramController(const profile::Dram& memory)
    : memory_(memory),
      rules_(memory),
      write_entries_(std::max<std::size_t>(1, std::size_t{memory.write_drain_rows} * memory.row_bytes / rules_.burst_bytes)) {
  for (std::uint32_t i = 0; i < std::max(1U, memory.pseudo_channels); ++i) channels_.emplace_back(rules_);
}

void DramController::add(Access access, std::uint32_t channel, std::uint32_t bank, std::uint64_t row, TimePs arrival_ps) {
  channels_[channel].arriving.push_back({added_++, row, arrival_ps, bank, access, Row::open});
}

bool DramController::has_room(const Channel& channel, Access access) const {
  return access == Access::read ? channel.reads.size < memory_.queue_entries : channel.writes.size < write_entries_;
}

void DramController::take(Channel& channel) {
  while (!channel.arriving.empty()) {
    const Burst& b = channel.arriving.front();
    if (b.arrival > now_ || !has_room(channel, b.access)) return;
    Queue& q = b.access == Access::read ? channel.reads : channel.writes;
    if (q.banks[b.bank].empty()) q.used.push_back(b.bank);
    q.banks[b.bank].push_back(b);
    ++q.size;
    channel.arriving.pop_front();
  }
}

std::uint32_t DramController::open_rows() const noexcept {
  std::uint32_t rows = 0;
  for (const Channel& c : channels_) rows += c.banks.open_banks();
  return rows;
}

TimePs DramController::data_end() const noexcept {
  TimePs end = 0;
  for (const Channel& c : channels_) end = std::max(end, c.data_end);
  return end;
}

void DramController::run_until_taken() {
  const auto waits = [](const Channel& c) { return !c.arriving.empty(); };
  while (std::any_of(channels_.begin(), channels_.end(), waits) && step()) {
  }
}

void DramController::run_until(TimePs at) {
  while (now_ <= at && step(at)) {
  }
}

void DramController::run() {
  while (step()) {
  }
}

std::uint32_t DramController::oldest_bank(const Queue& queue) {
  return *std::min_element(queue.used.begin(), queue.used.end(), [&](std::uint32_t a, std::uint32_t b) {
    return queue.banks[a].front().age < queue.banks[b].front().age;
  });
}

void DramController::choose_direction(Channel& c) {
  if (c.reads.size == 0 || c.writes.size == 0) {
    c.writing = c.writes.size != 0;
  } else if (memory_.scheduler == profile::DramScheduler::fcfs) {
    const auto age = [](const Queue& q) { return q.banks[oldest_bank(q)].front().age; };
    c.writing = age(c.writes) < age(c.reads);
  } else if (c.writes.size >= write_entries_) {
    c.writing = true;
  }
}

// The command as soon as rules, pins and the present allow it.
DramController::Choice DramController::timed(DramCommand command, std::uint32_t channel, std::uint32_t bank) const {
  const DramReady ready = channels_[channel].banks.ready(command, bank);
  Choice c;
  c.command = command;
  c.channel = channel;
  c.bank = bank;
  c.at = ready.at;
  c.limit = ready.limit;
  const TimePs pins = is_column(command) ? column_pins_ : row_pins_;
  if (pins > c.at) {
    c.at = pins;
    c.limit = DramLimit::command_bus;
  }
  c.at = std::max(c.at, now_);
  return c;
}

bool DramController::held_by_refresh(const Channel& channel, std::uint32_t bank, TimePs at) const {
  return rules_.trefi != 0 && at >= channel.refresh_due && (!rules_.per_bank || channel.refresh_bank == bank);
}

// What the burst needs next, if it can come before a refresh that is due.
void DramController::consider(std::uint32_t channel, std::uint32_t bank, std::size_t index, Choice& best) {
  Channel& c = channels_[channel];
  const Burst& burst = queue(c).banks[bank][index];
  DramCommand command = DramCommand::activate;
  if (c.banks.open(bank)) {
    command = c.banks.row(bank) != burst.row ? DramCommand::precharge
              : burst.access == Access::read ? DramCommand::read
                                             : DramCommand::write;
  }
  Choice choice = timed(command, channel, bank);
  if (burst.arrival >= choice.at) choice.limit = DramLimit::nothing;
  choice.rank = is_column(command) ? 1 : 2;
  choice.age = burst.age;
  choice.index = index;
  if (!held_by_refresh(c, bank, choice.at) && choice.before(best)) best = choice;
}

DramController::Choice DramController::refresh(std::uint32_t channel) const {
  const Channel& c = channels_[channel];
  DramCommand command = DramCommand::refresh_all;
  if (rules_.per_bank) {
    command = c.banks.open(*c.refresh_bank) ? DramCommand::precharge : DramCommand::refresh_bank;
  } else if (c.banks.open_banks() > 0) {
    command = DramCommand::precharge_all;
  }
  Choice choice = timed(command, channel, c.refresh_bank.value_or(0));
  choice.at = std::max(choice.at, c.refresh_due);
  choice.for_refresh = true;
  return choice;
}

// The bank whose refresh is due next.
void DramController::choose_refresh(Channel& c) {
  if (std::find(c.refreshed.begin(), c.refreshed.end(), false) == c.refreshed.end()) {
    std::fill(c.refreshed.begin(), c.refreshed.end(), false);
  }
  for (std::uint32_t bank = 0; bank < c.refreshed.size(); ++bank) {
    if (c.refreshed[bank]) continue;
    const auto before = [&](std::uint32_t a, std::uint32_t b) {
      const std::size_t waiting_a = c.reads.banks[a].size() + c.writes.banks[a].size();
      const std::size_t waiting_b = c.reads.banks[b].size() + c.writes.banks[b].size();
      return waiting_a != waiting_b ? waiting_a < waiting_b : c.opened[a] > c.opened[b];
    };
    if (!c.refresh_bank || before(bank, *c.refresh_bank)) c.refresh_bank = bank;
  }
}

// The next command for a burst.
DramController::Choice DramController::work(std::uint32_t channel) {
  Channel& c = channels_[channel];
  Choice best;
  const Queue& q = queue(c);
  if (q.size == 0) return best;
  if (memory_.scheduler == profile::DramScheduler::fcfs || q.passes >= memory_.starvation_passes) {
    consider(channel, oldest_bank(q), 0, best);
    return best;
  }
  for (const std::uint32_t bank : q.used) {
    const std::vector<Burst>& waiting = q.banks[bank];
    std::size_t index = 0;
    if (c.banks.open(bank)) {
      const std::uint64_t row = c.banks.row(bank);
      const auto hit = std::find_if(waiting.begin(), waiting.end(), [&](const Burst& b) { return b.row == row; });
      if (hit != waiting.end()) index = static_cast<std::size_t>(hit - waiting.begin());
    }
    consider(channel, bank, index, best);
  }
  return best;
}

DramController::Choice DramController::best(std::uint32_t channel) {
  Channel& c = channels_[channel];
  choose_direction(c);
  Choice best = work(channel);
  if (rules_.trefi == 0) return best;
  if (rules_.per_bank && !c.refresh_bank && best.at >= c.refresh_due) {
    choose_refresh(c);
    best = work(channel);
  }
  if (!rules_.per_bank || c.refresh_bank) {
    const Choice due = refresh(channel);
    if (due.before(best)) best = due;
  }
  return best;
}

// False where there is nothing to do, or nothing by `until`.
bool DramController::step(TimePs until) {
  bool work = false;
  TimePs arrival = time_never;
  for (Channel& c : channels_) {
    take(c);
    work = work || c.reads.size + c.writes.size + c.arriving.size() > 0;
    if (!c.arriving.empty() && has_room(c, c.arriving.front().access)) {
      arrival = std::min(arrival, c.arriving.front().arrival);
    }
  }
  if (!work) return false;
  Choice next;
  for (std::uint32_t i = 0; i < channels_.size(); ++i) {
    const Choice c = best(i);
    if (c.before(next)) next = c;
  }
  if (std::min(arrival, next.at) > until) return false;
  if (arrival <= next.at) {
    now_ = arrival;
    return true;
  }
  give(next);
  return true;
}

void DramController::write_down(TimePs at, const Choice& c, std::uint64_t row, bool automatic, std::uint64_t burst) {
  if (log_ != nullptr) log_->push_back({at, c.command, c.channel, c.bank, row, automatic, burst});
}

void DramController::give(const Choice& choice) {
  now_ = choice.at;
  ++counts_.commands;
  const TimePs free = now_ + rules_.tck;
  const bool one_bus = memory_.command_buses < 2;
  if (is_column(choice.command) || one_bus) column_pins_ = free;
  if (!is_column(choice.command) || one_bus) row_pins_ = free;
  Channel& c = channels_[choice.channel];
  if (is_column(choice.command)) {
    give_column(choice);
    return;
  }
  std::uint64_t row = c.banks.row(choice.bank);
  if (!choice.for_refresh) {
    Burst& burst = queue(c).banks[choice.bank][choice.index];
    if (burst.found == Row::open) burst.found = choice.command == DramCommand::precharge ? Row::other : Row::closed;
    row = burst.row;
  }
  const std::uint32_t open = c.banks.open_banks();
  c.banks.issue(choice.command, choice.bank, row, now_, choice.limit);
  write_down(now_, choice, row, false, 0);
  switch (choice.command) {
    case DramCommand::activate: c.opened[choice.bank] = ++counts_.activations; break;
    case DramCommand::precharge:
    case DramCommand::precharge_all: counts_.precharges += open - c.banks.open_banks(); break;
    case DramCommand::refresh_all:
    case DramCommand::refresh_bank:
      ++counts_.refreshes;
      counts_.refresh_ps += rules_.trfc;
      c.refresh_due += rules_.trefi;
      if (c.refresh_bank) c.refreshed[*c.refresh_bank] = true;
      c.refresh_bank.reset();
      break;
    case DramCommand::read:
    case DramCommand::write: break;
  }
}

void DramController::give_column(const Choice& choice) {
  Channel& c = channels_[choice.channel];
  Queue& q = queue(c);
  std::vector<Burst>& waiting = q.banks[choice.bank];
  const Burst burst = waiting[choice.index];
  q.passes = choice.index == 0 && oldest_bank(q) == choice.bank ? 0 : q.passes + 1;
  waiting.erase(waiting.begin() + static_cast<std::ptrdiff_t>(choice.index));
  --q.size;
  if (waiting.empty()) {
    *std::find(q.used.begin(), q.used.end(), choice.bank) = q.used.back();
    q.used.pop_back();
  }
  c.banks.issue(choice.command, choice.bank, burst.row, now_);
  write_down(now_, choice, burst.row, false, burst.age);
  const bool read = burst.access == Access::read;
  const TimePs begin = now_ + (read ? rules_.tcl : rules_.tcwl);
  if (c.data_end != 0 && begin > c.data_end) counts_.idle_ps[static_cast<std::size_t>(choice.limit)] += begin - c.data_end;
  c.data_end = begin + rules_.burst;
  counts_.busy_ps += rules_.burst;
  ++(read ? counts_.reads : counts_.writes);
  ++(burst.found == Row::open ? counts_.row_hits : burst.found == Row::closed ? counts_.row_misses : counts_.row_conflicts);
  if (memory_.pages == profile::DramPages::closed) close_unneeded(choice, burst.row);
}

// Closed pages: the last burst of a row that waits closes it, with its own command.
void DramController::close_unneeded(const Choice& choice, std::uint64_t row) {
  Channel& c = channels_[choice.channel];
  const auto needs = [row](const Burst& b) { return b.row == row; };
  for (const Queue* q : {&c.reads, &c.writes}) {
    const std::vector<Burst>& waiting = q->banks[choice.bank];
    if (std::any_of(waiting.begin(), waiting.end(), needs)) return;
  }
  Choice close = choice;
  close.command = DramCommand::precharge;
  const TimePs at = c.banks.ready(DramCommand::precharge, choice.bank).at;
  c.banks.issue(DramCommand::precharge, choice.bank, row, at);
  ++counts_.precharges;
  write_down(at, close, row, true, 0);
}

}  // namespace sluice::memory
