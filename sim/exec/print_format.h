// printf of OpenCL C 3.0, section 6.15.14: C's conversions, vectors (%v4hlf), no %n and no *.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace sluice::exec {

// `types` and `values` as sluice_exec_print() gets them; `string_at` reads a literal of the program ("" if it is none).
[[nodiscard]] std::string format_print(std::string_view format, std::string_view types, const std::byte* values,
                                       const std::function<std::string_view(std::uint64_t)>& string_at);

}  // namespace sluice::exec
