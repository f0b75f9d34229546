// The validation's page. Charts are SVG made here: points are measured, lines are simulated, one colour a variant.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "tools/text/escape.h"
#include "tools/validate/report.h"

namespace sluice::validate {

namespace {

constexpr double width = 640, height = 300, left = 64, right = 12, top = 10, bottom = 36;

using text::escape_markup;

std::string time_text(double ns) {
  if (ns < 1e3) return fmt::format("{:.0f} ns", ns);
  if (ns < 1e6) return fmt::format("{:.3g} µs", ns / 1e3);
  return fmt::format("{:.3g} ms", ns / 1e6);
}

std::string size_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  if (bytes < 1048576) return fmt::format("{:.3g} KiB", bytes / 1024);
  return fmt::format("{:.3g} MiB", bytes / 1048576);
}

// The point's parameters but its size: what one curve keeps.
std::string variant(const Pair& p) {
  std::string text = p.key.substr(p.op.size());
  const std::size_t at = text.find(" bytes=");
  if (at != std::string::npos) text.erase(at, std::min(text.find(' ', at + 1), text.size()) - at);
  return text.empty() ? p.op : text.substr(1);
}

// A logarithmic axis from the first to the last power of `base` that holds all values.
struct Axis {
  double low, high, from, to;
  Axis(double min, double max, double base, double from_, double to_)
      : low(std::floor(std::log(min) / std::log(base)) * std::log(base)),
        high(std::ceil(std::log(max) / std::log(base)) * std::log(base)), from(from_), to(to_) {
    if (high <= low) high = low + std::log(base);
  }
  [[nodiscard]] double at(double value) const { return from + (std::log(value) - low) / (high - low) * (to - from); }
};

using Curves = std::map<std::string, std::vector<const Pair*>>;

std::string chart(const std::string& title, Curves& curves) {
  double min_x = 1e300, max_x = 0, min_y = 1e300, max_y = 0;
  for (auto& [name, points] : curves) {
    std::sort(points.begin(), points.end(), [](const Pair* a, const Pair* b) { return a->bytes < b->bytes; });
    for (const Pair* p : points) {
      min_x = std::min(min_x, p->bytes), max_x = std::max(max_x, p->bytes);
      min_y = std::min({min_y, p->measured_ns, p->simulated_ns}), max_y = std::max({max_y, p->measured_ns, p->simulated_ns});
    }
  }
  const Axis x(min_x, max_x, 4, left, width - right);
  const Axis y(min_y, max_y, 10, height - bottom, top);
  std::string svg = fmt::format("<figure><svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n", width, height, escape_markup(title));
  for (double v = std::exp(y.low); v <= std::exp(y.high) * 1.01; v *= 10) {
    svg += fmt::format("<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/><text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                       left, width - right, y.at(v), y.at(v), left - 6, y.at(v) + 4, time_text(v));
  }
  for (double v = std::exp(x.low); v <= std::exp(x.high) * 1.01; v *= 16) {
    svg += fmt::format("<line class=\"grid\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\"/><text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       x.at(v), x.at(v), top, height - bottom, x.at(v), height - bottom + 16, size_text(v));
  }
  std::size_t colour = 0;
  std::string legend;
  for (const auto& [name, points] : curves) {
    const std::string style = fmt::format("c{}", colour++ % 8);
    std::string path;
    for (const Pair* p : points) path += fmt::format("{:.1f},{:.1f} ", x.at(p->bytes), y.at(p->simulated_ns));
    svg += fmt::format("<polyline class=\"{}\" points=\"{}\"/>\n", style, path);
    for (const Pair* p : points) {
      svg += fmt::format("<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"><title>{}: measured {}, simulated {} ({:+.1f} %)</title></circle>\n",
                         style, x.at(p->bytes), y.at(p->measured_ns), escape_markup(p->key), time_text(p->measured_ns), time_text(p->simulated_ns), 100 * p->error());
    }
    legend += fmt::format("<span class=\"{}\">{}</span> ", style, escape_markup(name));
  }
  return svg + "</svg><figcaption>" + legend + "</figcaption></figure>\n";
}

void write_groups(std::ostream& out, const std::vector<Group>& groups, bool detailed) {
  out << "<table><thead><tr><th>data<th>subject<th>time" << (detailed ? "<th>operation<th>size" : "")
      << "<th>n<th>median<th>90th percentile<th>worst<th>bias" << (detailed ? "" : "<th>limits") << "</thead><tbody>\n";
  for (const Group& g : groups) {
    out << "<tr><td>" << (g.fitted ? "fit" : "validation") << "<td>" << escape_markup(g.subject) << "<td>" << kind_name(g.kind);
    if (detailed) out << "<td>" << escape_markup(g.op) << "<td>" << g.size_class;
    out << fmt::format("<td>{}<td>{}<td>{}<td>{}<td>{:+.1f} %", g.errors.count, percent(g.errors.median), percent(g.errors.p90), percent(g.errors.worst), 100 * g.errors.bias);
    if (!detailed && g.median_limit > 0) {
      out << "<td>" << percent(g.median_limit) << (g.p90_limit > 0 ? " / " + percent(g.p90_limit) : "") << (g.is_met() ? " ok" : " missed");
    }
    out << "\n";
  }
  out << "</tbody></table>\n";
}

constexpr const char* style = R"(<style>
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #6b7280; --line: #e2e5ea; --paper: #fff;
  --c0: #1f6feb; --c1: #d1242f; --c2: #1a7f37; --c3: #9a6700; --c4: #8250df; --c5: #bf3989; --c6: #0a7ea4; --c7: #57606a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa4af; --line: #30363d; --paper: #0d1117;
  --c0: #58a6ff; --c1: #ff7b72; --c2: #56d364; --c3: #e3b341; --c4: #bc8cff; --c5: #f778ba; --c6: #39c5cf; --c7: #8b949e; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; display: block; overflow-x: auto; }
th, td { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
figure { margin: 0 0 1.5rem; } figcaption { color: var(--soft); font-size: 13px; }
figcaption span { margin-right: 1rem; } figcaption span::before { content: "\25CF  "; }
svg { width: 100%; height: auto; } text { font-size: 11px; fill: var(--soft); } .grid { stroke: var(--line); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
polyline { fill: none; stroke-width: 1.5; }
)";

}  // namespace

void write_html(std::ostream& out, const Result& result) {
  out << "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>"
      << escape_markup(result.profile) << " against silicon</title>\n" << style;
  for (int c = 0; c < 8; ++c) {
    out << fmt::format("polyline.c{0} {{ stroke: var(--c{0}); }} circle.c{0} {{ fill: var(--c{0}); }} span.c{0}::before {{ color: var(--c{0}); }}\n", c);
  }
  out << "</style></head><body><h1>" << escape_markup(result.profile) << " against silicon</h1>\n<p>Grade: " << escape_markup(result.grade)
      << "; profile hash " << escape_markup(result.profile_hash)
      << ". Points are measured, lines are simulated. Rows of <em>fit</em> data fitted the profile's constants and prove nothing; rows of <em>validation</em> data fitted none.</p>\n";
  for (const std::string& command : result.commands) out << "<p><code>" << escape_markup(command) << "</code></p>\n";
  out << "<h2>Errors</h2>\n";
  write_groups(out, summary(result), false);
  std::map<std::string, Curves> charts;
  for (const Pair& p : result.pairs) {
    if (p.bytes > 0) charts[fmt::format("{}, {} ({})", p.op, p.quantity, p.fitted ? "fit" : "validation")][variant(p)].push_back(&p);
  }
  out << "<h2>Time over size</h2>\n<div class=\"charts\">\n";
  for (auto& [title, curves] : charts) {
    std::set<double> sizes;
    for (const auto& [name, points] : curves) {
      for (const Pair* p : points) sizes.insert(p->bytes);
    }
    if (sizes.size() >= 3) out << "<section><h3>" << escape_markup(title) << "</h3>\n" << chart(title, curves) << "</section>\n";
  }
  out << "</div>\n<h2>By operation and size</h2>\n";
  write_groups(out, by_operation(result), true);
  out << "<h2>Every point</h2>\n<details><summary>" << result.pairs.size() << " points</summary><table><thead><tr><th>file<th>point<th>quantity<th>measured<th>simulated<th>error</thead><tbody>\n";
  for (const Pair& p : result.pairs) {
    out << fmt::format("<tr><td>{}:{}<td>{}<td>{}<td>{}<td>{}<td>{:+.1f} %\n", escape_markup(p.file), p.line, escape_markup(p.key), escape_markup(p.quantity), time_text(p.measured_ns), time_text(p.simulated_ns), 100 * p.error());
  }
  out << "</tbody></table></details>\n";
  if (!result.skipped.empty()) {
    out << "<h2>Skipped</h2>\n<table><thead><tr><th>file<th>reason<th>count</thead><tbody>\n";
    for (const auto& [what, count] : count_skipped(result)) {
      out << "<tr><td>" << escape_markup(what.first) << "<td>" << escape_markup(what.second) << "<td>" << count << "\n";
    }
    out << "</tbody></table>\n";
  }
  out << "</body></html>\n";
}

}  // namespace sluice::validate
