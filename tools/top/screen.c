/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "screen.h"
#include "commands.h"
#include "lines.h"
#include "message.h"
#include "report/allocate.h"

#include <ctype.h>
#include <curses.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { FILTER_BYTES = 48, HEAD_LINES = 2, ESCAPE = 27, DELETE = 127 };

struct screen {
    struct top_watch *watch;
    uint64_t interval_ns;
    struct top_figures figures;
    enum top_page page;
    const struct top_sort *sort;
    size_t first; /* row that is shown first */
    char filter[FILTER_BYTES];
    bool paused, help, typing, done;
    int stderr_fd, said_fd; /* messages go to a file while the screen is up */
    char said[256];         /* the last of them */
};

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* --- messages --- */

/* What is said meanwhile would run over the screen. */
static void messages_hold(struct screen *screen)
{
    screen->said_fd = memfd_create("p11prof-top", MFD_CLOEXEC);
    screen->stderr_fd = dup(STDERR_FILENO);
    if (screen->said_fd >= 0 && screen->stderr_fd >= 0)
        dup2(screen->said_fd, STDERR_FILENO);
}

static void messages_read(struct screen *screen)
{
    char text[4096];
    ssize_t length = screen->said_fd >= 0 ? pread(screen->said_fd, text, sizeof text - 1, 0) : 0;
    if (length <= 0)
        return;
    text[length] = '\0';
    text[strcspn(text, "\n")] = '\0';
    snprintf(screen->said, sizeof screen->said, "%.250s", text);
    if (ftruncate(screen->said_fd, 0) == 0)
        lseek(screen->said_fd, 0, SEEK_SET);
}

/* The last message is said again where it stays. */
static void messages_release(struct screen *screen)
{
    messages_read(screen);
    if (screen->stderr_fd >= 0)
        dup2(screen->stderr_fd, STDERR_FILENO);
    close(screen->stderr_fd);
    close(screen->said_fd);
    if (screen->said[0])
        dprintf(STDERR_FILENO, "%s\n", screen->said);
}

/* --- drawing --- */

static char *text_of(struct screen *screen, bool table)
{
    char *text;
    size_t bytes;
    FILE *stream = p11prof_text_open(&text, &bytes);
    if (table)
        top_lines_table(stream, &screen->figures, screen->page, screen->sort, (size_t)COLS);
    else
        top_lines_head(stream, &screen->figures);
    fclose(stream);
    return text;
}

/* Lines of a text from `row` on; returns the row behind them. The first of a table is its heading,
 * `skip` those after it that are not shown. */
static int draw_text(char *text, int row, int end, size_t skip, bool heading)
{
    char *rest = text;
    bool first = true;
    for (char *line; row < end && (line = strsep(&rest, "\n")) != NULL; first = false) {
        if (!rest && !*line)
            break;
        if (!first && skip > 0) {
            skip--;
            continue;
        }
        if (first && heading)
            attron(A_REVERSE);
        mvprintw(row, 0, "%-*.*s", heading && first ? COLS : 0, COLS, line);
        if (first && heading)
            attroff(A_REVERSE);
        row++;
    }
    return row;
}

static void draw_state(const struct screen *screen)
{
    mvprintw(HEAD_LINES, 0, "%s sorted by %s%s", screen->page ? "processes" : "functions",
             screen->sort->label, screen->paused ? "  PAUSED" : "");
    if (screen->typing || screen->filter[0])
        printw("  filter: %s%s", screen->filter, screen->typing ? "_" : "");
    if (screen->said[0])
        printw("  %.*s", COLS > 40 ? COLS - 40 : 0, screen->said);
}

static void draw_help(int row)
{
    static const char *const lines[] = {
        "q        end",
        "space    pause, go on",
        "p        processes, or functions",
        "/        filter by name; Enter ends it, Escape takes it away",
        "b r e    sort by time in the module, rate, errors (of processes: losses)",
        "9 o n    sort by p99, oldest call in flight, name",
        "+ -      a longer or shorter time that the figures are of",
        "up down  move through the rows",
        "h ?      this help",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0] && row < LINES - 1; i++)
        mvprintw(row++, 2, "%.*s", COLS - 2, lines[i]);
}

static void draw(struct screen *screen)
{
    erase();
    char *head = text_of(screen, false);
    draw_text(head, 0, HEAD_LINES, 0, false);
    free(head);
    draw_state(screen);
    if (screen->help) {
        draw_help(HEAD_LINES + 2);
    } else {
        char *table = text_of(screen, true);
        draw_text(table, HEAD_LINES + 1, LINES - 1, screen->first, true);
        free(table);
    }
    mvprintw(LINES - 1, 0, "%.*s", COLS - 1,
             "q end  space pause  p processes  / filter  b r e 9 o n sort  + - window  h help");
    refresh();
}

