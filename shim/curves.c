/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Sizes of the named curves, by their DER-encoded object identifier or PrintableString. */
#include "p11prof/curves.h"

#include <string.h>

static const struct curve {
    const char *der;
    uint16_t bytes;
    uint16_t bits;
} curves[] = {
/* clang-format off */
#define CURVE(bits, der) {der, sizeof(der) - 1, bits},
    /* prime192v1, prime256v1 */
    CURVE(192, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01")
    CURVE(256, "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07")
    /* secp192k1, secp224k1, secp224r1, secp256k1, secp384r1, secp521r1 */
    CURVE(192, "\x06\x05\x2b\x81\x04\x00\x1f")
    CURVE(224, "\x06\x05\x2b\x81\x04\x00\x20")
    CURVE(224, "\x06\x05\x2b\x81\x04\x00\x21")
    CURVE(256, "\x06\x05\x2b\x81\x04\x00\x0a")
    CURVE(384, "\x06\x05\x2b\x81\x04\x00\x22")
    CURVE(521, "\x06\x05\x2b\x81\x04\x00\x23")
    /* brainpoolP160r1, P160t1, P192r1 … P512t1 */
    CURVE(160, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x01")
    CURVE(160, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x02")
    CURVE(192, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x03")
    CURVE(192, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x04")
    CURVE(224, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x05")
    CURVE(224, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x06")
    CURVE(256, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07")
    CURVE(256, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x08")
    CURVE(320, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x09")
    CURVE(320, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0a")
    CURVE(384, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b")
    CURVE(384, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0c")
    CURVE(512, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0d")
    CURVE(512, "\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0e")
    /* X25519, X448, Ed25519, Ed448 (RFC 8410), and the older ones of GnuPG */
    CURVE(255, "\x06\x03\x2b\x65\x6e")
    CURVE(448, "\x06\x03\x2b\x65\x6f")
    CURVE(255, "\x06\x03\x2b\x65\x70")
    CURVE(448, "\x06\x03\x2b\x65\x71")
    CURVE(255, "\x06\x0a\x2b\x06\x01\x04\x01\x97\x55\x01\x05\x01")
    CURVE(255, "\x06\x09\x2b\x06\x01\x04\x01\xda\x47\x0f\x01")
    /* SM2, FRP256v1 */
    CURVE(256, "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d")
    CURVE(256, "\x06\x0a\x2a\x81\x7a\x01\x81\x5f\x65\x82\x00\x01")
    /* PrintableString names (3.0 section 6.3.3) */
    CURVE(255, "\x13\x0a" "curve25519")
    CURVE(448, "\x13\x08" "curve448")
    CURVE(255, "\x13\x0c" "edwards25519")
    CURVE(448, "\x13\x0a" "edwards448")
    CURVE(192, "\x13\x09" "secp192r1")
    CURVE(224, "\x13\x09" "secp224r1")
    CURVE(256, "\x13\x09" "secp256r1")
    CURVE(256, "\x13\x09" "secp256k1")
    CURVE(384, "\x13\x09" "secp384r1")
    CURVE(521, "\x13\x09" "secp521r1")
    CURVE(192, "\x13\x0a" "prime192v1")
    CURVE(256, "\x13\x0a" "prime256v1")
    CURVE(192, "\x13\x05" "P-192")
    CURVE(224, "\x13\x05" "P-224")
    CURVE(256, "\x13\x05" "P-256")
    CURVE(384, "\x13\x05" "P-384")
    CURVE(521, "\x13\x05" "P-521")
    /* clang-format on */
};

unsigned p11prof_curve_bits(const uint8_t *parameters, size_t bytes)
{
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (curves[i].bytes == bytes && memcmp(curves[i].der, parameters, bytes) == 0)
            return curves[i].bits;
    return 0;
}
