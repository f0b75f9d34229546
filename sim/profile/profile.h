// A machine, checked and immutable, in the units the models count in (ps, bytes, Hz). Built from JSON by load_profile().
// The JSON key of each member is its name; times are given in JSON as `..._ns` and rates as `..._gbps` (10^9 bytes/s)
// where the member here says `_ps` or `_bytes_per_s`. See configs/profile.schema.json and docs/profiles.md.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/iface/machine.h"
#include "sim/iface/time.h"
#include "sim/profile/fitted_rows.h"

namespace sluice::profile {

// ---- host --------------------------------------------------------------------------------------------------------

// One level of the host's caches as a device's traffic meets it.
struct HostCache {
  std::uint64_t capacity_bytes = 0;  // what a streaming pass really leaves behind, not the label on the box
  std::uint32_t line_bytes = 64;
};

// The home agent: how fast it serves a line of the device's request by where the line lies.
struct HomeAgent {
  std::uint64_t clock_hz = 0;
  TimePs latency_ps = 0;                // request at the root port to first data, line in memory
  TimePs llc_latency_ps = 0;            // the same of a line in the last-level cache ...
  TimePs private_latency_ps = 0;        // ... or in a core's; 0: as of one in memory. PCIe reads
  std::uint64_t memory_bytes_per_s = 0; // host DRAM bandwidth that device traffic may use
  TimePs snoop_latency_ps = 0;          // one private-cache snoop with data
  std::uint32_t snoop_trackers = 1;     // snoops with data in flight; rate = line * trackers / latency
  TimePs write_clean_line_ps = 0;       // added per line when the device writes over a clean private line
  TimePs write_dirty_line_ps = 0;       // the same over a dirty one (invalidate with write-back)
  std::uint32_t filter_lines = 0;       // that the snoop filter may list as cores' or devices'; 0: all
  TimePs atomic_ps = 0;                 // an AtomicOp is worked out, one after another
};

// memcpy on a host core, bytes a second by where the source lies.
struct HostCopy {
  TimePs overhead_ps = 0;
  std::uint64_t private_bytes_per_s = 0;    // source in private cache or small; ordinary stores
  std::uint64_t streaming_bytes_per_s = 0;  // non-temporal stores, source in private cache
  std::uint64_t llc_bytes_per_s = 0;        // source in the last-level cache
  std::uint64_t memory_bytes_per_s = 0;     // source in DRAM
  std::uint64_t out_bytes_per_s = 0;        // from a staging buffer that the device wrote, to the program
  TimePs out_overhead_ps = 0;
  TimePs out_row_ps = 0;                    // per row of a rectangle copied out
  std::uint64_t streaming_threshold_bytes = 0;  // copies of this size and more use non-temporal stores
  std::uint64_t out_streaming_threshold_bytes = 0;  // the same of copies out; 0: as the others
  TimePs out_private_line_ps = 0;           // non-temporal stores out to a line that a private cache has
  std::uint64_t thread_memory_bytes_per_s = 0;  // by the driver's thread, source in DRAM; 0: as a caller's copy
  TimePs thread_dirty_line_ps = 0;          // by it, of a line that the program's core has written
  std::uint64_t store_private_bytes_per_s = 0;  // the program's own stores to lines in a private cache ...
  std::uint64_t store_bytes_per_s = 0;          // ... and to others; 0: they take no time
};

// Where page tables lie, as the IOMMU's walks find them. `cached`: in memory, and those lines of them in the last-level
// cache that walks have used last.
enum class PageTables : std::uint8_t { last_level_cache, memory, cached };

// The IOMMU between root port and host memory.
struct Iommu {
  std::uint32_t entries = 0;              // of the IO-TLB; 0: no IOMMU, or one that costs nothing
  std::uint32_t ways = 0;                 // 0: any page in any entry
  std::uint32_t shared_entries = 0;       // that others' pages hold: rings, interrupts, other devices
  std::uint64_t page_bytes = 4096;        // that the driver maps by
  std::uint32_t table_cache_entries = 0;  // last-level page tables whose places are known; 0: all
  std::uint32_t walkers = 1;              // walks at once
  TimePs walk_ps = 0;                     // a walk, reads of page tables apart
  PageTables tables = PageTables::last_level_cache;
  std::uint32_t llc_table_lines = 0;      // cached: lines of 64 bytes, 8 pages' entries each
  TimePs llc_read_ps = 0;                 // one read of a page table there ...
  TimePs memory_read_ps = 0;              // ... and in memory
  TimePs read_release_ps = 0;             // a walk for a read keeps its walker for so long after its end ...
  TimePs write_release_ps = 0;            // ... and one for a write
};

// Address translation services: the device keeps translations that it has asked the IOMMU for.
struct Ats {
  std::uint32_t entries = 0;        // of the device's address translation cache; 0: the device asks for none
  std::uint32_t ways = 0;           // 0: any page in any entry
  std::uint64_t page_bytes = 4096;  // that one translation is for
  std::uint32_t requests = 1;       // translation requests at once
  TimePs agent_ps = 0;              // from a request at the root port to its answer, where the IO-TLB knows the page
  TimePs invalidate_ps = 0;         // the device drops a translation and drains what used it, the link's flights apart
};

// Shared virtual memory whose pages the driver moves to the side that touches them.
struct Migration {
  std::uint32_t batch_faults = 0;        // faults of the device that are served together; 0: pages stay at the host
  std::uint32_t batches_per_service = 1; // that an interrupt is for, if they come meanwhile
  std::uint64_t page_bytes = 4096;       // that faults are for
  std::uint64_t leaf_bytes = 65536;      // what moves at least
  std::uint64_t block_bytes = 2 << 20;   // what moves at most for one fault, and what is driven out
  std::uint32_t prefetch_percent = 51;   // a part of a block that has more of its leaves moves whole; 100: none does
  TimePs fault_ps = 0;                   // from a fault to the driver's work
  TimePs batch_ps = 0;                   // that work: of a batch ...
  TimePs block_ps = 0;                   // ... and of each block in it
  TimePs host_fault_ps = 0;              // a core's fault
  std::uint64_t device_bytes = 0;        // that pages may take of the device's memory; 0: all of it
};

struct Host {
  std::uint64_t core_clock_hz = 0;
  HostCache private_cache;
  HostCache last_level_cache;
  HomeAgent home_agent;
  HostCopy copy;
};

// ---- link --------------------------------------------------------------------------------------------------------

// How a PCIe link's Ack and UpdateFC DLLPs are counted: so many a data TLP (`..._dllps_per_tlp`, as measured); from the
// largest intervals that PCIe Base allows, with these counted in bytes of the whole link, as the published analytic model
// does (Neugebauer et al., SIGCOMM 2018); or from the same intervals in symbol times of each lane; or one by one, as
// `ack_...` and `update_...` say.
enum class DllpAccounting : std::uint8_t { mean, published, per_lane, counted };

// What the home agent keeps in order: all that comes from the device, or no more than each transfer's own packets.
enum class Ordering : std::uint8_t { strict, relaxed };

// Flow-control credits that a link's receivers grant: headers by TLP, data by 16 bytes. 0: without end, as a receiver says
// that grants none at initialization. Those of completions are the device's, all others of what is at the other end.
struct Credits {
  std::uint32_t posted_headers = 0;
  std::uint32_t posted_data = 0;
  std::uint32_t non_posted_headers = 0;
  std::uint32_t non_posted_data = 0;  // of AtomicOps
  std::uint32_t completion_headers = 0;
  std::uint32_t completion_data = 0;
};

// How a kernel's atomics reach host memory over PCIe: root port and what is on the way route AtomicOps, and the host works
// them out; or the device reads, works out and writes back, which is atomic to itself alone.
enum class Atomics : std::uint8_t { read_write, atomic_ops };

enum class LinkKind : std::uint8_t { pcie, coherent, on_chip };

// How a device keeps its memory equal with the host's caches, where both address it: it takes lines back one by one (CXL's
// HDM-DB), or the bias of whole pages says which side may have lines (HDM-D).
enum class DeviceMemoryCoherence : std::uint8_t { none, back_invalidation, bias };

struct Link {
  LinkKind kind = LinkKind::pcie;
  // pcie and coherent: raw bytes a second of one direction after line encoding (GT/s * lanes * encoding / 8).
  std::uint32_t generation = 0;       // of PCIe; 0: none of them, the rate and the header bytes say all
  double gigatransfers_per_s = 0;
  std::uint32_t lanes = 0;
  double encoding = 1.0;              // 128/130, 8/10, 242/256 ...
  std::uint32_t max_payload_bytes = 256;       // MPS
  std::uint32_t max_read_request_bytes = 512;  // MRRS
  std::uint32_t read_completion_boundary_bytes = 64;  // RCB
  std::uint32_t completion_payload_bytes = 0;  // largest completion: MPS (0), or RCB for completers that answer so
  std::uint32_t header_words = 4;              // of requests: 3 for 32-bit addresses, 4 for 64-bit ones
  bool ecrc = false;                           // TLPs end in a digest
  // Framing, sequence number and LCRC included; 0: what generation, header_words and ecrc make.
  std::uint32_t write_header_bytes = 0;        // MWr
  std::uint32_t read_header_bytes = 0;         // MRd
  std::uint32_t completion_header_bytes = 0;   // CplD
  DllpAccounting dllp_accounting = DllpAccounting::mean;
  std::uint32_t dllp_bytes = 8;
  // `counted`: TLPs to an Ack and to an UpdateFC, or fewer where those of the time given are; 0: no limit of time.
  std::uint32_t ack_tlps = 1;
  TimePs ack_latency_ps = 0;
  std::uint32_t update_tlps = 1;
  TimePs update_latency_ps = 0;
  std::uint32_t replay_buffer_bytes = 0;       // of the sender, for TLPs without an Ack as yet; 0: never full
  // DLLPs that share a direction with the data, as a mean per data TLP; ack/fc of the opposite traffic included.
  double upstream_dllps_per_tlp = 0;
  double downstream_dllps_per_tlp = 0;
  double answering_dllps_per_tlp = 0;          // Ack and UpdateFC that a data TLP causes on the other wire
  double skip_overhead = 0;                    // SKP ordered sets: 4/1538
  std::uint32_t tag_bits = 0;                  // 5, 8, 10 or 14; 0: as many as the rate allows
  std::uint32_t read_tags = 256;
  std::uint32_t read_buffer_bytes = 131072;    // completion buffer of the requester: bytes asked for and not yet there
  std::uint32_t posted_credits_tlps = 128;     // a transfer's posted writes that the root port takes before credits return
  TimePs propagation_ps = 0;                   // one way, device pin to root port or bridge
  TimePs credit_return_ps = 0;                 // the other end has passed a TLP on: its credit is back
  Credits credits;                             // of all transfers on the link together
  Ordering ordering = Ordering::strict;
  Atomics atomics = Atomics::read_write;
  // coherent: the transaction unit and what ownership costs.
  std::uint32_t flit_bytes = 0;                // 68 (CXL 2), 256 (CXL 3), 32-byte C2C beats ...
  std::uint32_t flit_payload_bytes = 0;
  std::uint32_t request_bytes = 16;            // messages of the coherence protocol (docs/coherence.md)
  std::uint32_t response_bytes = 4;
  std::uint32_t data_header_bytes = 4;         // of a line
  std::uint32_t line_bytes = 64;
  std::uint32_t outstanding_lines = 256;
  TimePs ownership_ps = 0;                     // the device asks for a line to write it: until it is granted
  std::uint64_t ownership_lines_per_s = 0;     // at which lines that a core's cache holds change hands; 0: no limit
  DeviceMemoryCoherence device_memory = DeviceMemoryCoherence::none;  // none: the host does not address it
  std::uint32_t filter_lines = 0;              // of the device's memory that its snoop filter may list; 0: all
  std::uint32_t filter_snoops = 64;            // of the host, under way at once
  std::uint32_t bias_page_bytes = 4096;
  TimePs bias_flip_ps = 0;                     // of one page, either way
  // on_chip: fabric between CPU and GPU.
  std::uint64_t fabric_bytes_per_s = 0;
  bool fabric_coherent = true;
  TimePs maintenance_line_ps = 0;              // clean or invalidate one line (non-coherent fabric)
  TimePs maintenance_overhead_ps = 0;          // per map/unmap call
};

enum class BridgeKind : std::uint8_t { none, pcie_switch, root_complex };

// What the devices' links meet at: a switch, whose upstream link they share, or the root complex, whose fabric they share.
// Without one each device has a root port and a way to memory of its own.
struct Bridge {
  BridgeKind kind = BridgeKind::none;
  double gigatransfers_per_s = 0;     // of a switch's upstream link ...
  std::uint32_t lanes = 0;
  std::uint64_t bytes_per_s = 0;      // ... or of a root complex' fabric, one direction, headers included
  TimePs latency_ps = 0;              // through it, one way
  TimePs propagation_ps = 0;          // a switch's upstream link, one way
  TimePs credit_return_ps = 0;
  Credits credits;                    // of the upstream link
  bool peer_to_peer = false;          // a device writes to another; else through host memory
};

// ---- device ------------------------------------------------------------------------------------------------------

struct CommandProcessor {
  std::uint64_t clock_hz = 0;
  std::uint32_t ring_entry_bytes = 64;
  std::uint32_t prefetch_bytes = 0;   // of ring and inline payload, in flight or held before the command runs; 0: all
  std::uint32_t fetch_reads = 1;      // dependent reads to a command: the ring's entry, then what it points to
  std::uint32_t fetch_cycles = 0;     // besides the link's round trips
  std::uint32_t decode_cycles = 0;
  std::uint32_t dispatch_cycles = 0;  // hand-over to an engine
  std::uint32_t in_order_gap_cycles = 0;  // between the end of a command and the start of its successor in the queue
  std::uint32_t marker_cycles = 0;    // start to end of a command that moves nothing
};

struct CopyEngines {
  std::uint64_t clock_hz = 0;
  std::uint32_t host_to_device = 1;   // engines
  std::uint32_t device_to_host = 1;
  std::uint32_t switch_cycles = 0;    // between the end of a transfer and the start of one that waited for the engine
  std::uint32_t setup_cycles = 0;     // descriptor to first request
  std::uint32_t row_cycles = 0;       // per row of a rectangle
  std::uint32_t finish_cycles = 0;    // last byte to END stamp (flush, semaphore release)
  std::uint32_t inline_limit_bytes = 0;           // linear writes below this travel in the ring; 0: never
  std::uint32_t inline_limit_queued_bytes = 0;  // the same while the queue has commands that the host has not seen end; 0: as else
  std::uint32_t inline_limit_pageable_bytes = 0;  // the same where the source would have to be staged
  std::uint32_t inline_cycles = 0;                // start to END of an inline write, besides its payload
  std::uint32_t inline_bytes_per_cycle = 0;       // rate at which the engine takes the payload
  // Device-to-device copies and fills run on the compute units of some devices.
  std::uint32_t device_copy_setup_cycles = 0;
  std::uint32_t device_copy_bytes_per_cycle = 0;  // of clock_hz, bytes copied (read + write)
  std::uint32_t device_rect_bytes_per_cycle = 0;  // the same for rectangles ...
  std::uint32_t device_rect_row_bytes = 0;        // ... whose rows count as at least this many bytes
  std::uint32_t device_copy_split_bytes = 0;      // copies of this size or more, off a line's boundary, take a second kernel; 0: none
  std::uint32_t device_copy_split_cycles = 0;     // that kernel
  std::uint32_t device_copy_odd_bytes_per_cycle = 0;  // copies off words of 4 bytes; 0: as others
  std::uint32_t device_image_bytes_per_cycle = 0;     // between a buffer and an image of one layer; 0: as rectangles
  std::uint32_t device_layers_bytes_per_cycle = 0;    // the same of several layers, source in the device's cache ...
  std::uint32_t device_layers_memory_bytes_per_cycle = 0;  // ... and in memory
  std::uint32_t device_fill_setup_cycles = 0;
  std::uint32_t device_fill_bytes_per_cycle = 0;
  // Where a fill is a kernel, a work-item writes one pattern: so many of them a cycle, besides. 0: no limit. Patterns above the widest store are written byte by byte: a wave's store then takes `store_cycles`
  // and `line_cycles` for each line of device_cache that its lanes lie on. 0: any pattern is stored whole.
  double device_fill_items_per_cycle = 0;
  std::uint32_t device_fill_widest_bytes = 0;
  double device_fill_store_cycles = 0;
  double device_fill_line_cycles = 0;
  std::uint32_t device_fill_group_items = 0;   // work-items of a work-group of a fill, which one unit has; 0: spread evenly
  double device_fill_unit_store_cycles = 0;    // a wave's store of a byte a lane, where the unit is the limit ...
  double device_fill_unit_line_cycles = 0;     // ... and added for each line
  std::uint32_t device_image_fill_setup_cycles = 0;  // start-up of an image's fill; 0: as a buffer's
};

struct DramTimings {
  TimePs tck_ps = 0, trcd_ps = 0, trp_ps = 0, tcl_ps = 0, tras_ps = 0, trefi_ps = 0, trfc_ps = 0, tccd_ps = 0, tfaw_ps = 0, trrd_ps = 0, twtr_ps = 0, trtw_ps = 0;
  // Optional; 0: what the line says.
  TimePs trcd_write_ps = 0;    // trcd
  TimePs tcwl_ps = 0;          // tcl
  TimePs trc_ps = 0;           // tras + trp
  TimePs trrd_l_ps = 0;        // trrd; as the next three, within a bank group, where the plain one is between groups
  TimePs tccd_l_ps = 0;        // tccd
  TimePs tccd_l_write_ps = 0;  // tccd_l
  TimePs twtr_l_ps = 0;        // twtr
  TimePs twr_ps = 0;           // a row may be closed as soon as it has the data
  TimePs trtp_ps = 0;          // a burst's time
  TimePs trfc_bank_ps = 0;     // no refresh of single banks
};

// By one rate worked out beforehand, or command by command.
enum class DramDetail : std::uint8_t { train, commands };
enum class DramScheduler : std::uint8_t { fr_fcfs, fcfs };
enum class DramPages : std::uint8_t { open, closed };
enum class DramRefresh : std::uint8_t { all_bank, per_bank };
enum class DramField : std::uint8_t { row, bank, bank_group, column };

// Memory of the device, or of the host. A channel is what has data pins of its own: a pseudo-channel where there are such.
struct Dram {
  std::uint32_t channels = 0;
  std::uint32_t banks = 0;          // a channel
  std::uint32_t row_bytes = 0;
  std::uint32_t interleave_bytes = 256;  // consecutive bytes on one channel
  std::uint32_t write_drain_rows = 1;    // rows of writes that the controller gathers before it turns the bus around
  std::uint32_t bus_bits = 0;       // a channel
  double gigatransfers_per_s = 0;   // a pin
  DramTimings timings;
  DramDetail detail = DramDetail::train;
  // Of `commands` detail; the closed form knows what of it a stream of consecutive bytes shows.
  std::uint32_t bank_groups = 1;      // that `banks` are in
  std::uint32_t pseudo_channels = 1;  // channels that share command pins
  std::uint32_t command_buses = 1;    // 2: rows and columns have command pins of their own
  std::uint32_t burst_length = 0;     // transfers of a pin; 0: those of 32 bytes, or 64 where tccd asks for it
  // From the highest part of an address in its channel to the lowest; what is first takes all that is left.
  std::array<DramField, 4> address_order = {DramField::row, DramField::bank, DramField::column, DramField::bank_group};
  std::uint32_t rows = 65536;         // of a bank, where the row is not first
  bool bank_hash = false;             // the row's low bits pick the bank, too
  DramScheduler scheduler = DramScheduler::fr_fcfs;
  std::uint32_t queue_entries = 32;   // reads that the controller looks at, a channel
  std::uint32_t starvation_passes = 64;  // younger bursts that may overtake one
  DramPages pages = DramPages::open;
  DramRefresh refresh = DramRefresh::all_bank;

