/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* What P11PROF_TEST_TOKEN says, and whose turn it is. */
#include "token.h"

#include "call_log.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DELAYS = 1000, DELAY_STEP = 617 }; /* prime to it: the order is scattered */

struct token_control token_control = {.interface = TOKEN_NEWEST};
static struct {
    pthread_mutex_t lock;
    pthread_cond_t served;
    uint64_t next, served_count; /* C_Sign in the order of their arrival, and those that are over */
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .served = PTHREAD_COND_INITIALIZER};
static _Atomic(uint64_t) call_count, signature_count, result_count, delay_count, kept_count;

static const struct {
    const char *name;
    uint64_t *value;
} numbers[] = {
    {"errors", &token_control.errors},
    {"errors-after", &token_control.errors_after},
    {"errors-until", &token_control.errors_until},
    {"leak", &token_control.leak},
    {"wrong", &token_control.wrong},
    {"wrong-after", &token_control.wrong_after},
    {"sessions", &token_control.sessions},
    {"objects", &token_control.objects},
    {"remove", &token_control.remove},
    {"crash", &token_control.crash},
    {"exit", &token_control.exit},
    {"hang", &token_control.hang},
    {"keeps", &token_control.keeps},
};

static bool take_number(const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) != 0)
            continue;
        *numbers[i].value = strtoull(value, NULL, 10);
        return *numbers[i].value > 0;
    }
    return false;
}

/* "100us-5ms" */
static bool take_range(const char *value)
{
    const char *end = "";
    token_control.delay_low_ns = call_log_time_ns(value, &end);
    if (*end == '-')
        token_control.delay_high_ns = call_log_time_ns(end + 1, &end);
    return *end == '\0' && token_control.delay_high_ns > token_control.delay_low_ns;
}

/* "4x10ms" */
static bool take_serves(const char *value)
{
    char *times;
    const char *end = "";
    token_control.served_most = strtoull(value, &times, 10);
    if (*times == 'x')
        token_control.service_ns = call_log_time_ns(times + 1, &end);
    return *end == '\0' && token_control.service_ns > 0 && token_control.served_most > 0;
}

/* "shuffled:100us-5ms" */
static bool take_delays(const char *value)
{
    return strncmp(value, "shuffled:", 9) == 0 && take_range(value + 9);
}

/* "200:1ms-100ms" */
static bool take_stalls(const char *value)
{
    char *end;
    token_control.stall_every = strtoull(value, &end, 10);
    return token_control.stall_every > 0 && *end == ':' && take_range(end + 1);
}

static bool take_interface(const char *value)
{
    static const char *const lies[] = {[TOKEN_NULL] = "null",
                                       [TOKEN_FAILS] = "fails",
                                       [TOKEN_SHORT] = "short",
                                       [TOKEN_OLDER] = "older",
                                       [TOKEN_EMPTY] = "empty"};
    for (unsigned lie = TOKEN_NULL; lie <= TOKEN_EMPTY; lie++)
        if (strcmp(value, lies[lie]) == 0) {
            token_control.lie = lie;
            return true;
        }
    token_control.interface = (unsigned)strtoul(value, NULL, 10);
    return token_control.interface >= 240 && token_control.interface <= TOKEN_NEWEST;
}

static bool take_flag(const char *word)
{
    if (strcmp(word, "final-try") == 0)
        token_control.flags |= CKF_USER_PIN_FINAL_TRY | CKF_USER_PIN_COUNT_LOW;
    else if (strcmp(word, "locked") == 0)
        token_control.flags |= CKF_USER_PIN_LOCKED;
    else if (strcmp(word, "accepts") == 0)
        token_control.accepts = true;
    else if (strcmp(word, "strict") == 0)
        token_control.strict = true;
    else
        return *word == '\0';
    return true;
}

