#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# docs/recipes/python.md. Environment: P11PROF, SHIM, ROOT.

. "$(dirname "$0")/recipe_shell.sh"
/usr/bin/python3 -c 'import PyKCS11' 2>/dev/null || {
  echo "skipped: python3-pykcs11 is missing"
  exit 77
}
recipe python

for name in python python-service; do
  check "$name signed" [ "$(operations_of $name sign)" = 20 ]
done
check "PyKCS11 calls" [ "$(called_by python C_Sign | cut -d. -f1)" = _LowLevel ]
end_recipe
