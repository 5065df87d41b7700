#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/p11-kit.md. Its .module files are a user's: p11-kit looks nowhere else that could be
# ours. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
client=/usr/lib/$triplet/pkcs11/p11-kit-client.so
need p11-kit p11tool setpriv "$client" /usr/libexec/p11-kit/p11-kit-server
map "$WORK/etc/pkcs11/modules" "$HOME/.config/pkcs11/modules"
map "$WORK/etc/os-release" /etc/os-release
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  [ -S "$WORK/run/web.sock" ] || [ -S "$WORK/run/kit.sock" ]
}
as_user nobody
recipe p11-kit

check "each client signed once" [ "$(operations_of p11-kit-server sign)" = 3 ]
check "... in a process of its own" [ "$(query "SELECT count(*) FROM processes JOIN runs USING (run_id)
  WHERE name = 'p11-kit-server' AND processes.program = 'p11-kit-remote'")" = 3 ]
check "the copy is recorded in the server" [ "$(operations_of kit sign)" = 1 ]
check "... in p11tool, and in its other process" [ "$(query "SELECT group_concat(program, ' ')
  FROM (SELECT DISTINCT program FROM runs WHERE name = 'kit' ORDER BY 1)")" = \
  "p11-kit-remote p11tool remote" ]
end_recipe
