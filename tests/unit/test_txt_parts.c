/* SPDX-License-Identifier: BSD-3-Clause */
/* The small parts of a TXT launch in efi/core: tboot's image and command line, ACPI, information, the last block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/cursor.h"
#include "efi/core/acpi_find.h"
#include "efi/core/handoff.h"
#include "efi/core/mbi.h"
#include "boot/tboot_image.h"
#include "txt/tboot_line.h"

static uint8_t file[0x4000];

/* ---- tboot as ELF and as it stands ---- */

struct tags {
	uint32_t address[4]; /* header, load, load end, bss end; all 0: no tag */
	uint32_t entry;      /* 0: no tag */
	bool boot_services;
};

static void header(size_t at, const struct tags *t)
{
	struct wr w = wr_init((struct mspan){ file + at + 16, 128 });
	uint32_t n;

	if (t->address[0]) {
		wr_le16(&w, MB2_HEADER_ADDRESS);
		wr_le16(&w, 0);
		wr_le32(&w, 24);
		for (size_t i = 0; i < 4; i++)
			wr_le32(&w, t->address[i]);
	}
	if (t->entry) {
		wr_le16(&w, MB2_HEADER_ENTRY);
		wr_le16(&w, 0);
		wr_le32(&w, 12);
		wr_le32(&w, t->entry);
		wr_le32(&w, 0);
	}
	if (t->boot_services) {
		wr_le16(&w, MB2_HEADER_EFI_BOOT_SERVICES);
		wr_le16(&w, 0);
		wr_le32(&w, 8);
	}
	wr_le32(&w, 0);
	wr_le32(&w, 8);
	n = (uint32_t)w.off + 16;
	w = wr_init((struct mspan){ file + at, 16 });
	wr_le32(&w, MB2_HEADER_MAGIC);
	wr_le32(&w, 0);
	wr_le32(&w, n);
	wr_le32(&w, 0u - MB2_HEADER_MAGIC - n);
}

/* An ELF file with one segment of 0x2000 bytes and a header in it. */
static void elf(uint32_t address, uint32_t memory, uint32_t entry, const struct tags *t)
{
	static const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };
	struct wr w = wr_init((struct mspan){ file, sizeof(file) });
	const uint32_t program[] = { 1, 0x1000, address, address, 0x2000, memory, 7, 0x1000 };

	memset(file, 0, sizeof(file));
	wr_bytes(&w, SPAN_OF(ident));
	wr_le16(&w, 2);
	wr_le16(&w, 3);
	wr_le32(&w, 1);
	wr_le32(&w, entry);
	wr_le32(&w, 52);
	wr_le32(&w, 0);
	wr_le32(&w, 0);
	wr_le16(&w, 52);
	wr_le16(&w, 32);
	wr_le16(&w, 1);
	wr_le16(&w, 40);
	wr_le32(&w, 0);
	for (size_t i = 0; i < GL_COUNT(program); i++)
		wr_le32(&w, program[i]);
	assert_false(w.bad);
	header(0x1100, t);
}

static struct tboot_image image;

static enum tboot_image_error plan(size_t n)
{
	const char *why = "not written";

	memset(&image, 0xee, sizeof(image));
	return tboot_image_plan((struct span){ file, n }, &image, &why);
}

