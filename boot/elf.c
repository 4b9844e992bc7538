/* SPDX-License-Identifier: BSD-3-Clause */
#include "boot/elf.h"

#include <string.h>

#include "boot/align.h"
#include "common/cursor.h"

enum {
	EI_NIDENT = 16,
	ELFCLASS32 = 1,
	ELFCLASS64 = 2,
	ELFDATA2LSB = 1,
	EV_CURRENT = 1,
	ET_EXEC = 2,
	ET_DYN = 3,
	EM_386 = 3,
	EM_X86_64 = 62,
	PT_LOAD = 1,
};

/* Sizes by class: gABI, figures 4-3 and 5-1. */
struct class_info {
	size_t header, program_header, word;
};

static const struct class_info class32 = { 52, 32, 4 }, class64 = { 64, 56, 8 };

static_assert(52 == EI_NIDENT + 2 + 2 + 4 + 3 * 4 + 4 + 6 * 2, "Elf32_Ehdr");
static_assert(64 == EI_NIDENT + 2 + 2 + 4 + 3 * 8 + 4 + 6 * 2, "Elf64_Ehdr");
static_assert(32 == 8 * 4, "Elf32_Phdr");
static_assert(56 == 2 * 4 + 6 * 8, "Elf64_Phdr");

const char *elf_strerror(enum elf_error e)
{
	static const char *const texts[ELF_ERROR_COUNT] = {
		[ELF_OK] = "no error",
		[ELF_E_MAGIC] = "no ELF image",
		[ELF_E_CLASS] = "neither a 32-bit nor a 64-bit ELF image",
		[ELF_E_DATA] = "not a little-endian ELF image",
		[ELF_E_VERSION] = "unknown version of ELF",
		[ELF_E_TYPE] = "not an executable ELF image",
		[ELF_E_MACHINE] = "not an ELF image for x86",
		[ELF_E_HEADERS] = "the program headers are missing, too many or outside of the file",
		[ELF_E_SEGMENT_FILE] = "a segment lies outside of the file: the file is cut off",
		[ELF_E_SEGMENT_SIZE] = "a segment has more bytes in the file than in memory",
		[ELF_E_SEGMENT_WRAP] = "a segment leaves the address space",
		[ELF_E_SEGMENT_ALIGN] = "a segment has an invalid alignment",
		[ELF_E_OVERLAP] = "two segments overlap",
		[ELF_E_SEGMENTS] = "more segments than any kernel has",
		[ELF_E_EMPTY] = "nothing to load",
		[ELF_E_ENTRY] = "the entry point lies in no segment",
	};

	return texts[(size_t)e < ELF_ERROR_COUNT ? e : ELF_E_MAGIC];
}

bool elf_is(struct span file)
{
	return file.n >= 4 && memcmp(file.p, "\177ELF", 4) == 0;
}

/* What the ELF header says about the program headers. */
struct table {
	const struct class_info *c;
	uint64_t offset;
	size_t count;
};

static enum elf_error read_header(struct span file, struct elf_plan *plan, struct table *t)
{
	struct rd r = rd_init(file);
	struct span ident = rd_bytes(&r, EI_NIDENT);
	uint16_t type, machine, phentsize;
	uint32_t version;

	if (!elf_is(ident))
		return ELF_E_MAGIC;
	if (ident.p[4] != ELFCLASS32 && ident.p[4] != ELFCLASS64)
		return ELF_E_CLASS;
	if (ident.p[5] != ELFDATA2LSB)
		return ELF_E_DATA;
	plan->is64 = ident.p[4] == ELFCLASS64;
	t->c = plan->is64 ? &class64 : &class32;
	type = rd_le16(&r);
	machine = rd_le16(&r);
	version = rd_le32(&r);
	plan->entry = rd_le(&r, t->c->word);
	t->offset = rd_le(&r, t->c->word);
	(void)rd_le(&r, t->c->word); /* e_shoff */
	(void)rd_le32(&r);           /* e_flags */
	(void)rd_le16(&r);           /* e_ehsize */
	phentsize = rd_le16(&r);
	t->count = rd_le16(&r);
	(void)rd_bytes(&r, (size_t)3 * 2); /* e_shentsize, e_shnum, e_shstrndx */
	if (r.bad)
		return ELF_E_HEADERS;
	if (ident.p[6] != EV_CURRENT || version != EV_CURRENT)
		return ELF_E_VERSION;
	if (type != ET_EXEC && type != ET_DYN)
		return ELF_E_TYPE;
	if (machine != EM_386 && machine != EM_X86_64)
		return ELF_E_MACHINE;
	if (phentsize != t->c->program_header || t->count == 0 || t->count > ELF_MAX_HEADERS)
		return ELF_E_HEADERS;
	if (t->offset > file.n || t->count * t->c->program_header > file.n - t->offset)
		return ELF_E_HEADERS;
	return ELF_OK;
}

