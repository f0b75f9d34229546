// Sequences of API calls with arguments of any kind, straight at the driver: the loader would follow a bad handle
// before the driver can refuse it. api_world.h says what must hold whatever is called.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <random>

#include "tests/fuzz/api_operations.h"

namespace sluice::fuzz {

namespace {

// What moves data and what makes objects for it comes more often.
struct Operation {
  const char* name;
  void (*call)(World&);
};
constexpr Operation operations[] = {
    {"query_machine", query_machine},
    {"list_devices", list_devices},
    {"device_calls", device_calls},
    {"create_context", create_context},
    {"context_calls", context_calls},
    {"create_queue", create_queue},
    {"queue_calls", queue_calls},
    {"finish", finish},
    {"synchronise", synchronise},
    {"synchronise", synchronise},
    {"create_user_event", create_user_event},
    {"set_user_event", set_user_event},
    {"wait_for_events", wait_for_events},
    {"event_calls", event_calls},
    {"event_calls", event_calls},
    {"create_buffer", create_buffer},
    {"create_buffer", create_buffer},
    {"create_sub_buffer", create_sub_buffer},
    {"memory_calls", memory_calls},
    {"memory_calls", memory_calls},
    {"read_or_write", read_or_write},
    {"read_or_write", read_or_write},
    {"read_or_write_rect", read_or_write_rect},
    {"copy", copy},
    {"copy", copy},
    {"fill", fill},
    {"migrate", migrate},
    {"map_buffer", map_buffer},
    {"map_buffer", map_buffer},
    {"map_image", map_image},
    {"unmap", unmap},
    {"unmap", unmap},
    {"allocate_shared", allocate_shared},
    {"copy_or_fill_shared", copy_or_fill_shared},
    {"map_shared", map_shared},
    {"map_shared", map_shared},
    {"migrate_shared", migrate_shared},
    {"free_shared", free_shared},
    {"create_image", create_image},
    {"create_image", create_image},
    {"read_or_write_image", read_or_write_image},
    {"copy_image", copy_image},
    {"copy_image", copy_image},
    {"list_formats", list_formats},
    {"sampler_calls", sampler_calls},
    {"create_program", create_program},
    {"program_calls", program_calls},
    {"kernel_calls", kernel_calls},
    {"extension_calls", extension_calls},
};

}  // namespace

}  // namespace sluice::fuzz

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

// Mutation alone copies what it has, and so repeats a few calls with the same arguments; a quarter of the inputs is
// new.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (random() % 4 != 0) return LLVMFuzzerMutate(data, size, max_size);
  size = 1 + random() % max_size;
  std::generate_n(data, size, [&] { return static_cast<std::uint8_t>(random() >> 16); });
  return size;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool log = std::getenv("API_FUZZ_LOG") != nullptr;  // to read what a finding does
  sluice::fuzz::Input in(data, size);
  sluice::fuzz::World world(in);
  while (!in.ended()) {
    const auto& operation = sluice::fuzz::operations[in.below(std::size(sluice::fuzz::operations))];
    if (log) std::fprintf(stderr, "%s\n", operation.name);
    operation.call(world);
  }
  return 0;
}