static void test_elf(void **state)
{
	(void)state;
	elf(0x800000, 0x5000, 0x800010, &(struct tags){ .entry = 0 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_OK);
	assert_false(image.flat);
	assert_int_equal(image.entry, 0x800010);
	assert_int_equal(image.low, 0x800000);
	assert_int_equal(image.high, 0x805000);
	assert_int_equal(image.count, 1);
	assert_int_equal(image.segments[0].offset, 0x1000);
	assert_int_equal(image.segments[0].file_size, 0x2000);
	/* An entry tag counts more. */
	elf(0x800000, 0x5000, 0x800010, &(struct tags){ .entry = 0x800020 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_OK);
	assert_int_equal(image.entry, 0x800020);
	/* Cut off, and still compressed. */
	assert_int_equal(plan(0x2fff), TBOOT_IMAGE_E_ELF);
	assert_int_equal(plan(0x1000), TBOOT_IMAGE_E_HEADER);
	assert_int_equal(plan(0), TBOOT_IMAGE_E_HEADER);
	file[0] = 0x1f;
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ELF);
	elf(0x800000, 0x5000, 0x805000, &(struct tags){ .entry = 0 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ELF);
	elf(0x800000, 0x5000, 0x800010, &(struct tags){ .entry = 0x805000 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ENTRY);
	elf(0x800000, 0x5000, 0x800010, &(struct tags){ .boot_services = true });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_BOOT_SERVICES);
	/* Below 1 MiB, over 512 MiB, at the end of the address space. */
	elf(0xff000, 0x5000, 0x100000, &(struct tags){ .entry = 0 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_RANGE);
	elf(0x800000, 0x20000001, 0x800010, &(struct tags){ .entry = 0 });
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_RANGE);
	elf(0xffffb000, 0x5000, 0xffffb010, &(struct tags){ .entry = 0 });
	assert_true(plan(sizeof(file)) != TBOOT_IMAGE_OK);
	for (enum tboot_image_error e = 0; e < TBOOT_IMAGE_ERROR_COUNT; e++)
		assert_non_null(tboot_image_strerror(e));
}

static void test_flat(void **state)
{
	const struct tags good = { { 0x7ff200, 0x7ff000, 0x802000, 0x806000 }, 0x800010, false };
	struct tags t;

	(void)state;
	memset(file, 0, sizeof(file));
	header(0x200, &good);
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_OK);
	assert_true(image.flat);
	assert_int_equal(image.segments[0].offset, 0);
	assert_int_equal(image.segments[0].file_size, 0x3000);
	assert_int_equal(image.segments[0].memory_size, 0x7000);
	assert_int_equal(image.low, 0x7ff000);
	assert_int_equal(image.high, 0x806000);
	assert_int_equal(image.entry, 0x800010);
	/* To the file's end, without zeroed memory. */
	t = good;
	t.address[2] = t.address[3] = 0;
	header(0x200, &t);
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_OK);
	assert_int_equal(image.high, 0x7ff000 + sizeof(file));
	/* The load begins in the middle of the file. */
	t = good;
	t.address[1] = 0x7ff200;
	header(0x200, &t);
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_OK);
	assert_int_equal(image.segments[0].offset, 0x200);
	/* Before the file; header below load; end before the beginning, past the file; memory end before the load's. */
	for (size_t i = 0; i < 5; i++) {
		/* clang-format off */
		static const uint32_t bad[5][4] = {
			{ 0x7ff201, 0x7ff000, 0x802000, 0x806000 }, { 0x7fe000, 0x7ff000, 0x802000, 0x806000 }, { 0x7ff200, 0x7ff000, 0x7ff000, 0x806000 },
			{ 0x7ff200, 0x7ff000, 0x803001, 0x806000 }, { 0x7ff200, 0x7ff000, 0x802000, 0x801fff },
		};
		/* clang-format on */

		t = good;
		memcpy(t.address, bad[i], sizeof(t.address));
		header(0x200, &t);
		assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ADDRESS);
	}
	t = good;
	t.entry = 0;
	memset(file, 0, sizeof(file));
	header(0x200, &t);
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ENTRY);
	t = good;
	t.entry = 0x806000;
	header(0x200, &t);
	assert_int_equal(plan(sizeof(file)), TBOOT_IMAGE_E_ENTRY);
}

