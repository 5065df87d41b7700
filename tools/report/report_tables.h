/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The tables of a report's page: which columns they show. */
#ifndef P11PROF_REPORT_REPORT_TABLES_H
#define P11PROF_REPORT_REPORT_TABLES_H

#include "page.h"
#include "run_report.h"

struct p11prof_report_tables {
    struct p11prof_page *page;
    const char *chosen; /* "a,b": columns that the user wants to see; NULL: the usual ones */
    uint64_t module_ns; /* time in the module, which rows that are left out have a share of */
    struct p11prof_table left_out; /* columns that did not fit */
    bool doubtful, rest_said;      /* a percentile is; rows are left out */
};

/* What one table shows. */
struct p11prof_report_table {
    const char *title;
    const struct p11prof_table *table; /* without rows: it is no part of the page */
    const char *identity;              /* columns that say what a row is, "a b" */
    const char *usual;                 /* the others that are shown, "c d" */
    const struct p11prof_rest *rest;
};

/* Prints one. Chosen columns stand in the order of the choice, behind those of the identity if none
 * of them is chosen; a table that has no chosen column is left out. On a terminal the usual columns
 * are left out, the least important first, until a line fits. */
void p11prof_report_table_print(struct p11prof_report_tables *tables,
                                const struct p11prof_report_table *table);

/* Says below all tables what marks and left out columns mean; frees what *tables has. */
void p11prof_report_tables_end(struct p11prof_report_tables *tables);

#endif
