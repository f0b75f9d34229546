// The `sluice` command: options in, one subcommand out. What is said here is --help, the manual pages and the completion.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "sim/profile/load.h"
#include "tools/command/commands.h"
#include "tools/command/help.h"

namespace {

using namespace sluice::tools;

// "frozen", "wall" or "wall:SCALE".
std::string check_host_time(const std::string& text) {
  if (text == "frozen" || text == "wall") return "";
  const std::string wall = "wall:";
  if (text.starts_with(wall)) {
    const std::string scale = text.substr(wall.size());
    char* end = nullptr;
    const double value = std::strtod(scale.c_str(), &end);
    if (!scale.empty() && *end == '\0' && value > 0 && value <= 1e6) return "";
  }
  return "found " + text + "; allowed: frozen, wall, wall:SCALE";
}

std::string check_size(const std::string& text) {
  const std::uint64_t size = parse_size(text);
  if (size > 0 && size % 16 == 0) return "";
  return "found " + text + "; allowed: multiples of 16 bytes, with K, M or G for KiB, MiB, GiB";
}

std::vector<std::uint64_t> sizes_of(const std::vector<std::string>& texts) {
  std::vector<std::uint64_t> sizes;
  for (const std::string& text : texts) sizes.push_back(parse_size(text));
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

constexpr const char* exit_status = "Exit status";

// Manual pages and completion, for the build.
int write_shared(const CLI::App& app, const std::string& folder) {
  bool good = write_manual(app, folder + "/man/man1");
  std::error_code code;
  std::filesystem::create_directories(folder + "/completion", code);
  for (const bool is_bash : {true, false}) {
    std::ofstream out(folder + (is_bash ? "/completion/sluice.bash" : "/completion/_sluice"), std::ios::binary);
    out << (is_bash ? bash_completion(app) : zsh_completion(app));
    out.close();
    good &= static_cast<bool>(out);
  }
  if (!good) fmt::print(stderr, "sluice: {}: cannot be written\n", folder);
  return good ? exit_ok : exit_failed;
}

int list_profiles() {
  for (const sluice::profile::ProfileEntry& entry : sluice::profile::shipped_profiles()) fmt::print("{}\n", entry.name);
  return exit_ok;
}

int dispatch(std::vector<std::string> arguments, std::vector<std::string> program, bool has_program) {
  CLI::App app("Runs OpenCL programs on a simulated device, timed to the picosecond.", "sluice");
  app.set_version_flag("--version", "sluice " SLUICE_VERSION);
  app.formatter(std::make_shared<HelpFormatter>());
  app.require_subcommand(1);
  app.footer(
      "The device that sluice provides is a SystemC model of a GPU and its host link, described by a JSON profile.\n"
      "An unmodified OpenCL program finds it through the ICD loader and gets simulated times.\n\n"
      "Results go to stdout, messages to stderr. Headings are in colour on terminals alone.\n\n" +
      list_of("Environment",
              {{"OCL_ICD_VENDORS", "picks the driver where the program is started without `sluice run`"},
               {"SLUICE_PROFILE", "what --profile of `run` means; default: generic-pcie4"},
               {"SLUICE_TRACE", "files, separated by colons: --trace"},
               {"SLUICE_TRACE_LEVEL", "--trace-level"},
               {"SLUICE_HOST_TIME", "--host-time"},
               {"SLUICE_DETAIL", "--detail"},
               {"SLUICE_LOCKSTEP", "1 or 0: --lockstep"},
               {"SLUICE_TOUCH_TRACKING", "1 or 0: --touch-tracking"},
               {"SLUICE_EXPLAIN", "1 or 0: --explain"},
               {"SLUICE_STRICT", "1, report or abort: --strict"},
               {"SLUICE_STRICT_REPORT", "files, separated by colons: --strict-report"},
               {"SLUICE_CONFIG_DIR", "where shipped profiles are looked for first"},
               {"SLUICE_BUILD_SECONDS", "processor time that compiling a program or a kernel may take; 120"},
               {"SLUICE_GROUP_INSTRUCTIONS", "instructions that a work-group may issue before it counts as endless; 68719476736"},
               {"NO_COLOR", "if not empty, headings are plain on terminals, too"}}) +
      "\n\n" +
      list_of("Files", {{"share/sluice/profiles", "shipped profiles, below the prefix of the installation"},
                        {"share/sluice/parts", "their parts"},
                        {"share/sluice/profile.schema.json", "the schema of profiles"}}) +
      "\n\n" +
      list_of(exit_status, {{"0", "success; from `run` and `record` the program's own status, or 128 + N if signal N ended it"},
                            {"1", "something failed, or `diff` or `validate --check` found a difference"},
                            {"2", "unusable: options, a profile, a trace or data"},
                            {"3", "from `run` and `record`: only a trace or a report could not be written"},
                            {"4", "from `run`: only --strict found something"},
                            {"126, 127", "from `run`, `record` and `compare`: the program cannot be executed, or was not found"},
                            {"128 + N", "from `compare`, `mapcopy` and `validate`: signal N ended them"}}));

  RunOptions run_options;
  CLI::App* run_command = app.add_subcommand("run", "Run a program with Sluice as its only OpenCL platform");
  run_command->footer(
      "The program and its arguments follow after --. Signals that are sent to sluice are passed on to it.\n\n" +
      list_of(exit_status, {{"N", "the program's own status, or 128 + N if signal N ended it"},
                            {"2", "unusable options or profile; the program was not started"},
                            {"3", "the program ended with 0, but a trace, the report or one of --strict could not be written whole"},
                            {"4", "the program ended with 0, and --strict found misuse"},
                            {"126, 127", "the program cannot be executed, or was not found"}}));
  run_command->add_option("--profile", run_options.child.profile, "The machine: a shipped name or a file")->type_name(type_machine);
  run_command
      ->add_option("--trace", run_options.child.traces, "Write a trace: *.jsonl, *.json, *.pftrace (both Perfetto), *.vcd or *.csv; repeatable")->type_name(type_file)
      ->expected(1)
      ->take_all();
  run_command->add_option("--trace-level", run_options.child.trace_level, "command (default), stage or packet")->type_name("LEVEL")
      ->check(CLI::IsMember({"command", "stage", "packet"}));
  run_command->add_option("--report", run_options.report, "Write the run's report to a file (*.json: as JSON), or - for stdout")->type_name(type_file);
  run_command->add_option("--host-time", run_options.child.host_time, "frozen (default) or wall[:SCALE]")->type_name("TIME")
      ->check(check_host_time);
  run_command->add_flag("--virtual-time", run_options.child.virtual_time, "The program's clocks show simulated time");
  run_command->add_flag("--lockstep", run_options.child.lockstep,
                        "The work-items of a wavefront go on in step, as some programs take for granted");
  run_command->add_flag("--touch-tracking", run_options.child.touch_tracking,
                        "Of mapped memory, the pages that the program writes are in its caches, not all that it might");
  run_command->add_flag("--explain", run_options.child.explain, "Print each command's life in one line as it ends");
  run_command->add_flag("--strict{report}", run_options.child.strict,
                        "Report misuse of mapped memory (--strict=report), or stop at the first (--strict=abort)")
      ->check(CLI::IsMember({"report", "abort"}));
  run_command
      ->add_option("--strict-report", run_options.child.strict_reports,
                   "Write what --strict, without which this is refused, found: *.json, *.sarif, else text; repeatable")->type_name(type_file)
      ->expected(1)
      ->take_all();
  run_command->add_option("--detail", run_options.child.detail, "train (default) or packet")->type_name("HOW")
      ->check(CLI::IsMember({"train", "packet"}));

  RecordOptions record_options;
  CLI::App* record_command = app.add_subcommand("record", "Run a program and keep its trace as a reference for `diff`");
  record_command->footer(
      "The program and its arguments follow after --. Nothing is written if the program fails.\n\n" +
      list_of(exit_status, {{"0", "recorded"},
                            {"1", "the program opened no OpenCL device"},
                            {"2", "unusable options or profile; the program was not started"},
                            {"3", "the reference could not be written"},
                            {"126, 127", "the program cannot be executed, or was not found"},
                            {"N", "otherwise the program's own status"}}));
  record_command->add_option("-o,--output", record_options.output, "The reference, *.jsonl")->type_name(type_file)->required();
  record_command->add_option("--profile", record_options.child.profile, "The machine: a shipped name or a file")->type_name(type_machine);
  record_command->add_option("--trace-level", record_options.child.trace_level, "command (default), stage or packet")->type_name("LEVEL")
      ->check(CLI::IsMember({"command", "stage", "packet"}));
  record_command->add_flag("--virtual-time", record_options.child.virtual_time, "The program's clocks show simulated time");
  record_command->add_flag("--lockstep", record_options.child.lockstep, "The work-items of a wavefront go on in step");
  record_command->add_option("--detail", record_options.child.detail, "train (default) or packet")->type_name("HOW")
      ->check(CLI::IsMember({"train", "packet"}));

  DiffOptions diff_options;
  CLI::App* diff_command = app.add_subcommand("diff", "Compare two traces of a program: the gate of CI");
  diff_command->footer(
      "LIMITS: 2%, 100ns, or both with a comma (the greater holds); OP=LIMITS for one operation. Default: nothing may differ.\n\n"
      "What is beyond its tolerance for the better is a change as well: --accept records it.\n\n" +
      list_of(exit_status, {{"0", "no change, or accepted"},
                            {"1", "changed, for better or worse"},
                            {"2", "unusable options, traces that cannot be compared, or a file that cannot be written"}}));
  diff_command->add_option("OLD", diff_options.before, "The reference: a *.jsonl trace")->type_name(type_file)->required();
  diff_command->add_option("NEW", diff_options.after, "Another run's *.jsonl trace")->type_name(type_file)->required();
  diff_command->add_option("--tolerance", diff_options.tolerances, "[OP=]LIMITS by which a command's times may differ; repeatable")->type_name("LIMITS")
      ->expected(1)
      ->take_all();
  diff_command
      ->add_option("--count-tolerance", diff_options.count_tolerances, "[OP=]LIMITS of counts, as 2% or 64; repeatable")->type_name("LIMITS")
      ->expected(1)
      ->take_all();
  diff_command->add_option("--commands", diff_options.commands, "How many changed commands to show. Default: 20")->type_name("N")
      ->check(CLI::Range(0, 100000));
  diff_command->add_option("--junit", diff_options.junit, "Write JUnit XML, too")->type_name(type_file);
  CLI::Option* diff_json = diff_command->add_flag("--json", diff_options.json, "Print JSON");
  diff_command->add_flag("--markdown", diff_options.markdown, "Print Markdown")->excludes(diff_json);
  diff_command->add_flag("--accept", diff_options.accept, "Make what changed the new reference: NEW replaces OLD");

  CompareOptions compare_options;
  CLI::App* compare_command = app.add_subcommand("compare", "Run a program under several profiles, command beside command");
  compare_command->footer(
      "The program and its arguments follow after --. What it prints goes to stderr. Where it does other commands on another\n"
      "device, those stand alone.\n\n"
      "Each run reads the same standard input: a file from where it stands, a pipe from what is kept of it. A terminal is not\n"
      "read. A signal ends the comparison, and the program with it; what has not ended 5 s later is killed.\n\n" +
      list_of(exit_status, {{"0", "compared"},
                            {"1", "the program failed under a profile (the others are compared), or a file was not written"},
                            {"2", "unusable options, profile or file; nothing was started"},
                            {"126, 127", "the program cannot be executed, or was not found"},
                            {"128 + N", "signal N ended the comparison"}}));
  compare_command->add_option("--profile", compare_options.profiles, "A machine; repeatable. Default: all shipped")->type_name(type_machine)
      ->expected(1)
      ->take_all();
  compare_command->add_flag("--virtual-time", compare_options.child.virtual_time, "The program's clocks show simulated time");
  compare_command->add_flag("--lockstep", compare_options.child.lockstep, "The work-items of a wavefront go on in step");
  compare_command->add_option("--detail", compare_options.child.detail, "train (default) or packet")->type_name("HOW")
      ->check(CLI::IsMember({"train", "packet"}));
  compare_command->add_option("--seconds", compare_options.child.seconds,
                              "Kill a run that takes longer, by the clock on the wall; it counts as failed. Default: never")->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e7));
  compare_command->add_option("--commands", compare_options.commands, "How many commands to show. Default: 40")->type_name("N")
      ->check(CLI::Range(0, 1000000));
  compare_command->add_option("--csv", compare_options.csv, "Write every command under every profile, too")->type_name(type_file);
  compare_command->add_option("--html", compare_options.html, "Write a page with charts, too")->type_name(type_file);
  CLI::Option* compare_json = compare_command->add_flag("--json", compare_options.json, "Print JSON");
  compare_command->add_flag("--markdown", compare_options.markdown, "Print Markdown")->excludes(compare_json);

