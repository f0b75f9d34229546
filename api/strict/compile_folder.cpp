#include "api/strict/compile_folder.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace sluice::api::strict {

namespace {

using Bytes = std::span<const unsigned char>;

// Reads from the front; beyond the end everything is 0 and `good` false.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}
  [[nodiscard]] bool good() const noexcept { return good_; }
  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

  Bytes take(std::uint64_t count) {
    good_ &= count <= rest_.size();
    const Bytes taken = rest_.first(good_ ? count : 0);
    rest_ = rest_.subspan(taken.size());
    return taken;
  }
  // Of the machine's order.
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    const Bytes taken = take(bytes);
    if (!taken.empty()) std::memcpy(&value, taken.data(), std::min(taken.size(), sizeof value));
    return value;
  }
  std::uint64_t leb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; good_; shift += 7) {
      const std::uint64_t byte = number(1);
      if (shift < 64) value |= (byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) break;
    }
    return value;
  }
  std::string_view text() {
    const auto end = std::find(rest_.begin(), rest_.end(), 0);
    const Bytes taken = take(static_cast<std::uint64_t>(end - rest_.begin()));
    take(1);
    return {reinterpret_cast<const char*>(taken.data()), taken.size()};
  }

 private:
  Bytes rest_;
  bool good_ = true;
};

Bytes from(Bytes bytes, std::uint64_t offset) {
  return offset > bytes.size() ? Bytes() : bytes.subspan(offset);
}

// A file in memory, as long as this is.
class File {
 public:
  explicit File(const std::string& name) {
    const int file = ::open(name.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return;
    struct stat what = {};
    if (::fstat(file, &what) == 0 && what.st_size > 0) {
      const auto size = static_cast<std::size_t>(what.st_size);
      void* const p = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
      if (p != MAP_FAILED) bytes_ = {static_cast<const unsigned char*>(p), size};
    }
    ::close(file);
  }
  ~File() {
    if (!bytes_.empty()) ::munmap(const_cast<unsigned char*>(bytes_.data()), bytes_.size());
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] Bytes bytes() const noexcept { return bytes_; }

 private:
  Bytes bytes_;
};

struct Sections {
  Bytes info, abbrev, str, line_str, str_offsets;
};

template <class T>
std::optional<T> object_at(Bytes file, std::uint64_t offset) {
  T object;
  const Bytes at = from(file, offset);
  if (at.size() < sizeof object) return std::nullopt;
  std::memcpy(&object, at.data(), sizeof object);
  return object;
}

Sections sections_of(Bytes file) {
  Sections found;
  const auto header = object_at<Elf64_Ehdr>(file, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64) {
    return found;
  }
  const auto section = [&](std::uint64_t i) {
    return object_at<Elf64_Shdr>(file, header->e_shoff + i * sizeof(Elf64_Shdr));
  };
  const auto names = section(header->e_shstrndx);
  if (!names) return found;
  for (unsigned i = 0; i < header->e_shnum; ++i) {
    const auto s = section(i);
    if (!s || s->sh_type == SHT_NOBITS || (s->sh_flags & SHF_COMPRESSED) != 0) continue;
    const std::string_view name = Reader(from(from(file, names->sh_offset), s->sh_name)).text();
    Bytes* const target = name == ".debug_info"          ? &found.info
                          : name == ".debug_abbrev"      ? &found.abbrev
                          : name == ".debug_str"         ? &found.str
                          : name == ".debug_line_str"    ? &found.line_str
                          : name == ".debug_str_offsets" ? &found.str_offsets
                                                         : nullptr;
    if (target == nullptr) continue;
    const Bytes all = from(file, s->sh_offset);
    *target = all.first(std::min<std::uint64_t>(all.size(), s->sh_size));
  }
  return found;
}

// What one compilation says of itself.
struct Unit {
  std::string source;  // as the compiler was given it
  std::string folder;
};

// DWARF 5, 7.5: the attributes of a unit's first entry. Names as there.
class UnitReader {
 public:
  UnitReader(const Sections& sections, Bytes unit) : sections_(sections), in_(unit) {}

  std::optional<Unit> read() {
    version_ = in_.number(2);
    if (version_ < 2 || version_ > 5) return std::nullopt;
    std::uint64_t abbreviations = 0;
    if (version_ == 5) {
      const std::uint64_t type = in_.number(1);
      address_bytes_ = in_.number(1);
      abbreviations = in_.number(4);
      constexpr std::uint64_t compile = 1, partial = 3, skeleton = 4;
      if (type == skeleton) in_.take(8);
      if (type != compile && type != partial && type != skeleton) return std::nullopt;
    } else {
      abbreviations = in_.number(4);
      address_bytes_ = in_.number(1);
    }
    const std::uint64_t code = in_.leb();
    Reader list = abbreviation(abbreviations, code);
    constexpr std::uint64_t name = 0x03, comp_dir = 0x1b, str_offsets_base = 0x72;
    Value source, folder;
    std::uint64_t base = 8;
    while (in_.good() && list.good()) {
      const std::uint64_t attribute = list.leb();
      const std::uint64_t form = list.leb();
      if (attribute == 0 && form == 0) break;
      if (form == implicit_const) list.leb();
      Value value;
      if (!read_value(form, value)) return std::nullopt;
      if (attribute == name) source = value;
      if (attribute == comp_dir) folder = value;
      if (attribute == str_offsets_base) base = value.number;
    }
    if (!in_.good()) return std::nullopt;
    return Unit{std::string(text_of(source, base)), std::string(text_of(folder, base))};
  }

