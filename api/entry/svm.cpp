// Shared virtual memory.
#include "api/objects/svm.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "api/command/transfer.h"
#include "api/command/validate.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"
#include "api/objects/touch_tracker.h"
#include "api/strict/strict.h"

namespace sluice::api {

namespace {

using Allocations = std::map<std::uintptr_t, SvmAllocation>;

Allocations& allocations() {
  static auto* all = new Allocations;  // never destroyed: frees may come at process end
  return *all;
}

Allocations::iterator find_entry(const void* p) {
  const auto at = reinterpret_cast<std::uintptr_t>(p);
  auto it = allocations().upper_bound(at);
  if (it == allocations().begin()) return allocations().end();
  --it;
  return at - it->first < it->second.size ? it : allocations().end();
}

std::uint32_t touching_launches = 0;  // FineTouches that live

// From now on; nothing that a device does meanwhile may touch it.
void watch_fine(Runtime& runtime, SvmAllocation& a) {
  if (runtime.touches() == nullptr || !a.fine_grained() || touching_launches != 0) return;
  a.watched = runtime.touches()->begin(nullptr, a.serial, a.store, a.size);
}

// Tells what the program has written since, and watches no longer.
void tell_fine(Runtime& runtime, SvmAllocation& a, bool tells) {
  if (!std::exchange(a.watched, false)) return;
  const auto runs = runtime.touches()->end(nullptr, a.serial);
  if (!runs || !tells) return;
  for (const TouchTracker::Run& run : *runs)
    runtime.sim().host_wrote(runtime.sim().host_address(run.begin, run.bytes), run.bytes);
}

void free_now(Simulator& sim, const void* p) {
  const auto it = allocations().find(reinterpret_cast<std::uintptr_t>(p));
  if (it == allocations().end()) return;
  if (strict::instance != nullptr && !it->second.fine_grained()) {
    if (!it->second.mappings.empty()) strict::instance->never_unmapped(it->second.store, true);
    strict::instance->object_gone(it->second.store);
  }
  tell_fine(Runtime::instance(), it->second, false);
  SvmAllocation a = std::move(it->second);
  allocations().erase(it);
  PinnedRanges::instance().remove(a.store, a.size);
  Runtime& runtime = Runtime::instance();
  runtime.charge(sim.forget_host(a.store, a.size, runtime.clock()));
  release_store(a.store);
}

using SvmFreeNotify = void(CL_CALLBACK*)(cl_command_queue queue, cl_uint count, void* pointers[], void* data);

// What clEnqueueSVMFree has to do later. The program may release the queue and reuse its list of pointers meanwhile,
// and the callback gets a queue handle that is still valid.
struct SvmFree {
  SvmFree(Queue& q, std::vector<void*> p, SvmFreeNotify n, void* d)
      : queue(&q), pointers(std::move(p)), notify(n), data(d) {
    queue->keep_live();
    if (notify != nullptr) Runtime::instance().expect_callbacks(1);
  }
  ~SvmFree() {
    expect_no_more();
    queue->end_live();
  }
  SvmFree(const SvmFree&) = delete;
  SvmFree& operator=(const SvmFree&) = delete;

  // The callback is being called, or never will be.
  void expect_no_more() noexcept {
    if (notify != nullptr && !std::exchange(called, true)) Runtime::instance().forget_callbacks(1);
  }

