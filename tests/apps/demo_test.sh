#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The first command of README.md. Environment: P11PROF, ROOT (the sources), BUILD.

. "$(dirname "$0")/../integration/shell_test.sh"
need cmake ninja pkcs11-tool p11tool openssl softhsm2-util "$SOFTHSM"
before=$(ls -d "${TMPDIR:-/tmp}"/p11prof-demo.* 2>/dev/null)

check "the demo works" env P11PROF_BUILD="$BUILD" "$ROOT/tests/demo" >"$WORK/out"
cat "$WORK/out"
for name in pkcs11-tool openssl p11tool; do
  check "it reports on $name" grep -q "^Run [1-3] $name (profile, finished)" "$WORK/out"
done
check "the handshakes are counted" grep -qE '^  sign +CKM_RSA_PKCS_PSS +CKK_RSA +2048 +5 ' "$WORK/out"
check "it leaves nothing behind" \
  [ "$(ls -d "${TMPDIR:-/tmp}"/p11prof-demo.* 2>/dev/null)" = "$before" ]

finish
