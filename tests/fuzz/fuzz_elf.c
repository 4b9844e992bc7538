/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF images. Input: the file. What is accepted must keep its promises: segments sorted, apart, inside of file and address space; and
 * loaded, every byte comes from its place in the file or is 0.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/elf.h"

#define MAX_MEMORY ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t memory[MAX_MEMORY + 1];

static void check(bool ok)
{
	if (!ok)
		abort();
}

static uint8_t expected(struct span file, const struct elf_plan *p, uint64_t address)
{
	for (size_t i = 0; i < p->count; i++)
		if (address >= p->segments[i].address && address - p->segments[i].address < p->segments[i].file_size)
			return file.p[p->segments[i].offset + (size_t)(address - p->segments[i].address)];
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span file = { data, size };
	struct elf_plan p;
	uint64_t at, end;

	enum elf_error error = elf_plan(file, &p);

	check(elf_strerror(error)[0] != 0);
	if (error)
		return 0;
	check(elf_is(file) && p.count > 0 && p.count <= ELF_MAX_SEGMENTS);
	check(p.align >= 1 && (p.align & (p.align - 1)) == 0);
	end = p.low;
	for (size_t i = 0; i < p.count; i++) {
		const struct elf_segment *s = &p.segments[i];

		check(s->address >= end && s->memory_size > 0 && s->file_size <= s->memory_size);
		check(s->offset <= size && s->file_size <= size - s->offset);
		check(s->memory_size <= UINT64_MAX - s->address);
		end = s->address + s->memory_size;
	}
	check(p.low == p.segments[0].address && p.high == end && (p.is64 || p.high <= UINT32_MAX));
	check(elf_physical(&p, p.entry, &at) && at >= p.low && at < p.high);
	if (p.high - p.low > MAX_MEMORY)
		return 0;
	size_t n = (size_t)(p.high - p.low);

	memset(memory, 0xaa, sizeof(memory));
	check(!elf_load(file, &p, (struct mspan){ memory, n - 1 }) && memory[0] == 0xaa);
	check(elf_load(file, &p, (struct mspan){ memory, n }) && memory[n] == 0xaa);
	for (size_t i = 0; i < n; i++)
		check(memory[i] == expected(file, &p, p.low + i));
	return 0;
}
