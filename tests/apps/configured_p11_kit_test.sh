#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The shim as a module of p11-kit, under p11tool and under p11-kit's proxy. The module is
# configured in a mount namespace of its own. Environment: P11PROF, SHIM.

. "$(dirname "$0")/configured.sh"
need p11tool p11-kit unshare
proxy=$(find /usr/lib /usr/lib64 -name p11-kit-proxy.so 2>/dev/null | head -n 1)
need "${proxy:-p11-kit-proxy.so}"
# A user's namespace has to be a user namespace too.
own=-m
[ "$(id -u)" -eq 0 ] || own=-rm
unshare $own true 2>/dev/null || {
  echo "skipped: no mount namespace can be made"
  exit 77
}
make_token
make_key 01 first rsa:2048
make_shim kit
mkdir -p "$WORK/modules" "$WORK/home"
printf 'module: %s\n' "$MODULE" >"$WORK/modules/shim.module"

# with_kit COMMAND...: sees the shim as the only module of p11-kit.
with_kit() {
  # shellcheck disable=SC2016
  HOME=$WORK/home unshare $own sh -c 'mount --bind "$0" /usr/share/p11-kit/modules && exec "$@"' \
    "$WORK/modules" "$@"
}
with_kit true || {
  echo "skipped: p11-kit's configuration cannot be replaced"
  exit 77
}

export GNUTLS_PIN="$PIN"
URL='pkcs11:token=test'
p11tool --provider "$SOFTHSM" --login --list-all "$URL" >"$WORK/plain" 2>/dev/null
with_kit p11tool --login --list-all "$URL" >"$WORK/recorded" 2>/dev/null
check "p11tool ends well" [ $? -eq 0 ]
check "p11tool prints the same" cmp -s "$WORK/plain" "$WORK/recorded"
check "it is recorded" [ "$(recorded kit C_Login)" -ge 1 ]

pkcs11-tool --module "$SOFTHSM" --login --pin "$PIN" --list-objects >"$WORK/plain" 2>/dev/null
with_kit pkcs11-tool --module "$proxy" --login --pin "$PIN" --list-objects >"$WORK/recorded" \
  2>/dev/null
check "the proxy ends well" [ $? -eq 0 ]
check "the proxy shows the same objects" cmp -s "$WORK/plain" "$WORK/recorded"
check "the proxy's calls are recorded" [ "$(query "SELECT program, call_count > 10 FROM runs
  ORDER BY run_id DESC LIMIT 1")" = pkcs11-tool,1 ]
echo 'plaintext-never-recorded' >"$WORK/data"
with_kit pkcs11-tool --module "$proxy" --login --pin "$PIN" --sign --id 01 \
  --mechanism SHA256-RSA-PKCS -i "$WORK/data" -o "$WORK/signature" >/dev/null 2>&1
check "the proxy signs" [ $? -eq 0 ]
check "... with the key that it is" [ "$(query "SELECT mechanism, key_bits FROM operations
  WHERE operation = 'sign'")" = CKM_SHA256_RSA_PKCS,2048 ]
check "no secret is recorded" keeps_secrets "$PIN" plaintext-never-recorded


# The other way round: the shim over p11-kit's proxy; and both over each other.
make_shim over-proxy "module = $proxy"
sed -i "1d" "${MODULE%.so}.conf"
printf 'module: %s\n' "$SOFTHSM" >"$WORK/modules/shim.module"
with_kit pkcs11-tool --module "$MODULE" --login --pin "$PIN" --list-objects >"$WORK/recorded" \
  2>/dev/null
check "the shim over the proxy shows the same objects" cmp -s "$WORK/plain" "$WORK/recorded"
check "its calls are recorded" [ "$(recorded over-proxy C_Login)" = 1 ]
printf 'module: %s\n' "$MODULE" >"$WORK/modules/shim.module"
with_kit timeout 20 pkcs11-tool --module "$MODULE" --list-slots >"$WORK/circle" 2>&1
check "a proxy of the shim over it ends" [ $? -le 1 ]

finish
