// What streams of bytes take when each command is given: the channels that share command pins are simulated for all,
// since consecutive bytes spread evenly over channels. Rows stay open and refresh goes on from stream to stream; the time
// between streams is left out. A stream is simulated for a few refresh intervals at most: the rest takes as long.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "sim/models/memory/dram_address.h"
#include "sim/models/memory/dram_controller.h"

namespace sluice::memory {

class DramStreams {
 public:
  explicit DramStreams(const profile::Dram& memory);

  struct Result {
    double ps = 0;          // from the first data to the last
    DramCounts counts;      // of all channels
    std::uint64_t open_rows = 0;  // at the end, of all channels
    DramLimit limit = DramLimit::bus;  // what took most of the time
    [[nodiscard]] DramUse use() const;
  };
  // Reads, or writes; `also` bytes of the other kind go along, elsewhere.
  [[nodiscard]] Result stream(Access access, const std::vector<DramPart>& parts, std::uint64_t also);
  // Bytes a second of a long sequential stream of which `write_permille` are written; of its own, remembered.
  [[nodiscard]] double sustained_bytes_per_s(std::uint32_t write_permille);

 private:
  using Next = std::function<bool(Access&, std::uint64_t& burst)>;  // in the channel; false: no more
  // Feeds the controller until the bursts or the time are at an end; the number of bursts, of one channel.
  std::uint64_t feed(DramController& controller, const Next& next, TimePs until) const;

  profile::Dram memory_;
  DramAddress address_;
  DramController controller_;
  std::map<std::uint32_t, double> sustained_;
};

}  // namespace sluice::memory
