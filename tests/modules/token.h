/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* A token of one slot that keeps its own rules, and breaks those that it is told to break. Its
 * cryptography is none: signatures, MACs and ciphertexts are checksums and key streams made of the
 * key's number, so that what was changed, or made with another key, is noticed. Digests are true.
 *
 * Label "fake", PIN "1234", login required. P11PROF_TEST_TOKEN: words with commas between,
 *
 *   errors=N        every N-th C_Sign answers CKR_DEVICE_ERROR
 *   errors-after=N  all but the first N answer that, up to errors-until=N
 *   leak=N          every C_Sign forgets N bytes
 *   wrong=N         every N-th result (signature, ciphertext, digest) is wrong
 *   wrong-after=N   all results but the first N are wrong
 *   sessions=N      more answer CKR_SESSION_COUNT
 *   objects=N       more answer CKR_DEVICE_MEMORY
 *   remove=N        after N calls everything answers CKR_DEVICE_REMOVED
 *   refuse=CKM_...  a mechanism that is listed and yet answers CKR_MECHANISM_INVALID
 *   crash=N         SIGSEGV in the N-th call
 *   exit=N          exit(5) in the N-th call
 *   hang=N          the N-th call does not return
 *   final-try, locked   flags of the user PIN
 *   delays=shuffled:100us-5ms   C_Sign keeps the processor for one of a thousand times between
 *                               these, each once in a thousand calls, in a scattered order
 *
 * Counts are those of a process. P11PROF_TEST_TOKEN_LOG is a file that gets a line for each C_Login
 * and C_Finalize and one at the end of a process that used the token, with what is still open.
 * Durations: call_log.h. */
#ifndef P11PROF_TESTS_TOKEN_H
#define P11PROF_TESTS_TOKEN_H

#include "p11prof/calls.h"
#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TOKEN_SESSIONS = 1024, TOKEN_OBJECTS = 1024, TOKEN_ATTRIBUTES = 16, TOKEN_VALUE = 64 };

/* --- what it is told: read once --- */

struct token_control {
    uint64_t errors, errors_after, errors_until, leak, wrong, wrong_after, sessions, objects,
        remove, crash, exit, hang;
    uint64_t delay_low_ns, delay_high_ns;
    char refuse[64];
    CK_FLAGS flags;
};
extern struct token_control token_control;

/* Ends, hangs or refuses, if it is that call's turn. */
CK_RV token_call_begin(unsigned function);

/* Of a C_Sign that is made: when it ends, from its start on. */
uint64_t token_delay_ns(void);

/* Of a C_Sign: memory that nobody frees. */
void token_leak(void);

/* Whether it is this result's turn to be wrong, or to fail. */
bool token_result_is_wrong(void);
bool token_signature_fails(void);

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
    CK_ULONG bits;
    uint64_t number; /* of the key: halves of a pair have the same */
    struct token_attribute attributes[TOKEN_ATTRIBUTES];
    unsigned attribute_count;
};

struct token_operation {
    bool active;
    CK_MECHANISM_TYPE mechanism;
    uint64_t key_number, parameter; /* the latter stands for IV, nonce or salt length */
    CK_ULONG key_bits;
    void *digest; /* EVP_MD_CTX */
};

enum token_operation_kind { TOKEN_SIGN, TOKEN_VERIFY, TOKEN_ENCRYPT, TOKEN_DECRYPT, TOKEN_DIGEST };

struct token_session {
    CK_SESSION_HANDLE handle; /* CK_INVALID_HANDLE: none */
    CK_FLAGS flags;
    struct token_operation operations[TOKEN_DIGEST + 1];
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

/* A new object from a template; class and key type are added. */
CK_RV token_object_add(struct token_session *session, CK_OBJECT_CLASS class, CK_KEY_TYPE key_type,
                       const CK_ATTRIBUTE *template, CK_ULONG count, struct token_object **out);
const struct token_attribute *token_attribute_find(const struct token_object *object,
                                                   CK_ATTRIBUTE_TYPE type);
CK_RV token_attribute_add(struct token_object *object, CK_ATTRIBUTE_TYPE type, const void *value,
                          CK_ULONG bytes);

/* --- mechanisms --- */

struct token_mechanism {
    CK_MECHANISM_TYPE type;
    const char *name;
    CK_KEY_TYPE key_type; /* CK_UNAVAILABLE_INFORMATION: no key */
    CK_ULONG min_size, max_size;
    CK_FLAGS flags;
    CK_ULONG signature_bytes; /* 0: of the key */
};

/* NULL if there is none, or it is the one to be refused. */
const struct token_mechanism *token_mechanism_find(CK_MECHANISM_TYPE type);

/* Gives `bytes` of an answer; the convention of functions with output (2.40 section 5.2). False
 * where only its length was asked for, or the room is too small: *rv. */
bool token_output_room(void *out, CK_ULONG *out_bytes, CK_ULONG bytes, CK_RV *rv);

/* FNV-1a of more bytes, and numbers from a number (splitmix64). */
uint64_t token_hash(uint64_t hash, const void *bytes, size_t count);
uint64_t token_mix(uint64_t number);
void token_stream(uint64_t number, CK_BYTE *out, const CK_BYTE *in, CK_ULONG bytes);

/* --- functions: token_C_Sign and so on, those that are not there answer so --- */

#define DECLARE_200(name, parameters) CK_RV token_##name parameters;
#define DECLARE_201(name, parameters) CK_RV token_##name parameters;
#define DECLARE_300(name, parameters)
#define DECLARE_302(name, parameters)
#define CALL(number, name, since, operation, role, parameters, ...)                                \
    DECLARE_##since(name, parameters)
#include "p11prof/calls.def"
#undef CALL

#endif
