#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Completion: what is offered where, that it is taken there, and that it harms nobody, whatever others call their runs.
# Environment: P11PROF, SHIM, APP (record_app), NULL_MODULE, ROOT (the sources).

# shellcheck disable=SC2317
. "$(dirname "$0")/shell_test.sh"
need bash sqlite3 "${SHIM:?}" "${APP:?}" "${NULL_MODULE:?}"
SCRIPT=$ROOT/tools/completion/p11prof.bash
export P11PROF_DB="$DB"
BIN=$(dirname "$P11PROF")

# offers LINE [PART]: the candidates in $WORK/out, what they are behind a tab.
offers() {
  "$P11PROF" --complete "$@" >"$WORK/out" 2>"$WORK/notes"
}

# just CANDIDATE... -- LINE [PART]: these are offered, in this order, and no others.
just() {
  : >"$WORK/expected"
  while [ "$1" != -- ]; do
    echo "$1" >>"$WORK/expected"
    shift
  done
  shift
  offers "$@"
  cut -f1 "$WORK/out" | cmp -s - "$WORK/expected" || { cat "$WORK/out" && false; }
}

# one CANDIDATE LINE [PART]: it is among what is offered.
one() {
  candidate=$1
  shift
  offers "$@" && cut -f1 "$WORK/out" | grep -qxF -e "$candidate"
}

# asks WHAT LINE: the shell is asked for files, folders, command or arguments.
asks() {
  offers "$2" && [ "$(cat "$WORK/out")" = "$(printf '\t%s' "$1")" ]
}

# nothing LINE [PART]: is offered, and nothing is said.
nothing() {
  offers "$@" && ! [ -s "$WORK/out" ] && ! [ -s "$WORK/notes" ]
}

# Without a database: none is made, and nothing is said.
check "no runs without a database" just last -- 'p11prof report '
check "no functions" nothing 'p11prof report --function '
check "no database is made" [ ! -e "$DB" ]

# What waits in spools is left there.
env P11PROF_MODULE="$NULL_MODULE" P11PROF_DRAIN=external P11PROF_NAME=first "$APP" "$SHIM"
before=$(ls -l "$P11PROF_SPOOL")
check "what waits is not taken" just last -- 'p11prof report '
check "it waits still" [ "$(ls -l "$P11PROF_SPOOL")" = "$before" ]
"$P11PROF" collect 2>"$WORK/notes"
"$P11PROF" baseline save before first 2>"$WORK/notes"
"$P11PROF" bench --module "$NULL_MODULE" --test ecdsa-p256-sign --iterations 10 --verify none --quiet \
  --name 'load 2' >"$WORK/out" 2>"$WORK/notes"