  Ref<Queue> queue;
  std::vector<void*> pointers;
  SvmFreeNotify notify;
  bool called = false;
  void* data;
};

bool supports_svm(const Queue& queue) {
  return queue.device().info().svm != SvmSupport::none;
}

cl_int check_queue(cl_command_queue handle, Queue*& queue) {
  queue = find<Queue>(handle);
  if (queue == nullptr) return CL_INVALID_COMMAND_QUEUE;
  return supports_svm(*queue) ? CL_SUCCESS : CL_INVALID_OPERATION;
}

// Where a device finds an allocation with these flags.
Placement placement_of(Call& call, cl_svm_mem_flags flags) {
  const bool fine = (flags & CL_MEM_SVM_FINE_GRAIN_BUFFER) != 0;
  return fine ? Placement::host_pinned : api::placement_of(call.runtime().machine().policy.svm_coarse);
}

// True if the device keeps a copy of its own, which maps must bring and take.
bool mirrored(Call& call, const SvmAllocation& a) { return placement_of(call, a.flags) == Placement::device; }

// One end of an SVM copy: coarse allocations live on the device where the policy mirrors them.
Endpoint svm_end(Call& call, const Queue& queue, const void* p, std::size_t bytes) {
  SvmAllocation* a = find_svm(p);
  if (a == nullptr || !mirrored(call, *a)) return program_end(call.sim(), p, bytes);
  Endpoint e;
  e.placement = Placement::device;
  e.data = static_cast<std::byte*>(const_cast<void*>(p));
  e.address = a->range.address(queue.device().index()) + static_cast<std::uint64_t>(e.data - a->store);
  return e;
}

Endpoint host_view(Call& call, const void* p, std::size_t bytes) {
  Endpoint e = program_end(call.sim(), p, bytes);
  e.placement = Placement::host_pinned;
  return e;
}

// False: bytes of an allocation of another context, or past the end of one. What is in no allocation is memory of the
// program, of which the driver knows no bounds.
bool legal_range(const Queue& queue, const void* p, std::size_t bytes) {
  const SvmAllocation* a = find_svm(p);
  if (a == nullptr) return true;  // the program's own memory
  const auto offset = static_cast<std::size_t>(static_cast<const std::byte*>(p) - a->store);
  return a->context.get() == &queue.context() && bytes <= a->size - offset;
}

std::uint64_t last_serial = 0;  // of allocations and mappings

// The allocation may have been freed, and another one made at its address, while a command was pending: only a serial
// number tells that a mapping is the one meant.
void forget_mapping(const void* p, std::uint64_t serial) {
  if (SvmAllocation* a = find_svm(p)) {
    std::erase_if(a->mappings, [&](const SvmAllocation::Mapping& m) {
      if (m.serial == serial && m.strict != 0) strict::instance->map_ended(m.strict, false);
      return m.serial == serial;
    });
  }
}

// From the end of the map on: what driver and device write until then is not the program's.
void watch(const void* p, std::uint64_t serial) {
  Runtime& runtime = Runtime::instance();
  if (runtime.touches() == nullptr) return;
  const SvmAllocation* a = find_svm(p);
  if (a == nullptr) return;
  for (const SvmAllocation::Mapping& m : a->mappings) {
    if (m.serial == serial && maps_for_writing(m.flags)) runtime.watch(nullptr, serial, m.pointer, m.size, true);
  }
}

// Undoes an unmap that never ran: the mapping goes back to its place among those of its allocation.
void restore_mapping(const SvmAllocation::Mapping& mapping, std::uint64_t allocation) {
  SvmAllocation* a = find_svm(mapping.pointer);
  if (a == nullptr || a->serial != allocation) return;
  if (mapping.strict != 0) strict::instance->unmap_ended(mapping.strict, false);
  const auto at = std::find_if(a->mappings.begin(), a->mappings.end(),
                               [&](const SvmAllocation::Mapping& m) { return m.serial > mapping.serial; });
  a->mappings.insert(at, mapping);
}

}  // namespace

void add_pages(Call& call, const void* pointer, std::size_t bytes, cl_mem_migration_flags flags, Command& command) {
  const SvmAllocation* a = find_svm(pointer);
  if (a == nullptr || !a->pages_move) return;
  const void* begin = bytes == 0 ? a->store : pointer;
  if (bytes == 0) bytes = a->size;
  command.pages.edit().push_back({call.sim().host_address(begin, bytes), bytes});
  command.pages_to_device = (flags & CL_MIGRATE_MEM_OBJECT_HOST) == 0;
  command.pages_have_contents = (flags & CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED) == 0;
}

FineTouches::FineTouches(Runtime& runtime, const Context& context) : runtime_(runtime) {
  ++touching_launches;
  // In the order in which they were made: what was touched last is in caches, and addresses differ from run to run.
  std::vector<SvmAllocation*> all;
  for (auto& [at, a] : allocations()) {
    if (a.watched && a.context.get() == &context) all.push_back(&a);
  }
  std::sort(all.begin(), all.end(), [](const auto* a, const auto* b) { return a->serial < b->serial; });
  for (SvmAllocation* a : all) tell_fine(runtime, *a, true);
}

FineTouches::~FineTouches() {
  if (--touching_launches != 0) return;
  for (auto& [at, a] : allocations()) {
    if (!a.watched) watch_fine(runtime_, a);
  }
}

SvmAllocation* find_svm(const void* p) noexcept {
  if (allocations().empty()) return nullptr;
  const auto it = find_entry(p);
  return it == allocations().end() ? nullptr : &it->second;
}

}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

