#include "sim/profile/fields.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace sluice::profile {

namespace {

class Table {
 public:
  std::vector<Field> fields;

  Table& section(std::string name) {
    section_ = std::move(name);
    return *this;
  }
  // `at` gives the member: [](Profile& p) -> auto& { return p.link.lanes; }
  template <class At>
  Table& number(const char* key, double min, double max, const char* text, At at, bool required = true) {
    add(key, Unit::none, min, max, text, required, [at](Profile& p, double v) { assign(at(p), v); });
    fields.back().whole = std::is_integral_v<std::remove_reference_t<decltype(at(std::declval<Profile&>()))>>;
    return *this;
  }
  template <class At>
  Table& bytes(const char* key, double min, double max, const char* text, At at, bool required = true) {
    add(key, Unit::bytes, min, max, text, required, [at](Profile& p, double v) { assign(at(p), v); });
    fields.back().whole = true;
    return *this;
  }
  template <class At>
  Table& ns(const char* key, double max, const char* text, At at, bool required = true) {
    return add(key, Unit::ns, 0, max, text, required,
               [at](Profile& p, double v) { at(p) = static_cast<TimePs>(std::llround(v * 1000.0)); });
  }
  template <class At>
  Table& gbps(const char* key, const char* text, At at, bool required = true) {
    return add(key, Unit::gbps, 0.001, 1e6, text, required,
               [at](Profile& p, double v) { at(p) = static_cast<std::uint64_t>(std::llround(v * 1e9)); });
  }
  template <class At>
  Table& mhz(const char* key, const char* text, At at) {
    return add(key, Unit::mhz, 1, 100'000, text, true,
               [at](Profile& p, double v) { at(p) = static_cast<std::uint64_t>(std::llround(v * 1e6)); });
  }
  template <class At>
  Table& flag(const char* key, const char* text, At at, bool required = true) {
    return add(key, Unit::boolean, 0, 1, text, required, [at](Profile& p, double v) { at(p) = v != 0; });
  }
  template <class At>
  Table& text(const char* key, const char* description, At at, bool required = true) {
    Field f;
    f.section = section_;
    f.key = key;
    f.unit = Unit::text;
    f.required = required;
    f.description = description;
    f.set_text = [at](Profile& p, const std::string& v) { at(p) = v; };
    fields.push_back(std::move(f));
    return *this;
  }
  Table& texts(const char* key, const char* description,
               std::function<std::string(Profile&, const std::vector<std::string>&)> set) {
    Field f;
    f.section = section_;
    f.key = key;
    f.unit = Unit::texts;
    f.required = false;
    f.description = description;
    f.set_texts = std::move(set);
    fields.push_back(std::move(f));
    return *this;
  }
  template <class Enum, class At>
  Table& choice(const char* key, std::vector<std::pair<const char*, Enum>> values, const char* description, At at,
                bool required = true) {
    Field f;
    f.required = required;
    f.section = section_;
    f.required = required;
    f.key = key;
    f.unit = Unit::choice;
    f.description = description;
    for (const auto& v : values) f.choices.emplace_back(v.first);
    f.set_text = [at, values](Profile& p, const std::string& name) {
      for (const auto& v : values) {
        if (name == v.first) at(p) = v.second;
      }
    };
    fields.push_back(std::move(f));
    return *this;
  }

 private:
  static void assign(std::optional<double>& to, double v) { to = v; }
  static void assign(double& to, double v) { to = v; }
  static void assign(std::uint32_t& to, double v) { to = static_cast<std::uint32_t>(v); }
  static void assign(std::uint64_t& to, double v) { to = static_cast<std::uint64_t>(v); }

  Table& add(const char* key, Unit unit, double min, double max, const char* text, bool required,
             std::function<void(Profile&, double)> set) {
    Field f;
    f.section = section_;
    f.key = key;
    f.unit = unit;
    f.min = min;
    f.max = max;
    f.required = required;
    f.description = text;
    f.set_number = std::move(set);
    fields.push_back(std::move(f));
    return *this;
  }

