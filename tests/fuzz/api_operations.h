// The calls that the API fuzzer makes, a family each: what it passes and what it keeps are decided by World's input.
#pragma once

#include "tests/fuzz/api_world.h"

namespace sluice::fuzz {

// api_objects.cpp
void query_machine(World& w);
void list_devices(World& w);
void device_calls(World& w);
void create_context(World& w);
void context_calls(World& w);
void create_queue(World& w);
void queue_calls(World& w);
void finish(World& w);
void synchronise(World& w);
void create_user_event(World& w);
void set_user_event(World& w);
void wait_for_events(World& w);
void event_calls(World& w);
void sampler_calls(World& w);
void create_program(World& w);
void program_calls(World& w);
void kernel_calls(World& w);
void extension_calls(World& w);

// api_memory.cpp
void create_buffer(World& w);
void create_sub_buffer(World& w);
void memory_calls(World& w);
void read_or_write(World& w);
void read_or_write_rect(World& w);
void copy(World& w);
void fill(World& w);
void migrate(World& w);
void map_buffer(World& w);
void map_image(World& w);
void unmap(World& w);
void allocate_shared(World& w);
void copy_or_fill_shared(World& w);
void map_shared(World& w);
void migrate_shared(World& w);
void free_shared(World& w);
void create_image(World& w);
void read_or_write_image(World& w);
void copy_image(World& w);
void list_formats(World& w);

}  // namespace sluice::fuzz
