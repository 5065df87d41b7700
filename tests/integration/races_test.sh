#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The recorder under helgrind, which is told of its atomics (tests/helgrind_atomics.h): rings and
# chunks that change hands, the drain in a thread of its own and in the callers', forks beside them.
# DRD knows the same annotations, but not that an atomic is not to be checked; told that by its own
# request, 9000 calls of three threads had no end within minutes, and no report.
# Environment: SHIM, DRIVER, NULL_MODULE, SUPPRESSIONS (their folder); P11PROF is not asked.

. "$(dirname "$0")/shell_test.sh"
need valgrind sqlite3 "${SHIM:?the path of the shim}" "${DRIVER:?the path of driver}" \
  "${NULL_MODULE:?the null module}" "${SUPPRESSIONS:?the folder of suppressions}"

# races DRAIN SCENARIO THREADS CALLS [SUPPRESSIONS]: the driver's status, or 99.
# shellcheck disable=SC2317 # `check` calls it
races() {
  truncate -s 0 "$WORK/counts"
  truncate -s 100000 "$WORK/counts"
  # A spool of 16 chunks: each is used many times, by many threads.
  P11PROF_MODULE=$NULL_MODULE P11PROF_DB=$DB P11PROF_DRAIN=$1 P11PROF_SPOOL_LIMIT=1MB \
    valgrind --tool=helgrind -q --error-exitcode=99 --history-level=approx \
    ${5:+"--suppressions=$SUPPRESSIONS/$5"} \
    "$DRIVER" "$SHIM" "$WORK/counts" "$2" "$3" "$4" 2>"$WORK/said"
  status=$?
  [ "$status" -eq 0 ] || head -n 120 "$WORK/said"
  return "$status"
}

# Both threads are done and nobody wakes the drain: it comes by its own clock.
# shellcheck disable=SC2317 # `within` calls it
drained() {
  [ "$(sqlite3 "file:$DB?mode=ro" 'SELECT count(*) FROM call' 2>/dev/null)" -ge "$1" ] 2>/dev/null
}
# shellcheck disable=SC2317 # `check` calls it
races_by_the_clock() {
  races thread phases 2 1500 &
  driver=$!
  within 60 drained 3000
  printf '\1' | dd of="$WORK/counts" bs=1 seek=4 conv=notrunc 2>/dev/null
  wait "$driver"
}
check "thread: a drain that nobody wakes" races_by_the_clock
rm "$DB"*

for drain in thread exit; do
  check "$drain: calls from three threads" races $drain finalize 3 10000
  check "$drain: threads that come and go" races $drain relay 6 1500
  check "$drain: a crowd" races $drain crowd 12 300
  check "$drain: C_Finalize and again" races $drain again 2 700
  check "$drain: forks beside calls" races $drain fork-threads 1 1500 helgrind-forks
done
check "external: calls from three threads" races external finalize 3 3000

finish