static void test_mutations(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		elf(0x800000, 0x5000, 0x800010,
			&(struct tags){ .entry = round & 1 ? 0x800020 : 0, .address = { round & 2 ? 0x800100 : 0, 0x800000, 0, 0 } });
		for (unsigned k = 0; k < 2; k++) {
			seed = seed * 1664525 + 1013904223;
			file[(seed >> 8) % 2 ? 0x1100 + (seed >> 9) % 64 : (seed >> 9) % 84] ^= (uint8_t)(1u << (seed >> 24) % 8);
		}
		if (plan(sizeof(file)) != TBOOT_IMAGE_OK)
			continue;
		assert_true(image.low >= TBOOT_LOW && image.low < image.high && image.count > 0 && image.count <= ELF_MAX_SEGMENTS);
		assert_true(image.entry >= image.low && image.entry < image.high);
		for (size_t i = 0; i < image.count; i++) {
			const struct elf_segment *s = &image.segments[i];

			assert_true(
				s->offset <= sizeof(file) && s->file_size <= sizeof(file) - s->offset && s->file_size <= s->memory_size);
			assert_true(s->address >= image.low && s->address + s->memory_size <= image.high);
		}
	}
}

/* ---- command line ---- */

static struct tboot_line line(const char *s)
{
	struct tboot_line t;

	tboot_line_parse(span_str(s), &t);
	return t;
}

static void test_line(void **state)
{
	char big[700];
	struct tboot_line t = line("");

	(void)state;
	assert_true(t.ignore_previous_error && !t.mwait && !t.racm && t.min_ram == 0 && t.fixed && t.known && t.extpol == ALG_SHA256);
	assert_true(line("ap_wake_mwait=true").mwait);
	assert_true(line("ap_wake_mwait=yes").mwait);
	assert_false(line("ap_wake_mwait").mwait);
	assert_false(line("ap_wake_mwait=").mwait);
	assert_false(line("ap_wake_mwait=true ap_wake_mwait=false").mwait);
	/* Abbreviated: the first name in the table that begins so. */
	assert_true(line("ap=true").mwait);
	assert_false(line("apx=true").mwait);
	assert_false(line("ap_wake_mwaits=true").mwait);
	assert_false(line("ignore_prev_err=false").ignore_previous_error);
	assert_false(line("\t ignore=0 ").ignore_previous_error);
	assert_true(line("call_racm=check").racm);
	assert_false(line("call_racm=no").racm);
	assert_int_equal(line("min_ram=0x2000000").min_ram, 0x2000000);
	assert_int_equal(line("min_ram=33554432").min_ram, 0x2000000);
	assert_int_equal(line("min_ram=0200").min_ram, 0x80);
	assert_int_equal(line("min_ram=0xZ").min_ram, 0);
	assert_int_equal(line("min_ram=0xfffffffff").min_ram, UINT32_MAX);
	assert_int_equal(line("min_ram=12ab").min_ram, 12);
	assert_int_equal(line("extpol=sha384").extpol, ALG_SHA384);
	assert_false(line("extpol=sm3").known);
	assert_false(line("extpol=agile").fixed);
	assert_false(line("extpol=embedded").fixed);
	/* tboot's buffer ends after 511 bytes. */
	memset(big, ' ', sizeof(big));
	memcpy(big + 498, "min_ram=0x1234", 15);
	assert_int_equal(line(big).min_ram, 0x123);
}

/* ---- ACPI ---- */

static uint8_t memory[0x1000];
#define MEMORY_BASE 0x7f000000u

static struct span at(void *ctx, uint64_t base, size_t n)
{
	assert_null(ctx);
	if (base < MEMORY_BASE || base - MEMORY_BASE > sizeof(memory) || n > sizeof(memory) - (base - MEMORY_BASE))
		return (struct span){ NULL, 0 };
	return (struct span){ memory + (base - MEMORY_BASE), n };
}

static void put(size_t where, uint64_t v, size_t width)
{
	struct wr w = wr_init((struct mspan){ memory + where, width });

	wr_le(&w, v, width);
}

static void sum(size_t where, size_t n, size_t check)
{
	uint8_t s = 0;

	memory[check] = 0;
	for (size_t i = 0; i < n; i++)
		s = (uint8_t)(s + memory[where + i]);
	memory[check] = (uint8_t)-s;
}

