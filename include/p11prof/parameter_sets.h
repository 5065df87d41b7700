/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Parameter sets of ML-DSA, ML-KEM and SLH-DSA keys (3.2): what stands for the size of such a key.
 * Pure data: any thread, no errors.
 *
 * The *number* of a set is what key_bits is everywhere: that of its name where it tells the set,
 * ML-DSA-44, -65 and -87, ML-KEM-512, -768 and -1024. Names of SLH-DSA have the same number four
 * times: there it is CKA_PARAMETER_SET itself, 1 to 12. */
#ifndef P11PROF_PARAMETER_SETS_H
#define P11PROF_PARAMETER_SETS_H

#include <stdint.h>

struct p11prof_parameter_set {
    uint64_t key_type; /* CKK_... */
    uint64_t value;    /* CKP_...: CKA_PARAMETER_SET */
    uint32_t number;
    const char *name; /* "ML-DSA-65", "SLH-DSA-SHA2-128s" */
};

/* NULL: there is no such set of this key type, or it has none. */
const struct p11prof_parameter_set *p11prof_parameter_set_of_value(uint64_t key_type,
                                                                   uint64_t value);
const struct p11prof_parameter_set *p11prof_parameter_set_of_number(uint64_t key_type,
                                                                    uint32_t number);

#endif
