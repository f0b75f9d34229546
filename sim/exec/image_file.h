// Images on disk. Several processes may use one folder: files appear whole, by renaming, and never change.
#pragma once

#include <string>

#include "sim/exec/program_image.h"

namespace sluice::exec {

// False: not there, or damaged (it is then written anew by store_image).
[[nodiscard]] bool read_image(const std::string& path, ProgramImage& image);
[[nodiscard]] bool read_image(const std::string& path, KernelImage& image);
// Failing to keep an image costs time and nothing else.
void store_image(const std::string& path, const ProgramImage& image);
void store_image(const std::string& path, const KernelImage& image);

}  // namespace sluice::exec