  SweepOptions sweep_options;
  CLI::App* sweep_command = app.add_subcommand("sweep", "Vary values of a profile for a program or the built-in transfers");
  sweep_command->footer(list_of(exit_status, {{"0", "every point has a result"},
                                              {"1", "a point failed (the others are told), or the sweep was ended"},
                                              {"2", "unusable options, specification or folder"}}));
  sweep_command->add_option("SPEC", sweep_options.spec, "What varies, JSON: docs/sweep.md")->type_name(type_file)->required();
  sweep_command->add_option("-o,--output", sweep_options.output, "A folder for the results; what is there is not run again")->type_name(type_folder)->required();
  sweep_command->add_option("-j,--jobs", sweep_options.jobs, "How many points at once. Default: one a processor; tasks of a Slurm array: 1000")->type_name("N")
      ->check(CLI::Range(1, 1024));
  std::string executor = "local";
  sweep_command->add_option("--executor", executor, "local (default), or slurm: a job array through sbatch")
      ->type_name("EXECUTOR")
      ->check(CLI::IsMember({"local", "slurm"}));
  sweep_command->add_option("--slurm", sweep_options.slurm, "An option for sbatch, as --slurm=--partition=NAME; repeatable")
      ->type_name("OPTION")
      ->expected(1)
      ->take_all();
  CLI::Option* retries = sweep_command->add_option("--retries", sweep_options.retries, "How often a point that failed runs again. Default: 0, on Slurm 1")
      ->type_name("N")
      ->check(CLI::Range(0, 100));

