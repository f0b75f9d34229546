// Standard input for several runs of a program, each of which reads the same.
#pragma once

#include <poll.h>

#include <string>

namespace sluice::tools {

// A file is read again from where it stood. What comes through a pipe or a socket is kept as far as a run reads it, and the
// next run gets that first. Terminals are nobody's to read twice: a run finds end of file at once. Other devices pass.
class SharedInput {
 public:
  enum class Kind { as_it_is, file, stream, nothing };
  SharedInput();  // of what this process has
  explicit SharedInput(Kind kind) : kind_(kind) {}
  ~SharedInput();
  SharedInput(const SharedInput&) = delete;
  SharedInput& operator=(const SharedInput&) = delete;

  // A run begins. False: `error` says why it cannot.
  [[nodiscard]] bool open(std::string& error);
  // In the process that is to run, before exec.
  void take() const;
  // In ours, once that has begun.
  void started();
  // What to poll for; descriptors of -1 are passed over.
  struct Wants {
    pollfd source;
    pollfd sink;
  };
  [[nodiscard]] Wants wants() const;
  void serve(const Wants& polled);
  void close();  // the run is over
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  Kind kind_ = Kind::nothing;
  off_t begin_ = 0;             // file: where it stood
  int kept_ = -1;               // stream: a file with what was read
  off_t kept_bytes_ = 0;
  off_t given_ = 0;             // of those, to this run
  bool has_ended_ = false;      // the stream
  int sink_ = -1;
  int run_end_ = -1;
  std::string error_;
};

}  // namespace sluice::tools
