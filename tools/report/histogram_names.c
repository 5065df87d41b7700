/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "group_names.h"
#include "histogram_steps.h"

static void add_column(struct p11prof_table *names, const char *column)
{
    if (p11prof_table_find(names, column) == names->column_count)
        p11prof_table_add_column(names, column, false);
}

static void add_columns(struct p11prof_table *names, const struct p11prof_histogram_set *set)
{
    static const char *const of_loads[] = {"test",    "name",      "load",       "step",
                                           "threads", "processes", "data_bytes", NULL};
    const struct p11prof_grouping *grouping = &p11prof_histogram_tally(set)->grouping;
    bool loads = set->of == P11PROF_HISTOGRAM_LOADS;
    for (size_t i = 0; loads && of_loads[i]; i++)
        add_column(names, of_loads[i]);
    for (size_t i = 0; !loads && i < grouping->count; i++)
        add_column(names, p11prof_dimensions[grouping->ids[i]].column);
}

static enum p11prof_status add_row(struct p11prof_table *names,
                                   const struct p11prof_histogram_group *group, struct sqlite3 *db,
                                   struct p11prof_error *error)
{
    const struct p11prof_histogram_set *set = group->set;
    const struct p11prof_tally *tally = p11prof_histogram_tally(set);
    struct p11prof_cell *row = p11prof_table_add_row(names);
    if (set->of == P11PROF_HISTOGRAM_LOADS) {
        p11prof_table_copy_row(names, row, &set->loads,
                               p11prof_histogram_load_row(set, &group->tally->key));
        return P11PROF_OK;
    }
    if (set->runs->run_count == 1 && !p11prof_grouping_has(&tally->grouping, P11PROF_BY_RUN))
        p11prof_table_set_integer(names, row, "run_id", set->runs->run_ids[0]);
    return p11prof_group_names(names, row, tally, &group->tally->key, &set->scan.texts, db, error);
}

enum p11prof_status p11prof_histogram_name(struct p11prof_histogram *histogram, struct sqlite3 *db,
                                           struct p11prof_error *error)
{
    add_column(&histogram->names, "run_id");
    for (size_t i = 0; i < histogram->set_count; i++)
        add_columns(&histogram->names, &histogram->sets[i]);
    for (size_t i = 0; i < histogram->group_count; i++)
        if (add_row(&histogram->names, &histogram->groups[i], db, error) != P11PROF_OK)
            return error->status;
    return P11PROF_OK;
}
