/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A valid spool of 1 MiB with a list of edits, 12 bytes each. */
#ifndef P11PROF_TESTS_FUZZ_SPOOL_EDITS_H
#define P11PROF_TESTS_FUZZ_SPOOL_EDITS_H

#include "spool_image.h"

/* The valid one again, as another process's each time. It is one, and belongs to this file. */
struct spool_image *spool_edits_image(void);

void spool_edits_make(struct spool_image *image, const uint8_t *data, size_t size);

#endif
