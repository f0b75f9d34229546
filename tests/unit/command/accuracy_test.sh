#!/usr/bin/env bash
# tools/accuracy, with a `sluice` that takes no time: parts run in any order give the pages that one run gives.
set -u
source=$(cd -- "$(dirname -- "$0")/../../.." && pwd) || exit 1
tree=$(mktemp -d)
trap 'rm -rf -- "$tree"' EXIT
mkdir -p "$tree"/{tools,docs,bin,configs/profiles} && cd -- "$tree" || exit 1
cp "$source/tools/accuracy" tools/
touch configs/profiles/{first,second}.json
# Prints what it was asked and, if that is kept, what was kept; `counted` has a line a run.
cat >bin/sluice <<'END'
#!/usr/bin/env bash
keep='' profile=all words=()
while (($# > 0)); do
  case $1 in
    --keep) keep=$2 && shift 2 ;;
    --profile) profile=$2 && shift 2 ;;
    *) words+=("$1") && shift ;;
  esac
done
for word in "${words[@]}"; do
  [[ $word == *.jsonl ]] || continue
  profiles=$profile
  [[ $profile == all ]] && profiles="first second"
  for one in $profiles; do
    kept=$keep/$one.$(basename "$word")
    if [[ ! -f $kept ]]; then
      [[ $one == "${BROKEN-}" ]] && exit 1
      echo "$one $word" >>counted
      echo "ran $one $word" >"$kept.$$" && mv "$kept.$$" "$kept"
    fi
    cat "$kept"
  done
done
END
chmod +x bin/sluice
failures=0
expect() {
  local wanted=$1 status=0
  shift
  "$@" >out 2>err || status=$?
  [[ $status -eq $wanted ]] && return
  echo "exit status $status, expected $wanted: $*"
  cat out err
  failures=$((failures + 1))
}
pages() { cat docs/accuracy.md docs/published.md >"$1" && rm -f docs/*.md counted; }

expect 0 tools/accuracy --bin bin
runs=$(wc -l <counted)
expect 0 test "$runs" -eq "$(sort -u counted | wc -l)"
pages serial
expect 0 tools/accuracy --jobs 8 --keep kept --bin bin
expect 0 test "$(wc -l <counted)" -eq "$runs"
pages together
expect 0 cmp serial together
expect 0 grep -q "ran h100-pcie5 tests/silicon/h100_opencl.jsonl" serial
# What is kept is not run again; what is missing is.
tools/accuracy --list >list
expect 0 tools/accuracy --assemble --keep kept --bin bin
expect 1 test -e counted
pages assembled
expect 0 cmp serial assembled
expect 0 tools/accuracy --part "$(tail -n 1 list)" "$(head -n 1 list)" --keep other --bin bin
expect 0 test "$(wc -l <counted)" -eq 2
expect 1 test -e docs/accuracy.md
expect 0 tools/accuracy --assemble --keep other --bin bin
expect 0 test "$(wc -l <counted)" -eq "$runs"
pages rest
expect 0 cmp serial rest
# A part that fails: no page is written, and the others are kept.
BROKEN=first expect 123 tools/accuracy --jobs 4 --keep third --bin bin
cp err said
expect 0 grep -q "first:published: failed" said
expect 1 test -e docs/accuracy.md
expect 0 test -e third/h100-pcie5.h100_opencl.jsonl
# What makes no sense.
expect 2 tools/accuracy --part nothing --keep kept --bin bin
cp err said
expect 0 grep -q 'found part "nothing"' said
expect 2 tools/accuracy --assemble --bin bin
expect 2 tools/accuracy --jobs 0 --bin bin
expect 2 tools/accuracy --jobs
expect 2 tools/accuracy --bin nowhere
expect 2 tools/accuracy --unknown
((failures == 0)) || exit 1