 private:
  static constexpr std::uint64_t implicit_const = 0x21;
  struct Value {
    std::uint64_t number = 0;
    std::string_view text;
    bool is_index = false;  // of .debug_str_offsets
  };

  // Its attributes and forms.
  [[nodiscard]] Reader abbreviation(std::uint64_t offset, std::uint64_t code) const {
    Reader list(from(sections_.abbrev, offset));
    while (list.good()) {
      const std::uint64_t here = list.leb();
      list.leb();    // tag
      list.take(1);  // whether it has children
      if (here == code || here == 0) break;
      for (std::uint64_t attribute = 1, form = 1; list.good() && (attribute != 0 || form != 0);) {
        attribute = list.leb();
        form = list.leb();
        if (form == implicit_const) list.leb();
      }
    }
    return list;
  }

  [[nodiscard]] std::string_view text_of(const Value& value, std::uint64_t base) const {
    if (!value.is_index) return value.text;
    const std::uint64_t offset = Reader(from(sections_.str_offsets, base + 4 * value.number)).number(4);
    return Reader(from(sections_.str, offset)).text();
  }

  // False: a form that is not known, behind which nothing can be read.
  bool read_value(std::uint64_t form, Value& value) {
    switch (form) {
      case 0x08:  // string
        value.text = in_.text();
        return true;
      case 0x0e:  // strp
        value.text = Reader(from(sections_.str, in_.number(4))).text();
        return true;
      case 0x1f:  // line_strp
        value.text = Reader(from(sections_.line_str, in_.number(4))).text();
        return true;
      case 0x1a:  // strx
        value = {in_.leb(), {}, true};
        return true;
      case 0x25:  // strx1 to strx4
      case 0x26:
      case 0x27:
      case 0x28:
        value = {in_.number(form - 0x24), {}, true};
        return true;
      case 0x0d:  // sdata, udata, ref_udata, addrx, loclistx, rnglistx
      case 0x0f:
      case 0x15:
      case 0x1b:
      case 0x22:
      case 0x23:
        value.number = in_.leb();
        return true;
      case 0x09:  // block, exprloc
      case 0x18:
        in_.take(in_.leb());
        return true;
      case 0x0a:  // block1, block2, block4
        in_.take(in_.number(1));
        return true;
      case 0x03:
        in_.take(in_.number(2));
        return true;
      case 0x04:
        in_.take(in_.number(4));
        return true;
      default:
        break;
    }
    const std::optional<std::uint64_t> bytes = size_of(form);
    if (!bytes) return false;
    value.number = *bytes <= 8 ? in_.number(*bytes) : (in_.take(*bytes), 0);
    return true;
  }

  [[nodiscard]] std::optional<std::uint64_t> size_of(std::uint64_t form) const {
    switch (form) {
      case 0x01:  // addr
        return address_bytes_;
      case 0x10:  // ref_addr
        return version_ == 2 ? address_bytes_ : 4;
      case 0x19:  // flag_present
      case implicit_const:
        return 0;
      case 0x0b:  // data1, flag, ref1, addrx1
      case 0x0c:
      case 0x11:
      case 0x29:
        return 1;
      case 0x05:  // data2, ref2, addrx2
      case 0x12:
      case 0x2a:
        return 2;
      case 0x2b:  // addrx3
        return 3;
      case 0x06:  // data4, ref4, sec_offset, ref_sup4, strp_sup, addrx4
      case 0x13:
      case 0x17:
      case 0x1c:
      case 0x1d:
      case 0x2c:
        return 4;
      case 0x07:  // data8, ref8, ref_sig8, ref_sup8
      case 0x14:
      case 0x20:
      case 0x24:
        return 8;
      case 0x1e:  // data16
        return 16;
      default:
        return std::nullopt;
    }
  }

  const Sections& sections_;
  Reader in_;
  std::uint64_t version_ = 0;
  std::uint64_t address_bytes_ = 8;
};

std::vector<Unit> units_of(const std::string& module) {
  const File file(module);
  const Sections sections = sections_of(file.bytes());
  std::vector<Unit> units;
  Reader in(sections.info);
  while (!in.at_end() && in.good()) {
    const std::uint64_t length = in.number(4);
    if (length >= 0xfffffff0) break;  // DWARF of 64 bits
    const Bytes bytes = in.take(length);
    if (!in.good()) break;
    if (std::optional<Unit> unit = UnitReader(sections, bytes).read(); unit && !unit->folder.empty()) {
      units.push_back(std::move(*unit));
    }
  }
  return units;
}

}  // namespace

std::string absolute_source(const std::string& module, const std::string& source) {
  namespace fs = std::filesystem;
  if (source.empty()) return source;
  if (source.starts_with('/')) return fs::path(source).lexically_normal().string();
  static std::map<std::string, std::vector<Unit>> known;
  const auto [it, first_time] = known.try_emplace(module);
  if (first_time) it->second = units_of(module);
  const std::vector<Unit>& units = it->second;
  const auto joined = [&](const Unit& unit) { return (fs::path(unit.folder) / source).lexically_normal().string(); };
  // A header is no unit's own source: the folder is one in which it is found, or the only one.
  std::error_code code;
  for (const Unit& unit : units) {
    if (unit.source == source) return joined(unit);
  }
  const Unit* before = nullptr;
  for (const Unit& unit : units) {
    const bool is_new_folder = before == nullptr || before->folder != unit.folder;
    before = &unit;
    if (is_new_folder && fs::exists(joined(unit), code)) return joined(unit);
  }
  const bool all_alike =
      std::all_of(units.begin(), units.end(), [&](const Unit& unit) { return unit.folder == units.front().folder; });
  return !units.empty() && all_alike ? joined(units.front()) : source;
}

}  // namespace sluice::api::strict
