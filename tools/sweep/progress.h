// On a terminal alone: how far, how fast, how long still.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

namespace sluice::sweep {

struct Standing {
  std::size_t total = 0;
  std::size_t done = 0;  // those that were there before, too
  std::size_t run = 0;   // in `seconds`
  double seconds = 0;
};
// "[###...] 3/10  1.5 points/s  5 s left  note": as much of it as there are columns for.
[[nodiscard]] std::string progress_line(const Standing& standing, const std::string& note, std::size_t columns);

// Draws the line on stderr, over itself, and takes it away at the end.
class Progress {
 public:
  explicit Progress(std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void kept(std::size_t points) { standing_.done += points; }
  void add() {
    ++standing_.done;
    ++standing_.run;
  }
  void again(std::size_t points) { standing_.done -= points; }  // they will run once more
  void show(const std::string& note = "") const;
  void clear() const;  // to make room for a line that stays

 private:
  Standing standing_;
  bool shown_;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace sluice::sweep