  std::string trace;
  bool report_json = false;
  CLI::App* report_command = app.add_subcommand("report", "Summarise a JSON Lines trace");
  report_command->footer(
      "Totals by operation, size, direction and memory, the kernels, the stages, and the dearest commands.\n\n" +
      list_of(exit_status, {{"0", "the trace is sound"}, {"1", "stdout cannot be written"}, {"2", "the trace cannot be read"}}));
  report_command->add_option("TRACE", trace, "A *.jsonl trace")->required()->type_name(type_file);
  report_command->add_flag("--json", report_json, "Print JSON");

  ConvertOptions convert_options;
  CLI::App* convert_command = app.add_subcommand("convert", "Write a JSON Lines trace in other formats");
  convert_command->footer(list_of(exit_status, {{"0", "every FILE is whole"},
                                                {"1", "a file could not be written"},
                                                {"2", "TRACE is cut off or damaged"}}));
  convert_command->add_option("TRACE", convert_options.trace, "A *.jsonl trace")->type_name(type_file)->required();
  convert_command
      ->add_option("FILE", convert_options.outputs, "*.pftrace (Perfetto), *.json (Chrome trace), *.vcd, *.csv or *.jsonl; repeatable")
      ->type_name(type_file)
      ->required();

  MapcopyOptions mapcopy_options;
  std::vector<std::string> sizes = {"4K", "16K", "64K", "256K", "1M", "4M", "16M", "64M"};
  CLI::App* mapcopy_command = app.add_subcommand("mapcopy", "Compare map, copy and zero-copy over sizes");
  mapcopy_command->add_option("--profile", mapcopy_options.profiles, "A machine; repeatable. Default: all shipped")->type_name(type_machine)
      ->expected(1)
      ->take_all();
  mapcopy_command->add_option("--sizes", sizes, "Sizes, as in 4K,1M. Default: 4K to 64M")->type_name("SIZES")
      ->delimiter(',')
      ->check(check_size);
  mapcopy_command->add_option("--reads", mapcopy_options.reads, "How often the kernel reads each byte. Default: 1")->type_name("N")
      ->check(CLI::Range(1, 1000));
  mapcopy_command->add_option("--html", mapcopy_options.html, "Write a page with charts, too")->type_name(type_file);
  mapcopy_command->add_flag("--json", mapcopy_options.json, "Print JSON");
  mapcopy_command->footer(
      "The host writes the data, a kernel reads them, the host reads the result back; the crossover of each machine is named.\n\n" +
      list_of(exit_status, {{"0", "compared"},
                            {"1", "the workload failed, or a file was not written"},
                            {"2", "unusable options or profile"}}));

