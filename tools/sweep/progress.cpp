#include "tools/sweep/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>

namespace sluice::sweep {

namespace {

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(seconds + 0.5);
  if (whole < 100) return fmt::format("{} s", whole);
  if (whole < 6000) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
}

// A line that is as wide as the terminal may be wrapped, and is not taken away whole then.
std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1U : 79;
}

}  // namespace

std::string progress_line(const Standing& standing, const std::string& note, std::size_t columns) {
  const auto& [total, done, run, seconds] = standing;
  std::string text = fmt::format("{}/{}", done, total);
  if (run > 0 && seconds > 0) {
    const double rate = static_cast<double>(run) / seconds;
    text += fmt::format("  {:.{}f} points/s", rate, rate < 1 ? 3 : 1);
    if (done < total) text += "  " + duration_text(static_cast<double>(total - done) / rate) + " left";
  }
  if (!note.empty()) text += "  " + note;
  text = text.substr(0, columns);
  constexpr std::size_t brackets = 3, least = 5, most = 30;
  if (columns < text.size() + brackets + least) return text;
  const std::size_t width = std::min(most, columns - text.size() - brackets);
  const std::size_t filled = total == 0 ? width : width * std::min(done, total) / total;
  return fmt::format("[{}{}] {}", std::string(filled, '#'), std::string(width - filled, '.'), text);
}

Progress::Progress(std::size_t total) : standing_{total, 0, 0, 0}, shown_(::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() const {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Progress::show(const std::string& note) const {
  if (!shown_) return;
  Standing now = standing_;
  now.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  fmt::print(stderr, "\r\033[K{}", progress_line(now, note, terminal_columns()));
}

}  // namespace sluice::sweep
