// Images as bytes, and on disk. Several processes may use one folder: files appear whole, by renaming, and never change.
#pragma once

#include <string>
#include <string_view>

#include "sim/exec/program_image.h"

namespace sluice::exec {

[[nodiscard]] std::string encode_image(const ProgramImage& image);
[[nodiscard]] std::string encode_image(const KernelImage& image);
[[nodiscard]] bool decode_image(std::string_view bytes, ProgramImage& image);
[[nodiscard]] bool decode_image(std::string_view bytes, KernelImage& image);
// False: not there, or damaged (it is then written anew by store_image).
[[nodiscard]] bool read_image(const std::string& path, ProgramImage& image);
[[nodiscard]] bool read_image(const std::string& path, KernelImage& image);
// Failing to keep an image costs time and nothing else.
void store_image(const std::string& path, const ProgramImage& image);
void store_image(const std::string& path, const KernelImage& image);

}  // namespace sluice::exec
