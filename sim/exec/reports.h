// The sentences of KernelReports: kernel, source line, work-item, what was done, nearest buffer and offset.
// They name no address of this process, so they are the same on every run.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "sim/exec/program_image.h"
#include "sim/exec/runtime.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::exec {

struct Where {
  const KernelImage& kernel;
  std::array<std::uint64_t, 3> work_item;  // global id
  std::array<std::uint64_t, 3> group;
};

// `base` and `bytes`: the object that was meant, 0 if none is known.
[[nodiscard]] std::string bad_access_report(const Where& where, const Site& site, std::uint64_t address,
                                            std::uint64_t base, std::uint64_t bytes, const MemoryMap* memory);
[[nodiscard]] std::string hang_report(const Where& where, std::uint64_t line, std::uint64_t instructions);
[[nodiscard]] std::string barrier_report(const Where& where, std::uint32_t line, std::uint32_t other_line);
// Of work-items of one sub-group that come to different operations, or to none.
[[nodiscard]] std::string sub_group_report(const Where& where, std::uint32_t line, std::uint32_t other_line);
[[nodiscard]] std::string early_end_of_sub_group_report(const Where& where, std::uint32_t line);
[[nodiscard]] std::string early_end_report(const Where& where, std::uint32_t barrier_line);
// `argument`: the pipe's, negative if it is not known.
[[nodiscard]] std::string pipe_report(const Where& where, std::uint64_t line, SluicePipeEvent misuse,
                                      std::int32_t argument);
[[nodiscard]] std::string open_reservations_report(const KernelImage& kernel, std::int32_t argument,
                                                   std::int64_t reservations);

}  // namespace sluice::exec
