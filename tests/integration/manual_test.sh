#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Help and manual: short, complete, about this command and no other, without a word of warning from those who print it.
# Environment: P11PROF, PAGES (the manual pages that were built), ROOT (the sources).

# shellcheck disable=SC2317
. "$(dirname "$0")/shell_test.sh"
need man mandoc "$PAGES/p11prof.1"

"$P11PROF" help >"$WORK/help"
sed -n 's/^  \([a-z]*\) .*/\1/p' "$WORK/help" >"$WORK/commands"
check "there are commands" [ "$(wc -l <"$WORK/commands")" -ge 19 ]
check "help has narrow lines" [ "$(wc -L <"$WORK/help")" -le 80 ]

# options COMMAND: those that its parser knows, by its help.
options() {
  "$P11PROF" "$1" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p'
}

# page FILE: as people read it, in one line of each paragraph.
page() {
  LC_ALL=C.UTF-8 MANWIDTH=1000 man -l "$1" | sed 's/\o342\o200\o220/-/g'
}

# describes COMMAND OPTION: the section of options has it, with what it does behind it.
describes() {
  awk -v option="--$2" '
    /^OPTIONS/ { inside = 1; next } /^[A-Z]/ { inside = 0 }
    inside && $1 == option { found = 1; getline; if (NF == 0) found = 0; exit }
    END { exit !found }' "$WORK/page.$1"
}

# helps COMMAND: narrow lines, options with a word behind them.
helps() {
  "$P11PROF" "$1" --help >"$WORK/out" && [ "$(LC_ALL=C.UTF-8 wc -L <"$WORK/out")" -le 80 ] &&
    awk 'bare && !/^   +[^ -]/ { bad = 1 } { bare = /^  --[^ ]+( [^ ]+)?$/ } END { exit bad }' "$WORK/out"
}

while read -r command; do
  check "$command --help is as wide as 80 columns" helps "$command"
  check "$command is 'help $command'" [ "$("$P11PROF" help "$command")" = "$("$P11PROF" "$command" --help)" ]
  check "$command --help names its page" grep -q "man p11prof-$command" "$WORK/out"
  check "$command has a page" [ -s "$PAGES/p11prof-$command.1" ]
  [ -s "$PAGES/p11prof-$command.1" ] || continue
  page "$PAGES/p11prof-$command.1" >"$WORK/page.$command"
  options "$command" >"$WORK/options.$command"
  while read -r option; do
    check "the page of $command has --$option" describes "$command" "$option"
  done <"$WORK/options.$command"
  for heading in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
    check "the page of $command has $heading" grep -qx "$heading" "$WORK/page.$command"
  done
done <"$WORK/commands"
check "nothing waits for its text" not grep -n '@[A-Z ]*@' "$PAGES"/*.[157]
page "$PAGES/p11prof.1" >"$WORK/page"
while read -r command; do
  check "p11prof(1) lists $command" grep -q "p11prof-$command(1)" "$WORK/page"
done <"$WORK/commands"
for file in "$PAGES"/*.[157]; do
  check "mandoc says nothing of $(basename "$file")" [ -z "$(mandoc -T lint -W warning "$file" 2>&1)" ]
  check "man neither" [ -z "$(LC_ALL=C.UTF-8 man --warnings -l "$file" 2>&1 >"$WORK/out")" ]
done

# Examples and text name commands and options that there are. A line of a block, and what stands in bold.
cat "$WORK"/options.* | sort -u >"$WORK/all"
for file in "$ROOT"/docs/man/*.scd; do
  name=$(basename "$file")
  awk '/^```/ { inside = !inside; next } inside' "$file" | grep -o 'p11prof [a-z].*' |
    sed 's/ -- .*//; s/ | .*//' >"$WORK/examples"
  while read -r _ command words; do
    case $command in
    help) continue ;;
    esac
    check "$name: p11prof $command is one" grep -qx "$command" "$WORK/commands"
    for option in $(echo "$words" | grep -oE -e '(^| )--[a-z-]+' | sed 's/ *--//'); do
      check "$name: p11prof $command has --$option" grep -qx -e "$option" "$WORK/options.$command"
    done
  done <"$WORK/examples"
  grep -v '^:' "$file" | grep -oE -e '\*--[a-z-]+' | tr -d '*' | sort -u >"$WORK/options"
  while read -r option; do
    case $option in
    --version) ;;
    *) check "$name: $option is an option" grep -qx -e "${option#--}" "$WORK/all" ;;
    esac
  done <"$WORK/options"
  for other in $(grep -oE '\*p11prof[a-z.-]*\*\([157]\)' "$file" | tr -d '*' | sort -u); do
    check "$name: $other is a page" [ -s "$PAGES/$(echo "$other" | tr '(' . | tr -d ')')" ]
  done
done

# What only the manual says, since help is short.
for word in 'last~N' 'EXIT STATUS' FILTERS P11PROF_SPOOL_LIMIT; do
  check "p11prof(1) has $word" grep -qF -e "$word" "$WORK/page"
done
page "$PAGES/p11prof.conf.5" >"$WORK/page"
for setting in module db name record drain spool spool_limit clock debug; do
  check "p11prof.conf(5) has $setting" grep -qE "^ +$setting, P11PROF_" "$WORK/page"
done

# On a terminal help is as wide as that, up to 100 columns.
if command -v script >/dev/null; then
  script -qec "stty cols 100; '$P11PROF' bench --help" /dev/null </dev/null >"$WORK/out"
  check "a wide terminal has wider help" grep -qE '^.{85}' "$WORK/out"
  check "up to a limit" not grep -qE '^.{103}' "$WORK/out"
fi

finish
