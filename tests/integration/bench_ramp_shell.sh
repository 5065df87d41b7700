# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by the tests of ramps, after bench_shell.sh: the fake token serves so many at a time.
# shellcheck shell=sh disable=SC2034,SC2317

# ramp CODE RULES OPTION...: how a ramp on the fake token ends.
ramp() {
  expected=$1
  RULES=$2
  shift 2
  bends "$expected" --test rsa-2048-sign "$@" # it takes its rules away
}

# printed TEXT: by the last command, on stdout.
printed() {
  grep -qF -e "$1" "$WORK/out" || { cat "$WORK/out" && false; }
}

# told COMMAND...: p11prof, on our database; stdout goes to $WORK/out, stderr to $WORK/notes.
told() {
  "$P11PROF" "$@" --db "$DB" >"$WORK/out" 2>"$WORK/notes"
}

# true_of EXPRESSION: of the newest run's ramp r, its steps s and the document d.
true_of() {
  "$P11PROF" export last --format json --db "$DB" >"$WORK/run.json" && python3 -c "
import json, sys
d = json.load(open('$WORK/run.json'))
r = d['ramp'][0]
s = r['steps']
sys.exit(0 if ($1) else json.dumps(r, indent=1))"
}
