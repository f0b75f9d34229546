#include "sim/profile/load.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/iface/module_file.h"
#include "sim/profile/address_relations.h"
#include "sim/profile/dram_relations.h"
#include "sim/profile/fields.h"
#include "sim/profile/pcie_relations.h"

namespace sluice::profile {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr std::size_t max_file_bytes = 4U << 20;
constexpr int max_nesting = 64;
constexpr int max_includes = 16;
constexpr int max_included_files = 256;       // in all: files that include each other twice double at every level
constexpr std::size_t max_problems = 1000;

// A value with the file and pointer that it came from, so that problems name the part file that is wrong.
struct Node {
  json value;  // leaf, or null for an object
  std::map<std::string, Node> members;
  bool object = false;
  std::string source;
  std::string file;
  std::string pointer;
};

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t up = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1] ? 1U : 0U)});
      diagonal = up;
    }
  }
  return row[b.size()];
}

std::string shorten(std::string text) {
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

std::string number_text(double v) {
  // Not printf: the program that loaded the driver may have set a locale with a decimal comma.
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, v, std::chars_format::general, 15).ptr;
  return {text, end};
}

std::string escape_pointer(const std::string& key) {
  std::string out;
  for (const char c : key) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

// Without the library's name for it.
std::string words_of(const nlohmann::json::exception& error) {
  const std::string text = error.what();
  const std::size_t end = text.starts_with("[json.") ? text.find("] ") : std::string::npos;
  return end == std::string::npos ? text : text.substr(end + 2);
}

class Loader {
 public:
  std::vector<Problem> problems;
  bool complete = true;  // false: a part could not be read, so that a missing key proves nothing

  bool read_text(const fs::path& file, std::string& text) {
    std::error_code ec;
    if (!fs::is_regular_file(file, ec)) {
      add(file.string(), "", "no such file", "a readable JSON file");
      return false;
    }
    if (fs::file_size(file, ec) > max_file_bytes) {
      add(file.string(), "", std::to_string(fs::file_size(file, ec)) + " bytes", "at most 4 MiB");
      return false;
    }
    std::ifstream in(file, std::ios::binary);
    if (!in) {
      add(file.string(), "", "a file that cannot be opened", "a readable JSON file");
      return false;
    }
    // Some files (under /proc) are longer than they say: the rest is left unread, parse() refuses.
    char block[16384];
    while (text.size() <= max_file_bytes && (in.read(block, sizeof block), in.gcount() > 0)) {
      text.append(block, static_cast<std::size_t>(in.gcount()));
    }
    return true;
  }

  // Parses one file's text into `out`; includes are laid below.
  bool parse(std::string_view text, const fs::path& file, Node& out) {
    if (text.size() > max_file_bytes) {
      add(file.string(), "", std::to_string(text.size()) + " bytes", "at most 4 MiB");
      return false;
    }
    // The parser recurses into nothing that this has not measured.
    int depth = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (in_string) {
        if (c == '\\') {
          ++i;
        } else if (c == '"') {
          in_string = false;
        }
      } else if (c == '"') {
        in_string = true;
      } else if (c == '[' || c == '{') {
        if (++depth > max_nesting) {
          add(file.string(), "", "nesting deeper than " + std::to_string(max_nesting), "at most " + std::to_string(max_nesting) + " levels");
          return false;
        }
      } else if (c == ']' || c == '}') {
        --depth;
      }
    }
    json document;
    try {
      document = parse_unique(text, file);
    } catch (const json::parse_error& e) {
      add(file.string(), "", "text that is not JSON (" + words_of(e) + ")", "a JSON object");
      return false;
    } catch (const json::exception& e) {
      add(file.string(), "", "JSON that cannot be read (" + words_of(e) + ")", "a JSON object");
      return false;
    }
    if (!document.is_object()) {
      add(file.string(), "", shorten(document.dump(-1, ' ', false, json::error_handler_t::replace)), "a JSON object");
      return false;
    }
    take(document, file, "", out);
    return true;
  }

  void add(std::string file, std::string pointer, std::string found, std::string allowed, std::string suggestion = {}) {
    if (full()) {
      ++unlisted_;
      return;
    }
    problems.push_back({std::move(file), std::move(pointer), std::move(found), std::move(allowed), std::move(suggestion)});
  }
  [[nodiscard]] bool full() const { return problems.size() >= max_problems; }

  // The list, closed by a count of what it leaves out.
  std::vector<Problem> take_problems() {
    if (unlisted_ > 0) {
      problems.push_back({problems.front().file, "", std::to_string(unlisted_) + " more problems",
                          "none; the first " + std::to_string(max_problems) + " are listed", ""});
    }
    return std::move(problems);
  }

 private:
  // json::parse keeps the last of two equal keys; the first would be a constant that silently has no effect.
  json parse_unique(std::string_view text, const fs::path& file) {
    std::vector<std::set<std::string>> keys;
    std::vector<std::string> path;
    return json::parse(text, [&](int, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::object_start) {
        keys.emplace_back();
        path.emplace_back();
      } else if (event == json::parse_event_t::object_end) {
        keys.pop_back();
        path.pop_back();
      } else if (event == json::parse_event_t::key) {
        path.back() = parsed.get<std::string>();
        if (!keys.back().insert(path.back()).second) {
          std::string pointer;
          for (const std::string& key : path) pointer += "/" + escape_pointer(key);
          add(file.string(), pointer, "the key \"" + shorten(path.back()) + "\" a second time", "each key once");
        }
      }
      return true;
    });
  }

  void take(const json& object, const fs::path& file, const std::string& pointer, Node& out) {
    out.object = true;
    if (out.file.empty()) {
      out.file = file.string();
      out.pointer = pointer;
    }
    if (const auto it = object.find("include"); it != object.end()) {
      std::vector<json> names = it->is_array() ? it->get<std::vector<json>>() : std::vector<json>{*it};
      for (const json& name : names) complete &= include(name, file, pointer + "/include", out);
    }
    for (const auto& [key, value] : object.items()) {
      if (key == "include" || (pointer.empty() && key == "$schema")) continue;
      const std::string at = pointer + "/" + escape_pointer(key);
      Node& member = out.members[key];
      // {"value": ..., "source": ...} is a leaf with its source beside it.
      const bool leaf = !value.is_object() || value.contains("value");
      if (leaf) {
        if (value.is_object()) {
          for (const auto& [inner, ignored] : value.items()) {
            if (inner != "value" && inner != "source") {
              add(file.string(), at + "/" + escape_pointer(inner), "unknown key \"" + shorten(inner) + "\"", "\"value\", \"source\"");
            }
          }
          if (value.contains("source") && !value["source"].is_string()) {
            add(file.string(), at + "/source", shorten(value["source"].dump(-1, ' ', false, json::error_handler_t::replace)), "a string");
          }
        }
        member = Node{};
        member.value = value.is_object() ? value["value"] : value;
        if (value.is_object() && value.contains("source") && value["source"].is_string()) member.source = value["source"];
        member.file = file.string();
        member.pointer = value.is_object() ? at + "/value" : at;
      } else {
        if (!member.object) member = Node{};
        member.file = file.string();
        member.pointer = at;
        take(value, file, at, member);
      }
    }
  }

  bool include(const json& name, const fs::path& from, const std::string& pointer, Node& out) {
    if (!name.is_string()) {
      add(from.string(), pointer, shorten(name.dump(-1, ' ', false, json::error_handler_t::replace)), "a file name or a list of file names");
      return false;
    }
    const fs::path file = (from.parent_path() / name.get<std::string>()).lexically_normal();
    if (std::find(stack_.begin(), stack_.end(), file) != stack_.end() || file == from) {
      add(from.string(), pointer, "\"" + shorten(name.get<std::string>()) + "\", which includes this file", "files that do not include each other");
      return false;
    }
    if (stack_.size() >= max_includes) {
      add(from.string(), pointer, "includes nested deeper than " + std::to_string(max_includes), "fewer levels");
      return false;
    }
    if (included_ >= max_included_files) {
      if (included_++ == max_included_files) {
        add(from.string(), pointer, "more than " + std::to_string(max_included_files) + " included files",
            "fewer files");
      }
      return false;
    }
    ++included_;
    std::string text;
    std::error_code ec;
    if (!fs::is_regular_file(file, ec)) {
      add(from.string(), pointer, "\"" + shorten(name.get<std::string>()) + "\", which does not exist", "a part file, relative to this file");
      return false;
    }
    if (!read_text(file, text)) return false;
    stack_.push_back(from.lexically_normal());
    const bool good = parse(text, file, out);
    stack_.pop_back();
    return good;
  }

  std::vector<fs::path> stack_;
  int included_ = 0;
  std::size_t unlisted_ = 0;
};

