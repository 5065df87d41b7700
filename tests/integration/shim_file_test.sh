#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The shim's file: it stays in memory when it is closed (its handlers of fork, its thread and its
# keys live there), has no lazy or writable table of functions, and gives or takes no SQLite.
# Environment: P11PROF, SHIM.

. "$(dirname "$0")/shell_test.sh"
need readelf

readelf --wide --dynamic --segments "$SHIM" >"$WORK/file"
readelf --wide --dyn-syms "$SHIM" >"$WORK/symbols"
check "dlclose leaves it in memory" grep -q 'FLAGS_1.*NODELETE' "$WORK/file"
check "symbols are bound at once" grep -q 'FLAGS_1.*NOW' "$WORK/file"
check "tables are read-only then" grep -q GNU_RELRO "$WORK/file"
check "it has symbols" grep -q 'C_GetFunctionList$' "$WORK/symbols"
check "none of them is SQLite's" [ "$(grep -c sqlite3 "$WORK/symbols")" -eq 0 ]
check "no SQLite is loaded with it" [ "$(grep -c 'NEEDED.*sqlite' "$WORK/file")" -eq 0 ]

finish
