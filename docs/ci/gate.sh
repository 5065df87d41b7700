#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# A performance gate for CI: docs/ci/README.md.
#
#   gate.sh baseline     benches and keeps the results in GATE_BASELINE
#   gate.sh check        benches and compares with GATE_BASELINE
#   gate.sh vs OLD NEW   compares two modules while they take turns
#
# Settings, all from the environment:
#
#   GATE_MODULE        the PKCS#11 module (default: a throw-away SoftHSM token)
#   GATE_TOKEN         the label of the token (default: the only one)
#   GATE_PIN_SOURCE    env:NAME, file:PATH or fd:N
#   GATE_TESTS         tests of bench (default: its default suite)
#   GATE_OPTIONS       more options of bench, with blanks between: --duration 2s --threads 4
#   GATE_THRESHOLD     slower by more is a regression (default: 10%)
#   GATE_BASELINE      baseline.json (default), or a folder of such files
#   GATE_RUNS          runs of a baseline (default: 5)
#   GATE_CURRENT_RUNS  runs that are compared with it (default: 3)
#   GATE_RESULTS       the folder of what is found (default: p11prof-results)
#   P11PROF            the command (default: p11prof)
#
# Exit code: 0; 1 if a test regressed; 2 wrong usage or no baseline; 3 the token failed.
set -euf

P11PROF=${P11PROF:-p11prof}
baseline=${GATE_BASELINE:-baseline.json}
results=${GATE_RESULTS:-p11prof-results}
threshold=${GATE_THRESHOLD:-10%}
runs=${GATE_RUNS:-5}

# fail CODE TEXT
fail() {
  echo "gate: $2" >&2
  exit "$1"
}

# bench OPTION...: with the settings; a database of its own is removed at the end.
bench() {
  set -- --db "$place/gate.db" --record summary --quiet "$@"
  [ -z "${GATE_MODULE:-}" ] || set -- --module "$GATE_MODULE" "$@"
  [ -z "${GATE_TOKEN:-}" ] || set -- --token-label "$GATE_TOKEN" "$@"
  [ -z "${GATE_PIN_SOURCE:-}" ] || set -- --pin-source "$GATE_PIN_SOURCE" "$@"
  [ -z "${GATE_TESTS:-}" ] || set -- --test "$GATE_TESTS" "$@"
  # shellcheck disable=SC2086
  "$P11PROF" bench "$@" ${GATE_OPTIONS:-}
}

# failed CODE WHAT: bench said what is wrong.
failed() {
  fail "$1" "$2: bench ended with $1, as it says above; the token is that of \
GATE_MODULE=${GATE_MODULE:-}, GATE_TOKEN=${GATE_TOKEN:-}, GATE_PIN_SOURCE=${GATE_PIN_SOURCE:-}"
}

# measure FILE RUNS: the file is replaced when all runs are good.
measure() {
  bench --json --repeat "$2" --output "$place/measured.json" || failed $? "$1 is not written"
  mv "$place/measured.json" "$1" || fail 2 "$1 is not written"
}

# files: of a folder, oldest first: their names begin with the time.
files() {
  find "$baseline" -name '*.json' | sort
}

# next_file: comes behind all others. Two runs may end within a second.
next_file() {
  while [ -e "$baseline/$(date -u +%Y%m%dT%H%M%S).json" ]; do
    sleep 1
  done
  echo "$baseline/$(date -u +%Y%m%dT%H%M%S).json"
}

# grow: a folder that is not full is filled; later each call adds a run, and the oldest one goes.
grow() {
  mkdir -p "$baseline" || fail 2 "there is no folder $baseline"
  number=$(files | wc -l)
  [ "$number" -lt "$runs" ] || number=$((runs - 1))
  while [ "$number" -lt "$runs" ]; do
    number=$((number + 1))
    measure "$(next_file)" 1
  done
  files | sort -r | tail -n "+$((runs + 1))" | while IFS= read -r file; do
    rm "$file"
  done
}

