// Whether this build may choose where its memory lies. Data stores and program-scope variables do, so that a pointer's
// value is the same in every run; ThreadSanitizer ends a process that maps what it did not plan for.
#pragma once

namespace sluice {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool may_choose_addresses = false;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
inline constexpr bool may_choose_addresses = false;
#else
inline constexpr bool may_choose_addresses = true;
#endif
#else
inline constexpr bool may_choose_addresses = true;
#endif

}  // namespace sluice
