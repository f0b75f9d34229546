#!/bin/sh
# The program of the tests' sweeps: notes in the folder $1 that its point began, does what a file there asks of that point,
# and then is an OpenCL program. $2 is the sluice command, $3 how long it takes.
point=$(basename "$SLUICE_PROFILE" .json)
echo x >>"$1/began-$point"
sleep "$3"
if [ -e "$1/crash-$point" ]; then kill -SEGV $$; fi
if [ -e "$1/fail-$point" ]; then echo "point $point fails" >&2; exit 3; fi
if [ -e "$1/fail-once-$point" ]; then rm "$1/fail-once-$point"; exit 4; fi
if [ -e "$1/hang-$point" ]; then sleep 1000; fi
exec "$2" __mapcopy-workload 4096
