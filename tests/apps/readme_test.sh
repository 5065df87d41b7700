#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# README.md is true: its examples work as they stand there, its files exist, its report is one.
# Environment: P11PROF, ROOT (the sources), BUILD (where they are built).

. "$(dirname "$0")/../integration/shell_test.sh"
need cmake ninja pkcs11-tool p11tool softhsm2-util "$SOFTHSM"
make_token
export P11PROF_DB="$DB" HOME="$WORK"
PREFIX=$WORK/prefix
PATH=$PREFIX/bin:$PATH

# examples FILE: the blocks of shell in it, one after the other, each ended by a line "#end".
examples() {
  awk '/^```sh$/ { inside = 1; next } /^```$/ { if (inside) print "#end"; inside = 0 } inside' "$1"
}

# runs_block: the block in $WORK/block, where the build is BUILD and /usr/local is a folder of ours.
runs_block() {
  sed -e "s|/usr/local|$PREFIX|g" -e "s|sudo ||" -e "s|\(-B\|--build\|--install\) build|\1 $BUILD|" \
    "$WORK/block" >"$WORK/script"
  (cd "$ROOT" && sh -eu "$WORK/script") >"$WORK/out" 2>&1 || {
    cat "$WORK/out"
    return 1
  }
}

: >"$WORK/block"
examples "$ROOT/README.md" >"$WORK/examples"
while IFS= read -r line; do
  if [ "$line" != '#end' ]; then
    echo "$line" >>"$WORK/block"
    continue
  fi
  read -r first <"$WORK/block"
  case $first in
  tests/*) check "$first exists" [ -x "$ROOT/$first" ] ;; # a test of its own, and this very run
  *) check "works: $first" runs_block </dev/null ;;
  esac
  : >"$WORK/block"
done <"$WORK/examples"
check "there were examples" [ "$(grep -c '^#end' "$WORK/examples")" -ge 7 ]

# words: each line's words, with one blank between.
words() {
  sed 's/^ *//; s/  */ /g'
}
p11prof report | words >"$WORK/report"
grep -E '^ *(FUNCTION|OPERATION) ' "$ROOT/README.md" | words >"$WORK/headings"
grep -E '^  (program|started|calls|token|clock|percentiles) ' "$ROOT/README.md" | words |
  cut -d' ' -f1 >"$WORK/facts"
check "the example has a report's headings" grep -qxF "$(head -n 1 "$WORK/headings")" "$WORK/report"
while read -r fact; do
  check "a report says: $fact" grep -q "^$fact " "$WORK/report"
done <"$WORK/facts"

p11prof help >"$WORK/help"
grep -ohE 'p11prof [a-z]+' "$ROOT/README.md" "$ROOT"/docs/*.md "$ROOT/CHANGELOG.md" |
  cut -d' ' -f2 | sort -u >"$WORK/commands"
while read -r command; do
  case $command in
  tells | has | command | help) ;;
  *) check "p11prof $command exists" grep -q "^  $command " "$WORK/help" ;;
  esac
done <"$WORK/commands"
grep -oE '\]\([A-Za-z./]+\)' "$ROOT/README.md" | tr -d '])(' >"$WORK/files"
while read -r file; do
  check "$file exists" [ -e "$ROOT/$file" ]
done <"$WORK/files"

finish