static void table(size_t where, const char *name, uint32_t n)
{
	memcpy(memory + where, name, 4);
	put(where + 4, n, 4);
	sum(where, n, where + 9);
}

struct range {
	size_t base, end;
};

static void acpi(bool acpi2)
{
	memset(memory, 0, sizeof(memory));
	memcpy(memory + 16, "RSD PTR ", 8);
	memory[16 + 15] = acpi2 ? 2 : 0;
	put(16 + 16, MEMORY_BASE + 0x100, 4);
	sum(16, 20, 16 + 8);
	if (acpi2) {
		put(16 + 20, 36, 4);
		put(16 + 24, MEMORY_BASE + 0x200, 8);
		sum(16, 36, 16 + 32);
	}
	put(0x100 + 36, MEMORY_BASE + 0x300, 4);
	put(0x100 + 40, MEMORY_BASE + 0x400, 4);
	table(0x100, "RSDT", 44);
	put(0x200 + 36, MEMORY_BASE + 0x300, 8);
	put(0x200 + 44, MEMORY_BASE + 0x400, 8);
	table(0x200, "XSDT", 52);
	table(0x300, "FACP", 100);
	table(0x400, "DMAR", 64);
}

static enum preflight_acpi find(struct acpi_found *f)
{
	return acpi_find(at, NULL, MEMORY_BASE + 16, f);
}

static void test_acpi(void **state)
{
	struct acpi_found f;

	(void)state;
	acpi(true);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_OK);
	assert_int_equal(f.rsdp_old.n, 20);
	assert_int_equal(f.rsdp_new.n, 36);
	acpi(false);
	memset(memory + 0x200, 0xff, 64);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_OK);
	assert_int_equal(f.rsdp_new.n, 0);
	assert_int_equal(acpi_find(at, NULL, 0, &f), PREFLIGHT_ACPI_NO_RSDP);
	assert_int_equal(acpi_find(at, NULL, 1, &f), PREFLIGHT_ACPI_BROKEN);
	assert_int_equal(f.rsdp_old.n, 0);
	acpi(true);
	memcpy(memory + 0x400, "MCFG", 4);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_NO_DMAR);
	acpi(true);
	memory[0x410] ^= 1;
	assert_int_equal(find(&f), PREFLIGHT_ACPI_BROKEN);
	/* An entry that points to nowhere is passed over, as other software does. */
	acpi(true);
	put(0x200 + 36, 0x10, 8);
	sum(0x200, 52, 0x209);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_OK);
	acpi(true);
	put(0x404, 35, 4);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_BROKEN);
	acpi(true);
	put(0x204, 0x100001, 4);
	assert_int_equal(find(&f), PREFLIGHT_ACPI_BROKEN);
}

/* Whatever is in the tables, nothing is read outside and the checksums decide. */
static void test_acpi_mutations(void **state)
{
	/* What is used: RSDP, RSDT or XSDT, DMAR. One bit in it breaks a sum of its bytes. */
	static const struct range used[2][3] = { { { 16, 36 }, { 0x100, 0x12c }, { 0x400, 0x440 } },
		{ { 16, 52 }, { 0x200, 0x234 }, { 0x400, 0x440 } } };
	struct acpi_found f;

	(void)state;
	for (unsigned acpi2 = 0; acpi2 < 2; acpi2++)
		for (size_t i = 0; i < 0x440; i++)
			for (unsigned bit = 0; bit < 8; bit++) {
				bool matters = false;

				for (size_t k = 0; k < GL_COUNT(used[acpi2]); k++)
					matters = matters || (i >= used[acpi2][k].base && i < used[acpi2][k].end);
				acpi(acpi2);
				memory[i] ^= (uint8_t)(1u << bit);
				if ((find(&f) == PREFLIGHT_ACPI_OK) == matters)
					fail_msg("bit %u of byte 0x%zx, ACPI %u.0", bit, i, acpi2 + 1);
			}
}

