/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the stage makes of what it is handed. Input: u16 size of the multiboot2 information, the information, then the bytes that lie behind
 * it in memory from STAGE_BYTES on, into which its modules may point. Planning writes nothing; whatever is planned and loaded, tboot, the
 * stage, the information and the modules stay as they are, and what the kernel gets lies apart, in memory that it may use, and can be read.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "stage/core/plan.h"
#include "stage/core/power.h"
#include "tests/fuzz/guest.h"

#define RAM 0x400000u
#define TBOOT 0x100000u
#define TBOOT_END 0x140000u
#define SHARED 0x110000u
#define IMAGE 0x140000u
#define IMAGE_END 0x150000u
#define INFO 0x300000u
#define STAGE_BYTES 0x310000u
#define BYTES_MAX 0x80000u
#define EBDA_WORD 0x40e
#define RSDP_IN_EBDA 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* `before`: as it was when the stage began. */
static uint8_t ram[RAM] __attribute__((aligned(8))), before[RAM];
static struct guest guest = { .ram = ram, .size = RAM };

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	return guest_at(ctx, address, n);
}

static const struct stage_world world = { .ctx = &guest, .at = memory_at };

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* For the checks, once the stage is through. */
static struct span memory(uint64_t at, size_t n)
{
	return guest_look(&guest, at, n);
}

static uint64_t get(uint64_t at, size_t width)
{
	struct rd r = rd_init(memory(at, width));

	return rd_le(&r, width);
}

static void put(struct span bytes, size_t at)
{
	guest_put(&guest, at, bytes);
	if (bytes.n)
		memcpy(before + at, bytes.p, bytes.n);
}

static void put_word(uint8_t *page, size_t at, uint32_t v)
{
	put_le(page + at, v, 4);
}

/* What lay in memory at the last run is gone. */
static void make_memory(struct span info, struct span bytes)
{
	/* clang-format off */
	static const uint8_t uuid[16] = {
		0xff, 0x8d, 0x3c, 0x66, 0xb3, 0xe8, 0x82, 0x4b, 0xbf, 0xaa, 0x19, 0xea, 0x4d, 0x05, 0x7a, 0x08,
	};
	/* clang-format on */
	static size_t info_size, bytes_size;
	uint8_t page[112] = { 0 };

	guest_reset(&guest);
	memset(before + INFO, 0, info_size);
	memset(before + STAGE_BYTES, 0, bytes_size);
	info_size = info.n;
	bytes_size = bytes.n;
	memcpy(page, uuid, sizeof(uuid));
	put_word(page, 16, 6);
	put_word(page, 24, TBOOT + 0x1000);
	put_word(page, 104, TBOOT);
	put_word(page, 108, TBOOT_END - TBOOT);
	put(SPAN_OF(page), SHARED);
	put(info, INFO);
	put(bytes, STAGE_BYTES);
}

static void check_same(uint64_t at, size_t n)
{
	check(memcmp(memory(at, n).p, before + at, n) == 0);
}

static struct handover handover;
static struct stage_memory free_memory;
static struct stage_plan plan;

static const struct txt_range taken[] = { { IMAGE, IMAGE_END - IMAGE } };

static bool run(struct stage_jump *jump)
{
	struct tboot_sleep sleep;
	enum stage_rules_error why;
	size_t at;

	/* What is read before it was written is seen. */
	memset(&handover, 0xaa, sizeof(handover));
	memset(&free_memory, 0xaa, sizeof(free_memory));
	memset(&plan, 0xaa, sizeof(plan));
	if (handover_open(&world, MB2_MAGIC, INFO, &handover) != STAGE_OK)
		return false;
	(void)!power_off_registers(&world, handover.rsdp, &sleep);
	if (handover_rules(&handover, &why, &at) != STAGE_OK || handover_modules(&world, &handover) != STAGE_OK ||
		handover_memory(&handover, taken, GL_COUNT(taken), &free_memory) != STAGE_OK)
		return false;
	handover_picture(&handover, taken, GL_COUNT(taken));
	if (stage_plan(&world, &handover, &free_memory, &plan) != STAGE_OK)
		return false;
	check(guest_same(&guest, before));
	return stage_load(&world, &handover, &plan, jump) == STAGE_OK;
}

