/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What an object must be, going by what calls do with it. Pure functions. */
#ifndef P11PROF_BENCH_LIKE_TRAITS_H
#define P11PROF_BENCH_LIKE_TRAITS_H

#include <stdint.h>

/* CKK_… that a mechanism's name implies; LIKE_UNKNOWN. */
int64_t like_mechanism_key_type(int64_t mechanism);

/* CKO_… of an object of that key type (or LIKE_UNKNOWN) that is used for these operations, bits
 * 1 << enum p11prof_operation; LIKE_UNKNOWN. */
int64_t like_class_of(int64_t key_type, uint32_t uses);

#endif