// "2 MiB", "1.5 KiB", "512 B": what the schema's pattern takes, whatever the locale.
bool parse_bytes(std::string_view text, double& out) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view digits = text.substr(0, end);
  if (digits.empty() || digits.front() == '.' || digits.back() == '.') return false;
  double v = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), v, std::chars_format::fixed);
  if (read.ec != std::errc{} || read.ptr != digits.data() + digits.size()) return false;
  std::string_view unit = text.substr(end);
  if (unit.starts_with(' ')) unit.remove_prefix(1);
  static const std::map<std::string_view, double> units = {
      {"B", 1.0}, {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
  const auto it = units.find(unit);
  if (it == units.end()) return false;
  out = v * it->second;
  return true;
}

class Checker {
 public:
  Checker(Loader& loader, const Node& root, Profile& profile) : loader_(loader), root_(root), profile_(profile) {}

  void run() {
    for (const Field& f : fields()) apply(f);
    unknown(root_, "");
    relations();
  }

  [[nodiscard]] json canonical() const { return canonical_; }
  [[nodiscard]] std::vector<Constant> take_constants() { return std::move(constants_); }

 private:
  // The section's node, or null; `replaced` if something else stands where an object belongs (unknown() reports that).
  const Node* find(const std::string& section, bool& replaced) const {
    const Node* at = &root_;
    std::size_t begin = 0;
    while (begin < section.size()) {
      const std::size_t dot = std::min(section.find('.', begin), section.size());
      const auto it = at->members.find(section.substr(begin, dot - begin));
      if (it == at->members.end()) return nullptr;
      if (!it->second.object) {
        replaced = true;
        return nullptr;
      }
      at = &it->second;
      begin = dot + 1;
    }
    return at;
  }

  static std::string pointer_of(const Field& f) {
    std::string p;
    if (!f.section.empty()) {
      p = "/" + f.section;
      std::replace(p.begin(), p.end(), '.', '/');
    }
    return p + "/" + f.key;
  }

  void apply(const Field& f) {
    bool replaced = false;
    const Node* section = find(f.section, replaced);
    const Node* node = nullptr;
    if (section != nullptr) {
      const auto it = section->members.find(f.key);
      if (it != section->members.end()) node = &it->second;
    }
    if (node == nullptr) {
      if (f.required) {
        bad_.insert(pointer_of(f));
        if (!replaced && loader_.complete) {
          loader_.add(root_.file, pointer_of(f), "nothing", allowed(f) + " (required: " + f.description + ")");
        }
      }
      return;
    }
    where_[pointer_of(f)] = node;
    if (node->object) {
      bad_.insert(pointer_of(f));
      loader_.add(node->file, node->pointer, "an object without \"value\"", allowed(f));
      return;
    }
    const json& v = node->value;
    const auto refuse = [&] {
      bad_.insert(pointer_of(f));
      loader_.add(node->file, node->pointer, shorten(v.dump(-1, ' ', false, json::error_handler_t::replace)), allowed(f));
    };
    json meant = v;  // what the hash sees: "2 MiB", 2097152 and 2097152.0 are one machine
    if (f.unit == Unit::text || f.unit == Unit::choice) {
      if (!v.is_string()) return refuse();
      const std::string text = v.get<std::string>();
      if (f.unit == Unit::choice && std::find(f.choices.begin(), f.choices.end(), text) == f.choices.end()) return refuse();
      if (f.unit == Unit::text && (text.empty() || text.size() > 1000)) return refuse();
      f.set_text(profile_, text);
    } else if (f.unit == Unit::texts) {
      std::vector<std::string> texts;
      for (const json& text : v.is_array() ? v : json::array({v})) {
        if (!text.is_string() || text.get_ref<const std::string&>().empty() || text.get_ref<const std::string&>().size() > 1000) return refuse();
        texts.push_back(text.get<std::string>());
      }
      if (const std::string right = f.set_texts(profile_, texts); !right.empty()) {
        bad_.insert(pointer_of(f));
        loader_.add(node->file, node->pointer, shorten(v.dump(-1, ' ', false, json::error_handler_t::replace)), right);
        return;
      }
    } else if (f.unit == Unit::boolean) {
      if (!v.is_boolean()) return refuse();
      f.set_number(profile_, v.get<bool>() ? 1 : 0);
    } else {
      double number = 0;
      if (v.is_number()) {
        number = v.get<double>();
      } else if (f.unit != Unit::bytes || !v.is_string() || !parse_bytes(v.get<std::string>(), number)) {
        return refuse();
      }
      if (!std::isfinite(number) || number < f.min || number > f.max) return refuse();
      const bool whole = number == std::floor(number);
      if (f.whole && !whole) return refuse();
      f.set_number(profile_, number);
      if (whole && number < 9007199254740992.0) {
        meant = static_cast<std::uint64_t>(number);
      } else {
        meant = number;
      }
    }
    if (f.section.compare(0, validation_section.size(), validation_section) == 0) return;  // no constant of the machine
    canonical_[pointer_of(f)] = std::move(meant);
    constants_.push_back({pointer_of(f), v.dump(-1, ' ', false, json::error_handler_t::replace), node->source, node->file});
  }

  static std::string allowed(const Field& f) {
    switch (f.unit) {
      case Unit::boolean: return "true or false";
      case Unit::text: return "a text of 1 to 1000 characters";
      case Unit::texts: return "a list of texts of 1 to 1000 characters";
      case Unit::choice: {
        std::string list;
        for (const std::string& c : f.choices) list += (list.empty() ? "\"" : ", \"") + c + "\"";
        return list;
      }
      case Unit::bytes:
        return "whole bytes from " + number_text(f.min) + " to " + number_text(f.max) + ", or a text like \"2 MiB\"";
      default:
        return std::string(f.whole ? "a whole number" : "a number") + " from " + number_text(f.min) + " to " +
               number_text(f.max);
    }
  }

  void unknown(const Node& node, const std::string& section) {
    std::set<std::string> known;
    std::set<std::string> sections;
    for (const Field& f : fields()) {
      if (f.section == section) known.insert(f.key);
      if (f.section.size() > section.size() && f.section.compare(0, section.size(), section) == 0 &&
          (section.empty() || f.section[section.size()] == '.')) {
        const std::string rest = f.section.substr(section.empty() ? 0 : section.size() + 1);
        sections.insert(rest.substr(0, rest.find('.')));
      }
    }
    known.insert(sections.begin(), sections.end());
    for (const auto& [key, member] : node.members) {
      if (sections.count(key) != 0) {
        if (member.object) {
          unknown(member, section.empty() ? key : section + "." + key);
        } else {
          loader_.add(member.file, member.pointer,
                      shorten(member.value.dump(-1, ' ', false, json::error_handler_t::replace)),
                      "an object, the section \"" + key + "\"");
        }
        continue;
      }
      if (known.count(key) != 0) continue;
      std::string nearest;
      std::size_t best = key.size() / 2 + 2;
      for (const std::string& k : known) {
        if (loader_.full()) break;  // it will not be listed
        const std::size_t d = key.size() > 200 ? best : edit_distance(key, k);
        if (d < best) {
          best = d;
          nearest = k;
        }
      }
      loader_.add(member.file, member.pointer, "unknown key \"" + shorten(key) + "\"", "a key of " + (section.empty() ? std::string("the profile") : "\"" + section + "\""), nearest);
    }
  }

  // A rule over the constants `of`, blamed on the first of them where its file says it. Silent where one of them is
  // already reported: the rest of the profile is still judged.
  void rule(bool holds, std::initializer_list<const char*> of, const std::string& found, const std::string& allowed) {
    if (holds || std::any_of(of.begin(), of.end(), [&](const char* p) { return bad_.count(p) != 0; })) return;
    const auto at = where_.find(*of.begin());
    if (at == where_.end()) {
      if (loader_.complete) loader_.add(root_.file, *of.begin(), found, allowed);
    } else {
      loader_.add(at->second->file, at->second->pointer, found, allowed);
    }
  }

  void relations() {
    const auto power_of_two = [](std::uint64_t v) { return v != 0 && (v & (v - 1)) == 0; };
    const auto text = [](auto v) { return std::to_string(v); };
    const Link& l = profile_.link;
    const DeviceInfo& d = profile_.machine.device;
    rule(d.max_allocation_bytes <= d.global_memory_bytes,
         {"/device/max_allocation_bytes", "/device/global_memory_bytes"}, text(d.max_allocation_bytes), "at most global_memory_bytes (" + text(d.global_memory_bytes) + ")");
    rule(power_of_two(d.base_address_align_bits), {"/device/base_address_align_bits"}, text(d.base_address_align_bits),
         "a power of two");
    rule(d.timestamp_granularity_ps >= 1, {"/device/timestamp_granularity_ns"}, "0", "at least 0.001");
    rule(power_of_two(l.max_payload_bytes), {"/link/max_payload_bytes"}, text(l.max_payload_bytes), "a power of two");
    rule(power_of_two(l.max_read_request_bytes), {"/link/max_read_request_bytes"}, text(l.max_read_request_bytes),
         "a power of two");
    rule(power_of_two(l.read_completion_boundary_bytes), {"/link/read_completion_boundary_bytes"},
         text(l.read_completion_boundary_bytes), "64 or 128 (PCIe Base, RCB)");
    const std::uint32_t line = profile_.host.private_cache.line_bytes;
    rule(power_of_two(line), {"/host/private_cache/line_bytes"}, text(line), "a power of two");
    rule(line <= l.max_payload_bytes, {"/link/max_payload_bytes", "/host/private_cache/line_bytes"},
         text(l.max_payload_bytes), "at least one cache line of the host (" + text(line) + ")");
    if (l.kind == LinkKind::pcie) {
      pcie_relations(profile_, [this](const char* p) { return where_.count(p) != 0; },
                     [this](bool holds, std::initializer_list<const char*> of, const std::string& found,
                            const std::string& allowed) { rule(holds, of, found, allowed); });
    }
    rule(profile_.bridge.kind == BridgeKind::none || l.kind == LinkKind::pcie, {"/bridge/kind", "/link/kind"}, "a bridge",
         "none, as the link's kind is not \"pcie\"");
    rule(l.atomics == Atomics::read_write || l.kind == LinkKind::pcie, {"/link/atomics", "/link/kind"}, "\"atomic_ops\"",
         "\"read_write\", as kind is not \"pcie\"");
    if (l.kind == LinkKind::pcie || l.kind == LinkKind::coherent) {
      const std::string kind = l.kind == LinkKind::pcie ? "\"pcie\"" : "\"coherent\"";
      rule(l.gigatransfers_per_s > 0, {"/link/gigatransfers_per_s", "/link/kind"}, "nothing",
           "a rate, as kind is " + kind);
      rule(l.lanes > 0, {"/link/lanes", "/link/kind"}, "nothing", "a number of lanes, as kind is " + kind);
    }
    if (l.kind == LinkKind::coherent) {
      rule(l.flit_bytes > 0, {"/link/flit_bytes", "/link/kind"}, "nothing", "a flit's size, as kind is \"coherent\"");
      rule(l.flit_payload_bytes > 0 && l.flit_payload_bytes <= l.flit_bytes,
           {"/link/flit_payload_bytes", "/link/flit_bytes", "/link/kind"}, text(l.flit_payload_bytes),
           "from 1 to flit_bytes (" + text(l.flit_bytes) + "), as kind is \"coherent\"");
    }
    if (l.kind == LinkKind::on_chip) {
      rule(l.fabric_bytes_per_s > 0, {"/link/fabric_gbps", "/link/kind"}, "nothing", "a rate, as kind is \"on_chip\"");
    }
    address_relations(profile_, [this](bool holds, std::initializer_list<const char*> of, const std::string& found,
                                       const std::string& allowed) { rule(holds, of, found, allowed); });
    const bool coherent = l.kind == LinkKind::coherent || (l.kind == LinkKind::on_chip && l.fabric_coherent);
    rule(d.svm != SvmSupport::fine_system || coherent || profile_.migration.batch_faults != 0,
         {"/device/svm", "/link/kind", "/link/fabric_coherent", "/migration/batch_faults"}, "\"fine_system\"",
         "a coherent link, migration, or less");
    rule(!d.svm_atomics || d.svm == SvmSupport::fine_buffer || d.svm == SvmSupport::fine_system,
         {"/device/svm_atomics", "/device/svm"}, "true",
         "false, as atomics are a property of fine-grained SVM (CL_DEVICE_SVM_CAPABILITIES)");
    const Compute& c = profile_.compute;
    const std::uint32_t cache_line = profile_.device_cache.line_bytes;
    rule(power_of_two(cache_line) && cache_line >= 32 && cache_line <= 256, {"/device_cache/line_bytes"},
         text(cache_line), "32, 64, 128 or 256");
    for (const auto& [bytes, at] : {std::pair{c.fetch_bytes, "/compute/fetch_bytes"},
                                    std::pair{c.host_fetch_bytes, "/compute/host_fetch_bytes"}}) {
      rule(power_of_two(bytes) && bytes <= cache_line, {at, "/device_cache/line_bytes"}, text(bytes),
           "a power of two up to the line of the device's cache (" + text(cache_line) + ")");
    }
    rule(d.max_work_group_size <= c.wave_size * c.waves_per_unit,
         {"/device/max_work_group_size", "/compute/wave_size", "/compute/waves_per_unit"}, text(d.max_work_group_size),
         "at most what a compute unit holds (" + text(c.wave_size * c.waves_per_unit) + ")");
    rule(d.local_memory_bytes <= c.local_bytes_per_unit,
         {"/device/local_memory_bytes", "/compute/local_bytes_per_unit"}, text(d.local_memory_bytes),
         "at most what a compute unit has (" + text(c.local_bytes_per_unit) + ")");
    image_relations();
    const auto memory_rule = [this](bool holds, const std::string& key, const std::string& on, const std::string& found,
                                    const std::string& allowed) { rule(holds, {key.c_str(), on.c_str()}, found, allowed); };
    dram_relations(profile_.device_memory, "/device_memory/", memory_rule);
    if (host_memory_is_whole()) dram_relations(profile_.host_memory, "/host_memory/", memory_rule);
  }

  // A section that may be missing, but then as a whole. Whether it is there.
  bool host_memory_is_whole() {
    const std::string section = "/host_memory/";
    const auto first = where_.lower_bound(section);
    if (first == where_.end() || first->first.compare(0, section.size(), section) != 0) return false;
    bool whole = true;
    for (const char* key : {"/host_memory/channels", "/host_memory/banks", "/host_memory/row_bytes", "/host_memory/bus_bits",
                            "/host_memory/gigatransfers_per_s", "/host_memory/timings/tck_ns",
                            "/host_memory/timings/trcd_ns", "/host_memory/timings/trp_ns", "/host_memory/timings/tcl_ns",
                            "/host_memory/timings/tras_ns", "/host_memory/timings/trefi_ns",
                            "/host_memory/timings/trfc_ns", "/host_memory/timings/tccd_ns",
                            "/host_memory/timings/tfaw_ns", "/host_memory/timings/trrd_ns",
                            "/host_memory/timings/twtr_ns", "/host_memory/timings/trtw_ns"}) {
      const bool stated = where_.count(key) != 0;
      whole = whole && stated;
      rule(stated, {key}, "nothing", "a value, as other keys of \"host_memory\" are there");
    }
    return whole;
  }

  // Rules of the image layout, and what it comes to.
  void image_relations() {
    Images& i = profile_.images;
    const auto text = [](auto v) { return std::to_string(v); };
    const auto stated = [this](const char* pointer) { return where_.count(pointer) != 0; };
    if (i.layout == ImageLayout::linear) {
      for (const char* key : {"/images/tile_row_bytes", "/images/tile_rows", "/images/tile_slices", "/images/tile_order"})
        rule(!stated(key), {key, "/images/layout"}, "a tile", "nothing, as layout is \"linear\"");
      return;
    }
    const auto power_of_two = [](std::uint32_t v) { return v != 0 && (v & (v - 1)) == 0; };
    rule(stated("/images/tile_row_bytes"), {"/images/tile_row_bytes", "/images/layout"}, "nothing",
         "a number of bytes, as layout is \"tiled\"");
    bool shaped = stated("/images/tile_row_bytes");
    for (const auto& [v, at] : {std::pair{i.tile_row_bytes, "/images/tile_row_bytes"},
                                std::pair{i.tile_rows, "/images/tile_rows"},
                                std::pair{i.tile_slices, "/images/tile_slices"}}) {
      rule(power_of_two(v) || !shaped, {at}, text(v), "a power of two");
      shaped = shaped && power_of_two(v) && bad_.count(at) == 0;
    }
    if (!shaped) return;
    const std::uint64_t bytes = std::uint64_t{i.tile_row_bytes} * i.tile_rows * i.tile_slices;
    const std::uint32_t least = std::max(32U, profile_.compute.fetch_bytes);
    rule(bytes >= least && bytes <= 65536, {"/images/tile_row_bytes", "/compute/fetch_bytes"},
         "a tile of " + text(bytes) + " bytes", "tiles of " + text(least) + " (what memory moves at once) to 65536 bytes");
    const auto bits = [](std::uint32_t v) { return static_cast<std::size_t>(std::countr_zero(v)); };
    const std::string plain = std::string(bits(i.tile_row_bytes), 'x') + std::string(bits(i.tile_rows), 'y') +
                              std::string(bits(i.tile_slices), 'z');
    const std::string order = i.tile_order.empty() ? plain : i.tile_order;
    // A texel of 16 bytes must lie in one piece.
    const bool fits = order.size() == plain.size() && std::is_permutation(order.begin(), order.end(), plain.begin()) &&
                      order.compare(0, 4, "xxxx") == 0;
    rule(fits, {"/images/tile_order", "/images/tile_row_bytes"}, "\"" + shorten(order) + "\"",
         "\"" + plain + "\" in any order that begins with xxxx");
    if (!fits || bytes > 65536) return;
    ImageTile tile;
    for (std::size_t b = 0; b < order.size(); ++b)
      (order[b] == 'x' ? tile.x_bits : order[b] == 'y' ? tile.y_bits : tile.z_bits) |= 1U << b;
    profile_.machine.policy.image_tile = tile;
  }

  Loader& loader_;
  const Node& root_;
  Profile& profile_;
  json canonical_ = json::object();
  std::set<std::string> bad_;                  // pointers in the merged profile of what was refused or is missing
  std::map<std::string, const Node*> where_;   // and where each constant was said
  std::vector<Constant> constants_;
};

Loaded finish(Loader& loader, const Node& root) {
  Loaded loaded;
  Profile profile;
  if (root.object) {
    Checker checker(loader, root, profile);
    checker.run();
    loaded.constants = checker.take_constants();
    // FNV-1a over the canonical text: sorted pointers and values, sources left out.
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    for (const char c : checker.canonical().dump(-1, ' ', true, json::error_handler_t::replace)) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    }
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    profile.hash = text;
    profile.machine.profile_name = profile.name;
    profile.machine.device.wave_size = profile.compute.wave_size;
    profile.machine.profile_hash = text;
  }
  loaded.problems = loader.take_problems();
  if (loaded.problems.empty()) loaded.profile = std::move(profile);
  return loaded;
}

