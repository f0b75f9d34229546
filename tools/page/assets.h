// What every page carries, put into the program when it is built (tools/page/assets.cmake).
#pragma once

#include <string_view>

namespace sluice::page::assets {

extern const std::string_view chart_library;  // Chart.js, MIT licence, as Debian packages it
extern const std::string_view page_script;
extern const std::string_view style;

}  // namespace sluice::page::assets
