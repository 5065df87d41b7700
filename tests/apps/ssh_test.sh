#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# OpenSSH: ssh-keygen loads the module itself, ssh-agent in a helper that talks over its stdout
# and leaves with _exit(). Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need ssh-keygen ssh-agent ssh-add softhsm2-util pkcs11-tool "$SOFTHSM"
make_token
make_key 01 first rsa:2048
ssh-keygen -D "$SOFTHSM" >"$WORK/plain" 2>/dev/null

record --module "$SOFTHSM" -- ssh-keygen -D "$SOFTHSM" >"$WORK/recorded"
check "ssh-keygen -D ends as without us" [ $? -eq 0 ]
check "ssh-keygen -D prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "it is recorded" [ "$(counts C_FindObjects)" -ge 1 ]

# The PIN is asked for by a program.
printf '#!/bin/sh\necho "%s"\n' "$PIN" >"$WORK/askpass"
chmod 700 "$WORK/askpass"
export SSH_ASKPASS="$WORK/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY=:0
# Debian's agent is set-gid, so the loader takes LD_AUDIT away from it; a copy is not.
agent=$(command -v ssh-agent)
if [ -g "$agent" ]; then
  record --module "$SOFTHSM" -- "$agent" true
  check "a set-gid program is warned of" grep -q 'it is set-uid, set-gid' "$WORK/notes"
fi
cp "$agent" "$WORK/ssh-agent"
chmod 755 "$WORK/ssh-agent"
# shellcheck disable=SC2016
record --module "$SOFTHSM" -- "$WORK/ssh-agent" sh -c 'ssh-add -s "$1" >/dev/null 2>&1 &&
  ssh-add -L && ssh-add -T "$2"; ssh-agent -k >/dev/null' - "$SOFTHSM" "$WORK/recorded" >"$WORK/agent" 2>/dev/null
check "the agent offers the key" grep -q "$(cut -d' ' -f2 "$WORK/plain")" "$WORK/agent"
check "its helper is recorded" [ "$(query "SELECT count(*) FROM processes
  WHERE program = 'ssh-pkcs11-helper' AND run_id = (SELECT max(run_id) FROM runs)")" = 1 ]
check "its signature is recorded" [ "$(counts C_Sign)" = 1 ]
check "no secret is recorded" keeps_secrets "$PIN"

finish
