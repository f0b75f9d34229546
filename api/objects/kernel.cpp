#include "api/objects/kernel.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <utility>

#include "api/compiler/worker.h"
#include "api/objects/device.h"
#include "api/objects/memory.h"
#include "api/objects/registry.h"
#include "api/objects/sampler.h"
#include "api/objects/svm.h"

namespace sluice::api {

namespace {

// The type of memory object that an image argument takes; 0 where the program does not tell.
cl_mem_object_type image_type(std::string_view type_name) {
  struct Entry {
    std::string_view prefix;
    cl_mem_object_type type;
  };
  // Longer names before those that they begin with.
  constexpr std::array<Entry, 6> entries = {{{"image1d_buffer", CL_MEM_OBJECT_IMAGE1D_BUFFER},
                                             {"image1d_array", CL_MEM_OBJECT_IMAGE1D_ARRAY},
                                             {"image1d", CL_MEM_OBJECT_IMAGE1D},
                                             {"image2d_array", CL_MEM_OBJECT_IMAGE2D_ARRAY},
                                             {"image2d", CL_MEM_OBJECT_IMAGE2D},
                                             {"image3d", CL_MEM_OBJECT_IMAGE3D}}};
  for (const Entry& e : entries) {
    if (type_name.starts_with(e.prefix)) return e.type;
  }
  return 0;
}

constexpr bool reads_only(std::uint8_t access) { return access == 1; }
constexpr bool writes_only(std::uint8_t access) { return access == 2; }

// Whether an argument takes an object of this kind.
bool takes(const KernelArgumentInfo& argument, const Memory& memory) {
  if (argument.kind == ArgumentKind::image) return memory.image != nullptr;
  return argument.is_pipe ? memory.pipe.has_value() : memory.is_buffer();
}

// What the host gives to kernels of two devices must be the same.
bool same_definition(const KernelInfo& a, const KernelInfo& b) {
  return std::equal(a.arguments.begin(), a.arguments.end(), b.arguments.begin(), b.arguments.end(),
                    [](const KernelArgumentInfo& x, const KernelArgumentInfo& y) {
                      return x.kind == y.kind && x.size_bytes == y.size_bytes && x.access == y.access && x.is_pipe == y.is_pipe &&
                             x.type_name == y.type_name;
                    });
}

}  // namespace

Kernel* Kernel::create(Program& program, std::string_view name, cl_int& code) {
  std::vector<Code> found;
  const KernelInfo* first = nullptr;
  code = CL_INVALID_PROGRAM_EXECUTABLE;
  for (const Device* device : program.context().devices()) {
    found.emplace_back();
    const Program::Build* const build = program.build(device);
    if (build == nullptr || build->module == nullptr) continue;
    if (code == CL_INVALID_PROGRAM_EXECUTABLE) code = CL_INVALID_KERNEL_NAME;
    const std::vector<KernelInfo>& kernels = build->module->kernels();
    const auto it = std::find_if(kernels.begin(), kernels.end(), [&](const KernelInfo& k) { return k.name == name; });
    if (it == kernels.end()) continue;
    if (first != nullptr && !same_definition(*first, *it)) return code = CL_INVALID_KERNEL_DEFINITION, nullptr;
    if (first == nullptr) first = &*it;
    found.back() = {build->module, static_cast<std::uint32_t>(it - kernels.begin())};
  }
  if (first == nullptr) return nullptr;
  code = CL_SUCCESS;
  return new Kernel(program, std::move(found));
}

// The program stays what it is, and its handle valid, while it has kernels: "The program object is deleted after all
// kernel objects associated with program have been deleted".
Kernel::Kernel(Program& program, std::vector<Code> code) : program_(&program), code_(std::move(code)) {
  const auto first = std::find_if(code_.begin(), code_.end(), [](const Code& c) { return c.module != nullptr; });
  info_ = &first->info();
  arguments_.resize(info_->arguments.size());
  program_->attach_kernel();
  program_->keep_live();
}

Kernel::Kernel(const Kernel& other)
    : program_(other.program_), code_(other.code_), info_(other.info_), arguments_(other.arguments_) {
  program_->attach_kernel();
  program_->keep_live();
}

Kernel::~Kernel() {
  program_->detach_kernel();
  program_->end_live();
}

const Kernel::Code& Kernel::code(const Device& device) const noexcept {
  const std::vector<Device*>& devices = context().devices();
  return code_[static_cast<std::size_t>(std::find(devices.begin(), devices.end(), &device) - devices.begin())];
}

bool Kernel::prepare(const Device& device) {
  auto& code = const_cast<Code&>(this->code(device));
  if (code.module == nullptr || code.prepared) return code.prepared;
  std::string log;
  compiler::on_large_stack([&] { code.prepared = code.module->prepare(code.index, log); });
  if (!code.prepared) std::fprintf(stderr, "sluice: kernel \"%s\": %s\n", info_->name.c_str(), log.c_str());
  return code.prepared;
}

bool Kernel::has_argument_info() const noexcept {
  // clang tells the types in any case, the names only if it is asked to.
  return std::all_of(info_->arguments.begin(), info_->arguments.end(),
                     [](const KernelArgumentInfo& a) { return !a.name.empty(); });
}

cl_int Kernel::set_memory(Argument& to, const KernelArgumentInfo& info, std::size_t size, const void* value) {
  const bool image = info.kind == ArgumentKind::image;
  const bool needed = image || info.is_pipe;
  if (value == nullptr) {
    if (needed) return CL_INVALID_MEM_OBJECT;
    to = cl_mem{nullptr};
    return CL_SUCCESS;
  }
  if (size != sizeof(cl_mem)) return CL_INVALID_ARG_SIZE;
  cl_mem handle = nullptr;
  std::memcpy(&handle, value, sizeof handle);
  if (handle == nullptr) {
    if (needed) return CL_INVALID_MEM_OBJECT;
    to = handle;
    return CL_SUCCESS;
  }
  const Memory* memory = find<Memory>(handle);
  if (memory == nullptr || !takes(info, *memory)) return CL_INVALID_MEM_OBJECT;
  if (&memory->context() != &context()) return CL_INVALID_MEM_OBJECT;
  if (image) {
    const cl_mem_object_type type = image_type(info.type_name);
    if (type != 0 && type != memory->image->layout().type) return CL_INVALID_MEM_OBJECT;
    if (reads_only(info.access) && (memory->flags() & CL_MEM_WRITE_ONLY) != 0) return CL_INVALID_ARG_VALUE;
    if (writes_only(info.access) && (memory->flags() & CL_MEM_READ_ONLY) != 0) return CL_INVALID_ARG_VALUE;
  }
  if (info.max_bytes != 0 && memory->size() > info.max_bytes) return CL_MAX_SIZE_RESTRICTION_EXCEEDED;
  to = handle;
  return CL_SUCCESS;
}

cl_int Kernel::set_sampler(Argument& to, std::size_t size, const void* value) {
  if (value == nullptr) return CL_INVALID_SAMPLER;
  if (size != sizeof(cl_sampler)) return CL_INVALID_ARG_SIZE;
  cl_sampler handle = nullptr;
  std::memcpy(&handle, value, sizeof handle);
  const Sampler* sampler = find<Sampler>(handle);
  if (sampler == nullptr) return CL_INVALID_SAMPLER;
  if (&sampler->context() != &context()) return CL_INVALID_SAMPLER;
  to = handle;
  return CL_SUCCESS;
}

cl_int Kernel::set_argument(cl_uint index, std::size_t size, const void* value) {
  if (index >= arguments_.size()) return CL_INVALID_ARG_INDEX;
  const KernelArgumentInfo& info = info_->arguments[index];
  Argument& to = arguments_[index];
  switch (info.kind) {
    case ArgumentKind::global:
    case ArgumentKind::constant:
    case ArgumentKind::image: return set_memory(to, info, size, value);
    case ArgumentKind::sampler: return set_sampler(to, size, value);
    case ArgumentKind::local:
      if (value != nullptr) return CL_INVALID_ARG_VALUE;
      if (size == 0) return CL_INVALID_ARG_SIZE;
      if (info.max_bytes != 0 && size > info.max_bytes) return CL_MAX_SIZE_RESTRICTION_EXCEEDED;
      to = LocalBytes{size};
      return CL_SUCCESS;
    case ArgumentKind::value: break;
  }
  if (value == nullptr) return CL_INVALID_ARG_VALUE;
  if (size != info.size_bytes) return CL_INVALID_ARG_SIZE;
  const auto* first = static_cast<const std::byte*>(value);
  to = std::vector<std::byte>(first, first + size);
  return CL_SUCCESS;
}

cl_int Kernel::set_svm_pointer(cl_uint index, const void* pointer) {
  const SvmSupport svm = context().devices().front()->info().svm;  // all devices are alike
  if (svm == SvmSupport::none) return CL_INVALID_OPERATION;
  if (index >= arguments_.size()) return CL_INVALID_ARG_INDEX;
  const KernelArgumentInfo& info = info_->arguments[index];
  if ((info.kind != ArgumentKind::global && info.kind != ArgumentKind::constant) || info.is_pipe) return CL_INVALID_ARG_VALUE;
  if (pointer != nullptr && svm != SvmSupport::fine_system) {
    const SvmAllocation* allocation = find_svm_argument(pointer);
    if (allocation == nullptr || allocation->context.get() != &context()) return CL_INVALID_ARG_VALUE;
  }
  arguments_[index] = SvmPointer{pointer};
  return CL_SUCCESS;
}

bool Kernel::is_ready() const noexcept {
  for (std::size_t i = 0; i < arguments_.size(); ++i) {
    const Argument& a = arguments_[i];
    if (std::holds_alternative<std::monostate>(a)) return false;
    if (const cl_mem* handle = std::get_if<cl_mem>(&a); handle != nullptr && *handle != nullptr) {
      // Another object may have taken its place.
      const Memory* memory = find<Memory>(*handle);
      if (memory == nullptr || !takes(info_->arguments[i], *memory) || &memory->context() != &context()) return false;
    }
    if (const cl_sampler* handle = std::get_if<cl_sampler>(&a); handle != nullptr && find<Sampler>(*handle) == nullptr) {
      return false;
    }
  }
  return true;
}

std::uint64_t Kernel::local_bytes(const KernelInfo& info) const noexcept {
  std::uint64_t sum = info.local_bytes;
  for (const Argument& a : arguments_) {
    if (const LocalBytes* local = std::get_if<LocalBytes>(&a)) {
      if (__builtin_add_overflow(sum, local->bytes, &sum)) return ~std::uint64_t{0};
    }
  }
  return sum;
}

}  // namespace sluice::api
