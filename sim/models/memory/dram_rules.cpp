#include "sim/models/memory/dram_rules.h"

#include <algorithm>
#include <cmath>

namespace sluice::memory {

namespace {

TimePs either(TimePs stated, TimePs otherwise) { return stated != 0 ? stated : otherwise; }

}  // namespace

DramRules::DramRules(const profile::Dram& m)
    : banks(std::max(1U, m.banks)),
      banks_per_group(std::max(1U, banks / std::max(1U, m.bank_groups))),
      burst_bytes(m.burst_bytes()),
      burst(static_cast<TimePs>(std::llround(m.bytes_ps(burst_bytes)))) {
  const profile::DramTimings& t = m.timings;
  tck = t.tck_ps;
  trcd = t.trcd_ps;
  trcd_write = either(t.trcd_write_ps, t.trcd_ps);
  trp = t.trp_ps;
  tras = t.tras_ps;
  trc = std::max(t.trc_ps, t.tras_ps + t.trp_ps);
  trrd = t.trrd_ps;
  trrd_l = std::max(t.trrd_l_ps, t.trrd_ps);
  tfaw = t.tfaw_ps;
  column = std::max(burst, t.tccd_ps);
  column_l = std::max(column, t.tccd_l_ps);
  column_l_write = std::max(column, either(t.tccd_l_write_ps, t.tccd_l_ps));
  tcl = t.tcl_ps;
  tcwl = either(t.tcwl_ps, t.tcl_ps);
  trtw = t.trtw_ps;
  write_to_read = tcwl + burst + t.twtr_ps;
  write_to_read_l = tcwl + burst + std::max(t.twtr_ps, t.twtr_l_ps);
  trtp = either(t.trtp_ps, burst);
  write_to_precharge = tcwl + burst + t.twr_ps;
  per_bank = m.refresh == profile::DramRefresh::per_bank;
  trefi = per_bank ? t.trefi_ps / banks : t.trefi_ps;
  trfc = per_bank ? t.trfc_bank_ps : t.trfc_ps;
}

double DramRules::refreshed() const noexcept {
  if (trefi == 0 || per_bank) return 1.0;
  // It closes the rows, and the first access after it opens one.
  return std::max(0.0, 1.0 - static_cast<double>(trp + trfc + trcd) / static_cast<double>(trefi));
}

}  // namespace sluice::memory
