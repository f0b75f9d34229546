"""What the tests of `sluice sweep` share: a folder, a specification whose program does what the test asks of each point, and
the command."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SLUICE = ""  # the command; main() sets it


def main():
    global SLUICE
    SLUICE = os.path.abspath(sys.argv.pop(1))
    sys.modules["sweep_case"].SLUICE = SLUICE
    unittest.main(verbosity=2)


class SweepCase(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sluice-sweep-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.results = self.folder / "results"
        self.environment = dict(os.environ)

    def spec(self, points, seconds=600, takes=0):
        """`points` points of a program; where the test made a file crash-N, fail-N, fail-once-N or hang-N, that one does so."""
        spec = {
            "profile": "generic-pcie4",
            "program": [str(pathlib.Path(__file__).parent / "point.sh"), str(self.folder), SLUICE, str(takes)],
            "seconds": seconds,
            "vary": {"/link/read_tags": list(range(17, 17 + points))},
        }
        path = self.folder / "spec.json"
        path.write_text(json.dumps(spec))
        return path

    def ask(self, *files):
        for name in files:
            (self.folder / name).touch()

    def command(self, spec, *options):
        return [SLUICE, "sweep", str(spec), "-o", str(self.results), *options]

    def sweep(self, spec, *options):
        return subprocess.run(self.command(spec, *options), env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300)

    def start(self, spec, *options):
        """In the background; killed with the test."""
        process = subprocess.Popen(self.command(spec, *options), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)

        def stop():
            process.kill()
            process.wait()
            process.stderr.close()

        self.addCleanup(stop)
        return process

    def began(self, point):
        try:
            return len((self.folder / f"began-{point}").read_text().split())
        except FileNotFoundError:
            return 0

    def outcomes(self):
        """Status by key of what was kept, in order; a line without its end is none."""
        text = (self.results / "points.jsonl").read_text() if (self.results / "points.jsonl").exists() else ""
        return [json.loads(line)["status"] for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def statuses(self):
        """Of the CSV, by point."""
        lines = (self.results / "sweep.csv").read_text().splitlines()
        at = lines[0].split(",").index("status")
        return [line.split(",")[at] for line in lines[1:]]

    def wait(self, is_so, what, seconds=120):
        end = time.monotonic() + seconds
        while not is_so():
            self.assertLess(time.monotonic(), end, f"{what}: not within {seconds} s")
            time.sleep(0.02)
