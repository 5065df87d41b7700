# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# cpack calls this when the files of its packages are in place: adds what Debian wants of a package
# (copyright, changelogs, overrides of lintian), compresses what is compressed there, and moves
# debug symbols to the package of symbols.
cmake_minimum_required(VERSION 3.25)
foreach(program gzip objcopy readelf)
  find_program(${program} ${program} REQUIRED)
endforeach()
if(NOT CPACK_GENERATOR STREQUAL DEB)
  return()
endif()

# run(COMMAND...): stops where it fails.
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

# move_symbols(FILE): below /usr/lib/debug of the package of symbols, by the build's id.
set(debug ${CPACK_TEMPORARY_DIRECTORY}/symbols/usr/lib/debug/.build-id)
function(move_symbols file)
  execute_process(COMMAND ${readelf} --notes ${file} OUTPUT_VARIABLE notes COMMAND_ERROR_IS_FATAL ANY)
  if(NOT notes MATCHES "Build ID: ([0-9a-f][0-9a-f])([0-9a-f]+)")
    message(FATAL_ERROR "${file} has no build id: its symbols cannot be packaged")
  endif()
  set(symbols ${debug}/${CMAKE_MATCH_1}/${CMAKE_MATCH_2}.debug)
  file(MAKE_DIRECTORY ${debug}/${CMAKE_MATCH_1})
  run(${objcopy} --only-keep-debug --compress-debug-sections ${file} ${symbols})
  file(CHMOD ${symbols} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  run(${objcopy} --strip-unneeded --remove-section=.comment --add-gnu-debuglink=${symbols} ${file})
endfunction()

# The time of the changelog's entry: that of the revision, or of the changelog.
set(date "")
if(EXISTS ${CPACK_P11PROF_SOURCE}/.git)
  execute_process(COMMAND git log -1 --format=%cD WORKING_DIRECTORY ${CPACK_P11PROF_SOURCE}
    OUTPUT_VARIABLE date ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()
if(NOT date)
  execute_process(COMMAND date -R -r ${CPACK_P11PROF_SOURCE}/CHANGELOG.md
    OUTPUT_VARIABLE date COMMAND_ERROR_IS_FATAL ANY OUTPUT_STRIP_TRAILING_WHITESPACE)
endif()

foreach(component ${CPACK_COMPONENTS_ALL})
  string(TOUPPER ${component} upper)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(root ${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_INSTALL_PREFIX})
  set(docs ${root}/share/doc/${package})
  file(GLOB_RECURSE libraries ${root}/lib/*.so)
  file(GLOB programs ${root}/bin/* ${root}/lib/*/p11prof/p11prof-symbols)
  foreach(file ${libraries} ${programs})
    if(NOT IS_SYMLINK ${file})
      move_symbols(${file})
    endif()
  endforeach()
  configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright ${docs}/copyright COPYONLY)
  configure_file(${CPACK_P11PROF_SOURCE}/CHANGELOG.md ${docs}/changelog COPYONLY)
  file(WRITE ${docs}/changelog.Debian
    "p11prof (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) bookworm; urgency=medium\n\n"
    "  * p11prof ${CPACK_PACKAGE_VERSION}: changelog.gz says what is new.\n\n"
    " -- ${CPACK_PACKAGE_CONTACT}  ${date}\n")
  file(GLOB pages ${root}/share/man/man*/*)
  foreach(file ${pages} ${docs}/changelog ${docs}/changelog.Debian)
    if(IS_SYMLINK ${file})
      file(READ_SYMLINK ${file} target)
      file(REMOVE ${file})
      file(CREATE_LINK ${target}.gz ${file}.gz SYMBOLIC)
    elseif(NOT file MATCHES "\\.gz$")
      run(${gzip} -9 -n ${file})
    endif()
  endforeach()
  set(overrides ${CMAKE_CURRENT_LIST_DIR}/${package}.lintian-overrides)
  if(EXISTS ${overrides})
    configure_file(${overrides} ${root}/share/lintian/overrides/${package} COPYONLY)
  endif()
endforeach()
