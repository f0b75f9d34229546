#include "tools/validate/compare.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace sluice::validate {

namespace {

double at_rank(std::vector<double> sorted, double share) {
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(sorted.size() - 1, rank)];
}

double median_of(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  const std::size_t half = v.size() / 2;
  return v.size() % 2 == 1 ? v[half] : (v[half - 1] + v[half]) / 2;
}

}  // namespace

Statistics statistics(const std::vector<const Pair*>& pairs) {
  Statistics s;
  s.count = pairs.size();
  if (pairs.empty()) return s;
  std::vector<double> sizes;
  std::vector<double> signs;
  for (const Pair* p : pairs) {
    signs.push_back(p->error());
    sizes.push_back(std::abs(p->error()));
  }
  std::sort(sizes.begin(), sizes.end());
  s.median = median_of(sizes);
  s.p90 = at_rank(sizes, 0.9);
  s.worst = sizes.back();
  s.bias = median_of(signs);
  return s;
}

std::string size_class(double bytes) {
  if (bytes < 0) return "";
  if (bytes <= 4096) return "to 4 KiB";
  if (bytes <= 65536) return "to 64 KiB";
  if (bytes <= 1048576) return "to 1 MiB";
  if (bytes <= 16777216) return "to 16 MiB";
  return "above";
}

std::string subject_of(const std::string& program, const Row& row) {
  if (program == "programprobe") return "program";
  if (program == "queueprobe" || program == "share") return "queue";
  const bool kernel = program == "kernprobe" || row.op.starts_with("kernel_") || row.op.starts_with("nop_kernel") ||
                      row.op == "image_kernel" || row.op == "vector_add" || row.op == "pointer_chase";
  return kernel ? "kernel" : "transfer";
}

void pair_up(const Measurements& measured, const Measurements& simulated, const std::string& file,
             const std::function<bool(const Row&)>& fitted, std::vector<Pair>& pairs, std::vector<Skipped>& skipped) {
  std::map<std::string, const Row*> ours;
  for (const Row& row : simulated.rows) ours.emplace(row.key, &row);
  for (const Row& row : measured.rows) {
    const auto found = ours.find(row.key);
    const bool is_fitted = fitted(row);
    for (const auto& [quantity, time] : row.times_ns) {
      const bool there = found != ours.end() && found->second->times_ns.contains(quantity);
      if (!there) {
        skipped.push_back({row.line, row.op + " " + quantity, "the simulated run has no such row"});
        continue;
      }
      pairs.push_back({file, row.line, is_fitted, subject_of(measured.program, row), row.op, row.key, quantity,
                       quantity_kind(quantity), row.bytes, time, found->second->times_ns.at(quantity)});
    }
  }
}

}  // namespace sluice::validate
