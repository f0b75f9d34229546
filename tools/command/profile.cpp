#include <fmt/format.h>

#include <cstdio>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "traces/table.h"

namespace sluice::tools {

bool check_profile(const std::string& name_or_path) {
  const profile::Loaded loaded = profile::load_profile(name_or_path);
  for (const profile::Problem& problem : loaded.problems) fmt::print(stderr, "{}\n", profile::to_string(problem));
  return loaded.profile.has_value();
}

int profile_list() {
  trace::Table table("Shipped profiles", 3, {"name", "grade", "description"});
  bool sound = true;
  for (const profile::ProfileEntry& entry : profile::shipped_profiles()) {
    const profile::Loaded loaded = profile::load_profile(entry.path.string());
    sound &= loaded.profile.has_value();
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
  fmt::print("{}", table.text(false));
  return sound ? exit_ok : exit_unusable;
}

int profile_show(const std::string& name) {
  const profile::Loaded loaded = profile::load_profile(name);
  if (!loaded.profile) return check_profile(name) ? exit_ok : exit_unusable;
  fmt::print("{} ({})\n{}\nhash {}\n\n", loaded.profile->name, loaded.profile->grade, loaded.profile->description,
             loaded.profile->hash);
  trace::Table table("Constants", 3, {"constant", "value", "source"});
  for (const profile::Constant& c : loaded.constants) table.row({c.pointer, c.value, c.source});
  fmt::print("{}", table.text(false));
  return exit_ok;
}

int profile_check(const std::vector<std::string>& files) {
  bool sound = true;
  for (const std::string& file : files) sound &= check_profile(file);
  return sound ? exit_ok : exit_unusable;
}

}  // namespace sluice::tools
