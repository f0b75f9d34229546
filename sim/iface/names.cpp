#include "sim/iface/command.h"
#include "sim/iface/trace_sink.h"

namespace sluice {

std::string_view to_string(Operation op) noexcept {
  switch (op) {
    case Operation::marker: return "marker";
    case Operation::barrier: return "barrier";
    case Operation::read_buffer: return "read_buffer";
    case Operation::write_buffer: return "write_buffer";
    case Operation::copy_buffer: return "copy_buffer";
    case Operation::fill_buffer: return "fill_buffer";
    case Operation::read_buffer_rect: return "read_buffer_rect";
    case Operation::write_buffer_rect: return "write_buffer_rect";
    case Operation::copy_buffer_rect: return "copy_buffer_rect";
    case Operation::map_buffer: return "map_buffer";
    case Operation::map_image: return "map_image";
    case Operation::unmap: return "unmap";
    case Operation::migrate: return "migrate";
    case Operation::read_image: return "read_image";
    case Operation::write_image: return "write_image";
    case Operation::copy_image: return "copy_image";
    case Operation::fill_image: return "fill_image";
    case Operation::copy_image_to_buffer: return "copy_image_to_buffer";
    case Operation::copy_buffer_to_image: return "copy_buffer_to_image";
    case Operation::svm_map: return "svm_map";
    case Operation::svm_unmap: return "svm_unmap";
    case Operation::svm_memcpy: return "svm_memcpy";
    case Operation::svm_memfill: return "svm_memfill";
    case Operation::svm_free: return "svm_free";
    case Operation::svm_migrate: return "svm_migrate";
    case Operation::kernel: return "kernel";
    case Operation::count_: break;
  }
  return "unknown";
}

std::string_view to_string(Placement p) noexcept {
  switch (p) {
    case Placement::none: return "none";
    case Placement::device: return "device";
    case Placement::host_pinned: return "pinned";
    case Placement::host_pageable: return "pageable";
  }
  return "unknown";
}

std::string_view to_string(Direction d) noexcept {
  switch (d) {
    case Direction::none: return "none";
    case Direction::host_to_device: return "h2d";
    case Direction::device_to_host: return "d2h";
    case Direction::device_to_device: return "d2d";
    case Direction::host_to_host: return "h2h";
  }
  return "unknown";
}

std::string_view to_string(InstructionClass c) noexcept {
  switch (c) {
    case InstructionClass::integer: return "integer";
    case InstructionClass::float32: return "float32";
    case InstructionClass::float64: return "float64";
    case InstructionClass::special: return "special";
    case InstructionClass::control: return "control";
    case InstructionClass::memory: return "memory";
    case InstructionClass::count_: break;
  }
  return "unknown";
}

std::string_view to_string(Stage s) noexcept {
  switch (s) {
    case Stage::host_validate: return "host_validate";
    case Stage::host_pack: return "host_pack";
    case Stage::host_copy: return "host_copy";
    case Stage::doorbell: return "doorbell";
    case Stage::queue_wait: return "queue_wait";
    case Stage::dependency_wait: return "dependency_wait";
    case Stage::fetch: return "fetch";
    case Stage::setup: return "setup";
    case Stage::link: return "link";
    case Stage::snoop: return "snoop";
    case Stage::iommu: return "iommu";
    case Stage::page_fault: return "page_fault";
    case Stage::migration: return "migration";
    case Stage::device_memory: return "device_memory";
    case Stage::compute: return "compute";
    case Stage::staging: return "staging";
    case Stage::detile: return "detile";
    case Stage::coherence: return "coherence";
    case Stage::contention: return "contention";
    case Stage::fence: return "fence";
    case Stage::host_copy_out: return "host_copy_out";
    case Stage::wakeup: return "wakeup";
    case Stage::count_: break;
  }
  return "unknown";
}

}  // namespace sluice
