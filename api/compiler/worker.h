// Where the compiler works. clang and LLVM recurse as deep as their input nests and end the process on what they hold
// to be impossible, so they run
// - on a thread of their own, with a large stack, without the program's signals and with real clocks;
// - in a forked child, with bounded memory and time, if the input is not to be trusted: all SPIR-V (its translator ends
//   the process on modules that it does not expect), source that is not plain (shape.h), and kernels that are large.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::compiler {

// Called at the start of each of the compiler's threads; the driver sets it to bypass the virtual clocks.
void set_thread_start(void (*function)());

// Runs `work` and waits for it; passes its exception on.
void on_large_stack(const std::function<void()>& work);

// Processor time that a child may take: SLUICE_BUILD_SECONDS, or 120. It does not change what is compiled.
[[nodiscard]] unsigned build_seconds();
// nullopt: not a number of seconds, at least 1 and at most a day.
[[nodiscard]] std::optional<unsigned> parse_build_seconds(std::string_view text);

// Runs `work` in a child process and returns what it returned. nullopt, with the reason in `error`: the child died, took
// too long, or there can be none. Only inside on_large_stack().
[[nodiscard]] std::optional<std::string> isolated(const std::function<std::string()>& work, std::string& error);

}  // namespace sluice::compiler
