# What the tests of the command share: a folder of their own, and checks that count in `failures`.
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
cd -- "$work" || exit 1
failures=0

# expect STATUS COMMAND...: output goes to out and err
expect() {
  local wanted=$1 status=0
  shift
  "$@" >out 2>err || status=$?
  if [[ $status -ne $wanted ]]; then
    echo "exit status $status, expected $wanted: $*"
    cat out err
    failures=$((failures + 1))
  fi
}
# says FILE TEXT
says() {
  if ! grep -qF -- "$2" "$1"; then
    echo "\"$2\" is missing in $1:"
    cat "$1"
    failures=$((failures + 1))
  fi
}
