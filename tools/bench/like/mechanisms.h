/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Mechanisms with parameters that somebody made up: what was recorded says the mechanism only. */
#ifndef P11PROF_BENCH_LIKE_MECHANISMS_H
#define P11PROF_BENCH_LIKE_MECHANISMS_H

#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LIKE_IV_BYTES = 16 };

/* CK_CCM_PARAMS, which p11-kit's headers do not have. */
struct like_ccm_params {
    CK_ULONG ulDataLen;
    CK_BYTE *pNonce;
    CK_ULONG ulNonceLen;
    CK_BYTE *pAAD;
    CK_ULONG ulAADLen, ulMACLen;
};

/* It points into itself: not to be copied. */
struct like_mechanism {
    CK_MECHANISM mechanism;
    union {
        CK_RSA_PKCS_PSS_PARAMS pss;
        CK_RSA_PKCS_OAEP_PARAMS oaep;
        CK_AES_CTR_PARAMS ctr;
        CK_GCM_PARAMS gcm;
        struct like_ccm_params ccm;
        CK_ECDH1_DERIVE_PARAMS ecdh;
        CK_KEY_DERIVATION_STRING_DATA string;
        CK_ULONG length;
    } parameter;
    CK_BYTE iv[LIKE_IV_BYTES];
};

/* With this IV or nonce. data_bytes: what the operation is about (of PSS: the hash). value: the
 * peer's public point (ECDH), the data of a derivation; borrowed. */
void like_mechanism_make(struct like_mechanism *out, int64_t type, const CK_BYTE iv[LIKE_IV_BYTES],
                         uint64_t data_bytes, CK_BYTE *value, CK_ULONG value_bytes);

/* Whether deriving with it needs a peer's public point. */
bool like_mechanism_is_ecdh(int64_t type);

/* The type of key that a mechanism works with, and a usual size of it; CK_UNAVAILABLE_INFORMATION:
 * not known. */
CK_KEY_TYPE like_mechanism_usual_key(int64_t type, uint32_t *bits);

/* Whether p11prof can make it up at all: not one of a vendor's own. */
bool like_mechanism_is_known(int64_t type);

#endif
