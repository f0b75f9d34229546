// Building programs: from what a program holds to a kernel image that the engine has taken. All under the runtime's
// lock; the work itself is done before these return.
#pragma once

#include <CL/cl.h>

#include <span>
#include <string>
#include <vector>

#include "api/objects/device.h"
#include "api/objects/program.h"

namespace sluice::api {

class Runtime;

// clBuildProgram and clCompileProgram of a program made from source or IL, clBuildProgram of one made from binaries.
// `kind`: executable or object. Each device's build says how it went. False: it failed.
[[nodiscard]] bool build_program(Runtime& runtime, Program& program, std::span<Device* const> devices,
                                 const std::string& options_text, const compiler::CompileOptions& options,
                                 std::vector<compiler::Header> headers, compiler::ImageKind kind);

// clLinkProgram: `inputs` have an image for each of `devices`.
[[nodiscard]] bool link_program(Runtime& runtime, Program& program, std::span<Device* const> devices,
                                const std::string& options_text, std::span<Program* const> inputs,
                                compiler::ImageKind kind);

// The options are none: no build begins, but the log says which.
void refuse_build(Program& program, std::span<Device* const> devices, const std::string& options_text,
                  const std::string& error);

}  // namespace sluice::api
