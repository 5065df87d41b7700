/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "caller_names.h"
#include "record/parts.h"
#include "symbols/names.h"

#include <limits.h>

void p11prof_caller_names(struct p11prof_store *store)
{
    char helper[PATH_MAX];
    struct p11prof_error error;
    if (p11prof_find_symbols(helper, sizeof helper, &error) == P11PROF_OK)
        p11prof_symbols_name(store, helper);
}
