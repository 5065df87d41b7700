#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# A call that never returns: seen while it hangs, with its age, and after the process was killed.
# Environment: P11PROF, SHIM, DRIVER (host_driver), CALLBACKS (its module).

. "$(dirname "$0")/shell_test.sh"
need "${SHIM:?the path of the shim}" "${DRIVER:?the path of host_driver}" "${CALLBACKS:?its module}"
truncate -s 100000 "$WORK/counts"

# report_age: the age of C_GenerateKey in the report's list, in ns; nothing if it is not there.
report_age() {
  "$P11PROF" report --db "$DB" --format json last >"$WORK/report" 2>"$WORK/notes" &&
    tr -d '[:space:]' <"$WORK/report" | grep -o '"function":"C_GenerateKey"[^}]*' |
    grep -o '"age_ns":[0-9]*' | head -1 | cut -d: -f2
}
# shellcheck disable=SC2317 # `within` calls it
hangs() {
  [ -n "$(report_age)" ]
}

for drain in thread exit external; do
  P11PROF_MODULE=$CALLBACKS P11PROF_DB=$DB P11PROF_DRAIN=$drain \
    "$DRIVER" "$SHIM" "$WORK/counts" hang 1 100 2>"$WORK/driver" &
  driver=$!
  if [ $drain = thread ]; then # the run is in the database while it lives
    check "$drain: the hanging call is in the report" within 20 hangs
    first=$(report_age)
    sleep 1
    second=$(report_age)
    check "$drain: and it grows older" [ "${second:-0}" -ge $((${first:-0} + 900000000)) ]
    "$P11PROF" report --db "$DB" last >"$WORK/text" 2>/dev/null
    check "$drain: people can read it" grep -q 'C_GenerateKey' "$WORK/text"
  else
    sleep 1
  fi
  kill -KILL $driver
  wait $driver 2>/dev/null
  check "$drain: after a kill it is in the view" [ "$(query "SELECT function, age_ns > 500000000
    FROM in_flight WHERE run_id = (SELECT max(run_id) FROM runs)")" = C_GenerateKey,1 ]
  check "$drain: and in the report" hangs
  "$P11PROF" report --db "$DB" last --slo "errors<1%" >/dev/null 2>"$WORK/notes"
  check "$drain: an objective says that it is not of that call" grep -q \
    "1 call of run [0-9]* did not return: no objective is about it" "$WORK/notes"
  check "$drain: it is no row" [ "$(counts C_GenerateKey)" = 0 ]
  check "$drain: the other calls are" [ "$(counts C_GenerateRandom)" -ge 100 ]
done

record --module "$CALLBACKS" -- timeout -s KILL 3 "$DRIVER" "$CALLBACKS" "$WORK/counts" hang 1 100
check "record says what did not return" grep -q \
  "1 call had not returned when its process ended: C_GenerateKey" "$WORK/notes"
"$P11PROF" compare --db "$DB" last last >"$WORK/text"
check "a comparison says that a run is not whole" grep -q "(last) was interrupted: .* a call that" \
  "$WORK/text"

finish
