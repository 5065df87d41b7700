/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A scrape: takes what waits in spools, reads what is new, makes the page. One thread. */
#ifndef P11PROF_EXPORTER_SCRAPE_H
#define P11PROF_EXPORTER_SCRAPE_H

#include "database.h"
#include "sums.h"

#include <signal.h>
#include <sys/stat.h>

/* Starts with its first three members and the settings of the book of `sums`. */
struct exporter {
    struct p11prof_database database; /* chosen, not open */
    bool no_collect;
    sigset_t end_signals; /* all threads block them; one that waits ends a scrape */
    struct exporter_sums sums;
    struct stat file; /* of the open database */
    char said[1024];  /* what is wrong was said; "": nothing is */
    bool failed;      /* the last page said so */
};

/* Returns the page, which the caller frees. What is wrong is said on stderr when it begins; the
 * page says that it is, too. max_seconds: after which reading is given up; what was read is kept.
 * 0: never. */
char *exporter_scrape(struct exporter *exporter, double max_seconds, size_t *bytes);

void exporter_clear(struct exporter *exporter);

#endif
