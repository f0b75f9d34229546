#pragma once

namespace sluice::text {

// Whether headings on stdout may be in colour: on a terminal that has any, where NO_COLOR (https://no-color.org) is not set.
[[nodiscard]] bool stdout_takes_colour();

}  // namespace sluice::text
