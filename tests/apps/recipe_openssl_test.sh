#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/openssl.md: the engine, and the provider where it is installed. Environment: P11PROF,
# SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need openssl curl
need_engine
port=$(free_port)
map 8443 "$port"
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens_quietly "$port"
}
provider=$(find /usr/lib/*/ossl-modules/pkcs11.so 2>/dev/null)
if [ -z "$provider" ]; then
  echo "skipped in part: pkcs11-provider is missing"
  leave_out '## The provider'
fi
recipe openssl

for name in req x509 cms; do
  check "$name signed once" [ "$(operations_of $name sign)" = 1 ]
done
check "curl signed once a connection" [ "$(operations_of curl sign)" = 3 ]
check "each handshake signed once" [ "$(operations_of s_server sign)" = 5 ]
check "each program with the copy, too" [ "$(operations_of openssl-engine sign)" = 3 ]
check "... in a run of its own" [ "$(query "SELECT count(*) FROM runs WHERE name = 'openssl-engine'")" = 3 ]
check "the engine calls" [ "$(called_by openssl-engine C_Sign)" = pkcs11.so ]
if [ -n "$provider" ]; then
  check "the provider signed" [ "$(operations_of provider sign)" = 1 ]
  check "... and with the copy" [ "$(operations_of openssl-provider sign)" = 3 ]
  check "... by the environment, too" [ "$(operations_of by-environment sign)" = 1 ]
fi
end_recipe
