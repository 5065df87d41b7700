/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Serves pages by HTTP. */
#ifndef P11PROF_EXPORTER_SERVE_H
#define P11PROF_EXPORTER_SERVE_H

#include "listen.h"
#include "scrape.h"

/* Serves until a signal ends it. Returns an exit code, after it said what is wrong. */
int exporter_serve(struct exporter *exporter, struct exporter_place *place);

#endif
