// Objects, maps and what is guarded when. strict_checks.cpp turns accesses and commands into findings.
#include "api/strict/strict.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "api/objects/arena.h"

namespace sluice::api::strict {

namespace {

// That are remembered after their unmap.
constexpr std::size_t most_old_maps = 4096;

// Write-invalidate maps of a region that the program wrote whole each time: after so many, reads are watched in one of
// so many. Each watched one costs a fault for every run of pages.
constexpr std::uint32_t habit_maps = 4;
constexpr std::uint32_t habit_period = 13;  // no period that a program is likely to have
constexpr std::size_t most_habits = 16;

std::uintptr_t address(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p);
}

// Of a handler that wants to be looked at, and back.
sem_t wanted;
sem_t looked;

int protection_for(const cl_map_flags flags) {
  return flags == CL_MAP_READ ? PROT_READ : PROT_READ | PROT_WRITE;
}

// What of a store a map leaves to the device.
int device_protection(const cl_map_flags flags) {
  return flags == CL_MAP_READ ? PROT_READ : PROT_NONE;
}

}  // namespace

Strict* instance = nullptr;

std::optional<Options> options_from_environment(std::string& error) {
  const char* const mode = std::getenv("SLUICE_STRICT");
  const std::string_view text = mode == nullptr ? "" : mode;
  if (text.empty() || text == "0") return std::nullopt;
  if (text != "1" && text != "report" && text != "abort") {
    error = "SLUICE_STRICT: found \"" + std::string(text) + "\"; allowed: 0, 1, report, abort";
    return std::nullopt;
  }
  Options options;
  options.stop_at_first = text == "abort";
  const char* const files = std::getenv("SLUICE_STRICT_REPORT");
  for (std::string_view rest = files == nullptr ? "" : files; !rest.empty();) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    if (end != 0) options.files.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return options;
}

bool Area::meets(const std::byte* begin, const std::byte* end) const noexcept {
  for (std::size_t k = 0; k < slices; ++k) {
    const std::byte* const slice = first + k * slice_pitch;
    if (slice >= end) return false;
    if (slice + (rows - 1) * row_pitch + row_bytes <= begin) continue;
    // The first row that ends behind `begin`.
    const std::size_t row = begin < slice + row_bytes || rows == 1
                                ? 0
                                : static_cast<std::size_t>(begin - slice - row_bytes) / row_pitch + 1;
    if (row < rows && slice + row * row_pitch < end) return true;
  }
  return false;
}

bool Area::meets(const Area& other) const noexcept {
  const std::byte* const end = first + span();
  if (row_bytes == 0 || other.row_bytes == 0 || end <= other.first || other.first + other.span() <= first) return false;
  for (std::size_t k = 0; k < slices; ++k) {
    for (std::size_t r = 0; r < rows; ++r) {
      const std::byte* const row = first + k * slice_pitch + r * row_pitch;
      if (other.meets(row, row + row_bytes)) return true;
    }
  }
  return false;
}

bool Strict::begin(void (*at_thread_start)(), std::string& error) {
#if !defined(__x86_64__)
  error = "--strict needs an x86-64 processor: only there is a fault known to be a read or a write";
  return false;
#endif
  if (!Arena::share_instance()) {
    error = "--strict needs memory files (memfd_create), which the system refuses";
    return false;
  }
  if (!zone_.reserve()) {
    error = "--strict needs a range of addresses for its views, which the process has not (ulimit -v)";
    return false;
  }
  ::sem_init(&wanted, 0, 0);
  ::sem_init(&looked, 0, 0);
  instance = this;
  guard::install(zone_.begin(), zone_.end(), Arena::instance().descriptor(),
                 Arena::instance().fixed_bytes(), options_.stop_at_first, &Strict::wake);
  guards_fresh_ = guard::register_preload();
  if (guards_fresh_) zone_.use_rings();
  std::thread([this, at_thread_start] { watch(at_thread_start); }).detach();
  return true;
}

