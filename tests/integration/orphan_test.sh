#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# What a process recorded is there when it is gone, though a child that it forked lives on: the
# child holds neither its spool nor the lock that says that somebody lives.
# Environment: P11PROF, SHIM, APP (orphan_app), NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${APP:?}" "${SHIM:?}" "${NULL_MODULE:?}"
export P11PROF_DB="$DB" P11PROF_MODULE="$NULL_MODULE"

for drain in external exit thread; do
  rm -f "$DB"* "$WORK/pid"
  P11PROF_DRAIN=$drain "$APP" "$SHIM" "$WORK/pid" 2>/dev/null
  check "$drain: the application is gone" [ $? -eq 137 ]
  check "... its child is not" within 20 [ -s "$WORK/pid" ]
  read -r child <"$WORK/pid"
  check "... its calls are taken" "$P11PROF" collect
  check "... all of them" [ "$(counts C_GetInfo)" = 1009 ]
  check "... and nothing is left of it" [ -z "$(find "$P11PROF_SPOOL" -name '*.spool')" ]
  check "... while its child lives" kill -KILL "$child"
done

finish
