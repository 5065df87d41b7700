/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
/* Functions of an ELF file, by elfutils: .symtab, .dynsym, MiniDebugInfo and separate debug files
 * below /usr/lib/debug. For the helper alone: a damaged file may bring elfutils down. */
#ifndef P11PROF_SYMBOLS_ELF_SYMBOLS_H
#define P11PROF_SYMBOLS_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_symbols;

/* Takes the descriptor over, which is of the file at `path`; NULL if it is no ELF file. */
struct elf_symbols *elf_symbols_open(int fd, const char *path);
void elf_symbols_close(struct elf_symbols *symbols);

/* The function that holds the call whose return address is at offset_bytes of the file, without the
 * parameters of a C++ one, and how far behind its begin that address is. False if there is none. */
bool elf_symbols_find(struct elf_symbols *symbols, uint64_t offset_bytes, char *name,
                      size_t name_bytes, uint64_t *symbol_offset_bytes);

#endif
