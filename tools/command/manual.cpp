// Manual pages (roff, man(7)) of what --help says.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tools/command/help.h"

namespace sluice::tools {

namespace {

// Nothing of it is an instruction to roff.
std::string roff(const std::string& text) {
  std::string safe;
  bool at_begin = true;
  for (const char c : text) {
    if (at_begin && (c == '.' || c == '\'')) safe += "\\&";
    at_begin = c == '\n';
    if (c == '\\') {
      safe += "\\e";
    } else if (c == '-') {
      safe += "\\-";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

// "-o, --output FILE": names in bold, values in italics.
std::string term(const OptionText& option) {
  std::string text;
  for (const std::string& name : option.names) text += (text.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", roff(name));
  if (option.value.empty() && !option.is_optional) return text;
  const std::string allowed =
      option.words.empty() ? fmt::format("\\fI{}\\fR", roff(option.value)) : roff(fmt::format("{}", fmt::join(option.words, "|")));
  return text + (option.is_optional ? "[=" + allowed + "]" : " " + allowed);
}

struct Paragraph {
  std::string heading;  // of a list
  std::vector<std::pair<std::string, std::string>> items;
  std::string text;
};

std::vector<Paragraph> paragraphs_of(const std::string& footer) {
  std::vector<Paragraph> all;
  bool open = false;
  std::istringstream lines(footer);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      open = false;
      continue;
    }
    if (!open) all.emplace_back();
    Paragraph& p = all.back();
    if (!open && line.ends_with(':')) {
      p.heading = line.substr(0, line.size() - 1);
    } else if (!p.heading.empty() && line.starts_with("  ")) {
      const std::size_t gap = std::min(line.find("  ", 2), line.size());
      const std::size_t meaning = std::min(line.find_first_not_of(' ', gap), line.size());
      p.items.emplace_back(line.substr(2, gap - 2), line.substr(meaning));
    } else {
      p.text += (p.text.empty() ? "" : "\n") + line;
    }
    open = true;
  }
  return all;
}

void write_options(std::ostream& out, const CLI::App& app) {
  for (const OptionText& option : options_of(app)) {
    if (!option.is_positional) {
      out << ".TP\n" << term(option) << "\n" << roff(option.description) << "\n";
    } else {
      out << fmt::format(".TP\n\\fI{}\\fR\n{}\n", roff(option.names.front()), roff(option.description));
    }
  }
}

void write_page(std::ostream& out, const CLI::App& app, const std::string& name, const std::string& page) {
  out << ".\\\" Generated from the options of the command.\n";
  out << fmt::format(".TH {} 1 \"\" \"Sluice {}\" \"User Commands\"\n", upper(page), SLUICE_VERSION);
  std::string purpose = app.get_description();
  if (purpose.ends_with('.')) purpose.pop_back();
  out << ".SH NAME\n" << roff(page) << " \\- " << roff(purpose) << "\n";
  out << ".SH SYNOPSIS\n";
  const auto commands = commands_of(app);
  const auto synopsis = [&](const CLI::App& of, const std::string& full) {
    out << ".B " << roff(full) << "\n" << roff(usage_of(of, "").substr(1)) << "\n";
  };
  if (commands.empty()) synopsis(app, name);
  for (const CLI::App* command : commands) {
    if (command != commands.front()) out << ".br\n";
    synopsis(*command, name + " " + command->get_name());
  }
  const auto paragraphs = paragraphs_of(app.get_footer());
  out << ".SH DESCRIPTION\n" << roff(app.get_description()) << (app.get_description().ends_with('.') ? "\n" : ".\n");
  for (const Paragraph& p : paragraphs) {
    if (p.heading.empty()) out << ".PP\n" << roff(p.text) << "\n";
  }
  if (!commands.empty()) out << ".SH COMMANDS\n";
  for (const CLI::App* command : commands) {
    out << fmt::format(".TP\n\\fB{}\\fR\n{}.\n", roff(command->get_name()), roff(command->get_description()));
    // Commands of commands have no page of their own.
    if (app.get_parent() == nullptr) continue;
    out << ".RS\n";
    write_options(out, *command);
    out << ".RE\n";
  }
  out << ".SH OPTIONS\n";
  write_options(out, app);
  for (const Paragraph& p : paragraphs) {
    if (p.heading.empty()) continue;
    out << ".SH " << roff(upper(p.heading)) << "\n";
    for (const auto& [what, meaning] : p.items) out << fmt::format(".TP\n\\fB{}\\fR\n{}\n", roff(what), roff(meaning));
  }
  out << ".SH SEE ALSO\n";
  if (app.get_parent() != nullptr) {
    out << ".BR sluice (1)\n";
    return;
  }
  for (const CLI::App* command : commands) {
    out << fmt::format(".BR sluice\\-{} (1){}\n", roff(command->get_name()), command == commands.back() ? "" : ",");
  }
}

}  // namespace

bool write_manual(const CLI::App& app, const std::string& folder) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  const auto write = [&](const CLI::App& command, const std::string& name, const std::string& page) {
    std::ofstream out(folder + "/" + page + ".1", std::ios::binary);
    write_page(out, command, name, page);
    out.close();
    return static_cast<bool>(out);
  };
  bool good = write(app, "sluice", "sluice");
  for (const CLI::App* command : commands_of(app)) {
    good &= write(*command, "sluice " + command->get_name(), "sluice-" + command->get_name());
  }
  return good;
}

}  // namespace sluice::tools
