#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# GnuTLS' p11tool through p11-kit: `record` without --module replaces all configured modules.
# Environment: P11PROF.

. "$(dirname "$0")/../integration/shell_test.sh"
need p11tool p11-kit softhsm2-util pkcs11-tool "$SOFTHSM"
p11-kit list-modules | grep -q softhsm || {
  echo "skipped: SoftHSM is not configured in p11-kit"
  exit 77
}
make_token
make_key 01 first rsa:2048
URL='pkcs11:token=test'

export GNUTLS_PIN="$PIN"
p11tool --login --list-all "$URL" >"$WORK/plain" 2>/dev/null
record -- p11tool --login --list-all "$URL" >"$WORK/recorded"
check "p11tool ends as without us" [ $? -eq 0 ]
check "p11tool prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "it lists the key" grep -q 'Label: first' "$WORK/recorded"
check "SoftHSM is recorded" [ "$(query "SELECT count(*) FROM processes
  WHERE module_path LIKE '%softhsm%'")" -ge 1 ]
check "the login is recorded" [ "$(counts C_Login)" -ge 1 ]

check "GnuTLS calls" called_from C_GetTokenInfo "$(basename "$(readlink -f "$(
  ldd "$(command -v p11tool)" | awk '/libgnutls/ { print $3 }')")")"
check "its stacks add up" folds

# One of the modules can be picked.
record --module "$SOFTHSM" -- p11tool --list-tokens >/dev/null
check "--module picks one" [ "$(query "SELECT count(DISTINCT module_path) FROM processes
  WHERE run_id = (SELECT max(run_id) FROM runs)")" = 1 ]
check "no secret is recorded" keeps_secrets "$PIN"

finish
