#include "sim/profile/pcie_relations.h"

#include <algorithm>
#include <array>

namespace sluice::profile {

namespace {

constexpr std::uint32_t credit_bytes = 16;

std::string text(std::uint64_t v) { return std::to_string(v); }

struct TagClass {
  std::uint32_t bits;
  std::uint32_t tags;
  double above_rate;  // GT/s of a lane
  const char* rule;
};
constexpr std::array<TagClass, 4> tag_classes = {{{5, 32, -1, "PCIe Base 1, 5-bit tags"},
                                                  {8, 256, -1, "PCIe Base 3, 8-bit tags"},
                                                  {10, 768, 8, "PCIe Base 4, 10-bit tags"},
                                                  {14, 16384, 32, "PCIe Base 6, 14-bit tags"}}};

void tag_relations(Link& l, const std::function<bool(const char*)>& stated, const PcieRule& rule) {
  const double rate = l.gigatransfers_per_s;
  const TagClass* tags = nullptr;
  for (const TagClass& c : tag_classes) {
    if (l.tag_bits == 0 ? rate > c.above_rate : l.tag_bits == c.bits) tags = &c;
  }
  rule(tags != nullptr, {"/link/tag_bits"}, text(l.tag_bits), "5, 8, 10 or 14");
  if (tags == nullptr) return;
  rule(rate > tags->above_rate, {"/link/tag_bits", "/link/gigatransfers_per_s", "/link/kind"}, text(l.tag_bits),
       "at most " + std::string(rate <= 8 ? "8 up to 8" : "10 up to 32") + " GT/s (" + tags->rule + ")");
  if (l.tag_bits != 0 && !stated("/link/read_tags")) l.read_tags = tags->tags;
  rule(l.read_tags <= tags->tags, {"/link/read_tags", "/link/gigatransfers_per_s", "/link/kind", "/link/tag_bits"},
       text(l.read_tags),
       "at most " + text(tags->tags) + (l.tag_bits != 0 ? " with tag_bits" : rate <= 8 ? " up to 8 GT/s" : rate <= 32 ? " up to 32 GT/s" : "") +
           " (" + tags->rule + ")");
}

// A link of `rate` GT/s; its receivers count what they grant modulo 2^8 headers and 2^12 units, and half of that may be out.
void credit_relations(const Credits& c, double rate, std::uint32_t payload_bytes, std::uint32_t completion_bytes,
                      bool atomics, const std::array<const char*, 6>& at, const char* on, const PcieRule& rule) {
  const bool scaled = rate > 8;
  const std::uint32_t headers = scaled ? 127 * 16 : 127;
  const std::uint32_t data = scaled ? 2047 * 16 : 2047;
  const std::string why = scaled ? " (PCIe Base 4, scaled flow control)" : " (PCIe Base, 2.6.1)";
  const std::array<std::uint32_t, 6> value = {c.posted_headers,     c.posted_data,        c.non_posted_headers,
                                              c.non_posted_data,    c.completion_headers, c.completion_data};
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::uint32_t most = i % 2 == 0 ? headers : data;
    rule(value[i] <= most, {at[i], on}, text(value[i]), "at most " + text(most) + why);
  }
  const auto holds_one = [&](std::uint32_t units, std::uint32_t bytes, const char* key, const char* size) {
    rule(units == 0 || units * credit_bytes >= bytes, {key, on}, text(units),
         "0, or at least " + text(bytes / credit_bytes) + ": one TLP of " + size + " (PCIe Base, 2.6.1)");
  };
  holds_one(c.posted_data, payload_bytes, at[1], "max_payload_bytes");
  holds_one(c.completion_data, completion_bytes, at[5], "the largest completion");
  rule(!atomics || c.non_posted_data == 0 || c.non_posted_data >= 2, {at[3], "/link/atomics", on}, text(c.non_posted_data),
       "0, or at least 2, as atomics is \"atomic_ops\" (PCIe Base, 2.6.1)");
}

void bridge_relations(const Profile& p, const std::function<bool(const char*)>& stated, const PcieRule& rule) {
  const Bridge& b = p.bridge;
  const auto needs = [&](bool needed, const char* key, const char* what, const char* kind) {
    rule(!needed || stated(key), {key, "/bridge/kind"}, "nothing", std::string(what) + ", as kind is " + kind);
    rule(needed || !stated(key), {key, "/bridge/kind"}, "a value", std::string("nothing, as kind is not ") + kind);
  };
  const bool is_switch = b.kind == BridgeKind::pcie_switch;
  needs(is_switch, "/bridge/gigatransfers_per_s", "the rate of its upstream link", "\"switch\"");
  needs(is_switch, "/bridge/lanes", "the lanes of its upstream link", "\"switch\"");
  needs(b.kind == BridgeKind::root_complex, "/bridge/fabric_gbps", "the rate of its fabric", "\"root_complex\"");
  rule(!b.peer_to_peer || b.kind != BridgeKind::none, {"/bridge/peer_to_peer"}, "true", "false, as there is no bridge");
}

}  // namespace