  std::string section_;
};

#define AT(member) [](Profile & p) -> auto& { return p.member; }

void add_machine(Table& t) {
  constexpr double pib = 1125899906842624.0;
  t.section("")
      .text("name", "Name of the profile; a shipped profile's file name", AT(name))
      .text("description", "What machine this is, in a sentence", AT(description))
      .choice<std::string>("grade",
                           {{"calibrated", "calibrated"},
                            {"checked against published figures", "checked against published figures"},
                            {"from data sheets", "from data sheets"}},
                           "How far the constants are to be trusted", AT(grade))
      .text("silicon", "The real device that this models, as its driver names it", AT(silicon), false)
      .number("devices", 1, 16, "Devices behind one host", AT(machine.device_count), false);
  t.section("device")
      .text("name", "CL_DEVICE_NAME", AT(machine.device.name))
      .text("vendor", "CL_DEVICE_VENDOR", AT(machine.device.vendor))
      .number("vendor_id", 0, 4294967295.0, "CL_DEVICE_VENDOR_ID", AT(machine.device.vendor_id), false)
      .text("driver_version", "CL_DRIVER_VERSION", AT(machine.device.driver_version), false)
      .bytes("global_memory_bytes", 1 << 20, pib, "Device memory that programs may allocate", AT(machine.device.global_memory_bytes))
      .bytes("max_allocation_bytes", 1 << 20, pib, "Largest single buffer", AT(machine.device.max_allocation_bytes))
      .bytes("global_cache_bytes", 0, 1e12, "CL_DEVICE_GLOBAL_MEM_CACHE_SIZE", AT(machine.device.global_cache_bytes))
      .bytes("global_cache_line_bytes", 0, 65536, "CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE", AT(machine.device.global_cache_line_bytes))
      .bytes("local_memory_bytes", 32768, 1e9, "CL_DEVICE_LOCAL_MEM_SIZE", AT(machine.device.local_memory_bytes))
      .number("compute_units", 1, 65536, "CL_DEVICE_MAX_COMPUTE_UNITS", AT(machine.device.compute_units))
      .number("max_clock_mhz", 1, 100000, "CL_DEVICE_MAX_CLOCK_FREQUENCY", AT(machine.device.max_clock_mhz))
      .number("max_work_group_size", 1, 65536, "CL_DEVICE_MAX_WORK_GROUP_SIZE", AT(machine.device.max_work_group_size), false)
      .number("base_address_align_bits", 1024, 1048576, "CL_DEVICE_MEM_BASE_ADDR_ALIGN, in bits", AT(machine.device.base_address_align_bits), false)
      .flag("host_unified_memory", "CL_DEVICE_HOST_UNIFIED_MEMORY", AT(machine.device.host_unified_memory))
      .flag("images", "CL_DEVICE_IMAGE_SUPPORT", AT(machine.device.images))
      .choice<SvmSupport>("svm",
                          {{"none", SvmSupport::none},
                           {"coarse", SvmSupport::coarse},
                           {"fine_buffer", SvmSupport::fine_buffer},
                           {"fine_system", SvmSupport::fine_system}},
                          "Shared virtual memory that the device grants", AT(machine.device.svm))
      .flag("svm_atomics", "Atomics on fine-grained SVM", AT(machine.device.svm_atomics))
      .ns("timestamp_granularity_ns", 1e6, "Step of the profiling counters", AT(machine.device.timestamp_granularity_ps));
  const std::vector<std::pair<const char*, BufferPolicy>> places = {{"device_mirror", BufferPolicy::device_mirror},
                                                                   {"zero_copy", BufferPolicy::zero_copy}};
  std::vector<std::pair<const char*, BufferPolicy>> own_places = places;  // of memory that the driver finds itself
  own_places.emplace_back("device_shared", BufferPolicy::device_shared);
  t.section("policy")
      .choice("default_buffer", own_places, "Where buffers without host flags live", AT(machine.policy.default_buffer))
      .choice("alloc_host_ptr", own_places, "Where CL_MEM_ALLOC_HOST_PTR buffers live", AT(machine.policy.alloc_host_ptr))
      .choice("use_host_ptr", places, "Where CL_MEM_USE_HOST_PTR buffers live", AT(machine.policy.use_host_ptr))
      .choice("svm_coarse", places, "Where coarse-grained SVM lives", AT(machine.policy.svm_coarse))
      .flag("read_map_copies", "A read map brings data to the mirror", AT(machine.policy.read_map_copies))
      .flag("write_map_copies", "A write map brings data to the mirror", AT(machine.policy.write_map_copies))
      .flag("invalidate_map_is_host_only", "A write-invalidate map never reaches the device", AT(machine.policy.invalidate_map_is_host_only))
      .flag("unmap_after_read_is_host_only", "An unmap after a read map never reaches the device", AT(machine.policy.unmap_after_read_is_host_only))
      .flag("svm_unmap_after_read_is_host_only", "The same for SVM", AT(machine.policy.svm_unmap_after_read_is_host_only))
      .flag("image_invalidate_map_copies", "A write-invalidate map of an image reads it back all the same; absent: no", AT(machine.policy.image_invalidate_map_copies), false)
      .flag("image_unmap_after_read_is_host_only", "An unmap of an image after a read map never reaches the device; absent: as of buffers", AT(machine.policy.image_unmap_after_read_is_host_only), false)
      .choice<Detile>("image_detile",
                      {{"in_transfer", Detile::in_transfer}, {"copy_engine", Detile::copy_engine}, {"kernel", Detile::kernel}},
                      "What turns tiles into rows where an image crosses the link: the copy engine as it moves them, or a pass through a staging buffer on the device by the copy engine or by a kernel; absent: in_transfer",
                      AT(machine.policy.detile), false)
      .flag("image_fill_3d_by_host", "A 3D image is filled by the CPU, which makes the texels in pageable memory and writes them to the device; absent: no", AT(machine.policy.image_fill_3d_by_host), false);
}

void add_host(Table& t) {
  t.section("host").mhz("core_clock_mhz", "Clock of a host core", AT(host.core_clock_hz));
  t.section("host.private_cache")
      .bytes("capacity_bytes", 4096, 1e10, "What a streaming pass leaves in a core's private cache", AT(host.private_cache.capacity_bytes))
      .bytes("line_bytes", 16, 4096, "Cache line", AT(host.private_cache.line_bytes));
  t.section("host.last_level_cache")
      .bytes("capacity_bytes", 4096, 1e11, "Share of the last-level cache that one program keeps", AT(host.last_level_cache.capacity_bytes))
      .bytes("line_bytes", 16, 4096, "Cache line", AT(host.last_level_cache.line_bytes));
  t.section("host.home_agent")
      .mhz("clock_mhz", "Clock of the uncore", AT(host.home_agent.clock_hz))
      .ns("latency_ns", 1e6, "Request at the root port to first data, line in memory", AT(host.home_agent.latency_ps))
      .ns("llc_latency_ns", 1e6, "The same of a PCIe read where the line is in the last-level cache; left out: as in memory", AT(host.home_agent.llc_latency_ps), false)
      .ns("private_latency_ns", 1e6, "The same where it is in a core's cache", AT(host.home_agent.private_latency_ps), false)
      .gbps("memory_gbps", "Host memory bandwidth open to the device", AT(host.home_agent.memory_bytes_per_s))
      .ns("snoop_latency_ns", 1e5, "One snoop of a private cache with data", AT(host.home_agent.snoop_latency_ps))
      .number("snoop_trackers", 1, 4096, "Snoops with data in flight", AT(host.home_agent.snoop_trackers))
      .ns("write_clean_line_ns", 1e4, "Added per line when the device writes over a clean private line", AT(host.home_agent.write_clean_line_ps))
      .ns("write_dirty_line_ns", 1e4, "Added per line when the device writes over a dirty private line", AT(host.home_agent.write_dirty_line_ps))
      .number("filter_lines", 0, 1 << 30, "Lines that the host's snoop filter may list as held by cores or, over a coherent link, devices; 0: all", AT(host.home_agent.filter_lines), false)
      .ns("atomic_ns", 1e5, "The root complex works out a PCIe AtomicOp, one after another", AT(host.home_agent.atomic_ps), false);
  t.section("host.copy")
      .ns("overhead_ns", 1e6, "Per memcpy by the driver", AT(host.copy.overhead_ps))
      .gbps("private_gbps", "memcpy with ordinary stores, source in a private cache", AT(host.copy.private_bytes_per_s))
      .gbps("streaming_gbps", "memcpy with non-temporal stores, source in a private cache", AT(host.copy.streaming_bytes_per_s))
      .gbps("llc_gbps", "memcpy, source in the last-level cache", AT(host.copy.llc_bytes_per_s))
      .gbps("memory_gbps", "memcpy, source in memory", AT(host.copy.memory_bytes_per_s))
      .gbps("out_gbps", "memcpy out of a staging buffer that the device wrote", AT(host.copy.out_bytes_per_s))
      .ns("out_overhead_ns", 1e6, "Per copy out of a staging buffer", AT(host.copy.out_overhead_ps))
      .ns("out_row_ns", 1e6, "Per row of a rectangle copied out", AT(host.copy.out_row_ps))
      .bytes("streaming_threshold_bytes", 0, 1e12, "Copies of this size and more use non-temporal stores; 0: never", AT(host.copy.streaming_threshold_bytes))
      .bytes("out_streaming_threshold_bytes", 0, 1e12, "The same of copies out of a staging buffer; absent or 0: as of the others", AT(host.copy.out_streaming_threshold_bytes), false)
      .ns("out_private_line_ns", 1e4, "Added per line that a private cache has where a copy out uses non-temporal stores", AT(host.copy.out_private_line_ps), false)
      .gbps("thread_memory_gbps", "memcpy by the driver's thread (driver.staging_thread_chunk_ns), source in memory; absent: memory_gbps", AT(host.copy.thread_memory_bytes_per_s), false)
      .ns("thread_dirty_line_ns", 1e4, "Added per line that is dirty in the cache of the program's core where that thread copies it", AT(host.copy.thread_dirty_line_ps), false)
      .gbps("store_private_gbps", "The program's stores into mapped memory, under --touch-tracking: lines in a private cache; absent: store_gbps", AT(host.copy.store_private_bytes_per_s), false)
      .gbps("store_gbps", "The same of other lines; absent: they take no time", AT(host.copy.store_bytes_per_s), false);
}

std::vector<std::pair<const char*, std::array<DramField, 4>>> address_orders() {
  using F = DramField;
  return {{"row bank column bank_group", {F::row, F::bank, F::column, F::bank_group}},
          {"row bank bank_group column", {F::row, F::bank, F::bank_group, F::column}},
          {"row bank_group bank column", {F::row, F::bank_group, F::bank, F::column}},
          {"row bank_group column bank", {F::row, F::bank_group, F::column, F::bank}},
          {"row column bank bank_group", {F::row, F::column, F::bank, F::bank_group}},
          {"row column bank_group bank", {F::row, F::column, F::bank_group, F::bank}},
          {"bank row column bank_group", {F::bank, F::row, F::column, F::bank_group}},
          {"bank row bank_group column", {F::bank, F::row, F::bank_group, F::column}},
          {"bank bank_group row column", {F::bank, F::bank_group, F::row, F::column}},
          {"bank_group bank row column", {F::bank_group, F::bank, F::row, F::column}},
          {"bank_group row bank column", {F::bank_group, F::row, F::bank, F::column}},
          {"bank_group row column bank", {F::bank_group, F::row, F::column, F::bank}}};
}

// Memory of the device (whose section must be there), or of the host.
void add_dram(Table& t, const std::string& section, bool required, Dram& (*at)(Profile&)) {
#define DRAM(member) [at](Profile & p) -> auto& { return at(p).member; }
  t.section(section)
      .number("channels", 1, 4096, "Independent channels: data buses, pseudo-channels one by one", DRAM(channels), required)
      .number("banks", 1, 4096, "Banks of a channel", DRAM(banks), required)
      .bytes("row_bytes", 64, 65536, "Row (page) of a bank", DRAM(row_bytes), required)
      .bytes("interleave_bytes", 32, 1 << 20, "Consecutive bytes on one channel", DRAM(interleave_bytes), false)
      .number("write_drain_rows", 1, 4096, "Rows of writes that the controller gathers before it turns the bus around", DRAM(write_drain_rows), false)
      .number("bus_bits", 8, 4096, "Data bits of a channel", DRAM(bus_bits), required)
      .number("gigatransfers_per_s", 0.1, 100, "Rate of a pin", DRAM(gigatransfers_per_s), required)
      .choice<DramDetail>("detail", {{"train", DramDetail::train}, {"commands", DramDetail::commands}},
                          "By one rate worked out from the timings, or command by command", DRAM(detail), false)
      .number("bank_groups", 1, 64, "Groups that the banks are in", DRAM(bank_groups), false)
      .number("pseudo_channels", 1, 8, "Channels that share command pins", DRAM(pseudo_channels), false)
      .number("command_buses", 1, 2, "2: commands of rows and of columns have pins of their own", DRAM(command_buses), false)
      .number("burst_length", 1, 256, "Transfers of a burst; absent: those of 32 bytes, of 64 where tccd_ns asks for it", DRAM(burst_length), false)
      .choice<std::array<DramField, 4>>("address_order", address_orders(), "Parts of an address in its channel, the highest first", DRAM(address_order), false)
      .number("rows", 1, 1 << 24, "Rows of a bank; needed where address_order does not begin with the row", DRAM(rows), false)
      .flag("bank_hash", "The row's low bits choose the bank, too", DRAM(bank_hash), false)
      .choice<DramScheduler>("scheduler", {{"fr_fcfs", DramScheduler::fr_fcfs}, {"fcfs", DramScheduler::fcfs}},
                             "Open rows first and then the oldest, or the oldest alone", DRAM(scheduler), false)
      .number("queue_entries", 1, 4096, "Bursts to read that the controller chooses from, a channel", DRAM(queue_entries), false)
      .number("starvation_passes", 0, 1 << 20, "Younger bursts that may overtake one", DRAM(starvation_passes), false)
      .choice<DramPages>("pages", {{"open", DramPages::open}, {"closed", DramPages::closed}},
                         "Rows stay open until another is needed, or are closed when nothing that waits needs them", DRAM(pages), false)
      .choice<DramRefresh>("refresh", {{"all_bank", DramRefresh::all_bank}, {"per_bank", DramRefresh::per_bank}},
                           "All banks at once, or one after another", DRAM(refresh), false);
  t.section(section + ".timings")
      .ns("tck_ns", 100, "Clock period", DRAM(timings.tck_ps), required)
      .ns("trcd_ns", 1000, "Activate to column command", DRAM(timings.trcd_ps), required)
      .ns("trp_ns", 1000, "Precharge", DRAM(timings.trp_ps), required)
      .ns("tcl_ns", 1000, "Column command to data", DRAM(timings.tcl_ps), required)
      .ns("tras_ns", 1000, "Activate to precharge", DRAM(timings.tras_ps), required)
      .ns("trefi_ns", 1e6, "Refresh interval", DRAM(timings.trefi_ps), required)
      .ns("trfc_ns", 1e5, "Time a channel loses to one refresh", DRAM(timings.trfc_ps), required)
      .ns("tccd_ns", 1000, "Column command to column command", DRAM(timings.tccd_ps), required)
      .ns("tfaw_ns", 1000, "Window of four activations", DRAM(timings.tfaw_ps), required)
      .ns("trrd_ns", 1000, "Activate to activate, other bank", DRAM(timings.trrd_ps), required)
      .ns("twtr_ns", 1000, "Write to read", DRAM(timings.twtr_ps), required)
      .ns("trtw_ns", 1000, "Read to write", DRAM(timings.trtw_ps), required)
      .ns("trcd_write_ns", 1000, "Activate to write, where it differs from trcd_ns", DRAM(timings.trcd_write_ps), false)
      .ns("tcwl_ns", 1000, "Write to its data, where it differs from tcl_ns", DRAM(timings.tcwl_ps), false)
      .ns("trc_ns", 1000, "Activate to activate of a bank; absent: tras_ns + trp_ns", DRAM(timings.trc_ps), false)
      .ns("trrd_l_ns", 1000, "As trrd_ns within a bank group", DRAM(timings.trrd_l_ps), false)
      .ns("tccd_l_ns", 1000, "As tccd_ns within a bank group", DRAM(timings.tccd_l_ps), false)
      .ns("tccd_l_write_ns", 1000, "As tccd_l_ns between writes", DRAM(timings.tccd_l_write_ps), false)
      .ns("twtr_l_ns", 1000, "As twtr_ns within a bank group", DRAM(timings.twtr_l_ps), false)
      .ns("twr_ns", 1000, "End of write data to precharge", DRAM(timings.twr_ps), false)
      .ns("trtp_ns", 1000, "Read to precharge; absent: a burst's time", DRAM(timings.trtp_ps), false)
      .ns("trfc_bank_ns", 1e5, "Refresh of one bank, where refresh is per_bank", DRAM(timings.trfc_bank_ps), false);
#undef DRAM
}

void add_iommu(Table& t) {
  t.section("iommu")
      .number("entries", 0, 1 << 20, "IO-TLB; 0: no IOMMU, or one that costs nothing", AT(iommu.entries), false)
      .number("ways", 0, 1 << 20, "Ways of the IO-TLB; 0: any page in any entry", AT(iommu.ways), false)
      .number("shared_entries", 0, 1 << 20, "Entries that others' pages hold: rings, interrupts, other devices", AT(iommu.shared_entries), false)
      .bytes("page_bytes", 4096, 1 << 30, "Pages that the driver maps by", AT(iommu.page_bytes), false)
      .number("table_cache_entries", 0, 1 << 20, "Last-level page tables whose places are known, else a walk reads one entry more; 0: all are", AT(iommu.table_cache_entries), false)
      .number("walkers", 1, 4096, "Walks at once", AT(iommu.walkers), false)
      .ns("walk_ns", 1e5, "A walk, reads of page tables apart", AT(iommu.walk_ps), false)
      .choice<PageTables>("tables", {{"last_level_cache", PageTables::last_level_cache}, {"memory", PageTables::memory}, {"cached", PageTables::cached}},
                          "Where the page tables lie; cached: in memory, but for llc_table_lines", AT(iommu.tables), false)
      .number("llc_table_lines", 0, 1 << 24, "Lines of page tables, 8 pages' entries each, that the last-level cache keeps, those used last; where tables is cached", AT(iommu.llc_table_lines), false)
      .ns("llc_read_ns", 1e5, "One read of a page table in the last-level cache", AT(iommu.llc_read_ps), false)
      .ns("memory_read_ns", 1e5, "One read of a page table in memory", AT(iommu.memory_read_ps), false)
      .ns("read_release_ns", 1e5, "A walk for a read keeps its walker so much longer than it takes", AT(iommu.read_release_ps), false)
      .ns("write_release_ns", 1e5, "A walk for a write, likewise", AT(iommu.write_release_ps), false);
}

template <class At>
void add_credits(Table& t, const char* section, At at) {
  const auto kind = [&](const char* key, const char* text, auto member) {
    t.number(key, 0, 65536, text, [=](Profile& p) -> auto& { return at(p).*member; }, false);
  };
  t.section(section);
  kind("posted_headers", "Posted TLPs that the receiver has room for; 0: without end", &Credits::posted_headers);
  kind("posted_data", "Their data, in units of 16 bytes", &Credits::posted_data);
  kind("non_posted_headers", "Read requests that the receiver has room for; 0: without end", &Credits::non_posted_headers);
  kind("non_posted_data", "Data of requests that carry some (AtomicOps), in units of 16 bytes; kernels have them where link.atomics is atomic_ops", &Credits::non_posted_data);
  kind("completion_headers", "Completions that the requester has room for; 0: without end, as endpoints must say", &Credits::completion_headers);
  kind("completion_data", "Their data, in units of 16 bytes", &Credits::completion_data);
}

void add_ats(Table& t) {
  t.section("ats")
      .number("entries", 0, 1 << 20, "The device's address translation cache; 0: the device asks for no translations", AT(ats.entries), false)
      .number("ways", 0, 1 << 20, "Its ways; 0: any page in any entry", AT(ats.ways), false)
      .bytes("page_bytes", 4096, 1 << 30, "What one translation is for", AT(ats.page_bytes), false)
      .number("requests", 1, 4096, "Translation requests at once", AT(ats.requests), false)
      .ns("agent_ns", 1e5, "From a request at the root port to its answer, where the IO-TLB knows the page", AT(ats.agent_ps), false)
      .ns("invalidate_ns", 1e6, "The device drops a translation and drains what used it, the link's flights apart", AT(ats.invalidate_ps), false);
}

void add_migration(Table& t) {
  t.section("migration")
      .number("batch_faults", 0, 65536, "Page faults of the device that are served together; 0: pages stay at the host", AT(migration.batch_faults), false)
      .number("batches_per_service", 1, 65536, "Batches that an interrupt is for, if they come while it is served", AT(migration.batches_per_service), false)
      .bytes("page_bytes", 4096, 65536, "What a fault is for", AT(migration.page_bytes), false)
      .bytes("leaf_bytes", 4096, 2 << 20, "What moves at least", AT(migration.leaf_bytes), false)
      .bytes("block_bytes", 65536, 64 << 20, "What moves at most for one fault, and what is driven out at once", AT(migration.block_bytes), false)
      .number("prefetch_percent", 1, 100, "A part of a block that has more of its leaves on one side moves there whole; 100: no prefetch", AT(migration.prefetch_percent), false)
      .ns("fault_ns", 1e9, "From a fault to the driver's work", AT(migration.fault_ps), false)
      .ns("batch_ns", 1e9, "The driver's work for a batch", AT(migration.batch_ps), false)
      .ns("block_ns", 1e9, "The driver's work for each block in a batch", AT(migration.block_ps), false)
      .ns("host_fault_ns", 1e9, "A core's fault on a page that is on the device", AT(migration.host_fault_ps), false)
      .bytes("device_bytes", 0, 1e15, "Of the device's memory that pages may take; 0: all of it", AT(migration.device_bytes), false);
}

void add_link(Table& t) {
  t.section("link")
      .choice<LinkKind>("kind", {{"pcie", LinkKind::pcie}, {"coherent", LinkKind::coherent}, {"on_chip", LinkKind::on_chip}},
                        "What joins host and device", AT(link.kind))
      .number("generation", 1, 6, "Generation of PCIe: framing of TLPs (FLIT mode from 6), limits of DLLP accounting", AT(link.generation), false)
      .number("gigatransfers_per_s", 0.1, 1000, "Rate of a lane", AT(link.gigatransfers_per_s), false)
      .number("lanes", 1, 4096, "Lanes of a direction", AT(link.lanes), false)
      .number("encoding", 0.1, 1, "Line code: 0.8 for 8b/10b, 128/130, 242/256", AT(link.encoding), false)
      .bytes("max_payload_bytes", 64, 4096, "MPS", AT(link.max_payload_bytes))
      .bytes("max_read_request_bytes", 64, 4096, "MRRS", AT(link.max_read_request_bytes))
      .bytes("read_completion_boundary_bytes", 64, 128, "RCB", AT(link.read_completion_boundary_bytes), false)
      .bytes("completion_payload_bytes", 64, 4096, "Largest completion, where it is not MPS: completers that answer by RCB", AT(link.completion_payload_bytes), false)
      .number("header_words", 3, 4, "Header of a request: 3 words for 32-bit addresses, 4 for 64-bit ones", AT(link.header_words), false)
      .flag("ecrc", "TLPs end in a digest of 4 bytes", AT(link.ecrc), false)
      .bytes("write_header_bytes", 0, 256, "MWr: header, framing, sequence number, LCRC; left out: what generation, header_words and ecrc make", AT(link.write_header_bytes), false)
      .bytes("read_header_bytes", 0, 256, "MRd, likewise", AT(link.read_header_bytes), false)
      .bytes("completion_header_bytes", 0, 256, "CplD, likewise", AT(link.completion_header_bytes), false)
      .choice<DllpAccounting>("dllp_accounting", {{"mean", DllpAccounting::mean}, {"published", DllpAccounting::published}, {"per_lane", DllpAccounting::per_lane}, {"counted", DllpAccounting::counted}},
                              "Ack and UpdateFC DLLPs: a mean per TLP, the published analytic model, that by lane, or one by one", AT(link.dllp_accounting), false)
      .bytes("dllp_bytes", 0, 64, "One DLLP on the wire", AT(link.dllp_bytes), false)
      .number("ack_tlps", 1, 4096, "counted: TLPs to an Ack", AT(link.ack_tlps), false)
      .ns("ack_latency_ns", 1e6, "An Ack waits no longer for further TLPs; 0: no limit", AT(link.ack_latency_ps), false)
      .number("update_tlps", 1, 4096, "counted: TLPs of a kind to an UpdateFC", AT(link.update_tlps), false)
      .ns("update_latency_ns", 1e6, "An UpdateFC waits no longer for further TLPs; 0: no limit", AT(link.update_latency_ps), false)
      .bytes("replay_buffer_bytes", 0, 1 << 24, "Of TLPs that the sender keeps until their Ack; 0: never full", AT(link.replay_buffer_bytes), false)
      .number("upstream_dllps_per_tlp", 0, 16, "DLLPs that share the upstream direction, per data TLP", AT(link.upstream_dllps_per_tlp), false)
      .number("downstream_dllps_per_tlp", 0, 16, "DLLPs that share the downstream direction, per data TLP", AT(link.downstream_dllps_per_tlp), false)
      .number("answering_dllps_per_tlp", 0, 16, "Ack and UpdateFC DLLPs that a data TLP causes on the other wire", AT(link.answering_dllps_per_tlp), false)
      .number("skip_overhead", 0, 0.1, "Share of SKP ordered sets", AT(link.skip_overhead), false)
      .number("tag_bits", 5, 14, "Width of tags: 5 (32 requests), 8 (256), 10 (768) or 14; left out: what the rate allows", AT(link.tag_bits), false)
      .number("read_tags", 1, 65536, "Read requests in flight; left out: 256, or all of tag_bits", AT(link.read_tags), false)
      .bytes("read_buffer_bytes", 64, 1e9, "Completion buffer: bytes that reads may have asked for and not yet got", AT(link.read_buffer_bytes), false)
      .number("posted_credits_tlps", 1, 65536, "Posted writes of one transfer in flight", AT(link.posted_credits_tlps), false)
      .ns("propagation_ns", 1e6, "One way between device and root port or bridge", AT(link.propagation_ps))
      .ns("credit_return_ns", 1e6, "The other end has passed a TLP on: its credit is back", AT(link.credit_return_ps), false)
      .choice<Ordering>("ordering", {{"strict", Ordering::strict}, {"relaxed", Ordering::relaxed}},
                        "The home agent takes what comes from the device in order, or transfers in turn (relaxed ordering)", AT(link.ordering), false)
      .choice<Atomics>("atomics", {{"read_write", Atomics::read_write}, {"atomic_ops", Atomics::atomic_ops}},
                       "A kernel's atomics on host memory over PCIe: the device reads and writes back, or sends AtomicOps, which root port and bridge route", AT(link.atomics), false)
      .bytes("flit_bytes", 8, 4096, "Flit on a coherent link", AT(link.flit_bytes), false)
      .bytes("flit_payload_bytes", 8, 4096, "Data in a flit", AT(link.flit_payload_bytes), false)
      .bytes("request_bytes", 0, 256, "A request or snoop of the coherence protocol", AT(link.request_bytes), false)
      .bytes("response_bytes", 0, 256, "A response or grant without data", AT(link.response_bytes), false)
      .bytes("data_header_bytes", 0, 256, "What goes with a line's data", AT(link.data_header_bytes), false)
      .bytes("line_bytes", 16, 4096, "Cache line of the coherence protocol", AT(link.line_bytes), false)
      .number("outstanding_lines", 1, 1e6, "Line transactions in flight", AT(link.outstanding_lines), false)
      .ns("ownership_ns", 1e6, "The device asks for lines to write them: until they are granted", AT(link.ownership_ps), false)
      .number("ownership_lines_per_s", 0, 1e12, "Rate at which lines that a core's cache holds change hands; 0: no limit", AT(link.ownership_lines_per_s), false)
      .choice<DeviceMemoryCoherence>("device_memory", {{"none", DeviceMemoryCoherence::none}, {"back_invalidation", DeviceMemoryCoherence::back_invalidation}, {"bias", DeviceMemoryCoherence::bias}},
                                     "How the device keeps its memory equal with the host's caches; none: the host does not address it", AT(link.device_memory), false)
      .number("filter_lines", 0, 1 << 30, "Lines of its memory in the host's caches that the device's snoop filter may list; 0: all", AT(link.filter_lines), false)
      .number("filter_snoops", 1, 65536, "Back-invalidations under way at once", AT(link.filter_snoops), false)
      .bytes("bias_page_bytes", 64, 1 << 30, "What one bias is for", AT(link.bias_page_bytes), false)
      .ns("bias_flip_ns", 1e6, "One page's flip from one side to the other", AT(link.bias_flip_ps), false)
      .gbps("fabric_gbps", "On-chip fabric, one direction", AT(link.fabric_bytes_per_s), false)
      .flag("fabric_coherent", "The on-chip fabric keeps caches coherent", AT(link.fabric_coherent), false)
      .ns("maintenance_line_ns", 1e5, "Clean or invalidate one line", AT(link.maintenance_line_ps), false)
      .ns("maintenance_overhead_ns", 1e7, "Cache maintenance, per map or unmap", AT(link.maintenance_overhead_ps), false);
  add_credits(t, "link.credits", [](Profile& p) -> Credits& { return p.link.credits; });
  t.section("bridge")
      .choice<BridgeKind>("kind", {{"switch", BridgeKind::pcie_switch}, {"root_complex", BridgeKind::root_complex}},
                          "What the devices' links meet at; left out: each has a root port of its own", AT(bridge.kind), false)
      .number("gigatransfers_per_s", 0.1, 1000, "Rate of a lane of a switch's upstream link", AT(bridge.gigatransfers_per_s), false)
      .number("lanes", 1, 4096, "Lanes of a switch's upstream link", AT(bridge.lanes), false)
      .gbps("fabric_gbps", "A root complex' fabric, one direction, headers included", AT(bridge.bytes_per_s), false)
      .ns("latency_ns", 1e6, "Through it, one way", AT(bridge.latency_ps), false)
      .ns("propagation_ns", 1e6, "A switch's upstream link, one way", AT(bridge.propagation_ps), false)
      .ns("credit_return_ns", 1e6, "The root port has passed a TLP on: its credit is back at the switch", AT(bridge.credit_return_ps), false)
      .flag("peer_to_peer", "A device writes to another one's memory; else data go through host memory", AT(bridge.peer_to_peer), false);
  add_credits(t, "bridge.credits", [](Profile& p) -> Credits& { return p.bridge.credits; });
}

void add_device(Table& t) {
  t.section("command_processor")
      .mhz("clock_mhz", "Clock", AT(command_processor.clock_hz))
      .bytes("ring_entry_bytes", 4, 65536, "Bytes fetched for one command", AT(command_processor.ring_entry_bytes))
      .bytes("prefetch_bytes", 0, 1e9, "Inline payload that is there when its command runs, and that is in flight at once after that; 0: all of it", AT(command_processor.prefetch_bytes))
      .number("fetch_reads", 1, 8, "Dependent reads over the link to a command: the entry of the ring, then what it points to", AT(command_processor.fetch_reads))
      .number("fetch_cycles", 0, 1e7, "Fetch, besides the link's round trip", AT(command_processor.fetch_cycles))
      .number("decode_cycles", 0, 1e7, "Decode", AT(command_processor.decode_cycles))
      .number("dispatch_cycles", 0, 1e7, "Hand-over to an engine", AT(command_processor.dispatch_cycles))
      .number("in_order_gap_cycles", 0, 1e7, "End of a command to start of its successor", AT(command_processor.in_order_gap_cycles))
      .number("marker_cycles", 0, 1e7, "Start to end of a command that moves nothing", AT(command_processor.marker_cycles));
  t.section("copy_engines")
      .mhz("clock_mhz", "Clock", AT(copy_engines.clock_hz))
      .number("host_to_device", 1, 64, "Engines", AT(copy_engines.host_to_device))
      .number("device_to_host", 1, 64, "Engines", AT(copy_engines.device_to_host))
      .number("switch_cycles", 0, 1e9, "Between the end of a transfer and the start of one that waited for its engine", AT(copy_engines.switch_cycles))
      .number("setup_cycles", 0, 1e7, "Descriptor to first request", AT(copy_engines.setup_cycles))
      .number("row_cycles", 0, 1e6, "Per row of a rectangle", AT(copy_engines.row_cycles))
      .number("finish_cycles", 0, 1e7, "Last byte to END", AT(copy_engines.finish_cycles))
      .bytes("inline_limit_bytes", 0, 1e9, "Linear writes up to this travel in the ring; 0: none", AT(copy_engines.inline_limit_bytes))
      .bytes("inline_limit_queued_bytes", 0, 1e9, "The same, of pinned memory, while the queue has commands that the host has not seen end; absent or 0: as inline_limit_bytes", AT(copy_engines.inline_limit_queued_bytes), false)
      .bytes("inline_limit_pageable_bytes", 0, 1e9, "The same from memory that would have to be staged", AT(copy_engines.inline_limit_pageable_bytes))
      .number("inline_cycles", 0, 1e7, "Start to END of an inline write, besides its payload", AT(copy_engines.inline_cycles))
      .number("inline_bytes_per_cycle", 0, 1e6, "Rate at which the engine takes the payload; 0: no limit", AT(copy_engines.inline_bytes_per_cycle))
      .number("device_copy_setup_cycles", 0, 1e7, "Copy on the device: start-up", AT(copy_engines.device_copy_setup_cycles))
      .number("device_copy_bytes_per_cycle", 1, 1e6, "Copy on the device: bytes copied a cycle", AT(copy_engines.device_copy_bytes_per_cycle))
      .number("device_rect_bytes_per_cycle", 1, 1e6, "Rectangle copy on the device: bytes copied a cycle", AT(copy_engines.device_rect_bytes_per_cycle))
      .bytes("device_rect_row_bytes", 0, 1e6, "A row of such a rectangle counts as at least so many bytes", AT(copy_engines.device_rect_row_bytes))
      .bytes("device_copy_split_bytes", 0, 1e9, "Copies on the device of so many bytes or more take a second kernel where an end is off a line's boundary; absent or 0: none does", AT(copy_engines.device_copy_split_bytes), false)
      .number("device_copy_split_cycles", 0, 1e7, "That second kernel", AT(copy_engines.device_copy_split_cycles), false)
      .number("device_copy_odd_bytes_per_cycle", 0, 1e6, "Copy on the device where an end is off words of 4 bytes: bytes copied a cycle; absent or 0: as others", AT(copy_engines.device_copy_odd_bytes_per_cycle), false)
      .number("device_image_bytes_per_cycle", 0, 1e6, "Copy between a buffer and an image of one layer: bytes copied a cycle; absent or 0: as rectangles", AT(copy_engines.device_image_bytes_per_cycle), false)
      .number("device_layers_bytes_per_cycle", 0, 1e6, "The same with a 3D image or an array, read from the device's cache; absent or 0: as rectangles", AT(copy_engines.device_layers_bytes_per_cycle), false)
      .number("device_layers_memory_bytes_per_cycle", 0, 1e6, "The same, read from device memory; absent or 0: as from the cache", AT(copy_engines.device_layers_memory_bytes_per_cycle), false)
      .number("device_fill_setup_cycles", 0, 1e7, "Fill on the device: start-up", AT(copy_engines.device_fill_setup_cycles))
      .number("device_fill_bytes_per_cycle", 1, 1e6, "Fill on the device: bytes written a cycle at most", AT(copy_engines.device_fill_bytes_per_cycle))
      .number("device_fill_items_per_cycle", 0, 1e6, "Fill on the device: patterns written a cycle at most, where each is a work-item's; 0: no such limit", AT(copy_engines.device_fill_items_per_cycle), false)
      .bytes("device_fill_widest_bytes", 0, 128, "Fill on the device: patterns above this are stored byte by byte; 0: none are", AT(copy_engines.device_fill_widest_bytes), false)
      .number("device_fill_store_cycles", 0, 1e4, "Fill byte by byte: a wave's store of a byte a lane, on one compute unit", AT(copy_engines.device_fill_store_cycles), false)
      .number("device_fill_line_cycles", 0, 1e4, "Fill byte by byte: added for each line that the store's lanes lie on", AT(copy_engines.device_fill_line_cycles), false)
      .number("device_fill_group_items", 0, 1e6, "Fill byte by byte: work-items of a work-group, which has one compute unit; absent or 0: spread evenly", AT(copy_engines.device_fill_group_items), false)
      .number("device_fill_unit_store_cycles", 0, 1e4, "Fill byte by byte: a wave's store where its compute unit is the limit, not all of them together", AT(copy_engines.device_fill_unit_store_cycles), false)
      .number("device_fill_unit_line_cycles", 0, 1e4, "Fill byte by byte: added to that for each line", AT(copy_engines.device_fill_unit_line_cycles), false)
      .number("device_image_fill_setup_cycles", 0, 1e7, "Fill of an image: start-up; absent or 0: as of a buffer", AT(copy_engines.device_image_fill_setup_cycles), false);
  add_dram(t, "device_memory", true, [](Profile& p) -> Dram& { return p.device_memory; });
  t.section("device_cache")
      .bytes("capacity_bytes", 0, 1e11, "Last-level cache of the device", AT(device_cache.capacity_bytes))
      .bytes("line_bytes", 16, 4096, "Cache line", AT(device_cache.line_bytes))
      .gbps("bandwidth_gbps", "Bandwidth", AT(device_cache.bytes_per_s))
      .ns("latency_ns", 1e5, "Latency", AT(device_cache.latency_ps))
      .flag("copies_allocate", "Whether what copy engines move stays in the cache, too; absent: true", AT(device_cache.copies_allocate), false);
}

void add_images(Table& t) {
  t.section("images")
      .choice<ImageLayout>("layout", {{"linear", ImageLayout::linear}, {"tiled", ImageLayout::tiled}},
                           "How images lie in device memory; absent: linear", AT(images.layout), false)
      .bytes("tile_row_bytes", 16, 65536, "Bytes of a row that lie in one tile; a power of two", AT(images.tile_row_bytes), false)
      .number("tile_rows", 1, 4096, "Rows of a tile; a power of two", AT(images.tile_rows), false)
      .number("tile_slices", 1, 4096, "Slices of a tile of a 3D image or 2D array; a power of two", AT(images.tile_slices), false)
      .text("tile_order", "Which coordinate each bit of a byte's number in its tile counts, the lowest first: one x for each bit of tile_row_bytes, y of tile_rows, z of tile_slices; absent: all x, then y, then z", AT(images.tile_order), false);
}

void add_compute(Table& t) {
  t.section("compute")
      .number("wave_size", 1, 128, "Work-items of a wave (warp, wavefront, sub-group)", AT(compute.wave_size))
      .number("waves_per_unit", 1, 1024, "Waves that a compute unit holds", AT(compute.waves_per_unit))
      .number("groups_per_unit", 1, 1024, "Work-groups that a compute unit holds", AT(compute.groups_per_unit))
      .number("registers_per_unit", 256, 1e8, "32-bit registers of a compute unit", AT(compute.registers_per_unit))
      .bytes("local_bytes_per_unit", 32768, 1e8, "Local memory of a compute unit", AT(compute.local_bytes_per_unit))
      .number("issue_lanes", 1, 4096, "Work-items that start an instruction in a cycle, a unit, all classes together", AT(compute.issue_lanes))
      .number("integer_lanes", 0.1, 4096, "The same, integer", AT(compute.integer_lanes))
      .number("float32_lanes", 0.1, 4096, "The same, single precision", AT(compute.float32_lanes))
      .number("float64_lanes", 0.1, 4096, "The same, double precision", AT(compute.float64_lanes))
      .number("special_lanes", 0.1, 4096, "The same, division, roots, transcendental functions", AT(compute.special_lanes))
      .number("control_lanes", 0.1, 4096, "The same, branches", AT(compute.control_lanes))
      .number("memory_lanes", 0.1, 4096, "The same, loads, stores, atomics", AT(compute.memory_lanes))
      .number("partitions", 1, 64, "Parts of a compute unit that share its lanes evenly; a wave stays in one. Absent: 1", AT(compute.partitions), false)
      .number("wave_issue_cycles", 1, 1000, "Between two instructions of one wave, as a mean with what they depend on", AT(compute.wave_issue_cycles))
      .number("wave_loads", 1, 1024, "Loads that a wave has in flight", AT(compute.wave_loads))
      .number("barrier_cycles", 0, 1e6, "A barrier, from the last wave's arrival", AT(compute.barrier_cycles))
      .number("barrier_wave_cycles", 0, 1e6, "Between arrivals of waves at a barrier; absent: 0", AT(compute.barrier_wave_cycles), false)
      .number("local_latency_cycles", 1, 1e6, "Local memory, load to use", AT(compute.local_latency_cycles))
      .number("local_conflict_cycles", 1, 1e6, "Added to that by each further lane that wants another word of a bank; absent: 1", AT(compute.local_conflict_cycles), false)
      .bytes("l1_bytes", 1024, 1e8, "First-level cache of a compute unit", AT(compute.l1_bytes))
      .flag("l1_holds_local", "Local memory is taken out of the first-level cache", AT(compute.l1_holds_local))
      .number("l1_bytes_per_cycle", 1, 65536, "First-level cache, bandwidth", AT(compute.l1_bytes_per_cycle))
      .number("l1_latency_cycles", 1, 1e6, "First-level cache, load to use", AT(compute.l1_latency_cycles))
      .number("l2_latency_cycles", 1, 1e6, "A hit in the device's last-level cache, load to use", AT(compute.l2_latency_cycles))
      .number("memory_latency_cycles", 0, 1e6, "Added by a miss there, besides the memory's own timings", AT(compute.memory_latency_cycles))
      .bytes("fetch_bytes", 32, 4096, "What a miss brings from device memory", AT(compute.fetch_bytes))
      .number("atomics_per_cycle", 0.01, 65536, "Sectors that atomics change in a cycle, all units together", AT(compute.atomics_per_cycle))
      .number("atomic_sector_cycles", 1, 1e5, "Between atomics on one sector", AT(compute.atomic_sector_cycles))
      .number("atomic_lane_cycles", 0, 1e5, "The same between lanes of one instruction; absent: as many", AT(compute.atomic_lane_cycles), false)
      .number("launch_cycles", 0, 1e7, "START to the dispatch of the first group; overlaps the launch before in its queue", AT(compute.launch_cycles))
      .number("image_launch_cycles", 0, 1e7, "Added to launch_cycles where an argument is an image", AT(compute.image_launch_cycles), false)
      .number("finish_cycles", 0, 1e7, "End of the last group to END", AT(compute.finish_cycles))
      .number("dispatch_cycles", 1, 1e6, "Between groups that are dispatched", AT(compute.dispatch_cycles))
      .number("wave_launch_cycles", 0, 1e6, "Between waves that start on a compute unit", AT(compute.wave_launch_cycles))
      .bytes("host_fetch_bytes", 32, 4096, "What a load brings across the link", AT(compute.host_fetch_bytes))
      .ns("host_partial_write_ns", 1e5, "The host's time for a write of less than a sector", AT(compute.host_partial_write_ps));
}

template <class At>
void add_costs(Table& t, const char* section, At at) {
  t.section(section)
      .ns("validate_ns", 1e7, "API call to QUEUED", [at](Profile& p) -> auto& { return at(p).validate_ps; })
      .ns("pack_ns", 1e7, "QUEUED to SUBMIT, payload copies apart", [at](Profile& p) -> auto& { return at(p).pack_ps; })
      .ns("submit_ns", 1e7, "SUBMIT to the doorbell", [at](Profile& p) -> auto& { return at(p).submit_ps; })
      .ns("return_ns", 1e7, "Doorbell to the return of a non-blocking call", [at](Profile& p) -> auto& { return at(p).return_ps; })
      .ns("stamps_ns", 1e7, "Added to return_ns if the command has an event in a profiling queue", [at](Profile& p) -> auto& { return at(p).stamps_ps; }, false);
}

void add_driver(Table& t) {
  add_costs(t, "driver.transfer", AT(driver.transfer));
  add_costs(t, "driver.map", AT(driver.map));
  add_costs(t, "driver.marker", AT(driver.marker));
  add_costs(t, "driver.device_copy", AT(driver.device_copy));
  add_costs(t, "driver.device_fill", AT(driver.device_fill));
  add_costs(t, "driver.kernel", AT(driver.kernel));
  t.section("driver")
      .ns("map_host_only_ns", 1e7, "A map that never reaches the device", AT(driver.map_host_only_ps))
      .ns("unmap_host_only_ns", 1e7, "An unmap that never reaches the device", AT(driver.unmap_host_only_ps))
      .ns("pack_per_mib_ns", 1e6, "Page-table walk of large ranges, per MiB", AT(driver.pack_per_mib_ps))
      .ns("pageable_ns", 1e7, "Added where an end is pageable", AT(driver.pageable_ps))
      .ns("first_map_ns", 1e9, "Creating the mirror of a buffer on its first map", AT(driver.first_map_ps))
      .ns("first_map_per_mib_ns", 1e9, "Pinning it, per MiB (at least 2 MiB)", AT(driver.first_map_per_mib_ps))
      .choice<Completion>("completion", {{"poll", Completion::poll}, {"interrupt", Completion::interrupt}}, "How the host learns of a completion", AT(driver.completion))
      .ns("interrupt_moderation_ns", 1e9, "Least time between two interrupts, where completions interrupt", AT(driver.interrupt_moderation_ps), false)
      .ns("fence_ns", 1e7, "Completion record, besides its flight", AT(driver.fence_ps))
      .ns("wakeup_ns", 1e8, "Record visible to the blocked thread running again", AT(driver.wakeup_ps))
      .ns("poll_event_ns", 1e7, "Asking an event's status", AT(driver.poll_event_ps))
      .ns("finish_idle_ns", 1e7, "clFinish with nothing to wait for", AT(driver.finish_idle_ps))
      .ns("read_clock_ns", 1e6, "Reading the clock under --virtual-time", AT(driver.read_clock_ps))
      .ns("fill_texel_ns", 1e6, "The CPU makes a texel of an image that it fills itself", AT(driver.fill_texel_ps), false)
      .ns("merged_marker_ns", 1e7, "Call to return of a marker that the driver keeps back: behind one of its queue that the host has not seen complete, it goes to the device with that one; absent or 0: each goes by itself, at once", AT(driver.merged_marker_ps), false)
      .ns("flush_ns", 1e7, "clFlush", AT(driver.flush_ps))
      .ns("user_event_ns", 1e7, "clSetUserEventStatus, before what waits for the event goes on; absent: 0", AT(driver.user_event_ps), false)
      .ns("create_buffer_ns", 1e9, "Creating a buffer", AT(driver.create_buffer_ps))
      .bytes("staging_chunk_bytes", 4096, 1e9, "Pinned chunk for pageable memory", AT(driver.staging_chunk_bytes))
      .number("staging_buffers", 1, 64, "Chunks in flight", AT(driver.staging_buffers))
      .ns("staging_thread_chunk_ns", 1e7, "A thread of the driver's copies the pageable sources of non-blocking writes that do not go in the ring, and takes so long to take up each chunk; absent or 0: the caller copies the first", AT(driver.staging_thread_chunk_ps), false)
      .ns("staging_handover_ns", 1e7, "The caller's work to give that thread a write", AT(driver.staging_handover_ps), false)
      .ns("staging_handover_per_mib_ns", 1e7, "The same per MiB of it", AT(driver.staging_handover_per_mib_ps), false);
}

#undef AT

void add_validation(Table& t) {
  t.section(std::string(validation_section))
      .texts("fit",
             "Rows of measurements that fitted constants of this profile: \"FILE\" for all of them, or \"FILE: field=value ...\" "
             "with values like 64, 64|4096, 64..4096 or pinned",
             [](Profile& p, const std::vector<std::string>& texts) -> std::string {
               for (const std::string& text : texts) {
                 auto rows = parse_fitted_rows(text);
                 if (!rows) return "\"FILE\" or \"FILE: field=value ...\", values like 64, 64|4096, 64..4096 or pinned, not \"" + text + "\"";
                 p.validation.fit.push_back(std::move(*rows));
               }
               return {};
             });
  t.section(std::string(validation_section) + ".misses");
  for (const char* const subject : {"transfer", "queue", "kernel", "program"}) {
    for (const char* const time : {"device", "program"}) {
      const std::string key = std::string(subject) + "_" + time;
      t.texts(key.c_str(), "Why this limit is missed: the mechanisms that are not modelled, or not well", [key](Profile& p, const std::vector<std::string>& texts) -> std::string {
        p.validation.misses[key] = texts;
        return {};
      });
    }
  }
}

const char* unit_text(Unit unit) {
  switch (unit) {
    case Unit::ns: return " (ns)";
    case Unit::gbps: return " (10^9 bytes/s)";
    case Unit::mhz: return " (MHz)";
    case Unit::bytes: return " (bytes; \"2 MiB\" is understood)";
    default: return "";
  }
}

nlohmann::ordered_json leaf_schema(const Field& f) {
  nlohmann::ordered_json value;
  switch (f.unit) {
    case Unit::boolean: value = {{"type", "boolean"}}; break;
    case Unit::text: value = {{"type", "string"}}; break;
    case Unit::texts: value = {{"type", "array"}, {"items", {{"type", "string"}}}}; break;
    case Unit::choice: value = {{"enum", f.choices}}; break;
    case Unit::bytes:
      value = {{"oneOf", {{{"type", "integer"}, {"minimum", f.min}, {"maximum", f.max}},
                          {{"type", "string"}, {"pattern", "^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB)$"}}}}};
      break;
    default: value = {{"type", f.whole ? "integer" : "number"}, {"minimum", f.min}, {"maximum", f.max}};
  }
  nlohmann::ordered_json sourced = {{"type", "object"},
                                    {"properties", {{"value", value}, {"source", {{"type", "string"}}}}},
                                    {"required", {"value"}},
                                    {"additionalProperties", false}};
  return {{"description", f.description + unit_text(f.unit)}, {"anyOf", {value, sourced}}};
}

nlohmann::ordered_json object_schema() {
  const nlohmann::ordered_json include = {
      {"description", "Part files laid below this object's own keys; paths are relative to this file"},
      {"anyOf", {{{"type", "string"}}, {{"type", "array"}, {"items", {{"type", "string"}}}}}}};
  return {{"type", "object"}, {"additionalProperties", false}, {"properties", {{"include", include}}}};
}

}  // namespace

