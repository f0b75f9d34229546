#!/usr/bin/env bash
# What shells and `man` see of `sluice`: completion in bash and zsh as they really complete, manual pages that groff and mandoc
# take without a warning, JSON of every command that prints a table, colour on terminals alone, statuses in every --help.
#   shell_test.sh SLUICE SHARE DRIVER_PROGRAM     SHARE: the folder with man/ and completion/
set -u
sluice=$1
share=$2
program=$3
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work" || exit 1
failures=0

complain() {
  echo "$*"
  failures=$((failures + 1))
}
# same WHAT FOUND EXPECTED
same() { [[ $2 == "$3" ]] || complain "$1: found \"$2\", expected \"$3\""; }

mkdir bin && ln -s "$sluice" bin/sluice && PATH=$work/bin:$PATH
mkdir folder && touch folder/old.jsonl trace.jsonl

# What --help lists is what there must be.
mapfile -t commands < <(sluice --help | sed -n '/^Subcommands:$/,/^$/s/^  \([a-z]*\) .*/\1/p' | sort)
((${#commands[@]} >= 10)) || complain "sluice --help lists ${#commands[@]} commands"

# ---- bash: the words that its own completion function leaves, for a command line that ends where it is cut --------------------
bash_words() {
  bash --norc -c '
    source "$1"
    shift
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    "$(complete -p sluice | sed "s/.*-F \([^ ]*\).*/\1/")" sluice
    printf "%s\n" "${COMPREPLY[@]}" | sort | tr "\n" " "' - "$share/completion/sluice.bash" "$@"
}
same "bash: commands" "$(bash_words sluice '')" "${commands[*]} "
same "bash: a beginning" "$(bash_words sluice re)" "record report "
same "bash: an option" "$(bash_words sluice run --trace-)" "--trace-level "
same "bash: its values" "$(bash_words sluice run --trace-level '')" "command packet stage "
same "bash: with an equals sign" "$(bash_words sluice run --trace-level = st)" "stage "
same "bash: an optional value" "$(bash_words sluice run --strict = '')" "abort report "
same "bash: none of an optional value" "$(bash_words sluice run --strict --vir)" "--virtual-time "
same "bash: profiles" "$(bash_words sluice run --profile igpu-c)" "igpu-coherent "
same "bash: several options before" "$(bash_words sluice compare --profile diff --json --html tr)" "trace.jsonl "
same "bash: a positional file" "$(bash_words sluice diff trace.jsonl fol)" "folder "
same "bash: a folder" "$(bash_words sluice sweep -o '')" "bin folder "
same "bash: commands of a command" "$(bash_words sluice profile '')" "check list show "
same "bash: their profiles" "$(bash_words sluice profile show igpu)" "igpu-coherent "
same "bash: the separator" "$(bash_words sluice run --)" \
  "-- --detail --explain --help --host-time --lockstep --profile --report --strict --strict-report --touch-tracking --trace --trace-level --virtual-time "
[[ " $(bash_words sluice run -- bas)" == *" bash "* ]] || complain "bash: no programs after --"
same "bash: the program's arguments" "$(bash_words sluice run -- cat tra)" "trace.jsonl "

# ---- zsh: a line is typed into a terminal, with a tab ---------------------------------------------------------------------------
if command -v zsh >/dev/null; then
  cat >complete.zsh <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
say() { zpty -w shell "$1" }
say "PS1= PS2= RPS1=; stty -echo; unsetopt always_last_prompt; LISTMAX=1000; TERM=dumb; COLUMNS=200"
say "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D"
# What the line has become, when the tab has done its work.
say "zle -C probe expand-or-complete _main_complete; show() { zle probe; print -r -- \"<<\$BUFFER>>\"; BUFFER= }; zle -N show; bindkey '^I' show"
say "print -r -- rea''dy"
zpty -r -m shell seen '*ready*'
while read -r line; do
  zpty -w -n shell "$line"$'\t'
  zpty -r -m shell seen '*<<*>>*'
  print -r -- ${${seen##*<<}%%>>*}'|'
done
zpty -w -n shell "exit"$'\n'
END
  # What is typed, and what the line becomes.
  lines=(
    "sluice val" "sluice validate "
    "sluice run --trace-l" "sluice run --trace-level="
    "sluice run --trace-level sta" "sluice run --trace-level stage "
    "sluice run --strict=ab" "sluice run --strict=abort "
    "sluice run --profile igpu-c" "sluice run --profile igpu-coherent "
    "sluice profile sh" "sluice profile show "
    "sluice profile show igpu-c" "sluice profile show igpu-coherent "
    "sluice diff tra" "sluice diff trace.jsonl "
    "sluice sweep -o fol" "sluice sweep -o folder/"
    "sluice run -- sluic" "sluice run -- sluice "
    "sluice run -- cat tra" "sluice run -- cat trace.jsonl "
  )
  typed=() expected=()
  for ((i = 0; i < ${#lines[@]}; i += 2)); do typed+=("${lines[i]}") expected+=("${lines[i + 1]}|"); done
  mapfile -t found < <(printf '%s\n' "${typed[@]}" | timeout 60 zsh -f complete.zsh "$share/completion" 2>&1 | tr -d '\r\a')
  for i in "${!typed[@]}"; do same "zsh: ${typed[i]}" "${found[i]-}" "${expected[i]}"; done
else
  echo "zsh is not there: its completion is not tried"
fi

# ---- manual pages ------------------------------------------------------------------------------------------------------------------
for name in '' "${commands[@]/#/-}"; do
  page=$share/man/man1/sluice$name.1
  [[ -s $page ]] || { complain "$page is missing"; continue; }
  warnings=$(LC_ALL=C.UTF-8 MANWIDTH=200 man --warnings -l -Tutf8 -Z "$page" 2>&1 >/dev/null)
  [[ -z $warnings ]] || complain "man: $warnings"
  # Pages have no date, so that they are the same whenever they are built.
  if command -v mandoc >/dev/null && warnings=$(mandoc -T lint -W warning "$page" | grep -v 'missing date'); then
    complain "mandoc: $warnings"
  fi
  grep -q '^.SH EXIT STATUS' "$page" || complain "$page has no exit statuses"
done
# Every option that --help lists is in the page, with what it says of it.
for name in "${commands[@]}"; do
  text=$(LC_ALL=C.UTF-8 MANWIDTH=200 man -l "$share/man/man1/sluice-$name.1" 2>/dev/null | tr -s ' \n' '  ')
  help=$(sluice $name --help)
  [[ $help == *"Exit status:"* ]] || complain "sluice $name --help says no exit statuses"
  while read -r option; do
    [[ $text == *"$option"* ]] || complain "sluice-$name.1 lacks $option"
  done < <(grep -oE '^ +(-[a-z], )?--[a-z-]+' <<<"$help" | sed 's/^ *//')
done

# ---- JSON of what is a table -------------------------------------------------------------------------------------------------------
sluice run --trace a.jsonl --report r.json -- "$program" >/dev/null 2>&1 || complain "the program failed"
is_json() {
  "$@" 2>err | python3 -c 'import json,sys; sys.exit(not json.load(sys.stdin)["schema"].startswith("sluice-"))' 2>/dev/null ||
    complain "no JSON with a schema: $*"
  # Nothing else is on stdout, nothing of it on stderr.
  ! grep -q '^{' err || complain "JSON on stderr: $*"
}
is_json cat r.json
is_json sluice report a.jsonl --json
is_json sluice diff a.jsonl a.jsonl --json
is_json sluice compare --profile generic-pcie4 --json -- "$program"
is_json sluice mapcopy --profile generic-pcie4 --sizes 4K --json
# 64 KiB and 1 MiB: what is faster at both is one range, what is at neither none.
[[ $(sluice mapcopy --profile igpu-coherent --sizes 64K,1M --json | python3 -c 'import json,sys
m=json.load(sys.stdin)["machines"][0]; rows=m["sizes"]
def ranges(a,b):
    return [[r["bytes"]]*2 for r in rows if r["time_ns"][a] < 0.999 * r["time_ns"][b]]
def merged(found):
    return [[found[0][0], found[1][1]]] if len(found) == 2 else found
print(m["faster"]["map_before_pageable_copy"] == merged(ranges("map", "pageable_copy")),
      m["faster"]["zero_copy_before_pinned_copy"] == merged(ranges("zero_copy", "pinned_copy")))') == "True True" ]] ||
  complain "mapcopy's JSON does not say which way is faster"
is_json sluice profile list --json
is_json sluice profile show generic-pcie4 --json
cat >share.jsonl <<'END'
{"program":"share","arguments":["1048576","1"],"device":"NVIDIA H200"}
{"op":"share","long":"h2d","long_bytes":1048576,"short":"h2d","bytes":4096,"n":1,"long_end":20000}
END
is_json sluice validate --profile h200-pcie5 share.jsonl --json
echo '{"profile":"generic-pcie4","device":"one","figure":"f","source":"s","not_compared":"nothing repeats it"}' >published.jsonl
is_json sluice validate --published --profile generic-pcie4 published.jsonl --json
# The same figures as in the text.
[[ $(sluice report a.jsonl --json | python3 -c 'import json,sys; d=json.load(sys.stdin); print(d["commands"], sum(s["time_ps"] for s in d["stages"]) == d["time_ps"], sum(o["commands"] for o in d["operations"]) == d["commands"])') == \
  "$(sluice report a.jsonl | sed -n 's/^\([0-9]*\) commands, .*/\1/p') True True" ]] || complain "report --json differs from report"

# ---- colour, and streams -----------------------------------------------------------------------------------------------------------
bold=$'\033[1m'
on_terminal() { script -qec "$*" /dev/null </dev/null; }
for command in "report a.jsonl" "diff a.jsonl a.jsonl" "profile list" "mapcopy --profile generic-pcie4 --sizes 4K" \
  "compare --profile generic-pcie4 -- $program" "validate --profile h200-pcie5 share.jsonl"; do
  # shellcheck disable=SC2086
  ! sluice $command 2>/dev/null | grep -qF "$bold" || complain "colour in a pipe: $command"
  [[ $(NO_COLOR=1 TERM=xterm on_terminal sluice $command) != *"$bold"* ]] || complain "NO_COLOR is not heeded: $command"
  [[ $(NO_COLOR=1 TERM=xterm on_terminal sluice $command) != *$'\033'* ]] || complain "other sequences with NO_COLOR: $command"
  [[ $(TERM=dumb on_terminal sluice $command) != *"$bold"* ]] || complain "colour on a dumb terminal: $command"
done
for command in "report a.jsonl" "profile list" "mapcopy --profile generic-pcie4 --sizes 4K"; do
  [[ $(NO_COLOR='' TERM=xterm on_terminal sluice $command) == *"$bold"* ]] || complain "no colour on a terminal: $command"
done
for command in "report nowhere" "diff nowhere nowhere" "run" "mapcopy --sizes 5" "sweep nowhere -o x" "validate nowhere" \
  "profile show nowhere" "profile check nowhere" "record" "compare --profile nowhere -- true" "--nonsense"; do
  # shellcheck disable=SC2086
  out=$(sluice $command 2>err)
  [[ -z $out && -s err ]] || complain "an error is not on stderr alone: $command"
done

((failures == 0)) && echo passed
exit $((failures > 0))
