#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof record: how CMD ends, what it sees, which ways of loading a module are caught.
# Environment: P11PROF, APP (record_app), LINKED (record_app linked to a module), NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
need "${APP:?}" "${LINKED:?}" "${NULL_MODULE:?}"

# ends CODE CMD...: how record ends.
ends() {
  expected=$1
  shift
  (record --module "$NULL_MODULE" -- "$@") >/dev/null 2>&1
  [ $? -eq "$expected" ]
}

# catches WHAT CMD...: the program's 7 calls are recorded.
catches() {
  what=$1
  shift
  check "$what runs" record --module "$NULL_MODULE" -- "$@"
  check "$what is recorded" [ "$(counts C_GetInfo)" = 7 ]
}

check "exit 0" ends 0 true
check "exit 3" ends 3 sh -c 'exit 3'
check "exit 255" ends 255 sh -c 'exit 255'
check "SIGKILL" ends 137 sh -c 'kill -KILL $$'
check "SIGTERM" ends 143 sh -c 'kill -TERM $$'
check "the run was interrupted" [ "$(newest state)" = interrupted ]
check "not found" ends 127 "$WORK/no-such-program"
check "not found in PATH" ends 127 no-such-program-anywhere
check "not executable" ends 126 "$DB"
check "a folder" ends 126 /
check "no such module" not record --module "$WORK/none.so" -- true
check "no module" not record --module "$DB" -- true

check "no command" [ "$(record >/dev/null 2>&1; echo $?)" = 2 ]
check "another program's database" \
  [ "$("$P11PROF" record --db "$0" --module "$NULL_MODULE" -- true 2>/dev/null; echo $?)" = 2 ]

# Signals that are sent to record reach CMD.
"$P11PROF" record --db "$DB" --module "$NULL_MODULE" -- \
  sh -c 'trap "kill \$!; exit 9" TERM; echo >"$0"; sleep 30 & wait' "$WORK/started" 2>/dev/null &
while ! [ -e "$WORK/started" ]; do sleep 0.1; done
kill -TERM $!
wait $!
check "SIGTERM is passed on" [ $? = 9 ]

# What CMD sees.
printf 'in\0put' >"$WORK/in"
record --module "$NULL_MODULE" -- cat <"$WORK/in" >"$WORK/out"
check "stdin and stdout are untouched" cmp -s "$WORK/in" "$WORK/out"
P11PROF_MODULE=/wrong record --module "$NULL_MODULE" -- env >"$WORK/out"
check "P11PROF_MODULE is not handed on" not grep -q P11PROF_MODULE "$WORK/out"
LD_AUDIT=/nothing.so record --module "$NULL_MODULE" -- env 2>/dev/null >"$WORK/out"
check "LD_AUDIT is kept" grep -q '^LD_AUDIT=/nothing.so:/' "$WORK/out"
record --name "a name" --module "$NULL_MODULE" -- sh -c 'cd "${LD_AUDIT%/*}" && pwd &&
  stat -c "%a %n" . ./* && cat ./*.conf' >"$WORK/out"
folder=$(head -n 1 "$WORK/out")
check "its folder is private" grep -qx '700 .' "$WORK/out"
check "its .conf is private" grep -qx '600 ./module-1.conf' "$WORK/out"
check "the folder is removed" [ ! -e "$folder" ]
check "the name is kept" [ "$(newest name)" = "a name" ]
check "the program is kept" [ "$(newest program)" = sh ]
check "nothing was recorded, and that is said" grep -q 'no PKCS#11 call was recorded' "$WORK/notes"

# Ways of loading a module.
catches "a path" "$APP" "$NULL_MODULE"
check "the run is finished" [ "$(newest state)" = finished ]
check "the real module's plain path is kept" \
  [ "$(query 'SELECT module_path FROM processes ORDER BY process_id DESC LIMIT 1')" = \
  "$(readlink -f "$NULL_MODULE")" ]
check "the summary names the calls" grep -q '10 calls in 1 process' "$WORK/notes"
ln -s "$NULL_MODULE" "$WORK/link.so"
catches "a link" "$APP" "$WORK/link.so"
catches "an odd path" "$APP" "$WORK/.//../$(basename "$WORK")/link.so"
check "--module by a link" record --module "$WORK/link.so" -- "$APP" "$NULL_MODULE"
check "… is recorded" [ "$(counts C_GetInfo)" = 7 ]
catches "a bare name" env LD_LIBRARY_PATH="$WORK" "$APP" link.so
catches "a linked program" "$LINKED" linked
catches "a child" sh -c '"$0" "$1"; true' "$APP" "$NULL_MODULE"

# Two modules in one process, each with a shim of its own.
cp "$NULL_MODULE" "$WORK/second.so"
check "two modules run" record --module "$NULL_MODULE" --module "$WORK/second.so" -- \
  "$APP" "$NULL_MODULE" "$WORK/second.so"
check "both are recorded" [ "$(counts C_GetInfo)" = 14 ]
check "each under its own path" [ "$(query "SELECT count(DISTINCT module_path) FROM processes
  WHERE run_id = (SELECT max(run_id) FROM runs)")" = 2 ]
check "what is not named passes by" record --module "$WORK/second.so" -- "$APP" "$NULL_MODULE"
check "… and is not recorded" [ "$(counts C_GetInfo)" = 0 ]

# Ends that leave something behind.
record --module "$NULL_MODULE" -- "$APP" -k "$NULL_MODULE"
check "what was recorded before SIGKILL is there" [ "$(counts C_GetInfo)" = 7 ]
check "a daemon is waited for" record --module "$NULL_MODULE" -- "$APP" -d "$NULL_MODULE"
check "… and recorded" [ "$(counts C_GetInfo)" = 7 ]
check "… and named" grep -q 'waiting for 1 other process' "$WORK/notes"

# The database goes away meanwhile.
check "a deleted database" record --module "$NULL_MODULE" -- \
  sh -c '"$0" "$1"; sleep 0.3; rm -f "$2"*; "$0" "$1"' "$APP" "$NULL_MODULE" "$DB"
check "… is made again" [ "$(counts C_GetInfo)" = 7 ]
check "… and bears the program's name" [ "$(newest program)" = sh ]
mkdir "$WORK/unwritable.db"
check "a database that cannot be opened" not record --db "$WORK/unwritable.db" \
  --module "$NULL_MODULE" -- touch "$WORK/was-started"
check "… keeps the program from starting" [ ! -e "$WORK/was-started" ]
check "no spool is left" [ -z "$(find "$P11PROF_SPOOL" -name '*.spool')" ]

finish
