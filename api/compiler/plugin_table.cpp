// The one symbol of libsluice_kernels.so.
#include "api/compiler/backend.h"
#include "api/compiler/plugin.h"

extern "C" __attribute__((visibility("default"))) const sluice::compiler::KernelsPlugin sluice_kernels_plugin;
const sluice::compiler::KernelsPlugin sluice_kernels_plugin = {
    SLUICE_PLUGIN_KEY, &sluice::compiler::backend::compile_source, &sluice::compiler::backend::compile_il,
    &sluice::compiler::backend::link, &sluice::kernel_compiler};
