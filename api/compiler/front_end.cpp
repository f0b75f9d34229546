// OpenCL C -> LLVM module, by clang in this process.
#include <clang/Basic/DiagnosticIDs.h>
#include <clang/CodeGen/CodeGenAction.h>
#include <clang/Frontend/CompilerInstance.h>
#include <clang/Frontend/CompilerInvocation.h>
#include <clang/Frontend/FrontendActions.h>
#include <clang/Frontend/TextDiagnosticPrinter.h>
#include <clang/Lex/Preprocessor.h>
#include <clang/Lex/PreprocessorOptions.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/VirtualFileSystem.h>
#include <llvm/Support/raw_ostream.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <map>
#include <string_view>

#include "api/compiler/backend.h"
#include "api/compiler/cache.h"
#include "api/compiler/module.h"
#include "api/compiler/resources.h"
#include "api/compiler/shape.h"

namespace sluice::compiler {

namespace {

// A folder that no file system has, for the program's text and its embedded headers.
constexpr const char* kFolder = "/.sluice";
constexpr const char* kResources = "/.sluice-clang";
constexpr const char* kFile = "<program>";
constexpr const char* kPrologue = "<features>";

constexpr std::size_t kLogBytes = std::size_t{1} << 20;
// Of a file that a program includes.
constexpr std::uint64_t kMostFileBytes = std::uint64_t{64} << 20;
// 10 MB of source are fewer. Macros that double each other make any number.
constexpr std::size_t kMostTokens = 16'000'000;

// For each diagnostic clang searches for the ends of its line, although it shows none that is longer than this.
constexpr std::size_t kLongestLineShown = 4096;

bool has_long_line(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end - at > kLongestLineShown) return true;
    at = end + 1;
  }
  return false;
}

// The machine's files, with a note of what was asked about them.
class NotedFiles final : public llvm::vfs::ProxyFileSystem {
 public:
  NotedFiles() : ProxyFileSystem(llvm::vfs::getRealFileSystem()) {}

  llvm::ErrorOr<llvm::vfs::Status> status(const llvm::Twine& path) override {
    auto answer = ProxyFileSystem::status(path);
    note(path, bool(answer));
    return answer;
  }
  llvm::ErrorOr<std::unique_ptr<llvm::vfs::File>> openFileForRead(const llvm::Twine& path) override {
    // A device or a pipe may have no end.
    const auto what = ProxyFileSystem::status(path);
    if (what && (!what->isRegularFile() || what->getSize() > kMostFileBytes))
      return std::make_error_code(std::errc::file_too_large);
    auto answer = ProxyFileSystem::openFileForRead(path);
    note(path, bool(answer));
    return answer;
  }

  // Puts down what the result depends on.
  void describe(Result& result) const {
    for (const auto& [path, exists] : asked_) {
      Dependence& file = result.read.emplace_back(Dependence{path, exists});
      auto text = exists ? llvm::MemoryBuffer::getFile(path) : std::error_code();
      if (!exists || !text) continue;  // a folder
      file.hash = hash_of((*text)->getBuffer());
      if (asks_for_time((*text)->getBuffer())) result.changes = true;
    }
  }
  static bool asks_for_time(llvm::StringRef text) {
    return text.contains("__DATE__") || text.contains("__TIME__") || text.contains("__TIMESTAMP__");
  }

 private:
  void note(const llvm::Twine& path, bool exists) {
    const std::string name = path.str();
    if (!llvm::StringRef(name).startswith(kFolder)) asked_[name] = exists;
  }
  std::map<std::string, bool> asked_;
};

// Prints diagnostics as clang does, but no more than a log can hold.
class Printer final : public clang::TextDiagnosticPrinter {
 public:
  Printer(llvm::raw_string_ostream& out, clang::DiagnosticOptions* options)
      : TextDiagnosticPrinter(out, options), out_(out) {}

  void HandleDiagnostic(clang::DiagnosticsEngine::Level level, const clang::Diagnostic& info) override {
    if (out_.str().size() < kLogBytes) {
      TextDiagnosticPrinter::HandleDiagnostic(level, info);
      if (out_.str().size() >= kLogBytes) {
        out_ << "further diagnostics are left out\n";
        // Making a warning takes longer than reading on, much longer if a line is a megabyte.
        const_cast<clang::DiagnosticsEngine*>(info.getDiags())->setIgnoreAllWarnings(true);
      }
    } else {
      DiagnosticConsumer::HandleDiagnostic(level, info);  // counts them
    }
  }

