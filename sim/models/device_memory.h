// What copy engines and compute see of a device's memory: the cost of a stream. sim/models/memory has the model.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "sim/iface/image_tiling.h"
#include "sim/iface/time.h"

namespace sluice::memory {

enum class Access : std::uint8_t { read, write };

// What a stream did to the DRAM, where its commands are simulated; else nothing.
struct DramUse {
  std::uint64_t row_hits = 0;  // bursts by how they found their bank
  std::uint64_t row_misses = 0;
  std::uint64_t row_conflicts = 0;
  std::uint64_t activations = 0;
  std::uint64_t refreshes = 0;
  TimePs refresh_ps = 0;   // of all channels or banks together
  std::uint64_t open_rows = 0;  // at its end
  TimePs ps = 0;           // the stream's own time
  std::string_view limit;  // what took most of it: "bus", "bank", "refresh" ...; static storage
};

struct StreamCost {
  TimePs first_ps = 0;     // latency of the first packet
  TimePs interval_ps = 0;  // time per packet of `packet_bytes` in steady state, rounded to ps
  std::uint64_t row_activations = 0;
  bool cached = false;     // served by the device's last-level cache
  double missing = 0;      // share that the cache did not have
  DramUse dram;
};

// Of a kernel, behind the last-level cache: bytes that one access fetches of a line, or that it drives out.
struct KernelAccess {
  Access access = Access::read;
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
};

// The device's last-level cache, line by line, as kernels keep it.
class KernelCache {
 public:
  virtual ~KernelCache() = default;
  struct Touched {
    std::uint64_t hit_bytes = 0;
    std::uint64_t driven_out_bytes = 0;  // dirty
  };
  // A copy's access to [begin, end), whole lines. Without `allocates`, only what is there is touched.
  virtual Touched touch(Access access, std::uint64_t begin, std::uint64_t end, bool allocates) = 0;
};

class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;

  // Cost of one engine's stream over [address, address + bytes) cut into packets; updates the cache's contents.
  [[nodiscard]] virtual StreamCost stream(Access access, std::uint64_t address, std::uint64_t bytes,
                                          std::uint32_t packet_bytes) = 0;
  // The same of a stream of `payload` bytes that touches `runs`, tiles of an image say; what it touches beside its
  // payload is moved, too. Time per packet of payload.
  [[nodiscard]] virtual StreamCost stream(Access access, std::span<const AddressRun> runs, std::uint64_t payload,
                                          std::uint32_t packet_bytes) = 0;
  // From now on copies find in the cache what kernels leave there, and leave there what they find. The cache must
  // outlive this.
  virtual void share(KernelCache& cache) = 0;
  // Behind the cache: sustained bytes a second where `write_permille` of them are written, and a lone access's time in
  // the memory itself, its row closed.
  [[nodiscard]] virtual std::uint64_t sustained_bytes_per_s(std::uint32_t write_permille) const noexcept = 0;
  [[nodiscard]] virtual TimePs miss_latency_ps() const noexcept = 0;

  // Whether each access of a kernel can be told, and then: a launch begins; when the last byte has passed of what comes at
  // `at`, a lone access's miss_latency_ps() apart; and what they did since the last time, and rows open at present.
  [[nodiscard]] virtual bool takes_accesses() const noexcept = 0;
  virtual void begin_launch(TimePs at) = 0;
  [[nodiscard]] virtual TimePs serve(TimePs at, std::span<const KernelAccess> accesses) = 0;
  [[nodiscard]] virtual DramUse kernel_use() = 0;
};

}  // namespace sluice::memory