void* CL_API_CALL clSVMAlloc(cl_context context_handle, cl_svm_mem_flags flags, size_t size, cl_uint alignment) {
  return create<void*>(nullptr, [&](Call& call, cl_int&) -> void* {
    Context* context = find<Context>(context_handle);
    if (context == nullptr) return nullptr;
    const DeviceInfo& info = context->devices().front()->info();
    if (info.svm == SvmSupport::none) return nullptr;
    constexpr cl_svm_mem_flags access = CL_MEM_READ_WRITE | CL_MEM_WRITE_ONLY | CL_MEM_READ_ONLY;
    if ((flags & ~(access | CL_MEM_SVM_FINE_GRAIN_BUFFER | CL_MEM_SVM_ATOMICS)) != 0) return nullptr;
    if (((flags & access) & ((flags & access) - 1)) != 0) return nullptr;
    const bool fine = (flags & CL_MEM_SVM_FINE_GRAIN_BUFFER) != 0;
    if (fine && info.svm == SvmSupport::coarse) return nullptr;
    if ((flags & CL_MEM_SVM_ATOMICS) != 0 && (!fine || !info.svm_atomics)) return nullptr;
    if (size == 0 || size > info.max_allocation_bytes) return nullptr;
    // At most the size of the largest OpenCL type, long16.
    if (alignment > 128 || (alignment & (alignment - 1)) != 0) return nullptr;
    call.runtime().charge(HostAction::create_buffer);
    auto range = DeviceRange::reserve(call.sim(), *context, size);
    if (!range) return nullptr;
    std::byte* store = reserve_store(size);
    if (store == nullptr) return nullptr;
    const auto key = reinterpret_cast<std::uintptr_t>(store);
    try {
      SvmAllocation a;
      a.context = Ref<Context>(context);
      a.store = store;
      a.size = size;
      a.range = std::move(*range);
      a.flags = flags;
      a.serial = ++last_serial;
      const Placement placement = placement_of(call, flags);
      if (placement != Placement::device) a.pages_move = call.sim().manage(call.sim().host_address(store, size), size);
      a.view = KernelView(a.range, placement, store, size);
      watch_fine(call.runtime(), allocations().emplace(key, std::move(a)).first->second);
      PinnedRanges::instance().add(store, size);
      if (strict::instance != nullptr && !fine) {
        strict::instance->object_made(store, size, strict::Strict::ObjectKind::svm);
      }
    } catch (...) {
      allocations().erase(key);
      release_store(store);
      throw;
    }
    return store;
  });
}

void CL_API_CALL clSVMFree(cl_context context, void* pointer) {
  (void)enter([&](Call& call) -> cl_int {
    if (pointer == nullptr || find<Context>(context) == nullptr) return CL_SUCCESS;
    free_now(call.sim(), pointer);
    return CL_SUCCESS;
  });
}

cl_int CL_API_CALL clEnqueueSVMFree(cl_command_queue queue_handle, cl_uint count, void* pointers[],
                                    void(CL_CALLBACK* notify)(cl_command_queue, cl_uint, void*[], void*), void* data,
                                    cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if ((count == 0) != (pointers == nullptr)) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    CommandRequest request;
    request.type = CL_COMMAND_SVM_FREE;
    request.command.op = Operation::svm_free;
    auto work = std::make_shared<SvmFree>(*queue, std::vector<void*>(pointers, pointers + count), notify, data);
    request.hook = [work](const CommandOutcome& outcome) {
      if (outcome.result < 0) return;
      if (work->notify == nullptr) {
        for (const void* p : work->pointers) free_now(Runtime::instance().sim(), p);
        return;
      }
      work->expect_no_more();
      Runtime::instance().post_callback(outcome.times.visible, [work] {
        std::vector<void*> list_copy = work->pointers;
        work->notify(work->queue->handle(), static_cast<cl_uint>(list_copy.size()), list_copy.data(), work->data);
      });
    };
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

cl_int CL_API_CALL clEnqueueSVMMemcpy(cl_command_queue queue_handle, cl_bool blocking, void* target, const void* source,
                                      size_t size, cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if (const cl_int e = check_wait_list(queue->context(), num, list, blocking != CL_FALSE); e != CL_SUCCESS) return e;
    if (target == nullptr || source == nullptr) return CL_INVALID_VALUE;
    if (!legal_range(*queue, target, size) || !legal_range(*queue, source, size)) return CL_INVALID_VALUE;
    const auto a = reinterpret_cast<std::uintptr_t>(source);
    const auto b = reinterpret_cast<std::uintptr_t>(target);
    if (size != 0 && (a < b ? b - a : a - b) < size) return CL_MEM_COPY_OVERLAP;
    CommandRequest request;
    request.type = CL_COMMAND_SVM_MEMCPY;
    Command& c = request.command;
    c.op = Operation::svm_memcpy;
    if (size != 0) {
      c.shape.row_bytes = size;
      c.source = svm_end(call, *queue, source, size);
      c.target = svm_end(call, *queue, target, size);
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, blocking != CL_FALSE);
  });
}

