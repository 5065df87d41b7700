/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What a label and RFC 7512 URIs say of the token, the module, the key and the PIN. */
#ifndef P11PROF_BENCH_TARGET_URI_H
#define P11PROF_BENCH_TARGET_URI_H

#include "target.h"

/* Makes target->uri of --token-label, --uri and --key-uri, which must not contradict each other,
 * and fills the target's key. NULL stays NULL if none was given. P11PROF_BAD_INPUT: one of them is
 * malformed. */
enum p11prof_status p11prof_bench_uri_read(struct p11prof_bench_target *target,
                                           const struct p11prof_bench_target_options *options,
                                           struct p11prof_error *error);

/* module-path, module-name, pin-value and pin-source: NULL if the target has none. Borrowed. */
const char *p11prof_bench_uri_module_path(const struct p11prof_bench_target *target);
const char *p11prof_bench_uri_module_name(const struct p11prof_bench_target *target);
const char *p11prof_bench_uri_pin_value(const struct p11prof_bench_target *target);
const char *p11prof_bench_uri_pin_source(const struct p11prof_bench_target *target);

/* Wipes pin-value. */
void p11prof_bench_uri_forget_pin(struct p11prof_bench_target *target);

void p11prof_bench_uri_free(struct p11prof_bench_target *target);

#endif
