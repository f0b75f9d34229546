#!/usr/bin/env bash
# The gate on one program and machine: its trace is the recorded one, twice, to the byte.
#   gate_test.sh SLUICE PROGRAMS NAME PROFILE REFERENCE.jsonl
set -euo pipefail
sluice=$1 programs=$2 name=$3 profile=$4 reference=$5
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
for run in first second; do
  "$sluice" record -o "$work/$run.jsonl" --profile "$profile" --trace-level stage -- "$programs" "$name"
done
cmp "$work/first.jsonl" "$work/second.jsonl"
"$sluice" diff --commands 5 "$reference" "$work/first.jsonl"
cmp "$reference" "$work/first.jsonl"
