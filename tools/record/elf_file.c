/* SPDX-License-Identifier: Apache-2.0
 * SPDX-FileCopyrightText: The p11prof authors */
#include "elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if __SIZEOF_POINTER__ == 8
#define OWN_CLASS ELFCLASS64
#else
#define OWN_CLASS ELFCLASS32
#endif
#if defined(__x86_64__)
#define OWN_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define OWN_MACHINE EM_AARCH64
#elif defined(__i386__)
#define OWN_MACHINE EM_386
#endif

struct bytes {
    char *start; /* owned */
    size_t count;
};

/* Read, not mapped: who shortens the file meanwhile must not end us. */
static struct bytes read_file(const char *path)
{
    struct bytes bytes = {NULL, 0};
    struct stat found;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return bytes;
    if (fstat(file, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0)
        bytes.start = malloc((size_t)found.st_size);
    while (bytes.start && bytes.count < (size_t)found.st_size) {
        ssize_t taken = read(file, bytes.start + bytes.count, (size_t)found.st_size - bytes.count);
        if (taken <= 0)
            break;
        bytes.count += (size_t)taken;
    }
    close(file);
    return bytes;
}

static void keep_interpreter(struct p11prof_file *out, const char *start, size_t bytes)
{
    snprintf(out->interpreter, sizeof out->interpreter, "%.*s",
             (int)(bytes < sizeof out->interpreter ? bytes : sizeof out->interpreter - 1), start);
}

static void read_script(struct p11prof_file *out, struct bytes bytes)
{
    size_t start = 2, end = 2;
    while (start < bytes.count && (bytes.start[start] == ' ' || bytes.start[start] == '\t'))
        start++;
    for (end = start; end < bytes.count && bytes.start[end] != '\n';)
        end++;
    out->kind = P11PROF_FILE_SCRIPT;
    keep_interpreter(out, bytes.start + start, end - start);
}

static bool own_machine(const ElfW(Ehdr) * header)
{
#ifdef OWN_MACHINE
    if (header->e_machine != OWN_MACHINE)
        return false;
#endif
    return header->e_ident[EI_CLASS] == OWN_CLASS;
}

/* Finds the dynamic loader in the program headers. */
static void read_program(struct p11prof_file *out, struct bytes bytes, const ElfW(Ehdr) * header)
{
    for (unsigned i = 0; i < header->e_phnum; i++) {
        ElfW(Phdr) part;
        size_t offset = header->e_phoff + i * sizeof part;
        if (offset > bytes.count || bytes.count - offset < sizeof part)
            return;
        memcpy(&part, bytes.start + offset, sizeof part);
        if (part.p_type != PT_INTERP || part.p_offset > bytes.count ||
            part.p_filesz > bytes.count - part.p_offset)
            continue;
        out->kind = P11PROF_FILE_EXECUTABLE;
        keep_interpreter(out, bytes.start + part.p_offset, part.p_filesz);
    }
}

static void read_elf(struct p11prof_file *out, struct bytes bytes)
{
    ElfW(Ehdr) header;
    if (bytes.count < sizeof header)
        return;
    memcpy(&header, bytes.start, sizeof header);
    if (!own_machine(&header)) {
        out->kind = P11PROF_FILE_FOREIGN;
        return;
    }
    if (header.e_type != ET_DYN && header.e_type != ET_EXEC)
        return;
    out->kind = header.e_type == ET_DYN ? P11PROF_FILE_LIBRARY : P11PROF_FILE_EXECUTABLE;
    if (header.e_phentsize == sizeof(ElfW(Phdr)))
        read_program(out, bytes, &header);
}

void p11prof_file_read(struct p11prof_file *out, const char *path)
{
    struct bytes bytes = read_file(path);
    *out = (struct p11prof_file){P11PROF_FILE_OTHER, ""};
    if (bytes.count >= 2 && memcmp(bytes.start, "#!", 2) == 0)
        read_script(out, bytes);
    else if (bytes.count >= SELFMAG && memcmp(bytes.start, ELFMAG, SELFMAG) == 0)
        read_elf(out, bytes);
    free(bytes.start);
}

bool p11prof_file_holds(const char *path, const void *pattern, size_t bytes)
{
    struct bytes file = read_file(path);
    bool holds = file.start && memmem(file.start, file.count, pattern, bytes);
    free(file.start);
    return holds;
}
