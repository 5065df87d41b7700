/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A token of one slot that keeps its own rules, and breaks those that it is told to break. Its
 * cryptography is none: signatures, MACs and ciphertexts are checksums and key streams made of the
 * key's number, so that what was changed, or made with another key, is noticed. Digests, and what
 * X25519 and X448 agree on, are true.
 *
 * Label "fake", PIN "1234", login required. P11PROF_TEST_TOKEN: words with commas between,
 *
 *   errors=N        every N-th C_Sign answers CKR_DEVICE_ERROR
 *   errors-after=N  all but the first N answer that, up to errors-until=N
 *   leak=N          every C_Sign forgets N bytes
 *   wrong=N         every N-th result (signature, ciphertext, digest; a plaintext of several parts,
 *                   a derived key, a copy, a change, a seed) is wrong
 *   wrong-after=N   all results but the first N are wrong
 *   sessions=N      more answer CKR_SESSION_COUNT
 *   objects=N       more answer CKR_DEVICE_MEMORY
 *   remove=N        after N calls everything answers CKR_DEVICE_REMOVED
 *   refuse=CKM_...  a mechanism that is listed and yet answers CKR_MECHANISM_INVALID
 *   crash=N         SIGSEGV in the N-th call
 *   exit=N          exit(5) in the N-th call
 *   hang=N          the N-th call does not return
 *   keeps=N         the first N times a token object is to be destroyed, it is not
 *   final-try, locked   flags of the user PIN
 *   serves=4x10ms   4 C_Sign at a time at most, each of which sleeps so long; others wait
 *                   in a line
 *   interface=X     of token-3: 240, 300 and 302 are the newest that there is, with mechanisms no
 *                   newer than it; C_GetInterface answers CKR_OK and NULL (null), an error (fails),
 *                   a list of 92 functions that says 3.2 (short), one of 2.40 whatever it was asked
 *                   for (older), or one without functions of 3.x (empty)
 *   accepts         no signature, tag, ciphertext or wrapped key is wrong
 *   strict          of token-3: takes no nonce that is not its own, no parameter when a message
 *                   process begins, no length of a secret that is encapsulated
 *   delays=shuffled:100us-5ms   C_Sign keeps the processor for one of a thousand times between
 *                               these, each once in a thousand calls, in a scattered order
 *   stalls=N:1ms-100ms          C_Sign sleeps for the first time, every N-th one for the second
 *
 * Counts are those of a process. P11PROF_TEST_TOKEN_LOG is a file that gets a line for each C_Login
 * and C_Finalize and one at the end of a process that used the token, with what is still open.
 * Durations: call_log.h. */
/* Module token-3 is the same with interfaces 3.2, 3.0 and 2.40 (token_3.c). Messages are encrypted
 * with AES-GCM as they should be, by libcrypto. ML-DSA, ML-KEM and SLH-DSA are stand-ins: libcrypto
 * 3.0 has none of them. Their public keys, signatures and ciphertexts have the sizes of FIPS 203 to
 * 205 (token_sets.c), a signature fits its data and its key, a secret its ciphertext and its key,
 * and a changed ciphertext gives another secret; all of it is hashes of the key's number, and
 * nothing of it is secure. */
#ifndef P11PROF_TESTS_TOKEN_H
#define P11PROF_TESTS_TOKEN_H

#include "p11prof/calls.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_SESSIONS = 1024, TOKEN_OBJECTS = 4096, TOKEN_ATTRIBUTES = 16, TOKEN_VALUE = 96 };

/* --- what it is told: read once --- */

struct token_control {
    uint64_t errors, errors_after, errors_until, leak, wrong, wrong_after, sessions, objects,
        remove, crash, exit, hang, keeps;
    uint64_t delay_low_ns, delay_high_ns;
    uint64_t served_most, service_ns; /* 0: all are, at once */
    uint64_t stall_every;             /* 0: delays are in a scattered order */
    char refuse[64];
    CK_FLAGS flags;
    unsigned interface; /* newest: major * 100 + minor */
    enum token_lie {
        TOKEN_HONEST,
        TOKEN_NULL,
        TOKEN_FAILS,
        TOKEN_SHORT,
        TOKEN_OLDER,
        TOKEN_EMPTY
    } lie;
    bool accepts, strict;
};
extern struct token_control token_control;

