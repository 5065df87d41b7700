#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The commands of the guides that no other test runs, as they stand there: getting started on a
# token of its own, and those of single sections on ours. What takes minutes is made shorter.
# docs/performance.md has one that measures for minutes: it must be there. Environment: P11PROF,
# ROOT (the sources).

. "$(dirname "$0")/../integration/shell_test.sh"
need pkcs11-tool softhsm2-util "$SOFTHSM" "${ROOT:?}"
mkdir -m 700 "$WORK/bin" "$WORK/home"
ln -s "$P11PROF" "$WORK/bin/p11prof"
PATH=$WORK/bin:$PATH
export P11PROF_DB="$DB" HOME="$WORK/home"

# blocks FILE [SECTIONS]: its blocks of shell, each behind a line "#block"; of sections whose
# heading, without its marks, matches the regular expression.
blocks() {
  awk -v wanted="${2:-.}" '/^```/ { inside = $0 == "```sh" && mine; if (inside) print "#block"; next }
    inside { print; next }
    /^#+ / { heading = $0; sub(/^#+ /, "", heading); mine = heading ~ wanted }' "$ROOT/$1"
}

# commands: each with all its lines on one, also those of a text in quotes.
commands() {
  awk '/^#block/ { next } { line = line $0 }
    /\\$/ { sub(/\\$/, "", line); next }
    gsub(/"/, "\"", line) % 2 { line = line " "; next }
    { print line; line = "" }'
}

# one_by_one FILE LEAST [SECTIONS]: each command works; LEAST commands at least.
one_by_one() {
  blocks "$1" "$3" | commands | sed \
    -e 's/\b12,13\b/1,last/; s/\bnightly\b/release/; s/--program nginx/--program pkcs11-tool/' \
    -e 's/--since 60s/--since 0s/; s/--suite-from last/--suite-from nginx/' \
    -e "s|-- nginx .*|-- pkcs11-tool --module ./softhsm.so --login --pin $PIN --sign $signs|" \
    -e 's/--vs same/& --quick/; s/--duration [0-9]*[smh]/--duration 300ms/' \
    -e '/--ramp\|--slo/s/$/ --duration 100ms/' \
    -e 's/=1\.\.64/=1,2/; s/=100\.\.5000/=100,200/; s/--threads 16/--threads 2/' >"$WORK/commands"
  check "$1 has $2 commands" [ "$(wc -l <"$WORK/commands")" -ge "$2" ]
  while IFS= read -r line; do
    check "$1: ${line%%--input-file*}" works "$line"
  done <"$WORK/commands"
}

# works COMMAND: ends with 0, or with 1 where it is asked a question.
works() {
  (cd "$WORK/files" && PIN=$PIN sh -euc "$1") >"$WORK/out" 2>"$WORK/notes" </dev/null
  code=$?
  case $1 in
  *compare* | *--slo* | *--fail-on* | *--vs*) [ "$code" -le 1 ] ;;
  *) [ "$code" -eq 0 ] ;;
  esac && return
  echo "exit code $code" && tail -n 20 "$WORK/out" "$WORK/notes" && false
}

# Getting started: one shell for all of it, and fewer files.
blocks docs/getting-started.md | awk '/^#block/ { print "echo \"#" ++count "\""; next } 1' |
  sed -e 's/seq 50/seq 14/; s/seq 100/seq 20/' -e "s|/usr/lib/softhsm/libsofthsm2.so|$SOFTHSM|" >"$WORK/script"
check "it has blocks" [ "$(grep -c '^echo "#' "$WORK/script")" -ge 12 ]
sh -eu "$WORK/script" >"$WORK/started" 2>"$WORK/notes" </dev/null
code=$?
[ "$code" = 0 ] || tail -n 20 "$WORK/started" "$WORK/notes"
check "getting started works" [ "$code" = 0 ]
check "nothing would stop it" grep -q '^Nothing would stop recording' "$WORK/started"
releases="FROM runs WHERE name = 'release'"
check "every call is there" [ "$(query "SELECT count(*) || ' ' || sum(lost_count) $releases")" = "5 0" ]
check "always the same ones" [ "$(query "SELECT count(DISTINCT call_count) $releases")" = 1 ]
check "each process signed once" [ "$(query "SELECT DISTINCT count FROM operation_stats
  WHERE operation = 'sign'")" = 14 ]
for fact in program started calls time start-up token clock percentiles; do
  check "the report has its line: $fact" grep -q "^  $fact " "$WORK/started"
done
for heading in Calls Operations; do
  check "and its table: $heading" grep -qx "$heading" "$WORK/started"
done
check "searches are compared" grep -q 'C_FindObjectsInit .*%.*' "$WORK/started"
check "the page is there" grep -q '<html' "$WORK/home/p11prof-try/report.html"
check "one run is deleted" grep -q '^p11prof: 1 run with ' "$WORK/notes"
check "the baseline is gone" not p11prof baseline show before 2>/dev/null

# What recorded signatures are there for, and a token to play them on.
make_token
make_key 01 rsa RSA:2048
mkdir "$WORK/files"
cp "$SOFTHSM" "$WORK/files/hsm.so"
cp "$SOFTHSM" "$WORK/files/softhsm.so"
signs="--mechanism SHA256-RSA-PKCS --id 01 --input-file $ROOT/README.md --output-file $WORK/signature"
# shellcheck disable=SC2086
record --name nginx --module "$SOFTHSM" -- pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --sign $signs >/dev/null

one_by_one docs/security.md 3
one_by_one docs/internals.md 4
one_by_one docs/advise.md 5
one_by_one docs/methodology.md 10
one_by_one docs/like.md 4
one_by_one docs/benchmarking.md 9 '^(A steady rate|Ramps|The highest rate|Like a recorded)'

check "docs/performance.md has a command" [ "$(blocks docs/performance.md | commands)" = \
  "tests/bench/run build-plain overhead" ]
check "which is there" [ -x "$ROOT/tests/bench/run" ]

finish
