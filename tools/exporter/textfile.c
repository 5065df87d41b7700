/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "textfile.h"

#include "commands.h"
#include "output_file.h"

#include <stdlib.h>
#include <time.h>

static int write_page(struct exporter *exporter, const char *path)
{
    struct output_file file;
    size_t bytes;
    char *page = exporter_scrape(exporter, 0, &bytes);
    int code = output_file_open(&file, path);
    if (code == P11PROF_EXIT_DONE) {
        fwrite(page, 1, bytes, file.stream);
        code = output_file_close(&file);
    }
    free(page);
    return code;
}

int exporter_textfile(struct exporter *exporter, const char *path, uint64_t interval_ns)
{
    const struct timespec interval = {(time_t)(interval_ns / 1000000000),
                                      (long)(interval_ns % 1000000000)};
    int code = write_page(exporter, path);
    if (interval_ns == 0)
        return code == P11PROF_EXIT_DONE && exporter->failed ? P11PROF_EXIT_FAILED : code;
    while (code == P11PROF_EXIT_DONE && sigtimedwait(&exporter->end_signals, NULL, &interval) < 0)
        code = write_page(exporter, path);
    return code;
}