void Strict::wake() {
  ::sem_post(&wanted);
  timespec until{};
  ::clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 5;  // the watcher may be waiting for what this thread holds
  while (::sem_timedwait(&looked, &until) != 0 && errno == EINTR) {
  }
}

void Strict::watch(void (*at_thread_start)()) {
  if (at_thread_start != nullptr) at_thread_start();
  while (true) {
    while (::sem_wait(&wanted) != 0) {
    }
    {
      const std::lock_guard lock(mutex_);
      take_faults();
      write_files();
    }
    ::sem_post(&looked);
  }
}

void Strict::stop() {
  write_files();
  std::fputs("sluice: strict: stopped at the first misuse (--strict=abort)\n", stderr);
  std::abort();
}

void Strict::enter() {
  guard::enter();
  guard::keep_installed();
  if (!guard::has_fault()) return;
  const std::lock_guard lock(mutex_);
  take_faults();
}

void Strict::leave() {
  if (guard::take_opened() || guard::has_fault()) {
    const std::lock_guard lock(mutex_);
    take_faults();
    guard_again();
  }
  guard::leave();
}

std::uint64_t Strict::finish() {
  const std::lock_guard lock(mutex_);
  take_faults();
  settle(nullptr);
  finished_ = true;
  write_files();
  if (findings_.size() != 0 || findings_.has_notes()) std::fputs(findings_.summary().c_str(), stderr);
  return findings_.size();
}

void Strict::write_files() {
  findings_.set_notes(notes());
  findings_.write();
}

std::vector<Note> Strict::notes() const {
  std::vector<Note> all;
  const auto count = [](std::uint64_t n, std::string_view what) {
    return std::to_string(n) + " " + std::string(what) + (n == 1 ? " was " : "s were ");
  };
  if (unwatched_maps_ != 0) {
    all.push_back(
        {true, count(unwatched_maps_, "map") +
                   "not watched, or not on both sides: too many were open at once. Misuse of what they show is "
                   "not seen."});
  }
  if (unwatched_objects_ != 0) {
    all.push_back({true, count(unwatched_objects_, "allocation") +
                             "not watched outside maps: too many were there at once. Misuse of them is not seen."});
  }
  if (const std::uint64_t lost = guard::lost_faults(); lost != 0) {
    all.push_back({true, std::to_string(lost) + " further accesses came too fast to be kept."});
  }
  if (!finished_) return all;
  // A program may end without cleaning up: no misuse, unless it meant the device to see what it wrote.
  std::uint64_t open = 0;
  std::string first;
  for (const auto& [store, object] : objects_) {
    for (const Map* const m : object->maps) {
      if (m->unmapped_by != 0) continue;
      if (open++ != 0) continue;
      const auto begin = static_cast<std::uint64_t>(m->area.first - object->store);
      first =
          name_of(*object) + ", bytes " + std::to_string(begin) + " to " + std::to_string(begin + m->area.span() - 1);
    }
  }
  if (open != 0) {
    all.push_back({false, count(open, "map") + "never unmapped when the process ended: of " + first +
                              (open == 1 ? "." : ", and others.")});
  }
  return all;
}

// ---- objects ------------------------------------------------------------------------------------------------------

