/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* One test of the load tool: what it is, and how a worker does it.
 *
 * A test is a row of catalogue.def. A worker process makes the key of a test once
 * (p11prof_bench_key), each of its threads then opens a *job* on it and runs iterations:
 *
 *   before   what an iteration needs and nobody wants to measure: a nonce, an object to wrap
 *   run      the operation's own C_* calls and nothing else: this is what is measured
 *   check    whether the last result is right: outside the measured time, not recorded
 *   after    takes away what the iteration made, on whatever path it ended
 *
 * The calls of `run` and `after`, and the making of keys, go through `timed`; checks, what `open`
 * tries and what ends an operation that an error left open, go through `raw`, and so does `after`
 * where an iteration is a number of calls. Nothing of this is shared between threads but the key,
 * which nobody changes. */
#ifndef P11PROF_BENCH_TEST_H
#define P11PROF_BENCH_TEST_H

#include "p11prof/calls.h"
#include "p11prof/error.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { P11PROF_BENCH_ID_BYTES = 48, P11PROF_BENCH_REASON_BYTES = 160 };

struct p11prof_bench_job;

/* How the iterations of some tests are done; NULL members: nothing to do. CKR_OK, or what the call
 * that failed answered. */
struct p11prof_bench_steps {
    CK_RV (*open)(struct p11prof_bench_job *job); /* once: buffers, a ciphertext to decrypt */
    CK_RV (*before)(struct p11prof_bench_job *job);
    CK_RV (*run)(struct p11prof_bench_job *job);
    bool (*check)(struct p11prof_bench_job *job);
    void (*after)(struct p11prof_bench_job *job);
    void (*close)(struct p11prof_bench_job *job); /* once, on whatever path */
};

enum p11prof_bench_key_kind {
    P11PROF_BENCH_KEY_NONE,
    P11PROF_BENCH_KEY_RSA,
    P11PROF_BENCH_KEY_EC,         /* key_bits: 256, 384, 521 */
    P11PROF_BENCH_KEY_EDWARDS,    /* key_bits: 255 (Ed25519), 448 */
    P11PROF_BENCH_KEY_MONTGOMERY, /* key_bits: 255 (X25519), 448 */
    P11PROF_BENCH_KEY_AES,
    P11PROF_BENCH_KEY_DES3,    /* key_bits: 192, parity among them */
    P11PROF_BENCH_KEY_GENERIC, /* generic secret, for HMAC */
    P11PROF_BENCH_KEY_ML_DSA,  /* key_bits of these: parameter_sets.h */
    P11PROF_BENCH_KEY_ML_KEM,
    P11PROF_BENCH_KEY_SLH_DSA,
};

struct p11prof_bench_test {
    char id[P11PROF_BENCH_ID_BYTES]; /* "rsa-2048-sign": DESIGN section 10 */
    const char *name;   /* for people: "RSA-2048 sign (SHA-256, PKCS#1)"; owned by the catalogue */
    const char *family; /* word of --test: "sign", "digest", "session" … */
    unsigned suite;     /* place in the default suite, from 1; 0: not in it */
    unsigned operation; /* enum p11prof_operation that an iteration is recorded as */
    unsigned iteration_calls; /* > 0: an iteration is that many calls of whatever kind, since they
                                 are no operation of PKCS#11 (open and close a session), or two */
    CK_MECHANISM_TYPE mechanism; /* CK_UNAVAILABLE_INFORMATION: none */
    enum p11prof_bench_key_kind key_kind;
    uint32_t key_bits;   /* 0: no key */
    uint64_t data_bytes; /* that an iteration works on; 0: not sized */
    bool sized;          /* --data-sizes makes rows of other data_bytes */
    bool alone;          /* changes what all sessions of a process share (login): no other
                            job may be open in the process */
    const struct p11prof_bench_steps *steps;
    const void *variant; /* private to its steps: hash, mode, direction */
};

/* What a process has of a test's key. */
struct p11prof_bench_key {
    CK_OBJECT_HANDLE public_key, private_key, secret_key; /* CK_INVALID_HANDLE: none */
    CK_OBJECT_HANDLE mac_key;                             /* of combined tests: a second one */
    CK_OBJECT_HANDLE *found; /* objects of find-by-label tests; owned */
    unsigned found_count;
    char label[64];                      /* of what we made: "p11prof-…", unique to the run */
    bool token_objects, private_objects; /* what we make is that */
    bool own;                            /* ours: destroyed by p11prof_bench_key_destroy() */
};

/* One thread's work on one test. */
struct p11prof_bench_job {
    const struct p11prof_bench_test *test;
    const struct p11prof_bench_key *key;
    CK_FUNCTION_LIST *timed, *raw;
    const struct p11prof_function_list *timed_3, *raw_3; /* what 3.x adds; all can be called */
    CK_SLOT_ID slot_id;
    CK_SESSION_HANDLE session; /* the job's own, not that of the key: `after` may reopen it */
    const CK_BYTE *pin;        /* login-logout; NULL: not given */
    CK_ULONG pin_bytes;
    CK_BYTE *in, *out; /* of in_capacity, out_capacity bytes; owned by the job */
    CK_ULONG in_bytes, out_bytes;
    size_t in_capacity, out_capacity;
    CK_OBJECT_HANDLE made[2]; /* by the last iteration, for `after` */
    CK_SESSION_HANDLE opened; /* by the last iteration */
    uint64_t iteration;       /* number of the iteration, from 0 */
    void *state;              /* private to the steps: made by open, freed by close */
    const char *failed_call;  /* function that answered the last error: "C_Sign"; NULL: none yet */
    const char *problem;      /* set with an error that no call answered: "accepts wrong …" */
    bool wrong;               /* the problem is a result of the token's */
    bool unfinished;          /* an operation may be open still: `after` ends it */
    bool unchecked;           /* results of this job cannot be checked: the key's other half is not
                                 there or may not be used, so `check` says true */
};

