#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# Sources say whose they are and what their licence is, and the licence is there in full.
# Environment: P11PROF, ROOT (of the sources).

. "$(dirname "$0")/shell_test.sh"
need git "$ROOT/.git"

cd "$ROOT" || exit 1
git -c safe.directory="$ROOT" ls-files >"$WORK/files"
check "there are sources" [ "$(wc -l <"$WORK/files")" -gt 500 ]
# Left out: documents, settings of tools, and data: what has no comments, or is an input as it is.
grep -vE -e '\.(md|json)$' -e '^(LICENSE|\.gitignore|\.clang-format|tools/packaging/copyright)$' \
  -e '^tests/(data|fuzz/seeds|fuzz/dictionaries)/' "$WORK/files" |
  while IFS= read -r file; do [ ! -f "$file" ] || echo "$file"; done >"$WORK/sources"
for line in 'License-Identifier: Apache-2.0' 'FileCopyrightText: The p11prof authors'; do
  # shellcheck disable=SC2016
  xargs -d '\n' awk -v line="SPDX-$line" 'FNR <= 5 && index($0, line) { print FILENAME }' <"$WORK/sources" |
    sort -u >"$WORK/headed"
  check "each source says SPDX-$line" [ -z "$(sort "$WORK/sources" | comm -23 - "$WORK/headed" | tee /dev/stderr)" ]
done
if [ -e /usr/share/common-licenses/Apache-2.0 ]; then
  check "LICENSE is Apache's" cmp LICENSE /usr/share/common-licenses/Apache-2.0
fi

finish
