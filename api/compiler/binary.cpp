#include "api/compiler/binary.h"

#include <cstdlib>
#include <cstring>

namespace sluice::compiler {

namespace {

// Little-endian as the only machines are. Counted up when the meaning of the bytes changes, or LLVM's major version.
constexpr char kMagic[8] = {'S', 'L', 'U', 'I', 'C', 'E', 'B', '1'};
constexpr std::uint32_t kFormat = 1;

struct FileHeader {
  char magic[8];
  std::uint32_t format;
  std::uint32_t kind;
  std::uint64_t optimise;
  std::uint64_t global_variable_bytes;
  std::uint64_t name_bytes;     // kernel names, each with a zero behind it
  std::uint64_t bitcode_bytes;  // after the names
  std::uint64_t checksum;       // of everything, this member taken as 0
};
static_assert(sizeof(FileHeader) == 56);

// FNV-1a. Binaries are checked against accidents; whoever forges one could as well give other source.
std::uint64_t checksum(std::span<const std::byte> bytes, std::uint64_t value) {
  for (const std::byte b : bytes) value = (value ^ static_cast<std::uint64_t>(b)) * 0x100000001b3ULL;
  return value;
}

std::uint64_t checksum(FileHeader header, std::span<const std::byte> rest) {
  header.checksum = 0;
  return checksum(rest, checksum(std::as_bytes(std::span(&header, 1)), 0xcbf29ce484222325ULL));
}

}  // namespace

std::vector<std::byte> encode(const Image& image) {
  std::string names;
  for (const std::string& name : image.kernels) names.append(name.c_str(), name.size() + 1);
  FileHeader header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.format = kFormat;
  header.kind = static_cast<std::uint32_t>(image.kind);
  header.optimise = image.optimise ? 1 : 0;
  header.global_variable_bytes = image.global_variable_bytes;
  header.name_bytes = names.size();
  header.bitcode_bytes = image.bitcode.size();
  std::vector<std::byte> binary(sizeof header + names.size() + image.bitcode.size());
  if (!names.empty()) std::memcpy(binary.data() + sizeof header, names.data(), names.size());
  if (!image.bitcode.empty()) {
    std::memcpy(binary.data() + sizeof header + names.size(), image.bitcode.data(), image.bitcode.size());
  }
  header.checksum = checksum(header, std::span(binary).subspan(sizeof header));
  std::memcpy(binary.data(), &header, sizeof header);
  return binary;
}

std::optional<Image> decode(std::span<const std::byte> binary) {
  FileHeader header{};
  if (binary.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, binary.data(), sizeof header);
  const std::span<const std::byte> rest = binary.subspan(sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.format != kFormat || header.optimise > 1 ||
      header.kind > static_cast<std::uint32_t>(ImageKind::executable) || header.name_bytes > rest.size() ||
      header.bitcode_bytes != rest.size() - header.name_bytes || checksum(header, rest) != header.checksum) {
    return std::nullopt;
  }
  Image image;
  image.kind = static_cast<ImageKind>(header.kind);
  image.optimise = header.optimise == 1;
  image.global_variable_bytes = header.global_variable_bytes;
  const std::string names(reinterpret_cast<const char*>(rest.data()), header.name_bytes);
  for (std::size_t at = 0; at < names.size(); at += image.kernels.back().size() + 1) {
    image.kernels.emplace_back(names.c_str() + at);
  }
  image.bitcode.assign(rest.begin() + static_cast<std::ptrdiff_t>(header.name_bytes), rest.end());
  return image;
}

namespace {

void put(std::string& to, std::string_view text) {
  const std::uint64_t size = text.size();
  to.append(reinterpret_cast<const char*>(&size), sizeof size);
  to += text;
}

bool take(std::string_view& from, std::string& text) {
  std::uint64_t size = 0;
  if (from.size() < sizeof size) return false;
  std::memcpy(&size, from.data(), sizeof size);
  from.remove_prefix(sizeof size);
  if (size > from.size()) return false;
  text = from.substr(0, size);
  from.remove_prefix(size);
  return true;
}

}  // namespace

std::string encode(const Result& result) {
  std::string text;
  put(text, result.log);
  put(text, result.changes ? "changes" : "");
  put(text, std::to_string(result.read.size()));
  for (const Dependence& file : result.read) {
    put(text, file.path);
    put(text, file.exists ? "exists" : "");
    put(text, file.hash);
  }
  if (result.image != nullptr) {
    const std::vector<std::byte> binary = encode(*result.image);
    text.append(reinterpret_cast<const char*>(binary.data()), binary.size());
  }
  return text;
}

std::optional<Result> decode_result(std::string_view text) {
  Result result;
  std::string changes, files;
  if (!take(text, result.log) || !take(text, changes) || !take(text, files)) return std::nullopt;
  result.changes = !changes.empty();
  for (std::uint64_t left = std::strtoull(files.c_str(), nullptr, 10); left != 0; --left) {
    Dependence& file = result.read.emplace_back();
    std::string exists;
    if (!take(text, file.path) || !take(text, exists) || !take(text, file.hash)) return std::nullopt;
    file.exists = !exists.empty();
  }
  if (auto image = decode(std::as_bytes(std::span(text)))) {
    result.image = std::make_shared<const Image>(std::move(*image));
  }
  return result;
}

}  // namespace sluice::compiler