/* ---- information ---- */

static void test_mbi(void **state)
{
	/* clang-format off */
	static const struct mb2_memory mem[] = {
		{ 0, 0xa0000, 1 }, { 0x100000, 0x700000, 1 }, { 0x800000, 0x3f800000, 1 }, { 0x40000000, 0x1000, 2 }, { UINT64_C(0x100000000), 0x1000, 1 },
	};
	/* clang-format on */
	static const struct mb2_module modules[] = { { 0x1000000, 0x1000010, SPAN_LITERAL("geolaunch-stage 1") },
		{ 0x2000000, 0x2000001, { NULL, 0 } } };
	static const uint8_t rsdp[36] = "RSD PTR ", efi_map[96] = { 1 };
	const struct mb2_framebuffer fb = {
		.address = UINT64_C(0x180000000), .pitch = 4096, .width = 1024, .height = 768, .bits = 32, .type = MB2_FRAMEBUFFER_RGB
	};
	/* clang-format off */
	struct mbi m = {
		.cmdline = SPAN_LITERAL("logging=serial"), .modules = modules, .module_count = 2, .memory = mem, .memory_count = 5, .efi_map = SPAN_OF(efi_map),
		.descriptor_size = 48, .descriptor_version = 1, .system_table = UINT64_C(0x123456789a), .rsdp_old = { rsdp, 20 }, .rsdp_new = SPAN_OF(rsdp),
		.framebuffer = &fb,
	};
	/* clang-format on */
	_Alignas(8) static uint8_t buf[8192];
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag t;
	struct mb2_module mod;
	struct mb2_efi_mmap em;
	uint32_t lower, upper;
	uint64_t v;
	struct span s;
	size_t n, counted;

	(void)state;
	assert_true(mbi_write(&m, (struct mspan){ NULL, 0 }, &counted));
	assert_true(mbi_write(&m, (struct mspan){ buf, sizeof(buf) }, &n));
	assert_int_equal(n, counted);
	assert_false(mbi_write(&m, (struct mspan){ buf, n - 1 }, &n));
	assert_true(mbi_write(&m, (struct mspan){ buf, n }, &n));
	assert_int_equal(mb2_info_open((struct span){ buf, n }, &info), MB2_INFO_OK);
	assert_true(mb2_find(&info, MB2_CMDLINE, &t) && mb2_get_text(&t, &s) && span_is_str(s, "logging=serial"));
	assert_true(mb2_find(&info, MB2_BASIC_MEMINFO, &t) && mb2_get_basic_meminfo(&t, &lower, &upper));
	assert_int_equal(lower, 640);
	assert_int_equal(upper, (0x40000000 - 0x100000) / 1024);
	assert_true(mb2_find(&info, MB2_EFI64, &t) && mb2_get_number(&t, &v) && v == UINT64_C(0x123456789a));
	assert_true(mb2_find(&info, MB2_EFI_MMAP, &t) && mb2_get_efi_mmap(&t, &em) && span_equal(em.map, SPAN_OF(efi_map)));
	assert_true(mb2_find(&info, MB2_ACPI_OLD, &t) && t.content.n == 20);
	assert_true(mb2_find(&info, MB2_ACPI_NEW, &t) && t.content.n == 36);
	assert_true(mb2_find(&info, MB2_FRAMEBUFFER, &t));
	/* tboot takes these out and has their room. */
	assert_true(mb2_find(&info, MB2_ELF_SECTIONS, &t) && t.content.n >= MBI_TBOOT_ROOM);
	assert_false(mb2_find(&info, MB2_EFI_BOOT_SERVICES, &t));
	for (size_t i = 0; i < 2;) {
		assert_true(mb2_next(&it, &t));
		if (t.type != MB2_MODULE)
			continue;
		assert_true(mb2_get_module(&t, &mod));
		assert_int_equal(mod.start, modules[i].start);
		assert_int_equal(mod.end, modules[i].end);
		assert_true(span_equal(mod.string, modules[i].string));
		i++;
	}
}

