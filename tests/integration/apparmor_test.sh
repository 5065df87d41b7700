#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The rules for AppArmor in docs/recording.md: they compile, and they allow all that the shim does in
# an application, as strace sees it: as root, as a user with a database at home, with every drain. As
# root, in a mount namespace. Environment: P11PROF, SHIM, DRIVER, NULL_MODULE, ROOT, SANITIZED.

. "$(dirname "$0")/shell_test.sh"
RULES=$WORK/rules
# shellcheck disable=SC2016
sed -n '/^```apparmor/,/^```/p' "$ROOT/docs/recording.md" | sed '/^```/d' >"$RULES"
check "there are rules" grep -q '/dev/shm/p11prof-' "$RULES"

if command -v apparmor_parser >/dev/null; then
  {
    printf 'abi <abi/3.0>,\ninclude <tunables/global>\nprofile p11prof-test /usr/sbin/application {\n'
    printf '  include <abstractions/base>\n'
    cat "$RULES"
    echo '}'
  } >"$WORK/profile"
  check "they compile" apparmor_parser -Q -K "$WORK/profile"
else
  echo "skipped in part: apparmor_parser is missing"
fi

need strace setpriv unshare /usr/bin/python3
[ -z "${SANITIZED:-}" ] || finish # their runtimes open more
unshare -m true 2>/dev/null || {
  echo "skipped in part: no mount namespace here"
  finish
}
strace -o "$WORK/none" true 2>/dev/null || {
  echo "skipped in part: nothing may be traced here"
  finish
}
unset P11PROF_SPOOL
export WORK
chmod 755 "$WORK"
cp "$DRIVER" "$WORK/driver"
cp "$NULL_MODULE" "$WORK/null.so"
cp "$SHIM" "$WORK/shim.so"
# Its own /usr/local/lib, /dev/shm, /var/lib and /home, and a log that takes what is said.
cat >"$WORK/places" <<'END'
mount -t tmpfs none /usr/local/lib
mount -t tmpfs -o mode=1777 none /dev/shm
mount -t tmpfs none /var/lib
mount -t tmpfs none /home
mkdir -p /usr/local/lib/pkcs11
install -d -o 65534 /home/user
cp "$WORK/shim.so" /usr/local/lib/pkcs11/p11prof-shim-test.so
cp "$WORK/null.so" /usr/local/lib/pkcs11/null.so
echo 'module = /usr/local/lib/pkcs11/null.so' >/usr/local/lib/pkcs11/p11prof-shim-test.conf
echo 'colour = red' >>/usr/local/lib/pkcs11/p11prof-shim-test.conf # so that it has to say something
chmod -R go=rX /usr/local/lib
END
CALLS=openat,mkdir,mkdirat,rename,link,unlink,flock,fcntl,fchmod,fchown,mmap,sendto,connect

# trace NAME DRAIN COMMAND...: that user's application, for longer than its spool holds.
trace() {
  name=$WORK/trace-$1-$2
  drain=$2
  shift 2
  truncate -s 1M "$WORK/counts"
  chmod 666 "$WORK/counts"
  # shellcheck disable=SC2016
  unshare -m --propagation private sh -c '. "$0" && exec "$@"' "$WORK/places" \
    strace -f -y -e trace=$CALLS -o "$name" "$@" P11PROF_DRAIN="$drain" P11PROF_SPOOL_LIMIT=1MB \
    "$WORK/driver" /usr/local/lib/pkcs11/p11prof-shim-test.so "$WORK/counts" finalize 2 20011
  check "$(basename "$name"): the application ends" [ $? -eq 0 ]
}

for drain in thread exit external; do
  trace root "$drain" env HOME=/root
  trace user "$drain" setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/home/user
done
/usr/bin/python3 "$ROOT/tests/integration/apparmor_rules.py" "$RULES" "$WORK"/trace-* >"$WORK/found"
code=$?
cat "$WORK/found"
check "they allow all that was done" [ $code -eq 0 ]
for rule in 'owner /dev/shm/p11prof-' 'owner /var/lib/p11prof/' 'owner @{HOME}' '/sys/devices/system/clock'; do
  check "... by '$rule'" not grep -qF "not needed: $rule" "$WORK/found"
  grep -vF "$rule" "$RULES" >"$WORK/fewer"
  check "... and not without" not /usr/bin/python3 "$ROOT/tests/integration/apparmor_rules.py" \
    "$WORK/fewer" "$WORK"/trace-*
done

finish
