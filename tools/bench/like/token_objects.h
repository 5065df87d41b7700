/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The objects of a script on the token: made before it is played, found by its players, destroyed
 * afterwards. Everything goes through a module's own functions, unrecorded. */
#ifndef P11PROF_BENCH_LIKE_TOKEN_OBJECTS_H
#define P11PROF_BENCH_LIKE_TOKEN_OBJECTS_H

#include "functions.h"
#include "stage.h"

enum { LIKE_ATTRIBUTES_MOST = 24 };

/* Template of a key, or pair, of the script. It points into itself: not to be copied. */
struct like_template {
    CK_MECHANISM mechanism;
    bool pair;
    CK_ATTRIBUTE secret[LIKE_ATTRIBUTES_MOST],
        public[LIKE_ATTRIBUTES_MOST]; /* secret: or private */
    CK_ULONG secret_count, public_count, bits, value_bytes;
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE key_type;
    CK_BBOOL token, private;
    char label[LIKE_LABEL_BYTES];
};

/* What generates an object; false: nothing known does. `token`: it outlives its session. */
bool like_template_generate(struct like_template *out, const struct like_stage *stage,
                            uint32_t object, bool token, bool private);

/* What unwrapping or deriving one (a secret key), or C_CreateObject of one, takes. data: bytes that
 * it is made of; borrowed. */
void like_template_secret(struct like_template *out, const struct like_stage *stage,
                          uint32_t object, bool token);
void like_template_create(struct like_template *out, const struct like_stage *stage,
                          uint32_t object, bool token, CK_BYTE *data);

/* Makes all that are there before, until *stop. What fails is described, and what was made stays to
 * be destroyed. */
enum p11prof_status like_token_objects_make(const struct like_stage *stage,
                                            CK_FUNCTION_LIST *module, CK_SESSION_HANDLE session,
                                            bool logged_in, const _Atomic(uint32_t) *stop,
                                            struct p11prof_error *error);

/* The handle of an object that is there; CK_INVALID_HANDLE: it is not found. */
CK_OBJECT_HANDLE like_token_object_find(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                        CK_SESSION_HANDLE session, uint32_t object);
/* The half that undoes what the object does: private for public, public for private, a secret key
 * itself. */
CK_OBJECT_HANDLE like_other_half(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                 CK_SESSION_HANDLE session, uint32_t object);
CK_OBJECT_HANDLE like_wrapped_find(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                   CK_SESSION_HANDLE session);

/* Destroys all token objects whose label starts as ours do. Returns how many are left. */
size_t like_token_objects_destroy(const struct like_stage *stage, CK_FUNCTION_LIST *module,
                                  CK_SESSION_HANDLE session);

#endif
