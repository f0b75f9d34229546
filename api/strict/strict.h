// --strict: reports what programs do with mapped memory that hardware punishes silently. Off, all of it is a pointer
// that is null. docs/strict.md says what is caught to the byte and what to the page.
//
// Each map of a buffer or image gets a view of its own (shadow_zone.h) over the store's pages, with the access that the
// map gives; the store's own pages, on which kernels and copies work, lose the access that the map takes away from the
// device. Shared virtual memory has one address for both sides: its pages are closed to the host outside maps, and
// opened for the driver while a call runs. What touches a closed page leaves a record (guard.h) that becomes a finding
// here.
#pragma once

#include <CL/cl.h>
#include <semaphore.h>

#include <boost/circular_buffer.hpp>
#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include "api/strict/findings.h"
#include "api/strict/guard.h"
#include "api/strict/shadow_zone.h"
#include "api/strict/stacks.h"
#include "sim/iface/command.h"
#include "sim/iface/kernel_engine.h"

namespace sluice::api::strict {

// Rows of bytes of a store, or of the program's memory.
struct Area {
  const std::byte* first = nullptr;
  std::size_t row_bytes = 0;
  std::size_t rows = 1;
  std::size_t slices = 1;
  std::size_t row_pitch = 0;
  std::size_t slice_pitch = 0;
  [[nodiscard]] std::size_t span() const noexcept {
    return (slices - 1) * slice_pitch + (rows - 1) * row_pitch + row_bytes;
  }
  [[nodiscard]] bool meets(const std::byte* begin, const std::byte* end) const noexcept;
  [[nodiscard]] bool meets(const Area& other) const noexcept;
};

struct Options {
  bool stop_at_first = false;
  std::vector<std::string> files;  // findings.h
};
// SLUICE_STRICT: empty or 0 (off: nullopt), 1 or report, abort; SLUICE_STRICT_REPORT: files, separated by ':'.
[[nodiscard]] std::optional<Options> options_from_environment(std::string& error);

using MapId = std::uint64_t;  // 0: none

class Strict {
 public:
  explicit Strict(Options options) : options_(options), findings_(std::move(options.files)) {}
  // Before any store is made. False: `error` says why the process cannot have it.
  [[nodiscard]] bool begin(void (*at_thread_start)(), std::string& error);
  // At process end: everything that is known so far is written. Returns the number of misuses.
  std::uint64_t finish();

  // Of each API call, on its thread.
  void enter();
  void leave();

  // Objects that own a store, or use memory of the program.
  enum class ObjectKind : std::uint8_t { buffer, image, svm, host_buffer };
  void object_made(const std::byte* store, std::size_t bytes, ObjectKind kind);
  void object_is_image(const std::byte* store);
  void object_gone(const std::byte* store);
  // An object on it, which may be a part only, was released and had maps.
  void never_unmapped(const std::byte* store, bool whole);

  // A map is being enqueued. Returns the pointer that the program gets, at once or (`blocking`) when the map is
  // complete: `area.first` itself for memory that both sides know by one address.
  [[nodiscard]] void* map(const Area& area, cl_map_flags flags, bool blocking, MapId& id);
  void map_ended(MapId id, bool good);
  void unmap(MapId id);  // enqueued
  void unmap_ended(MapId id, bool good);
  void unmap_refused(const std::byte* store, const void* pointer);

  // Around each command's life. Before the map's and unmap's own ends.
  void enqueued(const Command& command);
  void ended(const Completion& times, bool good);

  // Memory of the program at `p`, as the driver uses it: the store's byte if `p` is in a view that has all of `bytes`.
  [[nodiscard]] const void* behind(const void* p, std::size_t bytes);

  // Work-groups are about to run: what is mapped is closed to them.
  void kernel_begins();
  // The command of a launch, while it is pending; 0: not known.
  [[nodiscard]] CommandId command_of(const KernelLaunch& launch);

 private:
  struct Call {
    CommandId command = 0;
    Operation op = Operation::marker;
    QueueId queue = 0;
    bool blocking = false;
    cl_map_flags flags = 0;
    std::uint64_t begin = 0;  // of the object's bytes
    std::uint64_t end = 0;
    std::string kernel;
    bool writes = false;  // a copy or fill into it
  };
  struct Map;
  struct Object : std::enable_shared_from_this<Object> {
    std::uint64_t number = 0;
    ObjectKind kind = ObjectKind::buffer;
    bool is_image = false;
    const std::byte* store = nullptr;
    std::size_t bytes = 0;
    boost::circular_buffer<Call> calls{24};  // the newest
    std::uint64_t older_calls = 0;
    bool released = false;
    std::vector<Map*> maps;  // not unmapped on the device
    // Writes of the host to memory that the buffer uses, outside a map: lost if nothing brings them to the device.
    struct Lost {
      const std::byte* at = nullptr;
      std::uintptr_t instruction = 0;
      std::vector<const void*> stack;
    };
    std::vector<Lost> lost;
    Region* whole = nullptr;  // the guard of shared virtual memory
    // Write-invalidate maps of a region, by its first byte and length, since the last one that was not written whole.
    struct Habit {
      const std::byte* first = nullptr;
      std::size_t bytes = 0;
      std::uint32_t maps = 0;
    };
    std::deque<Habit> habits;  // of the newest regions
  };
  using ObjectRef = std::shared_ptr<Object>;
  struct Map {
    MapId id = 0;
    ObjectRef object;
    Area area;
    cl_map_flags flags = 0;
    void* pointer = nullptr;
    Region* view = nullptr;                        // of the host: a shadow, or pages of shared virtual memory
    Region* store = nullptr;                       // of the device
    bool unwatched = false;                        // on either side: there was no slot or address for it
    bool active = false;                           // complete, and the unmap is not
    CommandId unmapped_by = 0;                     // any: enqueued, and its number is not known yet
    std::optional<TimePs> mapped_at, unmapped_at;  // on the device
    [[nodiscard]] bool writes() const noexcept { return flags != CL_MAP_READ; }
  };
  using Maps = std::unordered_map<MapId, std::unique_ptr<Map>>;
  // What a pending command does, to be held against the maps when it ends.
  struct Pending {
    Operation op = Operation::marker;
    QueueId queue = 0;
    using Areas = boost::container::small_vector<std::pair<Area, bool>, 2>;
    Areas device;   // true: written
    Areas program;  // memory of the program that is mapped
    std::vector<Area> into_host;  // memory that a buffer uses, as the target of a command that brings data to the host
    const KernelLaunch* launch = nullptr;
    std::string kernel;       // its name
    CallStacks::Stack stack;  // of the call
  };

