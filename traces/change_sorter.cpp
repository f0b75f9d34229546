#include "traces/change_sorter.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <queue>
#include <utility>

namespace sluice::trace {

namespace {

bool earlier(const Change& a, const Change& b) noexcept { return a.at < b.at; }

int write_at(int descriptor, const Change* changes, std::size_t count, std::uint64_t place) {
  const char* data = reinterpret_cast<const char*>(changes);
  std::size_t bytes = count * sizeof(Change);
  auto offset = static_cast<off_t>(place * sizeof(Change));
  while (bytes > 0) {
    const ssize_t n = ::pwrite(descriptor, data, bytes, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    data += n;
    bytes -= static_cast<std::size_t>(n);
    offset += n;
  }
  return 0;
}

int read_at(int descriptor, Change* changes, std::size_t count, std::uint64_t place) {
  char* data = reinterpret_cast<char*>(changes);
  std::size_t bytes = count * sizeof(Change);
  auto offset = static_cast<off_t>(place * sizeof(Change));
  while (bytes > 0) {
    const ssize_t n = ::pread(descriptor, data, bytes, offset);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n < 0 ? errno : EIO;
    data += n;
    bytes -= static_cast<std::size_t>(n);
    offset += n;
  }
  return 0;
}

int unnamed_file(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0) return descriptor;
  std::string name = folder + "/.sluice-XXXXXX";  // some file systems know no O_TMPFILE
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

ChangeSorter::ChangeSorter(const std::string& beside, std::size_t run, std::size_t runs) : run_(run), most_runs_(runs) {
  std::error_code ignored;  // absolute: the program may change its folder
  folder_ = std::filesystem::absolute(beside, ignored).parent_path().string();
}

ChangeSorter::~ChangeSorter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

int ChangeSorter::add(const Change& change) {
  if (error_ != 0) return error_;
  if (changes_.size() == run_) error_ = spill();
  changes_.push_back(change);
  return error_;
}

int ChangeSorter::open_file(int& descriptor) const {
  descriptor = unnamed_file(folder_);
  if (descriptor >= 0) return 0;
  // A trace to a pipe or a device has no folder that files can be made in.
  std::error_code failed;
  const auto elsewhere = std::filesystem::temp_directory_path(failed);
  descriptor = failed ? -1 : unnamed_file(elsewhere.string());
  return descriptor >= 0 ? 0 : errno;
}

int ChangeSorter::spill() {
  if (descriptor_ < 0) {
    if (const int code = open_file(descriptor_)) return code;
  }
  if (runs_.size() == most_runs_) {
    if (const int code = merge_runs()) return code;
  }
  std::stable_sort(changes_.begin(), changes_.end(), earlier);
  if (const int code = write_at(descriptor_, changes_.data(), changes_.size(), spilled_)) return code;
  runs_.push_back({spilled_, changes_.size()});
  spilled_ += changes_.size();
  changes_.clear();
  return 0;
}

// All runs of the file become one run of another file.
int ChangeSorter::merge_runs() {
  int target = -1;
  if (const int code = open_file(target)) return code;
  std::vector<Change> out;
  std::uint64_t written = 0;
  const std::size_t at_once = std::min<std::size_t>(run_, 16 * 1024);
  out.reserve(at_once);
  const auto write = [&] {
    const int code = write_at(target, out.data(), out.size(), written);
    written += out.size();
    out.clear();
    return code;
  };
  int code = merge([&](const Change& change) {
    out.push_back(change);
    return out.size() == at_once ? write() : 0;
  });
  if (code == 0) code = write();
  if (code != 0) {
    ::close(target);
    return code;
  }
  ::close(std::exchange(descriptor_, target));
  runs_ = {{0, written}};
  return 0;
}

// Those in the file, none of the memory's.
int ChangeSorter::merge(const std::function<int(const Change&)>& take) {
  struct Source {
    Run left;  // in the file
    std::vector<Change> buffer;
    std::size_t next = 0;
  };
  // Together as much as a run takes, and not less than a page each.
  const std::size_t each = std::max<std::size_t>(run_ / std::max<std::size_t>(runs_.size(), 1), 4096 / sizeof(Change));
  std::vector<Source> sources;
  for (const Run& run : runs_) sources.push_back({run, {}, 0});
  const auto fill = [&](Source& source) {
    source.buffer.resize(std::min<std::uint64_t>(each, source.left.count));
    source.next = 0;
    const int code = read_at(descriptor_, source.buffer.data(), source.buffer.size(), source.left.begin);
    source.left.begin += source.buffer.size();
    source.left.count -= source.buffer.size();
    return code;
  };
  using Head = std::pair<TimePs, std::size_t>;  // of equal times the earlier run's
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (const int code = fill(sources[i])) return code;
    if (!sources[i].buffer.empty()) heads.push({sources[i].buffer.front().at, i});
  }
  while (!heads.empty()) {
    const std::size_t index = heads.top().second;
    heads.pop();
    Source& source = sources[index];
    if (const int code = take(source.buffer[source.next])) return code;
    if (++source.next == source.buffer.size()) {
      if (source.left.count == 0) continue;
      if (const int code = fill(source)) return code;
    }
    heads.push({source.buffer[source.next].at, index});
  }
  return 0;
}

int ChangeSorter::sorted(const std::function<void(const Change&)>& take) {
  if (error_ != 0) return error_;
  if (!runs_.empty() && !changes_.empty()) error_ = spill();
  if (error_ != 0) return error_;
  if (runs_.empty()) {
    std::stable_sort(changes_.begin(), changes_.end(), earlier);
    for (const Change& change : changes_) take(change);
    return 0;
  }
  changes_ = {};
  return error_ = merge([&take](const Change& change) {
    take(change);
    return 0;
  });
}

}  // namespace sluice::trace
