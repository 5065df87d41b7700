#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/bind.md. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need named openssl apparmor_parser /etc/apparmor.d/usr.sbin.named
need "/usr/lib/${triplet:?}/ossl-modules/pkcs11.so"
port=$(free_port)
map 5300 "$port"
map 8530 $((port + 1))
# AppArmor's rules are read here, and loaded nowhere.
map 'apparmor_parser -r' "apparmor_parser -Q -K -b $WORK/etc/apparmor.d"
copied /etc apparmor.d
# shellcheck disable=SC2016 # Markdown
sed -n '/^```apparmor/,/^```/p' "$ROOT/docs/recording.md" | sed '/^```/d' \
  >"$WORK/etc/apparmor.d/abstractions/p11prof"
mkdir -p "$WORK/etc/bind" "$WORK/run/named" "$WORK/var/cache/bind"
chown bind "$WORK/run/named" "$WORK/var/cache/bind"
cat >"$WORK/etc/bind/named.conf" <<END
include "$WORK/etc/bind/named.conf.options";
include "$WORK/etc/bind/named.conf.local";
controls {};
END
# Where Debian's named writes.
map 'directory ' "pid-file \"$WORK/run/named/named.pid\"; session-keyfile \"$WORK/run/named/session.key\"; directory "
unit named $((port + 1)) "named -f -u bind -c $WORK/etc/bind/named.conf"
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens_quietly $((port + 1))
}
recipe bind

check "each handshake signed once" [ "$(operations_of named sign)" = 5 ]
check "... and as a service" [ "$(operations_of named-service sign)" = 7 ]
check "pkcs11-provider calls" [ "$(called_by named-service C_SignInit)" = pkcs11.so ]
check "it is another user's" [ "$(query "SELECT group_concat(DISTINCT user) FROM processes")" = \
  "$(id -u bind)" ]
end_recipe
