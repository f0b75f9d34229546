#include "sim/exec/object_loader.h"

#include <elf.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

#include "sim/iface/fixed_addresses.h"

namespace sluice::exec {

namespace {

constexpr std::uint64_t kPage = 4096;

std::uint64_t up(std::uint64_t value, std::uint64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Program-scope variables lie in this memory and their addresses in traces, so they must not differ from run to run.
std::byte* reserve(std::size_t bytes) {
  constexpr std::uint64_t first = 0x3000'0000'0000;
  static std::atomic<std::uint64_t> next{first};
  // Unmapped ranges are not used again; 64 TiB lie between here and the end of the address space.
  void* const wish = reinterpret_cast<void*>(next.fetch_add(bytes + kPage));
  constexpr int protection = PROT_READ | PROT_WRITE;
  void* memory = MAP_FAILED;
  if constexpr (may_choose_addresses)
    memory = mmap(wish, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (memory == MAP_FAILED) memory = mmap(nullptr, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<std::byte*>(memory);
}

// What pages may be used for; sections of the same kind lie together.
enum Kind : std::size_t { code, constants, data, kinds };

constexpr int kProtection[kinds] = {PROT_READ | PROT_EXEC, PROT_READ, PROT_READ | PROT_WRITE};

// The global offset table has the address of each symbol, the procedure linkage table a jump to it, jmp *got(%rip), for
// calls of what lies more than 2 GiB away.
constexpr std::uint64_t kGotEntryBytes = 8;
constexpr std::uint64_t kPltEntryBytes = 8;

}  // namespace

// Errors are thrown: objects come from a file that anybody may have written.
class ObjectReader {
 public:
  ObjectReader(std::span<const std::byte> object, const LoadedObject::Resolve& resolve)
      : object_(object), resolve_(resolve) {}

  std::unique_ptr<LoadedObject> load() {
    read_sections();
    read_symbols();
    lay_out();
    std::unique_ptr<LoadedObject> loaded(new LoadedObject);
    loaded->memory_ = memory_ = reserve(bytes_);
    if (memory_ == nullptr) throw std::runtime_error("no memory for code");
    loaded->bytes_ = bytes_;
    for (std::size_t i = 0; i < sections_.size(); ++i) {
      const Elf64_Shdr& section = sections_[i];
      if (placed_[i].kind == kinds || section.sh_type == SHT_NOBITS || section.sh_size == 0) continue;
      std::memcpy(memory_ + placed_[i].offset, contents(section).data(), section.sh_size);
    }
    resolve_symbols(*loaded);
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type == SHT_RELA) relocate(section);
    }
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      if (end_[kind] == begin_[kind]) continue;
      if (mprotect(memory_ + begin_[kind], end_[kind] - begin_[kind], kProtection[kind]) != 0) {
        throw std::runtime_error("the system does not let code be run");
      }
    }
    return loaded;
  }

 private:
  struct Place {
    Kind kind = kinds;  // not loaded
    std::uint64_t offset = 0;
  };

  static void need(bool condition) {
    if (!condition) throw std::runtime_error("not a valid object");
  }

  template <class T>
  [[nodiscard]] std::vector<T> list(std::uint64_t offset, std::uint64_t bytes) const {
    need(offset <= object_.size() && bytes <= object_.size() - offset && bytes % sizeof(T) == 0);
    std::vector<T> all(bytes / sizeof(T));
    if (!all.empty()) std::memcpy(all.data(), object_.data() + offset, bytes);
    return all;
  }

  [[nodiscard]] std::span<const std::byte> contents(const Elf64_Shdr& section) const {
    need(section.sh_offset <= object_.size() && section.sh_size <= object_.size() - section.sh_offset);
    return object_.subspan(section.sh_offset, section.sh_size);
  }

  void read_sections() {
    const Elf64_Ehdr header = list<Elf64_Ehdr>(0, sizeof(Elf64_Ehdr)).front();
    need(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_ident[EI_CLASS] == ELFCLASS64 &&
         header.e_type == ET_REL && header.e_machine == EM_X86_64 && header.e_shentsize == sizeof(Elf64_Shdr) &&
         header.e_shnum != 0);
    sections_ = list<Elf64_Shdr>(header.e_shoff, std::uint64_t{header.e_shnum} * sizeof(Elf64_Shdr));
  }

