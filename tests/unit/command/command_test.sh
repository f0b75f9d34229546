#!/usr/bin/env bash
# The `sluice` command from outside: exit statuses, environment, signals, traces that cannot be written.
#   command_test.sh SLUICE DRIVER_PROGRAM     DRIVER_PROGRAM: any OpenCL program that ends with 0
set -u
sluice=$1
program=$2
configs=$(cd -- "$(dirname -- "$0")/../../../configs" && pwd) || exit 1
# shellcheck source=tests/unit/command/support.sh
source "$(dirname -- "$0")/support.sh"

expect 0 "$sluice" --version && says out "sluice "
expect 0 "$sluice" --help && says out mapcopy
for arguments in "" "nonsense" "run" "run true" "run --" "run --trace-level all -- true" "run --trace t.txt -- true" \
  "run --host-time wall:-1 -- true" "run --detail fast -- true" "report t.jsonl -- true" "mapcopy --sizes 4X" "profile" \
  "record -- true" "compare true" "record -o x.jsonl" "diff a.jsonl" "diff a.jsonl b.jsonl --json --markdown"; do
  # shellcheck disable=SC2086
  expect 2 "$sluice" $arguments
done

expect 2 "$sluice" bogus --json && says err 'there is no command "bogus"'
expect 2 "$sluice" run --profile generic-pcie4 true && says err "the program follows after --"
if [[ -w /dev/full ]]; then
  for arguments in "profile list" "profile show h200-pcie5 --json" --help --version; do
    # shellcheck disable=SC2086,SC2016
    expect 1 sh -c '"$@" >/dev/full' - "$sluice" $arguments
    says err "sluice: "
  done
fi
expect 2 "$sluice" convert . folder.csv && says err ".: a folder, no trace"

# The program's own status, also when a signal ends it; nothing is added to its output.
expect 0 "$sluice" run -- echo -- --profile x && { [[ $(cat out) == "-- --profile x" ]] || says out "-- --profile x"; }
expect 7 "$sluice" run -- sh -c 'exit 7'
expect 137 "$sluice" run -- sh -c 'kill -9 $$'
expect 127 "$sluice" run -- ./nowhere
expect 126 "$sluice" run -- /etc/passwd
"$sluice" run -- sh -c 'trap "exit 42" TERM; echo ready >ready; while :; do sleep 0.05; done' &
for _ in $(seq 200); do [[ -e ready ]] && break; sleep 0.05; done
kill -TERM $!
expect 42 wait $!

# Bad profiles end it before the program starts.
expect 2 "$sluice" run --profile no-such-machine -- touch started
[[ ! -e started ]] || { echo "the program was started on a bad profile"; failures=$((failures + 1)); }
echo '{' >bad.json
expect 2 "$sluice" run --profile ./bad.json -- true && says err bad.json
expect 2 "$sluice" profile check bad.json && says err bad.json
expect 0 "$sluice" profile check h200-pcie5 generic-pcie4
expect 0 "$sluice" profile list && says out soc-noncoherent
expect 0 "$sluice" profile show h200-pcie5 && says out /link/lanes

# Two rows of a measuring program that runs in no time, one of them of no use, and what cannot be validated.
cat >share.jsonl <<'END'
{"program":"share","arguments":["1048576","1"],"device":"NVIDIA H200"}
{"op":"share","long":"h2d","long_bytes":1048576,"short":"h2d","bytes":4096,"n":1,"long_end":20000}
{"op":"share","long":"h2d","long_bytes":1048576,"short":"d2h","bytes":4096,"n":1,"long_end":NaN}
{"op":"share","device":"Another","long":"d2h","long_bytes":1048576,"short":"d2h","bytes":4096,"n":1,"long_end":20000}
END
expect 0 "$sluice" validate --profile h200-pcie5 share.jsonl --html page.html && says out share && says page.html "</html>"
says out "it is of another device, Another"
says out "it is no JSON object"
# Of a file that fitted some constants, the rows that the profile names are fit and the others validation.
cat >h200_opencl_share.jsonl <share.jsonl
expect 0 "$sluice" validate --profile h200-pcie5 share.jsonl && says out "validation "
expect 0 "$sluice" validate --profile h200-pcie5 h200_opencl_share.jsonl && says out "fit "
if grep -qF "validation " out; then
  echo "data that fitted the profile are called validation"
  failures=$((failures + 1))
