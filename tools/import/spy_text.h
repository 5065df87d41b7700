/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The texts of CK_INFO and CK_TOKEN_INFO in a log of pkcs11-spy. */
#ifndef P11PROF_IMPORT_SPY_TEXT_H
#define P11PROF_IMPORT_SPY_TEXT_H

#include "import/spy_call.h"

/* Takes in a line such as "label:   'token   '", if the call is one that asks for it. */
void p11prof_spy_text(struct p11prof_spy_call *call, const char *text);

/* Hands on what a call that succeeded was told. */
void p11prof_spy_texts_feed(const struct p11prof_spy_call *call, struct p11prof_feed *feed);

#endif