/* Inserts by address. */
static enum elf_error insert(struct elf_plan *plan, const struct elf_segment *s)
{
	size_t at = plan->count;

	if (plan->count == ELF_MAX_SEGMENTS)
		return ELF_E_SEGMENTS;
	while (at > 0 && plan->segments[at - 1].address > s->address)
		at--;
	if (at > 0 && s->address - plan->segments[at - 1].address < plan->segments[at - 1].memory_size)
		return ELF_E_OVERLAP;
	if (at < plan->count && plan->segments[at].address - s->address < s->memory_size)
		return ELF_E_OVERLAP;
	memmove(&plan->segments[at + 1], &plan->segments[at], (plan->count - at) * sizeof(*s));
	plan->segments[at] = *s;
	plan->count++;
	return ELF_OK;
}

static enum elf_error read_segment(struct span file, struct elf_plan *plan, struct rd *r)
{
	const size_t word = plan->is64 ? 8 : 4;
	const uint64_t top = plan->is64 ? UINT64_MAX : UINT32_MAX;
	uint32_t type = rd_le32(r);
	uint64_t offset, file_size, align;
	struct elf_segment s;

	if (plan->is64)
		(void)rd_le32(r); /* p_flags; at the end in ELF32 */
	offset = rd_le(r, word);
	s.virtual_address = rd_le(r, word);
	s.address = rd_le(r, word);
	file_size = rd_le(r, word);
	s.memory_size = rd_le(r, word);
	if (!plan->is64)
		(void)rd_le32(r);
	align = rd_le(r, word);
	if (type != PT_LOAD || s.memory_size == 0)
		return ELF_OK;
	if (file_size > s.memory_size)
		return ELF_E_SEGMENT_SIZE;
	if (file_size && (offset > file.n || file_size > file.n - offset))
		return ELF_E_SEGMENT_FILE;
	/* The last byte of the address space stays free, so that an end is always a number. */
	if (s.memory_size > top - s.address || s.memory_size > top - s.virtual_address)
		return ELF_E_SEGMENT_WRAP;
	/* Physical addresses may differ from the virtual ones in it: loaders that put segments there ignore p_align. */
	if (align > 1 && (!align_is_power(align) || ((s.virtual_address - offset) & (align - 1)) != 0))
		return ELF_E_SEGMENT_ALIGN;
	s.offset = file_size ? (size_t)offset : 0;
	s.file_size = (size_t)file_size;
	if (align > plan->align)
		plan->align = align;
	return insert(plan, &s);
}

enum elf_error elf_plan(struct span file, struct elf_plan *out)
{
	struct elf_plan plan = { .align = 1 };
	struct table t = { 0 };
	struct rd r;
	uint64_t unused;
	enum elf_error e = read_header(file, &plan, &t);

	if (e != ELF_OK)
		return e;
	r = rd_init((struct span){ file.p + t.offset, t.count * t.c->program_header });
	for (size_t i = 0; i < t.count && e == ELF_OK; i++)
		e = read_segment(file, &plan, &r);
	if (e != ELF_OK)
		return e;
	if (plan.count == 0)
		return ELF_E_EMPTY;
	plan.low = plan.segments[0].address;
	plan.high = plan.segments[plan.count - 1].address + plan.segments[plan.count - 1].memory_size;
	if (!elf_physical(&plan, plan.entry, &unused))
		return ELF_E_ENTRY;
	*out = plan;
	return ELF_OK;
}

bool elf_physical(const struct elf_plan *plan, uint64_t address, uint64_t *out)
{
	/* Physical first: images that carry physical entries may have virtual ranges that look like it. */
	for (size_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->segments[i];

		if (address >= s->address && address - s->address < s->memory_size) {
			*out = address;
			return true;
		}
	}
	for (size_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->segments[i];

		if (address >= s->virtual_address && address - s->virtual_address < s->memory_size) {
			*out = s->address + (address - s->virtual_address);
			return true;
		}
	}
	return false;
}

bool elf_load(struct span file, const struct elf_plan *plan, struct mspan memory)
{
	size_t done = 0;

	if (plan->high - plan->low > memory.n)
		return false;
	for (size_t i = 0; i < plan->count; i++)
		if (plan->segments[i].offset > file.n || plan->segments[i].file_size > file.n - plan->segments[i].offset)
			return false;
	for (size_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->segments[i];
		size_t at = (size_t)(s->address - plan->low);

		memset(memory.p + done, 0, at - done);
		memcpy(memory.p + at, file.p + s->offset, s->file_size);
		done = at + s->file_size;
	}
	memset(memory.p + done, 0, (size_t)(plan->high - plan->low) - done);
	return true;
}
