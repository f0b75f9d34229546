// An independent judge of a controller's commands: replays the log, and looks at every pair of commands of a channel for
// the least time between them, straight from the profile's constants. Shares nothing with the model but the log.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "sim/models/memory/dram_controller.h"

namespace sluice::memory {

class DramChecker {
 public:
  explicit DramChecker(const profile::Dram& memory) : m_(memory), t_(memory.timings) {
    const double bytes = memory.burst_length * memory.bus_bits / 8.0;
    burst_ = static_cast<std::int64_t>(bytes / (memory.bus_bits / 8.0 * memory.gigatransfers_per_s) * 1000.0 + 0.5);
  }

  void check(std::vector<DramEvent> log) {
    std::stable_sort(log.begin(), log.end(), [](const DramEvent& a, const DramEvent& b) { return a.at < b.at; });
    pins(log);
    for (std::uint32_t c = 0; c < m_.pseudo_channels; ++c) {
      std::vector<DramEvent> own;
      std::copy_if(log.begin(), log.end(), std::back_inserter(own), [c](const DramEvent& e) { return e.channel == c; });
      distances(own);
      windows(own);
      states(own);
      data(own);
      refreshes(own);
    }
  }

  // Bursts of one kind, by their numbers, in the order in which they were served: how often the oldest was passed.
  static std::uint64_t most_passes(std::vector<std::uint64_t> served) {
    std::vector<std::uint64_t> order = served;
    std::sort(order.begin(), order.end());
    std::map<std::uint64_t, bool> done;
    std::size_t oldest = 0;
    std::uint64_t passes = 0, most = 0;
    for (const std::uint64_t b : served) {
      done[b] = true;
      passes = b == order[oldest] ? 0 : passes + 1;
      most = std::max(most, passes);
      while (oldest < order.size() && done.count(order[oldest]) != 0) ++oldest;
    }
    return most;
  }

 private:
  using C = DramCommand;
  static bool row_command(C c) { return c != C::read && c != C::write; }
  static std::int64_t at(const DramEvent& e) { return static_cast<std::int64_t>(e.at); }
  static std::int64_t or_else(TimePs stated, TimePs otherwise) {
    return static_cast<std::int64_t>(stated != 0 ? stated : otherwise);
  }
  [[nodiscard]] std::uint32_t group(std::uint32_t bank) const { return bank / (m_.banks / m_.bank_groups); }

  // Commands on the same pins are a clock apart; automatic precharges are on none.
  void pins(const std::vector<DramEvent>& log) const {
    std::int64_t last[2] = {-1'000'000, -1'000'000};
    for (const DramEvent& e : log) {
      if (e.automatic) continue;
      const std::size_t bus = m_.command_buses == 2 && !row_command(e.command) ? 1 : 0;
      EXPECT_GE(at(e) - last[bus], static_cast<std::int64_t>(t_.tck_ps)) << "two commands in a clock at " << e.at;
      last[bus] = at(e);
    }
  }

  // The least time from `a` to `b`, 0 if there is none.
  [[nodiscard]] std::int64_t least(const DramEvent& a, const DramEvent& b) const {
    const bool same_bank = a.bank == b.bank;
    const bool same_group = group(a.bank) == group(b.bank);
    const std::int64_t wl = or_else(t_.tcwl_ps, t_.tcl_ps);
    const auto ps = [](TimePs t) { return static_cast<std::int64_t>(t); };
    switch (a.command) {
      case C::activate:
        if (b.command == C::activate && same_bank) return std::max(ps(t_.trc_ps), ps(t_.tras_ps) + ps(t_.trp_ps));
        if (b.command == C::activate) return same_group ? std::max(ps(t_.trrd_ps), ps(t_.trrd_l_ps)) : ps(t_.trrd_ps);
        if (b.command == C::read && same_bank) return ps(t_.trcd_ps);
        if (b.command == C::write && same_bank) return or_else(t_.trcd_write_ps, t_.trcd_ps);
        if ((b.command == C::precharge && same_bank) || b.command == C::precharge_all) return ps(t_.tras_ps);
        break;
      case C::precharge:
      case C::precharge_all:
        if (a.command == C::precharge && !same_bank && b.command != C::refresh_all) break;
        if (b.command == C::activate || b.command == C::refresh_all || b.command == C::refresh_bank) return ps(t_.trp_ps);
        break;
      case C::read:
        if (b.command == C::read) return std::max(burst_, same_group && t_.tccd_l_ps != 0 ? ps(t_.tccd_l_ps) : ps(t_.tccd_ps));
        if (b.command == C::write) return ps(t_.trtw_ps);
        if ((b.command == C::precharge && same_bank) || b.command == C::precharge_all) {
          return or_else(t_.trtp_ps, static_cast<TimePs>(burst_));
        }
        break;
      case C::write:
        if (b.command == C::write) {
          const std::int64_t l = or_else(t_.tccd_l_write_ps, t_.tccd_l_ps);
          return std::max(burst_, same_group && l != 0 ? l : ps(t_.tccd_ps));
        }
        if (b.command == C::read) {
          return wl + burst_ + (same_group ? std::max(ps(t_.twtr_ps), ps(t_.twtr_l_ps)) : ps(t_.twtr_ps));
        }
        if ((b.command == C::precharge && same_bank) || b.command == C::precharge_all) return wl + burst_ + ps(t_.twr_ps);
        break;
      case C::refresh_all: return b.command == C::precharge_all ? 0 : ps(t_.trfc_ps);
      case C::refresh_bank: return same_bank && b.command == C::activate ? ps(t_.trfc_bank_ps) : 0;
    }
    return 0;
  }

