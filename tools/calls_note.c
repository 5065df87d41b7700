/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "calls_note.h"

#include "message.h"

void calls_note_missing(const struct p11prof_call_notes *notes, int64_t run_id)
{
    if (notes->lost_count > 0)
        p11prof_note("%llu calls of run %lld were lost and are not here",
                     (unsigned long long)notes->lost_count, (long long)run_id);
    if (notes->pruned_count > 0)
        p11prof_note("%llu calls of run %lld are not kept one by one any more and are not here",
                     (unsigned long long)notes->pruned_count, (long long)run_id);
}
