// Slices of one track of a viewer must nest, so what overlaps goes to a further lane of the track.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/iface/time.h"

namespace sluice::trace {

class Lanes {
 public:
  static constexpr std::size_t most = 32;  // of one track
  static constexpr std::uint64_t none = 0;

  struct Place {
    std::uint64_t id = none;  // 1, 2, 3 ... over all tracks; none: all lanes of the track are taken
    std::size_t number = 0;   // among the lanes of the track, from 1 on
    bool is_new = false;
  };

  // The first lane of the track that is free from `begin` on. Slices of a track come in the order of their ends.
  Place place(std::uint64_t process, std::string_view track_name, TimePs begin, TimePs end) {
    auto& tracks = processes_[process];
    auto found = tracks.find(track_name);
    if (found == tracks.end()) found = tracks.emplace(std::string(track_name), Track{}).first;
    Track& track = found->second;
    for (std::size_t i = 0; i < track.size(); ++i) {
      if (track[i].busy_until > begin) continue;
      track[i].busy_until = end;
      return {track[i].id, i + 1, false};
    }
    if (track.size() == most) return {};
    track.push_back({++last_, end});
    return {last_, track.size(), true};
  }

  // How a lane is called: "queue 1", "queue 1 #2" ...
  [[nodiscard]] static std::string name(std::string_view track_name, std::size_t number) {
    std::string name(track_name);
    if (number > 1) name += " #" + std::to_string(number);
    return name;
  }

 private:
  struct Lane {
    std::uint64_t id;
    TimePs busy_until;
  };
  using Track = std::vector<Lane>;

  std::map<std::uint64_t, std::map<std::string, Track, std::less<>>> processes_;
  std::uint64_t last_ = none;
};

}  // namespace sluice::trace
