// The page of a sweep of 5,000 points: its size, and how soon headless Chromium shows something of it. Chromium is asked
// through the pipe of its DevTools protocol.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/bench/bench_support.h"
#include "tests/support/made_up_sweep.h"

namespace {

namespace fs = std::filesystem;
using namespace sluice::bench;
using json = nlohmann::json;

std::string find_chromium() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string program = folder + "/" + name;
      if (::access(program.c_str(), X_OK) == 0) return program;
    }
  }
  return {};
}

class Browser {
 public:
  explicit Browser(const std::string& program) {
    std::string folder = (fs::temp_directory_path() / "sluice-bench-page-XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) return;
    folder_ = folder;
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) return;
    const std::string data = "--user-data-dir=" + folder;
    child_ = ::fork();
    if (child_ == 0) {
      // It reads from descriptor 3 and writes to 4, whatever those were: out of their way first.
      const int in = ::fcntl(to[0], F_DUPFD, 10), out = ::fcntl(from[1], F_DUPFD, 10);
      ::dup2(in, 3);
      ::dup2(out, 4);
      const int nowhere = ::open("/dev/null", O_RDWR);
      for (const int descriptor : {0, 1, 2}) ::dup2(nowhere, descriptor);
      ::execl(program.c_str(), program.c_str(), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe", data.c_str(),
              "about:blank", nullptr);
      ::_exit(127);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = from[0];
  }
  ~Browser() {
    if (child_ > 0) {
      (void)call("Browser.close", json::object());
      ::close(to_);
      ::close(from_);
      for (int i = 0; i < 100 && ::waitpid(child_, nullptr, WNOHANG) == 0; ++i) ::usleep(50'000);
      ::kill(child_, SIGKILL);
      (void)::waitpid(child_, nullptr, 0);
    }
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  struct Load {
    double paint_ms = -1;   // from the start of the navigation to the first paint of content; negative: there was none
    double charts_ms = -1;  // to the end of the drawing of all charts
  };
  Load load(const std::string& address) {
    const json target = call("Target.createTarget", {{"url", "about:blank"}});
    const json session = call("Target.attachToTarget", {{"targetId", target.value("targetId", "")}, {"flatten", true}});
    const std::string id = session.value("sessionId", "");
    (void)call("Page.navigate", {{"url", address}}, id);
    const auto ask = [&](const std::string& entry) {
      const std::string question = "location.protocol === 'file:' && performance.getEntriesByName('" + entry + "')[0]?.startTime || -1";
      for (int i = 0; i < 400; ++i) {
        const json answer = call("Runtime.evaluate", {{"expression", question}, {"returnByValue", true}}, id);
        if (!answer.contains("result")) break;
        if (const double ms = answer["result"].value("value", -1.0); ms >= 0) return ms;
        ::usleep(50'000);
      }
      return -1.0;
    };
    const Load load{ask("first-contentful-paint"), ask("charts")};
    (void)call("Target.closeTarget", {{"targetId", target.value("targetId", "")}});
    return load;
  }

 private:
  // Its result; an object with nothing in it if none came.
  json call(const std::string& method, const json& parameters, const std::string& session = "") {
    json message = {{"id", ++last_}, {"method", method}, {"params", parameters}};
    if (!session.empty()) message["sessionId"] = session;
    const std::string text = message.dump() + '\0';
    if (::write(to_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) return json::object();
    while (true) {
      const std::size_t end = read_.find('\0');
      if (end != std::string::npos) {
        const json answer = json::parse(read_.substr(0, end), nullptr, false);
        read_.erase(0, end + 1);
        if (answer.is_object() && answer.value("id", 0) == last_) return answer.value("result", json::object());
        continue;
      }
      pollfd descriptor{from_, POLLIN, 0};
      std::array<char, 65536> chunk;
      if (::poll(&descriptor, 1, 60'000) != 1) return json::object();
      const ssize_t n = ::read(from_, chunk.data(), chunk.size());
      if (n <= 0) return json::object();
      read_.append(chunk.data(), static_cast<std::size_t>(n));
    }
  }

  fs::path folder_;
  pid_t child_ = -1;
  int to_ = -1;
  int from_ = -1;
  int last_ = 0;
  std::string read_;
};

void sweep_page(benchmark::State& state, const std::string& chromium) {
  const fs::path file = fs::temp_directory_path() / ("sluice-bench-page-" + std::to_string(::getpid()) + ".html");
  std::vector<double> paints, charts;
  for (auto _ : state) {
    std::ofstream out(file, std::ios::binary);
    sluice::sweep::page_of_five_thousand_points().write(out);
    out.close();
    if (!out) return state.SkipWithError("the page cannot be written");
  }
  if (!chromium.empty()) {
    Browser browser(chromium);
    for (int i = 0; i < (smoke() ? 1 : 5); ++i) {
      const Browser::Load load = browser.load("file://" + file.string());
      if (load.paint_ms < 0 || load.charts_ms < 0) state.SkipWithError("Chromium painted nothing");
      paints.push_back(load.paint_ms);
      charts.push_back(load.charts_ms);
    }
    state.counters["first_paint_ms"] = median(paints);
    state.counters["charts_ms"] = median(charts);
  }
  state.counters["MB"] = static_cast<double>(fs::file_size(file)) / 1e6;
  fs::remove(file);
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // a browser that went is an error of its own
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  const std::string chromium = find_chromium();
  if (chromium.empty()) std::fprintf(stderr, "skipped: first paint, Chromium is not installed (apt-get install chromium)\n");
  benchmark::RegisterBenchmark("sweep_page", [&](benchmark::State& state) { sweep_page(state, chromium); })->Unit(benchmark::kMillisecond);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