/* What the kernel gets, or is. */
struct places {
	size_t count;
	struct txt_range v[16];
};

static bool over_module(struct txt_range r)
{
	for (size_t i = 0; i < handover.module_count; i++)
		if (txt_range_overlaps(
			    r, (struct txt_range){ handover.modules[i].start, handover.modules[i].end - handover.modules[i].start }))
			return true;
	return false;
}

static bool is_module(struct txt_range r)
{
	for (size_t i = 0; i < handover.module_count; i++)
		if (r.base == handover.modules[i].start && r.size == handover.modules[i].end - handover.modules[i].start)
			return true;
	return false;
}

/* A place that is free, or (an initrd or kernel that is used where it lies) just one of the modules; apart from all others. */
static void add_place(struct places *p, uint64_t base, uint64_t size)
{
	struct txt_range r = { base, size };

	check(p->count < GL_COUNT(p->v) && size > 0 && size <= STAGE_MEMORY_TOP && base <= STAGE_MEMORY_TOP - size && base >= STAGE_PAGE);
	check(!txt_range_overlaps(r, taken[0]) && !txt_range_overlaps(r, handover.info_range) &&
		!txt_range_overlaps(r, handover.shared.memory));
	check(is_module(r) || !over_module(r));
	for (size_t i = 0; i < p->count; i++)
		check(!txt_range_overlaps(r, p->v[i]));
	p->v[p->count++] = r;
}

static bool usable(uint64_t page)
{
	bool yes = false;

	for (size_t i = 0; i < handover.mmap.count; i++) {
		struct mb2_memory m = mb2_mmap_entry(&handover.mmap, i);

		if (m.type == MB2_MEMORY_AVAILABLE && m.size <= UINT64_MAX - m.base)
			yes = yes || txt_range_contains((struct txt_range){ m.base, m.size }, (struct txt_range){ page, STAGE_PAGE });
		else if (m.type != MB2_MEMORY_AVAILABLE &&
			 txt_range_overlaps((struct txt_range){ m.base, m.size }, (struct txt_range){ page, STAGE_PAGE }))
			return false;
	}
	return yes;
}

/* By the memory map all pages of it are memory. */
static void check_usable(const struct places *p)
{
	for (size_t i = 0; i < p->count; i++)
		for (uint64_t at = p->v[i].base / STAGE_PAGE * STAGE_PAGE; at < p->v[i].base + p->v[i].size && at < RAM; at += STAGE_PAGE)
			check(usable(at));
}

/* The page that holds ACPI's RSDP must be none that the kernel takes. */
static void check_e820(uint64_t params, uint64_t rsdp)
{
	uint64_t count = get(params + 0x1e8, 1);
	bool found = false;

	check(count > 0 && count <= LINUX_E820_MAX);
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = params + 0x2d0 + 20 * i;
		struct txt_range r = { get(at, 8), get(at + 8, 8) };

		check(r.size > 0 && r.size <= UINT64_MAX - r.base);
		found = found || (get(at + 16, 4) == MB2_MEMORY_ACPI && txt_range_contains(r, (struct txt_range){ rsdp, STAGE_PAGE }));
		check(!rsdp || get(at + 16, 4) != MB2_MEMORY_AVAILABLE || !txt_range_overlaps(r, (struct txt_range){ rsdp, STAGE_PAGE }));
	}
	check(!rsdp || found);
}

static void check_rsdp(uint64_t at)
{
	check(span_equal(memory(at, handover.rsdp.n), handover.rsdp));
}