  ValidateOptions validate_options;
  CLI::App* validate_command =
      app.add_subcommand("validate", "Compare measurements of a real device with its model, row by row");
  validate_command->footer(
      "The program that measured runs on the model. Data that fitted the profile are kept apart from data that fitted nothing;\n"
      "rows that cannot be compared are counted by reason.\n\n" +
      list_of(exit_status, {{"0", "compared"},
                            {"1", "with --check: an error is above its limit; or a file was not written"},
                            {"2", "unusable options, profile or data, in whole or in part"}}));
  validate_command->add_option("DATA", validate_options.files, "Measured rows, JSON Lines; repeatable")->type_name(type_file)->required();
  validate_command->add_option("--profile", validate_options.profile, "The machine that models the device")->type_name(type_machine);
  validate_command->add_option("--program", validate_options.program, "The program that measured, if DATA does not say")->type_name("NAME");
  validate_command->add_option("--html", validate_options.html, "Write a page with curves and tables, too")->type_name(type_file);
  CLI::Option* json_option = validate_command->add_flag("--json", validate_options.json, "Print JSON");
  validate_command->add_flag("--markdown", validate_options.markdown, "Print Markdown")->excludes(json_option);
  CLI::Option* published_option = validate_command->add_flag("--published", validate_options.published,
                             "DATA are figures that others published: Markdown or --json, without --profile of all profiles");
  validate_command->add_option("--keep", validate_options.keep,
                               "Keep what the measuring programs print in FOLDER; what the same command printed there is taken, not run")
      ->type_name("FOLDER");
  validate_command->add_option("--again", validate_options.again,
                               "The rows of a DATA file measured once more; repeatable. How far the two differ is told beside the errors")
      ->type_name(type_file);
  validate_command->add_flag("--rows", validate_options.every_row, "Print every row");
  validate_command->add_flag("--full", validate_options.full, "Repeat as often as the measurement did");
  validate_command->add_flag("--check", validate_options.check, "Exit with 1 if an error is above its limit");
  for (const char* name : {"--html", "--rows", "--full", "--check", "--program", "--again"}) published_option->excludes(validate_command->get_option(name));

