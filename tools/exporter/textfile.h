/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Pages as a file, for node_exporter's textfile collector. */
#ifndef P11PROF_EXPORTER_TEXTFILE_H
#define P11PROF_EXPORTER_TEXTFILE_H

#include "scrape.h"

/* Replaces the file, in one step: once (interval_ns 0), or again and again until a signal ends it.
 * Returns an exit code, after it said what is wrong: once, also where the page says that the
 * database could not be read. */
int exporter_textfile(struct exporter *exporter, const char *path, uint64_t interval_ns);

#endif
