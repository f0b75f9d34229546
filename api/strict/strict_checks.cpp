// What commands do to mapped regions, and what faults mean.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "api/strict/stacks.h"
#include "api/strict/strict.h"

namespace sluice::api::strict {

namespace {

Area area_of(const Endpoint& end, const Shape& shape) {
  return {end.data, shape.row_bytes, shape.rows, shape.slices, end.row_pitch_bytes, end.slice_pitch_bytes};
}

std::string_view function_of(Operation op) {
  switch (op) {
    case Operation::marker:
      return "clEnqueueMarker";
    case Operation::barrier:
      return "clEnqueueBarrier";
    case Operation::read_buffer:
      return "clEnqueueReadBuffer";
    case Operation::write_buffer:
      return "clEnqueueWriteBuffer";
    case Operation::copy_buffer:
      return "clEnqueueCopyBuffer";
    case Operation::fill_buffer:
      return "clEnqueueFillBuffer";
    case Operation::read_buffer_rect:
      return "clEnqueueReadBufferRect";
    case Operation::write_buffer_rect:
      return "clEnqueueWriteBufferRect";
    case Operation::copy_buffer_rect:
      return "clEnqueueCopyBufferRect";
    case Operation::map_buffer:
      return "clEnqueueMapBuffer";
    case Operation::map_image:
      return "clEnqueueMapImage";
    case Operation::unmap:
      return "clEnqueueUnmapMemObject";
    case Operation::migrate:
      return "clEnqueueMigrateMemObjects";
    case Operation::read_image:
      return "clEnqueueReadImage";
    case Operation::write_image:
      return "clEnqueueWriteImage";
    case Operation::copy_image:
      return "clEnqueueCopyImage";
    case Operation::fill_image:
      return "clEnqueueFillImage";
    case Operation::copy_image_to_buffer:
      return "clEnqueueCopyImageToBuffer";
    case Operation::copy_buffer_to_image:
      return "clEnqueueCopyBufferToImage";
    case Operation::svm_map:
      return "clEnqueueSVMMap";
    case Operation::svm_unmap:
      return "clEnqueueSVMUnmap";
    case Operation::svm_memcpy:
      return "clEnqueueSVMMemcpy";
    case Operation::svm_memfill:
      return "clEnqueueSVMMemFill";
    case Operation::svm_free:
      return "clEnqueueSVMFree";
    case Operation::svm_migrate:
      return "clEnqueueSVMMigrateMem";
    case Operation::kernel:
      return "clEnqueueNDRangeKernel";
    case Operation::count_:
      break;
  }
  return "?";
}

// Which end of the command is an object's; the other is memory of the program.
bool source_is_object(Operation op) {
  switch (op) {
    case Operation::read_buffer:
    case Operation::read_buffer_rect:
    case Operation::read_image:
    case Operation::copy_buffer:
    case Operation::copy_buffer_rect:
    case Operation::copy_image:
    case Operation::copy_image_to_buffer:
    case Operation::copy_buffer_to_image:
    case Operation::svm_memcpy:
      return true;
    default:
      return false;
  }
}
bool target_is_object(Operation op) {
  switch (op) {
    case Operation::read_buffer:
    case Operation::read_buffer_rect:
    case Operation::read_image:
      return false;
    default:
      return true;
  }
}

std::string flags_text(cl_map_flags flags) {
  if (flags == CL_MAP_WRITE_INVALIDATE_REGION) return "CL_MAP_WRITE_INVALIDATE_REGION";
  if (flags == (CL_MAP_READ | CL_MAP_WRITE)) return "CL_MAP_READ | CL_MAP_WRITE";
  return flags == CL_MAP_READ ? "CL_MAP_READ" : "CL_MAP_WRITE";
}

std::string command_text(CommandId id) {
  return id == 0 || id == ~CommandId{0} ? "a command" : fmt::format("command {}", id);
}

std::string verb(bool write) {
  return write ? "wrote" : "read";
}

std::vector<Frame> frames_of_command(const CallStacks::Stack& stack) {
  return stack == nullptr ? std::vector<Frame>() : frames_of(*stack);
}

// The same misuse at the same place of the program is one.
std::string place_of(const std::vector<Frame>& stack) {
  if (stack.empty()) return "";
  return fmt::format("{}:{}:{}", stack.front().function, stack.front().file, stack.front().line);
}

}  // namespace

void Strict::note(Object& object, Call call) {
  if (object.calls.full()) ++object.older_calls;
  object.calls.push_back(std::move(call));
}

std::string Strict::name_of(const Object& object) const {
  constexpr std::string_view kinds[] = {"buffer", "image", "SVM allocation", "buffer on the program's memory"};
  const std::string_view kind = kinds[static_cast<std::size_t>(object.kind)];
  const bool host_image = object.is_image && object.kind == ObjectKind::host_buffer;
  return fmt::format("{} {} of {} bytes", host_image ? "image on the program's memory" : kind,
                     object.number, object.bytes);
}

std::vector<std::string> Strict::history_of(const Object& object) const {
  const bool is_svm = object.kind == ObjectKind::svm;
  std::vector<std::string> lines;
  lines.emplace_back(is_svm ? "clSVMAlloc" : object.is_image ? "clCreateImage" : "clCreateBuffer");
  if (object.kind == ObjectKind::host_buffer) lines.back() += ", CL_MEM_USE_HOST_PTR";
  if (object.older_calls != 0) lines.push_back(fmt::format("... ({} commands)", object.older_calls));
  for (const Call& c : object.calls) {
    std::string line = fmt::format("{}: {}", command_text(c.command), function_of(c.op));
    if (!c.kernel.empty()) line += fmt::format(" of \"{}\"", c.kernel);
    if (c.queue != 0) line += fmt::format(" on queue {}", c.queue);
    if (c.flags != 0) line += ", " + flags_text(c.flags);
    if (c.end > c.begin) line += fmt::format(", bytes {} to {}", c.begin, c.end - 1);
    if (c.op != Operation::kernel && c.flags == 0 && c.op != Operation::unmap && c.op != Operation::svm_unmap) {
      line += c.writes ? ", written" : ", read";
    }
    if (c.blocking) line += ", blocking";
    if (pending_.contains(c.command) || map_commands_.contains(c.command)) line += ", not complete";
    lines.push_back(std::move(line));
  }
  if (object.released) lines.emplace_back(is_svm ? "clSVMFree" : "clReleaseMemObject, of the last reference");
  return lines;
}

void Strict::report(Rule rule, const Object* object, std::uint64_t begin, std::uint64_t end, std::string precision,
                    std::string what, std::vector<Frame> stack, std::string key) {
  if (finished_) return;
  Finding f;
  f.rule = rule;
  f.object = object == nullptr ? "a mapped region" : name_of(*object);
  f.begin = begin;
  f.end = end;
  f.precision = std::move(precision);
  f.what = std::move(what);
  f.stack = stack.empty() && key.empty() ? frames_of(stack_here()) : std::move(stack);
  if (object != nullptr) f.history = history_of(*object);
  f.key = (object == nullptr ? "" : std::to_string(object->number)) + "|" + (key.empty() ? place_of(f.stack) : key);
  const bool is_new = findings_.add(std::move(f));
  // A program that is killed leaves what was found.
  if (is_new && findings_.size() <= 64) write_files();
  if (options_.stop_at_first) stop();
}

// ---- commands -----------------------------------------------------------------------------------------------------

// An empty one in spare_pending_.
Strict::Pending& Strict::draft_pending() {
  if (spare_pending_.empty()) {
    pending_.try_emplace(~CommandId{0});
    spare_pending_ = pending_.extract(~CommandId{0});
    return spare_pending_.mapped();
  }
  Pending& p = spare_pending_.mapped();
  p.device.clear();
  p.program.clear();
  p.into_host.clear();
  p.stack.reset();
  p.launch = nullptr;
  return p;
}

void Strict::enqueued(const Command& command) {
  const std::lock_guard lock(mutex_);
  if (newest_map_call_ != nullptr) {
    Call& call = *std::exchange(newest_map_call_, nullptr);
    call.command = command.id;
    call.queue = command.queue;
    call.blocking = command.blocking;
    map_commands_[command.id] = std::exchange(newest_map_, 0);
    if (unmapping_ == 0) return;
    if (Map* const m = find_map(std::exchange(unmapping_, 0))) m->unmapped_by = command.id;
    return;
  }
  if (command.op == Operation::migrate || objects_.empty()) return;
  Pending& pending = draft_pending();
  pending.op = command.op;
  pending.queue = command.queue;
  const auto tell = [&](Object& object, const Area& area, bool writes, std::string kernel) {
    Call call;
    call.command = command.id;
    call.op = command.op;
    call.queue = command.queue;
    call.blocking = command.blocking;
    call.begin = static_cast<std::uint64_t>(area.first - object.store);
    call.end = call.begin + area.span();
    call.writes = writes;
    call.kernel = std::move(kernel);
    note(object, std::move(call));
  };
  if (command.op == Operation::kernel && command.kernel != nullptr) {
    const KernelLaunch& launch = *command.kernel;
    const std::string& name = launch.module->kernels()[launch.kernel].name;
    pending.launch = &launch;
    launches_[&launch] = command.id;
    pending.kernel = name;
    pending.stack = call_stacks_.here();
    for (const LaunchArgument& a : launch.arguments) {
      const std::byte* const data = a.image != nullptr ? a.image->data : a.data;
      Object* const object = data == nullptr ? nullptr : object_at(data);
      if (object == nullptr) continue;
      tell(*object, {data, std::min<std::size_t>(a.size_bytes, object->bytes), 1, 1, 0, 0}, true, name);
      check_lost(*object, {data, std::min<std::size_t>(a.size_bytes, object->bytes), 1, 1, 0, 0},
                 fmt::format("kernel \"{}\"", name));
    }
    spare_pending_.key() = command.id;
    pending_.insert(std::move(spare_pending_));
    return;
  }
  const auto add = [&](const Endpoint& end, bool writes, bool is_object) {
    if (end.data == nullptr || command.shape.bytes() == 0) return;
    Object* const object = object_at(end.data);
    if (object == nullptr) return;
    const Area area = area_of(end, command.shape);
    // Always: the map that it meets may come later, on another queue.
    if (pending.stack == nullptr) pending.stack = call_stacks_.here();
    // Shared virtual memory, and what a buffer uses, is named by one pointer whoever means it.
    const bool shared = object->kind == ObjectKind::svm || object->kind == ObjectKind::host_buffer;
    const bool is_svm_command = command.op == Operation::svm_memcpy || command.op == Operation::svm_memfill;
    if (is_object && !(object->kind == ObjectKind::host_buffer && is_svm_command)) tell(*object, area, writes, "");
    if (object->kind == ObjectKind::host_buffer) {
      // By its address alone it is memory of the program; what is copied from there comes to the device.
      const bool is_memory = !is_object || is_svm_command;
      if (is_memory) std::erase_if(object->lost, [&](const Object::Lost& l) { return area.meets(l.at, l.at + 1); });
      // A write from the buffer's own memory leaves both sides alike.
      if (is_memory && (writes || command.target.data == end.data)) pending.into_host.push_back(area);
      if (is_memory) return;
      if (command.target.data != end.data) {
        check_lost(*object, area, function_of(command.op));
      } else {
        std::erase_if(object->lost, [&](const Object::Lost& l) { return area.meets(l.at, l.at + 1); });
      }
    }
    if (is_object) pending.device.emplace_back(area, writes);
    if (!is_object && !shared) pending.program.emplace_back(area, writes);
  };
  add(command.source, false, source_is_object(command.op));
  add(command.target, true, target_is_object(command.op));
  if (pending.into_host.empty() && pending.device.empty() && pending.program.empty()) return;
  spare_pending_.key() = command.id;
  pending_.insert(std::move(spare_pending_));
}

void Strict::ended(const Completion& times, bool good) {
  const std::lock_guard lock(mutex_);
  take_faults();
  if (const auto it = map_commands_.find(times.id); it != map_commands_.end()) {
    Map* const found = find_map(it->second);
    if (good && found != nullptr) {
      Map& m = *found;
      (m.unmapped_by == times.id ? m.unmapped_at : m.mapped_at) =
          m.unmapped_by == times.id ? times.ended : times.started;
    }
    map_commands_.erase(it);
  }
  if (const auto it = pending_.find(times.id); it != pending_.end()) {
    spare_pending_ = pending_.extract(it);
    const Pending& pending = spare_pending_.mapped();
    if (pending.launch != nullptr) launches_.erase(pending.launch);
    if (good) check(times, pending);
  }
  if (!suspects_.empty()) settle(&times);
}

// Reports those that are certain, and drops those that were not.
void Strict::settle(const Completion* times) {
  std::vector<Suspect> open;
  std::vector<Suspect> all;
  all.swap(suspects_);
  for (Suspect& s : all) {
    if (times != nullptr && times->id == s.command) {
      s.started = times->started;
      s.ended = times->ended;
    }
    const auto it = maps_.find(s.map);
    if (it == maps_.end()) continue;
    const Map& m = *it->second;
    if (!s.ended || (m.unmapped_by != 0 && !m.unmapped_at)) {
      // At the end of the process nothing more will be known; what was never unmapped was mapped.
      if (times != nullptr) open.push_back(std::move(s));
      if (times != nullptr || !s.ended) continue;
    }
    if (m.unmapped_at && *s.started >= *m.unmapped_at) continue;
    if (m.mapped_at && *s.ended <= *m.mapped_at) continue;
    report(s.rule, m.object.get(), s.begin, s.end, std::move(s.precision), std::move(s.what),
           frames_of_command(s.stack), s.key);
  }
  for (Suspect& s : suspects_) open.push_back(std::move(s));
  suspects_ = std::move(open);
}

void Strict::check_lost(Object& object, const Area& area, std::string_view who) {
  std::vector<Object::Lost> all;
  all.swap(object.lost);
  for (Object::Lost& l : all) {
    if (!area.meets(l.at, l.at + 1)) {
      object.lost.push_back(std::move(l));
      continue;
    }
    set_host(object, {l.at, 1, 1, 1, 0, 0}, host_clean);
    const auto begin = static_cast<std::uint64_t>(l.at - object.store);
    std::vector<Frame> stack = frames_of(l.stack, l.instruction);
    std::string key = fmt::format("{}{}", place_of(stack), l.instruction);
    report(Rule::write_lost, &object, begin, begin + 1, "the first byte; of its page no other is seen",
           fmt::format("The host wrote the buffer's memory outside a map, and {} uses it now.", who), std::move(stack),
           std::move(key));
  }
}

void Strict::report_host(const Fault& fault) {
  const auto* const at = reinterpret_cast<const std::byte*>(fault.address);
  Object* const object = object_at(at);
  if (object == nullptr) return;
  if (fault.state == State::clean) {
    object->lost.push_back({at, fault.instruction,
                            std::vector<const void*>(fault.stack.begin(),
                                                     fault.stack.begin() + static_cast<std::ptrdiff_t>(fault.frames))});
    return;
  }
  std::vector<Frame> stack = frames_of({fault.stack.data(), fault.frames}, fault.instruction);
  std::string key = fmt::format("{}{}", place_of(stack), fault.instruction);
  const auto begin = static_cast<std::uint64_t>(at - object->store);
  const bool stale = fault.state == State::changed;
  report(stale ? Rule::read_stale : Rule::read_map_written, object, begin, begin + 1,
         stale ? "by page: the device wrote this page" : "the first byte; of its page no other is seen",
         stale ? "The host read the buffer's memory outside a map, where the device had written."
               : "The host wrote through the pointer of a map with CL_MAP_READ.",
         std::move(stack), std::move(key));
}

void Strict::check(const Completion& times, const Pending& pending) {
  for (const auto& [area, writes] : pending.device) {
    Object* const object = writes ? object_at(area.first) : nullptr;
    if (object == nullptr || object->kind != ObjectKind::host_buffer) continue;
    const bool mapped = std::any_of(object->maps.begin(), object->maps.end(),
                                    [&, &a = area](const Map* m) { return m->active && m->area.meets(a); });
    if (!mapped) set_host(*object, area, host_changed);
  }
  for (const Area& area : pending.into_host) {
    if (Object* const object = object_at(area.first)) set_host_by_maps(*object, area);
  }
  for (const auto& [area, writes] : pending.device) {
    Object* const object = object_at(area.first);
    if (object == nullptr) continue;
    for (const Map* const m : object->maps) {
      if (!m->active || (!writes && !m->writes()) || !area.meets(m->area)) continue;
      Suspect s;
      s.command = times.id;
      s.map = m->id;
      s.started = times.started;
      s.ended = times.ended;
      s.begin = static_cast<std::uint64_t>(std::max(area.first, m->area.first) - object->store);
      s.end = static_cast<std::uint64_t>(std::min(area.first + area.span(), m->area.first + m->area.span()) -
                                         object->store);
      s.precision = "exact";
      s.what = fmt::format("Command {}, {} on queue {}, {} bytes that are mapped with {}.", times.id,
                           function_of(pending.op), pending.queue, verb(writes), flags_text(m->flags));
      s.key = fmt::format("{}{}", function_of(pending.op), m->flags);
      s.stack = pending.stack;
      suspects_.push_back(std::move(s));
      break;
    }
  }
  for (const auto& [area, writes] : pending.program) {
    Object* const object = object_at(area.first);
    if (object == nullptr) continue;
    bool allowed = false;
    bool mapped = false;
    const auto look = [&, w = writes, &a = area](const Map& m) {
      if (m.object.get() != object || !a.meets(m.area)) return;
      if ((m.unmapped_at && *m.unmapped_at < times.ended) || (m.mapped_at && *m.mapped_at > times.started)) return;
      mapped = true;
      allowed |= !w || m.writes();
    };
    for (const Map* const m : object->maps) look(*m);
    if (allowed) continue;
    for (const MapId id : old_maps_) {
      if (const auto it = maps_.find(id); it != maps_.end()) look(*it->second);
    }
    if (allowed) continue;
    const auto begin = static_cast<std::uint64_t>(area.first - object->store);
    report(mapped ? Rule::read_map_written : Rule::access_after_unmap, object, begin, begin + area.span(), "exact",
           fmt::format("Command {}, {} on queue {}, {} through a mapped pointer that was given to it.", times.id,
                       function_of(pending.op), pending.queue, verb(writes)),
           frames_of_command(pending.stack), std::string(function_of(pending.op)));
  }
}

void Strict::unmap_refused(const std::byte* store, const void* pointer) {
  const std::lock_guard lock(mutex_);
  take_faults();
  Object* const object = object_at(store);
  if (object == nullptr) return;
  const Map* old = nullptr;
  for (const MapId id : old_maps_) {
    const auto it = maps_.find(id);
    if (it != maps_.end() && it->second->pointer == pointer && it->second->object.get() == object)
      old = it->second.get();
  }
  // Its unmap may not have ended yet.
  for (const Map* const m : object->maps) {
    if (m->pointer == pointer) old = m;
  }
  const auto begin = old == nullptr ? 0 : static_cast<std::uint64_t>(old->area.first - object->store);
  const auto end = old == nullptr ? object->bytes : begin + old->area.span();
  const std::string what = old == nullptr
                               ? "The pointer is none that a map of the object returned."
                               : fmt::format("The pointer was unmapped by {} already.", command_text(old->unmapped_by));
  report(Rule::unmapped_twice, object, begin, end, old == nullptr ? "the object" : "exact", what, {}, "");
}

// ---- faults -------------------------------------------------------------------------------------------------------

void Strict::take_faults() {
  for (Fault fault; guard::take_fault(fault);) report_fault(fault);
}

void Strict::report_kernel(const Fault& fault, const Object& object) {
  const auto* const at = reinterpret_cast<const std::byte*>(fault.address);
  // The page holds other bytes as well; or another map's.
  const Map* hit = nullptr;
  const auto touches = [&](const Map& m) { return (fault.write || m.writes()) && m.area.meets(at, at + 1); };
  for (const Map* const m : object.maps) {
    if (hit == nullptr && m->active && touches(*m)) hit = m;
  }
  if (hit == nullptr) return;
  Suspect s;
  s.command = fault.kernel;
  s.map = hit->id;
  s.rule = Rule::kernel_in_map;
  s.begin = static_cast<std::uint64_t>(at - object.store);
  s.end = s.begin + 1;
  s.precision = "the first byte; of its page no other is seen";
  std::string name = "?";
  if (const auto launched = pending_.find(fault.kernel); launched != pending_.end()) {
    name = launched->second.kernel;
    s.stack = launched->second.stack;
  }
  s.what = fmt::format("Command {}, kernel \"{}\", {} a byte that is mapped with {}.", fault.kernel, name,
                       verb(fault.write), flags_text(hit->flags));
  s.key = fmt::format("{}{}{}", name, fault.write, hit->flags);
  suspects_.push_back(std::move(s));
}

void Strict::report_fault(const Fault& fault) {
  const Region* const beside = fault.id == 0 ? zone_.beside(fault.address) : nullptr;
  const auto it = maps_.find(beside == nullptr ? fault.id : beside->id.load());
  const auto* const at = reinterpret_cast<const std::byte*>(fault.address);
  if (fault.kernel != 0) {
    if (Object* const object = object_at(at)) report_kernel(fault, *object);
    return;
  }
  if (fault.kind == Kind::host) return report_host(fault);
  std::vector<Frame> stack = frames_of({fault.stack.data(), fault.frames}, fault.instruction);
  const std::string key = fmt::format("{}{}", place_of(stack), fault.instruction);
  const std::string precision = "the first byte; of its page no other is seen";
  const std::string did = fault.write ? "The host wrote" : "The host read";
  if (fault.kind == Kind::svm) {
    Object* const object = object_at(at);
    if (object == nullptr) return;
    // An allocation whose newest unmap was of this byte.
    const Map* old = nullptr;
    for (const MapId id : old_maps_) {
      const auto m = maps_.find(id);
      if (m != maps_.end() && m->second->object.get() == object && m->second->area.meets(at, at + 1))
        old = m->second.get();
    }
    const auto begin = static_cast<std::uint64_t>(at - object->store);
    if (old != nullptr) {
      report(Rule::access_after_unmap, object, begin, begin + 1, precision,
             fmt::format("{} a byte that {} had unmapped.", did, command_text(old->unmapped_by)), std::move(stack),
             key);
    } else {
      report(Rule::svm_outside_map, object, begin, begin + 1, precision,
             fmt::format("{} a byte that no map covers.", did), std::move(stack), key);
    }
    return;
  }
  if (it == maps_.end()) {
    report(
        Rule::access_outside_map, nullptr, 0, 1, "not known",
        fmt::format("{} where mapped regions lie, through a pointer that belongs to none, or to one unmapped long ago.",
                    did),
        std::move(stack), key);
    return;
  }
  const Map& map = *it->second;
  const auto offset = at - static_cast<const std::byte*>(map.pointer);
  const auto begin = static_cast<std::uint64_t>(map.area.first - map.object->store + offset);
  if (!map.area.meets(map.area.first + offset, map.area.first + offset + 1)) {
    report(Rule::access_outside_map, map.object.get(), begin, begin + 1, precision,
           fmt::format("{} through the pointer of a map with {}, beside its region.", did, flags_text(map.flags)),
           std::move(stack), key);
    return;
  }
  Rule rule = Rule::access_after_unmap;
  std::string what = fmt::format("{} through a pointer that {} had unmapped.", did, command_text(map.unmapped_by));
  switch (fault.state) {
    case State::pending:
      rule = Rule::access_before_complete;
      what = fmt::format("{} through the pointer of a map with {} that was not complete.", did, flags_text(map.flags));
      break;
    case State::readable:
      rule = Rule::read_map_written;
      what = fmt::format("{} through the pointer of a map with CL_MAP_READ.", did);
      break;
    case State::fresh:
      rule = Rule::undefined_read;
      what = fmt::format("{} a byte of a map with CL_MAP_WRITE_INVALIDATE_REGION before it had written the page.", did);
      break;
    default:
      if (map.unmapped_by != 0) break;
      rule = Rule::access_after_release;
      what =
          fmt::format("{} through the pointer of a map with {} whose object was released.", did, flags_text(map.flags));
      break;
  }
  report(rule, map.object.get(), begin, begin + 1, precision, std::move(what), std::move(stack), key);
}

}  // namespace sluice::api::strict
