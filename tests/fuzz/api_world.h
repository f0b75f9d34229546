// What the API fuzzer knows of the program that it plays: the bytes it decides by, the objects that it holds, and what
// the driver owes it at the end. A call may get any handle, flag, size and offset. It never gets what OpenCL leaves
// undefined: program memory that is not there, or that is freed while a command uses it; a wait for a user event that
// nobody can set any more; a property list without its end.
#pragma once

#include <CL/cl_ext.h>
#include <CL/cl_icd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <set>
#include <vector>

namespace sluice::fuzz {

// Ends the process if `kept` is false: the fuzzer keeps the input.
void require(bool kept, const char* promise);

// The decisions of one input; zeros once it has ended.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : data_(data), end_(data + size) {}
  [[nodiscard]] bool ended() const noexcept { return data_ == end_; }
  std::uint8_t byte() noexcept { return data_ == end_ ? 0 : *data_++; }
  std::uint16_t word() noexcept {
    const std::uint16_t high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  // A number below `n`, which is at most 65536.
  std::size_t below(std::size_t n) noexcept { return n < 2 ? 0 : (n <= 256 ? byte() : word()) % n; }
  bool one_in(std::size_t n) noexcept { return below(n) == n - 1; }
  template <class T>
  T pick(std::initializer_list<T> list) noexcept {
    return list.begin()[below(list.size())];
  }
  // Of bits that are flags somewhere: mostly one of `known` or two, sometimes anything.
  cl_bitfield flags(std::initializer_list<cl_bitfield> known) noexcept {
    if (one_in(32)) return static_cast<cl_bitfield>(word()) << below(49);
    const cl_bitfield first = pick(known);
    return one_in(3) ? first | pick(known) : first;
  }
  // A size or offset: mostly small, sometimes zero, sometimes beyond every limit. Nothing between 64 KiB and the
  // largest allocation of the machine, so that no call can make the process large.
  std::size_t bytes() noexcept;
  // The same for regions, origins and image dimensions.
  std::size_t extent() noexcept;
  // 0, a small pitch, or one beyond every limit.
  std::size_t pitch() noexcept;

 private:
  const std::uint8_t* data_;
  const std::uint8_t* end_;
};

inline constexpr std::size_t small_bytes = 65536;
inline constexpr std::size_t huge_bytes = std::size_t{1} << 40;  // more than any machine that is fuzzed has

// The program's own memory. Any small size from any scratch() address is inside.
inline constexpr std::size_t scratch_bytes = 16 << 20;
inline constexpr std::size_t scratch_reach_bytes = 12 << 20;  // from any scratch() address on
[[nodiscard]] std::byte* scratch(Input& in);

// Handles of one type that the program owns, with the references that it holds, and some that it gave back.
template <class H>
class Pool {
 public:
  void add(H handle) { live_.push_back({handle, 1}); }
  [[nodiscard]] bool empty() const noexcept { return live_.empty(); }
  [[nodiscard]] unsigned references(H handle) const noexcept {
    const auto it = find(handle);
    return it == live_.end() ? 0 : it->references;
  }
  void retained(H handle) {
    const auto it = find(handle);
    if (it == live_.end()) {
      add(handle);
    } else {
      ++live_[static_cast<std::size_t>(it - live_.begin())].references;
    }
  }
  void released(H handle) {
    const auto it = find(handle);
    if (it == live_.end()) return;
    Entry& entry = live_[static_cast<std::size_t>(it - live_.begin())];
    if (--entry.references != 0) return;
    live_.erase(it);
    gone_.push_back(handle);
  }
  [[nodiscard]] H live(Input& in) const noexcept {
    return live_.empty() ? nullptr : live_[in.below(live_.size())].handle;
  }
  [[nodiscard]] H gone(Input& in) const noexcept { return gone_.empty() ? nullptr : gone_[in.below(gone_.size())]; }
  [[nodiscard]] std::vector<H> all() const {
    std::vector<H> list;
    for (const Entry& entry : live_) list.push_back(entry.handle);
    return list;
  }

 private:
  struct Entry {
    H handle;
    unsigned references;
  };
  [[nodiscard]] typename std::vector<Entry>::const_iterator find(H handle) const noexcept {
    return std::find_if(live_.begin(), live_.end(), [&](const Entry& e) { return e.handle == handle; });
  }
  std::vector<Entry> live_;
  std::vector<H> gone_;
};

// What callbacks have been asked for and which have come. They come on the driver's thread.
struct Debts {
  std::atomic<std::size_t> owed{0};
  std::atomic<std::size_t> paid{0};
};

class World {
 public:
  explicit World(Input& input);
  ~World();  // gives everything back, and requires that the driver did, too
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The driver's functions, as the loader finds them. Null entries are extensions of other systems.
  [[nodiscard]] static const cl_icd_dispatch& driver();
  [[nodiscard]] static cl_platform_id platform();
  [[nodiscard]] static const std::vector<cl_device_id>& machine_devices();

