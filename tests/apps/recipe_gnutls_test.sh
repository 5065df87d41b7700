#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/gnutls.md, by a user. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need p11tool certtool gnutls-cli openssl setpriv /usr/share/p11-kit/modules/softhsm2.module
port=$(free_port)
map 8443 "$port"
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens_quietly "$port"
}
as_user nobody
recipe gnutls

check "p11tool logged in" [ "$(calls_of p11tool C_Login)" -ge 1 ]
check "certtool signed once" [ "$(operations_of certtool sign)" = 1 ]
check "each client signed once" [ "$(operations_of gnutls-cli sign)" = 3 ]
check "GnuTLS calls" [ "$(called_by gnutls-cli C_Sign | cut -d. -f1)" = libgnutls ]
check "the copy is recorded" [ "$(calls_of gnutls C_Login)" -ge 1 ]
end_recipe
