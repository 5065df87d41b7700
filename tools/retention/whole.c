/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "whole.h"
#include "report/query.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum p11prof_status p11prof_check_whole(struct sqlite3 *db, const char *schema, const char *path,
                                        struct p11prof_error *error)
{
    struct p11prof_table check = {.columns = NULL};
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s.quick_check(1)", schema);
    enum p11prof_status status = p11prof_query_table(db, sql, 0, &check, error);
    const char *answer = p11prof_table_text(&check, 0, "quick_check", "it cannot be checked");
    if (status == P11PROF_FAILED || (status == P11PROF_OK && strcmp(answer, "ok") != 0))
        status = p11prof_error_set(error, P11PROF_FAILED,
                                   "%.200s: the database is damaged (%.150s): save what is left of "
                                   "it with sqlite3's .recover",
                                   path, status == P11PROF_OK ? answer : sqlite3_errmsg(db));
    p11prof_table_clear(&check);
    return status;
}
