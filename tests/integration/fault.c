/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "fault.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { END_SECONDS = 10 };

static struct fault *current; /* for the hook in the child */

static void redirect(int fd, const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (file < 0 || dup2(file, fd) < 0)
        _exit(97);
    close(file);
}

static void in_child(const struct driven *driven)
{
    setenv("P11PROF_DEBUG", "1", 1);
    redirect(STDOUT_FILENO, current->output_path);
    redirect(STDERR_FILENO, current->said_path);
    if (current->in_child)
        current->in_child(driven);
}

void fault_set_up(struct fault *fault)
{
    memset(fault, 0, sizeof *fault);
    driven_set_up(&fault->driven);
    fault->driven.in_child = in_child;
    snprintf(fault->output_path, sizeof fault->output_path, "%s/output", fault->driven.folder);
    snprintf(fault->said_path, sizeof fault->said_path, "%s/said", fault->driven.folder);
    snprintf(fault->disk, sizeof fault->disk, "%s/disk", fault->driven.folder);
    assert_int_equal(mkdir(fault->disk, 0700), 0);
}

void fault_tear_down(struct fault *fault)
{
    if (fault->mounted)
        umount2(fault->disk, MNT_DETACH);
    driven_tear_down(&fault->driven);
}

bool fault_disk(struct fault *fault, const char *options)
{
    static int namespace_state; /* 0: not asked, 1: ours, -1: none */
    if (namespace_state == 0) {
        bool ours =
            unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
        namespace_state = ours ? 1 : -1;
    }
    fault->mounted = namespace_state > 0 && mount("tmpfs", fault->disk, "tmpfs", 0, options) == 0;
    if (fault->mounted)
        assert_int_equal(chmod(fault->disk, 0700), 0);
    return fault->mounted;
}

void fault_disk_change(struct fault *fault, unsigned long flags, const char *options)
{
    assert_int_equal(mount("tmpfs", fault->disk, "tmpfs", MS_REMOUNT | flags, options), 0);
}

void fault_db(struct fault *fault, const char *folder, const char *name)
{
    snprintf(fault->driven.db, sizeof fault->driven.db, "%.200s/%.64s", folder, name);
}

void fault_start(struct fault *fault, const char *scenario, const char *drain, unsigned threads,
                 unsigned long calls)
{
    current = fault;
    fault->child = driven_start(&fault->driven, scenario, drain, threads, calls);
}

void fault_end(struct fault *fault)
{
    int status;
    struct stat output;
    time_t last = time(NULL) + (fault->end_seconds ? fault->end_seconds : END_SECONDS);
    pid_t ended;
    while ((ended = waitpid(fault->child, &status, WNOHANG)) == 0 && time(NULL) <= last)
        usleep(2000);
    if (ended == 0) {
        kill(fault->child, SIGKILL);
        fail_msg("the application hangs");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fault_said(fault, "(what it said)");
        fail_msg("the application ended with status 0x%x", (unsigned)status);
    }
    assert_int_equal(stat(fault->output_path, &output), 0);
    assert_int_equal(output.st_size, 0);
}

void fault_run(struct fault *fault, const char *scenario, const char *drain, unsigned threads,
               unsigned long calls)
{
    fault_start(fault, scenario, drain, threads, calls);
    fault_end(fault);
}

bool fault_spoke(const struct fault *fault)
{
    struct stat facts;
    return stat(fault->said_path, &facts) == 0 && facts.st_size > 0;
}

void fault_said(const struct fault *fault, const char *text)
{
    char said[16384] = "";
    FILE *file = fopen(fault->said_path, "r");
    assert_non_null(file);
    size_t bytes = fread(said, 1, sizeof said - 1, file);
    said[bytes] = '\0';
    fclose(file);
    const char *found = strstr(said, text);
    if (!found)
        fail_msg("'%s' does not say '%s'", said, text);
}

unsigned fault_spools(const struct fault *fault)
{
    unsigned count = 0;
    DIR *folder = opendir(fault->driven.spool);
    for (struct dirent *entry; folder && (entry = readdir(folder));)
        count += strstr(entry->d_name, ".spool") != NULL;
    if (folder)
        closedir(folder);
    return count;
}

void fault_exact(struct fault *fault)
{
    assert_true(driven_returned(&fault->driven) > 0);
    assert_int_equal(fault_counted(fault, NULL), 0);
    driven_assert_exact(&fault->driven, false);
}

long long fault_counted(struct fault *fault, const char *cause)
{
    struct driven *driven = &fault->driven;
    char query[200];
    driven_collect(driven);
    assert_int_equal(fault_spools(fault), 0);
    long long returned = (long long)driven_returned(driven);
    const char *of_it = "FROM losses WHERE coalesce(function, 'C_GenerateRandom') = "
                        "'C_GenerateRandom'";
    snprintf(query, sizeof query, "SELECT coalesce(sum(count), 0) %s", of_it);
    long long lost = driven_ask(driven, query);
    snprintf(query, sizeof query, "SELECT count(*) %s AND cause != '%s'", of_it,
             cause ? cause : "");
    assert_true(!cause || driven_ask(driven, query) == 0);
    long long rows =
        driven_ask(driven, "SELECT count(*) FROM calls WHERE function = 'C_GenerateRandom'");
    printf("  %lld calls returned: %lld rows, %lld lost\n", returned, rows, lost);
    assert_int_equal(rows + lost, returned);
    assert_int_equal(driven_ask(driven, "SELECT count(*) FROM calls"),
                     driven_ask(driven, "SELECT sum(call_count - lost_count) FROM runs"));
    return lost;
}
