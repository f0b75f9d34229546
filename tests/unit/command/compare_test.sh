#!/usr/bin/env bash
# `sluice compare` from outside: signals and time limits end it and the program, every run reads the same input.
#   compare_test.sh SLUICE DRIVER_PROGRAM     DRIVER_PROGRAM: any OpenCL program that ends with 0
set -u
sluice=$1
export DRIVER_PROGRAM=$2
# shellcheck source=tests/unit/command/support.sh
source "$(dirname -- "$0")/support.sh"
two=(compare --profile generic-pcie4 --profile igpu-coherent)

# What hangs has written its number to the file `pid` and a line to `starts`.
cat >hang.sh <<'END'
echo start >>starts
[ "$1" != deaf ] || trap '' TERM
[ "$1" != parent ] || { sleep 1000 & echo $! >number; mv number pid; wait; }
echo $$ >number && mv number pid
while :; do sleep 0.05; done
END
# gone PID: within some seconds
gone() {
  for _ in $(seq 100); do
    [[ $(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) =~ ^Z?$ ]] && return 0
    sleep 0.05
  done
  return 1
}
# ended SIGNAL STATUS HOW: a comparison whose program hangs gets a signal
ended() {
  rm -f pid starts
  timeout -k 1 60 env --default-signal "$sluice" "${two[@]}" -- sh hang.sh "$3" >out 2>err &
  local guard=$! command
  for _ in $(seq 400); do [[ -e pid ]] && break; sleep 0.05; done
  read -r command _ <"/proc/$guard/task/$guard/children" # of `timeout`: env, which became the command
  kill "-$1" "$command"
  expect "$2" wait $guard
  expect 0 gone "$(cat pid)"
  expect 0 test "$(wc -l <starts)" = 1
}
ended TERM 143 alone
ended INT 130 alone
ended HUP 129 parent
ended TERM 143 deaf
ended KILL 137 alone

# One that hangs under the second machine alone, and is killed.
expect 1 timeout 60 "$sluice" "${two[@]}" --seconds 2 -- sh -c '[ $SLUICE_PROFILE = generic-pcie4 ] || sh hang.sh parent; "$DRIVER_PROGRAM"'
says err "igpu-coherent: the program was killed: it took more than 2 s" && says out "generic-pcie4 ("
expect 0 gone "$(cat pid)"
expect 2 "$sluice" "${two[@]}" --seconds 0 -- true

# input HOW COUNT: what both runs read, COUNT bytes each, from the function HOW that starts the comparison
seq 60000 >numbers
reader=(timeout 60 "$sluice" "${two[@]}" -- sh -c 'cat >"$SLUICE_PROFILE.read"; exec "$DRIVER_PROGRAM"')
same() {
  rm -f ./*.read
  expect 0 "$@"
  expect 0 cmp generic-pcie4.read wanted
  expect 0 cmp igpu-coherent.read wanted
}
from_file() { "${reader[@]}" <numbers; }
from_pipe() { cat numbers | "${reader[@]}"; }
from_the_second_line() { { read -r _; "${reader[@]}"; } <numbers; }
from_terminal() { python3 -c 'import os, pty, subprocess, sys; sys.exit(subprocess.run(sys.argv[1:], stdin=pty.openpty()[1]).returncode)' "${reader[@]}"; }
cp numbers wanted
same from_file
same from_pipe
tail -n +2 numbers >wanted
same from_the_second_line
: >wanted
same from_terminal

# A run that reads less than the next one, one that reads nothing, and a pipe that nobody ever closes.
first_line() { cat numbers | "$sluice" "${two[@]}" -- sh -c '[ $SLUICE_PROFILE = igpu-coherent ] && cat >all || read -r line; exec "$DRIVER_PROGRAM"'; }
expect 0 first_line && expect 0 cmp all numbers
mkfifo open && exec 9<>open
from_open_pipe() { timeout 60 "$sluice" "${two[@]}" -- "$DRIVER_PROGRAM" <&9; }
expect 0 from_open_pipe

# A run that failed is no run without the command; a program or a file that cannot be is told once, before the work.
expect 1 "$sluice" "${two[@]}" -- sh -c '[ $SLUICE_PROFILE = generic-pcie4 ] && "$DRIVER_PROGRAM"'
cp out table
expect 0 grep -E '^ *1 write_buffer .* failed *$' table
expect 1 grep -F "not there" table
once() { [[ $(grep -c . err) == 1 && ! -s out ]] || { echo "not told once:"; cat out err; failures=$((failures + 1)); }; }
expect 127 "$sluice" compare -- ./nowhere && once && says err "./nowhere: No such file or directory"
expect 126 "$sluice" compare -- /etc/passwd && once
for option in --csv --html; do
  rm -f ran
  expect 2 "$sluice" "${two[@]}" $option /nowhere/f -- sh -c 'touch ran; "$DRIVER_PROGRAM"' && once && says err "/nowhere/f: cannot be written"
  expect 0 test ! -e ran
done
exit $((failures > 0))
