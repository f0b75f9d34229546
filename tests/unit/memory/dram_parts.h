// Memories that the tests of DRAM share.
#pragma once

#include "sim/profile/profile.h"

namespace sluice::memory {

// A pseudo-channel of HBM3 at 6.4 Gb/s a pin; timings of CMU-SAFARI/ramulator2@c5b1c3a hbm3.py (tCK 625 ps), 8 Gb channels
// for tRFC. Banks without groups.
inline profile::Dram hbm3() {
  profile::Dram m;
  m.channels = 1;
  m.banks = 16;
  m.row_bytes = 1024;
  m.bus_bits = 32;
  m.gigatransfers_per_s = 6.4;
  profile::DramTimings& t = m.timings;
  t.tck_ps = 625;
  t.trcd_ps = 19375;
  t.trp_ps = 16250;
  t.tcl_ps = 12500;
  t.tras_ps = 28125;
  t.trefi_ps = 3900000;
  t.trfc_ps = 350000;
  t.tccd_ps = 1250;
  t.tfaw_ps = 15000;
  t.trrd_ps = 2500;
  t.twtr_ps = 4375;
  t.trtw_ps = 12500;
  return m;
}

// The same with all that the standard says: four groups, tCWL, tRTP, tWR, what is longer within a group, and a bank's
// refresh.
inline profile::Dram hbm3_groups() {
  profile::Dram m = hbm3();
  m.bank_groups = 4;
  m.command_buses = 2;
  profile::DramTimings& t = m.timings;
  t.trcd_write_ps = 9375;
  t.tcwl_ps = 6250;
  t.tccd_l_ps = 2500;
  t.trrd_l_ps = 3125;
  t.twtr_l_ps = 6250;
  t.twr_ps = 20625;
  t.trtp_ps = 5625;
  t.trfc_bank_ps = 200000;
  return m;
}

inline profile::Dram without_refresh(profile::Dram m) {
  m.timings.trefi_ps = 0;
  return m;
}

}  // namespace sluice::memory
