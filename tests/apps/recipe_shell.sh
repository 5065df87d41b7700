# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by tests of docs/recipes: runs a recipe as it stands there, in folders of its own.
# Environment: P11PROF, SHIM, ROOT (the sources).
# shellcheck shell=sh
#
# Of a recipe, blocks of ```sh are run one after the other, each by a shell of its own. A comment
# before a block says what else it is:
#   <!-- file: PATH -->   a file of that content
#   <!-- stays -->        a program that goes on while the next blocks run, until they end it
# /etc, /var, /run, /srv and /usr/local are below $WORK; the rest is the machine's. `systemctl` is
# recipe_systemctl.sh, which starts what `unit` has said.

. "$(dirname "$0")/../integration/shell_test.sh"
PIN=recipe-pin
DB=$WORK/var/lib/p11prof/p11prof.db
need softhsm2-util pkcs11-tool "$SOFTHSM" "${SHIM:?the path of the shim}" "${ROOT:?the sources}"
[ "$(id -u)" -eq 0 ] || {
  echo "skipped: the recipes are root's"
  exit 77
}
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || gcc -print-multiarch)

# Spools where the documents have them: each user's own in /dev/shm, told apart by their database.
rmdir "$P11PROF_SPOOL"
unset P11PROF_SPOOL
export P11PROF_DB="$DB" HOME="$WORK/root" UNITS="$WORK/units" VERIFY="$WORK/verify"
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
# agents: those that a recipe has started and not ended, known by their environment.
agents() {
  sed -n 's/^Agent pid \([0-9]*\)$/\1/p' "$WORK"/steps/*.out | while read -r process; do
    ! grep -qF "$WORK/" "/proc/$process/environ" || echo "$process"
  done 2>/dev/null
}

STAYING=
stop_recipe() {
  for process in ${STAYING:+"-$STAYING"} $(cat "$UNITS"/*.pid "$WORK"/run/*.pid "$WORK"/run/*/*.pid) \
    $(agents); do
    kill -- "$process"
  done 2>/dev/null
  "$P11PROF" collect --db "$DB" >/dev/null 2>&1
  rm -rf "$WORK"
}
trap stop_recipe EXIT
mkdir -p "$WORK/bin" "$WORK/run" "$WORK/usr/local/lib/pkcs11" "$UNITS" "$VERIFY" "$HOME" "$WORK/steps"
mkdir -p "$WORK/etc/softhsm" "$WORK/var/lib/softhsm/tokens"
chmod 755 "$WORK"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
  "$WORK/var/lib/softhsm/tokens" >"$WORK/etc/softhsm/softhsm2.conf"
export SOFTHSM2_CONF="$WORK/etc/softhsm/softhsm2.conf"
cp "$SHIM" "$WORK/usr/local/lib/pkcs11/p11prof-shim.so"
ln -s "$P11PROF" "$WORK/bin/p11prof"
ln -s "$(cd "$(dirname "$0")" && pwd)/recipe_systemctl.sh" "$WORK/bin/systemctl"
PATH=$WORK/bin:$PATH:/usr/sbin
: >"$WORK/notes"
cat >"$WORK/map" <<END
s#sudo -u \([a-z-]*\) #setpriv --reuid=\1 --regid=\1 --clear-groups #g
s#sudo ##g
s#/usr/lib/x86_64-linux-gnu/#/usr/lib/$triplet/#g
s#\(^\|[] ='":,;(]\)\(/etc\|/var\|/run\|/srv\|/usr/local\)/#\1$WORK\2/#g
END

# map FROM TO: what stands in the recipe, and what is meant here: a port, a user.
map() {
  echo "s#$1#$2#g" >>"$WORK/map"
}

# unit NAME PORT COMMAND: what `systemctl start NAME` starts, until it listens.
unit() {
  printf '%s\n' "$2" >"$UNITS/$1.port"
  printf '%s\n' "$WORK" >"$UNITS/root"
  printf '%s\n' "$3" >"$UNITS/$1"
}

# copied FOLDER FILE...: Debian's own files of that folder in ours.
copied() {
  mkdir -p "$WORK$1"
  folder=$1
  shift
  for file; do
    cp -r "$folder/$file" "$WORK$folder/"
  done
}

# engine: OpenSSL's engine of libp11 is there.
need_engine() {
  openssl engine pkcs11 >/dev/null 2>&1 || {
    echo "skipped: the engine pkcs11 is missing"
    exit 77
  }
}

