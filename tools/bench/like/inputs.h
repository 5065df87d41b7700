/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What only a key can make: right signatures, ciphertexts, wrapped keys, points. Made through a
 * module's own functions, unrecorded. */
#ifndef P11PROF_BENCH_LIKE_INPUTS_H
#define P11PROF_BENCH_LIKE_INPUTS_H

#include "functions.h"
#include "stage.h"

/* Where it is made. */
struct like_input_place {
    const struct like_stage *stage;
    CK_FUNCTION_LIST *module;
    CK_SESSION_HANDLE session; /* with no operation open */
    CK_OBJECT_HANDLE key;      /* of the input's object */
    CK_OBJECT_HANDLE other;    /* its other half; the same for a secret key */
};

/* Fills value (of input->capacity bytes) and input->bytes. An answer that is not CKR_OK: the call
 * will get random data. */
CK_RV like_input_make(struct like_input *input, CK_BYTE *value,
                      const struct like_input_place *place);

#endif
