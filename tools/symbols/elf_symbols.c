/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "elf_symbols.h"

#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of the C++ runtime; its header is C++. */
extern char *__cxa_demangle(const char *mangled, char *buffer, size_t *bytes, int *status);

struct elf_symbols {
    Dwfl *dwfl;
    Dwfl_Module *module;
    Elf *elf;
    GElf_Addr bias; /* of the module's addresses to those in the file */
};

static const Dwfl_Callbacks callbacks = {.find_debuginfo = dwfl_standard_find_debuginfo,
                                         .section_address = dwfl_offline_section_address};

struct elf_symbols *elf_symbols_open(int fd, const char *path)
{
    struct elf_symbols *symbols = calloc(1, sizeof *symbols);
    symbols->dwfl = symbols ? dwfl_begin(&callbacks) : NULL;
    symbols->module = symbols->dwfl ? dwfl_report_offline(symbols->dwfl, path, path, fd) : NULL;
    if (!symbols->module) {
        close(fd); /* taken over where it succeeds */
        elf_symbols_close(symbols);
        return NULL;
    }
    dwfl_report_end(symbols->dwfl, NULL, NULL);
    symbols->elf = dwfl_module_getelf(symbols->module, &symbols->bias);
    if (symbols->elf)
        return symbols;
    elf_symbols_close(symbols);
    return NULL;
}

void elf_symbols_close(struct elf_symbols *symbols)
{
    if (symbols && symbols->dwfl)
        dwfl_end(symbols->dwfl);
    free(symbols);
}

/* The module's address of a place in an executable part of the file. */
static bool address_of(const struct elf_symbols *symbols, uint64_t offset_bytes, GElf_Addr *out)
{
    size_t count;
    if (elf_getphdrnum(symbols->elf, &count) != 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        GElf_Phdr part;
        if (!gelf_getphdr(symbols->elf, (int)i, &part) || part.p_type != PT_LOAD ||
            !(part.p_flags & PF_X) || offset_bytes < part.p_offset ||
            offset_bytes - part.p_offset >= part.p_filesz)
            continue;
        *out = offset_bytes - part.p_offset + part.p_vaddr + symbols->bias;
        return true;
    }
    return false;
}

/* The end of "ns::f" in "ns::f(int)". Parentheses in template arguments and "operator()" stay, as
 * does "(anonymous namespace)". */
static size_t name_length(const char *text)
{
    size_t depth = 0, length = strlen(text);
    if (length == 0 || text[length - 1] != ')')
        return length;
    for (size_t i = length; i-- > 1;) { /* back to the partner of the last one */
        depth += text[i] == ')';
        depth -= text[i] == '(';
        if (depth == 0)
            return i;
    }
    return length;
}

static void write_name(char *name, size_t name_bytes, const char *symbol)
{
    int status = -1;
    char *demangled =
        strncmp(symbol, "_Z", 2) == 0 ? __cxa_demangle(symbol, NULL, NULL, &status) : NULL;
    const char *text = status == 0 && demangled ? demangled : symbol;
    snprintf(name, name_bytes, "%.*s", (int)name_length(text), text);
    for (char *at = name; *at; at++) /* a newline would be the answer's end */
        if ((unsigned char)*at < ' ' || *at == 127)
            *at = '?';
    free(demangled);
}

/* One byte back is the call itself: behind a call that never returns another function begins. */
bool elf_symbols_find(struct elf_symbols *symbols, uint64_t offset_bytes, char *name,
                      size_t name_bytes, uint64_t *symbol_offset_bytes)
{
    GElf_Addr address;
    GElf_Off offset;
    GElf_Sym symbol;
    if (offset_bytes == 0 || !address_of(symbols, offset_bytes - 1, &address))
        return false;
    const char *found =
        dwfl_module_addrinfo(symbols->module, address, &offset, &symbol, NULL, NULL, NULL);
    if (!found || !*found || offset >= symbol.st_size) /* of no size: who knows where it ends */
        return false;
    write_name(name, name_bytes, found);
    *symbol_offset_bytes = offset + 1;
    return true;
}
