// What the driver must know about the machine that a profile describes: identity, limits, and the driver policy
// that decides which commands move data. Filled by sim/profile, immutable afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "sim/iface/image_tiling.h"
#include "sim/iface/time.h"

namespace sluice {

// Where the data store of a buffer lives and what a map of it therefore does.
enum class BufferPolicy : std::uint8_t {
  device_mirror,  // lives in device memory; a map copies to a host mirror, an unmap copies back (NVIDIA, all flags)
  zero_copy,      // lives in host memory that both sides address; map and unmap move nothing (coherent) or
                  // clean/invalidate cache lines (non-coherent)
  device_shared,  // lives in device memory, which the host addresses over a coherent link: map and unmap move nothing,
                  // and the device takes back what the host's caches hold when it comes to it
};

// How a tiled image becomes rows when it crosses the link.
enum class Detile : std::uint8_t {
  in_transfer,  // the copy engine walks the tiles while it moves them
  copy_engine,  // a pass before (or behind) the transfer, through a linear staging buffer in device memory: by it,
  kernel,       // or by a kernel
};

enum class SvmSupport : std::uint8_t { none, coarse, fine_buffer, fine_system };

struct DriverPolicy {
  BufferPolicy default_buffer = BufferPolicy::device_mirror;
  BufferPolicy alloc_host_ptr = BufferPolicy::device_mirror;
  BufferPolicy use_host_ptr = BufferPolicy::device_mirror;
  BufferPolicy svm_coarse = BufferPolicy::device_mirror;
  bool read_map_copies = true;            // CL_MAP_READ brings data to the mirror
  bool write_map_copies = true;           // CL_MAP_WRITE must show the latest bits, too
  bool invalidate_map_is_host_only = true;  // CL_MAP_WRITE_INVALIDATE_REGION never reaches the device
  bool unmap_after_read_is_host_only = false;      // else a marker goes to the device
  bool svm_unmap_after_read_is_host_only = true;
  // Of images, where the driver does not treat them as buffers.
  bool image_invalidate_map_copies = false;  // CL_MAP_WRITE_INVALIDATE_REGION reads the image back all the same
  std::optional<bool> image_unmap_after_read_is_host_only;
  ImageTile image_tile;  // of images in device memory that no pointer of the program and no buffer shows
  Detile detile = Detile::in_transfer;
  bool image_fill_3d_by_host = false;  // the CPU makes a 3D image's texels in memory of its own and writes them across
};

struct DeviceInfo {
  std::string name;
  std::string vendor;
  std::uint32_t vendor_id = 0;
  std::string driver_version;
  std::uint64_t global_memory_bytes = 0;
  std::uint64_t max_allocation_bytes = 0;
  std::uint64_t global_cache_bytes = 0;
  std::uint32_t global_cache_line_bytes = 0;
  std::uint64_t local_memory_bytes = 0;
  std::uint64_t constant_buffer_bytes = 65536;
  std::uint32_t compute_units = 0;
  std::uint32_t max_clock_mhz = 0;
  std::uint32_t max_work_group_size = 1024;
  std::uint32_t wave_size = 32;  // work-items of a sub-group; the last of a work-group may be smaller
  std::uint32_t address_bits = 64;
  std::uint32_t base_address_align_bits = 4096;  // CL_DEVICE_MEM_BASE_ADDR_ALIGN is in bits
  bool host_unified_memory = false;
  bool little_endian = true;
  bool images = false;
  SvmSupport svm = SvmSupport::coarse;
  bool svm_atomics = false;
  bool out_of_order_queues = true;
  TimePs timestamp_granularity_ps = 1000;  // profiling stamps are truncated to a multiple of it
};

struct Machine {
  std::string profile_name;
  std::string profile_hash;  // 16 hex digits of the canonical profile text
  DeviceInfo device;         // all devices of a profile are alike
  std::uint32_t device_count = 1;
  DriverPolicy policy;
};

}  // namespace sluice