  // Mostly a live handle; else null, a released one, one of another type, or none at all.
  template <class H>
  H any(const Pool<H>& pool) {
    switch (in.below(24)) {
      case 1:
        return nullptr;
      case 2: {
        // Memory of released objects is used again; what the harness keeps to itself is not the program's.
        const H handle = pool.gone(in);
        const auto is_it = [&](cl_event marker) { return static_cast<void*>(marker) == static_cast<void*>(handle); };
        return std::any_of(last_markers_.begin(), last_markers_.end(), is_it) ? nullptr : handle;
      }
      case 3:
        return reinterpret_cast<H>(stranger());
      default:
        return pool.live(in);
    }
  }
  [[nodiscard]] cl_device_id any_device();
  // Mostly a live image.
  [[nodiscard]] cl_mem any_image();
  // Lives as long as the process: for what needs a context when the program may have none left.
  [[nodiscard]] static cl_context service_context();

  // A wait list, mostly a sound one.
  struct Waits {
    std::vector<cl_event> events;
    cl_uint count = 0;
    const cl_event* list = nullptr;
  };
  [[nodiscard]] Waits waits();

  // Where a command's event goes; it is the program's if the driver wrote one.
  class Out {
   public:
    explicit Out(World& world) : world_(world), wanted_(!world.in.one_in(3)) {}
    ~Out() {
      if (event_ != nullptr) world_.events.add(event_);
    }
    Out(const Out&) = delete;
    Out& operator=(const Out&) = delete;
    operator cl_event*() noexcept { return wanted_ ? &event_ : nullptr; }  // NOLINT(google-explicit-constructor)

   private:
    World& world_;
    bool wanted_;
    cl_event event_ = nullptr;
  };

  // CL_TRUE only after all user events are set: nobody else will while the call waits.
  [[nodiscard]] cl_bool blocking();
  void set_user_events();
  // Nothing is pending afterwards, not even in queues that were released.
  void quiesce();

  // clCreate*: exactly one of handle and error.
  template <class H>
  void created(Pool<H>& pool, H handle, cl_int code) {
    require((handle != nullptr) == (code == CL_SUCCESS), "a handle or an error");
    if (handle != nullptr) pool.add(handle);
  }
  void created_memory(cl_mem handle, cl_int code);
  void created_image(cl_mem handle, cl_int code);
  void created_context(cl_context handle, cl_int code);

  // clRetain*, clRelease* of a handle that the program owns succeed, of others they do not.
  template <class H>
  void retain(Pool<H>& pool, cl_int(CL_API_CALL* function)(H), H handle) {
    const bool owned = pool.references(handle) != 0;
    const cl_int code = function(handle);
    require(!owned || code == CL_SUCCESS, "a live handle can be retained");
    if (code == CL_SUCCESS) pool.retained(handle);
  }
  template <class H>
  void release(Pool<H>& pool, cl_int(CL_API_CALL* function)(H), H handle) {
    const bool owned = pool.references(handle) != 0;
    const cl_int code = function(handle);
    require(owned == (code == CL_SUCCESS), "what the program owns can be released, and nothing else");
    if (code == CL_SUCCESS) pool.released(handle);
  }
  void release_event(cl_event event);
  void release_queue(cl_command_queue queue);

  // clGet*Info(handle, name, size, value, size_ret).
  template <class H>
  void query(cl_int(CL_API_CALL* function)(H, cl_uint, std::size_t, void*, std::size_t*), H handle, cl_uint first,
             cl_uint last) {
    const cl_uint name = in.one_in(16) ? in.word() : first + static_cast<cl_uint>(in.below(last - first + 1));
    // Exactly as large as the call is told, so that AddressSanitizer sees one byte too many.
    std::vector<std::byte> room(in.one_in(3) ? in.below(16) : 1024);
    std::size_t needed = 0;
    void* const value = in.one_in(4) ? nullptr : room.data();
    const cl_int code = function(handle, name, room.size(), value, in.one_in(4) ? nullptr : &needed);
    require(code != CL_SUCCESS || value == nullptr || needed <= room.size(), "an answer fits or is refused");
  }

  struct Mapped {
    cl_mem memory;
    void* pointer;
  };
  struct Shared {
    std::byte* pointer;
    std::size_t size;
  };

  Input& in;
  Pool<cl_context> contexts;
  Pool<cl_command_queue> queues;
  Pool<cl_event> events;
  Pool<cl_mem> memories;
  std::vector<cl_mem> images;  // those of `memories` that were made as images
  Pool<cl_sampler> samplers;
  Pool<cl_program> programs;
  std::vector<cl_event> unset;  // user events
  std::vector<Mapped> mapped;
  std::vector<Shared> shared;        // SVM
  std::vector<void*> perhaps_freed;  // by a command that may have failed
  Debts event_callbacks;
  Debts memory_destructors;
  Debts context_destructors;
  std::mutex shared_mutex;
  std::set<void*> to_be_freed;  // by the callback of clEnqueueSVMFree

 private:
  [[nodiscard]] void* stranger();
  void release_all();
  void free_shared();

  std::vector<cl_event> last_markers_;  // of queues that were released with work in them
};

}  // namespace sluice::fuzz