 private:
  llvm::raw_string_ostream& out_;
};

// Reads the tokens that the program is once it is preprocessed, until `enough` says so or there are no more.
class ReadTokens final : public clang::PreprocessorFrontendAction {
 public:
  explicit ReadTokens(const std::function<bool(const clang::Token&)>& enough) : enough_(enough) {}

 private:
  void ExecuteAction() override {
    clang::Preprocessor& preprocessor = getCompilerInstance().getPreprocessor();
    clang::Token token;
    preprocessor.EnterMainSourceFile();
    do {
      preprocessor.Lex(token);
    } while (token.isNot(clang::tok::eof) && !enough_(token));
  }

  const std::function<bool(const clang::Token&)>& enough_;
};

std::vector<std::string> arguments(const Source& source) {
  std::vector<std::string> list = {
      "-triple", "spir64-unknown-unknown",
      "-emit-llvm-only", "-O2", "-disable-llvm-passes",  // the engine optimises, with its own passes
      "-resource-dir", kResources,
      "-nostdsysteminc",  // the program's headers, not the machine's
      "-working-directory", kFolder,
      "-cl-std=" + source.options.standard,
      "-cl-ext=" + source.extensions,
      "-finclude-default-header", "-fdeclare-opencl-builtins",
      "-ffp-contract=on",
      "-debug-info-kind=line-tables-only", "-dwarf-version=4",
      std::string("-fdebug-prefix-map=") + kFolder + "/=",
      "-ferror-limit", "100",
      "-D", "__OPENCL_VERSION__=300",
  };
  // Embedded headers first, then the folder in which the program runs, then what its -I names.
  std::error_code ignored;
  const std::filesystem::path here = std::filesystem::current_path(ignored);
  list.insert(list.end(), {"-I", kFolder, "-iquote", here.string()});
  const std::vector<std::string>& options = source.options.clang;
  for (std::size_t i = 0; i < options.size(); ++i) {
    list.push_back(options[i]);
    if (options[i] == "-I" || options[i] == "-D") {
      const std::string& value = options[++i];
      list.push_back(list.back() == "-I" ? (here / value).string() : value);
    }
  }
  list.insert(list.end(), {"-x", "cl", kFile});
  return list;
}

// One run of clang over the program.
class Clang {
 public:
  explicit Clang(const Source& source) : printer_(out_, options_.get()) {
    llvm::IntrusiveRefCntPtr<llvm::vfs::InMemoryFileSystem> memory(new llvm::vfs::InMemoryFileSystem);
    const auto add = [&](const std::string& name, const std::string& text) {
      const std::string path = (std::filesystem::path(kFolder) / name).string();
      // False if there is one of this name already, which then counts.
      (void)memory->addFile(path, 0, llvm::MemoryBuffer::getMemBuffer(text, path));
    };
    add(kFile, source.text);
    add(kPrologue, source.prologue);
    memory->addFile(std::string(kResources) + "/include/opencl-c-base.h", 0,
                    llvm::MemoryBuffer::getMemBuffer(opencl_header(), "opencl-c-base.h"));
    for (const Header& header : source.headers) {
      if (!header.name.empty()) add(header.name, header.text);
    }
    llvm::IntrusiveRefCntPtr<llvm::vfs::OverlayFileSystem> files(new llvm::vfs::OverlayFileSystem(files_));
    files->pushOverlay(memory);
    const bool long_lines = has_long_line(source.text) ||
                            std::any_of(source.headers.begin(), source.headers.end(),
                                        [](const Header& header) { return has_long_line(header.text); });
    if (long_lines) options_->ShowCarets = 0;
    const std::vector<std::string> words = arguments(source);
    std::vector<const char*> list;
    for (const std::string& word : words) list.push_back(word.c_str());
    clang::DiagnosticsEngine diagnostics(new clang::DiagnosticIDs, options_.get(), &printer_, false);
    understood_ = clang::CompilerInvocation::CreateFromArgs(compiler_.getInvocation(), list, diagnostics);
    compiler_.getPreprocessorOpts().Includes.emplace_back(kPrologue);  // after opencl-c-base.h
    compiler_.createDiagnostics(&printer_, false);
    compiler_.setVerboseOutputStream(out_);
    compiler_.createFileManager(files);
  }

  [[nodiscard]] bool run(clang::FrontendAction& action) { return understood_ && compiler_.ExecuteAction(action); }

