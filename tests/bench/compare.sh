#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# How often comparisons are right: compare.sh BUILD
#
# Side by side: SoftHSM behind two copies of a module that makes each call so many percent longer;
# bench --vs lets the two take turns.
#
#   what      they differ by   options                                     has to be
#   same      nothing          --threshold 0                               flagged 7 of 50 times at most
#   slow      10 %             (default)                                   regressed 47 of 50 times
#   close     3 %              --duration 12s --slices 120 --threshold 1%  regressed 18 of 20 times
#
# Separate runs, one a side, compared afterwards: of the module whose calls take a known time, of
# SoftHSM, and recordings of a client that signs all the time.
#
#   known-same    nothing      --threshold 0                               flagged 11 of 100 times at most
#   known-slow    10 %         (default)                                   regressed 95 of 100 times
#   real-same     nothing      --threshold 0, and the default              (is what it is)
#   profile-same  nothing      --threshold 0, and the default              (is what it is)
#
# Environment: SAME=50 SLOW=50 CLOSE=20 KNOWN=100 REAL=50 PROFILES=20, how many comparisons (12 s each;
# CLOSE: 24 s, KNOWN: 8 s, REAL: 8 s, PROFILES: 26 s); TEST=rsa-2048-sign; KEEP=FILE gets the pairs,
# as tests/data/paired-windows.csv has them.
set -eu

build=$(cd "$1" && pwd)
p11prof=$build/tools/p11prof
softhsm=/usr/lib/softhsm/libsofthsm2.so
stretch=$build/tests/modules/stretch.so
test=${TEST:-rsa-2048-sign}
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

mkdir "$place/tokens" "$place/spool"
chmod 700 "$place/spool"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
  "$place/tokens" >"$place/softhsm2.conf"
export SOFTHSM2_CONF="$place/softhsm2.conf" P11PROF_SPOOL="$place/spool" BENCH_PIN=1234
softhsm2-util --init-token --free --label bench --so-pin 12345678 --pin "$BENCH_PIN" >/dev/null
for percent in 0 3 10; do
  cp "$stretch" "$place/$percent.so"
  echo "$percent" >"$place/$percent.percent"
done

