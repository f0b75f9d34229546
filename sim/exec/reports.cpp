#include "sim/exec/reports.h"

#include <fmt/format.h>

namespace sluice::exec {
namespace {

std::string triple(const std::array<std::uint64_t, 3>& n) {
  return fmt::format("({},{},{})", n[0], n[1], n[2]);
}

std::string at(const Where& where, std::uint64_t line) {
  std::string text = fmt::format("kernel '{}', ", where.kernel.info.name);
  if (line != 0) text += fmt::format("line {}, ", line);
  return text + fmt::format("work-item {}, group {}: ", triple(where.work_item), triple(where.group));
}

const char* verb(SiteKind kind) {
  switch (kind) {
    case SiteKind::store:
      return "store";
    case SiteKind::atomic:
      return "atomic access";
    default:
      return "load";
  }
}

std::string pipe_name(const KernelImage& kernel, std::int32_t argument) {
  if (argument < 0) return "a pipe";
  const std::string& name = kernel.info.arguments[static_cast<std::size_t>(argument)].name;
  return fmt::format("the pipe of argument {}{}", argument, name.empty() ? "" : " '" + name + "'");
}

std::string object_name(const Where& where, const Site& site) {
  if (site.argument >= 0) {
    const std::string& name = where.kernel.info.arguments[static_cast<std::size_t>(site.argument)].name;
    const char* what = site.space == SiteSpace::local ? "local memory of argument" : "the buffer of argument";
    return fmt::format("{} {}{}", what, site.argument, name.empty() ? "" : " '" + name + "'");
  }
  const char* space = site.space == SiteSpace::local      ? "local"
                      : site.space == SiteSpace::private_ ? "private"
                      : site.space == SiteSpace::constant ? "constant"
                                                          : "program-scope";
  return fmt::format("{} variable{}", space, site.object.empty() ? "" : " '" + site.object + "'");
}

std::string nearest(std::uint64_t address, const MemoryMap* memory) {
  if (memory == nullptr || memory->ranges().empty()) return "there is no buffer";
  auto* const pointer = reinterpret_cast<std::byte*>(address);
  const auto above = memory->ranges().upper_bound(pointer);
  auto chosen = above;
  if (above == memory->ranges().end()) {
    --chosen;
  } else if (above != memory->ranges().begin()) {
    const auto below = std::prev(above);
    const std::uint64_t below_end = reinterpret_cast<std::uint64_t>(below->first) + below->second.size_bytes;
    const std::uint64_t beyond = address >= below_end ? address - below_end : 0;
    if (beyond <= reinterpret_cast<std::uint64_t>(above->first) - address) chosen = below;
  }
  const auto offset = static_cast<std::int64_t>(address - reinterpret_cast<std::uint64_t>(chosen->first));
  return fmt::format("the nearest buffer has {} bytes, seen from its start the offset is {}", chosen->second.size_bytes,
                     offset);
}

}  // namespace

std::string bad_access_report(const Where& where, const Site& site, std::uint64_t address, std::uint64_t base,
                              std::uint64_t bytes, const MemoryMap* memory) {
  std::string text = at(where, site.line) + fmt::format("{} of {} bytes ", verb(site.kind), site.bytes);
  if (base != 0) {
    return text + fmt::format("outside {} of {} bytes, at offset {}", object_name(where, site), bytes,
                              static_cast<std::int64_t>(address - base));
  }
  if (address < 4096) return text + fmt::format("at address {}, a null pointer", address);
  if (site.space == SiteSpace::local) return text + "outside the local memory of its group";
  return text + "outside every buffer; " + nearest(address, memory);
}

std::string hang_report(const Where& where, std::uint64_t line, std::uint64_t instructions) {
  return at(where, line) +
         fmt::format("the loop there has not ended after {} instructions of the group; stopped", instructions);
}

std::string barrier_report(const Where& where, std::uint32_t line, std::uint32_t other_line) {
  return at(where, line) +
         fmt::format("divergent barrier: waits here while others of its group wait at line {}", other_line);
}

std::string sub_group_report(const Where& where, std::uint32_t line, std::uint32_t other_line) {
  return at(where, line) +
         fmt::format("divergent sub-group function: waits here while others of its sub-group wait at line {}", other_line);
}

std::string early_end_of_sub_group_report(const Where& where, std::uint32_t line) {
  return at(where, 0) + fmt::format("divergent sub-group function: ended while others of its sub-group wait at line {}; "
                                    "they go on without it",
                                    line);
}

std::string early_end_report(const Where& where, std::uint32_t barrier_line) {
  return at(where, 0) +
         fmt::format("divergent barrier: ended while others of its group wait at line {}; they go on without it",
                     barrier_line);
}

std::string pipe_report(const Where& where, std::uint64_t line, SluicePipeEvent misuse, std::int32_t argument) {
  const char* what = "";
  switch (misuse) {
    case SluicePipeEvent::wrong_size:
      what = "its packets have another size than the type that the kernel declares for them";
      break;
    case SluicePipeEvent::wrong_reservation:
      what = "this is no reservation of it that was made for this and is not committed yet";
      break;
    case SluicePipeEvent::wrong_index:
      what = "the reservation has no packet of this index";
      break;
    default:
      break;
  }
  return at(where, line) + fmt::format("{}: {}", pipe_name(where.kernel, argument), what);
}

std::string open_reservations_report(const KernelImage& kernel, std::int32_t argument, std::int64_t reservations) {
  return fmt::format("kernel '{}': {}: {} reservation{} made and never committed; what comes behind waits for ever",
                     kernel.info.name, pipe_name(kernel, argument), reservations, reservations == 1 ? "" : "s");
}

}  // namespace sluice::exec
