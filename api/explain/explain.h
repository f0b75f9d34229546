// --explain: each command's life in one line on stderr, when the host hears of its end, and so between the program's
// own output. It stands before the recorder, if there is one, and hands everything on.
#pragma once

#include <string>

#include "sim/iface/trace_sink.h"

namespace sluice::api {

class Explain final : public TraceSink {
 public:
  // `next`: may be nullptr.
  explicit Explain(TraceSink* next) : next_(next) {}

  [[nodiscard]] TraceLevel level() const noexcept override;
  void command(const CommandRecord& record) override;
  void stage(const StageRecord& record) override;
  void packet(const PacketRecord& record) override;
  void counter(const CounterRecord& record) override;

 private:
  [[nodiscard]] bool wants(TraceLevel level) const noexcept { return next_ != nullptr && next_->level() >= level; }

  TraceSink* next_;
};

// The line, without a line feed: when the host knew, which command, what it moved, its stamps as steps from the call
// on, and the stages that took most of the time.
[[nodiscard]] std::string explain_line(const CommandRecord& record);

}  // namespace sluice::api
