#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/nginx.md. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
need nginx openssl /etc/nginx/nginx.conf
need_engine
port=$(free_port)
map 8443 "$port"
copied /etc/nginx nginx.conf mime.types
# Debian's own main part, which is root's, for one worker and our folders.
sed -i -f "$WORK/map" -e 's/worker_processes auto/worker_processes 2/' "$WORK/etc/nginx/nginx.conf"
mkdir -p "$WORK/var/log/nginx"
unit nginx "$port" "nginx -c $WORK/etc/nginx/nginx.conf -g 'daemon off;'"
# shellcheck disable=SC2317 # recipe_shell.sh calls it
ready() {
  listens "$port"
}
recipe nginx

check "each handshake signed once" [ "$(operations_of nginx sign)" = 5 ]
check "... and as a service" [ "$(operations_of nginx-service sign)" = 7 ]
check "the engine calls" [ "$(called_by nginx-service C_Sign)" = pkcs11.so ]
check "workers of another user signed" [ "$(query "SELECT group_concat(DISTINCT p.user)
  FROM operations JOIN processes AS p USING (run_id, process_id) WHERE operation = 'sign'")" = "$(id -u www-data)" ]
check "the service is one run" [ "$(query "SELECT count(*) FROM runs WHERE name = 'nginx-service'
  AND process_count >= 2")" -ge 1 ]
end_recipe
