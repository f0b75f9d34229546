// Buffers and sub-buffers: creation, queries, life.
#include <cstring>

#include "api/command/runtime.h"
#include "api/command/validate.h"
#include "api/entry/info_writer.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"
#include "api/objects/svm.h"

namespace sluice::api {

namespace {

Memory* create_buffer(Call& call, cl_context context_handle, const cl_mem_properties* properties, cl_mem_flags flags,
                      std::size_t size, void* host_ptr, cl_int& code) {
  Context* context = find<Context>(context_handle);
  if (context == nullptr) return code = CL_INVALID_CONTEXT, nullptr;
  if (properties != nullptr && properties[0] != 0) return code = CL_INVALID_PROPERTY, nullptr;
  if ((code = check_memory_flags(flags)) != CL_SUCCESS) return nullptr;
  const DeviceInfo& info = context->devices().front()->info();
  if (size == 0 || size > info.max_allocation_bytes) return code = CL_INVALID_BUFFER_SIZE, nullptr;
  const bool uses = (flags & CL_MEM_USE_HOST_PTR) != 0;
  if ((code = check_host_ptr(flags, host_ptr)) != CL_SUCCESS) return nullptr;
  // "CL_INVALID_BUFFER_SIZE ... if host_ptr is a pointer returned by clSVMAlloc, and size is greater than the size
  // passed to clSVMAlloc"; a pointer into an allocation has what is left of it.
  if (const SvmAllocation* svm = find_svm(host_ptr)) {
    if (size > svm->size - static_cast<std::size_t>(static_cast<std::byte*>(host_ptr) - svm->store)) {
      return code = CL_INVALID_BUFFER_SIZE, nullptr;
    }
  }

  call.runtime().charge(HostAction::create_buffer);
  auto range = DeviceRange::reserve(call.sim(), *context, size);
  if (!range) return code = CL_MEM_OBJECT_ALLOCATION_FAILURE, nullptr;
  std::byte* store = uses ? static_cast<std::byte*>(host_ptr) : reserve_store(size);
  if (store == nullptr) return code = CL_MEM_OBJECT_ALLOCATION_FAILURE, nullptr;
  if ((flags & CL_MEM_COPY_HOST_PTR) != 0) std::memcpy(store, host_ptr, size);
  Memory* memory = nullptr;
  try {
    memory = new Memory(*context, flags, size, uses ? host_ptr : nullptr, store, !uses, std::move(*range),
                        policy_of(call.runtime().machine().policy, flags));
  } catch (...) {
    if (!uses) release_store(store);
    throw;
  }
  if (properties != nullptr) memory->properties = {0};
  return memory;
}

}  // namespace

}  // namespace sluice::api

using namespace sluice;
using namespace sluice::api;

CL_API_ENTRY cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags, std::size_t size, void* host_ptr,
                                               cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    Memory* m = create_buffer(call, context, nullptr, flags, size, host_ptr, code);
    return m == nullptr ? nullptr : m->handle();
  });
}

CL_API_ENTRY cl_mem CL_API_CALL clCreateBufferWithProperties(cl_context context, const cl_mem_properties* properties,
                                                             cl_mem_flags flags, std::size_t size, void* host_ptr,
                                                             cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call& call, cl_int& code) -> cl_mem {
    Memory* m = create_buffer(call, context, properties, flags, size, host_ptr, code);
    return m == nullptr ? nullptr : m->handle();
  });
}

