// The plug-in's side of plugin.h.
#pragma once

#include <map>
#include <memory>
#include <span>

#include "api/compiler/compiler.h"

namespace sluice::compiler::backend {

[[nodiscard]] Result compile_source(const Source& source, ImageKind kind);
[[nodiscard]] Result compile_il(std::span<const std::uint32_t> words,
                                const std::map<std::uint32_t, std::uint64_t>& constants,
                                const CompileOptions& options, ImageKind kind);
[[nodiscard]] Result link(std::span<const std::shared_ptr<const Image>> inputs, ImageKind kind);

}  // namespace sluice::compiler::backend
