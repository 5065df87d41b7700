/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* The processes behind a script: the maker of its objects, and one player for each of its own. */
#ifndef P11PROF_BENCH_LIKE_WORKERS_H
#define P11PROF_BENCH_LIKE_WORKERS_H

#include "../worker.h"

/* given->work of each; given->payload is a struct like_stage. Both serve requests until the command
 * says quit, or is gone.
 *
 *   maker    SET_UP    finds the token and logs in, unrecorded
 *            PREPARE   makes objects and inputs
 *            CLOSE     destroys the objects; so does its end
 *   player   SET_UP    loads the module
 *            SLICE     plays its process, from plan.start_ns on */
_Noreturn void like_maker_run(struct bench_worker *given);
_Noreturn void like_player_run(struct bench_worker *given);

#endif
