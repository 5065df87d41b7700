/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "import_fixture.h"

#include <stdlib.h>
#include <string.h>

struct p11prof_import_result imported;
struct p11prof_error import_error;
int64_t known_run;

enum p11prof_status import_bytes(enum p11prof_import_format format, const char *bytes, size_t count)
{
    static struct p11prof_lines lines;
    FILE *stream = fmemopen((void *)bytes, count ? count : 1, "r");
    assert_non_null(stream);
    if (count == 0)
        fgetc(stream);
    struct p11prof_import import = {
        .store = fixture_store, .lines = &lines, .run_name = "imported", .file_name = "a.log"};
    p11prof_lines_init(&lines, stream, "a.log", P11PROF_IMPORT_SPY_BYTES);
    import_error = (struct p11prof_error){.text = ""};
    enum p11prof_status status =
        p11prof_import_file(&import, &format, &imported, &known_run, &import_error);
    fclose(stream);
    return status;
}

enum p11prof_status import_text(const char *text)
{
    return import_bytes(P11PROF_IMPORT_UNKNOWN, text, strlen(text));
}

char *import_data(const char *name, size_t *bytes)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/import/%s", P11PROF_TEST_DATA, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *data = malloc(1 << 20);
    assert_non_null(data);
    *bytes = fread(data, 1, (1 << 20) - 1, file);
    data[*bytes] = '\0';
    fclose(file);
    return data;
}
