/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "select_options.h"
#include "message.h"

#include <stdio.h>
#include <string.h>

bool p11prof_is_select_option(int id)
{
    return id >= P11PROF_SELECT_FIRST && id < P11PROF_SELECT_END;
}

static bool take_moment(const char *option, struct p11prof_moment *out, const char *value)
{
    if (p11prof_read_moment(value, out))
        return true;
    p11prof_complain(0,
                     "--%s wants a time since the run's start (90s), before its end (-30s) or UTC "
                     "(2026-11-24T10:15), not '%s'",
                     option, value);
    return false;
}

static bool take_duration(struct p11prof_selection *out, const char *value)
{
    out->slower_than_text = value;
    if (p11prof_read_duration(value, &out->slower_than_ns) && out->slower_than_ns > 0)
        return true;
    p11prof_complain(0, "--slower-than wants a time such as 500us or 20ms, not '%s'", value);
    return false;
}

/* The dimension key_type has the option --key-type. */
static bool complain_wordless(enum p11prof_dimension_id id, const char *value)
{
    char name[32];
    snprintf(name, sizeof name, "%s", p11prof_dimensions[id].name);
    for (char *at = name; (at = strchr(at, '_'));)
        *at = '-';
    p11prof_complain(0, "--%s wants a word, not '%s'", name, value);
    return false;
}

static bool take_filter(struct p11prof_selection *out, enum p11prof_dimension_id id,
                        const char *value)
{
    if (value[0] == '\0' || (value[0] == '!' && value[1] == '\0'))
        return complain_wordless(id, value);
    if (p11prof_selection_add(out, id, value))
        return true;
    p11prof_complain(0, "more than %d filters", P11PROF_FILTERS_MAX);
    return false;
}

bool p11prof_select_option(struct p11prof_selection *out, int id, const char *value)
{
    switch (id) {
    case P11PROF_SELECT_SINCE:
        return take_moment("since", &out->since, value);
    case P11PROF_SELECT_UNTIL:
        return take_moment("until", &out->until, value);
    case P11PROF_SELECT_SLOWER_THAN:
        return take_duration(out, value);
    default:
        return take_filter(out, (enum p11prof_dimension_id)(id - P11PROF_SELECT_FIRST), value);
    }
}
