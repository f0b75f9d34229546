#include "sim/exec/print_format.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <optional>

namespace sluice::exec {
namespace {

constexpr std::string_view conversions = "diouxXfFeEgGaAcsp";
constexpr unsigned largest_width = 4096;  // beyond it a program's mistake would fill memory

struct Value {
  char type = 'i';
  std::size_t bytes = 0;
  const std::byte* at = nullptr;
};

class Values {
 public:
  Values(std::string_view types, const std::byte* values) : types_(types), values_(values) {}
  std::optional<Value> next() {
    if (types_.empty()) return std::nullopt;
    Value value{types_.front(), 0, values_};
    const char* end = std::from_chars(types_.data() + 1, types_.data() + types_.size(), value.bytes).ptr;
    types_.remove_prefix(static_cast<std::size_t>(end - types_.data()) + 1);
    values_ += (value.bytes + 15) / 16 * 16;
    return value;
  }

 private:
  std::string_view types_;
  const std::byte* values_;
};

struct Specification {
  std::string flags;
  std::string size;  // width and precision
  unsigned vector = 0;
  std::string length;
  char conversion = 0;
};

void take_number(std::string_view& text, std::string& out) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end == text.data()) return;
  out += std::to_string(error == std::errc{} ? std::min(number, largest_width) : largest_width);
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
}

// `text` starts behind the percent sign and is moved behind the specification. nullopt: not one.
std::optional<Specification> parse(std::string_view& text) {
  Specification result;
  auto is = [&](std::string_view set) { return !text.empty() && set.find(text.front()) != std::string_view::npos; };
  auto take = [&] {
    const char c = text.front();
    text.remove_prefix(1);
    return c;
  };
  while (is("-+ #0")) {
    const char flag = take();
    if (result.flags.find(flag) == std::string::npos) result.flags += flag;
  }
  take_number(text, result.size);
  if (is(".")) {
    result.size += take();
    take_number(text, result.size);
  }
  if (is("v")) {
    take();
    std::string digits;
    take_number(text, digits);
    result.vector = digits.empty() ? 0 : static_cast<unsigned>(std::stoul(digits));
    constexpr std::array<unsigned, 5> allowed{2, 3, 4, 8, 16};
    if (std::find(allowed.begin(), allowed.end(), result.vector) == allowed.end()) return std::nullopt;
  }
  while (is("hljzt")) result.length += take();
  if (!is(conversions)) return std::nullopt;
  result.conversion = take();
  return result;
}

template <typename T>
T read(const std::byte* at, std::size_t bytes) {
  T value{};
  std::memcpy(&value, at, std::min(sizeof value, bytes));
  return value;
}

std::uint64_t truncated(std::uint64_t value, std::size_t bytes) {
  return bytes >= 8 ? value : value & ((std::uint64_t{1} << (8 * bytes)) - 1);
}

double half_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31;
  const int fraction = bits & 1023;
  double value = std::ldexp(exponent == 0 ? fraction : 1024 + fraction, (exponent == 0 ? 1 : exponent) - 25);
  if (exponent == 31) value = fraction == 0 ? HUGE_VAL : std::nan("");
  return (bits & 0x8000) != 0 ? -value : value;
}

template <typename T>
std::string printed(const std::string& format, T value) {
  const int length = std::snprintf(nullptr, 0, format.c_str(), value);
  if (length < 0) return {};
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  std::snprintf(text.data(), text.size(), format.c_str(), value);
  text.pop_back();
  return text;
}

// "ll", "j", "z" and "t" are C's, not OpenCL C's; kernels that use them mean 64 bits.
std::size_t integer_bytes(std::string_view length) {
  if (length == "hh") return 1;
  if (length == "h") return 2;
  return length.empty() || length == "hl" ? 4 : 8;
}

std::string element(const Specification& spec, const std::byte* at, std::size_t bytes) {
  const std::string start = "%" + spec.flags + spec.size;
  const char c = spec.conversion;
  if (std::string_view("fFeEgGaA").find(c) != std::string_view::npos) {
    const double value = bytes == 8   ? read<double>(at, 8)
                         : bytes == 4 ? static_cast<double>(read<float>(at, 4))
                                      : half_value(read<std::uint16_t>(at, 2));
    return printed(start + c, value);
  }
  const auto raw = read<std::uint64_t>(at, bytes);
  if (c == 'c') return printed(start + c, static_cast<int>(static_cast<unsigned char>(raw)));
  if (c == 'p') return printed(start + c, reinterpret_cast<void*>(raw));
  const std::size_t used = std::min(integer_bytes(spec.length), bytes);
  if (c == 'd' || c == 'i') {
    const unsigned unused_bits = 64 - 8 * static_cast<unsigned>(used);
    const auto value = static_cast<long long>(raw << unused_bits) >> unused_bits;
    return printed(start + "ll" + c, value);
  }
  return printed(start + "ll" + c, static_cast<unsigned long long>(truncated(raw, used)));
}

}  // namespace

std::string format_print(std::string_view format, std::string_view types, const std::byte* values,
                         const std::function<std::string_view(std::uint64_t)>& string_at) {
  std::string text;
  Values arguments(types, values);
  while (!format.empty()) {
    const std::size_t percent = std::min(format.find('%'), format.size());
    text += format.substr(0, percent);
    format.remove_prefix(percent);
    if (format.empty()) break;
    format.remove_prefix(1);
    if (!format.empty() && format.front() == '%') {
      text += '%';
      format.remove_prefix(1);
      continue;
    }
    const auto spec = parse(format);
    if (!spec) {
      text += '%';
      continue;
    }
    const auto value = arguments.next();
    if (!value) break;
    if (spec->conversion == 's') {
      const auto address = read<std::uint64_t>(value->at, value->bytes);
      const std::string string(address == 0 ? std::string_view("(null)") : string_at(address));
      text += printed("%" + spec->flags + spec->size + 's', string.c_str());
      continue;
    }
    const std::size_t count = std::max(spec->vector, 1U);
    const std::size_t stored = count == 3 && value->bytes % 3 != 0 ? 4 : count;  // a vector of 3 may be padded
    for (std::size_t i = 0; i < count; ++i) {
      if (i != 0) text += ',';
      text += element(*spec, value->at + i * (value->bytes / stored), value->bytes / stored);
    }
  }
  return text;
}

}  // namespace sluice::exec
