/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "untimed_note.h"
#include "message.h"
#include "report/imported.h"

void p11prof_note_untimed(struct sqlite3 *db, const int64_t *run_ids, size_t count)
{
    char text[P11PROF_UNTIMED_BYTES];
    for (size_t i = 0; i < count; i++)
        if (p11prof_run_is_untimed(db, run_ids[i], text))
            p11prof_note("%s", text);
}
