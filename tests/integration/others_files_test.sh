#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Files of other users: what root collects from a user's folder changes nothing but that user's
# spools and the database; a setuid program does not listen to its caller's environment. As root.
# Environment: P11PROF, SHIM, DRIVER, APP, NULL_MODULE, CRASHES_MODULE, SANITIZED.

. "$(dirname "$0")/shell_test.sh"
PYTHON=/usr/bin/python3 # of the system: the other user must reach it
need setpriv "$PYTHON"
[ "$(id -u)" -eq 0 ] || {
  echo "skipped: this needs root"
  exit 77
}
USER_ID=65534
chmod 755 "$WORK"
cp "$DRIVER" "$WORK/driver"
cp "$APP" "$WORK/app"
cp "$NULL_MODULE" "$WORK/null.so"
cp "$CRASHES_MODULE" "$WORK/crashes.so"
cp "$SHIM" "$WORK/shim.so"
THEIRS=$WORK/theirs
VICTIM=$WORK/victim
as_user() {
  setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
}
as_user "$WORK/driver" 2>/dev/null
[ $? -eq 99 ] || {
  echo "skipped: another user cannot run programs of $WORK"
  exit 77
}

# user_records CALLS DATABASE: a spool of the user with that many calls, which nobody drains.
user_records() {
  as_user truncate -s 1M "$THEIRS/counts"
  as_user env P11PROF_MODULE="$WORK/null.so" P11PROF_DB="$2" P11PROF_SPOOL="$THEIRS" \
    P11PROF_DRAIN=external "$WORK/driver" "$WORK/shim.so" "$THEIRS/counts" finalize 1 "$1"
}

# collect ARGUMENT...: root's, from the user's folder; what it says goes to $WORK/notes.
collect() {
  "$P11PROF" collect --db "$DB" --spool "$THEIRS" "$@" 2>"$WORK/notes"
}

says() {
  grep -qF -e "$1" "$WORK/notes"
}

there() {
  [ -e "$1" ] || [ -L "$1" ]
}

calls() {
  query "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'"
}

# --- what a user may put beside a spool ---

