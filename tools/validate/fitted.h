// Which rows of a data file fitted a profile, and which constants it says they fitted.
#pragma once

#include <string>
#include <vector>

#include "sim/profile/load.h"
#include "tools/validate/measurements.h"

namespace sluice::validate {

// A data file as the profile names it.
struct FittedFile {
  std::string file;                    // without its folder
  std::vector<std::string> rows;       // the profile's selections; empty: the file counts as fit whole
  std::vector<std::string> constants;  // pointers of the constants whose sources name it
};

// From the profile's `validation.fit`, and from the sources of its constants: "fit: tests/silicon/FILE ...", or that path alone
// where a constant was read off. What is told of the device itself, as its name, fits nothing.
[[nodiscard]] std::vector<FittedFile> fitted_files(const profile::Loaded& loaded);

// A file that a source names and `validation.fit` does not is fit whole: nothing that may have fitted is called validation.
[[nodiscard]] bool is_fitted(const profile::Loaded& loaded, const std::vector<FittedFile>& files, const std::string& file,
                             const Row& row);

// Selections of `file` that select none of its rows.
[[nodiscard]] std::vector<std::string> idle_selections(const profile::Loaded& loaded, const std::string& file,
                                                       const std::vector<Row>& rows);

}  // namespace sluice::validate
