#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# README.md is true: its examples work as they stand there, its files exist, its report is one.
# Environment: P11PROF, ROOT (the sources), BUILD (where they are built).

. "$(dirname "$0")/../integration/shell_test.sh"
. "$(dirname "$0")/servers.sh"
need cmake ninja cpack dpkg-deb dpkg-shlibdeps file pkcs11-tool p11tool softhsm2-util bash prometheus-pushgateway "$SOFTHSM"
make_token
export P11PROF_DB="$DB" HOME="$WORK"
PREFIX=$WORK/prefix
PATH=$PREFIX/bin:$PATH

# examples FILE: the blocks of shell in it, one after the other, each ended by a line "#end".
examples() {
  awk '/^```sh$/ { inside = 1; next } /^```$/ { if (inside) print "#end"; inside = 0 } inside' "$1"
}

# runs_block: the block in $WORK/block, where the build is BUILD and /usr/local is a folder of ours.
# Packages are unpacked, not installed.
runs_block() {
  sed -e "s|/usr/local|$PREFIX|g" -e "s#\./build/packages/\*#build/packages/p11prof_*#; s#\bbuild/#$BUILD/#g" \
    -e "s|sudo apt install \(.*\)|dpkg-deb -x \1 $WORK/unpacked|; s|sudo ||" \
    -e "s#\(-B\|--build\|--install\) build\b#\1 $BUILD#" \
    "$WORK/block" >"$WORK/script"
  (cd "$ROOT" && sh -eu "$WORK/script") >"$WORK/out" 2>&1 || {
    cat "$WORK/out"
    return 1
  }
}

# runs_command COMMAND...: what it prints is of interest if it fails.
runs_command() {
  "$@" >"$WORK/out" 2>&1 </dev/null || { cat "$WORK/out" && false; }
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

check "packages have what is installed" [ "$(readlink "$WORK/unpacked/usr/bin/p11prof-bench")" = p11prof ]
rm -rf "${BUILD:?}/packages"

# The links, wherever a package puts them.
check "installed elsewhere" runs_command env DESTDIR="$WORK/dest" cmake --install "$BUILD" --prefix /usr
for link in p11prof-bench p11prof-report; do
  check "$link is a link to p11prof" [ "$(readlink "$WORK/dest/usr/bin/$link")" = p11prof ]
  check "$link is ${link#p11prof-}" eval "\$WORK/dest/usr/bin/$link --help | grep -q '^Usage: p11prof ${link#p11prof-} '"
done

# The table for those who come from another tool, on the token T with the key K.
softhsm2-util --init-token --free --label T --so-pin 12345678 --pin "$PIN" >"$WORK/out"
pkcs11-tool --module "$SOFTHSM" --token-label T --login --pin "$PIN" --keypairgen --id 01 --label K \
  --key-type EC:prime256v1 >"$WORK/out" 2>&1
mkdir "$WORK/table"
check "a log of pkcs11-spy" runs_command env PKCS11SPY="$SOFTHSM" PKCS11SPY_OUTPUT="$WORK/table/spy.log" \
  pkcs11-tool --module pkcs11-spy.so -L
cat >"$WORK/table/F.toml" <<END
[[tests]]
name = "Code Signing Workflow"
operations = [
  { type = "sign", key = "K", iterations = 50 },
  { type = "hash", algorithm = "SHA-256", data_size = "1MB", iterations = 50 },
]
END
check "a Pushgateway" serve gateway prometheus-pushgateway --persistence.file=

# rows: left and right cell, with a tab between, of the table's rows that have both.
rows() {
  sed -n '/^## If you come from/,/^## Use/p' "$ROOT/README.md" | grep '^| .*`.*|.*`' |
    sed 's/\\|/\a/g; s/^| //; s/` |$//; s/ | `/\t/; s/`//g; s/\a/|/g'
}

# elsewhere: the command of the right cell does it, with our PIN, module and gateway, and soon.
# 1: it regressed.
elsewhere() {
  echo "$right" | sed "s|\bP\b|$PIN|g; s|\bM\b|$SOFTHSM|g; s|http://localhost:9091|$URL|
    s/--duration \(60\|3600\|3s\)/--duration 2/; s/--iterations 1000\b/--iterations 100/
    s/--quick/& --iterations 100/" >"$WORK/script"
  (cd "$WORK/table" && PIN=$PIN bash -euo pipefail "$WORK/script") >"$WORK/out" 2>"$WORK/notes" </dev/null
  code=$?
  case $right in
  *compare*) [ "$code" -le 1 ] ;;
  *) [ "$code" -eq 0 ] ;;
  esac && return
  echo "exit code $code" && cat "$WORK/notes" && false
}

# meant WORD...: p11prof knows what is meant, and the right cell has it.
meant() {
  p11prof "$@" >"$WORK/out" 2>"$WORK/notes"
  meant=$(sed -n "s/.*did you mean '\(.*\)'?/\1/p" "$WORK/notes")
  case "$right " in
  *"${meant:-nothing} "*) ;;
  *) cat "$WORK/notes" && false ;;
  esac
}

rows >"$WORK/rows"
while IFS="$(printf '\t')" read -r left right; do
  check "works instead of $left: $right" elsewhere
  case $left in
  benchmark* | analyze*) check "${left%% *} is known" meant "${left%% *}" ;;
  -*)
    for letter in $(echo "$left" | grep -oE '(^| )-[a-z]\b'); do
      check "$letter is known" meant bench "$letter"
    done
    ;;
  esac
done <"$WORK/rows"
check "there were rows" [ "$(wc -l <"$WORK/rows")" -ge 20 ]
check "what was pushed is there" eval "curl --silent --fail '$URL/metrics' | grep -q '^p11prof_bench_operations_total{.*token=\"T\"'"
check "files are there" [ "$(cd "$WORK/table" && grep -lE '"schema":\s*"p11prof/export/v1"|^run_id' a.json b.json F.json F.csv | wc -l)" = 4 ]
check "the link does it, too" runs_command "$WORK/dest/usr/bin/p11prof-bench" --label T --user-pin "$PIN" \
  --iterations 1000 --json --test sign
check "and says that a PIN is seen there" grep -q 'use --pin-source' "$WORK/out"

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
grep -ohE 'p11prof [a-z]+' "$ROOT/README.md" "$ROOT"/docs/*.md \
  "$ROOT"/docs/recipes/*.md "$ROOT/CHANGELOG.md" |
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
