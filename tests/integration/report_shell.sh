# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sourced by the tests of `p11prof report`, after shell_test.sh: what it prints, and what SQL says.
# shellcheck shell=sh disable=SC2034,SC2154

need sqlite3 python3
export ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0"

# p11 COMMAND...: stdout goes to $WORK/out, stderr to $WORK/notes.
p11() {
  "$P11PROF" "$@" >"$WORK/out" 2>"$WORK/notes"
}

# ends CODE COMMAND...: how p11prof ends; what is wrong goes to stderr and not to stdout.
ends() {
  expected=$1
  shift
  p11 "$@"
  [ $? -eq "$expected" ] && { [ "$expected" -lt 2 ] || ! [ -s "$WORK/out" ]; }
}

# says TEXT, shows TEXT: of the last p11.
says() {
  grep -qF -e "$1" "$WORK/notes" || { cat "$WORK/notes" && false; }
}
shows() {
  grep -qF -e "$1" "$WORK/out"
}

# wrong TEXT COMMAND...: is refused as wrong usage, and told so.
wrong() {
  text=$1
  shift
  ends 2 "$@" && says "$text"
}

# csv OPTION...: the rows of a report.
csv() {
  "$P11PROF" report "$@" --format csv | tail -n +2 | tr -d '\r'
}

# same WHAT FOUND EXPECTED
same() {
  [ -n "$2" ] && [ "$2" = "$3" ] && return
  echo "$1: found"
  echo "$2"
  echo "expected"
  echo "$3"
  false
}

# facts SQL: of table c, the calls of the view of that name with what --by and filters can ask for.
facts() {
  sqlite3 -csv "$WORK/facts.db" "$1" | tr -d '"\r'
}

# one SQL: the first value that the database has for it.
one() {
  sqlite3 -readonly "$DB" "$1" | head -n 1
}

# copy_facts: out of the database.
copy_facts() {
  sqlite3 "$WORK/facts.db" "ATTACH '$DB' AS d; CREATE TABLE c AS
    SELECT c.*, l.test, p.program, p.pid, r.name, r.host, r.token_label,
      r.start_wall_ns + c.start_ns AS wall_ns, r.duration_ns AS run_duration_ns
    FROM d.calls AS c JOIN d.runs AS r ON r.run_id = c.run_id
    JOIN d.processes AS p ON p.process_id = c.process_id
    LEFT JOIN d.loads AS l ON l.run_id = c.run_id AND l.load = c.load"
}

# by WORD [SQL]: each row of --by WORD is that of SQL's GROUP BY.
by() {
  case $1 in
  key | process | thread | slot | run) column=${1}_id ;;
  token) column=token_label ;;
  library) column=caller_file ;;
  *) column=$1 ;;
  esac
  same "--by $1" "$(csv "$RUN" --by "$1" --columns "$column,kind,count,error_count,total_ns" |
    tr -d '"' | sort)" "$(facts "SELECT ${2:-$column}, kind, count(*),
      sum(rv NOT IN ('CKR_OK', 'undisclosed') AND kind != 'too-small'), sum(duration_ns)
    FROM c WHERE run_id IN ($RUN) GROUP BY 1, 2" | sort)"
}

# only CONDITION OPTION...: a report with these filters counts what SQL counts.
only() {
  condition=$1
  shift
  same "$*" "$(csv "$RUN" "$@" --by function,mechanism --columns count,total_ns |
    awk -F, '{ count += $1; ns += $2 } END { printf "%d,%.0f\n", count, ns }')" \
    "$(facts "SELECT count(*), sum(duration_ns) FROM c WHERE run_id IN ($RUN) AND $condition")"
}

# by_all_words: each word of --by, of the run $RUN.
by_all_words() {
  for word in function mechanism kind operation key_type key_bits key process program thread \
    session slot rv run name host token test; do
    check "$RUN by $word is what SQL says" by "$word"
  done
  check "$RUN by caller is what SQL says" by caller caller_site
  check "$RUN by library is what SQL says" by library caller
  time="CAST(wall_ns / 1000000000 AS INTEGER), 'unixepoch'"
  check "$RUN by minute is what SQL says" by minute "strftime('%Y-%m-%dT%H:%MZ', $time)"
  check "$RUN by hour is what SQL says" by hour "strftime('%Y-%m-%dT%H:00Z', $time)"
  check "$RUN by day is what SQL says" by day "strftime('%Y-%m-%d', $time)"
}

# only_all_options: each filter with the value that most calls of the run $RUN have, and without it.
only_all_options() {
  for option in function:function operation:operation mechanism:mechanism key-type:key_type \
    key-bits:key_bits key:key_id process:process_id process:pid program:program thread:thread_id \
    session:session slot:slot_id caller:caller caller:caller_site library:caller rv:rv kind:kind test:test; do
    column=${option#*:}
    option=${option%:*}
    value=$(facts "SELECT $column FROM c WHERE run_id = $RUN AND $column IS NOT NULL
      GROUP BY 1 ORDER BY count(*) DESC LIMIT 1")
    [ -n "$value" ] || continue
    check "$RUN --$option $value" only "CAST($column AS TEXT) = '$value'" "--$option" "$value"
    others="CAST($column AS TEXT) IS NOT '$value'"
    if [ "$(facts "SELECT count(*) FROM c WHERE run_id = $RUN AND $others")" = 0 ]; then
      check "$RUN has no other $column" wrong "nothing in run $RUN has" \
        report "$RUN" "--$option" "!$value"
    else
      check "$RUN --$option !$value" only "$others" "--$option" "!$value"
    fi
  done
}

# is_json: the last output is.
is_json() {
  python3 -m json.tool "$WORK/out" >/dev/null
}

# from_json EXPRESSION: of the document d.
from_json() {
  python3 -c "import json, sys; d = json.load(open(sys.argv[1])); print($1)" "$WORK/out"
}
