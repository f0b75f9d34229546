#!/usr/bin/env python3
"""Error of a simulated clprobe run against a measured one, row by row.

Usage: fit_error.py MEASURED.jsonl SIMULATED.jsonl [--rows] [--max-rows N]

Rows are matched by operation, memory kind, size and shape. Two kinds of row are left out and counted:
  - rows of features that this device does not report (kernels, images), where the simulated run has no row;
  - start_end of rows whose measured event carries no stamps (NVIDIA's host-only write-invalidate maps and SVM unmaps
    return QUEUED = SUBMIT = 0 and stale START/END, which clprobe prints as they are).
"""
import argparse
import json
import statistics
import sys

KEYS = ("op", "mem", "bytes", "width", "rows", "pitch", "count", "stride", "hops")


def load(path):
    rows = {}
    for line in open(path, encoding="utf-8"):
        row = json.loads(line)
        if "wall_med" in row:
            rows[tuple(row.get(k) for k in KEYS)] = row
    return rows


def has_stamps(row):
    return row["queued_submit"] > 0 and 0 <= row["submit_start"] < 1e12 and row["start_end"] >= 0


def summary(name, errors, median_limit, p90_limit):
    errors = sorted(errors)
    p90 = errors[min(len(errors) - 1, int(0.9 * len(errors)))]
    median = statistics.median(errors)
    verdict = "ok" if median <= median_limit and p90 <= p90_limit else "MISSED"
    print(f"{name:10} n={len(errors):4} median={100 * median:6.2f}%  p90={100 * p90:6.2f}%  worst={100 * errors[-1]:7.2f}%  "
          f"(limits {100 * median_limit:.0f}% / {100 * p90_limit:.0f}%) {verdict}")
    return verdict == "ok"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("measured")
    parser.add_argument("simulated")
    parser.add_argument("--rows", action="store_true", help="print every row")
    parser.add_argument("--by-op", action="store_true", help="print the medians by operation")
    args = parser.parse_args()
    measured, simulated = load(args.measured), load(args.simulated)
    absent, unstamped, wall, span, by_op = 0, 0, [], [], {}
    for key, m in measured.items():
        s = simulated.get(key)
        if s is None:
            absent += 1
            continue
        we = abs(s["wall_med"] - m["wall_med"]) / m["wall_med"] if m["wall_med"] > 0 else 0.0
        wall.append(we)
        se = None
        if m["start_end"] >= 0:
            if has_stamps(m) and m["start_end"] > 0:
                se = abs(s["start_end"] - m["start_end"]) / m["start_end"]
                span.append(se)
            else:
                unstamped += 1
        by_op.setdefault((m["op"], m["mem"]), []).append((we, se))
        if args.rows:
            shape = "x".join(str(m[k]) for k in ("width", "rows") if k in m)
            print(f"{m['op']:24} {m['mem']:10} {m['bytes']:>11} {shape:>11} wall {m['wall_med']:>11.0f} {s['wall_med']:>11.0f} {100 * we:7.1f}%  "
                  f"start_end {m['start_end']:>11.0f} {s['start_end']:>11.0f} " + (f"{100 * se:7.1f}%" if se is not None else "      -"))
    if args.by_op:
        for (op, mem), e in by_op.items():
            spans = [x for _, x in e if x is not None]
            print(f"{op:24} {mem:10} n={len(e):3} wall median {100 * statistics.median(w for w, _ in e):6.1f}%" +
                  (f"  start_end median {100 * statistics.median(spans):6.1f}% worst {100 * max(spans):6.1f}%" if spans else ""))
    print(f"fit, not validation: {len(measured)} measured rows, {absent} without a simulated row, {unstamped} without measured stamps")
    good = summary("start_end", span, 0.03, 0.10)
    good &= summary("wall_med", wall, 0.05, 0.15)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