void Strict::object_made(const std::byte* store, std::size_t bytes, ObjectKind kind) {
  const std::lock_guard lock(mutex_);
  // Where two use the same memory, what is done through one is not misuse of the other.
  const ObjectRef under = kind == ObjectKind::host_buffer ? overlapping(store, bytes) : nullptr;
  if (under != nullptr) {
    if (under->whole != nullptr) {
      guard::free_slot(*under->whole);
      guard::protect(under->whole->begin, under->whole->end, PROT_READ | PROT_WRITE);
      under->whole = nullptr;
    }
  }
  auto object = std::make_shared<Object>();
  object->number = ++last_object_;
  object->kind = kind;
  object->store = store;
  object->bytes = bytes;
  if (kind == ObjectKind::host_buffer && under == nullptr && guards_fresh_) {
    // Whole pages alone: beside them lies what is not the buffer's.
    const std::uintptr_t begin = page_ceiling(address(store));
    const std::uintptr_t end = page_floor(address(store) + bytes);
    object->whole = begin < end ? guard::take_slot() : nullptr;
    if (object->whole != nullptr) {
      Region& r = *object->whole;
      r.begin = r.first = begin;
      r.end = r.last = end;
      set(r.id, object->number);
      set(r.state, State::clean);
      guard::make_fresh(r);
      r.kind = Kind::host;
      guard_host(*object);
    } else if (begin < end) {
      ++unwatched_objects_;
    }
  }
  objects_.emplace(store, object);
  if (kind != ObjectKind::svm) return;
  object->whole = guard::take_slot();
  if (object->whole == nullptr) {
    ++unwatched_objects_;
    return;
  }
  Region& r = *object->whole;
  set(r.begin, address(store));
  set(r.end, page_ceiling(address(store) + bytes));
  set(r.first, address(store));
  set(r.last, address(store) + bytes);
  set(r.id, object->number);
  set(r.state, State::gone);
  set(r.faults, 0);
  r.kind = Kind::svm;
  guard::protect(r.begin, r.end, PROT_NONE);
}

void Strict::object_is_image(const std::byte* store) {
  const std::lock_guard lock(mutex_);
  Object* const object = object_at(store);
  if (object == nullptr) return;
  object->is_image = true;
  if (object->kind == ObjectKind::buffer) object->kind = ObjectKind::image;  // on the program's memory it stays what it is
}

void Strict::never_unmapped(const std::byte* store, bool whole) {
  const std::lock_guard lock(mutex_);
  Object* const object = object_at(store);
  if (object == nullptr) return;
  take_faults();
  object->released |= whole;
  for (const Map* const m : object->maps) {
    if (m->unmapped_by != 0) continue;
    const auto begin = static_cast<std::uint64_t>(m->area.first - object->store);
    report(Rule::never_unmapped, object, begin, begin + m->area.span(), "exact",
           "The last reference was released, and the region was never unmapped.", {}, "");
    return;
  }
}

void Strict::object_gone(const std::byte* store) {
  const std::lock_guard lock(mutex_);
  take_faults();
  const auto [begin, end] = objects_.equal_range(store);
  if (begin == end) return;
  const auto newest = std::prev(end);
  const ObjectRef object = newest->second;
  object->released = true;
  for (Map* const m : std::vector<Map*>(object->maps)) unguard(*m, true);
  if (object->whole != nullptr) {
    guard::free_slot(*object->whole);
    guard::protect(object->whole->begin, object->whole->end, PROT_READ | PROT_WRITE);
    object->whole = nullptr;
  }
  zone_.forget_store(store, object->bytes);
  objects_.erase(newest);
}

Strict::ObjectRef Strict::overlapping(const std::byte* store, std::size_t bytes) const {
  for (const auto& [begin, object] : objects_) {
    if (begin < store + bytes && store < begin + object->bytes) return object;
  }
  return nullptr;
}

Strict::Object* Strict::object_at(const std::byte* p) const {
  auto it = objects_.upper_bound(p);
  // Objects may use the same memory; the newest that begins last is as good as any.
  for (int i = 0; i < 4 && it != objects_.begin(); ++i) {
    --it;
    if (static_cast<std::size_t>(p - it->first) < it->second->bytes) return it->second.get();
  }
  return nullptr;
}

// ---- maps ---------------------------------------------------------------------------------------------------------

Strict::Map& Strict::new_map() {
  const MapId id = ++last_map_;
  if (spare_map_.empty()) {
    Map& made = *(maps_[id] = std::make_unique<Map>());
    made.id = id;
    return made;
  }
  Map& again = *spare_map_.mapped();
  again = {};
  again.id = spare_map_.key() = id;
  maps_.insert(std::move(spare_map_));
  return again;
}

