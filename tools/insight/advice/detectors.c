/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "detectors.h"

const struct p11prof_detector *const p11prof_detectors[] = {
#define DETECTOR(name) &p11prof_detect_##name,
#include "detectors.def"
#undef DETECTOR
};
const size_t p11prof_detector_count = sizeof p11prof_detectors / sizeof p11prof_detectors[0];
