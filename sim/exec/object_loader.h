// A relocatable object (ELF, x86-64), as LLVM's code generator writes it, brought into this process: by what kept code
// is used again without LLVM, which takes longer to load than all else that the first launch of a program needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace sluice::exec {

class LoadedObject {
 public:
  // The address of what the object refers to and does not define; 0: there is none.
  using Resolve = std::function<std::uint64_t(std::string_view name)>;

  // nullptr: `error` says why.
  [[nodiscard]] static std::unique_ptr<LoadedObject> load(std::span<const std::byte> object, const Resolve& resolve,
                                                          std::string& error);
  ~LoadedObject();
  LoadedObject(const LoadedObject&) = delete;
  LoadedObject& operator=(const LoadedObject&) = delete;

  // A global symbol of the object; nullptr: there is none.
  [[nodiscard]] void* find(const std::string& name) const;

 private:
  friend class ObjectReader;
  LoadedObject() = default;
  std::byte* memory_ = nullptr;
  std::size_t bytes_ = 0;
  std::map<std::string, void*> symbols_;
};

}  // namespace sluice::exec
