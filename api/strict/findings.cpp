#include "api/strict/findings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "traces/recorder.h"

namespace sluice::api::strict {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<RuleText, static_cast<std::size_t>(Rule::count_)> rules = {{
    {"read-map-written", "the host wrote through a map for reading",
     "A region mapped with CL_MAP_READ alone is not to be written through the pointer: the unmap brings nothing to the "
     "device, so the write is lost wherever the map is a copy."},
    {"access-before-complete", "the host used a mapped pointer before the map had completed",
     "The pointer that a non-blocking map returns must not be used until the map's event is complete: the data may "
     "still "
     "be on their way, and overwrite what was written."},
    {"access-after-unmap", "the host used a pointer after its unmap was enqueued",
     "Behind clEnqueueUnmapMemObject or clEnqueueSVMUnmap the pointer shows nothing any more: reads may be stale, "
     "writes "
     "never reach the device."},
    {"access-after-release", "the host used a mapped pointer after its object was released",
     "With the last reference the object goes, and with it what its maps show: the memory behind the pointer may be "
     "anything's."},
    {"access-outside-map", "the host used a mapped pointer beyond the mapped region",
     "Only the region that was mapped may be accessed; what lies beside it is other memory."},
    {"undefined-read", "the host read what a write-invalidate map left undefined",
     "CL_MAP_WRITE_INVALIDATE_REGION brings no data to the host: bytes are undefined until the host has written them."},
    {"kernel-in-map", "a kernel touched a region that was mapped",
     "Kernels that read or write a region mapped for writing, or write one mapped for reading, are undefined until it "
     "is "
     "unmapped."},
    {"command-in-map", "a command touched a region that was mapped",
     "Commands that read or write a region mapped for writing, or write one mapped for reading, are undefined until it "
     "is unmapped."},
    {"never-unmapped", "an object was released while it was mapped",
     "Each map must be unmapped: what was written through it never reaches the device, and the mirror is never given "
     "back."},
    {"unmapped-twice", "a pointer was unmapped that is not mapped",
     "Each map is unmapped once, with the pointer that it returned."},
    {"svm-outside-map", "the host used coarse-grained shared virtual memory outside a map",
     "The host may access a coarse-grained allocation only between clEnqueueSVMMap and clEnqueueSVMUnmap."},
    {"write-lost", "the host wrote memory that a buffer uses, outside a map",
     "A device may keep a copy of what CL_MEM_USE_HOST_PTR names: what the host writes outside a map is lost on such a "
     "machine, although this one shows it."},
    {"read-stale", "the host read memory that a buffer uses, outside a map, after the device had written it",
     "A device may keep a copy of what CL_MEM_USE_HOST_PTR names: outside a map the host reads old data on such a "
     "machine, although this one shows the new."},
}};

constexpr const char* base_id = "%SRCROOT%";

std::string range_text(const Finding& f) {
  return f.end <= f.begin + 1 ? fmt::format("byte {}", f.begin) : fmt::format("bytes {} to {}", f.begin, f.end - 1);
}

// Below the folder, from there; nullopt: it is elsewhere.
std::optional<std::string> inside(const std::string& path, const std::string& folder) {
  const std::string prefix = folder + "/";
  if (folder.size() < 2 || !path.starts_with(prefix)) return std::nullopt;
  return path.substr(prefix.size());
}

std::string place(const Frame& f, const std::string& folder) {
  if (f.line == 0) return std::filesystem::path(f.file).filename().string();
  return fmt::format("{}:{}", inside(f.file, folder).value_or(f.file), f.line);
}

// RFC 3986: what a path may hold and a URI may not, nor (the colon) the first part of a relative one.
std::string uri_of(const std::string& path) {
  constexpr std::string_view plain = "/._~+,=@-";  // and letters and digits
  std::string uri = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = (byte < 0x80 && std::isalnum(byte) != 0) || plain.find(c) != std::string_view::npos;
    uri += is_plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return uri;
}

// Why it cannot be, 0 otherwise.
int write_file(const std::string& name, const std::string& text) {
  std::FILE* const file = std::fopen(name.c_str(), "we");
  if (file == nullptr) return errno;
  const int wrong = std::fwrite(text.data(), 1, text.size(), file) == text.size() ? 0 : errno;
  return std::fclose(file) == 0 ? wrong : errno;
}

}  // namespace

const RuleText& text_of(Rule rule) noexcept {
  return rules[static_cast<std::size_t>(rule)];
}

std::string to_text(const Finding& f, const std::string& folder) {
  const RuleText& rule = text_of(f.rule);
  std::string text = fmt::format("sluice: strict: {} [{}]\n", rule.title, rule.id);
  text += fmt::format("  {}\n  {}, {} ({})\n", f.what, f.object, range_text(f), f.precision);
  for (std::size_t i = 0; i < f.stack.size(); ++i) {
    const Frame& frame = f.stack[i];
    text += fmt::format("    #{} {} at {}\n", i, frame.function.empty() ? "?" : frame.function, place(frame, folder));
  }
  if (!f.history.empty()) text += fmt::format("  calls on {}, the newest last:\n", f.object);
  for (const std::string& line : f.history) text += "    " + line + "\n";
  return text + fmt::format("  rule: {}\n", rule.text);
}

Findings::Findings(std::vector<std::string> files) : files_(std::move(files)) {
  std::error_code code;
  folder_ = std::filesystem::current_path(code).string();
  program_ = std::filesystem::canonical("/proc/self/exe", code).string();
}

