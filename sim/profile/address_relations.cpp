#include "sim/profile/address_relations.h"

#include <algorithm>

namespace sluice::profile {

namespace {

std::string text(std::uint64_t v) { return std::to_string(v); }
std::string ns(TimePs ps) { return std::to_string(static_cast<double>(ps) / 1000); }

bool page_size(std::uint64_t n) { return n == 4U << 10 || n == 64U << 10 || n == 2U << 20 || n == 1U << 30; }

bool power_of_two(std::uint64_t n) { return n != 0 && (n & (n - 1)) == 0; }

void migration_relations(const Profile& profile, const Rule& rule) {
  const Migration& g = profile.migration;
  if (g.batch_faults == 0) return;
  const Machine& machine = profile.machine;
  rule(machine.device.svm != SvmSupport::none, {"/migration/batch_faults", "/device/svm"}, text(g.batch_faults),
       "0, as svm is \"none\"");
  rule(machine.device_count == 1, {"/devices", "/migration/batch_faults"}, text(machine.device_count),
       "1, as pages move between one device and the host (\"migration\")");
  rule(power_of_two(g.page_bytes) && g.page_bytes % 4096 == 0, {"/migration/page_bytes"}, text(g.page_bytes),
       "4 KiB times a power of two");
  rule(power_of_two(g.leaf_bytes) && g.leaf_bytes >= g.page_bytes, {"/migration/leaf_bytes", "/migration/page_bytes"},
       text(g.leaf_bytes), "a power of two from page_bytes (" + text(g.page_bytes) + ") on");
  rule(power_of_two(g.block_bytes) && g.block_bytes >= g.leaf_bytes && g.block_bytes <= 64 * g.leaf_bytes,
       {"/migration/block_bytes", "/migration/leaf_bytes"}, text(g.block_bytes),
       "a power of two from leaf_bytes (" + text(g.leaf_bytes) + ") to 64 times as much");
  rule(g.device_bytes == 0 || (g.device_bytes >= g.block_bytes && g.device_bytes <= machine.device.global_memory_bytes),
       {"/migration/device_bytes", "/migration/block_bytes", "/device/global_memory_bytes"}, text(g.device_bytes),
       "0, or from block_bytes (" + text(g.block_bytes) + ") to the device's memory (" +
           text(machine.device.global_memory_bytes) + ")");
}

void shared_memory_relations(const Profile& profile, const Rule& rule) {
  const Link& l = profile.link;
  const bool shared = l.device_memory != DeviceMemoryCoherence::none;
  rule(!shared || l.kind == LinkKind::coherent, {"/link/device_memory", "/link/kind"},
       l.device_memory == DeviceMemoryCoherence::bias ? "\"bias\"" : "\"back_invalidation\"",
       "\"none\", as kind is not \"coherent\"");
  const DriverPolicy& p = profile.machine.policy;
  const auto needs = [&](BufferPolicy policy, const char* key) {
    rule(policy != BufferPolicy::device_shared || shared, {key, "/link/device_memory"}, "\"device_shared\"",
         "another place, as link/device_memory is \"none\"");
  };
  needs(p.default_buffer, "/policy/default_buffer");
  needs(p.alloc_host_ptr, "/policy/alloc_host_ptr");
  rule(power_of_two(l.bias_page_bytes) && l.bias_page_bytes >= l.line_bytes,
       {"/link/bias_page_bytes", "/link/line_bytes"}, text(l.bias_page_bytes),
       "a power of two from line_bytes (" + text(l.line_bytes) + ") on");
  rule(l.filter_lines == 0 || l.device_memory == DeviceMemoryCoherence::back_invalidation,
       {"/link/filter_lines", "/link/device_memory"}, text(l.filter_lines),
       "0, as device_memory is not \"back_invalidation\"");
}

}  // namespace

void address_relations(const Profile& profile, const Rule& rule) {
  const LinkKind kind = profile.link.kind;
  const Iommu& m = profile.iommu;
  const Ats& a = profile.ats;
  if (m.entries != 0) {
    const std::uint32_t sets = m.ways == 0 ? 1 : m.entries / m.ways;
    rule(kind == LinkKind::pcie || (kind == LinkKind::coherent && a.entries != 0),
         {"/iommu/entries", "/ats/entries", "/link/kind"}, text(m.entries),
         kind == LinkKind::coherent ? "0, as kind is \"coherent\" and there is no \"ats\""
                                    : "0, as kind is neither \"pcie\" nor \"coherent\"");
    rule(m.ways == 0 || (m.ways <= m.entries && m.entries % m.ways == 0), {"/iommu/ways", "/iommu/entries"},
         text(m.ways), "0, or a divisor of entries (" + text(m.entries) + ")");
    rule(std::uint64_t{m.shared_entries} + sets <= m.entries,
         {"/iommu/shared_entries", "/iommu/ways", "/iommu/entries"}, text(m.shared_entries),
         "at most " + text(m.entries - std::min(sets, m.entries)) + ", which leaves an entry in each set");
    rule(page_size(m.page_bytes),
         {"/iommu/page_bytes"}, text(m.page_bytes), "4 KiB, 64 KiB, 2 MiB or 1 GiB");
    const bool cached = m.tables == PageTables::cached;
    rule(cached == (m.llc_table_lines != 0), {"/iommu/llc_table_lines", "/iommu/tables"}, text(m.llc_table_lines),
         cached ? "at least 1, as tables is \"cached\"" : "0, as tables is not \"cached\"");
    rule(!cached || m.memory_read_ps >= m.llc_read_ps, {"/iommu/memory_read_ns", "/iommu/llc_read_ns", "/iommu/tables"},
         ns(m.memory_read_ps), "llc_read_ns at least, as tables is \"cached\"");
  }
  if (a.entries != 0) {
    rule(m.entries != 0, {"/ats/entries", "/iommu/entries"}, text(a.entries), "0, as there is no \"iommu\" to ask");
    rule(a.ways == 0 || (a.ways <= a.entries && a.entries % a.ways == 0), {"/ats/ways", "/ats/entries"}, text(a.ways),
         "0, or a divisor of entries (" + text(a.entries) + ")");
    rule(page_size(a.page_bytes) && a.page_bytes <= m.page_bytes, {"/ats/page_bytes", "/iommu/page_bytes"},
         text(a.page_bytes), "4 KiB, 64 KiB, 2 MiB or 1 GiB, up to iommu/page_bytes (" + text(m.page_bytes) + ")");
  }
  migration_relations(profile, rule);
  shared_memory_relations(profile, rule);
}

}  // namespace sluice::profile
