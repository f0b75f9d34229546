// Process groups that end with this process however it ends, SIGKILL included: a process beside it sees it go and kills
// what is left of them.
#pragma once

namespace sluice::sweep {

class Guardian {
 public:
  Guardian();  // forks: nothing is guarded if that cannot be
  ~Guardian();
  Guardian(const Guardian&) = delete;
  Guardian& operator=(const Guardian&) = delete;

  void add(int group) const { tell(group); }
  void remove(int group) const { tell(-group); }

 private:
  void tell(int word) const;

  int socket_ = -1;
  int pid_ = -1;
};

}  // namespace sluice::sweep
