/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "slo_search.h"

#include "ramp.h"

#include <math.h>

/* A queue is short up to about 70 % of what is possible; more than a third above it is not. At a
 * 20th there is none: what is too long then is so without any load. */
static const double first_part = 0.7, up = 1.25, most_part = 1.35, down = 0.5, least_part = 0.05;
static const double width = 0.03; /* of the interval in the end */
enum { PROBES_MOST = 24, DIGITS = 3 };

static double candidate(const struct slo_search *search)
{
    if (search->met > 0 && search->above > 0)
        return (search->met + search->above) / 2;
    if (search->met > 0)
        return search->met * up;
    return search->above > 0 ? search->above * down : search->most * first_part;
}

static bool is_over(const struct slo_search *search)
{
    if (search->probe_count >= PROBES_MOST)
        return true;
    if (search->met > 0 && search->above > 0)
        return search->above <= search->met * (1 + width);
    if (search->met > 0)
        return search->met >= search->most * most_part;
    return search->above > 0 && search->above < search->most * least_part;
}

double slo_search_next(const struct slo_search *search)
{
    if (is_over(search))
        return 0;
    double rate = ramp_round(candidate(search), DIGITS);
    bool inside = rate > search->met && (search->above == 0 || rate < search->above);
    return inside ? rate : 0;
}

void slo_search_take(struct slo_search *search, double rate, bool met)
{
    search->probe_count++;
    if (met && rate > search->met)
        search->met = rate;
    if (!met && (search->above == 0 || rate < search->above))
        search->above = rate;
}
