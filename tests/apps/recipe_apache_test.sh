#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/apache.md. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need /usr/sbin/apache2 openssl /usr/lib/apache2/modules/mod_ssl.so
need_engine
port=$(free_port)
map 8443 "$port"
apache=$WORK/etc/apache2
mkdir -p "$apache" "$WORK/run/apache2"
# The main part is Debian's in little: its package is a service, which is not wanted here.
cat >"$apache/envvars" <<END
export APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data
END
cat >"$apache/apache2.conf" <<END
ServerName localhost
ServerRoot $apache
PidFile $WORK/run/apache2/apache2.pid
DefaultRuntimeDir $WORK/run/apache2
ErrorLog $WORK/apache.log
User www-data
Group www-data
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
StartServers 2
IncludeOptional $apache/sites-enabled/*.conf
END
unit apache2 "$port" "apache2 -f $apache/apache2.conf -DFOREGROUND"
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens "$port"
}
recipe apache

check "each handshake signed once" [ "$(operations_of apache sign)" = 5 ]
check "... and as a service" [ "$(operations_of apache-service sign)" = 7 ]
check "the engine calls" [ "$(called_by apache-service C_Sign)" = pkcs11.so ]
check "workers of another user signed" [ "$(query "SELECT group_concat(DISTINCT p.user)
  FROM operations JOIN processes AS p USING (run_id, process_id) WHERE operation = 'sign'")" = \
  "$(id -u www-data)" ]
check "the service is one run" [ "$(query "SELECT count(*) FROM runs WHERE name = 'apache-service'")" = 1 ]
[ "$FAILED" -eq 0 ] || cat "$WORK/apache.log"
end_recipe
