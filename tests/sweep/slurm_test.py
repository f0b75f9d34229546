"""`sluice sweep --executor slurm` on a cluster of one node: Debian's munged, slurmctld and slurmd, started here.
    slurm_test.py SLUICE        77 if Slurm is not installed"""
import os
import signal
import sys

import cluster
import sweep_case


class SlurmTest(sweep_case.SweepCase):
    @classmethod
    def setUpClass(cls):
        cls.cluster = cluster.Cluster(cpus=4)
        cls.addClassCleanup(cls.cluster.stop)

    def setUp(self):
        super().setUp()
        self.environment = dict(self.cluster.environment)

    def tearDown(self):
        self.cluster.run("scancel", "--state=PENDING")
        self.cluster.run("scancel", "--state=RUNNING")

    def jobs(self):
        return sorted(set(self.cluster.run("squeue", "--noheader", "--format=%F").stdout.split()))

    def slurm_sweep(self, spec, *options):
        return self.sweep(spec, "--executor=slurm", *options)

    def test_an_array_gives_what_this_machine_gives(self):
        spec = self.spec(5)
        here = self.sweep(spec)
        self.assertEqual(here.returncode, 0, here.stderr)
        csv = (self.results / "sweep.csv").read_bytes()
        self.results = self.folder / "slurm"
        result = self.slurm_sweep(spec)
        self.assertEqual(result.returncode, 0, result.stderr + self.cluster.logs())
        self.assertRegex(result.stderr, r"^Slurm job \d+: 5 points in 5 tasks\n$")
        self.assertEqual((self.results / "sweep.csv").read_bytes(), csv)
        self.assertEqual(sorted(p.name for p in self.results.iterdir()), ["points.jsonl", "sweep.csv", "sweep.html"])
        self.assertEqual([self.began(p) for p in range(5)], [2] * 5)  # here and there

    def test_few_tasks_run_many_points(self):
        result = self.slurm_sweep(self.spec(7), "-j2")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("7 points in 2 tasks", result.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 7)
        self.assertEqual([self.began(p) for p in range(7)], [1] * 7)

    def test_points_that_fail_run_again_and_are_told(self):
        self.ask("fail-once-0", "crash-1", "fail-2", "hang-3")
        result = self.slurm_sweep(self.spec(5, seconds=2))
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(self.statuses(), ["ok", "signal 11", "exit 3", "timeout", "ok"])
        self.assertEqual([self.began(p) for p in range(5)], [2, 2, 2, 2, 1])
        self.assertIn("4 points failed and run again", result.stderr)
        self.assertIn("1 points went well when they ran again", result.stderr)
        said = [line for line in result.stderr.splitlines() if "point 2: exit 3, 2 times (" in line]
        self.assertEqual(len(said), 1, result.stderr)
        with open(said[0].split("(")[1].rstrip(")")) as output:
            self.assertIn("point 2 fails", output.read())

    def test_killed_it_waits_for_the_array_that_runs_on(self):
        spec = self.spec(6, takes=1.5)
        process = self.start(spec, "--executor=slurm")
        self.wait(lambda: self.began(0) and self.began(3), "the first points")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        self.assertLess(self.outcomes().count("ok"), 6)
        again = self.slurm_sweep(spec)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertIn("still runs and is waited for", again.stderr)
        self.assertNotIn("Slurm job", again.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 6)
        self.assertEqual([self.began(p) for p in range(6)], [1] * 6)

    def test_killed_it_takes_what_the_array_left(self):
        spec = self.spec(3)
        process = self.start(spec, "--executor=slurm")
        self.wait(lambda: self.jobs(), "the job")
        os.kill(process.pid, signal.SIGSTOP)  # it sees none of the results
        self.wait(lambda: not self.jobs(), "the job's end")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        again = self.slurm_sweep(spec)
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 3)
        self.assertEqual([self.began(p) for p in range(3)], [1] * 3)

    def test_another_specification_does_not_wait_for_the_array_of_the_first(self):
        process = self.start(self.spec(2, takes=600), "--executor=slurm")
        self.wait(lambda: self.began(1), "the first points")
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        again = self.slurm_sweep(self.spec(3))
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 3)
        self.wait(lambda: not self.jobs(), "the end of the first array", 30)

    def test_what_slurm_ends_is_told_and_runs_with_the_next_command(self):
        spec = self.spec(3, takes=600)
        process = self.start(spec, "--executor=slurm", "--retries=0")
        self.wait(lambda: all(map(self.began, range(3))), "the points")
        self.cluster.run("scancel", *self.jobs())
        self.assertEqual(process.wait(120), 1)
        self.assertEqual(self.statuses(), ["slurm: CANCELLED"] * 3)
        again = self.slurm_sweep(self.spec(3))
        self.assertEqual(again.returncode, 0, again.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 3)

    def test_a_task_that_slurm_starts_again_goes_on_where_it_was(self):
        spec = self.spec(3, takes=1)
        process = self.start(spec, "--executor=slurm", "-j1")
        self.wait(lambda: self.began(1), "the second point")
        self.assertEqual(self.cluster.run("scontrol", "requeue", self.jobs()[0]).returncode, 0)
        self.assertEqual(process.wait(180), 0)
        self.assertEqual(self.statuses(), ["ok"] * 3)
        self.assertEqual(self.began(0), 1)

    def test_asked_to_end_it_cancels_its_array(self):
        spec = self.spec(4, takes=600)
        process = self.start(spec, "--executor=slurm")
        self.wait(lambda: self.began(0), "the first point")
        os.kill(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(60), 1)
        self.assertIn("the same command goes on where it was", process.stderr.read())
        self.wait(lambda: not self.jobs(), "the end of its array", 30)
        self.assertEqual(self.slurm_sweep(self.spec(4)).returncode, 0)

    def test_what_sbatch_refuses_is_told_in_its_words(self):
        result = self.slurm_sweep(self.spec(1), "--slurm=--partition=nowhere")
        self.assertEqual(result.returncode, 1)
        self.assertIn("sluice sweep: sbatch: sbatch: error: invalid partition specified: nowhere", result.stderr)
        self.assertEqual(self.slurm_sweep(self.spec(1), "--slurm=--partition=all").returncode, 0)

    def test_nothing_that_is_typed_is_run_by_a_shell(self):
        self.results = self.folder / "%A $(touch evil) `touch evil`; 'touch evil' \"&|"
        spec = self.spec(2)
        spec = spec.rename(self.folder / "$(touch evil).json")
        result = self.slurm_sweep(spec)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.statuses(), ["ok"] * 2)
        self.assertEqual(list(self.folder.rglob("evil")), [])


if __name__ == "__main__":
    if cluster.missing():
        print("skipped: Slurm is not installed, missing " + ", ".join(cluster.missing()) + " (apt-get install munge slurm-client slurmctld slurmd)")
        sys.exit(77)
    sweep_case.main()
