// Addresses of the program's code as functions and lines.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "api/strict/findings.h"

namespace sluice::api::strict {

// Frames of the program, innermost first: those of the signal handler before `instruction` and of the C library's start
// are left out. Not in a handler.
[[nodiscard]] std::vector<Frame> frames_of(std::span<const void* const> addresses, std::uintptr_t instruction);

// The calling thread's stack, as addresses; cheap enough for each call that may turn out to be a misuse.
[[nodiscard]] std::vector<const void*> stack_here();
// Of what stack_here() gave inside the driver: from the program's call of the API on.
[[nodiscard]] std::vector<Frame> frames_of_call(std::span<const void* const> stack);

}  // namespace sluice::api::strict
