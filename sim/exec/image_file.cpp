#include "sim/exec/image_file.h"

#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <type_traits>

namespace sluice::exec {
namespace {

constexpr std::uint64_t magic = 0x34'4c'4e'52'4b'4c'53'0aU;  // "\nSLKRNL4"

std::uint64_t checksum(const char* bytes, std::size_t size) {  // FNV-1a
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3U;
  return hash;
}

// The same list of members for both directions.
class Writer {
 public:
  template <typename T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void operator()(const T& value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void operator()(const std::string& text) {
    (*this)(text.size());
    bytes_ += text;
  }
  void operator()(const std::vector<std::byte>& bytes) {
    (*this)(bytes.size());
    bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  void operator()(const std::array<std::uint64_t, 3>& n) {
    for (const std::uint64_t value : n) (*this)(value);
  }
  void operator()(const std::vector<std::string>& texts) {
    (*this)(texts.size());
    for (const std::string& text : texts) (*this)(text);
  }
  template <typename T>
  void list(const std::vector<T>& elements) {
    (*this)(elements.size());
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void operator()(T& value) { take(&value, sizeof value); }
  void operator()(std::string& text) {
    text.resize(length(1));
    take(text.data(), text.size());
  }
  void operator()(std::vector<std::byte>& bytes) {
    bytes.resize(length(1));
    take(bytes.data(), bytes.size());
  }
  void operator()(std::array<std::uint64_t, 3>& n) {
    for (std::uint64_t& value : n) (*this)(value);
  }
  void operator()(std::vector<std::string>& texts) {
    list(texts);
    for (std::string& text : texts) (*this)(text);
  }
  template <typename T>
  void list(std::vector<T>& elements) {
    elements.resize(length(8));
  }
  [[nodiscard]] bool complete() const { return good_ && bytes_.empty(); }

 private:
  void take(void* to, std::size_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return;
    }
    if (size != 0) std::memcpy(to, bytes_.data(), size);
    bytes_.remove_prefix(size);
  }
  // Of what follows; never more than the file can hold.
  std::size_t length(std::size_t least_bytes_each) {
    std::size_t count = 0;
    (*this)(count);
    if (count > bytes_.size() / least_bytes_each) {
      good_ = false;
      return 0;
    }
    return count;
  }

  std::string_view bytes_;
  bool good_ = true;
};

template <typename Visitor, typename Info>
void visit_info(Visitor& visit, Info& info) {
  visit(info.name);
  visit.list(info.arguments);
  for (auto& argument : info.arguments) {
    visit(argument.kind);
    visit(argument.size_bytes);
    visit(argument.type_name);
    visit(argument.name);
    visit(argument.access);
    visit(argument.is_const);
    visit(argument.is_restrict);
    visit(argument.is_volatile);
    visit(argument.is_pipe);
  }
  visit(info.required_group);
  visit(info.group_hint);
  visit(info.vector_hint);
  visit(info.attributes);
  visit(info.local_bytes);
  visit(info.private_bytes);
  visit(info.registers);
  visit(info.has_barrier);
  visit(info.steered_by);
  visit(info.uniform_groups);
}

template <typename Visitor, typename Image>
requires std::is_same_v<std::remove_const_t<Image>, KernelImage> void visit_image(Visitor& visit, Image& image) {
  visit_info(visit, image.info);
  visit(image.symbol);
  visit.list(image.sites);
  for (auto& site : image.sites) {
    visit(site.kind);
    visit(site.space);
    visit(site.atomic);
    visit(site.exact);
    visit(site.argument);
    visit(site.bytes);
    visit(site.line);
    visit(site.operation);
    visit(site.object);
  }
  visit(image.largest_block_entries);
  visit(image.suspends);
  visit(image.sub_groups);
  visit(image.lockstep);
  visit(image.quiet);
  visit(image.same_way);
  visit(image.same_bytes);
  visit(image.if_narrow);
  visit(image.guarded);
  visit(image.lane_loops);
  visit(image.in_rows);
  visit(image.may_wait);
  visit(image.largest_access_bytes);
  visit(image.object);
}

template <typename Visitor, typename Image>
requires std::is_same_v<std::remove_const_t<Image>, ProgramImage> void visit_image(Visitor& visit, Image& image) {
  visit.list(image.kernels);
  for (auto& info : image.kernels) visit_info(visit, info);
  visit.list(image.sizes);
  for (auto& size : image.sizes) visit(size);
  visit(image.variables);
  visit(image.shared);
}

template <typename Image>
std::string encode(const Image& image) {
  Writer writer;
  visit_image(writer, image);
  return writer.bytes();
}

template <typename Image>
bool decode(std::string_view bytes, Image& image) {
  Reader reader(bytes);
  visit_image(reader, image);
  return reader.complete();
}

template <typename Image>
bool read(const std::string& path, Image& image) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::uint64_t header[2] = {};
  if (bytes.size() < sizeof header) return false;
  std::memcpy(header, bytes.data(), sizeof header);
  const std::string_view payload = std::string_view(bytes).substr(sizeof header);
  if (header[0] != magic || header[1] != checksum(payload.data(), payload.size())) return false;
  return decode(payload, image);
}

template <typename Image>
void store(const std::string& path, const Image& image) {
  static std::atomic<unsigned> count{0};
  const std::string bytes = encode(image);
  const std::uint64_t header[2] = {magic, checksum(bytes.data(), bytes.size())};
  const std::string temporary = path + '.' + std::to_string(getpid()) + '.' + std::to_string(count++);
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  {
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(header), sizeof header);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file) {
      std::filesystem::remove(temporary, error);
      return;
    }
  }
  std::filesystem::rename(temporary, path, error);
  if (error) std::filesystem::remove(temporary, error);
}

}  // namespace

std::string encode_image(const ProgramImage& image) {
  return encode(image);
}
std::string encode_image(const KernelImage& image) {
  return encode(image);
}
bool decode_image(std::string_view bytes, ProgramImage& image) {
  return decode(bytes, image);
}
bool decode_image(std::string_view bytes, KernelImage& image) {
  return decode(bytes, image);
}
bool read_image(const std::string& path, ProgramImage& image) {
  return read(path, image);
}
bool read_image(const std::string& path, KernelImage& image) {
  return read(path, image);
}
void store_image(const std::string& path, const ProgramImage& image) {
  store(path, image);
}
void store_image(const std::string& path, const KernelImage& image) {
  store(path, image);
}

}  // namespace sluice::exec
