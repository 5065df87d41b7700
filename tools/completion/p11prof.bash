# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# shellcheck shell=bash
# Completion of p11prof: what may stand at the cursor is asked of the command itself. Names of runs come from files of others:
# they are quoted and never evaluated.

# _p11prof_quoted QUOTE TEXT: as it has to be typed, behind an open quote or without one; in REPLY.
_p11prof_quoted() {
  REPLY=$2
  case $1 in
  \') REPLY=${2//\'/\'\\\'\'} ;;
  \") # A & for what was found is known from bash 5.2 on.
    REPLY=${2//\\/\\\\} REPLY=${REPLY//\"/\\\"} REPLY=${REPLY//\$/\\\$} REPLY=${REPLY//\`/\\\`}
    ;;
  *) [[ $2 == *[!A-Za-z0-9_.,:=@%/+-]* ]] && printf -v REPLY %q "$2" ;;
  esac
}

# _p11prof_ask PROGRAM PART: the answers; fills found, whats, asked and quote of the caller.
_p11prof_ask() {
  local line
  while IFS= read -r line; do
    case $line in
    $'\tin '*) quote=${line#$'\tin '} ;;
    $'\t'*) asked=${line#$'\t'} ;;
    *$'\t'*)
      found+=("${line%%$'\t'*}")
      whats+=("${line#*$'\t'}")
      ;;
    *)
      found+=("$line")
      whats+=("")
      ;;
    esac
  done < <("$1" --complete "${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
}

# _p11prof_of_shell PART: what bash knows better.
_p11prof_of_shell() {
  local i
  case $asked in
  files) if ((${#found[@]})); then mapfile -t -O "${#found[@]}" found < <(compgen -f -- "$1"); else compopt -o default; fi ;;
  folders) compopt -o dirnames ;;
  command) mapfile -t found < <(compgen -c -- "$1") ;;
  arguments)
    for ((i = 1; i < COMP_CWORD; i++)); do
      [[ ${COMP_WORDS[i]} == -- ]] && break
    done
    if ((i + 1 < COMP_CWORD)) && declare -F _command_offset >/dev/null; then
      _command_offset $((i + 1))
    else
      compopt -o default
    fi
    ;;
  esac
}

_p11prof() {
  local program asked='' quote='' REPLY i
  local -a found=() whats=()
  COMPREPLY=()
  program=$(type -P -- "${1/#\~\//$HOME/}") || program=p11prof
  _p11prof_ask "$program" "$2"
  _p11prof_of_shell "$2"
  compopt -o nosort
  for i in "${!found[@]}"; do
    [[ $quote == '"' && ${found[i]} == *!* ]] && continue # it would be an event of the history
    _p11prof_quoted "$quote" "${found[i]}"
    # A list that is only shown says what each is.
    if [[ $COMP_TYPE == 63 && ${#found[@]} -gt 1 && ${whats[i]-} && ${found[i]} != -* ]]; then
      printf -v REPLY '%-14s  %s' "$REPLY" "${whats[i]}"
      REPLY=${REPLY:0:${COLUMNS:-80}-2}
    fi
    COMPREPLY+=("$REPLY")
  done
  [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]] && compopt -o nospace
  return 0
}

complete -F _p11prof p11prof p11prof-bench p11prof-report