/* --- the catalogue --- */

/* A size or variant of each; ids are unique. Made once, read only. */
const struct p11prof_bench_test *p11prof_bench_tests(size_t *count);

/* A selection in the order of the catalogue (default suite first, in its order). Owned by the
 * caller: free(). */
struct p11prof_bench_selection {
    const struct p11prof_bench_test **tests;
    size_t count;
};

/* Reads comma-separated ids, readable names, families and globs ("rsa-*"); NULL or "": the default
 * suite; "all": everything. A word that fits nothing: P11PROF_BAD_INPUT, and the nearest is named.
 * A family word means one test: with `own_key` (--key) that of the family that fits the key, else
 * the family's first of the default suite, else the family's first. With `own_key` and no words:
 * all that fit it; tests of a size that the catalogue does not list are made ("rsa-1024-sign"). */
struct p11prof_bench_own_key;
enum p11prof_status p11prof_bench_select(struct p11prof_bench_selection *out, const char *words,
                                         const struct p11prof_bench_own_key *own_key,
                                         struct p11prof_error *error);

/* The next word of such a list, without blanks around it; commas in parentheses are part of it. The
 * list is cut up. NULL: no more. */
char *p11prof_bench_next_word(char **rest);

/* --- keys and jobs, in a worker --- */

/* The user's own key: what --key or --key-uri named, and what was found out about it. */
struct p11prof_bench_own_key {
    bool wanted;
    char label[256]; /* "": any */
    CK_BYTE id[256];
    CK_ULONG id_bytes;                                    /* 0: any */
    CK_OBJECT_HANDLE public_key, private_key, secret_key; /* found */
    enum p11prof_bench_key_kind kind;
    uint32_t bits;
    CK_MECHANISM_TYPE hmac; /* the only one that it is for; 0: no such key */
    bool nist_curve;        /* P-256, P-384, P-521 */
    CK_BBOOL can_sign, can_verify, can_encrypt, can_decrypt, can_wrap, can_unwrap, can_derive;
    CK_BBOOL can_encapsulate, can_decapsulate;
};

/* Finds the key and reads its type, size and uses. P11PROF_MISSING: there is none (described, with
 * the labels of up to 8 keys that are there); P11PROF_BAD_INPUT: several different ones. */
enum p11prof_status p11prof_bench_own_key_find(struct p11prof_bench_own_key *key,
                                               CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                               struct p11prof_error *error);

/* Whether the test works with this key: kind, size, and what the key may be used for. Tests of the
 * catalogue have sizes of their own; p11prof_bench_select() makes rows of the key's size. */
bool p11prof_bench_fit(const struct p11prof_bench_test *test,
                       const struct p11prof_bench_own_key *key);

/* What can keep a token from a test; asked of mechanism list and flags, sizes and login. Returns
 * true, or false with the reason in one line ("the token has no CKM_EDDSA"). */
struct p11prof_bench_token_facts {
    CK_MECHANISM_TYPE *mechanisms; /* ascending */
    CK_MECHANISM_INFO *infos;      /* of the same index */
    size_t mechanism_count;
    bool logged_in, login_required, write_protected;
    unsigned interface; /* newest one of 3.x: 300, 302; 0: none */
};

/* The interface that the functions of a test are of: 300, 302; 0: C_GetFunctionList's will do. */
unsigned p11prof_bench_interface_needed(const struct p11prof_bench_test *test);

bool p11prof_bench_offered(const struct p11prof_bench_test *test,
                           const struct p11prof_bench_token_facts *token,
                           const struct p11prof_bench_own_key *own_key,
                           char reason[P11PROF_BENCH_REASON_BYTES]);

/* Makes the key of a test as session objects (token_keys: token objects), or takes the user's own.
 * `label` starts what is made. What fails is described with function and CK_RV by name; nothing is
 * left. */
CK_RV p11prof_bench_key_make(struct p11prof_bench_key *key, const struct p11prof_bench_test *test,
                             CK_FUNCTION_LIST *timed, CK_SESSION_HANDLE session, const char *label,
                             bool token_keys, const struct p11prof_bench_own_key *own_key,
                             struct p11prof_error *error);

/* Destroys what was made, and frees; a user's own key is let be. Returns the first failure. */
CK_RV p11prof_bench_key_destroy(struct p11prof_bench_key *key, CK_FUNCTION_LIST *timed,
                                CK_SESSION_HANDLE session);

/* Destroys the objects of that label, which must be one that only we give: a token that others use
 * at the same time may have failed to destroy one. Returns how many are left (no more than 16). */
unsigned p11prof_bench_labelled_destroy(CK_FUNCTION_LIST *raw, CK_SESSION_HANDLE session,
                                        const char *label);

/* Allocates a job's buffers and runs steps->open, then one iteration through `raw` whose result is
 * checked (not of key generation and login): what cannot work is said now, with function and CK_RV.
 * The caller has filled test, key, lists, slot, session and PIN, the rest is 0. data_bytes as the
 * test says, or another size. After an error nothing is left to close. close frees all. */
CK_RV p11prof_bench_job_open(struct p11prof_bench_job *job, uint64_t data_bytes,
                             struct p11prof_error *error);
void p11prof_bench_job_close(struct p11prof_bench_job *job);

#endif
