# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by tests of applications that are configured to load the shim themselves: a copy of it
# with a .conf beside it. Environment: P11PROF, SHIM.
# shellcheck shell=sh

. "$(dirname "$0")/../integration/shell_test.sh"
need softhsm2-util pkcs11-tool "$SOFTHSM" "${SHIM:?the path of the shim}"

# make_shim NAME [LINE...]: $WORK/NAME.so, which records into $DB under that name.
make_shim() {
  MODULE=$WORK/$1.so
  cp "$SHIM" "$MODULE"
  printf 'module = %s\ndb = %s\nname = %s\n' "$SOFTHSM" "$DB" "$1" >"$WORK/$1.conf"
  shift
  for line; do
    echo "$line" >>"${MODULE%.so}.conf"
  done
}

# recorded NAME FUNCTION: the calls of it in all runs of that name.
recorded() {
  query "SELECT coalesce(sum(s.count), 0) FROM function_stats AS s JOIN runs USING (run_id)
    WHERE name = '$1' AND function = '$2'"
}

# of_name NAME COLUMNS: of the newest run of that name.
of_name() {
  query "SELECT $2 FROM runs WHERE name = '$1' ORDER BY run_id DESC LIMIT 1"
}

# said: what the tests of secrets search beside the database.
: >"$WORK/notes"
