// Completion for bash and zsh of what --help lists.
#include <fmt/format.h>

#include "tools/command/help.h"

namespace sluice::tools {

namespace {

// In single quotes of a shell.
std::string shell_quoted(const std::string& text) {
  std::string safe = "'";
  for (const char c : text) safe += c == '\'' ? "'\\''" : std::string(1, c);
  return safe + "'";
}

// What may stand for a value, in bash: words after -W, or an action.
std::string bash_values(const OptionText& option) {
  if (!option.words.empty()) return fmt::format("words={}", shell_quoted(fmt::format("{}", fmt::join(option.words, " "))));
  if (option.value == type_machine) return "words=$(\"${COMP_WORDS[0]}\" __profiles 2>/dev/null) files=1";
  if (option.value == type_folder) return "folders=1";
  return option.value == type_file ? "files=1" : ":";
}

void bash_command(std::string& out, const CLI::App& app, const std::string& path) {
  std::string options;
  std::string commands;
  std::string values;
  std::string positional = ":";
  for (const OptionText& option : options_of(app)) {
    if (option.is_positional) {
      positional = bash_values(option);
      continue;
    }
    for (const std::string& name : option.names) options += (options.empty() ? "" : " ") + name;
    if (option.value.empty() && option.words.empty()) continue;
    // An optional value comes with "=" only: the next word is another's.
    values += fmt::format("        {}) {}{} ;;\n", fmt::join(option.names, "|"),
                          option.is_optional ? "[[ $assigned ]] && " : "taken=1; ", bash_values(option));
  }
  for (const CLI::App* command : commands_of(app)) commands += (commands.empty() ? "" : " ") + command->get_name();
  if (takes_program(app)) options += " --";
  out += fmt::format("    {})\n      options={} commands={}\n", shell_quoted(path), shell_quoted(options), shell_quoted(commands));
  if (!values.empty()) out += "      case $option in\n" + values + "      esac\n";
  out += fmt::format("      [[ $taken || $assigned || $commands ]] || {{ {}; }}\n      ;;\n", positional);
  for (const CLI::App* command : commands_of(app)) bash_command(out, *command, path + " " + command->get_name());
}

// Paths of commands, and of options whose value is the next word: what the words before the one to be completed are.
void bash_paths(const CLI::App& app, const std::string& path, std::string& commands, std::string& taking) {
  for (const OptionText& option : options_of(app)) {
    if (option.is_positional || option.is_optional || option.value.empty()) continue;
    for (const std::string& name : option.names) taking += (taking.empty() ? "" : "|") + shell_quoted(path + ":" + name);
  }
  for (const CLI::App* command : commands_of(app)) {
    const std::string full = path + " " + command->get_name();
    commands += (commands.empty() ? "" : "|") + shell_quoted(full);
    bash_paths(*command, full, commands, taking);
  }
}

// In [...] of _arguments, in single quotes.
std::string zsh_text(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '[' || c == ']' || c == ':' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return safe;
}

std::string zsh_action(const OptionText& option) {
  const std::string name = zsh_text(option.value.empty() ? option.names.front() : option.value);
  if (!option.words.empty()) return fmt::format(":{}:({})", name, fmt::join(option.words, " "));
  if (option.value == type_machine) return fmt::format(":{}:_sluice_machines", name);
  if (option.value == type_folder) return fmt::format(":{}:_files -/", name);
  if (option.value == type_file) return fmt::format(":{}:_files", name);
  return option.value.empty() ? "" : fmt::format(":{}: ", name);
}

void zsh_command(std::string& out, const CLI::App& app, const std::string& name) {
  const auto commands = commands_of(app);
  out += fmt::format("{}() {{\n", name);
  if (takes_program(app)) {
    out += "  local -i at=${words[(I)--]}\n"
           "  if (( at > 0 && at < CURRENT )); then\n"
           "    shift $at words\n    (( CURRENT -= at ))\n    _normal\n    return\n  fi\n";
  }
  // Not "commands": that is zsh's own table of programs, which completion behind "--" looks at.
  if (!commands.empty()) out += "  local curcontext=$curcontext state line ret=1\n  local -a subcommands\n";
  out += commands.empty() ? "  _arguments -s" : "  _arguments -s -C";
  bool has_rest = false;
  for (const OptionText& option : options_of(app)) {
    if (option.is_positional) {
      const std::string value = option.value == "TEXT" ? option.names.front() : option.value;
      OptionText shown = option;
      shown.value = value;
      std::string action = zsh_action(shown);
      out += fmt::format(" \\\n    {}", shell_quoted((option.takes_many ? "*" : "") + action));
      has_rest = has_rest || option.takes_many;
      continue;
    }
    for (const std::string& one : option.names) {
      // Long ones take "=" as well, those with an optional value only so.
      const bool is_long = one.starts_with("--");
      const std::string joint = option.value.empty() && !option.is_optional ? "" : option.is_optional ? "=-" : is_long ? "=" : "";
      const std::string action = option.is_optional ? ":" + zsh_action(option) : option.value.empty() ? "" : zsh_action(option);
      std::string others;
      for (const std::string& each : option.names) others += (others.empty() ? "" : " ") + each;
      const std::string once = option.takes_many ? "*" : "(" + others + ")";
      out += fmt::format(" \\\n    {}", shell_quoted(once + one + joint + "[" + zsh_text(option.description) + "]" + action));
    }
  }
  if (commands.empty()) {
    out += "\n}\n\n";
    return;
  }
  out += " \\\n    '1:command:->command' '*::argument:->argument' && ret=0\n  case $state in\n    command)\n      subcommands=(";
  for (const CLI::App* command : commands) {
    std::string purpose = command->get_description();
    out += "\n        " + shell_quoted(command->get_name() + ":" + purpose);
  }
  out += "\n      )\n      _describe command subcommands && ret=0 ;;\n    argument)\n      case $line[1] in\n";
  for (const CLI::App* command : commands) {
    out += fmt::format("        {0}) {1}_{0} && ret=0 ;;\n", command->get_name(), name);
  }
  out += "      esac ;;\n  esac\n  return ret\n}\n\n";
  for (const CLI::App* command : commands) zsh_command(out, *command, name + "_" + command->get_name());
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string commands;
  std::string taking;
  bash_paths(app, "", commands, taking);
  std::string cases;
  bash_command(cases, app, "");
  return fmt::format(R"bash(# Completion of sluice for bash, generated from its options.
_sluice() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} path='' option='' assigned='' taken='' word i
  local options='' commands='' words='' files='' folders=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${{COMP_WORDS[i]}}
    # A program and its arguments.
    if [[ $word == -- ]]; then
      if ((COMP_CWORD == i + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$cur"; compgen -f -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      fi
      return
    fi
    case "$path:$word" in
      {}) if ((i + 1 < COMP_CWORD)) && [[ ${{COMP_WORDS[i + 1]}} != = ]]; then ((++i)); fi ;;
      *) case "$path $word" in {}) path+=" $word" ;; esac ;;
    esac
  done
  # "--option=value" is three words.
  option=${{COMP_WORDS[COMP_CWORD - 1]}}
  if [[ $option == = ]]; then
    option=${{COMP_WORDS[COMP_CWORD - 2]}} assigned=1
  elif [[ $cur == = ]]; then
    cur='' assigned=1
  fi
  case $path in
{}  esac
  if [[ ! $taken && ! $assigned ]]; then
    if [[ $cur == -* ]]; then words=$options files='' folders=''; else words+=" $commands"; fi
  fi
  mapfile -t COMPREPLY < <(
    compgen -W "$words" -- "$cur"
    if [[ $files ]]; then compgen -f -- "$cur"; fi
    if [[ $folders ]]; then compgen -d -- "$cur"; fi)
}}
complete -o filenames -F _sluice sluice
)bash",
                     taking, commands, cases);
}

std::string zsh_completion(const CLI::App& app) {
  std::string functions;
  zsh_command(functions, app, "_sluice");
  return "#compdef sluice\n# Completion of sluice for zsh, generated from its options.\n\n"
         "_sluice_machines() {\n"
         "  local -a machines\n"
         "  machines=(${(f)\"$(sluice __profiles 2>/dev/null)\"})\n"
         "  _alternative 'machines:machine:compadd -a machines' 'files:file:_files'\n"
         "}\n\n" +
         functions + "_sluice \"$@\"\n";
}

}  // namespace sluice::tools
