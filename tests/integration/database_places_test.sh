#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Where a database may be, and what may lie beside it: what others could have put there is refused,
# with a reason, by every command; an application goes on, and its calls stay in the spool. As root.
# Environment: P11PROF, SHIM, DRIVER, NULL_MODULE.

. "$(dirname "$0")/shell_test.sh"
need setpriv
[ "$(id -u)" -eq 0 ] || {
  echo "skipped: this needs root"
  exit 77
}
USER_ID=65534
chmod 755 "$WORK"
cp "$DRIVER" "$WORK/driver"
cp "$NULL_MODULE" "$WORK/null.so"
cp "$SHIM" "$WORK/shim.so"
cp "$P11PROF" "$WORK/p11prof"
SPOOLS=$(mktemp -d /dev/shm/test.p11prof.XXXXXX)
COUNTS=$SPOOLS/counts
trap 'rm -rf "$WORK" "$P11PROF_SPOOL" "$SPOOLS"' EXIT
as_user() {
  setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups "$@"
}
as_user "$WORK/driver" 2>/dev/null
[ $? -eq 99 ] || {
  echo "skipped: another user cannot run programs of $WORK"
  exit 77
}

# application DRAIN DATABASE: 1009 calls; what the shim says goes to $WORK/said.
application() {
  rm -rf "${SPOOLS:?}"/*
  truncate -s 1M "$COUNTS"
  chmod 666 "$COUNTS"
  $AS env P11PROF_MODULE="$WORK/null.so" P11PROF_DB="$2" P11PROF_SPOOL="$SPOOLS" \
    P11PROF_DRAIN="$1" P11PROF_DEBUG=1 "$WORK/driver" "$WORK/shim.so" "$COUNTS" finalize 1 1009 \
    >"$WORK/out" 2>"$WORK/said"
}

# state FOLDER: all that lies in it, and what of it.
state() {
  (cd "$1" && find . -printf '%p %y %U %G %m %n %s %T@ %l\n' | sort)
  find "$1" -type f -exec sha256sum {} + | sort
}

# refuses REASON COMMAND...: says why not, and neither hangs nor crashes.
refuses() {
  reason=$1
  shift
  $AS timeout 20 "$@" >"$WORK/out" 2>"$WORK/notes"
  code=$?
  [ $code -ge 1 ] && [ $code -le 3 ] && cat "$WORK/notes" "$WORK/out" | grep -qF -e "$reason"
}

# refused CLAIM DATABASE REASON [COMMAND...]: by the shim and by commands; what is there stays.
refused() {
  claim_of=$1 database_of=$2 reason_of=$3
  shift 3
  [ $# -gt 0 ] || set -- runs collect
  state "$(dirname "$database_of")" >"$WORK/before"
  for drain in thread exit; do
    application $drain "$database_of"
    check "$claim_of, $drain: the application goes on" [ $? -eq 0 ]
    check "... and is told why" grep -qF -e "$reason_of" "$WORK/said"
    check "... and its calls wait" [ "$(find "$SPOOLS" -name '*.spool' | wc -l)" -eq 1 ]
  done
  for command; do
    # shellcheck disable=SC2086
    check "$claim_of: $command" refuses "$reason_of" "$WORK/p11prof" $command --db "$database_of"
  done
  state "$(dirname "$database_of")" >"$WORK/after"
  check "$claim_of: all stays as it was" cmp "$WORK/before" "$WORK/after"
}

# written DRAIN DATABASE: the application's shim takes it, and so does a command. On a busy machine
# the 250 ms at the end may be too few for the shim; the command writes the calls then.
# shellcheck disable=SC2317
written() {
  application "$1" "$2" && not grep -F -e "$2" "$WORK/said" && [ "$($AS env P11PROF_SPOOL="$SPOOLS" \
    "$WORK/p11prof" sql --db "$2" --format csv \
    "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'" | tail -n 1 | tr -d '\r')" = 1009 ]
}

# taken CLAIM DATABASE: by the shim and by commands.
taken() {
  for drain in thread exit; do
    rm -f "$2" "$2"-*
    check "$1, $drain: the application goes on, its calls are in the database" written $drain "$2"
    check "... which is its user's alone" [ "$(stat -c %a "$2")" = 600 ]
  done
}

# --- what lies beside a database, or is its name ---

for AS in '' as_user; do
  [ "$AS" ] && owner=$USER_ID other=1 who="a user" || owner=0 other=$USER_ID who=root
  chown "$owner:$owner" "$SPOOLS"
  HOME_FOLDER=$WORK/home-$owner
  mkdir -m 755 "$HOME_FOLDER"
  chown "$owner:$owner" "$HOME_FOLDER"
  echo 'a secret' >"$HOME_FOLDER/victim"
  chown "$owner:$owner" "$HOME_FOLDER/victim"
  database=$HOME_FOLDER/d/p.db
  taken "$who, a folder of its own" "$database"
  rm -f "$database"-*
  for side in wal shm journal writer; do
    ln -s ../victim "$database-$side"
    refused "$who, a link as -$side" "$database" "p.db-$side: this is a symbolic link"
    rm "$database-$side"
    ln "$HOME_FOLDER/victim" "$database-$side"
    refused "$who, a hard link as -$side" "$database" "p.db-$side: this has a second name"
    rm "$database-$side"
  done
  mkfifo "$database-wal"
  refused "$who, a FIFO as -wal" "$database" "p.db-wal: this is not a regular file"
  rm "$database-wal"
  touch "$database-writer"
  chown "$other" "$database-writer"
  refused "$who, another's file as -writer" "$database" "p.db-writer: this belongs to another user" \
    runs report "report last" calls errors timeline "histogram C_Sign" "compare 1 2" \
    "sql SELECT" "export last" "prune --calls-older-than 1h" "runs delete 1 --yes" collect doctor
  [ "$AS" ] || check "... and by record" refuses "p.db-writer" "$P11PROF" record --db "$database" \
    --module "$WORK/null.so" -- true
  rm "$database-writer"
  ln "$database" "$HOME_FOLDER/second"
  refused "$who, a hard link" "$database" "p.db: this has a second name"
  rm "$HOME_FOLDER/second"
  ln "$database" "$database.new-0123456789abcdef"
  check "$who, a name that was left when it was made: no harm" \
    $AS "$WORK/p11prof" sql --db "$database" "SELECT 1"
  check "... and removed" not [ -e "$database.new-0123456789abcdef" ]
  old=0123456789abcdef0
  for name in "${old%0}" "$old" "${old%ef0}" 0123456789abcdeF; do
    echo 'a database' >"$database.new-$name"
    chown "$owner:$owner" "$database.new-$name"
    touch -d '2 minutes ago' "$database.new-$name"
  done
  $AS touch "$database.new-fedcba9876543210"
  check "$who, what never became a database" $AS "$WORK/p11prof" collect --db "$database"
  check "... is removed" not [ -e "$database.new-${old%0}" ]
  check "... and nothing else" [ "$(ls "$database".new-* | wc -l)" = 4 ]
  rm "$database".new-*
done

# --- root and the database of a user ---

AS=
chown 0 "$SPOOLS"
check "root reads a user's database in that user's folder" "$P11PROF" runs --db "$database"
check "... and leaves it the user's" [ -z "$(find "$HOME_FOLDER/d" ! -user $USER_ID)" ]
application exit "$HOME_FOLDER/root.db"
check "root's own database may be there" [ -s "$HOME_FOLDER/root.db" ]

# --- folders ---

AS=as_user
chown $USER_ID "$SPOOLS"
as_user mkdir -m 777 "$HOME_FOLDER/open" "$HOME_FOLDER/open/below"
chmod 755 "$HOME_FOLDER/open/below"
chmod 777 "$HOME_FOLDER/open"
refused "a folder that all may write" "$HOME_FOLDER/open/p.db" \
  "'open' on its path can be written by others (chmod go-w)"
refused "... above" "$HOME_FOLDER/open/below/p.db" "'open' on its path can be written by others"
chmod 775 "$HOME_FOLDER/open"
chgrp 1 "$HOME_FOLDER/open"
refused "a folder of a group's" "$HOME_FOLDER/open/p.db" "'open' on its path can be written by"
chgrp $USER_ID "$HOME_FOLDER/open"
taken "a folder of the user's own group" "$HOME_FOLDER/open/p.db"
rm -f "$HOME_FOLDER/open/p.db"*
chmod 1777 "$HOME_FOLDER/open"
taken "a folder like /tmp" "$HOME_FOLDER/open/p.db"
chown 1 "$HOME_FOLDER/open/p.db"
refused "another's file in it" "$HOME_FOLDER/open/p.db" "p.db: this belongs to another user"
AS=
chown 0 "$SPOOLS"
refused "... for root" "$HOME_FOLDER/open/p.db" "p.db: this belongs to another user"
AS=as_user
chown $USER_ID "$SPOOLS"
rm -f "$HOME_FOLDER/open/p.db"*
chown 1 "$HOME_FOLDER/open"
chmod 755 "$HOME_FOLDER/open"
refused "another user's folder" "$HOME_FOLDER/open/below/p.db" \
  "'open' on its path belongs to another user"

# --- links ---

as_user mkdir "$HOME_FOLDER/real"
as_user ln -s real "$HOME_FOLDER/link"
taken "a link of the user's to a folder" "$HOME_FOLDER/link/p.db"
ln -s "$HOME_FOLDER" "$WORK/link"
taken "a link of root's" "$WORK/link/new/folder/p.db"
mkdir -m 1777 "$WORK/shared"
ln -s "$HOME_FOLDER/real" "$WORK/shared/link"
chown -h 1 "$WORK/shared/link"
refused "another's link in a folder like /tmp" "$WORK/shared/link/p.db" \
  "'link' on its path is a link in a folder where others may make files"
AS=
chown 0 "$SPOOLS"
mkdir -m 755 "$WORK/srv"
ln -s srv "$WORK/lib"
taken "root, as /var/lib/p11prof -> /srv/p11prof" "$WORK/lib/p.db"

finish