fi
# What the program printed is kept; the kept row is taken while machine and arguments are the same, and whole or not at all.
expect 0 "$sluice" validate --profile h200-pcie5 --json share.jsonl && cp out fresh.json
expect 0 "$sluice" validate --profile h200-pcie5 --json --keep kept share.jsonl && cp out again.json
expect 0 cmp again.json fresh.json
expect 0 test "$(ls kept)" = h200-pcie5.share.jsonl
sed 's/"long_end":[0-9.]*/"long_end":123/' kept/h200-pcie5.share.jsonl >marked
cp marked kept/h200-pcie5.share.jsonl
expect 0 "$sluice" validate --profile h200-pcie5 --json --keep kept share.jsonl && says out '"simulated_ns": 123.0'
sed '1s/: share 1048576/: share 2097152/' marked >kept/h200-pcie5.share.jsonl
expect 0 "$sluice" validate --profile h200-pcie5 --json --keep kept share.jsonl && cp out again.json
expect 0 cmp again.json fresh.json
touch file
expect 2 "$sluice" validate --profile h200-pcie5 --keep file/kept share.jsonl && says err file/kept
echo "{\"include\":\"$configs/profiles/h200-pcie5.json\",\"validation\":{\"fit\":[\"share.jsonl: op=nothing\"]}}" >idle.json
expect 2 "$sluice" validate --profile ./idle.json share.jsonl && says err "share.jsonl: op=nothing"
: >empty.jsonl && echo '{"program":' >broken.jsonl
expect 2 "$sluice" validate --profile h200-pcie5 empty.jsonl && says err "empty.jsonl: the file has no rows"
expect 2 "$sluice" validate --profile h200-pcie5 broken.jsonl && says err "broken.jsonl: none of its 1 rows can be read; line 1: "
echo '{"name": }' >broken.json
expect 2 "$sluice" profile check broken.json && says err "found text that is not JSON (parse error at line 1, column 10"
expect 2 "$sluice" validate --profile h200-pcie5 nowhere.jsonl && says err nowhere.jsonl
echo '{"program":"nonsense","device":"NVIDIA H200"}' >no-program.jsonl
expect 2 "$sluice" validate --profile h200-pcie5 no-program.jsonl && says err nonsense && says err clprobe
expect 2 "$sluice" validate --profile h200-pcie5 --program share no-program.jsonl && says err "no row of NVIDIA H200"
expect 2 "$sluice" validate --profile no-such-machine share.jsonl

# Virtual time without a driver: 2023, and sleeps that take no time.
expect 0 "$sluice" run --virtual-time -- sh -c 'sleep 3600; date -u +%Y' && says out 2023

# Traces.
expect 0 "$sluice" run --trace t.jsonl --trace t.json --trace-level stage --report r.txt -- "$program"
says t.jsonl '"level":"stage"'
says r.txt "By operation"
expect 0 "$sluice" report t.jsonl && says out "Where the time went"
grep -q $'\033' out && { echo "colour in a file"; failures=$((failures + 1)); }
expect 0 "$sluice" run --report - -- "$program" && says out "By operation"
expect 0 "$sluice" run --report - -- true && says err "nothing to report"
expect 3 "$sluice" run --trace /nowhere/t.jsonl -- "$program" && says err "/nowhere/t.jsonl: No such file or directory"
if [[ -w /dev/full ]]; then
  ln -s /dev/full full.jsonl
  expect 3 "$sluice" run --trace full.jsonl -- "$program" && says err "No space left on device"
fi
# The program's own failure is worth more than its trace's.
expect 5 "$sluice" run --trace /nowhere/t.jsonl -- sh -c "'$program' && exit 5"
expect 2 "$sluice" report nowhere.jsonl
expect 2 "$sluice" report t.json && says err "line 1"