/* Ends, hangs or refuses, if it is that call's turn. */
CK_RV token_call_begin(unsigned function);

/* A call of any function, from its turn to what it tells the log; between them it has the lock. */
struct token_call {
    unsigned function;
    uint64_t start_ns;
    bool locked;
};
CK_RV token_enter(struct token_call *call, unsigned function);
CK_RV token_leave(const struct token_call *call, CK_RV rv);

/* Of a C_Sign that is made: when it ends, from its start on. */
uint64_t token_delay_ns(void);

/* Of a C_Sign: waits until it is served, and until that is over. */
void token_serve(void);

/* Of a C_Sign: memory that nobody frees. */
void token_leak(void);

/* Whether it is this result's turn to be wrong, or to fail. */
bool token_result_is_wrong(void);
bool token_signature_fails(void);

/* Whether this token object is not destroyed. */
bool token_keeps(void);

void token_log(const char *event);

/* --- objects and sessions: all of them behind one lock that token.c holds --- */

struct token_attribute {
    CK_ATTRIBUTE_TYPE type;
    CK_ULONG bytes;
    CK_BYTE value[TOKEN_VALUE];
};

struct token_object {
    CK_OBJECT_HANDLE handle;   /* CK_INVALID_HANDLE: none */
    CK_SESSION_HANDLE session; /* that it goes with; CK_INVALID_HANDLE: a token object */
    bool private;
    CK_KEY_TYPE key_type;
    CK_ULONG bits;   /* or the parameter set */
    uint64_t number; /* of the key: halves of a pair have the same */
    struct token_attribute attributes[TOKEN_ATTRIBUTES];
    unsigned attribute_count;
};

enum { TOKEN_TAIL = 16, TOKEN_SIGNATURE = 49856 }; /* the latter of SLH-DSA-SHA2-256f */

struct token_operation {
    bool active, in_parts; /* the latter: C_SignFinal and the like end it, C_Sign does not */
    CK_MECHANISM_TYPE mechanism;
    uint64_t key_number, parameter; /* the latter stands for IV, nonce or salt length */
    CK_ULONG key_bits;
    uint64_t hash;            /* of what came so far: data to sign, ciphertext */
    CK_ULONG done;            /* bytes enciphered or deciphered so far */
    CK_ULONG announced;       /* bytes that CCM was told of */
    CK_BYTE held[TOKEN_TAIL]; /* the last bytes of a ciphertext: a tag, or padding */
    CK_ULONG held_bytes;
    void *digest; /* EVP_MD_CTX */
};

enum token_operation_kind { TOKEN_SIGN, TOKEN_VERIFY, TOKEN_ENCRYPT, TOKEN_DECRYPT, TOKEN_DIGEST };

struct token_session {
    CK_SESSION_HANDLE handle; /* CK_INVALID_HANDLE: none */
    CK_FLAGS flags;
    struct token_operation operations[TOKEN_DIGEST + 1];
    struct token_operation messages[TOKEN_DECRYPT + 1]; /* processes of 3.0 */
    bool finds;
    CK_OBJECT_HANDLE *found; /* owned */
    CK_ULONG found_count, found_next;
};

struct token_state {
    bool initialized, used, logged_in;
    CK_ULONG last_handle, session_count, object_count;
    unsigned object_end; /* no object is there or beyond */
    struct token_session sessions[TOKEN_SESSIONS];
    struct token_object objects[TOKEN_OBJECTS];
};
extern struct token_state token_state;

struct token_session *token_session_find(CK_SESSION_HANDLE handle);

/* NULL if it is not there, or private and nobody is logged in. */
struct token_object *token_object_find(CK_OBJECT_HANDLE handle);
bool token_object_visible(const struct token_object *object);
void token_object_remove(struct token_object *object);
void token_session_objects_remove(CK_SESSION_HANDLE session);
void token_private_objects_hide(void);