CL_API_ENTRY cl_mem CL_API_CALL clCreateSubBuffer(cl_mem buffer, cl_mem_flags flags, cl_buffer_create_type type,
                                                  const void* info, cl_int* errcode_ret) {
  return create<cl_mem>(errcode_ret, [&](Call&, cl_int& code) -> cl_mem {
    Memory* parent = find<Memory>(buffer);
    if (parent == nullptr || parent->parent() != nullptr || !parent->is_buffer())
      return code = CL_INVALID_MEM_OBJECT, nullptr;
    if ((code = inherit_memory_flags(parent->flags(), flags)) != CL_SUCCESS) return nullptr;
    if (type != CL_BUFFER_CREATE_TYPE_REGION || info == nullptr) return code = CL_INVALID_VALUE, nullptr;
    cl_buffer_region region;
    std::memcpy(&region, info, sizeof region);
    if (region.origin > parent->size() || region.size > parent->size() - region.origin) {
      return code = CL_INVALID_VALUE, nullptr;
    }
    if (region.size == 0) return code = CL_INVALID_BUFFER_SIZE, nullptr;
    const DeviceInfo& device = parent->context().devices().front()->info();
    if (region.origin % (device.base_address_align_bits / 8) != 0) {
      return code = CL_MISALIGNED_SUB_BUFFER_OFFSET, nullptr;
    }
    return (new Memory(*parent, flags, region.origin, region.size))->handle();
  });
}

CL_API_ENTRY cl_int CL_API_CALL clRetainMemObject(cl_mem handle) {
  return enter([&](Call&) -> cl_int {
    Memory* memory = find<Memory>(handle);
    if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
    memory->retain();
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clReleaseMemObject(cl_mem handle) {
  return enter([&](Call&) -> cl_int {
    Memory* memory = find<Memory>(handle);
    return memory != nullptr && memory->release() ? CL_SUCCESS : CL_INVALID_MEM_OBJECT;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clSetMemObjectDestructorCallback(cl_mem handle,
                                                                 void(CL_CALLBACK* notify)(cl_mem, void*), void* data) {
  return enter([&](Call&) -> cl_int {
    Memory* memory = find<Memory>(handle);
    if (memory == nullptr) return CL_INVALID_MEM_OBJECT;
    if (notify == nullptr) return CL_INVALID_VALUE;
    memory->on_destruction(notify, data);
    return CL_SUCCESS;
  });
}

CL_API_ENTRY cl_int CL_API_CALL clGetMemObjectInfo(cl_mem handle, cl_mem_info name, std::size_t size, void* value,
                                                   std::size_t* size_ret) {
  return enter([&](Call&) -> cl_int {
    Memory* m = find<Memory>(handle);
    if (m == nullptr) return CL_INVALID_MEM_OBJECT;
    const Image* i = m->image.get();
    Memory* associated = i == nullptr ? m->parent() : i->buffer();
    const InfoWriter out(size, value, size_ret);
    switch (name) {
      case CL_MEM_TYPE:
        return out.value<cl_mem_object_type>(i != nullptr      ? i->layout().type
                                             : m->is_buffer() ? CL_MEM_OBJECT_BUFFER
                                                              : CL_MEM_OBJECT_PIPE);
      case CL_MEM_FLAGS:
        return out.value<cl_mem_flags>(m->flags());
      case CL_MEM_SIZE:
        return out.value<std::size_t>(m->size());
      case CL_MEM_HOST_PTR:
        return out.value<void*>(m->host_ptr());
      case CL_MEM_MAP_COUNT:
        return out.value<cl_uint>(m->map_count());
      case CL_MEM_REFERENCE_COUNT:
        return out.value<cl_uint>(m->reference_count());
      case CL_MEM_CONTEXT:
        return out.value<cl_context>(m->context().handle());
      case CL_MEM_ASSOCIATED_MEMOBJECT:
        return out.value<cl_mem>(associated == nullptr ? nullptr : associated->handle());
      case CL_MEM_OFFSET:
        return out.value<std::size_t>(i == nullptr ? m->offset() : 0);
      case CL_MEM_USES_SVM_POINTER:
        return out.boolean(is_svm_pointer(m->host_ptr()));
      case CL_MEM_PROPERTIES:
        return out.array(m->properties);
      default:
        return CL_INVALID_VALUE;
    }
  });
}
