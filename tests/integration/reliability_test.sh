#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Each test that docs/reliability.md names is one of this build, and each rule names some.
# Environment: ROOT, BUILD (where ctest runs), CTEST.
# shellcheck disable=SC2016

. "$(dirname "$0")/shell_test.sh"
need "${CTEST:?}" "${ROOT:?}" "${BUILD:?}"
doc=$ROOT/docs/reliability.md

# Of another build of tests/run.
elsewhere='^(races|thread)$'

# exists NAME: it may have a star.
exists() {
  case $1 in
  bench-*) grep -q "^  ${1#bench-}) " "$ROOT/tests/bench/run" ;;
  *) grep -qE "^$(printf '%s' "$1" | sed 's/[*]/.*/g')\$" "$WORK/all" ||
    printf '%s' "$1" | grep -qE "$elsewhere" ;;
  esac
}

# named: the words in back quotes of the column "test" of the tables, one a line.
named() {
  awk -F '|' '/^\|/ { test = 0 }
    /^\|.*\| test( \||$)/ { for (i = 1; i <= NF; i++) if ($i ~ /^ *test *$/) column = i; next }
    /^\|/ && column { print $column; next }
    { column = 0 }' "$doc" | grep -o '`[^`]*`' | tr -d '`' | sort -u
}

# In a folder of its own: ctest writes a log even so, and the one above is that of who runs this.
"$CTEST" --test-dir "$BUILD/tests" -N | sed -n 's/^ *Test *#[0-9]*: //p' >"$WORK/all"
check "tests are listed" [ "$(wc -l <"$WORK/all")" -gt 100 ]
named >"$WORK/named"
check "tests are named" [ "$(wc -l <"$WORK/named")" -gt 40 ]

while read -r name; do
  exists "$name" || check "$name is a test" false
done <"$WORK/named"

rules=$(sed -n '/^## Rules/,$p' "$doc" | grep -c '^| [0-9]')
check "40 rules" [ "$rules" = 40 ]
check "each rule has a test, or says why not" \
  [ "$(sed -n '/^## Rules/,$p' "$doc" | grep '^| [0-9]' | grep -cE '`[a-z_0-9*-]+`[^|]*\|$|: none|all above')" = 40 ]

finish
