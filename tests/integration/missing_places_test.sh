#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Hosts without /dev/shm, or with one that this user may not write, without /proc, without /sys: the
# application goes on as ever; what can be recorded is, and what cannot be is said, with what to do.
# As root, in mount namespaces. Environment: P11PROF, SHIM, DRIVER, NULL_MODULE,
# SANITIZED.

. "$(dirname "$0")/shell_test.sh"
need setpriv unshare
unshare -m true 2>/dev/null || {
  echo "skipped: no mount namespace here"
  exit 77
}
USER_ID=65534
unset P11PROF_SPOOL
chmod 755 "$WORK"
cp "$DRIVER" "$WORK/driver"
cp "$NULL_MODULE" "$WORK/null.so"
cp "$SHIM" "$WORK/shim.so"
export WORK P11PROF_MODULE="$WORK/null.so"

# What a namespace begins with.
cat >"$WORK/no-shm" <<'END'
mkdir "$WORK/dev"
mount -t tmpfs -o mode=755 none "$WORK/dev"
for file in null zero full random urandom tty; do
  touch "$WORK/dev/$file"
  mount --bind "/dev/$file" "$WORK/dev/$file"
done
mount --rbind "$WORK/dev" /dev
END
echo 'mount -t tmpfs -o ro,mode=1777 none /dev/shm' >"$WORK/read-only-shm"
echo 'mount -t tmpfs -o mode=755 none /dev/shm' >"$WORK/closed-shm"
echo 'mount -t tmpfs -o ro none /proc' >"$WORK/no-proc"
echo 'mount -t tmpfs -o ro none /sys' >"$WORK/no-sys"
echo 'mount -t tmpfs -o ro none /sys && mount -t tmpfs -o ro none /proc' >"$WORK/no-proc-no-sys"

# where HOST COMMAND...: as root, or $AS, on such a host.
where() {
  host=$1
  shift
  # shellcheck disable=SC2016,SC2086
  unshare -m --propagation private sh -c '. "$0" && exec "$@"' "$WORK/$host" $AS "$@"
}

# application HOST DRAIN [VARIABLE=VALUE...]: 20011 calls; what the shim says goes to $WORK/said.
application() {
  DB=$HOME_FOLDER/p.db
  rm -f "$DB"* "$HOME_FOLDER/counts"
  $AS truncate -s 1M "$HOME_FOLDER/counts"
  application_host=$1
  drain=$2
  shift 2
  where "$application_host" env P11PROF_DB="$DB" P11PROF_DRAIN="$drain" \
    P11PROF_DEBUG=1 "$@" "$WORK/driver" "$WORK/shim.so" "$HOME_FOLDER/counts" finalize 1 20011 \
    >"$WORK/out" 2>"$WORK/said"
}

# rows: calls that the database has, with what waits in spools.
rows() {
  [ "$1" = "" ] || "$P11PROF" collect --db "$DB" --spool "$1" 2>/dev/null
  query "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'"
}

KEPT_OR_LOST="SELECT (SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom') + \
  (SELECT coalesce(sum(count), 0) FROM losses WHERE function = 'C_GenerateRandom')"

# unrecorded HOST WHY: it says so once, and makes nothing.
unrecorded() {
  for drain in thread exit; do
    application "$1" $drain
    check "$1, $drain: the application goes on" [ $? -eq 0 ]
    check "... printing nothing" [ ! -s "$WORK/out" ]
    check "... and the shim says why, once" [ "$(grep -c "not recording: .*$2" "$WORK/said")" -eq 1 ]
    check "... and what to do" grep -q 'set P11PROF_SPOOL to another one' "$WORK/said"
    check "... and makes no database" not [ -e "$DB" ]
  done
  [ -d "$HOME_FOLDER/spools" ] || mkdir -m 700 "$HOME_FOLDER/spools"
  chown "$OWNER" "$HOME_FOLDER/spools"
  for drain in thread exit external; do
    application "$1" $drain P11PROF_SPOOL="$HOME_FOLDER/spools"
    check "$1, $drain, P11PROF_SPOOL on a disk: recorded" \
      [ "$(rows "$HOME_FOLDER/spools")" = 20011 ]
  done
}