void pcie_relations(Profile& p, const std::function<bool(const char*)>& stated, const PcieRule& rule) {
  Link& l = p.link;
  rule(l.max_payload_bytes >= 128, {"/link/max_payload_bytes", "/link/kind"}, text(l.max_payload_bytes),
       "at least 128 (PCIe Base, MPS)");
  rule(l.max_read_request_bytes >= 128, {"/link/max_read_request_bytes", "/link/kind"}, text(l.max_read_request_bytes),
       "at least 128 (PCIe Base, MRRS)");
  rule(l.dllp_accounting == DllpAccounting::mean || l.dllp_accounting == DllpAccounting::counted || l.generation != 0,
       {"/link/dllp_accounting", "/link/generation"}, "no generation",
       "\"mean\" or \"counted\", or a generation, whose limits the others count by");
  const auto power_of_two = [](std::uint32_t v) { return (v & (v - 1)) == 0; };
  rule(l.completion_payload_bytes == 0 || (power_of_two(l.completion_payload_bytes) &&
                                           l.completion_payload_bytes >= l.read_completion_boundary_bytes &&
                                           l.completion_payload_bytes <= l.max_payload_bytes),
       {"/link/completion_payload_bytes", "/link/max_payload_bytes", "/link/read_completion_boundary_bytes"},
       text(l.completion_payload_bytes), "a power of two from read_completion_boundary_bytes to max_payload_bytes");
  constexpr std::array<double, 7> rates = {0, 2.5, 5, 8, 16, 32, 64};
  if (l.generation != 0 && l.generation < rates.size()) {
    rule(l.gigatransfers_per_s == rates[l.generation], {"/link/generation", "/link/gigatransfers_per_s"},
         text(l.generation), "the generation of the rate: 2.5, 5, 8, 16, 32, 64 GT/s");
  }
  tag_relations(l, stated, rule);
  const std::uint32_t completion = l.completion_payload_bytes != 0 ? l.completion_payload_bytes : l.max_payload_bytes;
  const bool atomics = l.atomics == Atomics::atomic_ops;
  credit_relations(l.credits, l.gigatransfers_per_s, l.max_payload_bytes, completion, atomics,
                   {"/link/credits/posted_headers", "/link/credits/posted_data", "/link/credits/non_posted_headers",
                    "/link/credits/non_posted_data", "/link/credits/completion_headers", "/link/credits/completion_data"},
                   "/link/max_payload_bytes", rule);
  credit_relations(p.bridge.credits, p.bridge.gigatransfers_per_s, l.max_payload_bytes, completion, atomics,
                   {"/bridge/credits/posted_headers", "/bridge/credits/posted_data", "/bridge/credits/non_posted_headers",
                    "/bridge/credits/non_posted_data", "/bridge/credits/completion_headers",
                    "/bridge/credits/completion_data"},
                   "/link/max_payload_bytes", rule);
  constexpr std::uint32_t most_overhead = 32;  // header, framing, LCRC and digest
  rule(l.replay_buffer_bytes == 0 || l.replay_buffer_bytes >= l.max_payload_bytes + most_overhead,
       {"/link/replay_buffer_bytes", "/link/max_payload_bytes"}, text(l.replay_buffer_bytes),
       "0, or at least a TLP: max_payload_bytes + 32 (" + text(l.max_payload_bytes + most_overhead) + ")");
  bridge_relations(p, stated, rule);
}

}  // namespace sluice::profile
