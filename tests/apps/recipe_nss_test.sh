#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/nss.md; and what `advise` says to NSS. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need certutil modutil strsclnt openssl
port=$(free_port)
map 8443 "$port"
map "$WORK/etc/os-release" /etc/os-release
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens_quietly "$port"
}
recipe nss

check "certutil made a key, and signed with it" [ "$(calls_of certutil C_GenerateKeyPair):$(
  operations_of certutil sign)" = 1:2 ]
check "certutil listed" [ "$(calls_of certutil-list C_FindObjects)" -ge 1 ]
check "each connection signed once" [ "$(operations_of strsclnt sign)" = 10 ]
check "NSS calls" [ "$(called_by strsclnt C_Sign)" = libnss3.so ]
check "... and opens sessions by itself" advised 'NSS opens a session for each'
check "the copy is recorded in certutil" [ "$(operations_of nss sign)" = 1 ]
end_recipe