void* Strict::map(const Area& area, cl_map_flags flags, bool blocking, MapId& id) {
  const std::lock_guard lock(mutex_);
  id = 0;
  void* const plain = const_cast<std::byte*>(area.first);
  Object* const object = object_at(area.first);
  if (object == nullptr) return plain;
  Map& m = new_map();
  id = m.id;
  m.object = object->shared_from_this();
  m.area = area;
  m.flags = flags;
  m.pointer = plain;
  const std::uintptr_t at = address(area.first);
  if (object->kind == ObjectKind::svm) {
    m.view = object->whole == nullptr ? nullptr : guard::take_slot();
    if (m.view != nullptr) {
      set(m.view->begin, page_floor(at));
      set(m.view->end, page_ceiling(at + area.span()));
      set(m.view->first, at);
      set(m.view->last, at + area.span());
      set(m.view->file_offset, Arena::instance().file_offset(reinterpret_cast<const void*>(page_floor(at))));
    }
  } else if (object->kind != ObjectKind::host_buffer) {
    m.view = zone_.make(area.first, area.span(), protection_for(flags));
    if (m.view != nullptr) {
      if (!blocking) guard::close(*m.view);
      m.pointer = reinterpret_cast<void*>(m.view->first.load());
      // Nobody can ask for the map that had these addresses before.
      if (const auto old = maps_.find(m.view->id.load()); old != maps_.end()) forget(old);
    }
  }
  if (m.view == nullptr && object->kind != ObjectKind::host_buffer) not_watched(m);
  if (m.view != nullptr) {
    set(m.view->id, m.id);
    set(m.view->protection, protection_for(flags));
    set(m.view->state, State::pending);
    set(m.view->faults, 0);
    set(m.view->active, false);
    m.view->kind.store(object->kind == ObjectKind::svm ? Kind::svm_map : Kind::shadow, std::memory_order_release);
  }
  object->maps.push_back(&m);
  const auto begin = static_cast<std::uint64_t>(area.first - object->store);
  Call call;
  call.op = object->kind == ObjectKind::svm     ? Operation::svm_map
            : object->is_image                  ? Operation::map_image
                                                : Operation::map_buffer;
  call.flags = flags;
  call.begin = begin;
  call.end = begin + area.span();
  note(*object, std::move(call));
  newest_map_call_ = &object->calls.back();
  newest_map_ = m.id;
  if (object->kind == ObjectKind::svm) guard_svm(*object, page_floor(at), page_ceiling(at + area.span()));
  return m.pointer;
}

void Strict::map_ended(MapId id, bool good) {
  const std::lock_guard lock(mutex_);
  Map* const found = find_map(id);
  if (found == nullptr || !is_open(*found)) return;
  Map& m = *found;
  if (good) {
    if (m.unmapped_by != 0) return;
    m.active = true;
    guard_map(m);
    return;
  }
  newest_map_call_ = nullptr;
  take_faults();
  unguard(m, true);
}

// The host's side opens; the device's closes when kernels run.
void Strict::guard_map(Map& m) {
  ++active_maps_;
  if (m.view != nullptr) {
    if (m.flags == CL_MAP_WRITE_INVALIDATE_REGION && guards_fresh_ && is_watched(m)) {
      guard::make_fresh(*m.view);
      set(m.view->state, State::fresh);
      if (m.view->ready) guard::close(*m.view);
    } else {
      set(m.view->state, m.writes() ? State::writable : State::readable);
      if (m.view->kind.load() == Kind::shadow && !m.view->ready) guard::open(*m.view, m.view->protection);
    }
    m.view->ready = false;
  }
  const std::uintptr_t begin = page_floor(address(m.area.first));
  const std::uintptr_t end = page_ceiling(address(m.area.first) + m.area.span());
  if (m.object->kind == ObjectKind::svm) {
    if (m.view != nullptr) m.view->active = true;
    return guard_svm(*m.object, begin, end);
  }
  if (m.object->kind == ObjectKind::host_buffer) {
    if (m.flags != CL_MAP_WRITE_INVALIDATE_REGION) check_lost(*m.object, m.area, "a map");
    return set_host(*m.object, m.area, m.writes() ? host_writable : host_readable);
  }
  m.store = guard::take_slot();
  if (m.store == nullptr) return not_watched(m);
  set(m.store->begin, begin);
  set(m.store->end, end);
  set(m.store->first, address(m.area.first));
  set(m.store->last, address(m.area.first) + m.area.span());
  set(m.store->id, m.id);
  set(m.store->protection, device_protection(m.flags));
  set(m.store->state, m.writes() ? State::writable : State::readable);
  set(m.store->faults, 0);
  m.store->kind.store(Kind::store, std::memory_order_release);
}