// Where the shipped files may be: told, beside an installed module, beside a build tree.
std::vector<fs::path> config_folders() {
  std::vector<fs::path> folders;
  if (const char* told = std::getenv("SLUICE_CONFIG_DIR"); told != nullptr && *told != '\0') folders.emplace_back(told);
  const fs::path here = module_file(reinterpret_cast<const void*>(&shipped_profiles)).parent_path();
  if (!here.empty()) {
    folders.push_back(here / "../share/sluice");
    folders.push_back(here / "../../share/sluice");  // lib/<multiarch>
    folders.push_back(here / "../../../configs");    // build/<preset>/lib or bin
    folders.push_back(here / "../../../../configs");
  }
  return folders;
}

}  // namespace

std::string to_string(const Problem& p) {
  std::string text = p.file + ": " + (p.pointer.empty() ? "" : p.pointer + ": ") + "found " + p.found + "; allowed: " + p.allowed;
  if (!p.suggestion.empty()) text += " (did you mean \"" + p.suggestion + "\"?)";
  return text;
}

Loaded parse_profile(std::string_view text, const fs::path& file) {
  Loader loader;
  Node root;
  (void)loader.parse(text, file, root);
  return finish(loader, root);
}

Loaded load_profile(std::string_view name_or_path) {
  Loader loader;
  const std::string name(name_or_path);
  fs::path file;
  if (name.find('/') != std::string::npos || name.ends_with(".json")) {
    file = name;
  } else {
    for (const ProfileEntry& e : shipped_profiles()) {
      if (e.name == name) file = e.path;
    }
    if (file.empty()) {
      std::string list;
      std::string nearest;
      std::size_t best = name.size() / 2 + 2;
      for (const ProfileEntry& e : shipped_profiles()) {
        list += (list.empty() ? "" : ", ") + e.name;
        if (const std::size_t d = edit_distance(shorten(name), e.name); d < best) {
          best = d;
          nearest = e.name;
        }
      }
      loader.add("profile", "", "\"" + shorten(name) + "\"", "a file, or one of: " + (list.empty() ? "(no shipped profiles found; set SLUICE_CONFIG_DIR)" : list), nearest);
      return finish(loader, Node{});
    }
  }
  std::string text;
  Node root;
  if (loader.read_text(file, text)) (void)loader.parse(text, file, root);
  return finish(loader, root);
}

std::vector<ProfileEntry> shipped_profiles() {
  std::vector<ProfileEntry> entries;
  for (const fs::path& folder : config_folders()) {
    std::error_code ec;
    for (const auto& e : fs::directory_iterator(folder / "profiles", ec)) {
      if (e.path().extension() == ".json") entries.push_back({e.path().stem().string(), e.path().lexically_normal()});
    }
    if (!entries.empty()) break;
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

}  // namespace sluice::profile