/* A new object from a template; class and key type are added (CK_UNAVAILABLE_INFORMATION: none). */
CK_RV token_object_add(struct token_session *session, CK_OBJECT_CLASS class, CK_KEY_TYPE key_type,
                       const CK_ATTRIBUTE *template, CK_ULONG count, struct token_object **out);
const struct token_attribute *token_attribute_find(const struct token_object *object,
                                                   CK_ATTRIBUTE_TYPE type);
CK_RV token_attribute_add(struct token_object *object, CK_ATTRIBUTE_TYPE type, const void *value,
                          CK_ULONG bytes);

/* --- mechanisms --- */

/* What becomes of a plaintext: as many bytes, whole blocks only, padding behind it, a tag behind
 * it.
 */
enum token_cipher { TOKEN_STREAM, TOKEN_BLOCKS, TOKEN_PADDED, TOKEN_TAGGED };

struct token_mechanism {
    CK_MECHANISM_TYPE type;
    const char *name;
    CK_KEY_TYPE key_type; /* CK_UNAVAILABLE_INFORMATION: no key */
    CK_ULONG min_size, max_size;
    CK_FLAGS flags;
    CK_ULONG signature_bytes; /* 0: of the key */
    enum token_cipher cipher;
    unsigned since; /* major * 100 + minor of the interface that has it */
};

/* NULL if there is none, or it is the one to be refused. */
const struct token_mechanism *token_mechanism_find(CK_MECHANISM_TYPE type);

/* Sizes of a parameter set of 3.2; NULL: the key type has none, or not this one. */
struct token_set {
    CK_KEY_TYPE key_type;
    CK_ULONG value;        /* CKA_PARAMETER_SET */
    CK_ULONG public_bytes; /* of a public key: CKA_VALUE */
    CK_ULONG output_bytes; /* of a signature, or of a ciphertext */
};
const struct token_set *token_set_find(CK_KEY_TYPE key_type, CK_ULONG value);

/* Gives `bytes` of an answer; the convention of functions with output (2.40 section 5.2). False
 * where only its length was asked for, or the room is too small: *rv. */
bool token_output_room(void *out, CK_ULONG *out_bytes, CK_ULONG bytes, CK_RV *rv);

/* Signatures and MACs of what came so far. The one that is made may be wrong, if it is its turn. */
CK_ULONG token_signature_bytes(const struct token_operation *operation);
void token_signature_make(const struct token_operation *operation, CK_BYTE *out);
CK_RV token_signature_check(const struct token_operation *operation, const CK_BYTE *signature,
                            CK_ULONG bytes);

/* FNV-1a of more bytes, and numbers from a number (splitmix64). */
uint64_t token_hash(uint64_t hash, const void *bytes, size_t count);
uint64_t token_mix(uint64_t number);
void token_stream(uint64_t number, CK_ULONG offset, CK_BYTE *out, const CK_BYTE *in,
                  CK_ULONG bytes);

/* What stands for a mechanism's parameter. */
uint64_t token_parameter(const CK_MECHANISM *mechanism);

/* An operation that is open. */
CK_RV token_operation_find(CK_SESSION_HANDLE handle, enum token_operation_kind kind,
                           struct token_operation **out);

/* Halves of a pair that agrees with others: X25519, or X448 with 448 bits. */
CK_RV token_agreement_add(struct token_object *public_half, struct token_object *private_half,
                          CK_ULONG bits);

/* --- functions: token_C_Sign and so on, those that are not there answer so --- */

#define DECLARE_200(name, parameters) CK_RV token_##name parameters;
#define DECLARE_201(name, parameters) CK_RV token_##name parameters;
#define DECLARE_300(name, parameters) CK_RV token_##name parameters;
#define DECLARE_302(name, parameters) CK_RV token_##name parameters;
#define CALL(number, name, since, operation, role, parameters, ...)                                \
    DECLARE_##since(name, parameters)
#include "p11prof/calls.def"
#undef CALL

#endif
