#include "api/compiler/options.h"

#include <algorithm>
#include <utility>

namespace sluice::compiler {

namespace {

using std::string_view;

struct Flag {
  string_view name;
  string_view clang;  // empty: nothing for clang to do
};

// Options without an argument that may be given to a compilation.
constexpr Flag kFlags[] = {
    {"-w", "-w"},
    {"-Werror", "-Werror"},
    {"-g", ""},  // line tables are always written; the engine's reports need them
    {"-cl-opt-disable", ""},
    {"-cl-single-precision-constant", "-cl-single-precision-constant"},
    {"-cl-denorms-are-zero", "-fdenormal-fp-math-f32=preserve-sign"},
    {"-cl-fp32-correctly-rounded-divide-sqrt", "-cl-fp32-correctly-rounded-divide-sqrt"},
    {"-cl-strict-aliasing", ""},  // OpenCL 1.0: the rules of C99, which hold anyway
    {"-cl-mad-enable", "-cl-mad-enable"},
    {"-cl-no-signed-zeros", "-cl-no-signed-zeros"},
    {"-cl-unsafe-math-optimizations", "-cl-unsafe-math-optimizations"},
    {"-cl-finite-math-only", "-cl-finite-math-only"},
    {"-cl-fast-relaxed-math", "-cl-fast-relaxed-math"},
    {"-cl-uniform-work-group-size", "-cl-uniform-work-group-size"},
    {"-cl-no-subgroup-ifp", ""},  // a permission: sub-groups make progress all the same
    {"-cl-kernel-arg-info", "-cl-kernel-arg-info"},
};

constexpr string_view kStandards[] = {"CL1.0", "CL1.1", "CL1.2", "CL2.0", "CL3.0"};

// "These options are provided for the linker"; each is a permission, of which the linker makes no use.
constexpr string_view kLinkPermissions[] = {"-cl-denorms-are-zero", "-cl-no-signed-zeroes", "-cl-no-signed-zeros",
                                            "-cl-unsafe-math-optimizations", "-cl-finite-math-only",
                                            "-cl-fast-relaxed-math", "-cl-no-subgroup-ifp"};

constexpr bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool unknown(string_view word, string_view kind, std::string& error) {
  error = "error: unknown " + std::string(kind) + " option '" + std::string(word) + "'\n";
  return false;
}

bool split(string_view text, std::vector<std::string>& words, std::string& error) {
  if (split_options(text, words)) return true;
  error = "error: a quote in the options is not closed\n";
  return false;
}

}  // namespace

bool split_options(string_view text, std::vector<std::string>& words) {
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && is_space(c)) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
      continue;
    }
    in_word = true;
    if (c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
    } else {
      word += c;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return quote == 0;
}

bool parse_compile_options(string_view text, CompileOptions& options, std::string& error) {
  std::vector<std::string> words;
  if (!split(text, words, error)) return false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const string_view word = words[i];
    if (word.starts_with("-D") || word.starts_with("-I")) {
      // With its argument attached or as the next word.
      std::string argument(word.substr(2));
      if (argument.empty() && i + 1 < words.size()) argument = words[++i];
      if (argument.empty()) {
        error = "error: option '" + std::string(word) + "' needs an argument\n";
        return false;
      }
      options.clang.emplace_back(word.substr(0, 2));
      options.clang.push_back(std::move(argument));
      continue;
    }
    if (word.starts_with("-cl-std=")) {
      const string_view standard = word.substr(sizeof "-cl-std=" - 1);
      if (std::find(std::begin(kStandards), std::end(kStandards), standard) == std::end(kStandards)) {
        return unknown(word, "build", error);
      }
      options.standard = standard;
      continue;
    }
    const auto* flag =
        std::find_if(std::begin(kFlags), std::end(kFlags), [&](const Flag& f) { return f.name == word; });
    if (flag == std::end(kFlags)) return unknown(word, "build", error);
    if (!flag->clang.empty()) options.clang.emplace_back(flag->clang);
    if (word == "-cl-opt-disable") options.optimise = false;
  }
  return true;
}

bool parse_link_options(string_view text, LinkOptions& options, std::string& error) {
  std::vector<std::string> words;
  if (!split(text, words, error)) return false;
  for (const std::string& word : words) {
    if (word == "-create-library") {
      options.create_library = true;
    } else if (word == "-enable-link-options") {
      options.enable_link_options = true;
    } else if (std::find(std::begin(kLinkPermissions), std::end(kLinkPermissions), word) ==
               std::end(kLinkPermissions)) {
      return unknown(word, "linker", error);
    }
  }
  // "-enable-link-options ... can be specified only when creating a library with -create-library".
  if (options.enable_link_options && !options.create_library) {
    error = "error: '-enable-link-options' needs '-create-library'\n";
    return false;
  }
  return true;
}

}  // namespace sluice::compiler
