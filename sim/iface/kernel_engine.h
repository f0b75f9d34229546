// Kernels: what the driver's compiler hands over, what the engine (sim/exec) runs, and what it tells the compute model.
// No OpenCL, LLVM or SystemC here. Requirements: everything is deterministic; the engine is used under the driver's lock.
//
// Life: the driver compiles source to LLVM bitcode (triple spir64, built-ins unresolved, kernel metadata kept) ->
// KernelEngine::load -> KernelModule. A launch is a Command with `kernel` set. When its turn comes the compute model
// starts a KernelRun and runs the work-groups one by one, in the order in which it places them on compute units; each
// fills a GroupTrace that the model times.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/iface/command.h"

namespace sluice {

// ---- memory that kernels may touch -------------------------------------------------------------------------------

// A live allocation: a buffer's backing store, an image's, an SVM allocation. A kernel's pointers are process
// addresses of the backing store, so that SVM needs no translation.
struct MemoryRange {
  std::byte* data = nullptr;
  std::uint64_t size_bytes = 0;
  Placement placement = Placement::device;  // what an access costs: device memory, or across the link
  std::uint64_t address = 0;                // simulated address of the first byte
  bool stable = false;                      // only commands can write it now: the host holds no pointer to write through
  std::uint64_t version = 0;                // the map's; another one after each change of the above
};

// All live ranges by address. The driver keeps it, under its lock; the engine looks up what it cannot prove in bounds,
// the compute model where an access goes.
class MemoryMap {
 public:
  void add(const MemoryRange& range) {
    MemoryRange& added = ranges_[range.data] = range;
    added.version = ++versions_;
  }
  // Of the range that begins at `data`, if there is one.
  void set_stable(const std::byte* data, bool stable) {
    const auto it = ranges_.find(const_cast<std::byte*>(data));
    if (it == ranges_.end()) return;
    it->second.stable = stable;
    it->second.version = ++versions_;
  }
  void remove(const std::byte* data) { ranges_.erase(const_cast<std::byte*>(data)); }
  // The range that holds `p`; nullptr: none.
  [[nodiscard]] const MemoryRange* find(const std::byte* p) const {
    auto it = ranges_.upper_bound(const_cast<std::byte*>(p));
    if (it == ranges_.begin()) return nullptr;
    --it;
    return static_cast<std::uint64_t>(p - it->second.data) < it->second.size_bytes ? &it->second : nullptr;
  }
  [[nodiscard]] const std::map<std::byte*, MemoryRange>& ranges() const noexcept { return ranges_; }

