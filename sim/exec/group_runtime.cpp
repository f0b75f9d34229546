// What generated code asks the runner for, and the functions by which it does.
#include <algorithm>
#include <cstring>

#include "sim/exec/group_runner.h"
#include "sim/exec/print_format.h"

namespace sluice::exec {
namespace {

std::uint64_t address_of(const void* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

}  // namespace

Where GroupRunner::where(const Item& item) const {
  return {kernel_,
          {item.ids[global_id_word], item.ids[global_id_word + 1], item.ids[global_id_word + 2]},
          {state_.words[0], state_.words[1], state_.words[2]}};
}

void GroupRunner::report(const std::string& text) {
  if (!reported_ && launch_.reports != nullptr) launch_.reports->bad_access(text);
  reported_ = true;
  told_all_ = false;
}

// A buffer, argument or program-scope variable that holds the whole access.
AddressRange GroupRunner::find_range(std::uint64_t address, std::uint64_t bytes) const {
  if (launch_.memory != nullptr) {
    const MemoryRange* range = launch_.memory->find(reinterpret_cast<std::byte*>(address));
    if (range != nullptr) {
      const AddressRange found{address_of(range->data), range->size_bytes};
      if (found.holds(address, bytes)) return found;
    }
  }
  for (std::size_t i = 0; i < launch_.arguments.size(); ++i) {
    const ArgumentKind kind = kernel_.info.arguments[i].kind;
    if (kind != ArgumentKind::global && kind != ArgumentKind::constant) continue;
    const AddressRange found{address_of(launch_.arguments[i].data), launch_.arguments[i].size_bytes};
    if (found.holds(address, bytes)) return found;
  }
  const NativeCode* const quiet = quiet_ != nullptr ? quiet_->code.get() : nullptr;
  for (const NativeCode* code : {&code_, program_->variables(), quiet}) {
    if (code == nullptr) continue;
    for (const Variable& variable : code->variables()) {
      const AddressRange found{variable.address, variable.bytes};
      if (found.holds(address, bytes)) return found;
    }
  }
  return {};
}

// An SVM pointer into an allocation, or a sub-buffer: what lies around it in the same memory may be touched, too. `base`
// is 0 where it is known only at run time which of several arguments a pointer came from.
bool GroupRunner::is_around_an_argument(const Site& site, std::uint64_t address, std::uint64_t base) const {
  if (site.argument >= 0 && base == 0) return false;
  const MemoryRange* range = launch_.memory->find(reinterpret_cast<std::byte*>(base != 0 ? base : address));
  if (range == nullptr) return false;
  const AddressRange around{address_of(range->data), range->size_bytes};
  if (!around.holds(address, site.bytes)) return false;
  return base != 0 || std::any_of(launch_.arguments.begin(), launch_.arguments.end(), [&](const LaunchArgument& a) {
           return a.data != nullptr && around.holds(address_of(a.data));
         });
}

void* GroupRunner::check(Item& item, const Site& site, std::uint64_t address, std::uint64_t base, std::uint64_t bytes) {
  auto* const pointer = reinterpret_cast<void*>(address);
  const bool is_generic = site.space == SiteSpace::generic;
  if (!site.exact && site.space != SiteSpace::private_) {
    if ((is_generic || site.space == SiteSpace::local) && memory_.local.holds(address, site.bytes)) return pointer;
    const AddressRange own{address_of(item.private_memory), private_stride_};
    if (is_generic && own.holds(address, site.bytes)) return pointer;
    if (site.space != SiteSpace::local) {
      const AddressRange found = find_range(address, site.bytes);
      if (found.bytes != 0) {
        state_.recent_base = found.first;
        state_.recent_bytes = found.bytes;
        return pointer;
      }
    }
  } else if (site.space != SiteSpace::local && site.space != SiteSpace::private_ && launch_.memory != nullptr &&
             is_around_an_argument(site, address, base)) {
    return pointer;
  }
  place_items();  // loops over them have not
  report(bad_access_report(where(item), site, address, site.exact ? base : 0, bytes, launch_.memory));
  failed_ = true;
  std::memset(sink_.data(), 0, std::min<std::uint64_t>(sink_.bytes(), site.bytes));
  return sink_.data();
}

std::uint32_t GroupRunner::late(Item& item, std::uint64_t line, std::uint64_t issued, std::uint32_t waits) {
  if (issued > budget_) {
    hang(item, line);
    return 1;
  }
  if ((waits & sluice_waits_for_items) != 0 && runnable_ > 1) return 2;
  if ((waits & sluice_waits_for_groups) != 0) {
    // What the turn of others leaves as it is while they run: each group has a runner of its own.
    if (!turns_.give_way()) {
      failed_ = true;
      budget_ = 0;
      return 1;
    }
    state_.recent_bytes = 0;  // the host may have freed it
    item.limit = std::min(budget_, issued + turns_.instructions());
  } else {
    item.limit = std::min(budget_, issued + first_turn);
  }
  return 0;
}

void GroupRunner::hang(const Item& item, std::uint64_t line) {
  report(hang_report(where(item), line, program_->options().group_instruction_limit));
  failed_ = true;
  budget_ = 0;
}

std::string_view GroupRunner::string_at(std::uint64_t address) const {
  const NativeCode* const quiet = quiet_ != nullptr ? quiet_->code.get() : nullptr;
  for (const NativeCode* code : {&code_, program_->variables(), quiet}) {
    if (code == nullptr) continue;
    for (const Variable& variable : code->variables()) {
      const AddressRange range{variable.address, variable.bytes};
      if (!range.holds(address)) continue;
      const auto* text = reinterpret_cast<const char*>(address);
      return {text, strnlen(text, range.bytes - (address - range.first))};
    }
  }
  return {};
}

void GroupRunner::print(const char* format, const char* types, const std::byte* values) {
  told_all_ = false;
  if (launch_.reports == nullptr) return;
  const std::string_view text = string_at(address_of(format));
  launch_.reports->print(
      format_print(text, types, values, [this](std::uint64_t address) { return string_at(address); }));
}

// The first argument that is this pipe; negative: none.
std::int32_t GroupRunner::pipe_argument(std::uint64_t pipe) const {
  const auto& arguments = launch_.arguments;
  const auto found = std::find_if(arguments.begin(), arguments.end(),
                                  [&](const LaunchArgument& a) { return pipe != 0 && address_of(a.data) == pipe; });
  return found == arguments.end() ? -1 : static_cast<std::int32_t>(found - arguments.begin());
}

void GroupRunner::pipe_event(const Item& item, SluicePipeEvent event, std::uint64_t pipe, std::uint64_t line) {
  if (event == SluicePipeEvent::reserved) {
    ++open_reservations_[pipe];
  } else if (event == SluicePipeEvent::committed) {
    --open_reservations_[pipe];
  } else {
    report(pipe_report(where(item), line, event, pipe_argument(pipe)));
  }
}

void GroupRunner::report_open(std::uint64_t pipe, std::int64_t reservations) {
  report(open_reservations_report(kernel_, pipe_argument(pipe), reservations));
}

std::uint32_t GroupRunner::space(std::uint64_t address) const {
  if (memory_.local.holds(address)) return 3;
  return memory_.private_memory.holds(address) ? 0 : 1;
}

}  // namespace sluice::exec

using sluice::exec::Item;
using sluice::exec::LogEntry;

void* sluice_exec_check(Item* item, std::uint64_t site, std::uint64_t address, std::uint64_t base,
                        std::uint64_t bytes) {
  auto& runner = *item->group->runner;
  return runner.check(*item, runner.site(site), address, base, bytes);
}
LogEntry* sluice_exec_full(Item* item, LogEntry* end) {
  return item->group->runner->log_full(end);
}
std::uint32_t sluice_exec_late(Item* item, std::uint64_t line, std::uint64_t issued, std::uint32_t waits) {
  return item->group->runner->late(*item, line, issued, waits);
}
void sluice_exec_print(Item* item, const char* format, const char* types, const std::byte* values) {
  item->group->runner->print(format, types, values);
}
void sluice_exec_pipe(Item* item, SluicePipeEvent event, std::uint64_t pipe, std::uint64_t line) {
  item->group->runner->pipe_event(*item, event, pipe, line);
}
void* sluice_exec_frame(Item* item, std::uint64_t bytes) {
  return item->group->runner->frame(*item, bytes);
}
std::uint32_t sluice_exec_space(Item* item, std::uint64_t address) {
  return item->group->runner->space(address);
}
std::uint32_t sluice_exec_rows(Item* item, const sluice::exec::RowSite* sites, std::uint64_t count,
                               std::uint64_t classes) {
  return item->group->runner->take_rows({sites, count}, classes) ? 0 : 1;
}