# Commands and options.
check "commands" just record report -- 'p11prof re'
check "help of one" just record report -- 'p11prof help re'
for command in $("$P11PROF" help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
  check "$command is offered" one "$command" 'p11prof '
done
check "options" just --format -- 'p11prof report --form'
check "options without something" just --no-collect -- 'p11prof runs --no'
check "not behind --" just last 'load 2' first 2 1 @before -- 'p11prof report -- '
check "the link has those of its command" just --format -- 'p11prof-report --form'
check "wherever it is" just --suite --suite-from -- '/usr/bin/p11prof-bench --su'
check "no such command" nothing 'p11prof reprot --'
check "words say what they are" [ "$("$P11PROF" --complete 'p11prof report --no' |
  cut -f2)" = 'do not drain waiting spools first' ]

# Values.
check "of a list of words" just text json csv markdown junit -- 'p11prof compare --format '
check "behind =" just --format=json -- 'p11prof report --format=j'
check "as bash splits it" just json -- 'p11prof report --format=j' j
check "lists" just function,mechanism -- 'p11prof report --by function,mech'
check "no word twice" nothing 'p11prof report --by function,function'
check "filters" just C_SignInit C_Sign C_SignUpdate C_SignFinal C_SignRecoverInit C_SignRecover \
  C_SignEncryptUpdate C_SignMessage C_SignMessageBegin C_SignMessageNext -- 'p11prof calls --function C_Sign'
check "filters, turned round" just '!size-query' -- "p11prof calls --kind '!si"
check "mechanisms" one CKM_ECDSA 'p11prof report --mechanism CKM_EC'
check "tests" one ecdsa-p256-sign-sha256 'p11prof bench --test ecdsa-p256'
check "tests of a mix" one sign:50%,verify: 'p11prof bench --mix sign:50%,ver'
check "tests that were run" just ecdsa-p256-sign -- 'p11prof report --test '
check "columns" just p99_ns p999_ns -- 'p11prof report --sort p99'
check "columns of calls" just call_id,function -- 'p11prof calls --columns call_id,func'
check "sections" just advice,latency -- 'p11prof report --sections advice,lat'
check "sources of a PIN" just env: -- 'p11prof bench --pin-source e'
check "an option may be shortened" just json -- 'p11prof report --form j'
check "ready queries" just @slowest-calls -- 'p11prof sql @slow'
check "files" asks files 'p11prof export --output '
check "folders" asks folders 'p11prof collect --spool '
check "files of a module" asks files 'p11prof bench --module '
check "files of a run" asks files 'p11prof compare ./'
check "a program" asks command 'p11prof record --module M -- '
check "and its arguments" asks arguments 'p11prof record -- ls -'
check "no PIN, ever" nothing 'p11prof bench --pin '

# Runs.
check "runs" just last 'load 2' first 2 1 @before -- 'p11prof report '
check "which are told apart" grep -q "$(printf '^2\t.*load 2, bench of p11prof')" "$WORK/out"
check "more of them" just 1,2 -- 'p11prof report 1,2'
check "rows of a run" just first:C_Initialize -- 'p11prof report first:C_Ini'
check "as bash splits them" just C_Initialize -- 'p11prof report first:C_Ini' C_Ini
check "baselines" just @before -- 'p11prof compare @'
check "what baseline does" just save list show remove -- 'p11prof baseline '
check "on a baseline" just before -- 'p11prof baseline show '
check "on a run" just first -- 'p11prof baseline save x fi'
check "what runs does" just rename delete -- 'p11prof runs '
check "to a run" just first -- 'p11prof runs delete fi'
check "names" just first -- 'p11prof runs --name fi'
mkdir "$WORK/home"
cp "$DB" "$WORK/home/other.db"
sqlite3 "$WORK/home/other.db" "UPDATE run SET name = 'elsewhere' WHERE id = 1"

# A database that somebody keeps locked is not waited for: commands wait 5 s.
cp "$DB" "$WORK/locked.db"
sqlite3 "$WORK/locked.db" "PRAGMA locking_mode = exclusive; BEGIN EXCLUSIVE" \
  ".shell touch '$WORK/locked'; while ! [ -e '$WORK/done' ]; do sleep 0.1; done" >/dev/null &
if within 10 [ -e "$WORK/locked" ]; then
  check "a locked database is not waited for" in_3 timeout 4 sh -c \
    "'$P11PROF' --complete 'p11prof report --db $WORK/locked.db ' '' >'$WORK/out'"
fi
: >"$WORK/done"
wait $!

# Whatever others call their runs, it stays text: in bash's own completion.
cat >"$WORK/typed" <<'END'
# typed LINE PART TYPE: what bash would insert or show, a line each.
compopt() { :; }
. "$1"
COMP_LINE=$2 COMP_POINT=${#2} COMP_TYPE=$4 COLUMNS=100
read -ra COMP_WORDS <<<"$2"
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
declared=$(complete -p p11prof-report)
"$(set -- $declared && echo "$3")" p11prof "$3" report
[ ${#COMPREPLY[@]} -eq 0 ] || printf '%s\n' "${COMPREPLY[@]}"
END
# typed LINE PART [TYPE]
typed() {
  (cd "$WORK/home" && PATH=$BIN:$PATH bash --norc --noprofile "$WORK/typed" "$SCRIPT" "$1" "$2" "${3:-9}")
}
# types REPLY LINE PART: that is the only one.
types() {
  typed "$2" "$3" >"$WORK/out" 2>&1
  [ "$(cat "$WORK/out")" = "$1" ] || { cat "$WORK/out" && false; }
}
BAD=$WORK/home/bad.db
cp "$DB" "$BAD"
sqlite3 "$BAD" "UPDATE run SET name = 'my \$(touch pwned) ''it'' \"q\" \`touch pwned\` \\ !x;touch pwned' WHERE id = 1"
sqlite3 "$BAD" "UPDATE run SET name = 'evil' || char(27) || '[2J' || char(10) || 'pwned' WHERE id = 2"
line="p11prof report --db $BAD"
check "bash" types report 'p11prof rep' rep
check "bash with a part of a word" types json 'p11prof report --format=js' js
check "a name with blanks" types 'load\ 2' 'p11prof report lo' lo
check "in quotes" types 'load 2' "p11prof report 'lo" lo
check "a name that wants to be a command is one word" types \
  "my\\ \\\$\\(touch\\ pwned\\)\\ \\'it\\'\\ \\\"q\\\"\\ \\\`touch\\ pwned\\\`\\ \\\\\\ \\!x\\;touch\\ pwned" "$line my" my
reply=$(cat "$WORK/out")
check "the same that it was" [ "$(bash -c "printf %s $reply")" = "$(sqlite3 "$BAD" 'SELECT name FROM run WHERE id = 1')" ]
typed "$line 'my" my >"$WORK/out"
check "also in quotes" [ "$(bash -c "printf %s '$(cat "$WORK/out")'")" = "$(sqlite3 "$BAD" 'SELECT name FROM run WHERE id = 1')" ]
typed "$line \"my" my >"$WORK/out"
check "none that double quotes cannot hold" [ ! -s "$WORK/out" ]
check "behind a quote that is part of it" [ "$("$P11PROF" --complete "$line my\\ \\\$\\(touch\\ pwned\\)\\ \\'" |
  cut -f1)" = "$(sqlite3 "$BAD" 'SELECT name FROM run WHERE id = 1')" ]
check "nothing behind the end of quotes" nothing "$line 'my'"
# As bash before 5.2 does it, too.
for setting in -s -u; do
  check "double quotes hold the rest, shopt $setting" [ "$(bash -c '. "$1"
    shopt "$2" patsub_replacement 2>/dev/null
    _p11prof_quoted "\"" "$3"
    eval "printf %s \"$REPLY\""' - "$SCRIPT" "$setting" 'a\b"c$d`e&f\&g')" = 'a\b"c$d`e&f\&g' ]
done
typed "$line ev" ev >"$WORK/out"
check "no name with control characters" [ ! -s "$WORK/out" ]
typed "$line " '' 63 >"$WORK/out"
check "a list says what they are" grep -q '^1   *.*profile of' "$WORK/out"
check "without control characters" not grep -q "$(printf '\033')" "$WORK/out"
# The same by keys: a line is typed, and Tab.
type_keys() {
  (cd "$WORK/home" && python3 "$ROOT/tests/integration/completion_typing.py" "$SCRIPT" "$BIN" <"$WORK/keys")
}
if command -v python3 >/dev/null; then
  cat >"$WORK/keys" <<'END'
p11prof rep	p11prof report 
p11prof-report --form	p11prof-report --format 
p11prof report --format=j	p11prof report --format=json 
p11prof report first:C_Ini	p11prof report first:C_Initialize 
p11prof report --db bad.db my	p11prof report --db bad.db my\ \$\(touch\ pwned\)\ \'it\'\ \"q\"\ \`touch\ pwned\`\ \\\ \!x\;touch\ pwned 
p11prof report @be	p11prof report @before 
p11prof report "@be	p11prof report "@before" 
p11prof report 'lo	p11prof report 'load 2' 
p11prof report --by function,mech	p11prof report --by function,mechanism 
p11prof bench --pin-source e	p11prof bench --pin-source env:
p11prof report --db=ot	p11prof report --db=other.db 
p11prof record -- p11prof-ben	p11prof record -- p11prof-bench 
END
  check "keys make the lines" type_keys
fi
check "nothing was started" [ ! -e "$WORK/home/pwned" ]
check "silent without p11prof" [ -z "$(cd "$WORK/home" && bash --norc "$WORK/typed" "$SCRIPT" 'p11prof re' re 9 2>&1)" ]

check "of another database" just elsewhere -- "p11prof report --db $WORK/home/other.db else"
check "named in quotes" just elsewhere -- "p11prof report --db='$WORK/home/other.db' else"
below_home() (
  export HOME="$WORK/home"
  just elsewhere -- "p11prof report --db ~/other.db else"
)
check "below ~" below_home
check "a file that is no database" just last -- "p11prof report --db $P11PROF "

# All that is offered for an option is taken by it. Filters are the same everywhere.
takes() {
  "$P11PROF" "$1" "$2" --help >"$WORK/out" 2>"$WORK/notes" || { cat "$WORK/notes" && false; }
}
"$P11PROF" help | sed -n 's/^  \([a-z]*\) .*/\1/p' >"$WORK/commands"
while read -r command; do
  "$P11PROF" --complete "p11prof $command --" | grep -v 'only \(these\|calls from\|call,\)' | cut -f1 >"$WORK/options"
  while read -r option; do
    "$P11PROF" --complete "p11prof $command $option=" | cut -f1 | grep -e '^--' | grep -v '[:=]$' |
      head -n 4 >"$WORK/words"
    while read -r word; do
      check "$command takes $word" takes "$command" "$word"
    done <"$WORK/words"
  done <"$WORK/options"
done <"$WORK/commands"
"$P11PROF" --complete 'p11prof report --columns ' | cut -f1 >"$WORK/words"
check "columns are offered" [ "$(wc -l <"$WORK/words")" -gt 20 ]
check "report takes all of them" "$P11PROF" report first --columns "$(paste -sd, "$WORK/words")" >"$WORK/out"

finish
