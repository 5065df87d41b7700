#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# p11prof record: how CMD ends, what it sees, which ways of loading a module are caught.
# Environment: P11PROF, APP (record_app), LINKED (record_app linked to a module), TLS (record_app
# linked to a library with static TLS), NULL_MODULE, SYSV_MODULE (the same with DT_HASH alone), SANITIZED.

. "$(dirname "$0")/shell_test.sh"
need "${APP:?}" "${LINKED:?}" "${TLS:?}" "${NULL_MODULE:?}" "${SYSV_MODULE:?}"

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
check "options behind the program are its own, without '--' too" \
  [ "$(record --module "$NULL_MODULE" printf '%s' --name --help 2>/dev/null)" = --name--help ]
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
tunables() {
  GLIBC_TUNABLES=$1 record --module "$NULL_MODULE" -- env 2>/dev/null |
    sed -n 's/^GLIBC_TUNABLES=//p'
}
check "tunables are kept" [ "$(tunables glibc.malloc.check=0)" = \
  glibc.malloc.check=0:glibc.rtld.optional_static_tls=4096 ]
check "… also for static TLS" [ "$(tunables glibc.rtld.optional_static_tls=9)" = \
  glibc.rtld.optional_static_tls=9 ]
record --name "a name" --module "$NULL_MODULE" -- sh -c 'cd "${LD_AUDIT%/*}" && pwd &&
  stat -c "%a %n" . ./* && cat ./*.conf' >"$WORK/out"
folder=$(head -n 1 "$WORK/out")
if [ "$(id -u)" -eq 0 ]; then # what it records may go on as another user
  check "nobody else lists or changes its folder" grep -qx '711 .' "$WORK/out"
  check "... or its .conf" grep -qx '644 ./module-1.conf' "$WORK/out"
else
  check "its folder is private" grep -qx '700 .' "$WORK/out"
  check "its .conf is private" grep -qx '600 ./module-1.conf' "$WORK/out"
fi
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
check "it says nothing of calls that did not return" not grep -q 'not returned' "$WORK/notes"
check "the summary names the calls" grep -q '10 calls in 1 process' "$WORK/notes"
ln -s "$NULL_MODULE" "$WORK/link.so"
catches "a link" "$APP" "$WORK/link.so"
catches "an odd path" "$APP" "$WORK/.//../$(basename "$WORK")/link.so"
check "--module by a link" record --module "$WORK/link.so" -- "$APP" "$NULL_MODULE"
check "… is recorded" [ "$(counts C_GetInfo)" = 7 ]
catches "a bare name" env LD_LIBRARY_PATH="$WORK" "$APP" link.so
catches "a linked program" "$LINKED" linked
catches "a program with static TLS" "$TLS" "$NULL_MODULE"
catches "a child" sh -c '"$0" "$1"; true' "$APP" "$NULL_MODULE"

# A copy that a process does not see (any more) is no reason for its module to be missing.
check "a program without its copy runs" record --module "$NULL_MODULE" -- \
  sh -c 'rm "${LD_AUDIT%/*}/module-1.so" && exec "$0" "$1"' "$APP" "$NULL_MODULE"
check "... and is not recorded" [ "$(counts C_GetInfo)" = 0 ]

# What root records goes on as another user.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
  chmod 711 "$WORK"
  install "$APP" "$WORK/app"
  install "$NULL_MODULE" "$WORK/null.so"
  # as_other MODULE: under a careful umask and with a folder of root's alone; spools are its own.
  as_other() (
    umask 077
    export XDG_RUNTIME_DIR="$P11PROF_SPOOL"
    unset P11PROF_SPOOL
    record --module "$1" -- setpriv --reuid=65534 --regid=65534 --clear-groups "$WORK/app" "$1"
  )
  if setpriv --reuid=65534 --regid=65534 --clear-groups test -x "$WORK/app"; then
    check "another user's program runs" as_other "$WORK/null.so"
    check "... and is recorded" [ "$(counts C_GetInfo)" = 7 ]
  else
    echo "skipped in part: another user cannot run programs of $WORK"
  fi
fi

# Two modules in one process, each with a shim of its own.
cp "$NULL_MODULE" "$WORK/second.so"
check "two modules run" record --module "$NULL_MODULE" --module "$WORK/second.so" -- \
  "$APP" "$NULL_MODULE" "$WORK/second.so"
check "both are recorded" [ "$(counts C_GetInfo)" = 14 ]
check "each under its own path" [ "$(query "SELECT count(DISTINCT module_path) FROM processes
  WHERE run_id = (SELECT max(run_id) FROM runs)")" = 2 ]
check "what is not named passes by" record --module "$WORK/second.so" -- "$APP" "$NULL_MODULE"
check "… and is not recorded" [ "$(counts C_GetInfo)" = 0 ]
real=$(readlink -f "$NULL_MODULE")
check "… but named" grep -qF "'p11prof record --module $real -- …' records it" "$WORK/notes"
check "what passes by beside others" record --module "$WORK/second.so" -- sh -c \
  '"$0" "$1"; "$0" "$2"; "$0" "$1" "$3"' "$APP" "$NULL_MODULE" "$WORK/second.so" "$SYSV_MODULE"
check "… is named once" [ "$(grep -cxF "p11prof:   $real" "$WORK/notes")" = 1 ]
check "… also with an old table of symbols" grep -qxF \
  "p11prof:   $(readlink -f "$SYSV_MODULE")" "$WORK/notes"
check "… not what is recorded" not grep -qxF "p11prof:   $WORK/second.so" "$WORK/notes"
check "… and what is recorded is" [ "$(counts C_GetInfo)" = 7 ]
if [ -z "${SANITIZED:-}" ] && command -v python3 >/dev/null; then # whose runtime comes too late
  cat >"$WORK/again.py" <<'EOF'
import _ctypes, sys
for _ in range(5000):
    _ctypes.dlclose(_ctypes.dlopen(sys.argv[1], 2))
_ctypes.dlopen(sys.argv[2], 2)
EOF
  check "one that is loaded again and again" record --module "$NULL_MODULE" -- \
    python3 "$WORK/again.py" "$WORK/second.so" "$SYSV_MODULE"
  check "… leaves room for others" grep -qxF "p11prof:   $(readlink -f "$SYSV_MODULE")" "$WORK/notes"
fi
check "a library that is no module" record --module "$NULL_MODULE" -- "$APP" "$NULL_MODULE"
check "… is not named" not grep -q "not recorded\|not to be" "$WORK/notes"
check "nor is p11-kit's" not grep -q libp11-kit "$WORK/notes"

# Ends that leave something behind.
record --module "$NULL_MODULE" -- "$APP" -k "$NULL_MODULE"
check "what was recorded before SIGKILL is there" [ "$(counts C_GetInfo)" = 7 ]
check "a daemon is waited for" record --module "$NULL_MODULE" -- "$APP" -d "$NULL_MODULE"
check "… and recorded" [ "$(counts C_GetInfo)" = 7 ]
check "… and named" grep -q 'waiting for 1 other process' "$WORK/notes"

# What goes on takes code from the folder's name: nobody else may make one of that name.
check "a program that goes on" env -u XDG_RUNTIME_DIR "$P11PROF" record --db "$DB" \
  --module "$NULL_MODULE" -- sh -c 'sleep 60 >"$0.out" 2>&1 & echo $! >"$0"; dirname "$LD_AUDIT"' \
  "$WORK/pid" >"$WORK/out" 2>/dev/null
folder=$(head -n 1 "$WORK/out")
check "... leaves an empty folder" [ -d "$folder" ]
check "... without files" rmdir "$folder"
kill "$(cat "$WORK/pid")"

# A record that is killed leaves its folder to its program, and then to the next record.
"$P11PROF" record --db "$DB" --module "$NULL_MODULE" -- sh -c 'echo "$$ $LD_AUDIT" >"$0.new" &&
  mv "$0.new" "$0" && exec sleep 60' "$WORK/left" 2>/dev/null &
while ! [ -e "$WORK/left" ]; do sleep 0.1; done
read -r program left <"$WORK/left"
left=$(dirname "$left")
kill -KILL $! && wait $! 2>/dev/null
touch -d '2 minutes ago' "$left"
check "a record after one that was killed" record --module "$NULL_MODULE" -- true
check "… leaves the folder of what goes on" [ -e "$left/audit.so" ]
kill -KILL "$program"
while kill -0 "$program" 2>/dev/null; do sleep 0.1; done
check "the next record" record --module "$NULL_MODULE" -- true
check "… removes it" [ ! -e "$left" ]
"$P11PROF" record --db "$DB" --module "$NULL_MODULE" -- sh -c 'echo "$LD_AUDIT" >"$0.new" &&
  mv "$0.new" "$0" && unset LD_AUDIT && exec sleep 60' "$WORK/held" 2>/dev/null &
while ! [ -e "$WORK/held" ]; do sleep 0.1; done
held=$(dirname "$(cat "$WORK/held")")
touch -d '2 minutes ago' "$held"
check "one beside it" record --module "$NULL_MODULE" -- true
check "… leaves the folder that a record holds" [ -e "$held/audit.so" ]
kill -TERM $! && wait $! 2>/dev/null
check "… until that one ends" [ ! -e "$held" ]

# What bears such a name, but holds a pipe, keeps nobody waiting.
odd=$(dirname "$left")/p11prof.run.test$$
mkdir -m 700 "$odd" && mkfifo "$odd/passed" && touch -d '2 minutes ago' "$odd"
check "a record beside an odd folder" timeout -s KILL 30 "$P11PROF" record --db "$DB" \
  --module "$NULL_MODULE" -- true 2>/dev/null
rm -rf "$odd"

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
