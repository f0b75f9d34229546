#!/usr/bin/env python3
"""Fails on an #include that the design does not allow, and on a call of sc_start outside sim/clock.

    include_arrows.py ROOT        prints one line per violation, exits 1 if there is one

RULES is the list of allowed arrows. A file obeys the rule with the longest matching `of`; a file that no rule matches
is a violation, so that a new folder is entered here. Which external headers may be reached is checked through all
includes, not only direct ones: a SystemC-free folder may not see SystemC by way of another folder's header either.
"""

import dataclasses
import pathlib
import re
import sys

FOLDERS = ("api", "sim", "traces", "tools", "tests")
SUFFIXES = {".h", ".hpp", ".inc", ".c", ".cc", ".cpp", ".cu"}

OPENCL = re.compile(r"CL/")
SYSTEMC = re.compile(r"systemc|sysc/|tlm")
LLVM = re.compile(r"llvm|clang|LLVMSPIRVLib/")


@dataclasses.dataclass(frozen=True)
class Rule:
    of: str  # a folder, with its slash, or a file
    to: tuple  # folders (with their slash), files, or FOLDER/*.h for the headers of that folder alone
    systemc: bool = False
    opencl: bool = False
    llvm: bool = False


MODEL = ("sim/iface/", "sim/profile/", "sim/cache/", "sim/models/*.h", "sim/clock/agenda.h", "sim/clock/kernel_time.h")
PUBLIC = ("sim/iface/", "sim/profile/load.h", "sim/profile/profile.h", "traces/*.h", "api/command/virtual_time_hooks.h")
EVERYTHING = ("api/", "sim/", "traces/", "tools/", "tests/support/")

RULES = (
    # The driver: the contract and its factory open_simulator(), and the recorder that it opens. Never SystemC.
    Rule("api/", ("api/", "sim/iface/", "traces/recorder.h"), opencl=True),
    Rule("api/command/virtual_time_hooks.h", ()),
    Rule("api/strict/preload_hooks.h", ()),
    # OpenCL C and SPIR-V -> bitcode: no part of the driver's state, and the only part of it that sees LLVM.
    Rule("api/compiler/", ("api/compiler/", "sim/iface/"), opencl=True, llvm=True),

    # The hardware: never OpenCL.
    Rule("sim/iface/", ("sim/iface/",)),
    Rule("sim/profile/", ("sim/profile/", "sim/iface/")),
    Rule("sim/cache/", ("sim/cache/", "sim/iface/", "sim/profile/")),
    Rule("sim/exec/", ("sim/exec/", "sim/iface/"), llvm=True),
    # Plain interfaces, where models meet without seeing each other.
    Rule("sim/models/", ("sim/models/*.h", "sim/iface/", "sim/cache/")),
    Rule("sim/models/command_processor/", MODEL + ("sim/models/command_processor/",), systemc=True),
    Rule("sim/models/compute/", MODEL + ("sim/models/compute/",), systemc=True),
    Rule("sim/models/host/", MODEL + ("sim/models/host/",), systemc=True),
    Rule("sim/models/iommu/", MODEL + ("sim/models/iommu/",)),
    Rule("sim/models/link/", MODEL + ("sim/models/link/",), systemc=True),
    Rule("sim/models/migration/", MODEL + ("sim/models/migration/",)),
    Rule("sim/models/memory/", MODEL + ("sim/models/memory/",)),
    Rule("sim/dma/", MODEL + ("sim/dma/",), systemc=True),
    # The two places that bind models.
    Rule("sim/models/gpu/", MODEL + ("sim/models/", "sim/dma/", "sim/exec/"), systemc=True),
    Rule("sim/clock/", ("sim/",), systemc=True),
    # What models may use of the clock must not lead them to other models.
    Rule("sim/clock/agenda.h", ("sim/iface/", "sim/clock/kernel_time.h"), systemc=True),
    Rule("sim/clock/kernel_time.h", ("sim/iface/",), systemc=True),

    Rule("traces/", ("traces/", "sim/iface/")),
    Rule("tools/", PUBLIC + ("tools/",), opencl=True),
    Rule("tools/virtual_time/", ("api/command/virtual_time_hooks.h",)),
    Rule("tools/strict/", ("api/strict/preload_hooks.h",)),

    # Tests may look inside, but a test of one area does not lean on another's.
    Rule("tests/unit/", EVERYTHING + ("tests/unit/",), systemc=True, opencl=True, llvm=True),
    Rule("tests/contract/", EVERYTHING + ("tests/contract/",), systemc=True, opencl=True),
    Rule("tests/timing/", EVERYTHING + ("tests/timing/",), systemc=True),
    Rule("tests/arch/", ("tests/arch/",)),
    Rule("tests/support/", ("tests/support/",)),
    Rule("tests/support/made_up_sweep.h", ("tests/support/", "tools/sweep/")),
    Rule("tests/support/made_up_trace.h", ("tests/support/", "traces/")),
    # These see the driver as programs do, and beside it public headers at most.
    Rule("tests/api/", ("tests/api/", "tests/support/"), opencl=True),
    Rule("tests/golden/", ("tests/golden/", "tests/support/", "tests/silicon/probe.h"), opencl=True),
    Rule("tests/silicon/", ("tests/silicon/", "tests/support/"), opencl=True),
    Rule("tests/fuzz/", PUBLIC + ("tests/fuzz/", "tools/diff/"), opencl=True),
    Rule("tests/bench/", PUBLIC + ("tests/bench/", "tests/support/made_up_trace.h"), opencl=True),
    Rule("tests/bench/bench_page.cpp", ("tests/bench/", "tests/support/", "tools/page/", "tools/sweep/"), opencl=True),
    Rule("tests/bench/bench_sim.cpp", PUBLIC + ("tests/bench/", "sim/models/memory/")),
)