# Other tools' formats: of a run, and of a trace that is there.
expect 0 "$sluice" run --trace a.jsonl --trace a.pftrace --trace a.vcd --trace a.csv --trace-level stage -- "$program"
expect 0 "$sluice" convert a.jsonl b.pftrace b.vcd b.csv
for ending in pftrace vcd csv; do cmp a.$ending b.$ending || failures=$((failures + 1)); done
# Found through PATH, the process is told a bare word as its name.
expect 0 env PATH="$(dirname -- "$sluice"):$PATH" "$(basename -- "$sluice")" convert a.jsonl path.pftrace && expect 0 cmp path.pftrace a.pftrace
expect 1 "$sluice" convert a.jsonl /nowhere/b.csv && says err "/nowhere/b.csv: No such file or directory"
expect 2 "$sluice" convert t.json c.csv && says err "line 1"
head -c -5 a.jsonl >cut.jsonl
expect 2 "$sluice" convert cut.jsonl c.csv && says err "the trace is cut off"

# A reference, a run like it, one on another machine, and what is no trace.
expect 0 "$sluice" record -o golden.jsonl --profile generic-pcie4 -- "$program" && says golden.jsonl '"digest"'
expect 0 "$sluice" diff golden.jsonl golden.jsonl && says out "No change beyond the tolerances"
expect 0 "$sluice" run --profile generic-pcie4 --trace same.jsonl -- "$program"
expect 0 "$sluice" diff golden.jsonl same.jsonl --junit same.xml && says same.xml 'failures="0"'
expect 0 "$sluice" record -o other.jsonl --profile legacy-pcie3 -- "$program"
expect 1 "$sluice" diff golden.jsonl other.jsonl && says out "The profile is another one: generic-pcie4"
expect 1 "$sluice" diff golden.jsonl other.jsonl --json && says out '"changed": true'
expect 1 "$sluice" diff golden.jsonl other.jsonl --markdown && says out '#### By class'
expect 2 "$sluice" diff golden.jsonl nowhere.jsonl && says err "nowhere.jsonl: cannot be read"
expect 2 "$sluice" diff golden.jsonl t.json && says err "line 1"
head -n -1 golden.jsonl >short.jsonl
expect 2 "$sluice" diff short.jsonl same.jsonl --junit short.xml && says err "cut off" && says short.xml '<error message='
# A byte of a plain trace that is another one is damage, and no change.
sed '0,/"queue":1/s//"queue":3/' same.jsonl >flipped.jsonl
expect 2 "$sluice" diff golden.jsonl flipped.jsonl && says err "the trace is damaged"
expect 2 "$sluice" report flipped.jsonl && says err "the trace is damaged"
expect 2 "$sluice" report cut.jsonl && says err "the trace is cut off"
expect 2 "$sluice" diff golden.jsonl same.jsonl --tolerance 5 && says err "--tolerance 5: found 5"
expect 0 "$sluice" diff golden.jsonl other.jsonl --accept && says err "accepted: golden.jsonl"
cmp golden.jsonl other.jsonl || failures=$((failures + 1))
# Where the reference is a link, the file behind it is replaced, there already or not; a device is no file to replace.
mkdir store && cp same.jsonl store/reference.jsonl && chmod 640 store/reference.jsonl && ln -s store/reference.jsonl link.jsonl
expect 1 "$sluice" diff link.jsonl other.jsonl
expect 0 "$sluice" diff link.jsonl other.jsonl --accept
expect 0 test -L link.jsonl -a "$(stat -c %a store/reference.jsonl)" = 640 && expect 0 cmp store/reference.jsonl other.jsonl
ln -s "$work/store/new.jsonl" absent.jsonl
expect 0 "$sluice" record -o absent.jsonl --profile legacy-pcie3 -- "$program"
expect 0 test -L absent.jsonl && expect 0 cmp store/new.jsonl other.jsonl
mkfifo fifo && timeout 60 cat fifo >through &
expect 0 timeout 60 "$sluice" record -o fifo --profile legacy-pcie3 -- "$program"
wait $! && expect 0 test -p fifo && expect 0 cmp through other.jsonl
# Nothing is recorded of a program that fails, or that has no device.
expect 7 "$sluice" record -o none.jsonl -- sh -c "'$program' && exit 7" && says err "nothing was recorded"
expect 1 "$sluice" record -o none.jsonl -- true && says err "opened no OpenCL device"
expect 3 "$sluice" record -o /nowhere/none.jsonl -- "$program" && says err "/nowhere/none.jsonl: cannot be written"
[[ ! -e none.jsonl ]] || { echo "something was recorded"; failures=$((failures + 1)); }

