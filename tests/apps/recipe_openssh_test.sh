#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/openssh.md. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need ssh-keygen ssh-agent ssh-add ssh-keyscan
port=$(free_port)
map 2222 "$port"
if [ -x /usr/sbin/sshd ]; then
  mkdir -p /run/sshd "$WORK/etc/ssh" # Debian's unit makes it
  echo "Include $WORK/etc/ssh/sshd_config.d/*.conf" >"$WORK/etc/ssh/sshd_config"
  unit ssh "$port" "/usr/sbin/sshd -D -e -o PidFile=none -f $WORK/etc/ssh/sshd_config"
else
  echo "skipped in part: sshd is missing"
  leave_out '## Host keys'
fi
recipe openssh

check "ssh-keygen read the keys" [ "$(calls_of ssh-keygen C_FindObjects)" -ge 1 ]
check "the agent's helper signed" [ "$(query "SELECT group_concat(DISTINCT p.program)
  FROM operations JOIN processes AS p USING (run_id, process_id) WHERE operation = 'sign'")" = \
  ssh-pkcs11-helper ]
wanted=3
[ ! -x /usr/sbin/sshd ] || wanted=7
check "each test and each handshake signed once" [ "$(operations_of ssh sign)" = $wanted ]
end_recipe