  // A precharge of a bank that is closed again later is of no account to its earlier row: `states` sees to the order.
  void distances(const std::vector<DramEvent>& log) const {
    for (std::size_t i = 0; i < log.size(); ++i) {
      for (std::size_t j = i + 1; j < log.size() && at(log[j]) - at(log[i]) < 1'000'000; ++j) {
        const std::int64_t apart = at(log[j]) - at(log[i]);
        EXPECT_GE(apart, least(log[i], log[j])) << text(log[i]) << " and then " << text(log[j]);
        if (apart < least(log[i], log[j])) return;
      }
    }
  }

  // Five activations in a row take tFAW at least.
  void windows(const std::vector<DramEvent>& log) const {
    std::vector<std::int64_t> activations;
    for (const DramEvent& e : log) {
      if (e.command == C::activate) activations.push_back(at(e));
    }
    for (std::size_t i = 4; i < activations.size(); ++i) {
      EXPECT_GE(activations[i] - activations[i - 4], static_cast<std::int64_t>(t_.tfaw_ps));
    }
  }

  void states(const std::vector<DramEvent>& log) const {
    std::map<std::uint32_t, std::uint64_t> open;
    for (const DramEvent& e : log) {
      switch (e.command) {
        case C::activate:
          EXPECT_EQ(open.count(e.bank), 0U) << text(e) << ", which is open";
          open[e.bank] = e.row;
          break;
        case C::precharge: EXPECT_EQ(open.erase(e.bank), 1U) << text(e) << ", which is closed"; break;
        case C::precharge_all: open.clear(); break;
        case C::read:
        case C::write: EXPECT_TRUE(open.count(e.bank) != 0 && open[e.bank] == e.row) << text(e) << ", another row"; break;
        case C::refresh_all: EXPECT_TRUE(open.empty()) << text(e) << " with open rows"; break;
        case C::refresh_bank: EXPECT_EQ(open.count(e.bank), 0U) << text(e) << " with an open row"; break;
      }
    }
  }

  void data(const std::vector<DramEvent>& log) const {
    std::vector<std::int64_t> begins;
    for (const DramEvent& e : log) {
      if (e.command == C::read) begins.push_back(at(e) + static_cast<std::int64_t>(t_.tcl_ps));
      if (e.command == C::write) begins.push_back(at(e) + or_else(t_.tcwl_ps, t_.tcl_ps));
    }
    std::sort(begins.begin(), begins.end());
    for (std::size_t i = 1; i < begins.size(); ++i) EXPECT_GE(begins[i] - begins[i - 1], burst_) << "data overlap";
  }

  // The n-th refresh not before its time, and before the next one's; none is left out, and no bank in a round of them. Once
  // it is due, nothing is begun in what it refreshes.
  void refreshes(const std::vector<DramEvent>& log) const {
    if (t_.trefi_ps == 0 || log.empty()) return;
    const bool by_bank = m_.refresh == profile::DramRefresh::per_bank;
    const std::int64_t interval = static_cast<std::int64_t>(by_bank ? t_.trefi_ps / m_.banks : t_.trefi_ps);
    std::int64_t due = interval;
    std::map<std::uint32_t, int> round;
    for (std::size_t i = 0; i < log.size(); ++i) {
      const DramEvent& e = log[i];
      if (e.command != C::refresh_all && e.command != C::refresh_bank) continue;
      EXPECT_GE(at(e), due);
      EXPECT_LT(at(e), due + interval);
      if (by_bank) {
        EXPECT_EQ(++round[e.bank], 1) << text(e) << " again";
        if (round.size() == m_.banks) round.clear();
      }
      for (std::size_t j = i; j-- > 0 && at(log[j]) >= due;) {
        const C command = log[j].command;
        const bool here = !by_bank || log[j].bank == e.bank;
        EXPECT_TRUE(!here || command == C::precharge || command == C::precharge_all) << text(log[j]) << " after a refresh was due";
      }
      due += interval;
    }
    EXPECT_GT(due, at(log.back())) << "a refresh was left out";
  }

  static std::string text(const DramEvent& e) {
    static const char* const names[] = {"activate", "precharge", "read", "write", "precharge_all", "refresh_all", "refresh_bank"};
    return std::string(names[static_cast<std::size_t>(e.command)]) + " of bank " + std::to_string(e.bank) + " row " +
           std::to_string(e.row) + " at " + std::to_string(e.at);
  }

  profile::Dram m_;
  profile::DramTimings t_;
  std::int64_t burst_;
};

}  // namespace sluice::memory
