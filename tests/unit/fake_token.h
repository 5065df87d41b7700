/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A module of four slots whose tokens and answers a test sets; it counts the logins, also those of
 * forked processes. */
#ifndef P11PROF_TESTS_FAKE_TOKEN_H
#define P11PROF_TESTS_FAKE_TOKEN_H

#include "p11prof/pkcs11.h"

#include <stdbool.h>

enum { FAKE_SLOTS = 4, FAKE_FIRST_SLOT = 70 };

struct fake_slot {
    CK_RV rv; /* of C_GetTokenInfo */
    CK_TOKEN_INFO token;
};

struct fake {
    CK_ULONG slot_count;
    CK_ULONG appearing_count; /* of slots that C_GetSlotList sees only in its second call */
    CK_RV slots_rv;           /* of C_GetSlotList */
    struct fake_slot slots[FAKE_SLOTS];
    CK_RV login_rv;
    unsigned *login_count; /* shared memory */
    bool login_dies;
    CK_BYTE pin[256]; /* of the last login */
    CK_ULONG pin_bytes;
    bool pin_is_null;
};

extern struct fake fake;
extern CK_FUNCTION_LIST fake_module;

/* No slots, every answer CKR_OK, no login yet. */
void fake_reset(void);

/* Adds an initialised token that wants a login: slot FAKE_FIRST_SLOT, and so on. */
CK_TOKEN_INFO *fake_add(const char *label, const char *serial);

#endif
