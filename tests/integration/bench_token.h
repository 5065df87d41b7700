/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A token in this process, of SoftHSM in a folder of its own or of our own module, and a list of
 * its functions that fails or lies when it is told to. Failures are cmocka assertions. */
#ifndef P11PROF_TESTS_BENCH_TOKEN_H
#define P11PROF_TESTS_BENCH_TOKEN_H

#include "bench/test.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>

struct bench_token {
    const char *pin;  /* of the user */
    char folder[256]; /* "": none */
    void *library;
    CK_FUNCTION_LIST *real;                          /* counts sessions */
    const struct p11prof_function_list *functions_3; /* of 3.x; NULL: it has none */
    CK_SLOT_ID slot_id;
};

/* The path of our own module is in $P11PROF_TEST_TOKEN_MODULE; if it is not set, that of SoftHSM is
 * in $P11PROF_TEST_SOFTHSM; false if that is not there. */
bool bench_token_set_up(struct bench_token *token);
void bench_token_tear_down(struct bench_token *token);

CK_SESSION_HANDLE bench_token_session(const struct bench_token *token);
void bench_token_login(const struct bench_token *token, CK_SESSION_HANDLE session);

/* What it says it can do. Owned by the caller: free() mechanisms and infos. */
struct p11prof_bench_token_facts bench_token_facts(const struct bench_token *token);

/* Objects that a session sees, and sessions that are open. */
CK_ULONG bench_token_objects(const struct bench_token *token, CK_SESSION_HANDLE session);
CK_ULONG bench_token_sessions(void);

/* The functions of the module through which `bench_fault` works. */
CK_FUNCTION_LIST *bench_token_faulty(const struct bench_token *token);

/* What other modules do that SoftHSM does not; bits of bench_fault.habits. */
enum {
    BENCH_BARE_POINTS = 1,    /* CKA_EC_POINT without DER */
    BENCH_DER_PEERS = 2,      /* the peer's point of a derivation only in DER */
    BENCH_SENSITIVE_ONLY = 4, /* derives no key that can be read */
};

/* What the faulty list does. All 0: what the module does. */
struct bench_fault {
    unsigned long calls;   /* counts all */
    unsigned long fail_at; /* the call with this number answers CKR_DEVICE_ERROR, and is not made */
    unsigned long fail_more;    /* so do so many after it */
    bool late;                  /* it is made */
    bool too_small;             /* it answers CKR_BUFFER_TOO_SMALL instead */
    bool wrong;                 /* every output is wrong */
    bool silent;                /* what would be wrong stays as it was */
    bool ends_only, parts_only; /* of several parts only the end, or all but it */
    unsigned habits;
    bool verify_all; /* C_Verify is always content */
};
extern struct bench_fault bench_fault;

#endif
