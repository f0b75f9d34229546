#include "tools/sweep/transfers.h"

#include <cstdlib>
#include <sstream>

#include "tools/diff/source.h"

namespace sluice::sweep {

bool read_transfers(std::istream& output, std::vector<Transfer>& transfers) {
  std::string line;
  while (std::getline(output, line)) {
    std::istringstream cells(line);
    Transfer transfer;
    if (!(cells >> transfer.bytes)) return false;
    for (Method& method : transfer.by_method) {
      std::string time;
      if (!(cells >> time)) return false;
      if (time == "-") continue;
      method.time_ns = std::strtoull(time.c_str(), nullptr, 10);
      if (!(cells >> method.first >> method.last)) return false;
    }
    transfers.push_back(transfer);
  }
  return true;
}

std::string add_stages(const std::string& trace, std::vector<Transfer>& transfers) {
  diff::Source source(trace, diff::Source::Reading::in_step);
  // Commands come in the order of their creation, and so do sizes and their methods.
  std::vector<Method*> methods;
  for (Transfer& transfer : transfers) {
    for (Method& method : transfer.by_method) {
      if (method.time_ns > 0) methods.push_back(&method);
    }
  }
  std::size_t at = 0;
  while (const diff::Entry* entry = source.next()) {
    while (at < methods.size() && entry->id > methods[at]->last) ++at;
    if (at == methods.size() || entry->id < methods[at]->first) continue;
    for (std::size_t s = 0; s < stage_count; ++s) methods[at]->stages[s] += entry->figures[diff::first_stage + s];
  }
  return source.error();
}

}  // namespace sluice::sweep
