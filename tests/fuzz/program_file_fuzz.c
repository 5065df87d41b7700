/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Reads any bytes as the file of a program or module, as `p11prof record` does before it runs one:
 * what is found in it ends, and lies in the file. */
#include "fuzz.h"
#include "record/elf_file.h"
#include "record/module_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct p11prof_file file;
    struct p11prof_error error = {.text = ""};
    int fd = memfd_create("program", MFD_CLOEXEC);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    memset(&file, 0xff, sizeof file);
    p11prof_file_read(&file, path);
    size_t length = strnlen(file.interpreter, sizeof file.interpreter);
    bool shim;
    enum p11prof_status status = p11prof_module_file_check(path, &shim, &error);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    check(file.kind <= P11PROF_FILE_LIBRARY, "no kind");
    check(length < sizeof file.interpreter, "an interpreter without end");
    check(length == 0 || memmem(data, size, file.interpreter, length), "not of this file");
    check(size == 0 || p11prof_file_holds(path, data, size), "does not hold itself");
    check(!p11prof_file_holds(path, "p11prof-no-such-bytes", 21) || size >= 21, "holds too much");
    close(fd);
    return 0;
}