static void check_linux(const struct stage_jump *jump)
{
	struct places p = { .count = 0 };
	uint64_t params = jump->esi, line = get(params + 0x228, 4), rsdp = get(params + 0x70, 8), initrd_size = get(params + 0x21c, 4);
	struct span cmdline = handover.modules[0].string;

	(void)memory(params, LINUX_PARAMS_SIZE);
	check(jump->eax == 0 && jump->ebx == 0 && get(params + 0x202, 4) == 0x53726448 && get(params + 0x214, 4) == jump->entry);
	check(get(params + 0x58, 8) == handover.shared_address);
	add_place(&p, params, LINUX_PARAMS_SIZE);
	add_place(&p, jump->entry, get(params + 0x260, 4));
	add_place(&p, line, cmdline.n + 1);
	check(span_equal(memory(line, cmdline.n), cmdline) && get(line + cmdline.n, 1) == 0);
	if (initrd_size)
		add_place(&p, get(params + 0x218, 4), initrd_size);
	check(!rsdp == !handover.rsdp.n);
	if (rsdp) {
		add_place(&p, rsdp, STAGE_PAGE);
		check_rsdp(rsdp);
	}
	if (get(params + 0x1d4, 4) && handover.rules.efi_runtime)
		add_place(&p, get(params + 0x1d0, 4), get(params + 0x1d4, 4));
	check_usable(&p);
	check_e820(params, rsdp);
}

static void check_xen(const struct stage_jump *jump)
{
	struct places p = { .count = 0 };
	const struct xen_plan *x = &plan.for_xen;
	uint32_t n = mb2_info_size(memory(jump->ebx, MB2_FIXED));
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag t;
	struct mb2_module m;
	struct span text;
	struct mb2_mmap map;
	size_t modules = 0;
	uint64_t ebda = get(EBDA_WORD, 2) << 4;

	check(jump->eax == MB2_MAGIC && jump->esi == 0 && jump->ebx % MB2_ALIGN == 0);
	check(mb2_info_open(memory(jump->ebx, n), &info) == MB2_INFO_OK);
	add_place(&p, jump->ebx, n);
	add_place(&p, x->load, x->elf.high - x->elf.low);
	check(jump->entry >= x->load && jump->entry - x->load < x->elf.high - x->elf.low);
	add_place(&p, ebda, STAGE_PAGE);
	check(get(ebda, 1) == STAGE_PAGE / 1024);
	check_rsdp(ebda + RSDP_IN_EBDA);
	while (mb2_next(&it, &t))
		if (t.type == MB2_MODULE) {
			check(mb2_get_module(&t, &m));
			add_place(&p, m.start, m.end - m.start);
			if (modules++ == 0)
				check(span_equal(memory(m.start, m.end - m.start), handover.module_bytes[1]));
		} else {
			check(t.type != MB2_EFI32 && t.type != MB2_EFI64 && t.type != MB2_EFI_MMAP && t.type != MB2_EFI_BOOT_SERVICES);
		}
	check(modules == 1 + (plan.initrd.size > 0));
	check(mb2_find(&info, MB2_CMDLINE, &t) && mb2_get_text(&t, &text) && text.n >= 4 && memcmp(text.p, "xen ", 4) == 0);
	check(mb2_find(&info, MB2_MMAP, &t) && mb2_get_mmap(&t, &map));
	for (size_t i = 0; i < map.count; i++) {
		struct mb2_memory e = mb2_mmap_entry(&map, i);

		check(e.type != MB2_MEMORY_AVAILABLE ||
			!txt_range_overlaps((struct txt_range){ e.base, e.size }, (struct txt_range){ ebda, STAGE_PAGE }));
	}
	check_usable(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	struct span info = rd_bytes(&r, rd_le16(&r)), bytes = rd_bytes(&r, rd_left(&r));
	struct stage_jump jump = { 0xaaaaaaaa, 0xaaaaaaaa, 0xaaaaaaaa, 0xaaaaaaaa };

	if (r.bad || bytes.n > BYTES_MAX)
		return 0;
	make_memory(info, bytes);
	if (!run(&jump))
		return 0;
	check_same(IMAGE, IMAGE_END - IMAGE);
	if (handover.measured)
		check_same(TBOOT, TBOOT_END - TBOOT);
	check_same(handover.info_range.base, (size_t)handover.info_range.size);
	for (size_t i = 0; i < handover.module_count; i++)
		check_same(handover.modules[i].start, handover.modules[i].end - handover.modules[i].start);
	/* What is jumped to was loaded. */
	check(jump.entry >= 0x1000 && jump.entry < RAM);
	plan.hypervisor == HYPERVISOR_XEN ? check_xen(&jump) : check_linux(&jump);
	return 0;
}
