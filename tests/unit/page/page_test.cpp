// Pages stand alone and take names for what they are: text.
#include "tools/page/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "sim/iface/trace_sink.h"
#include "tools/page/assets.h"

namespace sluice::page {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&<!--";

Page full_page(const std::string& name) {
  Page page(name, {name});
  page.heading(name);
  page.add(Lines{.title = name, .x_label = name, .y_label = name, .x_unit = Unit::bytes, .series = {{name, {{4096, 1.5}, {8192, 2.5}}}, {"b", {{4096, 3}}}}});
  page.add(Stack{name, name, {name, "x"}, {{name, {1, 2}}}});
  Explorer explorer{name, {name}, {{name, "2"}}, {name}, {{{0}, {1.5}}, {{1}, {-1}}}};
  page.add(explorer);
  page.add(text::Grid{name, 1, {name, "n"}, {{name, "1"}}}, true);
  page.add(text::Grid{name, 1, {name, "n"}, {{name, "1"}}}, false);
  return page;
}

std::string written(const Page& page) {
  std::ostringstream out;
  page.write(out);
  return out.str();
}

// The page without what it carries itself.
std::string own_part(std::string html) {
  for (const std::string_view asset : {assets::chart_library, assets::page_script, assets::style}) {
    const std::size_t at = html.find(asset);
    if (at != std::string::npos) html.erase(at, asset.size());
  }
  return html;
}

// What the script finds in the page for each chart.
std::vector<nlohmann::json> chart_data(const Page& page) {
  const std::string own = own_part(written(page));
  const std::regex element("<script type=\"application/json\" data-chart=\"chart[0-9]+\">(.*?)</script>");
  std::vector<nlohmann::json> data;
  for (std::sregex_iterator it(own.begin(), own.end(), element), end; it != end; ++it) data.push_back(nlohmann::json::parse((*it)[1].str()));
  return data;
}

TEST(PageTest, NamesAreNeverMarkup) {
  const std::string own = own_part(written(full_page(evil)));
  EXPECT_THAT(own, Not(HasSubstr("<img")));
  EXPECT_THAT(own, Not(HasSubstr("<!--")));
  EXPECT_THAT(own, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(own, HasSubstr("&lt;/script&gt;&lt;script&gt;alert(1)"));
  // Every attribute ends where it should: the name's quotes are not among them.
  EXPECT_THAT(own, Not(HasSubstr("onerror=alert(2)>\"")));
}

TEST(PageTest, DataComeBackFromTheScriptElements) {
  const std::vector<nlohmann::json> data = chart_data(full_page(evil));
  ASSERT_EQ(data.size(), 3u);
  EXPECT_EQ(data[0]["series"][0]["name"], evil);
  EXPECT_EQ(data[0]["series"][0]["points"], nlohmann::json::parse("[[4096.0,1.5],[8192.0,2.5]]"));
  EXPECT_EQ(data[1]["labels"][0], evil);
  EXPECT_EQ(data[2]["values"][0][0], evil);
  EXPECT_EQ(data[2]["points"], nlohmann::json::parse("[[[0],[1.5]],[[1],[-1.0]]]"));
}

TEST(PageTest, NothingIsFetched) {
  const std::string html = written(full_page("plain"));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  const std::string own = own_part(html);
  EXPECT_THAT(own, Not(HasSubstr("http://")));
  EXPECT_THAT(own, Not(HasSubstr("https://")));
  EXPECT_THAT(own, Not(HasSubstr(" src=")));
  EXPECT_THAT(own, Not(HasSubstr(" href=")));
  // The library is in it, with its licence.
  EXPECT_THAT(html, HasSubstr("Released under the MIT License"));
}

TEST(PageTest, EachChartHasItsTable) {
  const std::string own = own_part(written(full_page("plain")));
  EXPECT_THAT(own, HasSubstr("<td>4 KiB<td class=\"n\">1.5<td class=\"n\">3"));
  EXPECT_THAT(own, HasSubstr("<td>8 KiB<td class=\"n\">2.5<td class=\"n\">-"));
  EXPECT_THAT(own, HasSubstr("<td>x<td class=\"n\">2"));
}

// The size of our own script and style is some 16 KB; the library has more than ten times that.
TEST(PageTest, WithoutChartsThereIsNoLibrary) {
  Page page("only text", {});
  page.add(text::Grid{"t", 1, {"a"}, {{"b"}}}, false);
  EXPECT_LT(written(page).size(), 30'000u);
}

// Charts with other stages before it, on this page or another, do not change a stage's colour; no two have the same; and
// what is no stage has one of its own behind them.
TEST(PageTest, AStageHasOneColourEverywhere) {
  const auto stack_of = [](const std::vector<std::string>& names) {
    Stack stack{"s", "bar", {"x"}, {}};
    for (const std::string& name : names) stack.parts.emplace_back(name, std::vector<double>{1});
    return stack;
  };
  std::vector<std::string> stages;
  for (std::size_t s = 0; s < stage_count; ++s) stages.emplace_back(to_string(static_cast<Stage>(s)));
  Page all("all", {});
  all.add(stack_of(stages));
  std::map<std::string, int> colours;
  std::set<int> different;
  const auto every = chart_data(all);
  for (const auto& part : every[0]["parts"]) {
    colours[part["name"]] = part["colour"];
    different.insert(part["colour"].get<int>());
  }
  EXPECT_EQ(different.size(), stage_count);
  EXPECT_EQ(*different.rbegin(), static_cast<int>(stage_count) - 1);

  Page page("some", {});
  page.add(stack_of({"link", "else"}));
  page.add(stack_of({"host_copy", "other", "link", "else"}));
  const auto data = chart_data(page);
  for (const nlohmann::json& chart : data) {
    for (const auto& part : chart["parts"]) {
      const std::string name = part["name"];
      const int expected = name == "else" ? stage_count : name == "other" ? stage_count + 1 : colours.at(name);
      EXPECT_EQ(part["colour"], expected) << name;
    }
  }
}

// A reader of screens meets controls and tables of the explorer, not one picture that hides them.
TEST(PageTest, OnlyPicturesAreCalledPictures) {
  Page page("explorer", {});
  page.add(Explorer{"e", {"p"}, {{"1", "2"}}, {"m"}, {{{0}, {1.5}}, {{1}, {2}}}});
  EXPECT_THAT(own_part(written(page)), Not(HasSubstr("role=\"img\"")));
  page.add(Stack{"s", "bar", {"x"}, {{"part", {1}}}});
  EXPECT_THAT(own_part(written(page)), HasSubstr("role=\"img\" aria-label=\"s; the numbers are in the table below\""));
}

TEST(PageTest, OnPaperATableIsOpenUnlessItIsVeryLong) {
  text::Grid grid{"t", 1, {"a"}, std::vector<std::vector<std::string>>(most_printed_rows, {"b"})};
  Page page("tables", {});
  page.add(grid, true);
  EXPECT_THAT(own_part(written(page)), HasSubstr("<details><summary>t (500 rows)</summary>"));
  grid.rows.push_back({"b"});
  page.add(grid, true);
  EXPECT_THAT(own_part(written(page)), HasSubstr("<details class=\"long\"><summary>t (501 rows<span class=\"paper\">, too many for paper</span>)"));
}

}  // namespace
}  // namespace sluice::page
