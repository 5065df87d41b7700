/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The other side of a key agreement, in software. */
#ifndef P11PROF_BENCH_DERIVE_PEER_H
#define P11PROF_BENCH_DERIVE_PEER_H

#include "test.h"

enum { P11PROF_BENCH_POINT_MAX = 160, P11PROF_BENCH_SECRET_MAX = 80 };

struct p11prof_bench_peer {
    CK_BYTE point[P11PROF_BENCH_POINT_MAX]; /* of the peer, uncompressed */
    CK_BYTE der[P11PROF_BENCH_POINT_MAX];   /* the same as an OCTET STRING */
    CK_ULONG point_bytes, der_bytes;
    CK_BYTE secret[P11PROF_BENCH_SECRET_MAX]; /* what both must come to */
    size_t secret_bytes; /* 0: the token does not tell its public point, nothing to compare with */
};

/* Makes a peer on the curve of the job's key. NULL, or what is wrong. */
const char *p11prof_bench_peer_make(struct p11prof_bench_peer *peer, struct p11prof_bench_job *job);

/* HMAC-SHA256 with the secret as the key. */
void p11prof_bench_peer_mac(const struct p11prof_bench_peer *peer, const CK_BYTE *in,
                            size_t in_bytes, CK_BYTE mac[static 32]);

#endif