  void read_symbols() {
    for (const Elf64_Shdr& section : sections_) {
      if (section.sh_type != SHT_SYMTAB) continue;
      need(section.sh_link < sections_.size());
      symbols_ = list<Elf64_Sym>(section.sh_offset, section.sh_size);
      const std::span<const std::byte> names = contents(sections_[section.sh_link]);
      need(!names.empty() && names.back() == std::byte{0});
      names_ = {reinterpret_cast<const char*>(names.data()), names.size()};
    }
  }

  [[nodiscard]] std::string_view name(const Elf64_Sym& symbol) const {
    need(symbol.st_name < names_.size());
    return names_.data() + symbol.st_name;
  }

  void lay_out() {
    placed_.resize(sections_.size());
    for (std::size_t kind = 0; kind < kinds; ++kind) {
      begin_[kind] = bytes_ = up(bytes_, kPage);
      for (std::size_t i = 0; i < sections_.size(); ++i) {
        const Elf64_Shdr& section = sections_[i];
        if (kind_of(section) != kind) continue;
        need(section.sh_addralign <= kPage && section.sh_size <= std::uint64_t{1} << 30 && bytes_ <= 1U << 30);
        bytes_ = up(bytes_, section.sh_addralign == 0 ? 1 : section.sh_addralign);
        placed_[i] = {static_cast<Kind>(kind), bytes_};
        bytes_ += section.sh_size;
      }
      if (kind == code) plt_ = bytes_ = up(bytes_, kPltEntryBytes), bytes_ += kPltEntryBytes * symbols_.size();
      if (kind == constants) got_ = bytes_ = up(bytes_, kGotEntryBytes), bytes_ += kGotEntryBytes * symbols_.size();
      bytes_ = up(bytes_, kPage);
      end_[kind] = bytes_;
    }
  }

  static Kind kind_of(const Elf64_Shdr& section) {
    // Nothing unwinds through kernels: their frames' descriptions are left out.
    constexpr std::uint32_t unwind = SHT_X86_64_UNWIND;
    if ((section.sh_flags & SHF_ALLOC) == 0 || section.sh_type == unwind) return kinds;
    if (section.sh_type != SHT_PROGBITS && section.sh_type != SHT_NOBITS) return kinds;
    if ((section.sh_flags & SHF_TLS) != 0) throw std::runtime_error("thread-local data");
    if ((section.sh_flags & SHF_EXECINSTR) != 0) return code;
    return (section.sh_flags & SHF_WRITE) != 0 ? data : constants;
  }

  [[nodiscard]] std::uint64_t address(std::uint64_t offset) const {
    return reinterpret_cast<std::uint64_t>(memory_) + offset;
  }

  void resolve_symbols(LoadedObject& loaded) {
    values_.resize(symbols_.size());
    for (std::size_t i = 1; i < symbols_.size(); ++i) {
      const Elf64_Sym& symbol = symbols_[i];
      std::uint64_t& value = values_[i];
      if (symbol.st_shndx == SHN_ABS) {
        value = symbol.st_value;
      } else if (symbol.st_shndx == SHN_UNDEF) {
        value = resolve_(name(symbol));
        if (value == 0) throw std::runtime_error("unknown symbol '" + std::string(name(symbol)) + "'");
      } else {
        need(symbol.st_shndx < sections_.size());
        if (placed_[symbol.st_shndx].kind == kinds) continue;  // of a section that is not loaded
        value = address(placed_[symbol.st_shndx].offset + symbol.st_value);
        if (ELF64_ST_BIND(symbol.st_info) != STB_LOCAL) {
          loaded.symbols_[std::string(name(symbol))] = reinterpret_cast<void*>(value);
        }
      }
      const std::uint64_t entry = got_ + kGotEntryBytes * i;
      std::memcpy(memory_ + entry, &value, sizeof value);
      const std::uint64_t jump = plt_ + kPltEntryBytes * i;
      const auto distance = static_cast<std::int32_t>(entry - (jump + 6));
      memory_[jump] = std::byte{0xff};
      memory_[jump + 1] = std::byte{0x25};
      std::memcpy(memory_ + jump + 2, &distance, sizeof distance);
    }
  }

