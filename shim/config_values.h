/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The settings by name, and what their values may be. */
#ifndef P11PROF_SHIM_CONFIG_VALUES_H
#define P11PROF_SHIM_CONFIG_VALUES_H

#include "p11prof/config.h"

struct p11prof_value {
    const char *text; /* not empty */
    const char *path; /* of the file it stands in; NULL: the environment */
};

struct p11prof_setting {
    const char *key;      /* in a file; NULL: not allowed there */
    const char *variable; /* of the environment */
    /* Puts the value into the config. Returns NULL, or what is wrong with it; the default then
     * stays. */
    const char *(*take)(struct p11prof_config *config, const struct p11prof_value *value);
};

extern const struct p11prof_setting p11prof_settings[];
extern const unsigned p11prof_setting_count; /* at most 32 */

#endif