# The simulator is started in one place; a test of one model has no simulator and drives the kernel itself.
MAY_START = ("sim/clock/", "tests/unit/", "tests/timing/", "tests/contract/")

COMMENT_OR_STRING = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])'""", re.DOTALL)
INCLUDE = re.compile(r"^[ \t]*#[ \t]*(?:include|include_next|import)\b[ \t]*(.*?)[ \t]*$", re.MULTILINE)
SC_START = re.compile(r"\bsc_start\b")


def without_comments(text):
    """Comments become blanks of as many lines; strings stay, because an include's name is one."""
    return COMMENT_OR_STRING.sub(lambda m: m[0] if m[0][0] in "\"'" else "\n" * m[0].count("\n") or " ", text)


def matches(pattern, path):
    if pattern.endswith("/*.h"):
        folder, _, name = path.rpartition("/")
        return folder == pattern[: -len("/*.h")] and name.endswith(".h")
    return path.startswith(pattern) if pattern.endswith("/") else path == pattern


def rule_of(path):
    candidates = [rule for rule in RULES if matches(rule.of, path)]
    return max(candidates, key=lambda rule: len(rule.of), default=None)


@dataclasses.dataclass
class File:
    internal: list = dataclasses.field(default_factory=list)  # (line, path below the root)
    external: list = dataclasses.field(default_factory=list)  # (line, name)


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.files = {}
        self.problems = []
        for folder in FOLDERS:
            for path in sorted((self.root / folder).rglob("*")):
                if path.suffix in SUFFIXES and path.is_file():
                    self.read(path.relative_to(self.root).as_posix(), path)

    def complain(self, name, line, text):
        self.problems.append(f"{name}:{line}: {text}")

    def read(self, name, path):
        text = without_comments(path.read_text(encoding="utf-8"))
        file = self.files[name] = File()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            what = match[1]
            if len(what) < 3 or (what[0], what[-1]) not in (('"', '"'), ("<", ">")):
                self.complain(name, line, f"#include {what}: neither \"...\" nor <...>, so the arrow cannot be seen")
                continue
            target = what[1:-1]
            # A path below the root is ours, however it is quoted.
            if ".." not in target.split("/") and (self.root / target).is_file():
                file.internal.append((line, target))
            elif what[0] == '"':
                self.complain(name, line, f"#include {what}: no such file below the root; paths start there")
            else:
                file.external.append((line, target))
        if not name.startswith(MAY_START):
            # Strings may speak of it.
            for match in SC_START.finditer(re.sub(r'"(?:\\.|[^"\\\n])*"', lambda m: " " * len(m[0]), text)):
                self.complain(name, text.count("\n", 0, match.start()) + 1, "sc_start is called in sim/clock alone")

    def reached(self, name, pattern):
        """How `name` comes to include an external header that matches: a list of files and the header, or None."""
        seen = {name}
        paths = [[name]]
        for path in paths:  # breadth first, so the shortest way is told
            file = self.files.get(path[-1])
            if file is None:
                continue
            for _, header in file.external:
                if pattern.match(header):
                    return path + [f"<{header}>"]
            for _, target in file.internal:
                if target not in seen:
                    seen.add(target)
                    paths.append(path + [target])
        return None

    def check(self):
        for name, file in self.files.items():
            rule = rule_of(name)
            if rule is None:
                self.complain(name, 1, "no rule for this folder: enter it in tests/arch/include_arrows.py")
                continue
            for line, target in file.internal:
                if not any(matches(pattern, target) for pattern in rule.to):
                    self.complain(name, line, f"{rule.of} may not include {target}")
            for allowed, pattern, what in ((rule.systemc, SYSTEMC, "SystemC"), (rule.opencl, OPENCL, "OpenCL"),
                                           (rule.llvm, LLVM, "LLVM")):
                way = None if allowed else self.reached(name, pattern)
                if way is not None:
                    self.complain(name, 1, f"{rule.of} must be free of {what}: {' -> '.join(way)}")
        return self.problems


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tree = Tree(arguments[1])
    problems = tree.check()
    for problem in problems:
        print(problem)
    arrows = sum(len(file.internal) for file in tree.files.values())
    print(f"{len(tree.files)} files, {arrows} arrows, {len(problems)} violations")
    # An empty tree is a wrong path, not a clean one.
    return 1 if problems or arrows == 0 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
