// Where the parts of Sluice lie: beside the running executable, in a build tree or installed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice::tools {

[[nodiscard]] std::filesystem::path executable();                        // of this process
[[nodiscard]] std::optional<std::filesystem::path> find_driver();        // libsluice_opencl.so
[[nodiscard]] std::optional<std::filesystem::path> find_virtual_time();  // libsluice_virtual_time.so
[[nodiscard]] std::optional<std::filesystem::path> find_strict();        // libsluice_strict.so
[[nodiscard]] std::optional<std::filesystem::path> find_probe(const std::string& name);  // a measuring program
[[nodiscard]] std::vector<std::string> probe_names();

// The value of OCL_ICD_VENDORS with which a loader finds `driver` and no other: a folder whose one .icd file names the
// driver (any loader), or the driver itself (ocl-icd) where the tree was moved after it was built.
[[nodiscard]] std::string vendors_for(const std::filesystem::path& driver);

}  // namespace sluice::tools