const std::vector<Field>& fields() {
  static const std::vector<Field> table = [] {
    Table t;
    add_machine(t);
    add_host(t);
    add_dram(t, "host_memory", false, [](Profile& p) -> Dram& { return p.host_memory; });
    add_iommu(t);
    add_ats(t);
    add_migration(t);
    add_link(t);
    add_device(t);
    add_images(t);
    add_compute(t);
    add_driver(t);
    add_validation(t);
    return std::move(t.fields);
  }();
  return table;
}

std::string schema_json() {
  nlohmann::ordered_json root = object_schema();
  for (const Field& f : fields()) {
    nlohmann::ordered_json* at = &root;
    std::size_t begin = 0;
    while (begin < f.section.size()) {
      const std::size_t dot = std::min(f.section.find('.', begin), f.section.size());
      nlohmann::ordered_json& next = (*at)["properties"][f.section.substr(begin, dot - begin)];
      if (next.is_null()) next = object_schema();
      at = &next;
      begin = dot + 1;
    }
    (*at)["properties"][f.key] = leaf_schema(f);
  }
  nlohmann::ordered_json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                                   {"title", "Sluice machine profile"}};
  root["properties"]["$schema"] = {{"type", "string"}};
  schema.update(root);
  return schema.dump(2) + "\n";
}

}  // namespace sluice::profile