void Strict::not_watched(Map& m) {
  if (!std::exchange(m.unwatched, true)) ++unwatched_maps_;
}

Strict::Object::Habit& Strict::habit_of(Map& m) {
  auto& habits = m.object->habits;
  const auto it = std::find_if(habits.begin(), habits.end(), [&](const Object::Habit& h) {
    return h.first == m.area.first && h.bytes == m.area.span();
  });
  if (it != habits.end()) return *it;
  if (habits.size() == most_habits) habits.pop_front();
  return habits.emplace_back(Object::Habit{m.area.first, m.area.span(), 0});
}

bool Strict::is_watched(Map& m) {
  const std::uint32_t maps = habit_of(m).maps++;
  return maps < habit_maps || maps % habit_period == 0;
}

// The device's side opens; `for_good`: the host's is closed for ever.
void Strict::unguard(Map& m, bool for_good) {
  if (m.active) --active_maps_;
  if (m.active && m.view != nullptr) m.view->active = false;
  m.active = false;
  if (m.store != nullptr) {
    const std::uintptr_t begin = m.store->begin;
    const std::uintptr_t end = m.store->end;
    guard::free_slot(*m.store);
    m.store = nullptr;
    if (device_closed_) guard_store(begin, end);
  }
  if (!for_good) return;
  std::erase(m.object->maps, &m);
  if (m.view != nullptr && m.object->kind == ObjectKind::svm) {
    const std::uintptr_t begin = m.view->begin;
    const std::uintptr_t end = m.view->end;
    guard::free_slot(*m.view);
    guard_svm(*m.object, begin, end);
  } else if (m.view != nullptr) {
    zone_.retire(*m.view);
  }
  m.view = nullptr;
  old_maps_.push_back(m.id);
  forget_old_maps();
}

bool Strict::is_open(const Map& m) const {
  return std::find(m.object->maps.begin(), m.object->maps.end(), &m) != m.object->maps.end();
}

void Strict::forget_old_maps() {
  for (; old_maps_.size() > most_old_maps; old_maps_.pop_front()) {
    if (const auto old = maps_.find(old_maps_.front()); old != maps_.end()) forget(old);
  }
}

Strict::Map* Strict::find_map(MapId id) {
  if (newest_found_ != nullptr && newest_found_->id == id) return newest_found_;
  const auto it = maps_.find(id);
  if (it == maps_.end()) return nullptr;
  return newest_found_ = it->second.get();
}

void Strict::forget(Maps::iterator map) {
  if (newest_found_ == map->second.get()) newest_found_ = nullptr;
  spare_map_ = maps_.extract(map);
}

