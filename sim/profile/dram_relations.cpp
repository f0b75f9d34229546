#include "sim/profile/dram_relations.h"

#include <fmt/format.h>

namespace sluice::profile {

namespace {

std::string ns(double ps) { return fmt::format("{:g}", ps / 1000.0); }
std::string ns(TimePs ps) { return ns(static_cast<double>(ps)); }

class Relations {
 public:
  Relations(const Dram& memory, const std::string& section, const DramRule& rule)
      : m_(memory), t_(memory.timings), section_(section), rule_(rule) {}

  void timings() const {
    timing(t_.trfc_ps < t_.trefi_ps, "trfc_ns", "trefi_ns", t_.trfc_ps,
           "less than trefi_ns (" + ns(t_.trefi_ps) + "), or refresh takes all the time");
    timing(t_.tras_ps >= t_.trcd_ps, "tras_ns", "trcd_ns", t_.tras_ps,
           "at least trcd_ns (" + ns(t_.trcd_ps) + "): a row stays open until it can be read");
    timing(t_.trc_ps == 0 || t_.trc_ps >= t_.tras_ps + t_.trp_ps, "trc_ns", "tras_ns", t_.trc_ps,
           "at least tras_ns + trp_ns (" + ns(t_.tras_ps + t_.trp_ps) + "): a row is open, and then closed");
    timing(t_.tfaw_ps >= t_.trrd_ps, "tfaw_ns", "trrd_ns", t_.tfaw_ps,
           "at least trrd_ns (" + ns(t_.trrd_ps) + "): four activations take no less time than two");
    timing(t_.tccd_ps >= t_.tck_ps, "tccd_ns", "tck_ns", t_.tccd_ps,
           "at least tck_ns (" + ns(t_.tck_ps) + "): a command takes a clock");
    timing(t_.tcwl_ps <= t_.tcl_ps, "tcwl_ns", "tcl_ns", t_.tcwl_ps,
           "at most tcl_ns (" + ns(t_.tcl_ps) + "): write latency is not above read latency");
    timing(t_.trtp_ps <= t_.tras_ps, "trtp_ns", "tras_ns", t_.trtp_ps,
           "at most tras_ns (" + ns(t_.tras_ps) + "): a read keeps its row no longer than an activation");
    within_group("trrd_l_ns", t_.trrd_l_ps, "trrd_ns", t_.trrd_ps);
    within_group("tccd_l_ns", t_.tccd_l_ps, "tccd_ns", t_.tccd_ps);
    within_group("tccd_l_write_ns", t_.tccd_l_write_ps, "tccd_ns", t_.tccd_ps);
    within_group("twtr_l_ns", t_.twtr_l_ps, "twtr_ns", t_.twtr_ps);
  }

  void refresh() const {
    const bool per_bank = m_.refresh == DramRefresh::per_bank;
    rule_(!per_bank || t_.trfc_bank_ps != 0, section_ + "refresh", section_ + "timings/trfc_bank_ns", "\"per_bank\"",
          "\"all_bank\", or a trfc_bank_ns");
    timing(t_.trfc_bank_ps <= t_.trfc_ps, "trfc_bank_ns", "trfc_ns", t_.trfc_bank_ps,
           "at most trfc_ns (" + ns(t_.trfc_ps) + "): one bank takes no longer than all");
    if (!per_bank || m_.banks == 0) return;
    const double turn = static_cast<double>(t_.trefi_ps) / m_.banks - static_cast<double>(t_.trp_ps);
    timing(static_cast<double>(t_.trfc_bank_ps) < turn, "trfc_bank_ns", "trefi_ns", t_.trfc_bank_ps,
           "less than trefi_ns / banks - trp_ns (" + ns(turn) + "), or some bank is always being refreshed");
  }

  // Times that burst and pins set. Data sheets round them to clocks, so that 3 % are let pass.
  void data() const {
    const std::uint32_t burst = m_.burst_bytes();
    rule_(burst > 0, section_ + "burst_length", section_ + "bus_bits", std::to_string(m_.burst_length), "a byte at least");
    if (m_.bus_bits == 0 || m_.gigatransfers_per_s == 0 || burst == 0) return;
    constexpr double rounding = 1.03;
    const double burst_ps = m_.bytes_ps(burst);
    const double tcl = static_cast<double>(t_.tcl_ps);
    const double write_latency = t_.tcwl_ps != 0 ? static_cast<double>(t_.tcwl_ps) : tcl;
    const double turnaround = tcl + burst_ps - write_latency;
    timing(static_cast<double>(t_.trtw_ps) * rounding >= turnaround, "trtw_ns", "tcl_ns", t_.trtw_ps,
           "at least tcl_ns and a burst less tcwl_ns (" + ns(turnaround) + "): read data leave the bus before write data come");
    shape(m_.burst_length == 0 || burst_ps <= static_cast<double>(t_.tccd_ps) * rounding, "burst_length", "timings/tccd_ns",
          m_.burst_length,
          fmt::format("at most the {:.0f} transfers of tccd_ns: data of two bursts do not overlap",
                      static_cast<double>(t_.tccd_ps) * m_.gigatransfers_per_s / 1000.0));
    const std::string whole = "whole bursts of " + std::to_string(burst) + " bytes";
    shape(m_.row_bytes % burst == 0, "row_bytes", "burst_length", m_.row_bytes, whole);
    shape(m_.interleave_bytes % burst == 0, "interleave_bytes", "burst_length", m_.interleave_bytes, whole);
  }

  void banks() const {
    divides("bank_groups", m_.bank_groups, "banks", m_.banks);
    divides("pseudo_channels", m_.pseudo_channels, "channels", m_.channels);
    const auto power_of_two = [](std::uint32_t v) { return (v & (v - 1)) == 0; };
    rule_(!m_.bank_hash || (power_of_two(m_.banks) && power_of_two(m_.bank_groups)), section_ + "bank_hash",
          section_ + "banks", "true", "false, or banks and bank_groups that are powers of two");
  }

 private:
  void timing(bool holds, const char* key, const char* on, TimePs found, const std::string& allowed) const {
    rule_(holds, section_ + "timings/" + key, section_ + "timings/" + on, ns(found), allowed);
  }
  void shape(bool holds, const char* key, const char* on, std::uint32_t found, const std::string& allowed) const {
    rule_(holds, section_ + key, section_ + on, std::to_string(found), allowed);
  }
  void within_group(const char* key, TimePs within, const char* base_key, TimePs base) const {
    timing(within == 0 || within >= base, key, base_key, within,
           std::string("at least ") + base_key + " (" + ns(base) + "): a bank group is not faster than two");
    rule_(within <= base || m_.bank_groups > 1, section_ + "timings/" + key, section_ + "bank_groups", ns(within),
          "nothing, or bank_groups above 1");
  }
  void divides(const char* key, std::uint32_t part, const char* of, std::uint32_t all) const {
    shape(part != 0 && all % part == 0, key, of, part, std::string("a divisor of ") + of + " (" + std::to_string(all) + ")");
  }

  const Dram& m_;
  const DramTimings& t_;
  const std::string& section_;
  const DramRule& rule_;
};

}  // namespace

void dram_relations(const Dram& memory, const std::string& section, const DramRule& rule) {
  const Relations r(memory, section, rule);
  r.timings();
  r.refresh();
  r.data();
  r.banks();
}

}  // namespace sluice::profile
