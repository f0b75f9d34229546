#!/usr/bin/env python3
"""Holds map_table.md and the tests of the map calls to each other.

usage: map_table_test.py TABLE BINARY... --also BINARY...

Every test of a BINARY must be in a row, and every test that a row names must be in one of the binaries. Of those after
--also only the tests whose name is Map or Unmap must be in a row.
"""
import re
import subprocess
import sys


def tests_of(binary):
    suite, names = "", []
    listing = subprocess.run([binary, "--gtest_list_tests"], check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        text = line.split("#")[0].rstrip()
        if re.fullmatch(r"\w+\.", text):
            suite = text
        elif re.fullmatch(r"  \w+", text):
            names.append(suite + text.strip())
    if not names:
        raise SystemExit(f"{binary}: no tests")
    return names


def main(table, *arguments):
    split = arguments.index("--also") if "--also" in arguments else len(arguments)
    wanted = {name for binary in arguments[:split] for name in tests_of(binary)}
    others = {name for binary in arguments[split + 1:] for name in tests_of(binary)}
    wanted |= {name for name in others if name.split(".")[1] in ("Map", "Unmap")}
    problems, ids, named = [], set(), set()
    for number, line in enumerate(open(table, encoding="utf-8"), 1):
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|") or cells[0] == "id" or set(cells[0]) == {"-"}:
            continue
        where = f"{table}:{number}"
        if len(cells) != 5 or not all(cells):
            problems.append(f"{where}: found {len(cells)} cells; allowed: id, call, promise, pages, tests, none empty")
            continue
        if not re.fullmatch(r"[A-Z]{2}-\d\d", cells[0]) or cells[0] in ids:
            problems.append(f"{where}: {cells[0]}: not an id, or used before")
        ids.add(cells[0])
        tests = re.findall(r"`([^`]*)`", cells[4])
        if not tests:
            problems.append(f"{where}: {cells[0]}: names no test")
        for test in tests:
            if test not in wanted | others:
                problems.append(f"{where}: {cells[0]}: there is no test {test}")
        named.update(tests)
    problems += [f"{table}: no row names {name}" for name in sorted(wanted - named)]
    if not ids:
        problems.append(f"{table}: no rows")
    print("\n".join(problems) or f"{len(ids)} rows, {len(wanted)} tests")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
