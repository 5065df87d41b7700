/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "module_file.h"

#include "elf_file.h"
#include "p11prof/copies.h"

enum p11prof_status p11prof_module_file_check(const char *path, bool *shim,
                                              struct p11prof_error *error)
{
    struct p11prof_file file;
    p11prof_file_read(&file, path);
    *shim = false;
    if (file.kind == P11PROF_FILE_FOREIGN)
        return p11prof_error_set(error, P11PROF_BAD_INPUT,
                                 "%s is no module for this machine and word size", path);
    if (file.kind != P11PROF_FILE_LIBRARY)
        return p11prof_error_set(error, P11PROF_BAD_INPUT, "%s is no shared library", path);
    *shim = p11prof_file_holds(path, P11PROF_SHIM_PLACE_MAGIC, P11PROF_COPY_MAGIC_BYTES);
    return P11PROF_OK;
}
