// Kernels without a compiler: each writes the records that a kernel of tests/silicon/clprobe.cpp or cuprobe.cu would
// leave. Addresses are made up, so no memory is needed.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/iface/kernel_engine.h"

namespace sluice::synthetic {

// Appends records to one wave of a trace.
class WaveWriter {
 public:
  WaveWriter(GroupTrace& trace, std::uint32_t lanes) : trace_(trace), lanes_(lanes) {
    WaveTrace w;
    w.first_access = static_cast<std::uint32_t>(trace.accesses.size());
    trace.waves.push_back(w);
  }
  void issue(InstructionClass c, std::uint64_t n) {
    wave().issued[static_cast<std::size_t>(c)] += n;
    since_ += n;
  }
  // Lane i touches `bytes` at first + i * stride.
  void global(AccessKind kind, std::uint32_t site, std::uint64_t first, std::uint64_t stride, std::uint32_t bytes,
              Dependence dependence = Dependence::unknown) {
    WaveAccess a = record(kind, site, bytes);
    a.first_sector = static_cast<std::uint32_t>(trace_.sectors.size());
    a.dependence = dependence;
    for (std::uint64_t i = 0; i < lanes_; ++i) {
      const std::uint64_t begin = first + i * stride;
      for (std::uint64_t s = begin / sector_bytes; s <= (begin + bytes - 1) / sector_bytes; ++s) {
        if (trace_.sectors.size() == a.first_sector || trace_.sectors.back() != s) trace_.sectors.push_back(s);
      }
    }
    a.sectors = static_cast<std::uint32_t>(trace_.sectors.size()) - a.first_sector;
    push(a);
  }
  void local(AccessKind kind, std::uint32_t site, std::uint32_t conflicts) {
    WaveAccess a = record(kind, site, 4);
    a.space = MemorySpace::local;
    a.sectors = conflicts;
    push(a);
  }
  void barrier(std::uint32_t site) { push(record(AccessKind::barrier, site, 0)); }

 private:
  WaveTrace& wave() { return trace_.waves.back(); }
  WaveAccess record(AccessKind kind, std::uint32_t site, std::uint32_t bytes) {
    issue(InstructionClass::memory, 1);
    WaveAccess a;
    a.site = site;
    a.kind = kind;
    a.lanes = static_cast<std::uint16_t>(lanes_);
    a.bytes = bytes;
    a.issued = static_cast<std::uint32_t>(std::exchange(since_, 0));
    return a;
  }
  void push(const WaveAccess& a) {
    trace_.accesses.push_back(a);
    ++wave().accesses;
  }

  GroupTrace& trace_;
  std::uint32_t lanes_;
  std::uint64_t since_ = 0;
};

// Fills in one wave whose first work-item has the global number `item`.
using WaveBody = std::function<void(WaveWriter& wave, std::uint64_t item)>;

class Module final : public KernelModule {
 public:
  Module(KernelInfo info, WaveBody body) : info_{std::move(info)}, body(std::move(body)) {}
  [[nodiscard]] const std::vector<KernelInfo>& kernels() const noexcept override { return info_; }

 private:
  std::vector<KernelInfo> info_;

 public:
  const WaveBody body;
};

// Runs Modules. `fail_at`: the group that cannot go on.
class Engine final : public KernelEngine {
 public:
  std::shared_ptr<const KernelModule> load(std::span<const std::byte>, const LoadOptions&, std::string&) override {
    return nullptr;
  }
  std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) override {
    return std::make_unique<Run>(*this, launch, wave_size);
  }
  std::uint64_t fail_at = ~0ULL;
  std::uint64_t groups_run = 0;
  std::uint64_t groups_unseen = 0;  // of which only the effect was wanted
  bool told_all = false;  // what its runs say

 private:
  class Run final : public KernelRun {
   public:
    Run(Engine& engine, const KernelLaunch& launch, std::uint32_t wave_size)
        : engine_(engine),
          range_(launch.range),
          wave_size_(wave_size),
          module_(std::static_pointer_cast<const Module>(launch.module)) {}
    bool run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) override {
      ++engine_.groups_run;
      if (group[0] == engine_.fail_at) return false;
      const std::uint64_t first = group[0] * range_.local[0];
      const std::uint64_t end = std::min(range_.global[0], first + range_.local[0]);
      for (std::uint64_t item = first; item < end; item += wave_size_) {
        WaveWriter wave(trace, static_cast<std::uint32_t>(std::min<std::uint64_t>(wave_size_, end - item)));
        module_->body(wave, item);
      }
      return true;
    }

    bool run_unseen(const std::array<std::uint64_t, 3>&) override {
      ++engine_.groups_unseen;
      return true;
    }
    bool told_all() const noexcept override { return engine_.told_all; }

   private:
    Engine& engine_;
    NdRange range_;
    std::uint32_t wave_size_;
    std::shared_ptr<const Module> module_;
  };
};

inline std::shared_ptr<const Module> module(const char* name, WaveBody body, KernelInfo info = {}) {
  info.name = name;
  if (info.registers == 0) info.registers = 32;
  return std::make_shared<Module>(std::move(info), std::move(body));
}

// for (i = item; i < n; i += items) ... a[i * stride]: one access of `bytes` a lane each time round. `items`: of the
// launch.
inline std::shared_ptr<const Module> grid_stride(const char* name, AccessKind kind, std::uint64_t base, std::uint64_t n,
                                                 std::uint64_t stride_bytes, std::uint32_t bytes, std::uint64_t items) {
  return module(name, [=](WaveWriter& w, std::uint64_t item) {
    w.issue(InstructionClass::integer, 8);
    for (std::uint64_t i = item; i < n; i += items) {
      w.issue(InstructionClass::integer, 3);
      w.issue(InstructionClass::control, 1);
      w.global(kind, 1, base + i * stride_bytes, stride_bytes, bytes);
      if (kind == AccessKind::load) w.issue(InstructionClass::float32, bytes / 4);
    }
  });
}

// p = a[p] over lines of 128 bytes in the order that the probes lay down.
inline std::shared_ptr<const Module> chase(std::uint64_t base, std::uint64_t bytes, std::uint64_t hops) {
  return module("chase", [=](WaveWriter& w, std::uint64_t) {
    const std::uint64_t lines = bytes / 128;
    const std::uint64_t stride = lines > 7 ? (lines * 5 / 8) | 1 : 1;
    std::uint64_t at = 0;
    for (std::uint64_t i = 0; i < hops; ++i) {
      w.issue(InstructionClass::integer, 2);
      w.issue(InstructionClass::control, 1);
      w.global(AccessKind::load, 1, base + at * 128, 4, 4, Dependence::loads);
      at = (at + stride) % lines;
    }
  });
}

inline std::shared_ptr<const Module> vector_add(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  return module("add", [=](WaveWriter& w, std::uint64_t item) {
    w.issue(InstructionClass::integer, 6);
    w.global(AccessKind::load, 1, a + item * 4, 4, 4);
    w.global(AccessKind::load, 2, b + item * 4, 4, 4);
    w.issue(InstructionClass::float32, 1);
    w.global(AccessKind::store, 3, c + item * 4, 4, 4);
  });
}

inline std::shared_ptr<const Module> nop() {
  return module("nop", [](WaveWriter& w, std::uint64_t) { w.issue(InstructionClass::control, 1); });
}

[[nodiscard]] inline NdRange linear(std::uint64_t global, std::uint64_t local) {
  NdRange r;
  r.global = {global, 1, 1};
  r.local = {local, 1, 1};
  return r;
}

}  // namespace sluice::synthetic
