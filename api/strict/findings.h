// What --strict found: one entry for each misuse, however often it came, as text, JSON and SARIF.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::api::strict {

enum class Rule : std::uint8_t {
  read_map_written,
  access_before_complete,
  access_after_unmap,
  access_after_release,
  access_outside_map,
  undefined_read,
  kernel_in_map,
  command_in_map,
  never_unmapped,
  unmapped_twice,
  svm_outside_map,
  write_lost,
  read_stale,
  count_,
};

struct RuleText {
  std::string_view id;     // "read-map-written"
  std::string_view title;  // one clause
  std::string_view text;   // what the specification says, or what hardware does
};
[[nodiscard]] const RuleText& text_of(Rule rule) noexcept;

struct Frame {
  std::string function;  // demangled; empty: not known
  std::string file;      // of the source; else of the library: an absolute path, where it is known
  std::uint32_t line = 0;
};

struct Finding {
  Rule rule = Rule::count_;
  std::string object;        // "buffer 2 (65536 bytes)"
  std::uint64_t begin = 0;   // of the object's bytes
  std::uint64_t end = 0;     // past the last
  std::string precision;     // "exact", "to the page behind the first byte"
  std::string what;          // one sentence: who did what
  std::vector<Frame> stack;  // innermost first; empty where no program code did it
  std::vector<std::string> history;
  std::uint64_t count = 1;
  std::string key;  // entries with the same are one
};

// What is no misuse, and is to be known to judge the report by.
struct Note {
  bool is_warning = false;
  std::string text;  // a sentence
};

class Findings {
 public:
  // `files`: further reports, by the ending of their names: .json, .sarif, else text.
  explicit Findings(std::vector<std::string> files);

  // Prints what is new to stderr. False: the same misuse as before, counted.
  bool add(Finding finding);
  // Instead of those before.
  void set_notes(std::vector<Note> notes) { notes_ = std::move(notes); }
  // Writes the files as of now. `sluice run` is told of one that cannot be, once.
  void write();
  [[nodiscard]] std::uint64_t size() const noexcept { return all_.size(); }
  // One line for the end of the run, and one for each note.
  [[nodiscard]] std::string summary() const;
  [[nodiscard]] bool has_notes() const noexcept { return !notes_.empty(); }

 private:
  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string sarif() const;

  std::vector<std::string> files_;
  std::set<std::string> failed_;  // of those, known to be unwritable
  std::string folder_;   // that was current at the start
  std::string program_;  // the process's own file
  std::vector<Finding> all_;
  std::vector<Note> notes_;
};

// The report of one finding for people, ending in a line feed. Files in `folder` are named from there.
[[nodiscard]] std::string to_text(const Finding& finding, const std::string& folder);

}  // namespace sluice::api::strict
