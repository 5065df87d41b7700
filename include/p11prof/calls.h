/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What calls.def says, as numbers and a table of facts. Pure data: any thread, no errors. */
#ifndef P11PROF_CALLS_H
#define P11PROF_CALLS_H

#include "p11prof/pkcs11.h"

#include <stdbool.h>
#include <stdint.h>

/* Function numbers: 1 to 104, the position in the function list; stored on disk. */
enum p11prof_function {
    P11PROF_NO_FUNCTION = 0,
#define CALL(number, name, ...) P11PROF_##name = (number),
#include "p11prof/calls.def"
#undef CALL
};

/* What a call is a part of. Stored on disk: numbers are only ever added. */
enum p11prof_operation {
    P11PROF_OPERATION_NONE = 0,
    P11PROF_OPERATION_ENCRYPT = 1,
    P11PROF_OPERATION_DECRYPT = 2,
    P11PROF_OPERATION_DIGEST = 3,
    P11PROF_OPERATION_SIGN = 4,
    P11PROF_OPERATION_SIGN_RECOVER = 5,
    P11PROF_OPERATION_VERIFY = 6,
    P11PROF_OPERATION_VERIFY_RECOVER = 7,
    P11PROF_OPERATION_FIND = 8,
    P11PROF_OPERATION_MESSAGE_ENCRYPT = 9,
    P11PROF_OPERATION_MESSAGE_DECRYPT = 10,
    P11PROF_OPERATION_MESSAGE_SIGN = 11,
    P11PROF_OPERATION_MESSAGE_VERIFY = 12,
    P11PROF_OPERATION_GENERATE_KEY = 13,
    P11PROF_OPERATION_GENERATE_KEY_PAIR = 14,
    P11PROF_OPERATION_WRAP = 15,
    P11PROF_OPERATION_UNWRAP = 16,
    P11PROF_OPERATION_DERIVE = 17,
    P11PROF_OPERATION_SEED_RANDOM = 18,
    P11PROF_OPERATION_GENERATE_RANDOM = 19,
    P11PROF_OPERATION_ENCAPSULATE = 20,
    P11PROF_OPERATION_DECAPSULATE = 21,
    /* Iterations of a load that are no operation of PKCS#11. */
    P11PROF_OPERATION_SESSION_OPEN_CLOSE = 22,
    P11PROF_OPERATION_LOGIN_LOGOUT = 23,
    P11PROF_OPERATION_GET_ATTRIBUTES = 24,
    P11PROF_OPERATION_OBJECT_CREATE_DESTROY = 25,
    P11PROF_OPERATION_OBJECT_COPY = 26,
    P11PROF_OPERATION_SET_ATTRIBUTE = 27,
    P11PROF_OPERATION_DIGEST_ENCRYPT = 28,
    P11PROF_OPERATION_DECRYPT_DIGEST = 29,
    P11PROF_OPERATION_SIGN_ENCRYPT = 30,
    P11PROF_OPERATION_DECRYPT_VERIFY = 31,
    /* 32 to 34: not in use. */
    P11PROF_OPERATIONS, /* one more than the last */
};

/* Which part of its operation a call is. */
enum p11prof_role {
    P11PROF_ROLE_NONE,    /* of no operation */
    P11PROF_ROLE_INIT,    /* opens it: mechanism and key */
    P11PROF_ROLE_ONE,     /* does and ends it, after INIT: C_Sign */
    P11PROF_ROLE_UPDATE,  /* carries it on */
    P11PROF_ROLE_DUAL,    /* carries two on: `operation` and p11prof_call.second_operation */
    P11PROF_ROLE_FINAL,   /* ends it */
    P11PROF_ROLE_SHOT,    /* is one by itself: C_WrapKey */
    P11PROF_ROLE_OPEN,    /* opens a message process: mechanism and key of its messages */
    P11PROF_ROLE_MESSAGE, /* one message in one call */
    P11PROF_ROLE_BEGIN,   /* opens a message */
    P11PROF_ROLE_NEXT,    /* carries a message on; ends it with P11PROF_RECORD_LAST */
    P11PROF_ROLE_CLOSE,   /* ends the message process */
};

/* What a, b and c of a call's record mean. */
enum p11prof_fact {
    P11PROF_FACT_NONE,
    P11PROF_FACT_SLOT,
    P11PROF_FACT_MECHANISM,
    P11PROF_FACT_OBJECT,       /* the key or object that the call works with */
    P11PROF_FACT_OTHER_OBJECT, /* a second one */
    P11PROF_FACT_IN_BYTES,
    P11PROF_FACT_OUT_BYTES,
    P11PROF_FACT_FLAGS,
    P11PROF_FACT_USER, /* CKU_... */
    P11PROF_FACT_COUNT,
    P11PROF_FACT_MAX_COUNT,
    P11PROF_FACT_FUNCTION, /* enum p11prof_function that an asynchronous call asks about */
    P11PROF_FACT_VALUE,
    P11PROF_FACT_ATTRIBUTE, /* P11PROF_TYPES_KNOWN | CKA_... of the first that it asks for */
    P11PROF_FACT_TEMPLATE,  /* P11PROF_TYPES_KNOWN | bits of enum p11prof_template_type */
};

/* Marks a fact about types of attributes: spools of older shims have 0 there. */
#define P11PROF_TYPES_KNOWN (UINT64_C(1) << 63)

/* What a search looks for. Stored on disk: numbers are only ever added. */
enum p11prof_template_type {
    P11PROF_TEMPLATE_CLASS = 1,
    P11PROF_TEMPLATE_KEY_TYPE = 2,
    P11PROF_TEMPLATE_LABEL = 4,
    P11PROF_TEMPLATE_ID = 8,
    P11PROF_TEMPLATE_TOKEN = 16,
    P11PROF_TEMPLATE_PRIVATE = 32,
    P11PROF_TEMPLATE_OTHER = 64, /* any other attribute */
};

struct p11prof_call {
    const char *name;  /* "C_Sign" */
    uint16_t since;    /* major * 100 + minor */
    uint8_t operation; /* enum p11prof_operation */
    uint8_t second_operation;
    uint8_t role;    /* enum p11prof_role */
    uint8_t fact[3]; /* enum p11prof_fact of a, b, c */
    bool in_session; /* the record's session is one */
};

/* Indexed by enum p11prof_function; entry 0 is "unknown". */
extern const struct p11prof_call p11prof_calls[P11PROF_CALLS + 1];

/* Name of an operation as views and options spell it: "sign", "generate-key-pair". NULL for none or
 * unknown. */
const char *p11prof_operation_name(unsigned operation);

/* Number of the function of that name, 0 if there is none. */
unsigned p11prof_function_named(const char *name);

/* Name of a mechanism, return value or key type: "CKM_ECDSA"; NULL if 3.2 does not know the value.
 */
const char *p11prof_mechanism_name(uint64_t mechanism);
const char *p11prof_rv_name(uint64_t rv);
const char *p11prof_key_type_name(uint64_t key_type);

/* The same, with unknown values as "0x8000000A" in `buffer` of at least 19 bytes. Never NULL. */
const char *p11prof_rv_text(uint64_t rv, char *buffer);

#endif
