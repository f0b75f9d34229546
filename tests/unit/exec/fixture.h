// Loads test kernels, keeps buffers and runs launches through the engine's contract alone.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice {

inline std::vector<std::byte> read_bitcode(const std::string& name) {
  std::ifstream file(std::string(KERNEL_DIR) + '/' + name + ".bc", std::ios::binary);
  EXPECT_TRUE(file) << name;
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::byte> result(bytes.size());
  std::memcpy(result.data(), bytes.data(), bytes.size());
  return result;
}

struct Reports : KernelReports {
  void print(std::string_view text) override { printed += text; }
  void bad_access(const std::string& report) override { bad.push_back(report); }
  std::string printed;
  std::vector<std::string> bad;
};

// What run() saw.
struct Outcome {
  bool good = true;
  std::vector<GroupTrace> traces;
};

class EngineTest : public testing::Test {
 protected:
  std::shared_ptr<const KernelModule> load(const std::string& name) { return load(name, LoadOptions{}); }
  std::shared_ptr<const KernelModule> load(const std::string& name, const LoadOptions& options) {
    std::string log;
    auto module = engine_->load(read_bitcode(name), options, log);
    EXPECT_NE(module, nullptr) << log;
    EXPECT_EQ(log, "");
    return module;
  }

  KernelLaunch launch_of(const std::string& file, const std::string& kernel, NdRange range = {}) {
    return launch_of(load(file), kernel, range);
  }
  KernelLaunch launch_of(std::shared_ptr<const KernelModule> module, const std::string& kernel, NdRange range = {}) {
    KernelLaunch launch;
    const auto& kernels = module->kernels();
    while (launch.kernel < kernels.size() && kernels[launch.kernel].name != kernel) ++launch.kernel;
    EXPECT_LT(launch.kernel, kernels.size()) << kernel;
    launch.module = std::move(module);
    launch.range = range;
    launch.memory = &memory_;
    launch.reports = &reports_;
    return launch;
  }

  static NdRange line(std::uint64_t global, std::uint64_t local) {
    NdRange range;
    range.global = {global, 1, 1};
    range.local = {local, 1, 1};
    return range;
  }

  // A buffer of the driver's kind: aligned, known to the memory map.
  template <typename T>
  T* buffer(std::size_t count, T first = T{}) {
    const std::size_t bytes = std::max<std::size_t>(count * sizeof(T), 1);
    auto* data = static_cast<std::byte*>(std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096));
    owned_.emplace_back(data, &std::free);
    memory_.add({data, count * sizeof(T), Placement::device, 0});
    T* typed = reinterpret_cast<T*>(data);
    std::fill_n(typed, count, first);
    return typed;
  }
  template <typename T>
  static LaunchArgument global(T* data, std::size_t count) {
    LaunchArgument argument;
    argument.data = reinterpret_cast<std::byte*>(data);
    argument.size_bytes = count * sizeof(T);
    return argument;
  }
  template <typename T>
  static LaunchArgument value(const T& v) {
    LaunchArgument argument;
    argument.value.resize(sizeof v);
    std::memcpy(argument.value.data(), &v, sizeof v);
    return argument;
  }
  static LaunchArgument local(std::uint64_t bytes) {
    LaunchArgument argument;
    argument.size_bytes = bytes;
    return argument;
  }

  Outcome run(const KernelLaunch& launch, std::uint32_t wave_size = 32) {
    Outcome outcome;
    auto run = engine_->start(launch, wave_size);
    EXPECT_NE(run, nullptr);
    if (run == nullptr) return {false, {}};
    const auto groups = launch.range.groups();
    for (std::uint64_t z = 0; z < groups[2]; ++z) {
      for (std::uint64_t y = 0; y < groups[1]; ++y) {
        for (std::uint64_t x = 0; x < groups[0]; ++x) {
          outcome.good = run->run_group({x, y, z}, outcome.traces.emplace_back()) && outcome.good;
        }
      }
    }
    return outcome;
  }

  std::unique_ptr<KernelEngine> engine_ = make_kernel_engine();
  MemoryMap memory_;
  Reports reports_;

 private:
  std::list<std::unique_ptr<std::byte, void (*)(void*)>> owned_;
};

}  // namespace sluice
