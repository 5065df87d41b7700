#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The guides agree with the tree: links, anchors, paths, names of tests, columns of views; and each
# guide that has commands has a test that runs them.
# Environment: P11PROF, ROOT (the sources), BUILD (where they are built).

. "$(dirname "$0")/shell_test.sh"
need /usr/bin/python3 ctest
docs() {
  /usr/bin/python3 -B "$ROOT/tests/integration/docs_check.py" "$1" "$ROOT" ${2:+"$2"}
}
check "links and anchors are there" docs links
check "the index names every guide" docs index
check "views and columns are in docs/sql.md" docs columns
check "columns of reports are in docs/reports.md" docs headings
check "files of docs/internals.md are there" docs paths docs/internals.md
check "files of docs/performance.md are there" docs paths docs/performance.md
check "files of CONTRIBUTING.md are there" docs paths CONTRIBUTING.md
# In a folder of its own: ctest writes a log even so, and the one above is that of who runs this.
ctest --test-dir "$BUILD/tests" -N >"$WORK/tests"
check "tests of docs/security.md are there" docs tests docs/security.md <"$WORK/tests"

cd "$ROOT" || exit 1
grep -lx '```sh' README.md docs/*.md docs/*/*.md >"$WORK/guides"
while IFS= read -r guide; do
  check "a test runs the commands of $guide" grep -rlqF --include='*.sh' --exclude=docs_test.sh \
    "$guide" tests/apps tests/integration
done <"$WORK/guides"

# Those of CONTRIBUTING.md build everything: that their programs are there must do.
awk '/^```/ { inside = $0 == "```sh"; next } inside { print $1 }' CONTRIBUTING.md >"$WORK/programs"
check "CONTRIBUTING.md has commands" [ "$(wc -l <"$WORK/programs")" -ge 5 ]
while IFS= read -r program; do
  check "CONTRIBUTING.md: $program is there" command -v "$program"
done <"$WORK/programs"

# The table of benchmarks has all that tests/bench/run knows.
sed -n 's/^  \([a-z]*\)) .*/\1/p' tests/bench/run >"$WORK/benchmarks"
while IFS= read -r name; do
  check "docs/performance.md has the benchmark $name" grep -q "^| \`$name\` | " docs/performance.md
done <"$WORK/benchmarks"

finish
