#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/text/terminal.h"
#include "traces/table.h"

namespace sluice::tools {

namespace {

using Json = nlohmann::ordered_json;

void print(const Json& document) {
  fmt::print("{}\n", document.dump(2, ' ', false, Json::error_handler_t::replace));
}

}  // namespace

std::optional<profile::Profile> check_profile(const std::string& name_or_path) {
  profile::Loaded loaded = profile::load_profile(name_or_path);
  for (const profile::Problem& problem : loaded.problems) fmt::print(stderr, "{}\n", profile::to_string(problem));
  return std::move(loaded.profile);
}

int profile_list(bool json) {
  Json list = Json::array();
  trace::Table table("Shipped profiles", 3, {"name", "grade", "description"});
  bool sound = true;
  for (const profile::ProfileEntry& entry : profile::shipped_profiles()) {
    const profile::Loaded loaded = profile::load_profile(entry.path.string());
    sound &= loaded.profile.has_value();
    list.push_back({{"name", entry.name}, {"file", entry.path.string()}, {"sound", loaded.profile.has_value()}});
    if (loaded.profile) {
      list.back()["grade"] = loaded.profile->grade;
      list.back()["description"] = loaded.profile->description;
      list.back()["hash"] = loaded.profile->hash;
    }
    if (loaded.profile) {
      table.row({entry.name, loaded.profile->grade, loaded.profile->description});
    } else {
      table.row({entry.name, "broken", "see sluice profile check"});
    }
  }
  if (table.is_empty()) {
    fmt::print(stderr, "sluice: no shipped profiles found; SLUICE_CONFIG_DIR says where they are\n");
    return exit_unusable;
  }
  if (json) {
    print({{"schema", "sluice-profiles-1"}, {"profiles", std::move(list)}});
  } else {
    fmt::print("{}", table.text(text::stdout_takes_colour()));
  }
  return sound ? exit_ok : exit_unusable;
}

int profile_show(const std::string& name, bool json) {
  const profile::Loaded loaded = profile::load_profile(name);
  if (!loaded.profile) return check_profile(name) ? exit_ok : exit_unusable;
  if (json) {
    Json constants = Json::array();
    for (const profile::Constant& c : loaded.constants) {
      constants.push_back({{"pointer", c.pointer}, {"value", c.value}, {"source", c.source}});
    }
    print({{"schema", "sluice-profile-1"},
           {"name", loaded.profile->name},
           {"grade", loaded.profile->grade},
           {"description", loaded.profile->description},
           {"hash", loaded.profile->hash},
           {"constants", std::move(constants)}});
    return exit_ok;
  }
  fmt::print("{} ({})\n{}\nhash {}\n\n", loaded.profile->name, loaded.profile->grade, loaded.profile->description,
             loaded.profile->hash);
  trace::Table table("Constants", 3, {"constant", "value", "source"});
  for (const profile::Constant& c : loaded.constants) table.row({c.pointer, c.value, c.source});
  fmt::print("{}", table.text(text::stdout_takes_colour()));
  return exit_ok;
}

int profile_check(const std::vector<std::string>& files) {
  bool sound = true;
  for (const std::string& file : files) sound &= check_profile(file).has_value();
  return sound ? exit_ok : exit_unusable;
}

}  // namespace sluice::tools
