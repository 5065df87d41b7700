/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fake_token.h"

#include "bench/child.h"

#include <stdlib.h>
#include <string.h>

struct fake fake;

static void field(CK_UTF8CHAR *to, size_t bytes, const char *text)
{
    memset(to, ' ', bytes);
    memcpy(to, text, strlen(text));
}

static CK_RV get_info(CK_INFO *info)
{
    memset(info, 0, sizeof *info);
    return CKR_OK;
}

static CK_RV get_slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    CK_ULONG room = *count;
    (void)present;
    *count = fake.slot_count;
    if (fake.slots_rv != CKR_OK || !slots) {
        fake.slot_count += fake.appearing_count;
        fake.appearing_count = 0;
        return fake.slots_rv;
    }
    if (room < fake.slot_count)
        return CKR_BUFFER_TOO_SMALL;
    for (CK_ULONG i = 0; i < fake.slot_count; i++)
        slots[i] = FAKE_FIRST_SLOT + i;
    return CKR_OK;
}

static CK_RV get_slot_info(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
    (void)slot;
    memset(info, ' ', sizeof *info);
    return CKR_OK;
}

static CK_RV get_token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    const struct fake_slot *found = &fake.slots[slot - FAKE_FIRST_SLOT];
    if (found->rv == CKR_OK)
        *info = found->token;
    return found->rv;
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG bytes)
{
    (void)session, (void)user;
    ++*fake.login_count;
    fake.pin_is_null = !pin;
    fake.pin_bytes = bytes;
    if (pin && bytes <= sizeof fake.pin)
        memcpy(fake.pin, pin, bytes);
    if (fake.login_dies)
        _Exit(9);
    return fake.login_rv;
}

CK_FUNCTION_LIST fake_module = {
    .C_GetInfo = get_info,
    .C_GetSlotList = get_slot_list,
    .C_GetSlotInfo = get_slot_info,
    .C_GetTokenInfo = get_token_info,
    .C_Login = login,
};

void fake_reset(void)
{
    static unsigned *login_count;
    if (!login_count)
        login_count = p11prof_bench_shared_new(sizeof *login_count);
    memset(&fake, 0, sizeof fake);
    *login_count = 0;
    fake.login_count = login_count;
}

CK_TOKEN_INFO *fake_add(const char *label, const char *serial)
{
    CK_TOKEN_INFO *token = &fake.slots[fake.slot_count++].token;
    field(token->label, sizeof token->label, label);
    field(token->manufacturerID, sizeof token->manufacturerID, "maker");
    field(token->model, sizeof token->model, "model");
    field(token->serialNumber, sizeof token->serialNumber, serial);
    token->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED | CKF_LOGIN_REQUIRED;
    return token;
}
