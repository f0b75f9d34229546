// The options of clBuildProgram, clCompileProgram and clLinkProgram (OpenCL 3.0, section 5.8.6): which there are, and
// what they mean to clang. An option that the specification does not list is refused, so none of a program's options
// reaches clang unseen.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice::compiler {

struct CompileOptions {
  std::vector<std::string> clang;  // for clang's cc1; -D and -I as two arguments each
  std::string standard = "CL1.2";  // "If the -cl-std build option is not specified, the highest OpenCL C 1.x"
  bool optimise = true;            // no -cl-opt-disable
};

struct LinkOptions {
  bool create_library = false;
  bool enable_link_options = false;
};

// Both: false, and `error` in words that belong into a build log, if an option is none or is not complete.
[[nodiscard]] bool parse_compile_options(std::string_view text, CompileOptions& options, std::string& error);
[[nodiscard]] bool parse_link_options(std::string_view text, LinkOptions& options, std::string& error);

// Splits at white space as a shell does: quotes group, a backslash takes the next character as it is (inside single
// quotes it is one itself). False: a quote is not closed.
[[nodiscard]] bool split_options(std::string_view text, std::vector<std::string>& words);

}  // namespace sluice::compiler
