// What --help says, and the same for manual pages and the shells' completion: one source, the options of the command.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

namespace sluice::tools {

// Of values whose type says what may stand there, for completion.
inline constexpr const char* type_machine = "MACHINE";  // a shipped profile or a file
inline constexpr const char* type_file = "FILE";
inline constexpr const char* type_folder = "FOLDER";

struct OptionText {
  std::vector<std::string> names;  // "-o", "--output"; of a positional its name
  std::string value;               // "FILE"; empty: a flag
  std::vector<std::string> words;  // all values there are; empty: others
  bool is_optional = false;        // the value: --strict[=abort]
  bool is_positional = false;
  bool is_required = false;
  bool takes_many = false;
  std::string description;
  [[nodiscard]] std::string synopsis() const;  // "--strict[=report|abort]"
};
[[nodiscard]] OptionText text_of(const CLI::Option& option);
// Options first, as they were added.
[[nodiscard]] std::vector<OptionText> options_of(const CLI::App& app);
// Those that --help lists.
[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& app);
// "sluice run [OPTIONS] -- PROGRAM [ARG...]"
[[nodiscard]] std::string usage_of(const CLI::App& app, const std::string& name);

// Whether a program follows after "--".
[[nodiscard]] bool takes_program(const CLI::App& command);

// A footer is paragraphs; one that begins with "Heading:" has lines "  WHAT   meaning", as this one gives them.
[[nodiscard]] std::string list_of(const std::string& heading,
                                  const std::vector<std::pair<std::string, std::string>>& lines);

class HelpFormatter : public CLI::Formatter {
 public:
  HelpFormatter() { label("Subcommands", "Commands"); }
  std::string make_usage(const CLI::App* app, std::string name) const override;
  std::string make_option_name(const CLI::Option* option, bool is_positional) const override;
  std::string make_option_opts(const CLI::Option* option) const override;
};

// sluice.1 and a page for each command, into a folder; false: they cannot be written.
[[nodiscard]] bool write_manual(const CLI::App& app, const std::string& folder);
[[nodiscard]] std::string bash_completion(const CLI::App& app);
[[nodiscard]] std::string zsh_completion(const CLI::App& app);

}  // namespace sluice::tools
