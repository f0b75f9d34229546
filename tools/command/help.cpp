#include "tools/command/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <sstream>

namespace sluice::tools {

std::string OptionText::synopsis() const {
  if (is_positional) return names.front();
  std::string text = fmt::format("{}", fmt::join(names, ", "));
  const std::string allowed = words.empty() ? value : fmt::format("{}", fmt::join(words, "|"));
  if (is_optional) return text + "[=" + allowed + "]";
  return value.empty() ? text : text + " " + allowed;
}

OptionText text_of(const CLI::Option& option) {
  OptionText text;
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  text.is_positional = option.get_positional();
  if (text.is_positional) text.names = {option.get_name(true, false)};
  // "TYPE:{one,other}", where a check has a list.
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  text.value = type.substr(0, colon);
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open != std::string::npos && close != std::string::npos) {
    std::istringstream list(type.substr(open + 1, close - open - 1));
    for (std::string word; std::getline(list, word, ',');) text.words.push_back(word);
  }
  text.is_optional = option.get_expected_max() == 0 && !text.words.empty();
  if (option.get_expected_max() == 0 && !text.is_optional) text.value.clear();
  text.is_required = option.get_required();
  text.takes_many = option.get_expected_max() > 1 || option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  text.description = option.get_description();
  return text;
}

std::vector<OptionText> options_of(const CLI::App& app) {
  std::vector<OptionText> all;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) all.push_back(text_of(*option));
  }
  std::stable_partition(all.begin(), all.end(), [](const OptionText& o) { return !o.is_positional; });
  return all;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

bool takes_program(const CLI::App& command) {
  constexpr std::array names = {"run", "record", "compare"};
  return std::find(names.begin(), names.end(), command.get_name()) != names.end();
}

std::string usage_of(const CLI::App& app, const std::string& name) {
  std::string usage = name + " [OPTIONS]";
  for (const OptionText& option : options_of(app)) {
    if (!option.is_positional && option.is_required) usage += " " + option.synopsis().substr(option.synopsis().find("--"));
    if (option.is_positional) {
      const std::string shown = option.names.front() + (option.takes_many ? "..." : "");
      usage += option.is_required ? " " + shown : " [" + shown + "]";
    }
  }
  if (!commands_of(app).empty()) usage += " COMMAND";
  if (takes_program(app)) usage += " -- PROGRAM [ARG...]";
  return usage;
}

std::string list_of(const std::string& heading, const std::vector<std::pair<std::string, std::string>>& lines) {
  std::size_t width = 0;
  for (const auto& [what, meaning] : lines) width = std::max(width, what.size());
  std::string text = heading + ":";
  for (const auto& [what, meaning] : lines) text += fmt::format("\n  {:<{}}  {}", what, width, meaning);
  return text;
}

std::string HelpFormatter::make_usage(const CLI::App* app, std::string name) const {
  return "Usage: " + usage_of(*app, name) + "\n";
}

std::string HelpFormatter::make_option_name(const CLI::Option* option, bool is_positional) const {
  return is_positional ? option->get_name(true, false) : text_of(*option).synopsis();
}

std::string HelpFormatter::make_option_opts(const CLI::Option* option) const {
  return option->get_required() && !option->get_positional() ? " (required)" : "";
}

}  // namespace sluice::tools
