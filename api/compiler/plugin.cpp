#include "api/compiler/plugin.h"

#include <dlfcn.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "api/compiler/cache.h"
#include "api/compiler/worker.h"
#include "sim/iface/module_file.h"

namespace sluice::compiler {

namespace {

constexpr const char* kFile = "libsluice_kernels.so";
constexpr const char kKey[] = SLUICE_PLUGIN_KEY;
static_assert(sizeof kKey <= sizeof KernelsPlugin::key);

// Beside the file that holds this function: the driver's, or in the build tree a test's.
std::filesystem::path find_plugin() {
  const std::filesystem::path own = module_file(reinterpret_cast<const void*>(&find_plugin));
  if (own.empty()) return kFile;
  std::error_code ignored;
  const std::filesystem::path beside = own.parent_path() / "sluice" / kFile;
  const std::filesystem::path above = own.parent_path().parent_path() / "lib" / "sluice" / kFile;
  return std::filesystem::exists(beside, ignored) || !std::filesystem::exists(above, ignored) ? beside : above;
}

const std::string& plugin_path() {
  static const std::string path = find_plugin().string();
  return path;
}

const KernelsPlugin* open_plugin(std::string& error) {
  void* const library = ::dlopen(plugin_path().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    error = "error: the compiler cannot be loaded: " + std::string(::dlerror()) + "\n";
    return nullptr;
  }
  const auto* plugin = static_cast<const KernelsPlugin*>(::dlsym(library, kPluginSymbol));
  if (plugin != nullptr && std::memcmp(plugin->key, kKey, sizeof kKey) == 0) return plugin;
  error = "error: the compiler cannot be loaded: " + plugin_path() + " is not of this version of the driver\n";
  ::dlclose(library);
  return nullptr;
}

// Every time that there is none it is looked for again: calls are rare, and it may have been installed.
const KernelsPlugin* loaded = nullptr;

Result none(std::string error) { return {.log = std::move(error)}; }

}  // namespace

const KernelsPlugin* load_plugin(std::string& error) {
  if (loaded == nullptr) loaded = open_plugin(error);
  return loaded;
}

bool is_installed() { return loaded != nullptr || ::access(plugin_path().c_str(), R_OK) == 0; }

std::string why_unavailable() {
  std::string error;
  (void)load_plugin(error);
  return error;
}

Result compile_source(Source source, ImageKind kind, const std::string& cache_folder) {
  const std::string key = cache_folder.empty() ? std::string() : cache_key(source, kind);
  if (auto kept = find_result(cache_folder, key)) return std::move(*kept);
  std::string error;
  const KernelsPlugin* const plugin = load_plugin(error);
  if (plugin == nullptr) return none(std::move(error));
  Result result;
  on_large_stack([&] { result = plugin->compile_source(source, kind); });
  keep_result(cache_folder, key, result);
  return result;
}

Result compile_il(std::span<const std::uint32_t> words, const std::map<std::uint32_t, std::uint64_t>& constants,
                  const CompileOptions& options, ImageKind kind, const std::string& cache_folder) {
  const std::string key = cache_folder.empty() ? std::string() : cache_key(words, constants, options, kind);
  if (auto kept = find_result(cache_folder, key)) return std::move(*kept);
  std::string error;
  const KernelsPlugin* const plugin = load_plugin(error);
  if (plugin == nullptr) return none(std::move(error));
  Result result;
  on_large_stack([&] { result = plugin->compile_il(words, constants, options, kind); });
  keep_result(cache_folder, key, result);
  return result;
}

Result link(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind) {
  std::string error;
  const KernelsPlugin* const plugin = load_plugin(error);
  if (plugin == nullptr) return none(std::move(error));
  Result result;
  on_large_stack([&] { result = plugin->link(inputs, kind); });
  return result;
}

}  // namespace sluice::compiler
