# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by the tests that start servers, after shell_test.sh.
# shellcheck shell=sh disable=SC2034

need curl /usr/bin/python3
unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY
SERVERS=
trap 'for server in $SERVERS; do kill "$server"; done 2>/dev/null; wait
  rm -rf "$WORK" "$P11PROF_SPOOL"' EXIT

# ready URL: the server answers.
ready() {
  curl --silent --fail --output "$WORK/ready" "$1/-/ready"
}

# serve NAME PROGRAM [OPTION...]: starts a server on a free port of 127.0.0.1; its URL is $URL.
serve() {
  name=$1
  shift
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    URL=http://127.0.0.1:$port
    "$@" "--web.listen-address=127.0.0.1:$port" >"$WORK/$name.log" 2>&1 &
    server=$!
    within 30 ended_or_ready "$server" "$URL"
    if kill -0 "$server" 2>/dev/null; then
      SERVERS="$SERVERS $server"
      return 0
    fi
  done
  cat "$WORK/$name.log"
  return 1
}

# ended_or_ready PID URL: somebody else took the port, or the server answers.
ended_or_ready() {
  ! kill -0 "$1" 2>/dev/null || ready "$2"
}
