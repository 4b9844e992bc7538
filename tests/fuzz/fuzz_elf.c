/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ELF images. Input: the file. What is accepted must keep its promises: segments sorted, apart, inside of file and address space; and
 * loaded, every byte comes from its place in the file or is 0. Three readers of ELF files put the same bytes into the same place: the loader's,
 * the one that MLEs are measured by and the TXT platform's, and so do two readers of multiboot2 headers with the entry.
 */
#include <stdlib.h>
#include <string.h>

#include "boot/elf.h"
#include "lcp/mle_image.h"
#include "qemu/txt/image.h"
#include "tests/fuzz/exact.h"
#include "tests/fuzz/mb2_sums.h"

#define MAX_MEMORY ((size_t)1 << 16)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

static void check_plan(struct span file, const struct elf_plan *p)
{
	uint64_t at, end;

	check(elf_is(file) && p->count > 0 && p->count <= ELF_MAX_SEGMENTS);
	check(p->align >= 1 && (p->align & (p->align - 1)) == 0);
	end = p->low;
	for (size_t i = 0; i < p->count; i++) {
		const struct elf_segment *s = &p->segments[i];

		check(s->address >= end && s->memory_size > 0 && s->file_size <= s->memory_size);
		check(s->offset <= file.n && s->file_size <= file.n - s->offset);
		check(s->memory_size <= UINT64_MAX - s->address);
		end = s->address + s->memory_size;
	}
	check(p->low == p->segments[0].address && p->high == end && (p->is64 || p->high <= UINT32_MAX));
	check(elf_physical(p, p->entry, &at) && at >= p->low && at < p->high);
	if (p->high - p->low > MAX_MEMORY)
		return;
	__attribute__((cleanup(exact_free))) struct exact x = { 0 };
	struct mspan all = exact_span(&x, (size_t)(p->high - p->low)), less = exact_span(&x, all.n - 1);

	check(!elf_load(file, p, less) && (less.n == 0 || less.p[0] == 0xaa));
	check(elf_load(file, p, all));
	for (size_t i = 0; i < all.n; i++)
		check(all.p[i] == expected(file, p, p->low + i));
}

static bool has_segment(const struct elf_plan *p, struct span file, uint64_t address, struct span bytes)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->segments[i].address == address && p->segments[i].file_size == bytes.n && file.p + p->segments[i].offset == bytes.p)
			return true;
	return false;
}

/* What the TXT platform reads: the same segments, and an entry that the multiboot2 header gives. */
static void compare_image(struct span file, const struct elf_plan *p)
{
	static struct image m;
	struct mb2_header h;
	uint64_t entry;
	size_t with_bytes = 0;

	if (image_parse(file, &m) != IMAGE_OK)
		return;
	for (size_t i = 0; i < p->count; i++)
		with_bytes += p->segments[i].file_size != 0;
	check(m.segment_count == with_bytes);
	for (size_t i = 0; i < m.segment_count; i++)
		check(has_segment(p, file, m.segments[i].at, m.segments[i].bytes));
	if (mb2_header_parse(file, &h) == MB2_HEADER_OK) {
		if (!mb2_header_has(&h, MB2_HEADER_ENTRY))
			h.entry = (uint32_t)(elf_physical(p, p->entry, &entry) ? entry : p->entry);
		check(m.entry == h.entry && m.relocatable == mb2_header_has(&h, MB2_HEADER_RELOCATABLE));
	}
}

/* An MLE is measured as it lies in memory: segment by segment the same, from the lowest address on. */
static void compare_mle(struct span file, const struct elf_plan *p)
{
	struct lcp_mle m;

	if (lcp_mle_find(file, &m) != LCP_OK)
		return;
	check(m.segment_count == p->count && m.size == p->high - p->low);
	for (size_t i = 0; i < p->count; i++) {
		const struct elf_segment *s = &p->segments[i];

		check(m.segments[i].offset == s->address - p->low && m.segments[i].size == s->memory_size);
		check(m.segments[i].file.n == s->file_size && (!s->file_size || m.segments[i].file.p == file.p + s->offset));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	check(copy != NULL);
	if (size)
		memcpy(copy, data, size);
	for (unsigned i = 0; i < 2; i++) {
		struct span file = { copy, size };
		struct elf_plan p;
		enum elf_error error = elf_plan(file, &p);

		check(elf_strerror(error)[0] != 0);
		if (error)
			break;
		if (i == 0)
			check_plan(file, &p);
		compare_image(file, &p);
		compare_mle(file, &p);
		mb2_sum_up((struct mspan){ copy, size });
	}
	free(copy);
	return 0;
}
