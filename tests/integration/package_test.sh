#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# The Debian packages of this build: what lintian says, what is in them, and that it works wherever it
# is unpacked. tests/package installs them. Environment: P11PROF, APP (record_app), NULL_MODULE, ROOT
# (of the sources), BUILD (where they are built), SANITIZED.

. "$(dirname "$0")/shell_test.sh"
[ -z "$SANITIZED" ] || { echo "skipped: nobody packages sanitizers" && exit 77; }
need "${APP:?}" "${NULL_MODULE:?}" cpack cmake scdoc dpkg-deb dpkg-shlibdeps lintian objcopy readelf file \
  sqlite3 /usr/bin/python3
PACKAGES=$WORK/packages
UNPACKED=$WORK/unpacked
mkdir "$UNPACKED"
export XDG_STATE_HOME="$WORK" HOME="$WORK"

# quietly COMMAND...: what it prints is of interest if it fails.
quietly() {
  "$@" >"$WORK/out" 2>&1 </dev/null || { cat "$WORK/out" && false; }
}

# field PACKAGE NAME: of its control file.
field() {
  dpkg-deb -f "$PACKAGES/$1"_*.deb "$2"
}

# nothing COMMAND...: prints nothing.
nothing() {
  "$@" >"$WORK/out" 2>/dev/null
  not grep . "$WORK/out"
}