  [[nodiscard]] double bytes_ps(std::uint32_t bytes) const noexcept {  // on a channel's pins
    return bytes * 1000.0 / (bus_bits / 8.0 * gigatransfers_per_s);
  }
  // Of one burst: by burst_length, else 32, or 64 where tCCD asks for it (DDR4, DDR5): the standards choose tCCD_S as a
  // burst's time.
  [[nodiscard]] std::uint32_t burst_bytes() const noexcept {
    if (burst_length != 0) return burst_length * bus_bits / 8;
    constexpr std::uint32_t sector = 32;
    return static_cast<double>(timings.tccd_ps) > 1.5 * bytes_ps(sector) ? 2 * sector : sector;
  }
};

struct DeviceCache {
  std::uint64_t capacity_bytes = 0;
  std::uint32_t line_bytes = 128;
  std::uint64_t bytes_per_s = 0;
  TimePs latency_ps = 0;
  bool copies_allocate = true;  // what copy engines move stays there, too
};

enum class ImageLayout : std::uint8_t { linear, tiled };

// Of images in device memory. What the driver does with them is machine.policy's image_tile and detile.
struct Images {
  ImageLayout layout = ImageLayout::linear;
  std::uint32_t tile_row_bytes = 0;
  std::uint32_t tile_rows = 1;
  std::uint32_t tile_slices = 1;
  std::string tile_order;  // which coordinate each bit of a byte's number in its tile counts; empty: rows, one by one
};

// Compute units. Their number and clock are the device's (machine.device.compute_units, max_clock_mhz); cycles are of
// that clock. Lanes are work-items that start an instruction of a class in a cycle, a unit.
struct Compute {
  std::uint32_t wave_size = 32;
  std::uint32_t waves_per_unit = 0;
  std::uint32_t groups_per_unit = 0;
  std::uint32_t registers_per_unit = 0;      // 32-bit
  std::uint32_t local_bytes_per_unit = 0;
  std::uint32_t issue_lanes = 0;             // of all classes together
  double integer_lanes = 0;
  double float32_lanes = 0;
  double float64_lanes = 0;
  double special_lanes = 0;
  double control_lanes = 0;
  double memory_lanes = 0;
  std::uint32_t partitions = 1;              // of a unit; a wave has the lanes of one
  double wave_issue_cycles = 1;              // between two instructions of one wave, dependences included
  std::uint32_t wave_loads = 1;              // loads that a wave has in flight
  std::uint32_t barrier_cycles = 0;          // last wave's arrival to the first instruction after it
  double barrier_wave_cycles = 0;            // between arrivals
  std::uint32_t local_latency_cycles = 0;
  double local_conflict_cycles = 1;          // that each further lane of a bank adds to the latency
  std::uint32_t l1_bytes = 0;
  bool l1_holds_local = false;               // local memory is taken out of l1_bytes
  std::uint32_t l1_bytes_per_cycle = 0;
  std::uint32_t l1_latency_cycles = 0;       // load to use
  std::uint32_t l2_latency_cycles = 0;       // the same of a hit in the device's last-level cache
  std::uint32_t memory_latency_cycles = 0;   // added by a miss there, besides the DRAM's own timings
  std::uint32_t fetch_bytes = 32;            // what a miss brings
  double atomics_per_cycle = 0;              // sectors, all units together
  std::uint32_t atomic_sector_cycles = 1;    // between atomics on one sector
  std::optional<double> atomic_lane_cycles;  // of one instruction; absent: as many
  std::uint32_t launch_cycles = 0;           // START to the dispatch of the first group; overlaps the launch before
  std::uint32_t image_launch_cycles = 0;     // added where the kernel has images: their descriptors are fetched anew
  std::uint32_t finish_cycles = 0;           // last group's end to END: caches written back, time stamp
  double dispatch_cycles = 1;                // per group, one after another
  double wave_launch_cycles = 0;             // per wave, one after another on a unit
  std::uint32_t host_fetch_bytes = 64;       // what a load brings across the link
  TimePs host_partial_write_ps = 0;          // host: a write of less than a sector
};

// ---- driver ------------------------------------------------------------------------------------------------------

enum class Completion : std::uint8_t { poll, interrupt };

// Host time of the driver, per class of command.
struct DriverCosts {
  TimePs validate_ps = 0;       // API call to QUEUED
  TimePs pack_ps = 0;           // QUEUED to SUBMIT, before any payload copy
  TimePs submit_ps = 0;         // SUBMIT to the doorbell write
  TimePs return_ps = 0;         // doorbell to the return of a non-blocking call
  TimePs stamps_ps = 0;         // added to it if the command's event tells its stamps
};

struct Driver {
  DriverCosts transfer;         // read, write, their rects, SVM copies
  DriverCosts map;              // map and unmap that move data
  DriverCosts marker;           // markers, barriers, unmaps that move nothing
  DriverCosts device_copy;      // copies on the device
  DriverCosts device_fill;
  DriverCosts kernel;
  TimePs map_host_only_ps = 0;    // a map that never reaches the device
  TimePs unmap_host_only_ps = 0;
  TimePs pack_per_mib_ps = 0;     // page-table walk of large ranges, added to pack
  TimePs pageable_ps = 0;         // added to validate when an end is pageable
  TimePs first_map_ps = 0;        // creating the mirror of a buffer on its first map ...
  TimePs first_map_per_mib_ps = 0;  // ... and pinning it
  Completion completion = Completion::poll;
  TimePs interrupt_moderation_ps = 0;  // least time between two interrupts
  TimePs fence_ps = 0;            // completion record written, seen from the device
  TimePs wakeup_ps = 0;           // record visible to the blocked thread running again
  TimePs poll_event_ps = 0;
  TimePs finish_idle_ps = 0;
  TimePs read_clock_ps = 0;
  TimePs fill_texel_ps = 0;       // policy.image_fill_3d_by_host
  TimePs merged_marker_ps = 0;    // a marker that goes with the one before it; 0: each goes to the device
  TimePs flush_ps = 0;
  TimePs user_event_ps = 0;       // setting a user event's status, until what waits for it goes on
  TimePs create_buffer_ps = 0;
  std::uint64_t staging_chunk_bytes = 0;
  std::uint32_t staging_buffers = 2;
  // A thread of the driver's copies the sources of non-blocking writes; 0: the caller does.
  TimePs staging_thread_chunk_ps = 0;     // it takes up a chunk
  TimePs staging_handover_ps = 0;         // the caller gives it a write ...
  TimePs staging_handover_per_mib_ps = 0; // ... of so many MiB
};

// What the profile says of its own accuracy. Nothing of it is simulated.
struct Validation {
  std::vector<FittedRows> fit;
  std::map<std::string, std::vector<std::string>> misses;  // "transfer_device": mechanisms that a missed limit is due to
};

struct Profile {
  std::string name;
  std::string description;
  std::string grade;  // "calibrated", "checked against published figures", "from data sheets"
  std::string silicon;  // the real device, as its driver names it; empty: none
  std::string hash;   // 16 hex digits over the canonical JSON after includes
  Machine machine;    // identity, limits and policy for the driver
  Host host;
  Iommu iommu;
  Ats ats;
  Migration migration;
  Link link;
  Bridge bridge;
  CommandProcessor command_processor;
  CopyEngines copy_engines;
  Dram device_memory;
  Dram host_memory;  // without channels: home_agent.memory_bytes_per_s is all that is known
  DeviceCache device_cache;
  Images images;
  Compute compute;
  Driver driver;
  Validation validation;
};

}  // namespace sluice::profile
