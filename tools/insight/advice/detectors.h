/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* All detectors: those that detectors.def lists. */
#ifndef P11PROF_INSIGHT_ADVICE_DETECTORS_H
#define P11PROF_INSIGHT_ADVICE_DETECTORS_H

#include "insight/advice.h"

#define DETECTOR(name) extern const struct p11prof_detector p11prof_detect_##name;
#include "detectors.def"
#undef DETECTOR

extern const struct p11prof_detector *const p11prof_detectors[];
extern const size_t p11prof_detector_count;

#endif
