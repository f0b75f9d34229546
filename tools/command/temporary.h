// A file for the time of a command, gone afterwards.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace sluice::tools {

class TemporaryFile {
 public:
  // The path is empty if none can be written.
  explicit TemporaryFile(const std::string& ending) {
    const char* folder = std::getenv("TMPDIR");
    std::string name = std::string(folder != nullptr && *folder != '\0' ? folder : "/tmp") + "/sluice-XXXXXX" + ending;
    const int descriptor = ::mkstemps(name.data(), static_cast<int>(ending.size()));
    if (descriptor < 0) return;
    ::close(descriptor);
    path_ = name;
  }
  ~TemporaryFile() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  // A complaint about the file without its name, since it is gone when somebody reads that.
  [[nodiscard]] std::string unnamed(const std::string& complaint) const {
    return complaint.starts_with(path_ + ": ") ? complaint.substr(path_.size() + 2) : complaint;
  }

 private:
  std::string path_;
};

}  // namespace sluice::tools