void Strict::unmap(MapId id) {
  const std::lock_guard lock(mutex_);
  Map* const found = find_map(id);
  if (found == nullptr) return;
  take_faults();
  Map& m = *found;
  const auto begin = static_cast<std::uint64_t>(m.area.first - m.object->store);
  Call call;
  call.op = m.object->kind == ObjectKind::svm ? Operation::svm_unmap : Operation::unmap;
  call.begin = begin;
  call.end = begin + m.area.span();
  note(*m.object, std::move(call));
  newest_map_call_ = &m.object->calls.back();
  newest_map_ = unmapping_ = id;
  m.unmapped_by = ~CommandId{0};
  if (m.view != nullptr && m.view->state.load() == State::fresh && !guard::was_filled(*m.view)) habit_of(m).maps = 0;
  if (m.object->kind == ObjectKind::host_buffer) set_host_by_maps(*m.object, m.area);
  // The device's side stays closed until the command has ended.
  if (m.view == nullptr) return;
  if (m.object->kind == ObjectKind::svm) {
    set(m.view->state, State::gone);
    guard_svm(*m.object, m.view->begin, m.view->end);
  } else {
    set(m.view->state, State::gone);
    guard::close(*m.view);
  }
}

void Strict::unmap_ended(MapId id, bool good) {
  const std::lock_guard lock(mutex_);
  Map* const found = find_map(id);
  if (found == nullptr || !is_open(*found)) return;
  Map& m = *found;
  take_faults();
  if (good) return unguard(m, true);
  newest_map_call_ = nullptr;
  unmapping_ = 0;
  // The region stays mapped, with what was written so far.
  m.unmapped_by = 0;
  if (m.object->kind == ObjectKind::host_buffer) set_host_by_maps(*m.object, m.area);
  if (m.view == nullptr) return;
  set(m.view->state, m.writes() ? State::writable : State::readable);
  if (m.object->kind == ObjectKind::svm) {
    guard_svm(*m.object, m.view->begin, m.view->end);
  } else {
    guard::open(*m.view, m.view->protection);
  }
}

// ---- what is guarded ----------------------------------------------------------------------------------------------

// Each page of shared virtual memory has the most that a map of it allows to the host.
void Strict::guard_svm(const Object& object, std::uintptr_t begin, std::uintptr_t end) {
  if (object.whole == nullptr) return;
  if (object.maps.empty()) {
    guard::protect(begin, end, PROT_NONE);
    return;
  }
  const auto allowed = [&](std::uintptr_t page) {
    int most = PROT_NONE;
    for (const Map* const m : object.maps) {
      const Region* const r = m->view;
      if (r == nullptr || page < r->begin || page >= r->end) continue;
      switch (r->state.load()) {
        case State::readable:
        case State::writable:
          most |= r->protection;
          break;
        case State::fresh:
          if (r->pages.load()[(page - r->begin) / page_bytes].load() != 0) most |= PROT_READ | PROT_WRITE;
          break;
        default:
          break;
      }
    }
    return most;
  };
  std::uintptr_t run = begin;
  int protection = allowed(begin);
  for (std::uintptr_t page = begin + page_bytes; page < end; page += page_bytes) {
    const int here = allowed(page);
    if (here == protection) continue;
    guard::protect(run, page, protection);
    run = page;
    protection = here;
  }
  guard::protect(run, end, protection);
}

// Each page of memory that a buffer uses, as its last event left it.
void Strict::guard_host(Object& object) {
  if (object.whole == nullptr) return;
  const Region& r = *object.whole;
  const std::uintptr_t end = r.end;
  const auto allowed = [&](std::uintptr_t page) {
    switch (r.pages.load()[(page - r.begin) / page_bytes].load()) {
      case host_changed:
        return PROT_NONE;
      case host_open:
      case host_writable:
        return PROT_READ | PROT_WRITE;
      default:
        return PROT_READ;
    }
  };
  for (std::uintptr_t run = r.begin; run < end;) {
    const int protection = allowed(run);
    std::uintptr_t next = run + page_bytes;
    while (next < end && allowed(next) == protection) next += page_bytes;
    guard::protect(run, next, protection);
    run = next;
  }
}

