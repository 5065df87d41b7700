/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "row_call.h"

#include "p11prof/batch.h"

static enum like_reason reason_of(const struct like_row *row)
{
    switch (row->function) {
    case P11PROF_C_InitToken:
    case P11PROF_C_InitPIN:
    case P11PROF_C_SetPIN:
        return LIKE_PIN_CHANGED;
    case P11PROF_C_WaitForSlotEvent:
        return row->kind == P11PROF_KIND_BLOCKING ? LIKE_WAITING : LIKE_REASONS;
    case P11PROF_C_Login:
    case P11PROF_C_LoginUser:
        return row->rv == CKR_OK || row->rv == CKR_USER_ALREADY_LOGGED_IN ? LIKE_REASONS
                                                                          : LIKE_LOGIN_FAILED;
    default:
        return LIKE_REASONS;
    }
}

enum like_reason like_row_reason(const struct like_row *row)
{
    if (row->function < 1 || row->function > P11PROF_CALLS)
        return LIKE_NO_FUNCTION;
    return row->flags & P11PROF_ROW_NESTED ? LIKE_NESTED : reason_of(row);
}

int64_t like_row_end_ns(const struct like_row *row)
{
    return row->start_ns + (row->duration_ns > 0 ? row->duration_ns : 0);
}

static bool takes_flags(unsigned function)
{
    const struct p11prof_call *call = &p11prof_calls[function];
    for (int i = 0; i < 3; i++)
        if (call->fact[i] == P11PROF_FACT_FLAGS || call->fact[i] == P11PROF_FACT_MAX_COUNT)
            return true;
    return false;
}

/* A damaged database may have anything. */
static int64_t amount(int64_t value)
{
    return value < 0 ? LIKE_UNKNOWN : value;
}

struct like_call like_row_call(const struct like_row *row)
{
    unsigned function = (unsigned)row->function;
    bool login = function == P11PROF_C_Login || function == P11PROF_C_LoginUser;
    return (struct like_call){.function = function,
                              .kind = row->kind < 0 || row->kind > P11PROF_KIND_BLOCKING
                                          ? P11PROF_KIND_CALL
                                          : (unsigned)row->kind,
                              .mechanism = row->mechanism,
                              .in_bytes = amount(row->in_bytes),
                              .out_bytes = amount(row->out_bytes),
                              .item_count = amount(row->item_count),
                              .user = login ? amount(row->detail) : LIKE_UNKNOWN,
                              .flags = takes_flags(function) ? amount(row->detail) : LIKE_UNKNOWN,
                              .rv = (CK_RV)row->rv};
}
