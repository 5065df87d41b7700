# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by shell tests: a private folder, token and database, and checks that count.
# shellcheck shell=sh disable=SC2034

# The command under test; CMake gives it.
P11PROF=${P11PROF:?the path of p11prof}
SOFTHSM=${SOFTHSM:-/usr/lib/softhsm/libsofthsm2.so}

WORK=$(mktemp -d "${TMPDIR:-/tmp}/p11prof-test.XXXXXX") || exit 1
DB=$WORK/test.db
PIN=Qz7-never-recorded
FAILED=0
# Spools of this test alone: other p11prof programs of this user go on beside it.
P11PROF_SPOOL=$(mktemp -d /dev/shm/test.p11prof.XXXXXX) || exit 1
export P11PROF_SPOOL
trap 'rm -rf "$WORK" ${P11PROF_SPOOL:+"$P11PROF_SPOOL"}' EXIT
unset P11PROF_MODULE P11PROF_DB P11PROF_NAME P11PROF_RECORD P11PROF_DRAIN P11PROF_SPOOL_LIMIT \
  P11PROF_CLOCK P11PROF_DEBUG P11PROF_RUN LD_AUDIT

# need PROGRAM|FILE...: skips the test where one is missing.
need() {
  for needed; do
    if ! command -v "$needed" >/dev/null && ! [ -e "$needed" ]; then
      echo "skipped: $needed is missing"
      exit 77
    fi
  done
}

# check CLAIM COMMAND...: the command must succeed.
check() {
  claim=$1
  shift
  if "$@"; then
    echo "ok: $claim"
  else
    echo "FAILED: $claim: $*"
    FAILED=$((FAILED + 1))
  fi
}

# not COMMAND...: succeeds where it fails.
not() {
  ! "$@"
}

# within SECONDS COMMAND...: the command succeeds before they are over.
within() {
  tries=$(($1 * 10))
  shift
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

# in_3 COMMAND...: it succeeds once in three tries: for what a busy machine may spoil.
in_3() {
  "$@" || "$@" || "$@"
}

# check_schema CLAIM FILE...: they keep to the schema of exports, or to docs/$SCHEMA; where
# python3-jsonschema is missing, nobody asks. Needs ROOT.
check_schema() {
  claim=$1
  shift
  if /usr/bin/python3 -c 'import jsonschema' 2>/dev/null; then
    check "$claim" /usr/bin/python3 "$ROOT/tests/integration/schema_check.py" \
      "$ROOT/docs/${SCHEMA:-export-schema.json}" "$@"
  fi
}

# query SQL: the rows as CSV without heading.
query() {
  "$P11PROF" sql --db "$DB" --format csv "$1" | tail -n +2 | tr -d '\r'
}

# record [OPTION...] -- CMD...: stderr goes to $WORK/notes.
record() {
  "$P11PROF" record --db "$DB" "$@" 2>"$WORK/notes"
}

# counts FUNCTION: calls of it in the newest run.
counts() {
  query "SELECT coalesce(sum(count), 0) FROM function_stats
    WHERE function = '$1' AND run_id = (SELECT max(run_id) FROM runs)"
}

# newest COLUMN: of the newest run.
newest() {
  query "SELECT $1 FROM runs ORDER BY run_id DESC LIMIT 1"
}

# called_from FUNCTION FILE: all its calls of the newest run come from places in that file.
called_from() {
  [ "$(query "SELECT DISTINCT caller || ' ' || (caller_site GLOB caller || '[:+]*') FROM calls
    WHERE function = '$1' AND run_id = (SELECT max(run_id) FROM runs)")" = "$2 1" ]
}

# folds: the stacks of the newest run come to its time in the module.
folds() {
  [ "$("$P11PROF" export --db "$DB" --format folded | awk '{ ns += $NF } END { printf "%.0f", ns }')" = \
    "$(query "SELECT sum(in_module_ns) FROM threads
      WHERE run_id = (SELECT max(run_id) FROM runs)")" ]
}

# keeps_secrets WORD...: none of them is in the database, its side files or what was said.
keeps_secrets() {
  for secret; do
    if grep -aqF -e "$secret" "$WORK/notes" "$DB"*; then
      echo "found: $secret"
      return 1
    fi
  done
}

# free_port: of 127.0.0.1, below those that the kernel gives to clients; the next one is free too.
free_port() {
  /usr/bin/python3 -c 'import random, socket
while True:
    port = random.randrange(10000, 32000)
    try:
        for each in port, port + 1:
            socket.socket().bind(("127.0.0.1", each))
        break
    except OSError:
        pass
print(port)'
}

# make_token_named LABEL: a SoftHSM of our own with that token and the PIN $PIN.
make_token_named() {
  mkdir "$WORK/tokens"
  printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' \
    "$WORK/tokens" >"$WORK/softhsm2.conf"
  export SOFTHSM2_CONF="$WORK/softhsm2.conf"
  softhsm2-util --init-token --free --label "$1" --so-pin 12345678 --pin "$PIN" >/dev/null
}

# make_token: the same with the token "test".
make_token() {
  make_token_named test
}

# make_key ID LABEL TYPE: a key pair on the token.
make_key() {
  pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --keypairgen --id "$1" --label "$2" \
    --key-type "$3" >/dev/null 2>&1
}

# openssl_config MODULE INIT: an openssl.cnf whose engine uses it with our PIN; INIT 1: from its start.
openssl_config() {
  cat <<END
openssl_conf = init
[init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = $1
PIN = $PIN
init = $2
[req]
distinguished_name = name
[name]
END
}

# The end of every test.
finish() {
  [ "$FAILED" -eq 0 ]
  exit
}