// Pages that hold any of it.
void Strict::set_host(Object& object, const Area& area, HostPage page) {
  if (object.whole == nullptr) return;
  const Region& r = *object.whole;
  const std::uintptr_t first = std::max(page_floor(address(area.first)), r.begin.load());
  const std::uintptr_t end = std::min(page_ceiling(address(area.first) + area.span()), r.end.load());
  for (std::uintptr_t at = first; at < end; at += page_bytes) {
    const auto* const p = reinterpret_cast<const std::byte*>(at);
    if (area.meets(p, p + page_bytes)) r.pages.load()[(at - r.begin) / page_bytes] = page;
  }
  guard_host(object);
}

void Strict::set_host_by_maps(Object& object, const Area& area) {
  set_host(object, area, host_clean);
  for (const bool writes : {false, true}) {
    for (const Map* const m : object.maps) {
      if (m->active && m->unmapped_by == 0 && m->writes() == writes) {
        set_host(object, m->area, writes ? host_writable : host_readable);
      }
    }
  }
}

// While kernels run each page of a store has the least that a map leaves to the device.
void Strict::guard_store(std::uintptr_t begin, std::uintptr_t end) {
  guard::protect(begin, end, PROT_READ | PROT_WRITE);
  const auto apply = [&](int protection) {
    guard::for_each([&](Region& r) {
      if (r.kind.load() != Kind::store || r.protection.load() != protection) return;
      guard::protect(std::max(begin, r.begin.load()), std::min(end, r.end.load()), protection);
    });
  };
  apply(PROT_READ);
  apply(PROT_NONE);
}

void Strict::guard_again() {
  device_closed_ = false;
  guard::for_each([&](Region& r) {
    if (!r.opened.exchange(false)) return;
    const Kind kind = r.kind.load();
    set(r.faults, 0);
    if (kind == Kind::store) {
      guard::protect(r.begin, r.end, PROT_READ | PROT_WRITE);
      return;
    }
    const auto first = reinterpret_cast<const std::byte*>(r.first.load());
    if (kind == Kind::host) {
      if (Object* const host = object_at(first)) guard_host(*host);
      return;
    }
    Object* const object = object_at(first);
    if (object != nullptr && object->kind == ObjectKind::svm) guard_svm(*object, r.begin, r.end);
  });
}

const void* Strict::behind(const void* p, std::size_t bytes) {
  if (!zone_.holds(p)) return p;
  const std::lock_guard lock(mutex_);
  const std::uintptr_t at = address(p);
  const void* found = p;
  guard::for_each([&](Region& r) {
    if (r.kind.load() != Kind::shadow || at < r.first || at >= r.last || bytes > r.last - at) return;
    const std::byte* const store = zone_.store_of(r, p);
    if (store == nullptr) return;
    found = store;
    // The command may write there, and nobody sees where.
    if (r.state.load() == State::fresh) {
      set(r.state, State::writable);
      guard::open(r, PROT_READ | PROT_WRITE);
    }
  });
  return found;
}

void Strict::kernel_begins() {
  if (active_maps_ == 0 || device_closed_) return;
  const std::lock_guard lock(mutex_);
  device_closed_ = true;
  // What may be read first: where maps share a page, it has the least.
  for (const int protection : {PROT_READ, PROT_NONE}) {
    for (const auto& [id, map] : maps_) {
      Map& m = *map;
      if (!m.active || device_protection(m.flags) != protection) continue;
      Region* const r = m.store != nullptr                          ? m.store
                        : m.object->kind == ObjectKind::host_buffer ? m.object->whole
                                                                    : m.view;
      if (r == nullptr) continue;
      guard::set_opened(*r);
      guard::protect(std::max(r->begin.load(), page_floor(address(m.area.first))),
                     std::min(r->end.load(), page_ceiling(address(m.area.first) + m.area.span())), protection);
    }
  }
}

CommandId Strict::command_of(const KernelLaunch& launch) {
  const std::lock_guard lock(mutex_);
  const auto it = launches_.find(&launch);
  return it == launches_.end() ? 0 : it->second;
}

}  // namespace sluice::api::strict
