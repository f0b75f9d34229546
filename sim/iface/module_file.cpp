#include "sim/iface/module_file.h"

#include <dlfcn.h>
#include <link.h>

#include <system_error>

namespace sluice {

std::filesystem::path module_file(const void* address) {
  Dl_info info{};
  link_map* map = nullptr;
  if (::dladdr1(address, &info, reinterpret_cast<void**>(&map), RTLD_DL_LINKMAP) == 0) return {};
  // The program itself has no name there. What dladdr() gives then is argv[0], a bare word if it was found through PATH.
  const bool is_program = map == nullptr || map->l_name == nullptr || *map->l_name == '\0';
  std::error_code code;
  std::filesystem::path file = is_program ? std::filesystem::read_symlink("/proc/self/exe", code) : std::filesystem::canonical(map->l_name, code);
  return code ? std::filesystem::path() : file;
}

}  // namespace sluice
