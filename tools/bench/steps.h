/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What the files of the tests share: the steps themselves, variants, and calls that more than one
 * of them makes. Nothing outside of the tests includes this. */
#ifndef P11PROF_BENCH_STEPS_H
#define P11PROF_BENCH_STEPS_H

#include "test.h"

enum { P11PROF_BENCH_IV_BYTES = 16, P11PROF_BENCH_AES_KEY_BYTES = 32 };

extern const struct p11prof_bench_steps p11prof_bench_sign_steps, p11prof_bench_verify_steps,
    p11prof_bench_encrypt_steps, p11prof_bench_decrypt_steps, p11prof_bench_digest_steps,
    p11prof_bench_random_steps, p11prof_bench_seed_steps, p11prof_bench_keygen_steps,
    p11prof_bench_derive_steps, p11prof_bench_wrap_steps, p11prof_bench_unwrap_steps,
    p11prof_bench_session_steps, p11prof_bench_login_steps, p11prof_bench_find_steps,
    p11prof_bench_attributes_steps, p11prof_bench_set_attribute_steps, p11prof_bench_object_steps,
    p11prof_bench_copy_steps, p11prof_bench_combined_steps, p11prof_bench_message_encrypt_steps,
    p11prof_bench_message_decrypt_steps, p11prof_bench_message_sign_steps,
    p11prof_bench_message_verify_steps, p11prof_bench_encapsulate_steps,
    p11prof_bench_decapsulate_steps;

/* Kinds of mechanism parameters. */
enum p11prof_bench_parameter {
    P11PROF_BENCH_PARAMETER_NONE,
    P11PROF_BENCH_PARAMETER_PSS,
    P11PROF_BENCH_PARAMETER_OAEP,
    P11PROF_BENCH_PARAMETER_IV, /* of a block: 16 bytes, DES3 8 */
    P11PROF_BENCH_PARAMETER_CTR,
    P11PROF_BENCH_PARAMETER_GCM,   /* 12 bytes, new in each iteration; tag of 128 bits */
    P11PROF_BENCH_PARAMETER_CCM,   /* the same */
    P11PROF_BENCH_PARAMETER_NONCE, /* 12 bytes, new in each iteration */
    P11PROF_BENCH_PARAMETER_EDDSA, /* no context, no prehash */
};

/* What `variant` of a test points to. Members that do not concern the test are 0. */
struct p11prof_bench_variant {
    enum p11prof_bench_parameter parameter;
    CK_MECHANISM_TYPE hash; /* of PSS and OAEP */
    CK_RSA_PKCS_MGF_TYPE mgf;
    CK_ULONG salt_bytes;
    const char *digest;    /* libcrypto's name */
    unsigned part_count;   /* calls like C_DigestUpdate; 0: one part, as C_Digest has it */
    unsigned object_count; /* that a search is among */
    bool mac_key;          /* the test needs a second key, for HMAC */
};

const struct p11prof_bench_variant *p11prof_bench_variant(const struct p11prof_bench_test *test);

/* The mechanism of a test with its parameter. It points into itself: not to be copied. */
struct p11prof_bench_mechanism {
    CK_MECHANISM mechanism;
    union {
        CK_RSA_PKCS_PSS_PARAMS pss;
        CK_RSA_PKCS_OAEP_PARAMS oaep;
        CK_AES_CTR_PARAMS ctr;
        CK_GCM_PARAMS gcm;
        struct p11prof_ccm_params ccm;
        struct p11prof_eddsa_params eddsa;
    } parameter;
    CK_BYTE iv[P11PROF_BENCH_IV_BYTES]; /* or nonce: random, then a counter in its last 6 bytes */
    bool fresh;                         /* it must be new in each iteration */
};
void p11prof_bench_mechanism_make(struct p11prof_bench_mechanism *out,
                                  const struct p11prof_bench_test *test);

/* Bytes of the plaintext, for mechanisms that are told of them. */
void p11prof_bench_mechanism_sized(struct p11prof_bench_mechanism *mechanism, CK_ULONG bytes);

/* A nonce that no iteration of this job has had: iteration below 2^48. */
void p11prof_bench_nonce_next(struct p11prof_bench_mechanism *mechanism, uint64_t iteration);

/* --- errors of a job: all return rv --- */

/* Remembers which function failed, and that its operation may be open still; CKR_OK is fine too. */
CK_RV p11prof_bench_said(struct p11prof_bench_job *job, const char *function, CK_RV rv);

