// A trace: its commands in the order of their creation (a trace has them in the order in which they were over), and the sums
// of what its parts did.
#pragma once

#include <condition_variable>
#include <deque>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "tools/diff/figures.h"

namespace sluice::diff {

// All records of one part that do the same.
struct PartTotal {
  std::uint64_t records = 0;
  std::uint64_t time_ps = 0;
  std::uint64_t cycles = 0;
  std::uint64_t bytes = 0;
  std::uint64_t value = 0;
  bool operator==(const PartTotal&) const = default;
};
using PartKey = std::tuple<DeviceIndex, std::string, trace::PartLine::Kind, std::string>;
using PartTotals = std::map<PartKey, PartTotal>;

class Source {
 public:
  enum class Reading : std::uint8_t {
    ahead,   // by a thread of its own, for who has work of their own with each command, or reads two traces
    in_step  // by next() itself, which takes less of the processor
  };
  // The file is opened; error() says why it is no trace.
  explicit Source(std::string path, Reading reading = Reading::ahead);
  // For tests and the fuzzer: what is in `text`.
  Source(std::string name, std::unique_ptr<std::istream> text, Reading reading = Reading::ahead);
  ~Source();
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  [[nodiscard]] const trace::TraceHeader& header() const noexcept { return header_; }
  // The next command, valid until the next call; nullptr at the end, or where error() is set.
  [[nodiscard]] const Entry* next();
  // "FILE: line N: ..."; empty while all is well.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  // After the last command:
  [[nodiscard]] const PartTotals& parts() const noexcept { return parts_; }
  [[nodiscard]] std::uint64_t commands() const noexcept { return commands_; }
  [[nodiscard]] TimePs elapsed_ps() const noexcept { return commands_ == 0 ? 0 : last_ps_ - first_ps_; }

 private:
  struct Batch {
    std::vector<Entry> entries;
    std::size_t used = 0;
  };
  static constexpr std::size_t batch_entries = 256;
  static constexpr std::size_t batch_count = 8;

  void open(Reading reading);
  // The file's next command; false at its end, or where `error` says what is wrong.
  [[nodiscard]] bool read_one(Entry& entry, std::string& error);
  void read();  // the thread
  void count_part(const trace::PartLine& line);
  [[nodiscard]] bool give(std::unique_ptr<Batch>& batch);
  [[nodiscard]] const Entry* from_file();

  std::string path_;
  std::unique_ptr<std::istream> in_;
  std::unique_ptr<trace::Reader> reader_;
  trace::TraceHeader header_;
  std::string error_;

  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Batch>> full_;
  std::vector<std::unique_ptr<Batch>> empty_;
  bool done_ = false;
  bool stop_ = false;
  std::string thread_error_;
  PartTotals parts_;
  PartTotal* last_part_ = nullptr;
  PartKey last_key_;

  std::unique_ptr<Batch> batch_;
  std::size_t at_ = 0;
  CommandId next_id_ = 1;
  std::map<CommandId, Packed> early_;
  bool drained_ = false;
  Entry entry_;  // read in step, or unpacked
  std::uint64_t commands_ = 0;
  TimePs first_ps_ = 0;
  TimePs last_ps_ = 0;
};

}  // namespace sluice::diff
