/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sizes of named elliptic curves. Pure data: any thread, no errors. */
#ifndef P11PROF_CURVES_H
#define P11PROF_CURVES_H

#include <stddef.h>
#include <stdint.h>

/* Bits of the curve whose CKA_EC_PARAMS these are: an object identifier or a PrintableString, in
 * DER. 0 if it is not known. */
unsigned p11prof_curve_bits(const uint8_t *parameters, size_t bytes);

#endif
