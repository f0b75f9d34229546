"""`sluice sweep` on this machine: killed and taken up again, points that crash or hang, and what a terminal sees.
    local_test.py SLUICE"""
import collections
import csv
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import sweep_case


def processes_with(text):
    found = []
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{process}/cmdline", "rb") as line:
                if text.encode() in line.read():
                    found.append(process)
        except OSError:
            pass  # it ended
    return found


class LocalTest(sweep_case.SweepCase):
    def test_stages_of_transfers_are_those_of_their_commands(self):
        """As they are summed here from a trace of the same run: the third round of each method, three commands of a copy, five of a map."""
        path = self.folder / "spec.json"
        path.write_text(json.dumps({"profile": "generic-pcie4", "transfers": {"sizes": ["64K"]}, "vary": {"/link/lanes": [16]}}))
        result = self.sweep(path)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.results / "sweep.csv", newline="") as file:
            row = next(csv.DictReader(file))
        trace = self.folder / "trace.jsonl"
        subprocess.run([sweep_case.SLUICE, "run", "--profile", "generic-pcie4", "--virtual-time", "--trace", trace, "--", sweep_case.SLUICE,
                        "__mapcopy-workload", "--reads=1", "65536"], env=self.environment, check=True, stdout=subprocess.DEVNULL, timeout=60)
        commands = [json.loads(line) for line in trace.read_text().splitlines() if '"record":"command"' in line]
        commands.sort(key=lambda c: c["id"])
        copies = [c for c in commands if c["op"] in ("write_buffer", "read_buffer", "kernel")]
        rounds = {"pageable": copies[6:9], "pinned": copies[15:18], "map": commands[-5:]}
        self.assertEqual([c["op"] for c in rounds["pinned"]], ["write_buffer", "kernel", "read_buffer"])
        self.assertEqual([c["op"] for c in rounds["map"]], ["map_buffer", "unmap", "kernel", "map_buffer", "unmap"])
        for method, own in rounds.items():
            sums = collections.Counter()
            for command in own:
                sums.update(command["stages"])
            there = {key[len(method) + 1:-3]: int(value) for key, value in row.items()
                     if key.startswith(method + "_") and key.endswith("_ps") and value not in ("", "0")}
            self.assertEqual(there, dict(sums), method)

    def test_killed_it_goes_on_where_it_was(self):
        spec = self.spec(8, takes=0.3)
        whole = self.sweep(spec, "-j4")
        self.assertEqual(whole.returncode, 0, whole.stderr)
        undisturbed = (self.results / "sweep.csv").read_bytes()
        for point in range(8):
            (self.folder / f"began-{point}").unlink()
        self.results = self.folder / "killed"

        process = self.start(spec, "-j2")
        self.wait(lambda: len(self.outcomes()) >= 3, "three points")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        # Nothing of it goes on without it.
        self.wait(lambda: not processes_with(str(self.folder / "killed")), "the end of its points", 20)
        done = len(self.outcomes())
        self.assertLess(done, 8)
        before = sum(map(self.began, range(8)))
        # Killed in the middle of a line, too.
        with open(self.results / "points.jsonl", "a") as lines:
            lines.write('{"key":"x","sta')

        again = self.sweep(spec, "-j2")
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn(f"{done} of 8 points are there from before", again.stderr)
        self.assertEqual((self.results / "sweep.csv").read_bytes(), undisturbed)
        self.assertEqual(sum(map(self.began, range(8))), before + 8 - done)
        self.assertFalse((self.results / "work").exists())

        third = self.sweep(spec)
        self.assertIn("8 of 8 points are there from before", third.stderr)

    def test_a_point_that_crashes_fails_or_hangs_is_marked_and_the_others_run(self):
        spec = self.spec(6, seconds=2)
        self.ask("crash-1", "fail-2", "hang-3")
        result = self.sweep(spec, "-j3")
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(self.statuses(), ["ok", "signal 11", "exit 3", "timeout", "ok", "ok"])
        self.assertIn("6 points, 3 failed", result.stdout)
        self.assertIn("point 2: exit 3", result.stderr)
        said = (self.results / "work" / "2.out.err").read_text()
        self.assertIn("point 2 fails", said)
        # Mended, they run and the others do not.
        for name in ("crash-1", "fail-2", "hang-3"):
            (self.folder / name).unlink()
        result = self.sweep(spec)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 6)
        self.assertEqual([self.began(p) for p in range(6)], [1, 2, 2, 2, 1, 1])

    def test_failed_points_run_again_when_asked(self):
        spec = self.spec(3)
        self.ask("fail-once-0", "fail-2")
        result = self.sweep(spec, "--retries=2")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(self.statuses(), ["ok", "ok", "exit 3"])
        self.assertEqual([self.began(p) for p in range(3)], [2, 1, 3])
        self.assertIn("2 points failed and run again", result.stderr)
        self.assertIn("1 points failed and run again", result.stderr)
        self.assertIn("point 2: exit 3, 3 times", result.stderr)
        self.assertIn("1 points went well when they ran again", result.stderr)

    def test_two_sweeps_do_not_share_a_folder(self):
        spec = self.spec(2, takes=30)
        self.start(spec)
        self.wait(lambda: self.began(0), "the first sweep")
        second = self.sweep(spec)
        self.assertEqual(second.returncode, 2)
        self.assertIn("another sweep runs in this folder", second.stderr)

    def test_slurm_that_is_not_there_is_said(self):
        self.environment["PATH"] = str(self.folder)
        result = self.sweep(self.spec(1), "--executor=slurm")
        self.assertEqual(result.returncode, 1)
        self.assertIn("sbatch: not started: No such file or directory; --executor slurm needs sbatch", result.stderr)
        result = self.sweep(self.spec(1), "--executor=slurm", "--slurm=touch x")
        self.assertEqual(result.returncode, 2)
        self.assertIn("--slurm: found touch x; allowed: an option of sbatch in one word", result.stderr)

    def on_terminal(self, spec, columns):
        """What the command writes to a terminal of that width on stderr, and to a pipe on stdout."""
        mine, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        process = subprocess.Popen(self.command(spec, "-j2"), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its)
        os.close(its)
        seen = b""
        while True:
            try:
                chunk = os.read(mine, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            seen += chunk
        os.close(mine)
        out = process.stdout.read()
        process.stdout.close()
        self.assertEqual(process.wait(), 0)
        return seen.decode(), out.decode()

    def test_a_terminal_sees_how_far_how_fast_and_how_long_still(self):
        seen, out = self.on_terminal(self.spec(6, takes=0.2), 80)
        drawn = seen.split("\r\x1b[K")
        self.assertEqual(drawn[0], "")
        self.assertEqual(drawn[-1], "", "the bar is taken away at the end")
        bar = re.compile(r"\[(#*)(\.*)\] (\d)/6(?:  (\d+\.\d+) points/s(?:  (\d+) s left)?)?")
        for line in drawn[1:-1]:
            found = bar.fullmatch(line)
            self.assertIsNotNone(found, line)
            self.assertEqual(len(found[1] + found[2]), 30)
            self.assertEqual(len(found[1]), 30 * int(found[3]) // 6)
        counts = [int(bar.fullmatch(line)[3]) for line in drawn[1:-1]]
        self.assertEqual(counts, sorted(counts))
        self.assertEqual(counts[-1], 6)
        midway = [line for line in drawn[1:-1] if "3/6" in line]
        self.assertRegex(midway[0], r"points/s  \d+ s left")
        self.assertRegex(out, r"^6 points, 0 failed: ")
        self.assertNotIn("\x1b", out)

    def test_a_narrow_terminal_sees_no_wrapped_line(self):
        seen, _ = self.on_terminal(self.spec(3), 30)
        drawn = seen.split("\r\x1b[K")
        self.assertIn("3/3", drawn[-2])
        self.assertLess(max(map(len, drawn)), 30)

    def test_a_pipe_sees_nothing_of_it(self):
        result = self.sweep(self.spec(3))
        self.assertEqual(result.stderr, "")
        self.assertRegex(result.stdout, r"^3 points, 0 failed: \S+sweep\.csv, \S+sweep\.html\n$")


if __name__ == "__main__":
    sweep_case.main()
