#include "traces/protobuf/plugin.h"

#include <dlfcn.h>

#include <cstring>
#include <filesystem>

#include "sim/iface/module_file.h"

namespace sluice::trace {

namespace {

constexpr const char* file = "libsluice_perfetto.so";
constexpr const char key[] = SLUICE_PERFETTO_KEY;
static_assert(sizeof key <= sizeof PerfettoPlugin::key);

// In the folder "sluice" beside the driver, or in lib beside the folder of the command or a test.
std::string plugin_path() {
  std::error_code ignored;
  const std::filesystem::path folder = module_file(reinterpret_cast<const void*>(&plugin_path)).parent_path();
  for (const auto& candidate : {folder / "sluice" / file, folder.parent_path() / SLUICE_LIBDIR / "sluice" / file,
                                folder.parent_path() / "lib" / "sluice" / file}) {
    if (std::filesystem::exists(candidate, ignored)) return candidate.string();
  }
  return file;
}

}  // namespace

std::unique_ptr<Writer> make_protobuf_writer(std::unique_ptr<Output> output, std::string& error) {
  void* const library = ::dlopen(plugin_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    error = output->path() + ": Perfetto's protobuf format cannot be written: " + ::dlerror();
    return nullptr;
  }
  const auto* plugin = static_cast<const PerfettoPlugin*>(::dlsym(library, perfetto_plugin_symbol));
  if (plugin != nullptr && std::memcmp(plugin->key, key, sizeof key) == 0) return plugin->make(std::move(output));
  error = output->path() + ": Perfetto's protobuf format cannot be written: " + plugin_path() +
          " is not of this version of Sluice";
  return nullptr;
}

}  // namespace sluice::trace