  CLI::App* profile_command = app.add_subcommand("profile", "List, show or check profiles");
  profile_command->require_subcommand(1);
  profile_command->footer(list_of(exit_status, {{"0", "sound"}, {"1", "stdout cannot be written"}, {"2", "a profile is not there or has problems"}}));
  bool profile_json = false;
  CLI::App* list_command = profile_command->add_subcommand("list", "The shipped profiles");
  std::string shown;
  CLI::App* show_command = profile_command->add_subcommand("show", "A profile whole, with the source of each constant");
  show_command->add_option("NAME", shown, "A shipped name or a file")->required()->type_name(type_machine);
  std::vector<std::string> checked;
  CLI::App* check_command = profile_command->add_subcommand("check", "Name every problem of a profile");
  check_command->add_option("FILE", checked, "A file or a shipped name")->required()->type_name(type_machine);
  for (CLI::App* command : {list_command, show_command}) command->add_flag("--json", profile_json, "Print JSON");
  for (CLI::App* command : {list_command, show_command, check_command}) command->footer(profile_command->get_footer());

  std::vector<std::string> workload_sizes;
  bool zero_copy = false;
  std::uint32_t workload_reads = 1;
  std::string shared;
  CLI::App* manual_command = app.add_subcommand("__write-manual", "")->group("");
  manual_command->add_option("FOLDER", shared)->required();
  const CLI::App* names_command = app.add_subcommand("__profiles", "")->group("");
  CLI::App* workload_command = app.add_subcommand("__mapcopy-workload", "")->group("");
  workload_command->add_flag("--zero-copy", zero_copy);
  workload_command->add_option("--reads", workload_reads);
  workload_command->add_option("SIZES", workload_sizes)->required()->check(check_size);

