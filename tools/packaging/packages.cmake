# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# `cpack -G DEB`: p11prof, p11prof-shim, and their debug symbols. Whoever gives packages to others
# names himself: cpack -D CPACK_PACKAGE_CONTACT='Name <address>'.
set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL p11prof shim symbols)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_PACKAGE_CONTACT "The p11prof authors <p11prof@example.org>")
set(CPACK_DEBIAN_PACKAGE_RELEASE 0upstream1) # a package of Debian's own is newer
set(CPACK_DEBIAN_PACKAGE_SOURCE p11prof)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_VERBATIM_VARIABLES ON)
# With DESTDIR, so that install rules know the prefix that files will have.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has its own
set(CPACK_DEBIAN_P11PROF_PACKAGE_NAME p11prof)
set(CPACK_DEBIAN_P11PROF_PACKAGE_SECTION utils)
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_COMPONENT_P11PROF_DEPENDS shim)
set(CPACK_DEBIAN_P11PROF_PACKAGE_SUGGESTS "opensc, softhsm2, sqlite3")
set(CPACK_COMPONENT_P11PROF_DESCRIPTION "profiler and load tool for PKCS#11 modules and tokens
p11prof tells what a PKCS#11 application and its token (an HSM, a smart card,
SoftHSM) really do, and how fast. It records every call of a program without
changing it, reports counts, errors, latencies and what could be saved,
compares runs, and measures tokens under load.

Recordings are SQLite databases. No PIN, key or data is ever recorded.")

set(CPACK_DEBIAN_SHIM_PACKAGE_NAME p11prof-shim)
set(CPACK_DEBIAN_SHIM_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_SHIM_PACKAGE_SUGGESTS p11prof)
set(CPACK_COMPONENT_SHIM_DESCRIPTION "PKCS#11 module that times every call of another one
The shim stands in for any PKCS#11 module: each call passes through it
unchanged and is timed into an SQLite database. A copy of it with a
configuration beside it is named wherever the real module was. It needs
nothing but the C library.

The package p11prof has the command that reads the databases.")

set(CPACK_DEBIAN_SYMBOLS_PACKAGE_NAME p11prof-dbgsym)
set(CPACK_DEBIAN_SYMBOLS_PACKAGE_SECTION debug)
set(CPACK_DEBIAN_SYMBOLS_PACKAGE_SHLIBDEPS OFF)
set(CPACK_COMPONENT_SYMBOLS_DESCRIPTION "debug symbols of p11prof and p11prof-shim
For debuggers, and for who wants to see p11prof's own functions by name.")
# A component without a file would be left out; debian.cmake takes them from the others.
install(CODE "" COMPONENT symbols EXCLUDE_FROM_ALL)

foreach(script postinst prerm postrm)
  configure_file(${script}.in scripts/${script} @ONLY FILE_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  list(APPEND CPACK_DEBIAN_P11PROF_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_BINARY_DIR}/scripts/${script})
endforeach()

# What only packages have, and what Debian has compressed.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_SOURCE_DIR}/debian.cmake)
set(CPACK_P11PROF_SOURCE ${PROJECT_SOURCE_DIR})
include(CPack)
