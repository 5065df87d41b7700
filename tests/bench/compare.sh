#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# How often comparisons are right: compare.sh BUILD
#
# SoftHSM behind two copies of a module that makes each call so many percent longer.
#
#   side by side   bench --vs: the two take turns
#
#   what      they differ by   options                                     has to be
#   same      nothing          --threshold 0                               flagged 7 of 50 times at most
#   slow      10 %             (default)                                   regressed 47 of 50 times
#   close     3 %              --duration 12s --slices 120 --threshold 1%  regressed 18 of 20 times
#
# Environment: SAME=50 SLOW=50 CLOSE=20, how many comparisons (12 s each; CLOSE: 24 s);
# TEST=rsa-2048-sign; KEEP=FILE gets the pairs, which tests/data/paired-windows.csv was made of.
set -eu

build=$(cd "$1" && pwd)
p11prof=$build/tools/p11prof
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

[ -z "${KEEP:-}" ] || echo what,comparison,base_count,base_ns,current_count,current_ns >"$KEEP"
echo "side by side, $test"
side_by_side same "${SAME:-50}" 0 --threshold 0
side_by_side slow "${SLOW:-50}" 10
side_by_side close "${CLOSE:-20}" 3 --duration 12s --slices 120 --threshold 1%