cl_int CL_API_CALL clEnqueueSVMMemFill(cl_command_queue queue_handle, void* target, const void* pattern,
                                       size_t pattern_size, size_t size, cl_uint num, const cl_event* list,
                                       cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (target == nullptr || pattern == nullptr) return CL_INVALID_VALUE;
    if (pattern_size == 0 || pattern_size > 128 || (pattern_size & (pattern_size - 1)) != 0) return CL_INVALID_VALUE;
    if (reinterpret_cast<std::uintptr_t>(target) % pattern_size != 0 || size % pattern_size != 0)
      return CL_INVALID_VALUE;
    if (!legal_range(*queue, target, size)) return CL_INVALID_VALUE;
    CommandRequest request;
    request.type = CL_COMMAND_SVM_MEMFILL;
    Command& c = request.command;
    c.op = Operation::svm_memfill;
    if (size != 0) {
      c.shape.row_bytes = size;
      c.target = svm_end(call, *queue, target, size);
      c.fill.assign(pattern, pattern_size);
      set_direction(c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}

cl_int CL_API_CALL clEnqueueSVMMap(cl_command_queue queue_handle, cl_bool blocking, cl_map_flags flags, void* pointer,
                                   size_t size, cl_uint num, const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if (pointer == nullptr || size == 0) return CL_INVALID_VALUE;
    if (const cl_int e = check_map_flags(flags); e != CL_SUCCESS) return e;
    if (!legal_range(*queue, pointer, size)) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list, blocking != CL_FALSE); e != CL_SUCCESS) return e;
    const DriverPolicy& policy = call.runtime().machine().policy;
    CommandRequest request;
    request.type = CL_COMMAND_SVM_MAP;
    Command& c = request.command;
    c.op = Operation::svm_map;
    c.moves_data = false;
    const std::uint64_t serial = ++last_serial;
    SvmAllocation* a = find_svm(pointer);
    if (a != nullptr) {
      if (!mirrored(call, *a)) {
        if (!a->fine_grained()) {
          c.source = host_view(call, pointer, size);
          c.shape.row_bytes = size;
        }
        if (a->pages_move) {
          c.pages.edit().push_back({call.sim().host_address(pointer, size), size});
          c.pages_by_faults = true;
        }
      } else if (flags == CL_MAP_WRITE_INVALIDATE_REGION) {
        c.host_only = policy.invalidate_map_is_host_only;
      } else if ((flags & CL_MAP_READ) != 0 ? policy.read_map_copies : policy.write_map_copies) {
        c.shape.row_bytes = size;
        c.source = svm_end(call, *queue, pointer, size);
        c.target = host_view(call, pointer, size);
        set_direction(c);
      }
      // The mapping counts from the call on; a map that fails leaves none.
      std::uint64_t strict_id = 0;
      if (strict::instance != nullptr && !a->fine_grained()) {
        (void)strict::instance->map({static_cast<std::byte*>(pointer), size, 1, 1, 0, 0}, flags, blocking != CL_FALSE,
                                      strict_id);
      }
      a->mappings.push_back({pointer, size, flags, serial, strict_id});
      request.hook = [pointer, serial, strict_id](const CommandOutcome& outcome) {
        if (outcome.result < 0) {
          forget_mapping(pointer, serial);
          return;
        }
        if (strict_id != 0) strict::instance->map_ended(strict_id, true);
        watch(pointer, serial);
      };
    }
    return enqueue_or_undo([=] { forget_mapping(pointer, serial); }, call, *queue, std::move(request), num, list, event,
                           blocking != CL_FALSE);
  });
}