make_baseline() {
  case $baseline in
  *.json) measure "$baseline" "$runs" ;;
  *) grow ;;
  esac
  echo "gate: the baseline is in $baseline" >&2
}

# base: the baseline as compare takes it, files with commas between.
base() {
  if [ -d "$baseline" ]; then
    files | paste -s -d , -
  elif [ -e "$baseline" ]; then
    echo "$baseline"
  fi
}

# summarise FILE: GitHub shows it on the page of the job.
summarise() {
  [ -z "${GITHUB_STEP_SUMMARY:-}" ] || cat "$1" >>"$GITHUB_STEP_SUMMARY"
}

check() {
  of=$(base)
  [ -n "$of" ] || fail 2 "there is no baseline in $baseline: 'gate.sh baseline' makes it, on the same token"
  "$P11PROF" compare "$of" "$of" --threshold "$threshold" --fail-on none >"$place/itself" ||
    fail 2 "GATE_THRESHOLD=$threshold or the baseline in $baseline is none, as compare says above: \
'gate.sh baseline' makes a new one"
  measure "$results/current.json" "${GATE_CURRENT_RUNS:-3}"
  set -- "$of" "$results/current.json" --threshold "$threshold"
  code=0
  "$P11PROF" compare "$@" || code=$?
  [ "$code" -le 1 ] || fail "$code" "$baseline and $results/current.json cannot be compared, as compare \
says above: 'gate.sh baseline' makes a baseline of the same tests"
  "$P11PROF" compare "$@" --format junit >"$results/junit.xml" || [ $? -eq 1 ] ||
    fail 2 "$results/junit.xml is not written"
  "$P11PROF" compare "$@" --format markdown >"$results/summary.md" || [ $? -eq 1 ] ||
    fail 2 "$results/summary.md is not written"
  summarise "$results/summary.md"
  return "$code"
}

# table: what JUnit has of each test, as Markdown.
table() {
  awk '
    BEGIN { print "## Two modules side by side\n\n| test | result |\n|---|---|" }
    { gsub(/\|/, "\\&#124;") }
    /<testcase / { name = $0; sub(/.* name="/, "", name); sub(/".*/, "", name) }
    /<(failure|skipped|system-out)/ {
      reason = $0; sub(/.* message="/, "", reason); sub(/".*/, "", reason)
      text = $0; sub(/^ *<[^>]*>/, "", text); sub(/<.*/, "", text)
      print "| " name " | " (text ? text : reason) " |"
    }'
}

side_by_side() {
  code=0
  rm -f "$results/junit.xml"
  GATE_MODULE=$1
  bench --vs "$2" --threshold "$threshold" --format junit --output "$results/junit.xml" || code=$?
  if [ -e "$results/junit.xml" ]; then
    table <"$results/junit.xml" | tee "$results/summary.md"
    summarise "$results/summary.md"
  fi
  [ "$code" -le 1 ] || failed "$code" "$1 and $2 are not compared"
  return "$code"
}

usage() {
  fail 2 "usage: gate.sh baseline | check | vs OLD NEW"
}

command -v "$P11PROF" >/dev/null || fail 2 "there is no command $P11PROF: install p11prof, or set P11PROF"
case $runs in
*[!0-9]* | 0 | '') fail 2 "GATE_RUNS=$runs: a number from 1 is wanted" ;;
esac
case $baseline in
*,*.json) ;;
*,*) fail 2 "GATE_BASELINE=$baseline: a folder's name has no comma" ;;
esac
place=$(mktemp -d) || fail 2 "there is no place for temporary files"
trap 'rm -rf "$place"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
mkdir -p "$results" || fail 2 "GATE_RESULTS=$results: no such folder can be made"

case ${1:-}:$# in
baseline:1) make_baseline ;;
check:1) check ;;
vs:3) side_by_side "$2" "$3" ;;
*) usage ;;
esac