static bool take_word(char *word)
{
    char *value = strchr(word, '=');
    if (!value)
        return take_flag(word);
    *value++ = '\0';
    if (strcmp(word, "refuse") == 0)
        return snprintf(token_control.refuse, sizeof token_control.refuse, "%s", value) > 0;
    if (strcmp(word, "stalls") == 0)
        return take_stalls(value);
    if (strcmp(word, "serves") == 0)
        return take_serves(value);
    if (strcmp(word, "interface") == 0)
        return take_interface(value);
    return strcmp(word, "delays") == 0 ? take_delays(value) : take_number(word, value);
}

/* What is misspelt must not look like a token that works. */
__attribute__((constructor)) static void control_read(void)
{
    const char *text = getenv("P11PROF_TEST_TOKEN");
    char *copy = strdup(text ? text : ""), *rest = copy;
    for (char *word; (word = strsep(&rest, ","));)
        if (!take_word(word)) {
            fprintf(stderr, "P11PROF_TEST_TOKEN: what is '%s'?\n", word);
            abort();
        }
    free(copy);
}

CK_RV token_call_begin(unsigned function)
{
    uint64_t number = atomic_fetch_add(&call_count, 1) + 1;
    if (number == token_control.crash)
        raise(SIGSEGV);
    if (number == token_control.exit)
        exit(5);
    while (token_control.hang && number == token_control.hang)
        pause();
    return token_control.remove && number > token_control.remove && function != P11PROF_C_Finalize
               ? CKR_DEVICE_REMOVED
               : CKR_OK;
}

uint64_t token_delay_ns(void)
{
    uint64_t range_ns = token_control.delay_high_ns - token_control.delay_low_ns;
    uint64_t number = atomic_fetch_add(&delay_count, 1), place = number * DELAY_STEP % DELAYS;
    if (token_control.stall_every > 0)
        return (number + 1) % token_control.stall_every == 0 ? token_control.delay_high_ns
                                                             : token_control.delay_low_ns;
    return token_control.delay_low_ns + range_ns * place / DELAYS;
}

void token_serve(void)
{
    if (token_control.served_most == 0)
        return;
    pthread_mutex_lock(&queue.lock);
    uint64_t number = queue.next++;
    while (number >= queue.served_count + token_control.served_most)
        pthread_cond_wait(&queue.served, &queue.lock);
    pthread_mutex_unlock(&queue.lock);
    call_log_wait(0, token_control.service_ns, true);
    pthread_mutex_lock(&queue.lock);
    queue.served_count++;
    pthread_cond_broadcast(&queue.served);
    pthread_mutex_unlock(&queue.lock);
}

void token_leak(void)
{
    static char *_Atomic forgotten;
    char *bytes = token_control.leak ? malloc(token_control.leak) : NULL;
    if (bytes)
        memset(bytes, 0x5a, token_control.leak);
    atomic_store(&forgotten, bytes);
}

bool token_result_is_wrong(void)
{
    uint64_t number = atomic_fetch_add(&result_count, 1) + 1;
    return (token_control.wrong && number % token_control.wrong == 0) ||
           (token_control.wrong_after && number > token_control.wrong_after);
}

bool token_keeps(void)
{
    return atomic_fetch_add(&kept_count, 1) < token_control.keeps;
}

bool token_signature_fails(void)
{
    uint64_t number = atomic_fetch_add(&signature_count, 1) + 1;
    bool outage = token_control.errors_after && number > token_control.errors_after &&
                  (!token_control.errors_until || number <= token_control.errors_until);
    return outage || (token_control.errors && number % token_control.errors == 0);
}

void token_log(const char *event)
{
    const char *path = getenv("P11PROF_TEST_TOKEN_LOG");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    char line[160];
    int bytes = snprintf(line, sizeof line, "%s sessions=%lu objects=%lu pid=%d\n", event,
                         token_state.session_count, token_state.object_count, (int)getpid());
    if (fd < 0)
        return;
    if (write(fd, line, (size_t)bytes) != bytes)
        abort();
    close(fd);
}

__attribute__((destructor)) static void used_end(void)
{
    if (token_state.used)
        token_log("end");
}
