#!/usr/bin/env python3
"""The scanner must fail: one seeded violation a case, in a small tree that is clean without it."""

import pathlib
import tempfile
import unittest

import include_arrows

CLEAN = {
    "api/entry/map.cpp": '#include <CL/cl.h>\n#include "api/command/runtime.h"\n#include "sim/iface/simulator.h"\n',
    "api/command/runtime.h": '#include "sim/iface/simulator.h"\n#include "traces/recorder.h"\n',
    "api/command/virtual_time_hooks.h": "#include <stdint.h>\n",
    "api/compiler/compiler.h": "#include <CL/cl.h>\n",
    "api/compiler/module.h": '#include <llvm/IR/Module.h>\n#include "api/compiler/compiler.h"\n',
    "sim/iface/time.h": "#include <cstdint>\n",
    "sim/iface/simulator.h": '#include "sim/iface/time.h"\n',
    "sim/profile/profile.h": '#include "sim/iface/time.h"\n',
    "sim/profile/load.h": '#include "sim/profile/profile.h"\n',
    "sim/cache/host_memory.h": '#include "sim/profile/profile.h"\n',
    "sim/exec/engine.h": '#include "sim/iface/time.h"\n',
    "sim/models/job.h": '#include "sim/iface/time.h"\n',
    "sim/models/link/link.h": '#include <systemc>\n#include "sim/models/job.h"\n#include "sim/clock/agenda.h"\n',
    "sim/models/memory/dram.h": '#include "sim/cache/host_memory.h"\n',
    "sim/models/host/driver.h": '#include "sim/models/job.h"\n#include "sim/cache/host_memory.h"\n',
    "sim/models/gpu/gpu.h":
        '#include "sim/models/link/link.h"\n#include "sim/models/memory/dram.h"\n#include "sim/dma/copy.h"\n',
    "sim/dma/copy.h": '#include "sim/models/job.h"\n#include "sim/clock/agenda.h"\n',
    "sim/clock/agenda.h": "#include <systemc>\n",
    "sim/clock/device.cpp": '#include "sim/models/gpu/gpu.h"\nvoid f() { sc_core::sc_start(); }\n',
    "traces/recorder.h": '#include "sim/iface/time.h"\n',
    "tools/main.cpp": '#include <CL/cl.h>\n#include "sim/profile/load.h"\n#include "traces/recorder.h"\n',
    "tests/unit/link/link_test.cpp":
        '#include <systemc>\n#include "sim/models/link/link.h"\nvoid f() { sc_start(1); }\n',
    "tests/api/map_test.cpp": "#include <CL/cl.h>\n// api/entry/map.cpp calls sc_start() through sim/clock\n",
}

