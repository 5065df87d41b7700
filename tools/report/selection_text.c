/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A selection as the options that make it. */
#include "allocate.h"
#include "redact.h"
#include "selection.h"

#include <string.h>

/* "--key-type": the option of a dimension. */
static void write_option(FILE *stream, const char *name)
{
    fputs(" --", stream);
    for (; *name; name++)
        putc(*name == '_' ? '-' : *name, stream);
}

char *p11prof_selection_text(const struct p11prof_selection *selection, bool redact)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    for (size_t i = 0; i < selection->filter_count; i++) {
        const struct p11prof_filter *filter = &selection->filters[i];
        write_option(stream, p11prof_dimensions[filter->id].name);
        fprintf(stream, " %s",
                redact && p11prof_is_redacted(filter->id) ? "(redacted)" : filter->words);
    }
    if (selection->slower_than_ns > 0)
        fprintf(stream, " --slower-than %s", selection->slower_than_text);
    if (selection->since.kind != P11PROF_MOMENT_NONE)
        fprintf(stream, " --since %s", selection->since.text);
    if (selection->until.kind != P11PROF_MOMENT_NONE)
        fprintf(stream, " --until %s", selection->until.text);
    fclose(stream);
    if (bytes > 0)
        memmove(text, text + 1, bytes);
    return text;
}
