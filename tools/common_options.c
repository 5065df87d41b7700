/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "common_options.h"
#include "message.h"

bool p11prof_common_option(struct p11prof_common_options *out, int id, const char *value)
{
    switch (id) {
    case P11PROF_OPTION_ID_DB:
        out->database.path = value;
        if (value[0])
            return true;
        p11prof_complain(0, "--db wants the path of a database");
        return false;
    case P11PROF_OPTION_ID_NO_COLLECT:
        out->database.no_collect = true;
        return true;
    default:
        return p11prof_format_named(value, &out->format);
    }
}