mkdir -m 700 "$THEIRS" "$VICTIM"
chown $USER_ID:$USER_ID "$THEIRS"
echo 'a secret of root' >"$VICTIM/secret"
cp "$VICTIM/secret" "$VICTIM/x.spool"
chmod 600 "$VICTIM"/*
printf 'not a database' >"$VICTIM/other.db"
victim_state() {
  (cd "$VICTIM" && ls -lnA --time-style=full-iso . && cat ./*)
}
victim_state >"$WORK/before"

user_records 1009 "$VICTIM/other.db"
as_user ln -s "$VICTIM/secret" "$THEIRS/link.spool"
as_user ln -s "$VICTIM/x.spool" "$THEIRS/.new-link"
ln "$VICTIM/x.spool" "$THEIRS/hard.spool" 2>/dev/null
as_user mkfifo "$THEIRS/fifo.spool"
as_user mkdir "$THEIRS/folder.spool"
mknod "$THEIRS/device.spool" c 1 8 2>/dev/null # as a user with such rights would
as_user truncate -s 40G "$THEIRS/huge.spool"
as_user truncate -s 2M "$THEIRS/zero.spool"
# shellcheck disable=SC2016
as_user sh -c 'echo short >"$1"' - "$THEIRS/short.spool"
# shellcheck disable=SC2016
as_user sh -c 'echo short >"$(printf "%s/\033[31mred\n.spool" "$1")"' - "$THEIRS"

timeout 60 "$P11PROF" collect --db "$DB" --spool "$THEIRS" 2>"$WORK/notes"
check "a spool for another database is left to it" says "1 spool waits for $VICTIM/other.db"
timeout 60 "$P11PROF" collect --all --db "$DB" --spool "$THEIRS" 2>"$WORK/notes"
check "what is left makes an exit code of 3" [ $? -eq 3 ]
check "with --all it is taken" [ "$(calls)" = 1009 ]
check "its user is known" [ "$(query "SELECT DISTINCT user FROM processes")" = $USER_ID ]
for file in link hard fifo folder huge zero short; do
  check "$file.spool is named" says "$file.spool"
  check "$file.spool stays" there "$THEIRS/$file.spool"
done
check "each once" [ "$(grep -c 'fifo.spool' "$WORK/notes")" -eq 1 ]
check "a link is not followed" says "link.spool: a symbolic link: left alone"
"$P11PROF" collect --follow --all --db "$DB" --spool "$THEIRS" 2>"$WORK/followed" &
follower=$!
sleep 3
kill $follower
wait $follower
check "... and not every second" [ "$(grep -c 'fifo.spool' "$WORK/followed")" -eq 1 ]
check "no control characters are printed" not grep -q "$(printf '\033')" "$WORK/notes"
rm -f "$THEIRS/hard.spool"
victim_state >"$WORK/after"
check "what it did not belong to stays as it was" cmp "$WORK/before" "$WORK/after"
check "nothing of it is in the database" not grep -qaF 'a secret of root' "$DB"

# --- folders that are not theirs alone ---

chmod 777 "$THEIRS"
collect --all
check "a folder that others may write is refused" says "others may write this folder: left alone"
chmod 700 "$THEIRS"
ln -s "$THEIRS" "$WORK/folder-link"
"$P11PROF" collect --db "$DB" --spool "$WORK/folder-link" 2>"$WORK/notes"
check "a link to a folder is not followed" says "folder-link: "

# --- a race: the folder is exchanged with a link to root's, and files with each other ---

rm -rf "${THEIRS:?}"/*.spool "$THEIRS"/.new-link
mkdir -m 700 "$WORK/outer"
chown $USER_ID:$USER_ID "$WORK/outer"
cat >"$WORK/race.py" <<'END'
import ctypes, os, sys, time
libc, outer, victim = ctypes.CDLL(None), sys.argv[1], sys.argv[2]
def exchange(one, other):
    libc.renameat2(-100, one.encode(), -100, other.encode(), 2)
folder, link = outer + "/folder", outer + "/link"
os.mkdir(folder, 0o700)
os.symlink(victim, link)
good, bad = folder + "/x.spool", folder + "/y.spool"
end, count = time.time() + float(sys.argv[3]), 0
while time.time() < end:
    exchange(folder, link)
    exchange(folder, link)
    for path in (good, bad):
        try:
            os.unlink(path)
        except OSError:
            pass
    try:
        if count % 3 == 0:
            os.symlink(victim + "/x.spool", good)
        elif count % 3 == 1:
            os.mkfifo(good)
        else:
            open(good, "w").write("x" * 70000)
        os.symlink(victim + "/secret", bad)
        exchange(good, bad)
    except OSError:
        pass
    count += 1
END
as_user "$PYTHON" "$WORK/race.py" "$WORK/outer" "$VICTIM" 4 2>/dev/null &
race=$!
rounds=0
while kill -0 $race 2>/dev/null; do
  timeout 20 "$P11PROF" collect --all --db "$DB" --spool "$WORK/outer/folder" 2>>"$WORK/raced"
  [ $? -lt 124 ] || check "round $rounds ends" false
  rounds=$((rounds + 1))
done
wait $race
echo "collected $rounds times"
check "the race was run" [ $rounds -ge 3 ]
victim_state >"$WORK/after"
check "root's files stay as they were in a race" cmp "$WORK/before" "$WORK/after"
check "nothing of them is in the database or said" not grep -qaF 'a secret of root' "$DB" \
  "$WORK/raced"
check "the database is whole" [ "$(query 'PRAGMA integrity_check')" = ok ]

# --- a race: the folder of a database is exchanged with a link to that of another one ---

mkdir -m 700 "$WORK/owned" "$WORK/mine"
cp "$DB" "$WORK/mine/p.db"
mkdir -m 700 "$WORK/owned/folder"
cp "$DB" "$WORK/owned/folder/p.db"
ln -s "$WORK/mine" "$WORK/owned/link"
chown -hR $USER_ID:$USER_ID "$WORK/owned"
sha256sum "$WORK/mine/p.db" >"$WORK/before"
cat >"$WORK/exchange.py" <<'END'
import ctypes, sys, time
libc, outer = ctypes.CDLL(None), sys.argv[1].encode()
end = time.time() + float(sys.argv[2])
while time.time() < end:
    for i in range(100):
        libc.renameat2(-100, outer + b"/folder", -100, outer + b"/link", 2)
END
as_user "$PYTHON" "$WORK/exchange.py" "$WORK/owned" 4 &
race=$!
rounds=0
while kill -0 $race 2>/dev/null; do
  timeout 20 "$P11PROF" runs rename 1 "theirs $rounds" --no-collect --db "$WORK/owned/folder/p.db" \
    2>>"$WORK/raced"
  rounds=$((rounds + 1))
done
wait $race
echo "renamed $rounds times"
sha256sum "$WORK/mine/p.db" >"$WORK/after"
check "the other database stays as it was" cmp "$WORK/before" "$WORK/after"
check "nothing is made beside it" [ "$(ls "$WORK/mine")" = p.db ]

# --- a setuid program ---

# The runtimes of sanitizers do not work in one.
[ -z "${SANITIZED:-}" ] || finish

printf 'module = %s\ndb = %s\nspool = %s\n' "$WORK/null.so" "$WORK/setuid.db" "$WORK/spools" \
  >"$WORK/shim.conf"
mkdir -m 700 "$WORK/spools"
chmod 644 "$WORK/shim.conf"
evil() {
  env P11PROF_MODULE="$WORK/crashes.so" P11PROF_DB="$THEIRS/evil.db" P11PROF_SPOOL="$THEIRS" \
    P11PROF_RECORD=off P11PROF_NAME=evil P11PROF_DRAIN=external P11PROF_DEBUG=1 "$@"
}
evil "$WORK/app" "$WORK/shim.so" >/dev/null 2>&1
check "the environment counts for an ordinary program" [ $? -ge 128 ]
install -o root -m 4755 "$WORK/app" "$WORK/setuid-app"
if [ "$(findmnt -no OPTIONS -T "$WORK" 2>/dev/null | grep -c nosuid)" -eq 0 ]; then
  evil setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$WORK/setuid-app" \
    "$WORK/shim.so" >"$WORK/out" 2>&1
  check "a setuid program loads the module of the .conf" [ $? -eq 0 ]
  check "... and says nothing" [ ! -s "$WORK/out" ]
  check "... and records into the database of the .conf" [ "$(sqlite3 "$WORK/setuid.db" \
    'SELECT call_count, name IS NULL FROM runs')" = '10|1' ]
  check "... which is root's alone" [ "$(stat -c %u:%a "$WORK/setuid.db")" = 0:600 ]
  check "... and nothing where the environment says" not [ -e "$THEIRS/evil.db" ]
fi
chown $USER_ID "$WORK/shim.conf"
evil setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$WORK/setuid-app" \
  "$WORK/shim.so" >/dev/null 2>&1
check "a .conf of the caller's is not believed by it" [ $? -eq 1 ]
rm -f "$WORK/setuid-app"

finish
