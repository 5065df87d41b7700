/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Takes a PIN from a file of any bytes: its first line, or a reason why there is none. */
#include "fuzz.h"

#include "bench/pin.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct p11prof_bench_target target;
    struct p11prof_error error = {.text = ""};
    char source[64];
    int fd = memfd_create("pin", MFD_CLOEXEC);
    check(fd >= 0 && write(fd, data, size) == (ssize_t)size && fchmod(fd, 0600) == 0, "no file");
    snprintf(source, sizeof source, "file:/proc/self/fd/%d", fd);
    const struct p11prof_bench_target_options options = {.pin_source = source};
    memset(&target, 0, sizeof target);
    enum p11prof_status status = p11prof_bench_pin_take(&target, &options, &error);
    check(status == P11PROF_OK || (status == P11PROF_BAD_INPUT && error.text[0]), "no reason");
    check((status == P11PROF_OK) == target.has_pin, "a PIN in spite of it");
    check(target.pin_bytes < sizeof target.pin && target.pin_bytes <= size, "more than there is");
    check(status != P11PROF_OK || memcmp(target.pin, data, target.pin_bytes) == 0, "another PIN");
    check(!memchr(target.pin, '\n', target.pin_bytes), "more than a line");
    close(fd);
    return 0;
}
