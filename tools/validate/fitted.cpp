#include "tools/validate/fitted.h"

#include <algorithm>
#include <string_view>

namespace sluice::validate {

namespace {

constexpr std::string_view folder = "tests/silicon/";

FittedFile& entry(std::vector<FittedFile>& files, const std::string& name) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const FittedFile& f) { return f.file == name; });
  if (found != files.end()) return *found;
  files.push_back({name, {}, {}});
  return files.back();
}

// "tests/silicon/NAME" wherever it stands in the source of a fitted constant.
void take_source(const profile::Constant& constant, std::vector<FittedFile>& files) {
  const std::string_view source = constant.source;
  if (!source.starts_with("fit:") && !source.starts_with(folder)) return;
  for (std::size_t at = source.find(folder); at != std::string_view::npos; at = source.find(folder, at + 1)) {
    const std::string_view rest = source.substr(at + folder.size());
    const std::string name(rest.substr(0, std::min(rest.find_first_of(" ,;:)"), rest.size())));
    std::vector<std::string>& constants = entry(files, name).constants;
    if (std::find(constants.begin(), constants.end(), constant.pointer) == constants.end()) constants.push_back(constant.pointer);
  }
}

}  // namespace

std::vector<FittedFile> fitted_files(const profile::Loaded& loaded) {
  std::vector<FittedFile> files;
  for (const profile::FittedRows& rows : loaded.profile->validation.fit) entry(files, rows.file).rows.push_back(rows.text);
  for (const profile::Constant& constant : loaded.constants) take_source(constant, files);
  return files;
}

bool is_fitted(const profile::Loaded& loaded, const std::vector<FittedFile>& files, const std::string& file, const Row& row) {
  const auto found = std::find_if(files.begin(), files.end(), [&](const FittedFile& f) { return f.file == file; });
  if (found == files.end()) return false;
  if (found->rows.empty()) return true;
  const auto& fit = loaded.profile->validation.fit;
  return std::any_of(fit.begin(), fit.end(), [&](const profile::FittedRows& rows) { return rows.file == file && rows.select(row.fields); });
}

std::vector<std::string> idle_selections(const profile::Loaded& loaded, const std::string& file, const std::vector<Row>& rows) {
  std::vector<std::string> idle;
  for (const profile::FittedRows& fitted : loaded.profile->validation.fit) {
    if (fitted.file != file) continue;
    const bool any = std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return fitted.select(row.fields); });
    if (!any) idle.push_back(fitted.text);
  }
  return idle;
}

}  // namespace sluice::validate
