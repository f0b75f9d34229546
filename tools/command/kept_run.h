// Runs of measuring programs, each of which takes minutes, kept in a folder: parts of a comparison can run side by side and
// be put together later.
#pragma once

#include <string>
#include <vector>

#include "tools/command/child.h"

namespace sluice::tools {

// As run_child(). With a `folder`, what the program printed stays there in `name`, once it has ended well, and a later call
// takes it from there, if it is of the same `origin`: one line, which tells machine, program and arguments.
[[nodiscard]] ChildResult run_kept(const std::vector<std::string>& command, const ChildOptions& options,
                                   const std::string& folder, const std::string& name, const std::string& origin);

}  // namespace sluice::tools