bool Findings::add(Finding finding) {
  const auto same = std::find_if(all_.begin(), all_.end(),
                                 [&](const Finding& f) { return f.rule == finding.rule && f.key == finding.key; });
  if (same != all_.end()) {
    same->begin = std::min(same->begin, finding.begin);
    same->end = std::max(same->end, finding.end);
    ++same->count;
    return false;
  }
  std::fputs(to_text(finding, folder_).c_str(), stderr);
  all_.push_back(std::move(finding));
  return true;
}

std::string Findings::summary() const {
  std::uint64_t times = 0;
  for (const Finding& f : all_) times += f.count;
  std::string text = "sluice: strict: no misuse of mapped memory\n";
  if (!all_.empty()) {
    text = fmt::format("sluice: strict: {} misuse{} of mapped memory, {} time{}\n", all_.size(),
                       all_.size() == 1 ? "" : "s", times, times == 1 ? "" : "s");
  }
  for (const Note& n : notes_) {
    text += fmt::format("sluice: strict: {}: {}\n", n.is_warning ? "warning" : "note", n.text);
  }
  return text;
}

std::string Findings::json() const {
  Json list = Json::array();
  for (const Finding& f : all_) {
    Json stack = Json::array();
    for (const Frame& frame : f.stack) {
      stack.push_back({{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
    }
    list.push_back({{"rule", text_of(f.rule).id},
                    {"title", text_of(f.rule).title},
                    {"what", f.what},
                    {"object", f.object},
                    {"begin", f.begin},
                    {"end", f.end},
                    {"precision", f.precision},
                    {"count", f.count},
                    {"stack", std::move(stack)},
                    {"history", f.history}});
  }
  Json notes = Json::array();
  for (const Note& n : notes_) notes.push_back({{"level", n.is_warning ? "warning" : "note"}, {"text", n.text}});
  const Json document = {{"schema", "sluice-strict-1"}, {"findings", std::move(list)}, {"notes", std::move(notes)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string Findings::sarif() const {
  Json descriptors = Json::array();
  for (const RuleText& rule : rules) {
    descriptors.push_back({{"id", rule.id},
                           {"shortDescription", {{"text", rule.title}}},
                           {"fullDescription", {{"text", rule.text}}},
                           {"defaultConfiguration", {{"level", "error"}}}});
  }
  Json results = Json::array();
  for (const Finding& f : all_) {
    const auto location = [this](const Frame& frame) {
      // Viewers look for what is below a base in the folder that they have open.
      const std::string& file = frame.file.empty() ? program_ : frame.file;
      const auto below = inside(file, folder_);
      Json artifact = {{"uri", uri_of(below.value_or(file))}};
      if (below) artifact["uriBaseId"] = base_id;
      Json physical = {{"artifactLocation", std::move(artifact)}};
      if (frame.line != 0) physical["region"] = {{"startLine", frame.line}};
      Json whole = {{"physicalLocation", std::move(physical)}};
      if (!frame.function.empty()) {
        whole["logicalLocations"] = Json::array({Json{{"fullyQualifiedName", frame.function}}});
      }
      return whole;
    };
    std::string history;
    for (const std::string& line : f.history) history += "\n" + line;
    Json result = {
        {"ruleId", text_of(f.rule).id},
        {"ruleIndex", static_cast<std::size_t>(f.rule)},
        {"level", "error"},
        {"message",
         {{"text", fmt::format("{} {}, {} ({}).{}", f.what, f.object, range_text(f), f.precision, history)}}},
        {"occurrenceCount", f.count}};
    if (f.stack.empty()) {
      // Code hosts refuse results without a place: the program's file is the nearest.
      result["locations"] = Json::array({location(Frame())});
    } else {
      // The innermost frame whose source can be found is the one to be shown.
      const auto known = std::find_if(f.stack.begin(), f.stack.end(), [](const Frame& frame) {
        return frame.line != 0 && frame.file.starts_with('/');
      });
      result["locations"] = Json::array({location(known == f.stack.end() ? f.stack.front() : *known)});
      Json frames = Json::array();
      for (const Frame& frame : f.stack) frames.push_back({{"location", location(frame)}});
      result["stacks"] = Json::array({Json{{"frames", std::move(frames)}}});
    }
    results.push_back(std::move(result));
  }
  Json bases = Json::object();
  if (folder_.size() > 1) bases[base_id] = {{"uri", uri_of(folder_ + "/")}};
  Json notes = Json::array();
  for (const Note& n : notes_) {
    notes.push_back({{"level", n.is_warning ? "warning" : "note"}, {"message", {{"text", n.text}}}});
  }
  Json invocation = {{"executionSuccessful", true}, {"toolExecutionNotifications", std::move(notes)}};
  const Json run = {
      {"tool",
       {{"driver",
         {{"name", "Sluice strict"}, {"semanticVersion", SLUICE_VERSION}, {"rules", std::move(descriptors)}}}}},
      {"originalUriBaseIds", std::move(bases)},
      {"invocations", Json::array({std::move(invocation)})},
      {"results", std::move(results)}};
  const Json document = {
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

void Findings::write() {
  for (const std::string& name : files_) {
    std::string text;
    if (name.ends_with(".json")) {
      text = json();
    } else if (name.ends_with(".sarif")) {
      text = sarif();
    } else {
      for (const Finding& f : all_) text += to_text(f, folder_);
      text += summary();
    }
    const int wrong = write_file(name, text);
    if (wrong == 0 || !failed_.insert(name).second) continue;
    trace::report_error("strict", name + ": the report of misuse cannot be written: " + std::strerror(wrong),
                        trace::status_descriptor());
  }
}

}  // namespace sluice::api::strict
