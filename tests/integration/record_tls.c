/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A library like libjemalloc: its variables of each thread must be in static TLS. */
enum { TLS_BYTES = 2632 };

static __thread char record_tls[TLS_BYTES] __attribute__((tls_model("initial-exec")));

char *record_tls_of_thread(void);
char *record_tls_of_thread(void)
{
    return record_tls;
}