# found: verdict, effect in percent and, after them, a line a pair, from JSON.
found() {
  awk '
    /"verdict":/ { gsub(/[",]/, ""); verdict = $2 }
    /"effect":/ { gsub(/,/, ""); effect = $2 * 100 }
    /"pairs":/ { sub(/.*\[\[/, ""); sub(/\]\].*/, ""); pairs = $0 }
    END { print verdict, effect; count = split(pairs, each, /\],\[/)
      for (i = 1; i <= count; i++) print each[i] }'
}

# side_by_side WHAT COUNT PERCENT OPTION...: so many comparisons, as a line of the table.
side_by_side() {
  what=$1 count=$2 percent=$3
  shift 3
  number=0
  while [ "$number" -lt "$count" ]; do
    number=$((number + 1))
    # 1: it regressed.
    "$p11prof" bench --module "$place/0.so" --vs "$place/$percent.so" --pin-source env:BENCH_PIN \
      --db "$place/p.db" --test "$test" --json --quiet "$@" 2>"$place/notes" >"$place/out" ||
      [ $? -eq 1 ] || { cat "$place/notes" >&2; exit 1; }
    found <"$place/out" >"$place/found"
    head -n 1 "$place/found" >>"$place/$what"
    [ -z "${KEEP:-}" ] || sed -n "2,\$s/^/$what,$number,/p" "$place/found" >>"$KEEP"
    printf '\r%s %s of %s' "$what" "$number" "$count" >&2
  done
  printf '\r%40s\r' '' >&2
  [ "$count" -eq 0 ] || awk -v what="$what" -v percent="$percent" '
    { verdicts[$1]++; sum += $2; squares += $2 * $2 }
    END { mean = sum / NR; spread = squares / NR - mean * mean
      printf "  %-6s %3d comparisons, %2d %% slower: %d regressed, %d improved, %d same, %d unclear; slowdown %+.2f %% (deviation %.2f)\n",
        what, NR, percent, verdicts["regressed"], verdicts["improved"], verdicts["same"],
        verdicts["unclear"], mean, (spread > 0 ? sqrt(spread) : 0) }' "$place/$what"
}

# one_run COMMAND...: a run; its number goes to stdout.
one_run() {
  "$@" >"$place/out" 2>"$place/notes" || { cat "$place/out" "$place/notes" >&2; exit 1; }
  "$p11prof" sql --db "$place/p.db" "SELECT max(run_id) FROM runs" --format csv | tail -n 1 | tr -d '\r'
}

# bench_run OPTION...
bench_run() {
  one_run "$p11prof" bench --db "$place/p.db" --duration 2s --verify none --quiet --record summary "$@"
}

known_run() {
  P11PROF_TEST_DELAY=$1 bench_run --module "$build/tests/modules/delay.so" --test ecdsa-p256-sign
}

real_run() {
  bench_run --token-label bench --pin-source env:BENCH_PIN --module "$softhsm" --test "$test"
}

profile_run() {
  one_run "$p11prof" record --db "$place/p.db" --module "$softhsm" -- \
    "$build/tests/bench/bench-client" "$softhsm" "$BENCH_PIN" 12
}

# verdicts WHAT BASE CURRENT OPTION...: of a comparison, a line for each verdict of a row.
verdicts() {
  into=$1
  shift
  "$p11prof" compare --db "$place/p.db" --format csv "$@" >"$place/out" || [ $? -eq 1 ] ||
    { cat "$place/out" >&2; exit 1; }
  awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "verdict") column = i }
    NR > 1 && !seen[$2 $3 $4]++ { print $column }' "$place/out" >"$place/rows"
  # A comparison counts once: for the worst that it says.
  for word in regressed improved unclear same insufficient; do
    if grep -q "$word" "$place/rows"; then
      echo "$word" >>"$place/$into"
      break
    fi
  done
}

# line WHAT: the verdicts of all its comparisons.
line() {
  awk -v what="$1" '{ verdicts[$1]++ }
    END { printf "  %-22s %3d comparisons: %d regressed, %d improved, %d same, %d unclear, %d insufficient\n",
      what, NR, verdicts["regressed"], verdicts["improved"], verdicts["same"], verdicts["unclear"],
      verdicts["insufficient"] }' "$place/$1"
}

# separately WHAT COUNT RUN [ARGUMENT]: two equal runs a comparison.
separately() {
  number=0
  while [ "$number" -lt "$2" ]; do
    number=$((number + 1))
    base=$("$3" "${4:-}")
    current=$("$3" "${4:-}")
    verdicts "$1-same" "$base" "$current" --threshold 0
    verdicts "$1-same-threshold" "$base" "$current"
    if [ -n "${5:-}" ]; then
      verdicts "$1-slow" "$base" "$("$3" "$5")"
    fi
    printf '\r%s %s of %s' "$1" "$number" "$2" >&2
  done
  printf '\r%40s\r' '' >&2
  if [ "$2" -gt 0 ]; then
    line "$1-same"
    line "$1-same-threshold"
    [ -z "${5:-}" ] || line "$1-slow"
  fi
}

[ -z "${KEEP:-}" ] || echo what,comparison,base_count,base_ns,current_count,current_ns >"$KEEP"
echo "side by side, $test"
side_by_side same "${SAME:-50}" 0 --threshold 0
side_by_side slow "${SLOW:-50}" 10
side_by_side close "${CLOSE:-20}" 3 --duration 12s --slices 120 --threshold 1%
echo "separate runs"
separately known "${KNOWN:-100}" known_run sleep:1ms sleep:1100us
separately real "${REAL:-50}" real_run
separately profile "${PROFILES:-20}" profile_run
