/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/elf_pack.h"

#include <stdlib.h>
#include <string.h>

#include "boot/elf.h"
#include "boot/multiboot2_header.h"
#include "common/cursor.h"

#define PAGE 4096u
#define PT_LOAD 1u
/* Read, write, execute: boot loaders do not look. */
#define PF_ALL 7u

/* Offsets in the ELF header: gABI, figure 4-3. What lies behind e_phentsize is e_phnum, e_shentsize, e_shnum, e_shstrndx. */
static const struct layout {
	size_t header, program_header, word, phoff, phnum;
} elf32 = { 52, 32, 4, 28, 44 }, elf64 = { 64, 56, 8, 32, 56 };

/* The parts that are left of the segments. */
struct pieces {
	struct elf_segment p[ELF_MAX_SEGMENTS];
	size_t at[ELF_MAX_SEGMENTS]; /* offset in the packed file */
	size_t count;
};

/* The next run of at least ELF_PACK_RUN zeros in [from, bytes.n): its start, and its end in `*end`. bytes.n if there is none. */
static size_t find_run(struct span bytes, size_t from, size_t *end)
{
	size_t start = from;

	while (start < bytes.n) {
		size_t i;

		for (i = start; i < bytes.n && bytes.p[i] == 0; i++)
			;
		if (i - start >= ELF_PACK_RUN) {
			*end = i;
			return start;
		}
		start = i + 1;
	}
	return bytes.n;
}

static bool push(struct pieces *out, const struct elf_segment *s, size_t from, size_t file_end, uint64_t memory_end)
{
	if (out->count == ELF_MAX_SEGMENTS)
		return false;
	out->p[out->count++] = (struct elf_segment){
		.offset = s->offset + from,
		.file_size = file_end - from,
		.address = s->address + from,
		.virtual_address = s->virtual_address + from,
		.memory_size = memory_end - from,
	};
	return true;
}

/* The pieces of a segment begin at pages, so that they may lie in the file as in memory. `spare`: how many more than one there may be. */
static bool cut(struct span file, const struct elf_segment *s, size_t spare, struct pieces *out)
{
	struct span bytes = { file.p + s->offset, s->file_size };
	size_t from = 0, look = 0;

	for (;;) {
		size_t end = 0, start = find_run(bytes, look, &end), next;

		if (start == bytes.n || (spare == 0 && end < bytes.n))
			return push(out, s, from, bytes.n, s->memory_size);
		if (end == bytes.n)
			return push(out, s, from, start, s->memory_size);
		/* back to the page in which the run ends */
		next = end - (size_t)((s->virtual_address + end) % PAGE);
		if (!push(out, s, from, start, next))
			return false;
		spare--;
		from = next;
		look = end;
	}
}

/* Gives every piece its place in the file; returns the file's size. */
static size_t place(const struct layout *l, struct pieces *all, size_t first)
{
	size_t at = l->header + all->count * l->program_header;

	if (first > at)
		at = first;
	for (size_t i = 0; i < all->count; i++) {
		if (all->p[i].file_size == 0)
			continue;
		at += (size_t)((all->p[i].virtual_address - at) % PAGE);
		all->at[i] = at;
		at += all->p[i].file_size;
	}
	return at;
}

static void write_program_headers(const struct layout *l, bool is64, const struct pieces *all, struct wr *w)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct elf_segment *s = &all->p[i];

		wr_le32(w, PT_LOAD);
		if (is64)
			wr_le32(w, PF_ALL);
		/* Without bytes in the file the offset means nothing, but must go with the address. */
		wr_le(w, s->file_size ? all->at[i] : s->virtual_address % PAGE, l->word);
		wr_le(w, s->virtual_address, l->word);
		wr_le(w, s->address, l->word);
		wr_le(w, s->file_size, l->word);
		wr_le(w, s->memory_size, l->word);
		if (!is64)
			wr_le32(w, PF_ALL);
		wr_le(w, PAGE, l->word);
	}
}

static void write_header(struct span file, const struct layout *l, size_t count, uint8_t *out)
{
	memcpy(out, file.p, l->header);
	put_le(out + l->phoff, l->header, l->word);
	put_le(out + l->phoff + l->word, 0, l->word); /* e_shoff */
	put_le(out + l->phnum, count, 2);
	put_le(out + l->phnum + 4, 0, 4); /* e_shnum, e_shstrndx */
}

/* Where a loader looks for the multiboot2 header, nothing may have changed. */
static bool keeps_header(struct span file, struct span packed)
{
	struct mb2_header a, b;

	if (mb2_header_parse(file, &a) != MB2_HEADER_OK)
		return true;
	return !mb2_header_has(&a, MB2_HEADER_ADDRESS) && mb2_header_parse(packed, &b) == MB2_HEADER_OK && a.offset == b.offset;
}

bool elf_pack(struct span file, uint8_t **out, size_t *n)
{
	struct pieces all = { .count = 0 };
	const struct layout *l;
	struct elf_plan plan;
	struct wr headers;
	size_t first = SIZE_MAX, size;
	uint8_t *p;

	if (elf_plan(file, &plan) != ELF_OK)
		return false;
	l = plan.is64 ? &elf64 : &elf32;
	for (size_t i = 0; i < plan.count; i++) {
		const struct elf_segment *s = &plan.segments[i];

		if (s->file_size && s->offset < first)
			first = s->offset;
		if (!cut(file, s, ELF_MAX_SEGMENTS - all.count - (plan.count - i), &all))
			return false;
	}
	size = place(l, &all, first == SIZE_MAX ? 0 : first);
	if (size > file.n || file.n - size < ELF_PACK_RUN)
		return false;
	p = calloc(1, size);
	if (!p)
		return false;
	write_header(file, l, all.count, p);
	headers = wr_init((struct mspan){ p + l->header, all.count * l->program_header });
	write_program_headers(l, plan.is64, &all, &headers);
	for (size_t i = 0; i < all.count; i++)
		memcpy(p + all.at[i], file.p + all.p[i].offset, all.p[i].file_size);
	if (!keeps_header(file, (struct span){ p, size })) {
		free(p);
		return false;
	}
	*out = p;
	*n = size;
	return true;
}