# (file, line that is added to it, what the complaint must say)
VIOLATIONS = (
    ("api/entry/map.cpp", '#include "sim/clock/agenda.h"', "api/ may not include sim/clock/agenda.h"),
    ("api/entry/map.cpp", '#include "sim/profile/load.h"', "api/ may not include sim/profile/load.h"),
    ("api/entry/map.cpp", '#include "tools/command/child.h"', "api/ may not include tools/command/child.h"),
    ("api/entry/map.cpp", "#include <systemc>", "api/ must be free of SystemC"),
    ("api/entry/map.cpp", "#include <tlm_utils/simple_target_socket.h>", "api/ must be free of SystemC"),
    ("api/entry/map.cpp", "#include <llvm/IR/Module.h>", "api/ must be free of LLVM"),
    ("api/entry/map.cpp", '#include "api/compiler/module.h"', "api/ must be free of LLVM"),
    ("api/compiler/compiler.h", '#include "api/command/runtime.h"', "api/compiler/ may not include api/command"),
    ("sim/models/link/link.h", "#include <clang/Basic/Version.h>", "sim/models/link/ must be free of LLVM"),
    ("api/command/virtual_time_hooks.h", '#include "api/command/runtime.h"', "may not include api/command/runtime.h"),
    ("sim/iface/time.h", "#include <CL/cl.h>", "sim/iface/ must be free of OpenCL"),
    ("sim/iface/time.h", "#include <systemc.h>", "sim/iface/ must be free of SystemC"),
    ("sim/iface/time.h", '#include "api/command/runtime.h"', "sim/iface/ may not include api/command/runtime.h"),
    ("sim/dma/copy.h", '#include <CL/cl_platform.h>', "sim/dma/ must be free of OpenCL"),
    ("sim/dma/copy.h", '#include "sim/models/memory/dram.h"', "sim/dma/ may not include sim/models/memory/dram.h"),
    ("sim/dma/copy.h", '#include "traces/recorder.h"', "sim/dma/ may not include traces/recorder.h"),
    ("sim/models/host/driver.h", '#include "sim/models/link/link.h"',
     "sim/models/host/ may not include sim/models/link"),
    ("sim/models/host/driver.h", "#include <sim/models/link/link.h>",
     "sim/models/host/ may not include sim/models/link"),
    ("sim/models/host/driver.h", '#include "sim/models/gpu/gpu.h"', "sim/models/host/ may not include sim/models/gpu"),
    ("sim/models/host/driver.h", '#include "sim/clock/clock.h"', "sim/models/host/ may not include sim/clock/clock.h"),
    ("sim/models/job.h", '#include "sim/models/link/link.h"', "sim/models/ may not include sim/models/link/link.h"),
    ("sim/models/memory/dram.h", '#include "sim/clock/agenda.h"', "sim/models/memory/ must be free of SystemC"),
    ("sim/models/compute/unit.h", '#include "sim/models/link/link.h"', "sim/models/compute/ may not include"),
    ("sim/clock/agenda.h", '#include "sim/models/gpu/gpu.h"',
     "sim/clock/agenda.h may not include sim/models/gpu/gpu.h"),
    ("sim/profile/load.h", "#include <systemc>", "sim/profile/ must be free of SystemC"),
    ("sim/exec/engine.h", "#include <sysc/kernel/sc_time.h>", "sim/exec/ must be free of SystemC"),
    ("sim/cache/host_memory.h", '#include "sim/models/job.h"', "sim/cache/ may not include sim/models/job.h"),
    ("sim/bus/bus.h", "#include <vector>", "no rule for this folder"),
    ("traces/recorder.h", '#include "sim/profile/load.h"', "traces/ may not include sim/profile/load.h"),
    ("traces/recorder.h", "#include <systemc>",
     "api/ must be free of SystemC: api/command/runtime.h -> traces/recorder.h"),
    ("tools/main.cpp", '#include "sim/models/job.h"', "tools/ may not include sim/models/job.h"),
    ("tools/main.cpp", '#include "api/command/runtime.h"', "tools/ may not include api/command/runtime.h"),
    ("tests/api/map_test.cpp", '#include "api/command/runtime.h"', "tests/api/ may not include api/command/runtime.h"),
    ("tests/api/map_test.cpp", '#include "sim/iface/time.h"', "tests/api/ may not include sim/iface/time.h"),
    ("api/entry/map.cpp", "void f() { sc_core::sc_start(t); }", "sc_start is called in sim/clock alone"),
    ("sim/models/gpu/gpu.h", "using sc_core::sc_start;", "sc_start is called in sim/clock alone"),
    ("api/entry/map.cpp", '#include "runtime.h"', "no such file below the root"),
    ("api/entry/map.cpp", '#include "../../sim/clock/agenda.h"', "no such file below the root"),
    ("api/entry/map.cpp", "#  include MODEL_HEADER", "so the arrow cannot be seen"),
    ("api/entry/map.cpp", '/* one */ #include <systemc>', "api/ must be free of SystemC"),
)

HARMLESS = (
    ("api/entry/map.cpp", "// #include <systemc>"),
    ("api/entry/map.cpp", "/*\n#include <systemc>\nsc_start()\n*/"),
    ("api/entry/map.cpp", 'const char* text = "sc_start // \\" #include";'),
    ("api/entry/map.cpp", "const char quote = '\"'; // sc_start"),
    ("tests/timing/engine_test.cpp", '#include "sim/models/link/link.h"\nvoid f() { sc_core::sc_start(); }'),
)


class IncludeArrows(unittest.TestCase):
    def problems(self, file=None, line=None):
        with tempfile.TemporaryDirectory() as root:
            tree = dict(CLEAN)
            tree["tools/command/child.h"] = ""
            tree["sim/clock/clock.h"] = ""
            if file is not None:
                tree[file] = tree.get(file, "") + line + "\n"
            for name, text in tree.items():
                path = pathlib.Path(root, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            return include_arrows.Tree(root).check()

    def test_a_clean_tree_passes(self):
        self.assertEqual(self.problems(), [])

    def test_every_seeded_violation_is_found(self):
        for file, line, complaint in VIOLATIONS:
            with self.subTest(file=file, line=line):
                found = self.problems(file, line)
                self.assertTrue(any(complaint in problem for problem in found), found)

    def test_comments_and_strings_are_no_violations(self):
        for file, line in HARMLESS:
            with self.subTest(file=file, line=line):
                self.assertEqual(self.problems(file, line), [])

    def test_an_empty_tree_is_an_error(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(include_arrows.main(["", root]), 1)


if __name__ == "__main__":
    unittest.main()
