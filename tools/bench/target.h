/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Which module and which token a bench runs on, and the PIN. Decided before any worker loads the
 * module; nothing here loads one into this process (a search of p11-kit's modules does it in a
 * child of its own). */
#ifndef P11PROF_BENCH_TARGET_H
#define P11PROF_BENCH_TARGET_H

#include "p11prof/config.h"
#include "p11prof/error.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>

enum { P11PROF_BENCH_PIN_BYTES = 256 };

struct p11prof_bench_target;

/* What the command line says. Strings are borrowed; NULL: not given. */
struct p11prof_bench_target_options {
    const char *module;      /* --module */
    const char *token_label; /* --token-label, --label */
    const char *uri;         /* --uri: RFC 7512; its pin-value and pin-source count too */
    const char *key_uri;     /* --key-uri: names a token too */
    bool has_slot, has_slot_index;
    CK_SLOT_ID slot;                           /* --slot */
    unsigned long slot_index;                  /* --slot-index: among the slots with a token */
    const char *pin;                           /* --pin, --user-pin: works, with a warning */
    const char *pin_source;                    /* --pin-source env:NAME|file:PATH|fd:N|prompt */
    const struct p11prof_bench_target *pin_of; /* its PIN, if it has one, where neither of these is
                                                  given; NULL: none */
    const struct p11prof_bench_target *key_of; /* its key, if it names one, where there is no
                                                  key_uri; NULL: none */
    bool vs;                                   /* of the other side: its options begin with vs- */
};

struct p11prof_bench_target {
    char module[P11PROF_PATH_BYTES]; /* absolute path of the real module */
    char shim[P11PROF_PATH_BYTES]; /* what --module named, if it was a shim: its target is used; ""
                                    */
    bool throw_away;               /* a SoftHSM token made for this run in `folder` */
    char folder[P11PROF_PATH_BYTES];
    /* How the token is found in the module. */
    bool has_slot, has_slot_index;
    CK_SLOT_ID slot;
    unsigned long slot_index;
    void *uri; /* P11KitUri of a label or URI; NULL: any token */
    CK_BYTE pin[P11PROF_BENCH_PIN_BYTES];
    CK_ULONG pin_bytes;
    bool has_pin;
    bool vs;
    char key_label[256]; /* from key_uri: CKA_LABEL ("": any) and CKA_ID */
    CK_BYTE key_id[256];
    CK_ULONG key_id_bytes;
    /* Shared with workers forked later: once a login failed, none of them tries again. NULL: each
     * call of p11prof_bench_login tries. */
    struct p11prof_bench_login_gate *login_gate;
};

/* Without module: a named token (label, URI) is searched in p11-kit's configured modules; none or
 * several hits: P11PROF_BAD_INPUT, listing them. Nothing named at all: a throw-away SoftHSM token
 * (folder 0700 below TMPDIR, SOFTHSM2_CONF set for this process). A module that is a p11prof shim
 * is replaced by the module of its settings. Reads the PIN (prompts on /dev/tty only with `prompt`,
 * or where a PIN is needed and there is a terminal; never else). P11PROF_BAD_INPUT: usage;
 * P11PROF_MISSING, P11PROF_FAILED: the module or the system. */
enum p11prof_status p11prof_bench_target_find(struct p11prof_bench_target *out,
                                              const struct p11prof_bench_target_options *options,
                                              struct p11prof_error *error);

/* Wipes the PIN, removes the throw-away token. */
void p11prof_bench_target_clear(struct p11prof_bench_target *target);

/* --- in a worker --- */

/* The slot of the target's token in a module that is initialised. P11PROF_BAD_INPUT where none or
 * several fit: the tokens that are there are listed (slot id, label, serial). */
enum p11prof_status p11prof_bench_slot_find(const struct p11prof_bench_target *target,
                                            CK_FUNCTION_LIST *module, CK_SLOT_ID *slot_id,
                                            CK_TOKEN_INFO *token, struct p11prof_error *error);

/* Logs a session in as the user, with exactly one try: CKR_USER_ALREADY_LOGGED_IN is fine. A token
 * without CKF_LOGIN_REQUIRED and a run without a PIN stay logged out (*logged_in false). A locked
 * PIN, a wrong one and CKF_USER_PIN_FINAL_TRY are described. */
enum p11prof_status p11prof_bench_login(const struct p11prof_bench_target *target,
                                        CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                        const CK_TOKEN_INFO *token, bool *logged_in,
                                        struct p11prof_error *error);

#endif