/* ---- the last block ---- */

static uint64_t block_value(const uint8_t *block, size_t where, size_t width)
{
	struct rd r = rd_init((struct span){ block + where, width });

	return rd_le(&r, width);
}

static void test_handoff(void **state)
{
	static uint8_t block[HANDOFF_SIZE];
	static const uint8_t code[] = { 0xfa, 0xf4 };
	const struct mspan room = { block, sizeof(block) };
	/* clang-format off */
	struct handoff h = { .entry = 0x804000, .magic = MB2_MAGIC, .info = 0x3000000, .count = 2, .copies = {
		{ 0x800000, 0x10000000, 0x100, 0x50 }, { 0x900000, 0x10000100, 0x200, 0 } } };
	struct handoff bad;

	(void)state;
	assert_true(handoff_write(&h, SPAN_OF(code), 0x20000000, room));
	assert_memory_equal(block, code, sizeof(code));
	assert_int_equal(block_value(block, HANDOFF_GDT, 8), 0);
	assert_int_equal(block_value(block, HANDOFF_GDT + HANDOFF_CS, 8), 0x00cf9b000000ffff);
	assert_int_equal(block_value(block, HANDOFF_GDT + HANDOFF_DS, 8), 0x00cf93000000ffff);
	assert_int_equal(block_value(block, HANDOFF_GDTR, 2), 23);
	assert_int_equal(block_value(block, HANDOFF_GDTR + 2, 8), 0x20000000 + HANDOFF_GDT);
	assert_int_equal(block_value(block, HANDOFF_ENTRY, 4), 0x804000);
	assert_int_equal(block_value(block, HANDOFF_MAGIC, 4), MB2_MAGIC);
	assert_int_equal(block_value(block, HANDOFF_INFO, 4), 0x3000000);
	assert_int_equal(block_value(block, HANDOFF_COUNT, 4), 2);
	assert_int_equal(block_value(block, HANDOFF_COPIES + HANDOFF_COPY_SIZE + 4, 4), 0x10000100);
	assert_int_equal(block_value(block, HANDOFF_COPIES + 12, 4), 0x50);

	bad = h;            /* a result on another copy's source */
	bad.copies[1].to = 0x10000000 - 0x100;
	assert_false(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	bad = h;            /* ... on its own */
	bad.copies[0].to = 0x10000080;
	assert_false(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	bad = h;            /* zeros on another result */
	bad.copies[0].zeros = 0x100000 - 0xff;
	assert_false(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	bad.copies[0].zeros--;
	assert_true(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	assert_false(handoff_write(&h, SPAN_OF(code), 0x800000 - HANDOFF_SIZE + 1, room));      /* the block itself */
	assert_true(handoff_write(&h, SPAN_OF(code), 0x800000 - HANDOFF_SIZE, room));
	bad = h;            /* past 4 GiB */
	bad.copies[1].to = 0xffffff00;
	assert_false(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	bad = h;
	bad.count = HANDOFF_COPIES_MAX + 1;
	assert_false(handoff_write(&bad, SPAN_OF(code), 0x20000000, room));
	assert_false(handoff_write(&h, (struct span){ file, HANDOFF_CODE_MAX + 1 }, 0x20000000, room));
	assert_false(handoff_write(&h, SPAN_OF(code), UINT32_MAX - HANDOFF_SIZE + 2, room));
	assert_false(handoff_write(&h, SPAN_OF(code), 0x20000000, (struct mspan){ block, sizeof(block) - 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_flat),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_acpi_mutations),
		cmocka_unit_test(test_mbi),
		cmocka_unit_test(test_handoff),
	};
	/* clang-format on */

	return cmocka_run_group_tests_name("txt_parts", tests, NULL, NULL);
}
