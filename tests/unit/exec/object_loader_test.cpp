// Objects that are none, or not whole, are refused; the kernel tests load those that are.
#include "sim/exec/object_loader.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace sluice::exec {
namespace {

// Written by hand: mov $42,%eax; ret as `answer`, and a word of data that a relocation makes the address of `outside`.
std::vector<std::byte> object(std::uint32_t relocation = R_X86_64_64) {
  struct File {
    Elf64_Ehdr header;
    Elf64_Shdr sections[6];
    Elf64_Sym symbols[4];
    Elf64_Rela relocation;
    char names[32];
    unsigned char code[8];
    std::uint64_t word;
  } file{};
  std::memcpy(file.header.e_ident, ELFMAG, SELFMAG);
  file.header.e_ident[EI_CLASS] = ELFCLASS64;
  file.header.e_type = ET_REL;
  file.header.e_machine = EM_X86_64;
  file.header.e_shoff = offsetof(File, sections);
  file.header.e_shentsize = sizeof(Elf64_Shdr);
  file.header.e_shnum = 6;
  const auto section = [&](int i, Elf64_Word type, Elf64_Xword flags, std::size_t offset, std::size_t size, int link = 0,
                           int info = 0) {
    file.sections[i].sh_type = type;
    file.sections[i].sh_flags = flags;
    file.sections[i].sh_offset = offset;
    file.sections[i].sh_size = size;
    file.sections[i].sh_link = static_cast<Elf64_Word>(link);
    file.sections[i].sh_info = static_cast<Elf64_Word>(info);
    file.sections[i].sh_addralign = 8;
  };
  section(1, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, offsetof(File, code), sizeof file.code);
  section(2, SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, offsetof(File, word), sizeof file.word);
  section(3, SHT_SYMTAB, 0, offsetof(File, symbols), sizeof file.symbols, 4, 1);
  section(4, SHT_STRTAB, 0, offsetof(File, names), sizeof file.names);
  section(5, SHT_RELA, 0, offsetof(File, relocation), sizeof file.relocation, 3, 2);
  std::memcpy(file.names, "\0answer\0word\0outside", 21);
  const unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3};
  std::memcpy(file.code, code, sizeof code);
  file.symbols[1] = {1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0, 6};
  file.symbols[2] = {8, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, 2, 0, 8};
  file.symbols[3] = {13, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, SHN_UNDEF, 0, 0};
  file.relocation = {0, ELF64_R_INFO(std::uint64_t{3}, relocation), 5};
  std::vector<std::byte> bytes(sizeof file);
  std::memcpy(bytes.data(), &file, sizeof file);
  return bytes;
}

std::uint64_t resolve(std::string_view name) { return name == "outside" ? 1000 : 0; }

TEST(ObjectLoader, CodeRunsAndDataIsRelocated) {
  std::string error;
  const auto loaded = LoadedObject::load(object(), &resolve, error);
  ASSERT_NE(loaded, nullptr) << error;
  ASSERT_NE(loaded->find("answer"), nullptr);
  EXPECT_EQ(reinterpret_cast<int (*)()>(loaded->find("answer"))(), 42);
  auto* const word = static_cast<std::uint64_t*>(loaded->find("word"));
  ASSERT_NE(word, nullptr);
  EXPECT_EQ(*word, 1005U);  // S + A
  *word = 1;                // may be written
  EXPECT_EQ(loaded->find("outside"), nullptr);
  EXPECT_EQ(loaded->find("nonesuch"), nullptr);
}

TEST(ObjectLoader, SaysWhatItCannotDo) {
  std::string error;
  EXPECT_EQ(LoadedObject::load(object(R_X86_64_TPOFF32), &resolve, error), nullptr);
  EXPECT_NE(error.find("relocation"), std::string::npos) << error;
  error.clear();
  EXPECT_EQ(LoadedObject::load(object(), [](std::string_view) { return std::uint64_t{0}; }, error), nullptr);
  EXPECT_NE(error.find("'outside'"), std::string::npos) << error;
  error.clear();
  // 1000 is more than 2 GiB from where code lies.
  EXPECT_EQ(LoadedObject::load(object(R_X86_64_PC32), &resolve, error), nullptr);
  EXPECT_NE(error.find("does not reach"), std::string::npos) << error;
}

// Files are checked by a sum, so damage like this is forgery; the process outlives it all the same.
TEST(ObjectLoader, DamagedObjects) {
  const std::vector<std::byte> good = object();
  for (std::size_t size = 0; size < good.size(); size += 7) {
    std::string error;
    (void)LoadedObject::load(std::span(good).first(size), &resolve, error);
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::vector<std::byte> bad = good;
    bad[bit / 8] ^= std::byte{1} << (bit % 8);
    std::string error;
    const auto loaded = LoadedObject::load(bad, &resolve, error);
    EXPECT_EQ(loaded == nullptr, !error.empty()) << bit;
  }
}

}  // namespace
}  // namespace sluice::exec
