// Waits for a program, and does meanwhile what it needs: passes signals on, reads its output, gives it input, ends it.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "tools/command/child.h"

namespace sluice::tools {

// What is to be blocked from before the program starts until it has been waited for.
[[nodiscard]] sigset_t watched_signals();

// Fills in what the program's end says. `output`: of the program, read only if that is captured.
void watch(pid_t program, int output, const ChildOptions& options, ChildResult& result);

}  // namespace sluice::tools