cl_int CL_API_CALL clEnqueueSVMUnmap(cl_command_queue queue_handle, void* pointer, cl_uint num, const cl_event* list,
                                     cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if (pointer == nullptr) return CL_INVALID_VALUE;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    const DriverPolicy& policy = call.runtime().machine().policy;
    CommandRequest request;
    request.type = CL_COMMAND_SVM_UNMAP;
    Command& c = request.command;
    c.op = Operation::svm_unmap;
    c.moves_data = false;
    // A region that was not mapped: the specification names no error, so the command is an ordering point only.
    SvmAllocation* a = find_svm(pointer);
    if (a == nullptr) return enqueue(call, *queue, std::move(request), num, list, event, false);
    // The newest map of a pointer goes first, as brackets close.
    const auto newest = std::find_if(a->mappings.rbegin(), a->mappings.rend(),
                                     [&](const SvmAllocation::Mapping& m) { return m.pointer == pointer; });
    if (newest == a->mappings.rend() && strict::instance != nullptr) {
      strict::instance->unmap_refused(static_cast<std::byte*>(pointer), pointer);
    }
    if (newest == a->mappings.rend()) return enqueue(call, *queue, std::move(request), num, list, event, false);
    const SvmAllocation::Mapping mapping = *newest;
    const bool writes = maps_for_writing(mapping.flags);
    const Endpoint mirror = host_view(call, pointer, mapping.size);
    if (writes) call.runtime().tell_written(nullptr, mapping.serial, pointer, mirror.address, mapping.size);
    if (!mirrored(call, *a)) {
      if (!a->fine_grained()) {
        c.source = mirror;
        c.shape.row_bytes = mapping.size;
      }
    } else if (!writes) {
      c.host_only = policy.svm_unmap_after_read_is_host_only;
    } else {
      c.shape.row_bytes = mapping.size;
      c.source = mirror;
      c.target = svm_end(call, *queue, pointer, mapping.size);
      set_direction(c);
    }
    const std::uint64_t allocation = a->serial;
    a->mappings.erase(std::next(newest).base());
    if (mapping.strict != 0) strict::instance->unmap(mapping.strict);
    request.hook = [mapping, allocation](const CommandOutcome& outcome) {
      if (outcome.result < 0) {
        restore_mapping(mapping, allocation);
      } else if (mapping.strict != 0) {
        strict::instance->unmap_ended(mapping.strict, true);
      }
    };
    return enqueue_or_undo([=] { restore_mapping(mapping, allocation); }, call, *queue, std::move(request), num, list,
                           event, false);
  });
}

cl_int CL_API_CALL clEnqueueSVMMigrateMem(cl_command_queue queue_handle, cl_uint count, const void** pointers,
                                          const size_t* sizes, cl_mem_migration_flags flags, cl_uint num,
                                          const cl_event* list, cl_event* event) {
  return enter([&](Call& call) -> cl_int {
    Queue* queue = nullptr;
    if (const cl_int e = check_queue(queue_handle, queue); e != CL_SUCCESS) return e;
    if (const cl_int e = check_wait_list(queue->context(), num, list); e != CL_SUCCESS) return e;
    if (count == 0 || pointers == nullptr) return CL_INVALID_VALUE;
    if ((flags & ~(CL_MIGRATE_MEM_OBJECT_HOST | CL_MIGRATE_MEM_OBJECT_CONTENT_UNDEFINED)) != 0) return CL_INVALID_VALUE;
    for (cl_uint i = 0; i < count; ++i) {
      // A size of 0 stands for the whole allocation; anything else must lie in one.
      const SvmAllocation* a = find_svm(pointers[i]);
      if (a == nullptr || (sizes != nullptr && sizes[i] != 0 && !legal_range(*queue, pointers[i], sizes[i]))) {
        return CL_INVALID_VALUE;
      }
    }
    CommandRequest request;
    request.type = CL_COMMAND_SVM_MIGRATE_MEM;
    Command& c = request.command;
    c.op = Operation::svm_migrate;
    for (cl_uint i = 0; i < count; ++i) {
      const std::size_t size = sizes != nullptr ? sizes[i] : 0;
      add_pages(call, pointers[i], size, flags, c);
    }
    return enqueue(call, *queue, std::move(request), num, list, event, false);
  });
}
