#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# systemctl daemon-reload|start|stop|restart [NAME] for tests of recipes: starts $UNITS/NAME with the
# Environment= of its drop-ins and no other, and has systemd-analyze look at them, where it is
# installed. Environment: UNITS, VERIFY (a folder for systemd-analyze), SOFTHSM2_CONF.
set -eu
root=$(cat "$UNITS/root")
name=${2:-}
name=${name%.service}

# verify NAME FOLDER: systemd has nothing to say about the drop-ins.
verify() {
  command -v systemd-analyze >/dev/null || return 0
  printf '[Service]\nExecStart=/bin/true\n' >"$VERIFY/$1.service"
  cp -r "$2" "$VERIFY/"
  said=$(systemd-analyze verify "$VERIFY/$1.service" 2>&1 | grep -F "$VERIFY" || true)
  [ -z "$said" ] || {
    echo "$said"
    exit 1
  }
}

# listens PORT
listens() {
  /usr/bin/python3 -c 'import socket, sys
socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)' "$1" 2>/dev/null
}

start() {
  set --
  for file in "$root/etc/systemd/system/$name.service.d"/*.conf; do
    [ ! -e "$file" ] || while read -r line; do
      set -- "$@" "$line"
    done <<END
$(sed -n 's/^Environment=//p' "$file")
END
  done
  env -i "PATH=$PATH" "SOFTHSM2_CONF=$SOFTHSM2_CONF" HOME="$root/root" "$@" \
    sh -c "exec $(cat "$UNITS/$name")" >"$UNITS/$name.log" 2>&1 </dev/null &
  echo $! >"$UNITS/$name.pid"
  tries=0
  until listens "$(cat "$UNITS/$name.port")"; do
    tries=$((tries + 1))
    if [ $tries -gt 150 ] || ! kill -0 "$(cat "$UNITS/$name.pid")" 2>/dev/null; then
      cat "$UNITS/$name.log"
      exit 1
    fi
    sleep 0.2
  done
}

stop() {
  [ -e "$UNITS/$name.pid" ] || return 0
  process=$(cat "$UNITS/$name.pid")
  kill "$process" 2>/dev/null || true
  tries=0
  while kill -0 "$process" 2>/dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || exit 1
    sleep 0.1
  done
  rm "$UNITS/$name.pid"
}

case $1 in
daemon-reload)
  for folder in "$root/etc/systemd/system"/*.service.d; do
    file=$(basename "$folder")
    verify "${file%.service.d}" "$folder"
  done
  ;;
start) start ;;
stop) stop ;;
restart)
  stop
  start
  ;;
*) exit 2 ;;
esac
