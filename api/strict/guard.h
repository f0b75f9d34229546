// What of --strict runs inside the handler of SIGSEGV: which pages are guarded and why, what a fault left behind, and
// how the program goes on after it. Everything that the handler reads is in a table made beforehand; it takes no lock
// that anybody holds outside a handler, allocates nothing and names nothing: it records addresses, which others make
// words of.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace sluice::api::strict {

inline constexpr std::size_t page_bytes = 4096;
[[nodiscard]] constexpr std::uintptr_t page_floor(std::uintptr_t at) noexcept {
  return at & ~(page_bytes - 1);
}
[[nodiscard]] constexpr std::uintptr_t page_ceiling(std::uintptr_t at) noexcept {
  return page_floor(at + page_bytes - 1);
}

enum class Kind : std::uint8_t {
  none,
  shadow,   // a map's own view of a store
  svm_map,  // the mapped part of shared virtual memory
  svm,      // an allocation of it
  store,    // the device's side of what is mapped
  host,     // memory of the program that a buffer uses (CL_MEM_USE_HOST_PTR)
};
enum class State : std::uint8_t {
  pending,  // the map has not completed
  readable,
  writable,
  fresh,    // writable, and undefined where it was not written
  gone,     // unmapped
  clean,    // host: as the device has it
  changed,  // host: the device wrote it
};

// What Region::pages says of a page of Kind::host.
enum HostPage : std::uint8_t {
  host_clean,     // the host may read it
  host_changed,   // by the device: nobody may, but the driver
  host_open,      // the host wrote it outside a map
  host_readable,  // mapped
  host_writable,
};

// Pages [begin, end), of which bytes [first, last) are meant.
struct Region {
  std::atomic<Kind> kind{Kind::none};
  std::atomic<State> state{State::gone};
  std::atomic<std::uintptr_t> begin{0}, end{0};
  std::atomic<std::uintptr_t> first{0}, last{0};
  std::atomic<std::uint64_t> id{0};           // of the mapping or object
  std::atomic<int> protection{0};             // of its pages, once it may be used
  std::atomic<std::uint64_t> file_offset{0};  // of `begin`, for what fills fresh pages
  std::atomic<bool> touchable{false};         // shadow: some page is not closed
  bool ready = false;                         // shadow: opened before its map completes; not for the handler
  // Of a fresh region: which pages were opened. Of the host's: a HostPage each. Kept for the slot's next use; never
  // freed, since a handler may read it.
  std::atomic<std::atomic<std::uint8_t>*> pages{nullptr};
  std::size_t page_room = 0;
  std::atomic_flag filling = ATOMIC_FLAG_INIT;
  std::uintptr_t next_page = 0;  // under `filling`: behind the newest opened run
  std::uint64_t run_pages = 0;
  std::atomic<bool> misread{false};  // a fresh page was read before it was written
  std::atomic<std::uint32_t> faults{0};
  std::atomic<bool> active{false};  // svm_map: the device is to keep away
  std::atomic<bool> opened{false};  // for the driver: to be guarded again when the call ends
};

// Of what a handler may read at any time: each value is right by itself; Region::kind is what makes the others known.
template <class T>
void set(std::atomic<T>& value, std::type_identity_t<T> to) noexcept {
  value.store(to, std::memory_order_relaxed);
}

// What a fault left behind.
struct Fault {
  std::uintptr_t address = 0;
  std::uintptr_t instruction = 0;
  std::uint64_t id = 0;      // Region::id; 0: in the zone of shadows, in no region
  std::uint64_t kernel = 0;  // the number of the launch that ran, 0: none
  Kind kind = Kind::none;
  State state = State::gone;
  bool write = false;
  std::uint32_t frames = 0;
  std::array<const void*, 40> stack;
};

namespace guard {

// Installs the handler. `zone`: where shadows lie; `file`: what is behind the stores, and its first `file_bytes` that
// never change their place (0: they do). `wake`: called in the
// handler when somebody is to look at the faults before the thread goes on: at each one with `stop_at_first`, and
// before a fault that is not ours and that nobody handles ends the process.
void install(std::uintptr_t zone_begin, std::uintptr_t zone_end, int file, std::size_t file_bytes, bool stop_at_first,
             void (*wake)());
// The program may have put its own handler in the place of ours: it then comes after ours.
void keep_installed() noexcept;
// Lets libsluice_strict.so know the guard, if it is there. False: system calls on guarded pages will fail, and SIGBUS
// is the program's alone.
[[nodiscard]] bool register_preload() noexcept;

// nullptr: all slots are taken. The caller fills it in and gives it its kind last.
[[nodiscard]] Region* take_slot() noexcept;
void free_slot(Region& region) noexcept;
void make_fresh(Region& region);  // no page was written
// Every page was, and none was read before.
[[nodiscard]] bool was_filled(const Region& region) noexcept;
[[nodiscard]] Region* find_region(std::uint64_t id, Kind kind) noexcept;
template <class F>
void for_each(F&& f);

// The oldest fault that nobody took. False: there is none.
[[nodiscard]] bool take_fault(Fault& fault) noexcept;
[[nodiscard]] bool has_fault() noexcept;
[[nodiscard]] std::uint64_t lost_faults() noexcept;

// Faults of the calling thread are the driver's until the matching leave().
void enter() noexcept;
void leave() noexcept;
// The launch whose work-groups run; 0: none.
void set_kernel(std::uint64_t number) noexcept;
// Something was opened for the driver.
[[nodiscard]] bool take_opened() noexcept;
void set_opened(Region& region) noexcept;

bool protect(std::uintptr_t begin, std::uintptr_t end, int protection) noexcept;
// A shadow, whole. Closing is free where nothing opened it.
void open(Region& region, int protection) noexcept;
void close(Region& region) noexcept;

[[nodiscard]] Region* slots() noexcept;
[[nodiscard]] std::size_t used_slots() noexcept;
[[nodiscard]] std::size_t all_slots() noexcept;

template <class F>
void for_each(F&& f) {
  Region* const all = slots();
  for (std::size_t i = 0, n = used_slots(); i < n; ++i) {
    if (all[i].kind.load(std::memory_order_acquire) != Kind::none) f(all[i]);
  }
}

}  // namespace guard
}  // namespace sluice::api::strict