# advised HOST WHY: by commands, before anything is run.
advised() {
  where "$1" "$P11PROF" doctor --db "$DB" >"$WORK/out" 2>"$WORK/notes"
  check "$1: doctor has a problem" [ $? -eq 1 ]
  check "... namely this" grep -q "problem *folder *$2" "$WORK/out"
  check "... and says what to do" grep -q -e '-> name a folder of yours.*P11PROF_SPOOL' "$WORK/out"
  where "$1" "$P11PROF" record --db "$DB" --module "$P11PROF_MODULE" -- \
    touch "$HOME_FOLDER/ran" 2>"$WORK/notes"
  check "$1: record does not begin" [ $? -eq 3 ]
  check "... and says why" grep -q "no place for spools: $2" "$WORK/notes"
  check "... and starts nothing" not [ -e "$HOME_FOLDER/ran" ]
}

# --- root ---

AS=
OWNER=0
HOME_FOLDER=$WORK/root
mkdir -m 700 "$HOME_FOLDER"
unrecorded no-shm '/dev/shm.*No such file or directory'
advised no-shm '/dev/shm: No such file or directory'
unrecorded read-only-shm '/dev/shm.*Read-only file system'
advised read-only-shm '/dev/shm: Read-only file system'
P11PROF_SPOOL=$HOME_FOLDER/spools where no-shm "$P11PROF" record --db "$HOME_FOLDER/recorded.db" \
  --module "$P11PROF_MODULE" -- "$WORK/driver" "$P11PROF_MODULE" "$HOME_FOLDER/counts" finalize \
  1 20011 2>"$WORK/notes"
check "no-shm: record with P11PROF_SPOOL records" grep -q '^p11prof: run 1: 2....* calls in 1 process' \
  "$WORK/notes"
hosts="no-sys no-proc no-proc-no-sys"
[ -z "${SANITIZED:-}" ] || hosts=no-sys # their runtimes need /proc
for host in $hosts; do
  for drain in thread exit external; do
    application "$host" "$drain" P11PROF_SPOOL="$HOME_FOLDER/spools"
    check "$host, $drain: the application goes on" [ $? -eq 0 ]
    check "... recorded" [ "$(rows "$HOME_FOLDER/spools")" = 20011 ]
    check "... nothing lost" [ "$(query 'SELECT sum(lost_count) FROM runs')" = 0 ]
    application "$host" "$drain" P11PROF_SPOOL="$HOME_FOLDER/spools" P11PROF_SPOOL_LIMIT=1MB
    check "... in a small spool" [ $? -eq 0 ]
    rows "$HOME_FOLDER/spools" >/dev/null
    check "... recorded, or counted as lost" [ "$(query "$KEPT_OR_LOST")" = 20011 ]
    [ "$drain" != exit ] || check "... by drains of the caller" [ "$(rows '')" = 20011 ]
  done
  P11PROF_SPOOL=$HOME_FOLDER/spools where "$host" "$P11PROF" doctor --db "$DB" \
    >"$WORK/out"
  check "$host: doctor finds nothing that would stop recording" [ $? -eq 0 ]
  where "$host" "$P11PROF" report --db "$DB" >"$WORK/out"
  check "$host: report reports" grep -q C_GenerateRandom "$WORK/out"
done

# --- a user ---

AS="setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups"
$AS "$WORK/driver" 2>/dev/null
[ $? -eq 99 ] || {
  echo "skipped in part: another user cannot run programs of $WORK"
  finish
}
OWNER=$USER_ID
HOME_FOLDER=$WORK/user
mkdir -m 700 "$HOME_FOLDER"
chown $USER_ID "$HOME_FOLDER"
unrecorded closed-shm '/dev/shm.*Permission denied'

finish
