#include "sim/exec/loaded_program.h"

#include <pthread.h>

#include <filesystem>

#include "sim/exec/image_file.h"
#include "sim/exec/image_key.h"

namespace sluice::exec {
namespace {

// LLVM recurses over expressions and blocks: a program must not be able to overflow the caller's stack.
template <typename Work>
void on_large_stack(Work work) {
  constexpr std::size_t stack_bytes = std::size_t{256} << 20;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  pthread_t thread{};
  auto run = [](void* argument) -> void* {
    (*static_cast<Work*>(argument))();
    return nullptr;
  };
  const bool started = pthread_create(&thread, &attributes, run, &work) == 0;
  pthread_attr_destroy(&attributes);
  if (started) {
    pthread_join(thread, nullptr);
  } else {
    work();
  }
}

// The compiler's time and memory for less than this are a fraction of what is allowed to those in isolation.
constexpr std::size_t trusted_bytes = std::size_t{1} << 20;
constexpr std::uint64_t trusted_instructions = 30'000;

// What `compile` makes of `image` and `log`, made in isolation.
template <typename Image>
bool isolated(const LoadOptions& options, const std::function<bool(Image&, std::string&)>& compile, Image& image,
              std::string& log) {
  std::string error;
  const auto answer = options.isolate(
      [&] {
        Image made;
        std::string said;
        return compile(made, said) ? '+' + encode_image(made) : '-' + said;
      },
      error);
  if (!answer) {
    log += "error: " + error + '\n';
    return false;
  }
  if (answer->starts_with('+')) return decode_image(std::string_view(*answer).substr(1), image);
  log += answer->substr(1);
  return false;
}

}  // namespace

std::string LoadedProgram::path(const std::string& ending) const {
  if (options_.cache_folder.empty()) return {};
  return std::filesystem::path(options_.cache_folder) / (key_ + ending);
}

std::shared_ptr<const LoadedProgram> LoadedProgram::load(std::span<const std::byte> bitcode,
                                                         const LoadOptions& options, FindKernelCompiler find,
                                                         std::string& log) {
  std::shared_ptr<LoadedProgram> program(new LoadedProgram);
  program->bitcode_.assign(bitcode.begin(), bitcode.end());
  program->options_ = options;
  program->find_ = find;
  program->key_ = image_key(bitcode, options);
  bool good = false;
  on_large_stack([&] { good = program->examine_program(log); });
  return good ? program : nullptr;
}

bool LoadedProgram::examine_program(std::string& log) {
  const std::string at = path(".program");
  ProgramImage image;
  const auto take = [&](std::string& why) {
    if (!image.variables.empty()) {
      variables_ = NativeCode::load(image, why);
      if (variables_ == nullptr) return false;
    }
    infos_ = std::move(image.kernels);
    sizes_ = std::move(image.sizes);
    sizes_.resize(infos_.size());
    ready_.resize(infos_.size());
    quiet_.resize(infos_.size());
    return true;
  };
  std::string ignored;
  if (!at.empty() && read_image(at, image) && take(ignored)) return true;
  image = {};
  const KernelCompiler* const compiler = find_(log);
  if (compiler == nullptr) return false;
  const auto examine = [&](ProgramImage& made, std::string& said) { return compiler->examine(bitcode_, made, said); };
  const bool large = options_.isolate != nullptr && bitcode_.size() > trusted_bytes;
  if (!(large ? isolated<ProgramImage>(options_, examine, image, log) : examine(image, log))) return false;
  if (!at.empty()) store_image(at, image);
  return take(log);
}

bool LoadedProgram::prepare(std::uint32_t kernel, std::string& log) const {
  if (kernel >= ready_.size()) return false;
  if (ready_[kernel] != nullptr) return true;
  on_large_stack([&] { ready_[kernel] = make(kernel, log); });
  if (ready_[kernel] == nullptr) return false;
  infos_[kernel] = ready_[kernel]->image.info;
  infos_[kernel].may_wait = ready_[kernel]->image.may_wait;
  if (ready_[kernel]->image.may_wait || options_.lockstep)
    infos_[kernel].steered_by |= std::uint64_t{1} << steered_by_other;
  return true;
}

std::string LoadedProgram::path_of(std::uint32_t kernel, bool quiet) const {
  return path('.' + std::to_string(kernel) + (quiet ? ".quiet" : ".kernel"));
}

// From the folder; nullptr: it is not there.
std::unique_ptr<LoadedProgram::Kernel> LoadedProgram::fetch(std::uint32_t kernel, const std::string& at) const {
  auto result = std::make_unique<Kernel>();
  std::string ignored;
  if (at.empty() || !read_image(at, result->image) || result->image.info.name != infos_[kernel].name) return nullptr;
  result->code = NativeCode::load(result->image, variables_.get(), ignored);
  if (result->code == nullptr) return nullptr;
  result->image.object = {};
  return result;
}

bool LoadedProgram::compile(std::uint32_t kernel, const std::string& at, Kernel& result, std::string& log) const {
  const KernelCompiler* const compiler = find_(log);
  if (compiler == nullptr) return false;
  const auto compile = [&](KernelImage& made, std::string& said) {
    return compiler->compile(bitcode_, options_, kernel, made, said);
  };
  const bool large = options_.isolate != nullptr && sizes_[kernel] > trusted_instructions;
  if (!(large ? isolated<KernelImage>(options_, compile, result.image, log) : compile(result.image, log))) return false;
  result.code = NativeCode::load(result.image, variables_.get(), log);
  if (result.code == nullptr) return false;
  if (!at.empty()) store_image(at, result.image);
  result.image.object = {};
  return true;
}

std::unique_ptr<LoadedProgram::Kernel> LoadedProgram::make(std::uint32_t kernel, std::string& log) const {
  const std::string at = path_of(kernel, false);
  if (auto found = fetch(kernel, at)) return found;
  auto result = std::make_unique<Kernel>();
  return compile(kernel, at, *result, log) ? std::move(result) : nullptr;
}

void LoadedProgram::spend(std::uint32_t kernel, std::uint64_t instructions) const {
  quiet_[kernel].spent += instructions;
}

const LoadedProgram::Kernel* LoadedProgram::quiet(std::uint32_t kernel) const {
  // Bringing such code in takes a fraction of the time that compiling it does. Logging by work-item, which rows save, takes
  // several times as long as executing.
  const bool saves_logs = ready_[kernel] != nullptr && ready_[kernel]->image.in_rows;
  const std::uint64_t worth_compiling = options_.quiet_after_instructions / (saves_logs ? 4 : 1);
  const std::uint64_t worth_looking = worth_compiling / 32;
  Quiet& q = quiet_[kernel];
  if (q.postponed != 0) {
    --q.postponed;
    return nullptr;
  }
  if (q.kernel != nullptr || q.tried) return q.kernel.get();
  if (q.spent < worth_looking) return nullptr;
  const std::string at = path_of(kernel, true);
  if (!q.looked) {
    q.looked = true;
    q.kernel = fetch(kernel, at);
    if (q.kernel != nullptr) return q.kernel.get();
  }
  if (q.spent < worth_compiling || sizes_[kernel] > trusted_instructions) return nullptr;
  q.tried = true;
  auto result = std::make_unique<Kernel>();
  result->image.quiet = true;
  bool good = false;
  std::string ignored;
  on_large_stack([&] { good = compile(kernel, at, *result, ignored); });
  if (good) q.kernel = std::move(result);
  return q.kernel.get();
}

}  // namespace sluice::exec