# steps FILE: its blocks, as files NUMBER-KIND.
steps() {
  awk -v to="$WORK/steps/" -v left="$LEFT_OUT" '
    /^## / { skipped = left && index($0, left) == 1 }
    skipped { next }
    /^<!-- file: .* -->$/ { path = $3 }
    /^<!-- stays -->$/ { stays = 1 }
    /^ *```/ && inside { inside = 0; if (out) close(out); out = path = ""; stays = 0; next }
    /^ *```/ {
      inside = 1
      kind = path ? "file" : !/```sh$/ ? "" : stays ? "stays" : "run"
      if (kind) out = sprintf("%s%02d-%s", to, ++n, kind)
      if (path) print path >out
      next
    }
    inside && out { print >out }' "$1"
}

# written STEP: the file that it is.
written() {
  sed -f "$WORK/map" "$1" >"$WORK/mapped"
  path=$(head -n 1 "$WORK/mapped")
  case $path in
  /*) ;;
  *) path=$WORK/run/$path ;;
  esac
  case $path in
  "$WORK"/*) mkdir -p "$(dirname "$path")" && tail -n +2 "$WORK/mapped" >"$path" ;;
  *) false ;;
  esac
}

# run_step STEP: as its reader would; what it prints is of interest if it fails, or to the test.
run_step() {
  sed -f "$WORK/map" "$1" >"$1.sh"
  # shellcheck disable=SC2086 # a command, or nothing
  (cd "$WORK/run" && timeout 120 $AS sh -eu "$1.sh") >"$1.out" 2>&1 </dev/null || {
    cat "$1.sh" "$1.out"
    return 1
  }
}

# ready: what stays has started; tests say it anew.
ready() {
  sleep 1
}

# ended PID...
ended() {
  for process; do
    ! kill -0 "$process" 2>/dev/null || return 1
  done
}

# stayed: what went on has ended by itself, and well.
stayed() {
  [ -n "$STAYING" ] || return 0
  within 20 ended "$STAYING" || {
    cat "$staying.out"
    return 1
  }
  wait "$STAYING"
  code=$?
  STAYING=
  [ $code -eq 0 ] || {
    cat "$staying.out"
    return 1
  }
}

# listens PORT: somebody does, on 127.0.0.1.
listens() {
  /usr/bin/python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' "$1" 2>/dev/null
}

# listens_quietly PORT: the same, of one that counts its connections.
listens_quietly() {
  grep -qi "$(printf ' 0100007F:%04X 00000000:0000 0A ' "$1")" /proc/net/tcp
}

# leave_out HEADING: from there to the next of the same level, what is not installed here.
leave_out() {
  LEFT_OUT=$1
}
LEFT_OUT=

# as_user NAME: the recipe is that user's, all that is ours too.
as_user() {
  AS="setpriv --reuid=$1 --regid=$(id -g "$1") --clear-groups"
  chown -R "$1" "$WORK"
  $AS test -x "$P11PROF" || {
    echo "skipped: $P11PROF is not for others"
    exit 77
  }
}
AS=

# recipe NAME: all of docs/recipes/NAME.md.
recipe() {
  steps "$ROOT/docs/recipes/README.md"
  for step in "$WORK"/steps/*; do
    mv "$step" "$WORK/steps/00-$(basename "$step")"
  done
  steps "$ROOT/docs/recipes/$1.md"
  find "$WORK/steps" -name '*-*' | sort >"$WORK/order"
  while read -r step; do
    what="$1: $(basename "$step"): $(head -n 1 "$step")"
    case $step in
    *-file) check "$what" written "$step" ;;
    *-run) check "$what" run_step "$step" ;;
    *-stays)
      check "$1: what stays has ended" stayed
      sed -f "$WORK/map" "$step" >"$step.sh"
      staying=$step
      # shellcheck disable=SC2086
      (cd "$WORK/run" && exec setsid $AS sh -eu "$step.sh") >"$step.out" 2>&1 </dev/null &
      STAYING=$!
      check "$what" within 30 ready
      ;;
    esac
  done <"$WORK/order"
  check "$1: what stays has ended" stayed
}

# of_run NAME SQL: an expression over function_stats of all runs of that name.
of_run() {
  query "SELECT $2 FROM function_stats AS s JOIN runs USING (run_id) WHERE name = '$1'"
}

# calls_of NAME FUNCTION: how many.
calls_of() {
  of_run "$1" "coalesce(sum(count) FILTER (WHERE function = '$2'), 0)"
}

# operations_of NAME OPERATION: how many came to an end.
operations_of() {
  query "SELECT coalesce(sum(o.count - o.error_count), 0) FROM operation_stats AS o
    JOIN runs USING (run_id) WHERE name = '$1' AND operation = '$2'"
}

# called_by NAME FUNCTION: the files that made these calls.
called_by() {
  query "SELECT group_concat(DISTINCT caller) FROM calls JOIN runs USING (run_id)
    WHERE name = '$1' AND function = '$2'"
}

# advised TEXT: a block printed it; lines are joined.
advised() {
  cat "$WORK"/steps/*.out | tr -s ' \n' '  ' | grep -qF "$1"
}

# end_recipe: nothing is lost or told of a secret.
end_recipe() {
  check "no call is lost" [ "$(query "SELECT coalesce(sum(lost_count), 0) FROM runs")" = 0 ]
  check "no spool is left" [ "$("$P11PROF" collect --db "$DB" 2>&1 | grep -c "$WORK")" = 0 ]
  check "no secret is recorded" keeps_secrets "$PIN"
  [ -z "${RECIPE_SHOW:-}" ] || cat "$WORK"/steps/*.out
  [ "$FAILED" -eq 0 ] || query "SELECT run_id, name, program, state, call_count, process_count FROM runs"
  finish
}