  [[nodiscard]] const NotedFiles& files() const { return *files_; }

  // Names files as the program does.
  [[nodiscard]] std::string log() {
    std::string text = out_.str();
    const std::string folder = std::string(kFolder) + "/";
    for (std::size_t at = 0; (at = text.find(folder, at)) != std::string::npos;) text.erase(at, folder.size());
    return text;
  }

 private:
  llvm::IntrusiveRefCntPtr<NotedFiles> files_{new NotedFiles};
  std::string text_;
  llvm::raw_string_ostream out_{text_};
  llvm::IntrusiveRefCntPtr<clang::DiagnosticOptions> options_{new clang::DiagnosticOptions};
  Printer printer_;
  clang::CompilerInstance compiler_;
  bool understood_ = false;
};

void read_tokens(const Source& source, const std::function<bool(const clang::Token&)>& enough) {
  const Held<Clang> clang(new Clang(source));
  ReadTokens read(enough);
  (void)clang->run(read);
}

void add(const clang::Token& token, Shape& shape) {
  const char* const text = clang::tok::getPunctuatorSpelling(token.getKind());
  if (text == nullptr) {
    shape.word();
  } else if (token.is(clang::tok::ellipsis)) {
    shape.ellipsis();
  } else {
    shape.punctuator(text[1] == 0 ? text[0] : ' ');
  }
}

// Whether clang may compile it in this process.
bool is_plain(const Source& source) {
  Shape shape;
  scan(source.text, shape);
  if (!shape.plain()) return false;
  // What -D gives a name to grows no further if it is a single word.
  const auto is_word = [](const std::string& text) {
    return std::all_of(text.begin() + static_cast<std::ptrdiff_t>(std::min(text.find('='), text.size() - 1)) + 1,
                       text.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.'; });
  };
  bool grows = source.text.find('#') != std::string::npos;
  const std::vector<std::string>& options = source.options.clang;
  for (std::size_t i = 1; i < options.size(); ++i) grows = grows || (options[i - 1] == "-D" && !is_word(options[i]));
  if (!grows) return true;
  shape = {};
  read_tokens(source, [&](const clang::Token& token) {
    add(token, shape);
    return !shape.plain();
  });
  return shape.plain();
}

bool is_too_long(const Source& source) {
  std::size_t tokens = 0;
  read_tokens(source, [&](const clang::Token&) { return ++tokens > kMostTokens; });
  return tokens > kMostTokens;
}

// C99 leaves the definition of an inline function to another unit, which OpenCL C's programs do not write. Several of
// them may include the same header, so their definitions are one.
void define_inline_functions(llvm::Module& module) {
  for (llvm::Function& function : module) {
    if (function.hasAvailableExternallyLinkage()) function.setLinkage(llvm::GlobalValue::LinkOnceODRLinkage);
  }
}

Result compile(const Source& source, ImageKind kind) {
  const Held<llvm::LLVMContext> context(new llvm::LLVMContext);
  context->setOpaquePointers(true);
  const Held<Clang> clang(new Clang(source));
  const Held<clang::EmitLLVMOnlyAction> action(new clang::EmitLLVMOnlyAction(context.get()));
  const bool done = clang->run(*action);
  const Held<llvm::Module> module(action->takeModule().release());
  if (!done || module == nullptr) return {.log = clang->log()};
  define_inline_functions(*module);
  Result result = finish(*module, kind, source.options.optimise, {});
  result.log.insert(0, clang->log());
  clang->files().describe(result);
  const auto asks = [](const std::string& text) { return NotedFiles::asks_for_time(text); };
  result.changes = result.changes || asks(source.text) ||
                   std::any_of(source.headers.begin(), source.headers.end(),
                               [&](const Header& header) { return asks(header.text); }) ||
                   std::any_of(source.options.clang.begin(), source.options.clang.end(), asks);
  return result;
}

}  // namespace

Result backend::compile_source(const Source& given, ImageKind kind) {
  Source source = given;
  // In a last line that does not end, clang searches for each location's column from the line's begin.
  if (!source.text.ends_with('\n')) source.text += '\n';
  if (is_plain(source)) return guarded([&] { return compile(source, kind); });
  return guarded_and_isolated([&]() -> Result {
    if (is_too_long(source)) {
      return {.log = "error: the program has more than " + std::to_string(kMostTokens) + " tokens\n"};
    }
    return compile(source, kind);
  });
}

}  // namespace sluice::compiler