# works FOLDER: p11prof finds all its parts there.
works() {
  rm -f "$DB"
  command=$1/bin/p11prof
  check "$2: records" quietly "$command" record --db "$DB" --module "$NULL_MODULE" -- "$APP" "$NULL_MODULE"
  check "$2: all calls" [ "$(query "SELECT sum(count) FROM function_stats")" = 10 ]
  check "$2: has a version" [ "$("$command" --version | head -n 1)" = "$("$P11PROF" --version | head -n 1)" ]
  check "$2: has ready queries" quietly "$command" sql --db "$DB" @functions
  check "$2: names callers" quietly "$command" report --db "$DB" --by caller
  check "$2: has names of functions" [ "$(query "SELECT count(*) > 0 FROM calls WHERE caller_symbol IS NOT NULL")" = 1 ]
  check "$2: has a link for bench" quietly "$1/bin/p11prof-bench" --help
  for extension in "$1"/lib/p11prof/p11prof-sql.so "$1"/lib/*/p11prof/p11prof-sql.so; do
    [ ! -e "$extension" ] || found=$extension
  done
  check "$2: has the extension of SQLite" \
    [ "$(sqlite3 :memory: ".load $found" "SELECT median(value) FROM json_each('[1, 2, 9]')")" = 2 ]
}

# elf FILE: it is none, or has no path to look for libraries in, is stripped, and safe to map.
elf() {
  readelf --file-header "$1" >/dev/null 2>&1 || return 0
  readelf --wide --dynamic --segments --sections "$1" >"$WORK/elf"
  for wanted in '\bNOW\b' GNU_RELRO; do
    grep -q "$wanted" "$WORK/elf" || { echo "$1 has no $wanted" && return 1; }
  done
  not grep -E 'RPATH|RUNPATH|\.symtab|\.debug_info' "$WORK/elf"
}

check "cpack" quietly cpack -G DEB --config "$BUILD/CPackConfig.cmake" -B "$PACKAGES"
[ "$FAILED" -eq 0 ] || exit 1
check "three packages" [ "$(cd "$PACKAGES" && printf '%s\n' *_*.deb | sed 's/_.*//' | sort | xargs)" = \
  "p11prof p11prof-dbgsym p11prof-shim" ]
check "lintian has no errors" quietly lintian --fail-on error "$PACKAGES"/*.deb
version=$("$P11PROF" --version | sed -n '1s/^p11prof \([^ ]*\).*/\1/p')
for package in p11prof p11prof-shim p11prof-dbgsym; do
  check "$package: the version" [ "$(field $package Version | cut -d- -f1)" = "$version" ]
  check "$package: unpacks" dpkg-deb -x "$PACKAGES/$package"_*.deb "$UNPACKED/$package"
  check "$package: belongs to root" not grep -v ' root/root ' <<END
$(dpkg-deb -c "$PACKAGES/$package"_*.deb)
END
  check "$package: has a changelog" \
    grep -q "^p11prof ($(field $package Version)) " <<END
$(zcat "$UNPACKED/$package/usr/share/doc/$package/changelog.Debian.gz")
END
  check "$package: has licences" grep -q common-licenses/Apache-2.0 "$UNPACKED/$package/usr/share/doc/$package/copyright"
done
check "the shim needs the C library alone" [ "$(field p11prof-shim Depends | sed 's/ (.*//')" = libc6 ]
check "the command needs this shim" [ "$(field p11prof Depends | cut -d, -f1)" = "p11prof-shim (= $(field p11prof Version))" ]
mkdir "$WORK/both"
cp -r "$UNPACKED/p11prof-shim/." "$UNPACKED/p11prof/." "$WORK/both/"

find "$WORK/both" -type f >"$WORK/files"
while read -r file; do
  check "${file##*/}: fit for a package" elf "$file"
done <"$WORK/files"
check "nothing has the place of the build" nothing grep -rlaF "$BUILD" "$WORK/both"
check "nothing has the place of the packages" nothing grep -rlaF "$PACKAGES" "$WORK/both"
check "shim and audit library side by side" [ "$(cd "$WORK/both/usr/lib" && ls -- */pkcs11)" = "p11prof-audit.so
p11prof-shim.so" ]
check "in the folder of the architecture" [ -e "$WORK/both/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)/pkcs11/p11prof-shim.so" ]
if [ -d "$ROOT/docs/man" ]; then
  for program in "$WORK"/both/usr/bin/*; do
    check "${program##*/}: has a manual page" gzip -t "$WORK/both/usr/share/man/man1/${program##*/}.1.gz"
  done
fi
# units PREFIX FOLDER: those in FOLDER start what is in PREFIX.
units() {
  for unit in "$ROOT"/tools/systemd/*.in; do
    [ -e "$unit" ] || continue
    name=$(basename "$unit" .in)
    check "$name: starts $1/bin/p11prof" grep -q "^ExecStart=$1/bin/p11prof " "$2/lib/systemd/system/$name"
    check "$name: has no gap" not grep -q '@[A-Z]' "$2/lib/systemd/system/$name"
  done
}
units /usr "$WORK/both/usr"
for script in postinst prerm postrm; do
  dpkg-deb --info "$PACKAGES"/p11prof_*.deb $script >"$WORK/script"
  check "$script: is a script" sh -n "$WORK/script"
  for unit in "$ROOT"/tools/systemd/*.in; do
    [ ! -e "$unit" ] || check "$script: knows ${unit##*/}" grep -qF " $(basename "$unit" .in)" "$WORK/script"
  done
done
works "$WORK/both/usr" "unpacked elsewhere"

# cmake --install, with another prefix.
check "cmake --install" quietly cmake --install "$BUILD" --prefix "$WORK/one"
units "$WORK/one" "$WORK/one"
mv "$WORK/one" "$WORK/two"
works "$WORK/two" "installed and moved"
check "installed guides lead to what is installed" \
  /usr/bin/python3 -B "$ROOT/tests/integration/docs_check.py" links "$WORK/two/share/doc/p11prof"

# listed FOLDER: files, wherever libraries are, however compressed, whichever package documents them.
listed() {
  (cd "$1" && find . ! -type d) | sed -e 's|/lib/[^/]*-linux-gnu/|/lib/|; s|\.gz$||' -e '/lintian/d' \
    -e '/doc\/.*\/\(copyright\|changelog.*\|LICENSE\|CHANGELOG\.md\)$/d' | sort
}
listed "$WORK/both/usr" >"$WORK/packaged"
listed "$WORK/two" >"$WORK/installed"
check "packages have what cmake --install installs" diff "$WORK/installed" "$WORK/packaged"

# The revision: of a checkout, and of nothing else.
mkdir "$WORK/tarball"
check "no checkout" quietly cmake -D SOURCE="$WORK/tarball" -D OUTPUT="$WORK/revision.h" -P "$ROOT/tools/packaging/revision.cmake"
check "has no revision" grep -qxF '#define P11PROF_REVISION ""' "$WORK/revision.h"

finish