 private:
  std::map<std::byte*, MemoryRange> ranges_;
  std::uint64_t versions_ = 0;
};

// ---- a loaded program --------------------------------------------------------------------------------------------

enum class ArgumentKind : std::uint8_t { value, global, constant, local, image, sampler };

// As clGetKernelArgInfo tells it; the name is empty unless the program was built with -cl-kernel-arg-info.
struct KernelArgumentInfo {
  ArgumentKind kind = ArgumentKind::value;
  std::uint64_t size_bytes = 0;  // of a value; pointers, images and samplers: 8
  std::string type_name;         // "float4*"
  std::string name;
  std::uint8_t access = 0;       // 0 none, 1 read_only, 2 write_only, 3 read_write (images, pipes)
  bool is_const = false, is_restrict = false, is_volatile = false;
  bool is_pipe = false;          // of `kind` global; type_name is the packets'
  std::uint64_t max_bytes = 0;   // of the memory behind it that the language allows (SPIR-V MaxByteOffset); 0: any
};

// Of KernelInfo::steered_by.
inline constexpr unsigned steered_by_other = 63;

struct KernelInfo {
  std::string name;
  std::vector<KernelArgumentInfo> arguments;
  std::array<std::uint64_t, 3> required_group{};  // reqd_work_group_size; zeros: none
  std::array<std::uint64_t, 3> group_hint{};
  std::string vector_hint;                        // "float4"
  std::string attributes;                         // CL_KERNEL_ATTRIBUTES
  std::uint64_t local_bytes = 0;    // of __local variables, arguments not counted
  std::uint64_t private_bytes = 0;  // a work-item
  std::uint32_t registers = 0;      // 32-bit, a work-item, as the compute model's occupancy counts them (an estimate)
  bool has_barrier = false;
  bool may_wait = false;            // for what another group, launch or the host writes
  // What decides which way work-items go and what they access, beside sizes, pointers, images' shapes and samplers: bit i
  // is argument i's value, or what its memory holds. Bit steered_by_other: more than that, or it is not known.
  std::uint64_t steered_by = std::uint64_t{1} << steered_by_other;
  bool uniform_groups = false;      // OpenCL C 1.x or -cl-uniform-work-group-size: the group must divide the range
};

class KernelModule {
 public:
  virtual ~KernelModule() = default;
  [[nodiscard]] virtual const std::vector<KernelInfo>& kernels() const noexcept = 0;
  // Compiles a kernel if it is not yet. Before that its local_bytes, private_bytes, registers, has_barrier, may_wait
  // and steered_by are not known. start() does so too. False: `log` says why.
  [[nodiscard]] virtual bool prepare(std::uint32_t kernel, std::string& log) const {
    static_cast<void>(log);
    return kernel < kernels().size();
  }
};

// ---- a launch ----------------------------------------------------------------------------------------------------

struct NdRange {
  std::uint32_t dimensions = 1;
  std::array<std::uint64_t, 3> offset{};
  std::array<std::uint64_t, 3> global{1, 1, 1};
  std::array<std::uint64_t, 3> local{1, 1, 1};  // chosen by the driver if the program did not; need not divide `global`
  [[nodiscard]] std::array<std::uint64_t, 3> groups() const noexcept {
    std::array<std::uint64_t, 3> n{};
    for (std::size_t i = 0; i < 3; ++i) n[i] = (global[i] + local[i] - 1) / local[i];
    return n;
  }
};

// What a kernel sees of an image; the engine's device library knows this layout (all members 4 or 8 bytes, no padding).
struct ImageDescriptor {
  std::byte* data = nullptr;
  std::uint64_t row_pitch_bytes = 0;    // from image to image of a 1D array
  std::uint64_t slice_pitch_bytes = 0;  // 3D images and 2D arrays
  std::uint32_t width = 1, height = 1, depth = 1, array_size = 1;
  std::uint32_t channel_order = 0;  // CL_RGBA ... as the program gave it
  std::uint32_t channel_type = 0;
  std::uint32_t pixel_bytes = 0;
  std::uint32_t dimensions = 2;
  ImageTiling tiling;  // for the addresses that the trace tells; the library reads the linear store
};

struct LaunchArgument {
  std::vector<std::byte> value;      // value, sampler (4 bytes, CLK_* bits)
  std::byte* data = nullptr;         // global, constant: may be nullptr
  std::uint64_t size_bytes = 0;      // bytes from `data` that may be touched; local: bytes of local memory
  std::shared_ptr<const ImageDescriptor> image;
};

// Where printf and reports of bad accesses go. Called under the driver's lock, in order.
class KernelReports {
 public:
  virtual ~KernelReports() = default;
  virtual void print(std::string_view text) = 0;
  // One line: kernel, source line, work-item, what was done, nearest buffer and offset.
  virtual void bad_access(const std::string& report) = 0;
};

struct KernelLaunch {
  std::shared_ptr<const KernelModule> module;
  std::uint32_t kernel = 0;  // index into module->kernels()
  NdRange range;
  std::vector<LaunchArgument> arguments;
  const MemoryMap* memory = nullptr;     // outlives the launch
  KernelReports* reports = nullptr;      // may be nullptr; outlives the launch
  bool system_memory = false;            // any memory of the process may be touched (fine-grained system SVM)
  std::vector<std::shared_ptr<const void>> keep;  // program objects that must live until the launch has ended
  std::int32_t failure_status = -1;      // negative: Completion::status of a launch that fails
};

// ---- what a work-group did ---------------------------------------------------------------------------------------

enum class AccessKind : std::uint8_t { load, store, atomic, barrier };
// Of an atomic access. `other`: what takes more than a fetch-and-add (subtracting is one), a swap or a compare-and-swap.
enum class AtomicKind : std::uint8_t { add, swap, compare_swap, other, load, store };
enum class MemorySpace : std::uint8_t { global, constant, local, image };
enum class InstructionClass : std::uint8_t { integer, float32, float64, special, control, memory, count_ };
[[nodiscard]] std::string_view to_string(InstructionClass c) noexcept;
inline constexpr std::size_t instruction_classes = static_cast<std::size_t>(InstructionClass::count_);
inline constexpr std::uint32_t sector_bytes = 32;

// What an access must wait for: which of the wavefront's loads in flight its address, or whether it is reached at all,
// depends on. With `unknown` the model supposes the loads of the same site, and no others.
enum class Dependence : std::uint8_t { unknown, none, loads };

// One memory instruction of a wavefront, or a barrier.
struct WaveAccess {
  std::uint32_t site = 0;          // the same instruction of the kernel has the same number
  AccessKind kind = AccessKind::load;
  MemorySpace space = MemorySpace::global;
  std::uint16_t lanes = 0;         // active
  std::uint32_t first_sector = 0;  // into GroupTrace::sectors (global, constant, image)
  std::uint32_t sectors = 0;       // distinct sectors; local: the largest number of lanes that meet in one of 32 banks
  std::uint32_t bytes = 0;         // a lane
  std::uint32_t issued = 0;        // instructions of the wavefront since its previous record, this one included
  Dependence dependence = Dependence::unknown;
  AtomicKind atomic = AtomicKind::add;  // of AccessKind::atomic
};

struct WaveTrace {
  std::uint32_t first_access = 0;  // into GroupTrace::accesses
  std::uint32_t accesses = 0;
  std::array<std::uint64_t, instruction_classes> issued{};  // wavefront instructions by class
  // Lane accesses that are not among the records because a phase had more than the engine keeps (millions); the
  // instructions are counted all the same.
  std::uint64_t unrecorded = 0;
};

// Of one work-group; the caller reuses it. Wavefronts are of the size that start() was given, the last may be partial.
struct GroupTrace {
  std::vector<WaveTrace> waves;
  std::vector<WaveAccess> accesses;
  // Process address / sector_bytes. Of an access each once; those that lie near each other from the lowest on.
  std::vector<std::uint64_t> sectors;
  bool alike = false;  // it did what AlikeGroups says, and nothing is said here
  void clear() {
    waves.clear(), accesses.clear(), sectors.clear();
    alike = false;
  }
};

// One execution of a launch.
class KernelRun {
 public:
  virtual ~KernelRun() = default;
  // Executes a work-group (x fastest) and says what it did. Each group once, in any order.
  // False: it cannot go on (a watchdog or a bad access said why in the reports); the launch fails.
  [[nodiscard]] virtual bool run_group(const std::array<std::uint64_t, 3>& group, GroupTrace& trace) = 0;
  // Executes a group of which only the effect is wanted, as it is known what it does: a launch of the same kernel with the
  // same range, and the same in all that steers it, came to its end. For all groups of the launch, or for none.
  [[nodiscard]] virtual bool run_unseen(const std::array<std::uint64_t, 3>& group) {
    GroupTrace unseen;
    return run_group(group, unseen);
  }
  // Whether a thread of the model's own may execute the groups, while who asked for the launch waits.
  [[nodiscard]] virtual bool any_thread() const noexcept { return false; }
  // Whether the groups so far did nothing but what their traces tell: nothing was printed or reported.
  [[nodiscard]] virtual bool told_all() const noexcept { return false; }
  // Before the first group: how many the device holds at once. Where one waits for what others do, that many take
  // turns: run_group() then executes groups behind the one that was asked for, and has their traces ready when they are.
  virtual void set_resident_groups(std::uint64_t groups) { static_cast<void>(groups); }
  // Where groups wait for what only the host or another launch is left to write, run_group() calls `wait` again and
  // again; false: the launch is to fail.
  virtual void on_wait(std::function<bool()> wait) { static_cast<void>(wait); }
};

struct LoadOptions {
  std::string cache_folder;       // for native objects; empty: none
  bool optimise = true;           // -cl-opt-disable
  // The work-items of a wavefront go on in step, from access to access of local and global memory, as some programs take
  // for granted; else each runs until it waits for others.
  bool lockstep = false;
  // Work-item instructions after which a work-group that still loops is said never to end (about a minute of real time).
  std::uint64_t group_instruction_limit = std::uint64_t{1} << 36;
  // Work-item instructions after which a kernel is worth compiling for groups of which only the effect is wanted.
  std::uint64_t quiet_after_instructions = std::uint64_t{1} << 25;
  // Runs what may take any time and memory where it can be ended, and returns what it returned; nullopt: it was, and
  // `error` says why. nullptr: compile everything here.
  std::optional<std::string> (*isolate)(const std::function<std::string()>& work, std::string& error) = nullptr;
};

class KernelEngine {
 public:
  virtual ~KernelEngine() = default;
  // nullptr: `log` says why (an unresolved function, a construct that is not supported).
  [[nodiscard]] virtual std::shared_ptr<const KernelModule> load(std::span<const std::byte> bitcode,
                                                                 const LoadOptions& options, std::string& log) = 0;
  [[nodiscard]] virtual std::unique_ptr<KernelRun> start(const KernelLaunch& launch, std::uint32_t wave_size) = 0;
};

// The engine of sim/exec; in the driver, one that loads it when it is first needed.
[[nodiscard]] std::unique_ptr<KernelEngine> make_kernel_engine();

}  // namespace sluice
