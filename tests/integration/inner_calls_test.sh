#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# A module that calls itself by the names it exports, and whose names the loader may take for those
# of others: with p11prof its calls go where they go without, and the application's are recorded.
# Environment: P11PROF, SHIM, INNER (the module), APP (inner_app), APP_P11_KIT (linked to p11-kit).

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?}" "${INNER:?}" "${APP:?}"

cp "$SHIM" "$WORK/inner-shim.so"
printf 'module = %s\ndb = %s\n' "$INNER" "$DB" >"$WORK/inner-shim.conf"
chmod 600 "$WORK/inner-shim.conf"

# recorded: the application's calls of the newest run, and how many the module made that came here.
recorded() {
  query "SELECT group_concat(iif(nested, NULL, function), ' '), sum(nested) FROM (
    SELECT function, nested FROM calls WHERE function != 'C_GetFunctionList'
    AND run_id = (SELECT max(run_id) FROM runs) ORDER BY call_id)"
}

# try APP SCOPE NESTED EXPECTED: alone, by configuration, and under record.
try() {
  name="$(basename "$1"), $2"
  all="C_Initialize C_GetInfo C_GetSlotList C_Finalize,$3"
  check "$name: what it does alone" [ "$("$1" "$2" "$INNER")" = "$4" ]
  check "$name: the same by configuration" [ "$("$1" "$2" "$WORK/inner-shim.so")" = "$4" ]
  check "$name: its calls are recorded" [ "$(recorded)" = "$all" ]
  record --module "$INNER" -- "$1" "$2" "$INNER" >"$WORK/out"
  check "$name: the same under record" [ "$(cat "$WORK/out")" = "$4" ]
  check "$name: its calls are recorded there" [ "$(recorded)" = "$all" ]
}

both="C_Initialize 1, C_GetInfo 2, C_GetSlotList 2; by name 0x0, by list 0x0"
try "$APP" local 0 "$both"
try "$APP" global 2 "$both"

# Its own C_GetFunctionList is p11-kit's there, whose proxy is not initialized.
need "${APP_P11_KIT:?}"
elsewhere="C_Initialize 1, C_GetInfo 2, C_GetSlotList 1; by name 0x0, by list 0x190"
try "$APP_P11_KIT" local 0 "$elsewhere"
try "$APP_P11_KIT" global 1 "$elsewhere"

finish
