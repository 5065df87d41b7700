/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The map of loaded objects, so that a return address can be told as a library. */
#ifndef P11PROF_SHIM_OBJECTS_H
#define P11PROF_SHIM_OBJECTS_H

#include "spool.h"

/* Writes the executable file mappings of this process to the spool: "start-end offset path\n" in
 * hex. Reads /proc/self/maps: unlike dl_iterate_phdr() it takes no lock of ld.so. Without /proc the
 * map stays empty. */
void p11prof_objects_write(struct p11prof_spool *spool);

#endif
