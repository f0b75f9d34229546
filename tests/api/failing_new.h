// Makes operator new fail on purpose, in the test and in the driver that it loads: the dynamic linker prefers the
// program's definition.
#pragma once

// The calling thread's allocation number `n` (0 is the next one) throws std::bad_alloc; negative: none does.
void fail_allocation(long n) noexcept;
// True if the allocation that was to fail was reached.
[[nodiscard]] bool allocation_failed() noexcept;