# One program under two machines; one that fails under the second.
expect 0 "$sluice" compare --profile generic-pcie4 --profile igpu-coherent --csv c.csv --html c.html -- "$program" && says out "is fastest"
says c.html "is fastest"
says c.csv "1,write_buffer,generic-pcie4,64,"
expect 0 "$sluice" compare --profile generic-pcie4 --profile igpu-coherent --json -- "$program" && says out '"winner"'
expect 0 "$sluice" compare --profile generic-pcie4 --markdown -- "$program" && says out '#### Where it went'
expect 1 "$sluice" compare --profile generic-pcie4 --profile igpu-coherent -- sh -c "[ \$SLUICE_PROFILE = generic-pcie4 ] && '$program'"
says err "igpu-coherent: the program ended with 1" && says out "failed"
expect 2 "$sluice" compare --profile no-such-machine -- true
expect 0 "$sluice" compare --profile generic-pcie4 -- sh -c "echo hello; '$program'" && says err hello

# A sweep of a program: a point that crashes and one that hangs are marked, and run again the next time.
cat >app.sh <<END
#!/bin/sh
lanes=\$(grep -A1 lanes "\$SLUICE_PROFILE" | grep -o '"value": [0-9]*' | tr -dc 0-9)
[ -e mended ] || { [ "\$lanes" != 4 ] || kill -SEGV \$\$; [ "\$lanes" != 2 ] || sleep 1000; }
exec "$program"
END
chmod +x app.sh
echo '{"profile": "generic-pcie4", "program": ["./app.sh"], "vary": {"/link/lanes": [2, 4, 8, 16]}, "seconds": 3}' >spec.json
expect 1 "$sluice" sweep spec.json -o swept && says out "4 points, 2 failed" && says err "point 0: timeout" && says err "point 1: signal 11"
says swept/sweep.csv "generic-pcie4,2,timeout,,"
says swept/sweep.csv "generic-pcie4,16,ok,30,"
grep -q $'\r\033' err && { echo "a progress bar in a file"; failures=$((failures + 1)); }
touch mended
expect 0 "$sluice" sweep spec.json -o swept && says err "2 of 4 points are there from before" && says out "4 points, 0 failed"
echo '{"profile": "generic-pcie4", "transfers": {"sizes": ["4K", "64K"]}, "vary": {"/link/lanes": [8, 16]}}' >spec.json
expect 0 "$sluice" sweep spec.json -o transfers && says transfers/sweep.csv "generic-pcie4,8,ok,65536,"
says transfers/sweep.html "64K zero_copy"
echo '{"profile": "generic-pcie4", "transfers": {}, "vary": {"/link/lane": [8]}}' >spec.json
expect 2 "$sluice" sweep spec.json -o bad && says err "generic-pcie4 has no value /link/lane"
echo '{"profile": "generic-pcie4", "transfers": {}, "vary": {"/link/lanes": [8, "x"]}}' >spec.json
expect 2 "$sluice" sweep spec.json -o bad && says err '/link/lanes/value: found "x"; allowed: a whole number'
echo '{"profile": "generic-pcie4", "transfers": {}, "vary": {"/link/lanes": [8], "/link/lanes": [4]}}' >spec.json
expect 2 "$sluice" sweep spec.json -o bad && says err 'the key "/link/lanes" stands twice'
echo '{"profile": "generic-pcie4", "transfers": {}, "vary": {"/link/lanes": [4, 8, 4]}}' >spec.json
expect 2 "$sluice" sweep spec.json -o bad && says err "/vary/~1link~1lanes: found 4 twice"
expect 2 "$sluice" sweep nowhere.json -o bad && says err "nowhere.json: cannot be read"
[[ ! -e bad ]] || { echo "a sweep that is none left a folder"; failures=$((failures + 1)); }

expect 0 "$sluice" mapcopy --profile generic-pcie4 --profile igpu-coherent --sizes 4K,1M --html m.html && says out "1 MiB"
says m.html "Chart.js" && says m.html "</html>"
exit $((failures > 0))
