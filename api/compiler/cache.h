// Compiled programs on disk, so that the same text is not compiled twice: a hit needs neither clang nor LLVM. Several
// processes may use the folder: files appear whole, by renaming, and never change. What else lies there - the engine's
// native code - ages with it: beyond kMostBytes the oldest files go.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/compiler/compiler.h"

namespace sluice::compiler {

inline constexpr std::uint64_t kMostCacheBytes = std::uint64_t{1} << 30;

// As hexadecimal digits; FNV-1a of 128 bits.
[[nodiscard]] std::string hash_of(std::string_view bytes);

[[nodiscard]] std::string cache_key(const Source& source, ImageKind kind);
[[nodiscard]] std::string cache_key(std::span<const std::uint32_t> words,
                                    const std::map<std::uint32_t, std::uint64_t>& constants,
                                    const CompileOptions& options, ImageKind kind);

// Whether what a result depends on is as it was.
[[nodiscard]] bool is_true(const Dependence& dependence);

// nullopt: there is none that is whole and still true.
[[nodiscard]] std::optional<Result> find_result(const std::string& folder, const std::string& key);
// Failing to keep a result costs time and nothing else. Those without an image are not kept.
void keep_result(const std::string& folder, const std::string& key, const Result& result);

// Removes the oldest files until the rest takes no more than `most_bytes`; returns what it takes.
std::uint64_t trim_cache(const std::string& folder, std::uint64_t most_bytes);

}  // namespace sluice::compiler