  // An access by a command to what is mapped as far as the driver has heard. The device may be ahead: whether the map
  // was there at the time shows when both commands and the unmap have ended.
  struct Suspect {
    CommandId command = 0;
    MapId map = 0;
    std::optional<TimePs> started, ended;
    Rule rule = Rule::command_in_map;
    std::uint64_t begin = 0, end = 0;
    std::string precision, what, key;
    CallStacks::Stack stack;
  };

  [[nodiscard]] Object* object_at(const std::byte* p) const;
  [[nodiscard]] ObjectRef overlapping(const std::byte* store, std::size_t bytes) const;
  [[nodiscard]] std::string name_of(const Object& object) const;
  [[nodiscard]] std::vector<std::string> history_of(const Object& object) const;
  static void note(Object& object, Call call);
  [[nodiscard]] Pending& draft_pending();
  [[nodiscard]] Map& new_map();
  [[nodiscard]] Map* find_map(MapId id);  // nullptr: forgotten
  void forget(Maps::iterator map);
  [[nodiscard]] bool is_open(const Map& map) const;  // its unmap has not ended
  void guard_map(Map& map);
  void unguard(Map& map, bool for_good);
  [[nodiscard]] static Object::Habit& habit_of(Map& map);
  [[nodiscard]] static bool is_watched(Map& map);
  void guard_svm(const Object& object, std::uintptr_t begin, std::uintptr_t end);
  void guard_host(Object& object);
  void set_host(Object& object, const Area& area, HostPage page);
  void set_host_by_maps(Object& object, const Area& area);
  void check_lost(Object& object, const Area& area, std::string_view who);
  void report_host(const Fault& fault);
  void guard_store(std::uintptr_t begin, std::uintptr_t end);
  void guard_again();
  void check(const Completion& times, const Pending& pending);
  void settle(const Completion* times);
  void report(Rule rule, const Object* object, std::uint64_t begin, std::uint64_t end, std::string precision,
              std::string what, std::vector<Frame> stack, std::string key);
  void take_faults();
  void report_fault(const Fault& fault);
  void report_kernel(const Fault& fault, const Object& object);
  void forget_old_maps();
  void not_watched(Map& map);
  [[nodiscard]] std::vector<Note> notes() const;
  void write_files();
  [[noreturn]] void stop();
  static void wake();
  void watch(void (*at_thread_start)());

  Options options_;
  Findings findings_;
  std::mutex mutex_;
  ShadowZone zone_;
  CallStacks call_stacks_;
  std::multimap<const std::byte*, ObjectRef> objects_;
  Maps maps_;
  Map* newest_found_ = nullptr;  // what is asked for next, as a rule
  Maps::node_type spare_map_;  // of one that was forgotten
  std::deque<MapId> old_maps_;  // oldest first; those whose view shows another map since are forgotten
  std::unordered_map<CommandId, Pending> pending_;
  std::unordered_map<CommandId, Pending>::node_type spare_pending_;
  boost::container::flat_map<CommandId, MapId> map_commands_;  // pending maps and unmaps
  std::vector<Suspect> suspects_;
  std::unordered_map<const KernelLaunch*, CommandId> launches_;
  std::uint64_t active_maps_ = 0;
  std::uint64_t unwatched_maps_ = 0;
  std::uint64_t unwatched_objects_ = 0;
  bool device_closed_ = false;       // what is mapped, to kernels, until the call ends
  Call* newest_map_call_ = nullptr;  // whose command is not known yet
  MapId last_map_ = 0;
  MapId newest_map_ = 0;  // of that call
  MapId unmapping_ = 0;
  std::uint64_t last_object_ = 0;
  bool finished_ = false;
  bool guards_fresh_ = false;  // system calls know of the guard
};

// nullptr: off.
extern Strict* instance;

// The engine with Strict told which launch runs.
[[nodiscard]] std::unique_ptr<KernelEngine> watch_kernels(std::unique_ptr<KernelEngine> engine);

}  // namespace sluice::api::strict
