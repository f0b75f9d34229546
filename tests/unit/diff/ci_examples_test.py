#!/usr/bin/env python3
"""Runs the commands of docs/ci as they stand, all but the installation: on a project whose reference is right, the job
passes; once its machine is another one, it fails and says so, until the change is accepted.
    ci_examples_test.py SLUICE SOURCE_DIR"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

import yaml

sluice, root = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
github = yaml.safe_load((root / "docs/ci/github.yml").read_text())["jobs"]["gate"]["steps"]
gitlab = yaml.safe_load((root / "docs/ci/gitlab.yml").read_text())["sluice"]
jobs = {
    "github": [step["run"] for step in github if "run" in step and step["name"] != "Install"],
    "gitlab": gitlab["script"],
}


def run_job(name, folder, commands):
    """The status of the first command that fails, as a runner would see it."""
    environment = dict(os.environ, PATH=f"{sluice.parent}:{os.environ['PATH']}", GITHUB_STEP_SUMMARY=str(folder / "summary.md"))
    for command in commands:
        status = subprocess.run(["bash", "-e", "-c", command], cwd=folder, env=environment, stdout=subprocess.DEVNULL).returncode
        if status != 0:
            return status
    return 0


def junit_failures(folder):
    return int(tree.parse(folder / "sluice.xml").getroot().get("failures"))


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, expected {wanted!r}")


for name, commands in jobs.items():
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shutil.copy(root / "tools/sample.cpp", folder / "app.cpp")
        (folder / "golden").mkdir()
        golden = folder / "golden/app.jsonl"
        expect(f"{name}: first build and record", run_job(name, folder, commands[:2]), 0)
        golden.write_bytes((folder / "new.jsonl").read_bytes())
        commands = [c for c in commands if not c.startswith("g++")]  # built once
        expect(f"{name}: unchanged", run_job(name, folder, commands), 0)
        expect(f"{name}: failures of the unchanged", junit_failures(folder), 0)

        # The team moves on to another machine.
        changed = [c.replace("h200-pcie5", "legacy-pcie3") for c in commands]
        expect(f"{name}: changed", run_job(name, folder, changed), 1)
        if junit_failures(folder) == 0:
            sys.exit(f"{name}: JUnit tells no failure")
        accept = ["sluice diff --accept golden/app.jsonl new.jsonl"]
        expect(f"{name}: accepted", run_job(name, folder, accept), 0)
        expect(f"{name}: after it was accepted", run_job(name, folder, changed), 0)
        if name == "github" and "No change beyond the tolerances" not in (folder / "summary.md").read_text():
            sys.exit("github: the summary lacks the verdict")
