#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Debian's own ssh-agent, which drops its loader's settings and takes no module from outside
# /usr/lib unless told so by -P. Environment: P11PROF, SHIM.

. "$(dirname "$0")/configured.sh"
need ssh-keygen ssh-agent ssh-add
make_token
make_key 01 first rsa:2048
make_shim agent
ssh-keygen -D "$SOFTHSM" >"$WORK/plain" 2>/dev/null
ssh-keygen -D "$MODULE" >"$WORK/recorded" 2>/dev/null
check "ssh-keygen -D ends well" [ $? -eq 0 ]
check "ssh-keygen -D prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "it is recorded" [ "$(recorded agent C_FindObjects)" -ge 1 ]

printf '#!/bin/sh\necho "%s"\n' "$PIN" >"$WORK/askpass"
chmod 700 "$WORK/askpass"
export SSH_ASKPASS="$WORK/askpass" SSH_ASKPASS_REQUIRE=force DISPLAY=:0
# The agent ends with its command, and its helper with the agent.
# shellcheck disable=SC2016
ssh-agent -P "$WORK/*" sh -c 'ssh-add -s "$1" 2>&1 >/dev/null && ssh-add -L && ssh-add -T "$2"' \
  - "$MODULE" "$WORK/recorded" >"$WORK/agent" 2>"$WORK/errors"
check "the agent signs" [ $? -eq 0 ]
cat "$WORK/errors"
check "the agent offers the key" grep -q "$(cut -d' ' -f2 "$WORK/plain")" "$WORK/agent"
tries=0
until [ "$(recorded agent C_Sign)" = 1 ] || [ $tries -ge 20 ]; do
  tries=$((tries + 1))
  sleep 0.2
done
check "its signature is recorded" [ "$(recorded agent C_Sign)" = 1 ]
check "... in its helper" [ "$(query "SELECT DISTINCT program FROM processes
  WHERE run_id = (SELECT max(run_id) FROM runs)")" = ssh-pkcs11-helper ]
check "no secret is recorded" keeps_secrets "$PIN"

finish