/* --- keys --- */

static void type_filter(struct screen *screen, int key)
{
    size_t length = strlen(screen->filter);
    if (key == ESCAPE)
        screen->filter[0] = '\0';
    if (key == ESCAPE || key == '\n' || key == '\r' || key == KEY_ENTER)
        screen->typing = false;
    else if ((key == KEY_BACKSPACE || key == DELETE || key == '\b') && length > 0)
        screen->filter[length - 1] = '\0';
    else if (key < 128 && isprint(key) && length + 1 < sizeof screen->filter)
        screen->filter[length] = (char)key, screen->filter[length + 1] = '\0';
}

static void window_change(struct screen *screen, bool longer)
{
    const uint64_t LEAST_NS = 1000000000, MOST_NS = 60000000000;
    uint64_t window_ns = longer ? screen->watch->window_ns * 2 : screen->watch->window_ns / 2;
    if (window_ns >= LEAST_NS && window_ns <= MOST_NS)
        screen->watch->window_ns = window_ns;
}

static void take_key(struct screen *screen, int key)
{
    size_t rows =
        screen->page ? screen->figures.processes.row_count : screen->figures.functions.row_count;
    if (screen->typing) {
        type_filter(screen, key);
        return;
    }
    for (size_t i = 0; i < TOP_SORTS; i++)
        if (top_sorts[i].key == key && top_sorts[i].columns[screen->page])
            screen->sort = &top_sorts[i];
    if (key == 'q')
        screen->done = true;
    else if (key == ' ')
        screen->paused = !screen->paused;
    else if (key == 'p')
        screen->page = !screen->page, screen->first = 0, screen->sort = &top_sorts[screen->page];
    else if (key == '/')
        screen->typing = true;
    else if (key == ESCAPE)
        screen->filter[0] = '\0', screen->help = false;
    else if (key == '+' || key == '-')
        window_change(screen, key == '+');
    else if (key == 'h' || key == '?')
        screen->help = !screen->help;
    else if (key == KEY_DOWN && screen->first + 1 < rows)
        screen->first++;
    else if (key == KEY_UP && screen->first > 0)
        screen->first--;
}

/* --- the loop --- */

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void make_figures(struct screen *screen)
{
    top_figures_clear(&screen->figures);
    top_watch_figures(screen->watch, screen->filter, &screen->figures);
}

/* Keys until the time has come. */
static void wait_until(struct screen *screen, uint64_t until_ns)
{
    for (uint64_t now; !screen->done && !stop_signal && (now = now_ns()) < until_ns;) {
        timeout((int)((until_ns - now) / 1000000) + 1);
        int key = getch();
        if (key == ERR)
            continue;
        take_key(screen, key);
        make_figures(screen);
        draw(screen);
    }
}

static enum p11prof_status show(struct screen *screen, struct p11prof_error *error)
{
    uint64_t next_ns = now_ns();
    while (!screen->done && !stop_signal) {
        if (!screen->paused && top_watch_refresh(screen->watch, error) != P11PROF_OK)
            return error->status;
        messages_read(screen);
        make_figures(screen);
        draw(screen);
        next_ns += screen->interval_ns;
        if (next_ns < now_ns())
            next_ns = now_ns() + screen->interval_ns;
        wait_until(screen, next_ns);
    }
    return P11PROF_OK;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);
}

int top_screen_run(struct top_watch *watch, uint64_t interval_ns)
{
    struct screen screen = {.watch = watch, .interval_ns = interval_ns, .sort = &top_sorts[0]};
    struct p11prof_error error = {.status = P11PROF_OK};
    catch_signals();
    setlocale(LC_CTYPE, "");
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return p11prof_complain(P11PROF_EXIT_USAGE,
                                "the terminal %s is not known here: set TERM, or use --once",
                                getenv("TERM") ? getenv("TERM") : "(TERM is not set)");
    messages_hold(&screen);
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    set_escdelay(50);
    curs_set(0);
    enum p11prof_status status = show(&screen, &error);
    endwin();
    delscreen(terminal);
    messages_release(&screen);
    top_figures_clear(&screen.figures);
    if (status != P11PROF_OK)
        return p11prof_complain_of(&error);
    return stop_signal ? P11PROF_EXIT_SIGNAL + stop_signal : P11PROF_EXIT_DONE;
}