  std::string plan;
  CLI::App* task_command = app.add_subcommand("__sweep-task", "")->group("");
  task_command->add_option("PLAN", plan)->required();

  const auto is_named = [&](const CLI::App* known) { return known->get_name() == arguments.front(); };
  if (!arguments.empty() && !arguments.front().starts_with('-') && app.get_subcommands(is_named).empty()) {
    fmt::print(stderr, "sluice: there is no command \"{}\"; `sluice --help` lists them\n", arguments.front());
    return exit_unusable;
  }
  try {
    std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    const auto parsed = app.get_subcommands();
    if (!has_program && !parsed.empty() && takes_program(*parsed.front()) && dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
      fmt::print(stderr, "sluice {0}: the program follows after --: sluice {0} [OPTIONS] -- PROGRAM [ARG...]\n", parsed.front()->get_name());
    }
    return app.exit(error) == 0 ? exit_ok : exit_unusable;
  }
  const CLI::App* command = app.get_subcommands().front();
  const bool needs_program = takes_program(*command);
  if (has_program != needs_program) {
    fmt::print(stderr, "{}\n",
               needs_program ? fmt::format("sluice {0}: the program is missing: sluice {0} [OPTIONS] -- PROGRAM [ARG...]",
                                           command->get_name())
                             : "sluice: only `run`, `record` and `compare` take a program after --");
    return exit_unusable;
  }
  if (needs_program && program.empty()) {
    fmt::print(stderr, "sluice {}: nothing follows --\n", command->get_name());
    return exit_unusable;
  }
  if (manual_command->parsed()) return write_shared(app, shared);
  if (names_command->parsed()) return list_profiles();
  if (run_command->parsed()) {
    run_options.command = std::move(program);
    return run(std::move(run_options));
  }
  if (record_command->parsed()) {
    record_options.command = std::move(program);
    return record(std::move(record_options));
  }
  if (diff_command->parsed()) return diff(diff_options);
  if (sweep_command->parsed()) {
    sweep_options.is_on_slurm = executor == "slurm";
    if (sweep_options.is_on_slurm && retries->empty()) sweep_options.retries = 1;
    return sweep(sweep_options);
  }
  if (task_command->parsed()) return sweep_task(plan);
  if (compare_command->parsed()) {
    compare_options.command = std::move(program);
    return compare(compare_options);
  }
  if (report_command->parsed()) return report(trace, report_json);
  if (convert_command->parsed()) return convert(convert_options);
  if (mapcopy_command->parsed()) {
    mapcopy_options.sizes_bytes = sizes_of(sizes);
    return mapcopy(mapcopy_options);
  }
  if (validate_command->parsed()) return validate(validate_options);
  if (list_command->parsed()) return profile_list(profile_json);
  if (show_command->parsed()) return profile_show(shown, profile_json);
  if (check_command->parsed()) return profile_check(checked);
  return mapcopy_workload(sizes_of(workload_sizes), workload_reads, zero_copy);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> all(argv + (argc > 0 ? 1 : 0), argv + argc);
  // What follows the first "--" is the program's own, options and all.
  const auto separator = std::find(all.begin(), all.end(), "--");
  const bool has_program = separator != all.end();
  try {
    const int status = dispatch({all.begin(), separator}, {has_program ? separator + 1 : separator, all.end()}, has_program);
    // Whatever was printed and is nowhere is no success.
    const bool is_told = static_cast<bool>(std::cout.flush()) && std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    if (is_told || status != exit_ok) return status;
    fmt::print(stderr, "sluice: standard output cannot be written\n");
    return exit_failed;
  } catch (const std::exception& error) {
    fmt::print(stderr, "sluice: {}\n", error.what());
    return exit_failed;
  }
}
