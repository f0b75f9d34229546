// What another version of the driver may have left behind: the plug-in's symbol, with another key.
extern "C" __attribute__((visibility("default"))) const char sluice_kernels_plugin[4096];
const char sluice_kernels_plugin[4096] = "0.0.1 0000";
