/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What SQL has in `p11prof sql`, and in SQLite once p11prof-sql.so is loaded. All are deterministic
 * and harmless in any schema. NULL makes NULL, and aggregates leave it out; a text is taken for the
 * number that it is. What is wrong is an error of the statement that names it.
 *
 *   percentile(x, p)      aggregate: the ceil(n * p / 100)-th smallest of n values, p from 0 to 100
 *                         in steps of 0.0001 and the same in all rows. An integer where all values
 *                         are; NULL of no values. Keeps 8 bytes a value.
 *   median(x)             percentile(x, 50)
 *   histogram(ns)         aggregate: JSON "[[low,high,count],...]" of the buckets of
 *                         p11prof/histogram.h that are not empty, from short to long
 *   latency_low(ns)       lower edge of the bucket that a duration is in
 *   latency_high(ns)      its upper edge, which is not in it
 *   duration(ns)          '1.23 ms', as reports show it; negative ones with '-'
 *   duration_ns(text)     1500000 of '1.5ms' or '1.5 ms'; ns, us, µs, ms, s, m, h, d, w
 *   bar(x, max[, width])  a bar of `width` characters (40; 1 to 1000) where x is max or more, and
 *                         in proportion where it is less, by eighths; nothing only for 0 or less */
#ifndef P11PROF_SQL_FUNCTIONS_H
#define P11PROF_SQL_FUNCTIONS_H

struct sqlite3;

/* Gives them to a connection. Returns a result code of SQLite. */
int p11prof_functions_register(struct sqlite3 *db);

#endif
