/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "foreign_words.h"

#include <string.h>

struct word {
    const char *theirs, *ours;
};

/* A word may stand for several: the first one that the command has. */
static const struct word option_words[] = {
    {"algorithm", "test"},
    {"bytes", "data-sizes"},
    {"count", "iterations"},
    {"coverage", "test"},
    {"datapoints", "record"},
    {"engine", "module"},
    {"evp", "test"},
    {"jsonfile", "output"},
    {"keysizes", "test"},
    {"lib", "module"},
    {"library", "module"},
    {"log-file", "output"},
    {"mechanism", "test"},
    {"multi", "processes"},
    {"nogenerate", "key"},
    {"password", "pin-source"},
    {"pin-stdin", "pin-source"},
    {"provider", "module"},
    {"seconds", "duration"},
    {"time", "duration"},
    {"token", "token-label"},
    {"vectors", "data-sizes"},
    {"workers", "threads"},
    {"c", "test"},
    {"d", "record"},
    {"i", "iterations"},
    {"j", "json"},
    {"k", "test"},
    {"l", "module"},
    {"n", "key"},
    {"o", "output"},
    {"p", "pin-source"},
    {"s", "slot-index"},
    {"t", "threads"},
    {"v", "data-sizes"},
};

static const struct word command_words[] = {
    {"benchmark", "bench"},
    {"benchmark-compare", "compare"},
    {"benchmark-mix", "bench --mix"},
    {"benchmark-stress", "bench --stress"},
    {"benchmark-suite", "bench --suite"},
    {"mix", "bench --mix"},
    {"stress", "bench --stress"},
    {"suite", "bench --suite"},
    {"p11perftest", "bench"},
    {"perfcheck", "bench"},
    {"speed", "bench"},
    {"test", "bench"},
    {"--test", "bench"},
    {"analyze", "import"},
    {"list", "runs"},
    {"man", "help"},
    {"version", "--version"},
    {"-v", "--version"},
    {"-V", "--version"},
    {"analyse", "import"},
    {"stat", "report"},
    {"stats", "report"},
    {"observe", "record"},
    {"profile", "record"},
    {"spy", "record"},
    {"trace", "record"},
    {"diff", "compare"},
    {"log", "calls"},
    {"metrics", "export --format prometheus"},
    {"prometheus", "export --format prometheus"},
};
#define WORDS(table) (sizeof(table) / sizeof(table)[0])

const char *p11prof_foreign_option(const char *word, const char *const *names, size_t count)
{
    for (size_t i = 0; i < WORDS(option_words); i++)
        for (size_t k = 0; strcmp(option_words[i].theirs, word) == 0 && k < count; k++)
            if (strcmp(names[k], option_words[i].ours) == 0)
                return names[k];
    return NULL;
}

const char *p11prof_foreign_command(const char *word)
{
    for (size_t i = 0; i < WORDS(command_words); i++)
        if (strcmp(command_words[i].theirs, word) == 0)
            return command_words[i].ours;
    return NULL;
}