/* The same of a call that makes objects: after an error there are none, whatever the handles are.
 */
CK_RV p11prof_bench_made(struct p11prof_bench_job *job, const char *function, CK_RV rv);

/* CKR_GENERAL_ERROR that no call answered. */
CK_RV p11prof_bench_refuse(struct p11prof_bench_job *job, const char *problem);

/* The same of a token that gives wrong results. */
CK_RV p11prof_bench_wrong(struct p11prof_bench_job *job, const char *problem);

/* Whether a check failed only since the key or the token cannot do what it needs: the job's results
 * are unchecked from now on. */
bool p11prof_bench_unable(struct p11prof_bench_job *job, CK_RV rv);

/* Ends the operation of the test in the job's session, after an error. For `after`. */
void p11prof_bench_finish(struct p11prof_bench_job *job);

/* The same of a job that could not be opened: whatever operation it may have left open. */
void p11prof_bench_settle(struct p11prof_bench_job *job);

/* --- calls --- */

/* C_SignInit and C_Sign, and the like of verify, encrypt and decrypt (enum p11prof_operation),
 * through this list. *out_bytes is the room, then what was used; of verify: the signature's. */
CK_RV p11prof_bench_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                          CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key, CK_BYTE *in,
                          CK_ULONG in_bytes, CK_BYTE *out, CK_ULONG *out_bytes);

/* The steps of such an operation, also of digests, which have no key. `out` of sign, verify and
 * digest is of the end only, and that of verify is read. */
CK_RV p11prof_bench_init(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                         CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);
CK_RV p11prof_bench_update(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list,
                           unsigned operation, CK_BYTE *in, CK_ULONG in_bytes, CK_BYTE *out,
                           CK_ULONG *out_bytes);
CK_RV p11prof_bench_final(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list, unsigned operation,
                          CK_BYTE *out, CK_ULONG *out_bytes);

/* p11prof_bench_crypt() of the job's `in` and `out` in as many parts as its test has. */
CK_RV p11prof_bench_parts_crypt(struct p11prof_bench_job *job, CK_FUNCTION_LIST *list,
                                unsigned operation, CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

/* Bytes of a part, from 0 on: equal ones of whole blocks, where there are so many; the last is what
 * is left. */
CK_ULONG p11prof_bench_part_bytes(const struct p11prof_bench_job *job, unsigned part);

/* Gives a session that an operation may keep for good another handle. Its objects are gone. */
void p11prof_bench_session_reopen(struct p11prof_bench_job *job);

/* The key of a job that does this operation; CK_INVALID_HANDLE: not there. */
CK_OBJECT_HANDLE p11prof_bench_key_for(const struct p11prof_bench_key *key, unsigned operation);

/* The label of one of the objects that a search is among. */
void p11prof_bench_found_label(const struct p11prof_bench_key *key, unsigned index,
                               char label[static 80]);

/* Fills the job's `in` with bytes that are not all the same. */
void p11prof_bench_in_fill(struct p11prof_bench_job *job, CK_ULONG bytes);

/* Gives `out` its full length and makes an old result in it wrong. */
CK_RV p11prof_bench_out_clear(struct p11prof_bench_job *job);

/* Destroys what the iteration made. For `after`. */
void p11prof_bench_made_destroy(struct p11prof_bench_job *job);

/* The state of simple steps: for `close`. */
void p11prof_bench_state_free(struct p11prof_bench_job *job);

/* One block that an AES key makes of always the same: which key it is. CBC without padding. The
 * same of a DES3 key: two blocks. */
CK_RV p11prof_bench_block_make(struct p11prof_bench_job *job, CK_OBJECT_HANDLE key,
                               CK_BYTE block[static 16]);
CK_RV p11prof_bench_des3_block_make(struct p11prof_bench_job *job, CK_OBJECT_HANDLE key,
                                    CK_BYTE block[static 16]);

/* Whether two AES keys make the same block. False with *rv the error. */
bool p11prof_bench_keys_equal(struct p11prof_bench_job *job, CK_OBJECT_HANDLE one,
                              CK_OBJECT_HANDLE other, CK_RV *rv);

/* Whether the two halves of a pair are of one ML-KEM key: a secret goes through them. False with
 * *rv the error. */
bool p11prof_bench_kem_works(struct p11prof_bench_job *job, CK_OBJECT_HANDLE public_key,
                             CK_OBJECT_HANDLE private_key, CK_RV *rv);

#endif