  void relocate(const Elf64_Shdr& section) {
    need(section.sh_info < sections_.size());
    const Place& place = placed_[section.sh_info];
    if (place.kind == kinds) return;
    const std::uint64_t size = sections_[section.sh_info].sh_size;
    for (const Elf64_Rela& r : list<Elf64_Rela>(section.sh_offset, section.sh_size)) {
      const std::uint64_t index = ELF64_R_SYM(r.r_info);
      need(index < symbols_.size() && r.r_offset < size);
      apply(r, static_cast<std::size_t>(index), place.offset + r.r_offset, size - r.r_offset);
    }
  }

  // The formulas are those of the psABI for x86-64, table 4.10.
  void apply(const Elf64_Rela& r, std::size_t symbol, std::uint64_t offset, std::uint64_t room) {
    const std::uint64_t target = values_[symbol] + static_cast<std::uint64_t>(r.r_addend);
    const std::uint64_t here = address(offset);
    switch (ELF64_R_TYPE(r.r_info)) {
      case R_X86_64_NONE: return;
      case R_X86_64_64: return put(offset, room, target);
      case R_X86_64_PC64: return put(offset, room, target - here);
      case R_X86_64_32: return put_checked<std::uint32_t>(offset, room, static_cast<std::int64_t>(target));
      case R_X86_64_32S: return put_checked<std::int32_t>(offset, room, static_cast<std::int64_t>(target));
      case R_X86_64_PC32: return put_checked<std::int32_t>(offset, room, static_cast<std::int64_t>(target - here));
      case R_X86_64_PLT32: {
        const bool own = symbols_[symbol].st_shndx != SHN_UNDEF;
        const std::uint64_t jump = address(plt_ + kPltEntryBytes * symbol) + static_cast<std::uint64_t>(r.r_addend);
        return put_checked<std::int32_t>(offset, room, static_cast<std::int64_t>((own ? target : jump) - here));
      }
      case R_X86_64_GOTPCREL:
      case R_X86_64_GOTPCRELX:
      case R_X86_64_REX_GOTPCRELX: {
        const std::uint64_t entry = address(got_ + kGotEntryBytes * symbol) + static_cast<std::uint64_t>(r.r_addend);
        return put_checked<std::int32_t>(offset, room, static_cast<std::int64_t>(entry - here));
      }
      default: throw std::runtime_error("relocation " + std::to_string(ELF64_R_TYPE(r.r_info)) + " is not known");
    }
  }

  template <class T>
  void put_checked(std::uint64_t offset, std::uint64_t room, std::int64_t value) {
    if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
      throw std::runtime_error("a relocation does not reach");
    }
    put(offset, room, static_cast<T>(value));
  }
  template <class T>
  void put(std::uint64_t offset, std::uint64_t room, T value) {
    need(room >= sizeof value);
    std::memcpy(memory_ + offset, &value, sizeof value);
  }

  std::span<const std::byte> object_;
  const LoadedObject::Resolve& resolve_;
  std::vector<Elf64_Shdr> sections_;
  std::vector<Place> placed_;  // by section
  std::vector<Elf64_Sym> symbols_;
  std::vector<std::uint64_t> values_;  // addresses, by symbol
  std::string_view names_;
  std::byte* memory_ = nullptr;
  std::uint64_t begin_[kinds] = {}, end_[kinds] = {};
  std::uint64_t bytes_ = 0, plt_ = 0, got_ = 0;
};

std::unique_ptr<LoadedObject> LoadedObject::load(std::span<const std::byte> object, const Resolve& resolve,
                                                 std::string& error) {
  try {
    return ObjectReader(object, resolve).load();
  } catch (const std::runtime_error& e) {
    error += e.what();
    return nullptr;
  }
}

LoadedObject::~LoadedObject() {
  if (memory_ != nullptr) munmap(memory_, bytes_);
}

void* LoadedObject::find(const std::string& name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? nullptr : found->second;
}

}  // namespace sluice::exec
