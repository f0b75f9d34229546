// A command queue: its properties, and what api/command needs to keep its commands in order.
#pragma once

#include <vector>

#include "api/objects/context.h"
#include "api/objects/device.h"
#include "api/objects/object.h"
#include "sim/iface/command.h"

namespace sluice::api {

class Queue final : public Object<Queue, cl_command_queue, ObjectType::queue> {
 public:
  // `property_list`: as given to clCreateCommandQueueWithProperties, with the terminating 0; empty for NULL.
  Queue(Context& context, Device& device, cl_command_queue_properties properties,
        std::vector<cl_queue_properties> property_list);

  [[nodiscard]] Context& context() const noexcept { return *context_; }
  [[nodiscard]] Device& device() const noexcept { return *device_; }
  [[nodiscard]] QueueId id() const noexcept { return id_; }
  [[nodiscard]] cl_command_queue_properties properties() const noexcept { return properties_; }
  [[nodiscard]] const std::vector<cl_queue_properties>& property_list() const noexcept { return property_list_; }
  [[nodiscard]] bool in_order() const noexcept { return (properties_ & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE) == 0; }
  [[nodiscard]] bool profiling() const noexcept { return (properties_ & CL_QUEUE_PROFILING_ENABLE) != 0; }
  // clSetCommandQueueProperty. The order may change only while no command is open.
  void set_properties(cl_command_queue_properties properties, bool enable) noexcept;

  // Kept by api/command. Commands that are neither complete nor failed; of these, how many are held back.
  struct Order {
    std::uint64_t open = 0;
    std::uint64_t held = 0;
    CommandId last = 0;          // newest command
    TimePs last_visible = 0;     // when the last completion was seen by a thread that waited for it
    CommandId last_barrier = 0;  // out of order: what every later command waits for
    CommandId last_sync = 0;     // out of order: newest marker or barrier that waits for all before it
    std::vector<CommandId> since_sync;  // out of order: commands after last_sync, some of them complete
  };
  Order order;

 private:
  Ref<Context> context_;
  Device* device_;
  QueueId id_;
  cl_command_queue_properties properties_;
  std::vector<cl_queue_properties> property_list_;
};

}  // namespace sluice::api
