#include "api/compiler/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "api/compiler/binary.h"

namespace sluice::compiler {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHashDigits = 32;
// What a process keeps before it looks at the folder's size again, which takes a time for each file there: a part of the
// room that it found, as others keep results, too.
constexpr std::uint64_t kPartOfRoom = 16;
constexpr std::uint64_t kLeastBetweenTrims = std::uint64_t{1} << 20;

// Each part with its length, so that none runs into the next.
class Key {
 public:
  Key() { add(SLUICE_PLUGIN_KEY); }  // changes with this compiler's sources
  void add(std::string_view text) {
    text_ += std::to_string(text.size()) + ':';
    text_ += text;
  }
  void add(std::uint64_t number) { add(std::to_string(number)); }
  void add(const CompileOptions& options) {
    add(options.clang.size());
    for (const std::string& word : options.clang) add(word);
    add(options.standard);
    add(std::uint64_t{options.optimise});
  }
  [[nodiscard]] std::string hash() const { return hash_of(text_); }

 private:
  std::string text_;
};

bool read_file(const std::string& path, std::string& text) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return false;
  text.assign(std::istreambuf_iterator<char>(file), {});
  return !file.bad();
}

std::string path_of(const std::string& folder, const std::string& key) { return folder + "/" + key + ".build"; }

}  // namespace

bool is_true(const Dependence& dependence) {
  struct stat status {};
  const bool exists = ::stat(dependence.path.c_str(), &status) == 0;
  if (exists != dependence.exists) return false;
  if (!exists || dependence.hash.empty()) return !exists || S_ISDIR(status.st_mode);
  std::string text;
  return read_file(dependence.path, text) && hash_of(text) == dependence.hash;
}

std::string hash_of(std::string_view bytes) {
  __extension__ using Word = unsigned __int128;
  constexpr Word prime = (Word{1} << 88) + 0x13b;
  Word value = (Word{0x6c62272e07bb0142U} << 64) + 0x62b821756295c58dU;
  for (const char c : bytes) value = (value ^ static_cast<unsigned char>(c)) * prime;
  std::string digits;
  for (int shift = 124; shift >= 0; shift -= 4) digits += "0123456789abcdef"[static_cast<unsigned>(value >> shift) & 15U];
  return digits;
}

std::string cache_key(const Source& source, ImageKind kind) {
  Key key;
  key.add("source");
  key.add(static_cast<std::uint64_t>(kind));
  std::error_code ignored;
  key.add(fs::current_path(ignored).string());  // where an #include may look
  key.add(source.text);
  key.add(source.headers.size());
  for (const Header& header : source.headers) key.add(header.name), key.add(header.text);
  key.add(source.options);
  key.add(source.extensions);
  key.add(source.prologue);
  return key.hash();
}

std::string cache_key(std::span<const std::uint32_t> words, const std::map<std::uint32_t, std::uint64_t>& constants,
                      const CompileOptions& options, ImageKind kind) {
  Key key;
  key.add("il");
  key.add(static_cast<std::uint64_t>(kind));
  key.add({reinterpret_cast<const char*>(words.data()), words.size_bytes()});
  key.add(constants.size());
  for (const auto& [id, value] : constants) key.add(id), key.add(value);
  key.add(options);
  return key.hash();
}

std::optional<Result> find_result(const std::string& folder, const std::string& key) {
  std::string text;
  if (folder.empty() || !read_file(path_of(folder, key), text) || text.size() < kHashDigits) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(kHashDigits);
  if (hash_of(rest) != text.substr(0, kHashDigits)) return std::nullopt;
  std::optional<Result> result = decode_result(rest);
  if (!result || result->image == nullptr) return std::nullopt;
  if (!std::all_of(result->read.begin(), result->read.end(), &is_true)) return std::nullopt;
  ::utimensat(AT_FDCWD, path_of(folder, key).c_str(), nullptr, 0);  // the newest now
  return result;
}

void keep_result(const std::string& folder, const std::string& key, const Result& result) {
  static std::atomic<unsigned> kept{0};
  static std::atomic<std::uint64_t> kept_bytes{0}, next_trim{0};
  if (folder.empty() || result.image == nullptr || result.changes) return;
  std::error_code error;
  fs::create_directories(folder, error);
  const unsigned number = kept++;
  const std::string path = path_of(folder, key);
  const std::string temporary = path + '.' + std::to_string(::getpid()) + '.' + std::to_string(number);
  const std::string text = encode(result);
  {
    std::ofstream file(temporary, std::ios::binary);
    file << hash_of(text) << text;
    file.flush();
    if (!file) {
      fs::remove(temporary, error);
      return;
    }
  }
  fs::rename(temporary, path, error);
  if (error) fs::remove(temporary, error);
  const std::uint64_t bytes = kept_bytes += text.size();
  if (bytes < next_trim) return;
  next_trim = ~std::uint64_t{0};  // one thread trims
  const std::uint64_t left = trim_cache(folder, kMostCacheBytes);
  next_trim = bytes + std::max((kMostCacheBytes - std::min(left, kMostCacheBytes)) / kPartOfRoom, kLeastBetweenTrims);
}

std::uint64_t trim_cache(const std::string& folder, std::uint64_t most_bytes) {
  struct File {
    fs::file_time_type time;
    std::uint64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  std::uint64_t all = 0;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;  // another process trims, too
    if (!at->is_regular_file(gone)) continue;
    const std::uint64_t bytes = at->file_size(gone);
    const fs::file_time_type time = at->last_write_time(gone);
    if (gone) continue;
    files.push_back({time, bytes, at->path()});
    all += bytes;
  }
  if (all <= most_bytes) return all;
  std::sort(files.begin(), files.end(), [](const File& a, const File& b) { return a.time < b.time; });
  for (const File& file : files) {
    if (all <= most_bytes) return all;
    std::error_code gone;
    fs::remove(file.path, gone);
    all -= file.bytes;
  }
  return all;
}

}  // namespace sluice::compiler
