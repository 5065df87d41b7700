# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The p11prof authors
# cmake -D SOURCE=DIR -D OUTPUT=FILE -P revision.cmake: a header with the revision of the sources in
# git, at each build; none where they are no checkout of their own, as in a tarball.
cmake_minimum_required(VERSION 3.25)
set(revision "")
find_program(GIT git)
if(GIT AND EXISTS ${SOURCE}/.git)
  execute_process(COMMAND ${GIT} describe --always --dirty --abbrev=12 --match v[0-9]*
    WORKING_DIRECTORY ${SOURCE} OUTPUT_VARIABLE described RESULT_VARIABLE code ERROR_QUIET
    OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(code EQUAL 0)
    set(revision " (git ${described})")
  endif()
endif()
# Written only if it changed, so that nothing is built again.
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT "#define P11PROF_REVISION \"@revision@\"\n")
