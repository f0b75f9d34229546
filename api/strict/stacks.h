// Addresses of the program's code as functions and lines.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "api/strict/findings.h"

namespace sluice::api::strict {

// Frames of the program, innermost first: those of the signal handler before `instruction`, of this driver and its
// preloaded library within the program's call, and of the C library's start are left out. Not in a handler.
[[nodiscard]] std::vector<Frame> frames_of(std::span<const void* const> addresses, std::uintptr_t instruction = 0);

// The calling thread's stack, as addresses: some microseconds.
[[nodiscard]] std::vector<const void*> stack_here();

// The stacks of calls, of which any may turn out to be a misuse later. A call that comes from where one came before
// finds the same return addresses at the same places, and is not unwound again: some ten loads instead of microseconds.
// Its owner sees to it that one thread uses it at a time.
class CallStacks {
 public:
  using Stack = std::shared_ptr<const std::vector<const void*>>;
  // Of the calling thread.
  [[nodiscard]] Stack here();

 private:
  struct Known {
    std::uintptr_t frame = 0;   // of here()
    std::uintptr_t thread = 0;  // whose stack is there to be read
    struct Return {
      const void* const* place;
      const void* address;
    };
    std::vector<Return> returns;  // innermost first
    Stack stack;
  };
  static constexpr std::size_t sets = 8;  // by frame; calls from one function have the same
  static constexpr std::size_t ways = 8;

  std::array<std::array<Known, ways>, sets> known_;
  std::array<std::uint8_t, sets> oldest_{};
};

}  // namespace sluice::api::strict
