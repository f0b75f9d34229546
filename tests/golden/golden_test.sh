#!/usr/bin/env bash
# The workload's trace on one machine: the same bytes on 20 runs, some of them on one core and some beside a busy one,
# and the bytes of the reference.
#   golden_test.sh SLUICE WORKLOAD PROFILE REFERENCE.jsonl
set -euo pipefail
sluice=$1 workload=$2 profile=$3 reference=$4
work=$(mktemp -d)
busy=
trap '[[ -z $busy ]] || kill "$busy" 2>/dev/null; rm -rf -- "$work"' EXIT

trace() { "${@:2}" "$sluice" run --profile "$profile" --trace "$1" --trace-level stage -- "$workload"; }

trace "$work/first.jsonl"
for run in $(seq 2 20); do
  case $run in
    8) (while :; do :; done) & busy=$! ;;
    14) kill "$busy"; wait "$busy" 2>/dev/null || true; busy= ;;
  esac
  pin=()
  if ((run > 14)) && command -v taskset >/dev/null; then pin=(taskset -c 0); fi
  trace "$work/again.jsonl" "${pin[@]}"
  if ! cmp -s "$work/first.jsonl" "$work/again.jsonl"; then
    echo "$profile: run $run differs from run 1:"
    diff "$work/first.jsonl" "$work/again.jsonl" | head -6
    exit 1
  fi
done
if ! cmp -s "$reference" "$work/first.jsonl"; then
  echo "$profile: the trace is not that of $reference (tests/golden/update makes the change reviewable with git diff):"
  "$sluice" diff --commands 5 "$reference" "$work/first.jsonl" || true
  exit 1
fi
