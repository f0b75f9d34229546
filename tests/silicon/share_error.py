#!/usr/bin/env python3
"""A simulated run of share.cpp against a measured one: two transfers at once, row by row.

Usage: share_error.py MEASURED.jsonl SIMULATED.jsonl

Columns, measured and simulated in ns: the end of the long transfer, the short one's wait from SUBMIT to START, and its
START to END. The last line is the median and the worst error of the long end and of the short one's whole time.
"""
import json
import statistics
import sys


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return {(r["long"], r["long_bytes"], r["short"], r["bytes"]): r for r in map(json.loads, lines) if r.get("op") == "share"}


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    measured, simulated = rows(sys.argv[1]), rows(sys.argv[2])
    errors = {"long": [], "short": []}
    for key, m in measured.items():
        s = simulated.get(key)
        if s is None:
            continue
        wait = [r["short_start"] - r["short_submit"] for r in (m, s)]
        span = [r["short_end"] - r["short_start"] for r in (m, s)]
        errors["long"].append(abs(s["long_end"] / m["long_end"] - 1))
        errors["short"].append(abs((wait[1] + span[1]) / (wait[0] + span[0]) - 1))
        print(f"{key[0]} beside {key[2]} {key[3]:>9}  long end {m['long_end']:>8} {s['long_end']:>8}  "
              f"submit to start {wait[0]:>8} {wait[1]:>8}  start to end {span[0]:>8} {span[1]:>8}")
    for name, e in errors.items():
        print(f"{name}: n={len(e)} median {100 * statistics.median(e):.2f}% worst {100 * max(e):.1f}%")


if __name__ == "__main__":
    main()
