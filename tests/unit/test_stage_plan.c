/* SPDX-License-Identifier: BSD-3-Clause */
/* From what tboot hands over to what is started: stage/core/handover.c, plan*.c, efi_map.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/linux_params.h"
#include "stage/core/efi_map.h"
#include "tests/unit/boot_samples.h"
#include "tests/unit/stage_world.h"

#define PAGE 4096u

/* A place that the plan took: in RAM by the map, not over anything that must stay. */
static void assert_place(const struct stage_scene *s, uint64_t at, uint64_t size)
{
	const struct txt_range r = { at, size };
	bool ram = false;

	for (size_t i = 0; i < s->mmap_count; i++)
		if (s->mmap[i].type == 1 && txt_range_contains((struct txt_range){ s->mmap[i].base, s->mmap[i].size }, r))
			ram = true;
	assert_true(ram);
	assert_false(txt_range_overlaps(r, (struct txt_range){ STAGE_TBOOT, STAGE_TBOOT_END - STAGE_TBOOT }));
	assert_false(txt_range_overlaps(r, (struct txt_range){ 0x100000, 0x40000 }));
	assert_false(txt_range_overlaps(r, (struct txt_range){ STAGE_HEAP, STAGE_HEAP_SIZE }));
	assert_false(txt_range_overlaps(r, s->handover.info_range));
	assert_false(txt_range_overlaps(r, (struct txt_range){ 0x7000000, 0x200000 })); /* boot services data */
	for (size_t i = 0; i < s->module_count; i++)
		assert_false(txt_range_overlaps(r, (struct txt_range){ s->modules[i].at, s->modules[i].n }));
}

/* initrd, padding, an archive with both files. */
static void assert_initrd(const struct stage_scene *s)
{
	const struct initrd_plan *p = &s->plan.initrd;
	const uint8_t *whole = s->ram + p->address;

	assert_int_equal(p->address % PAGE, 0);
	assert_place(s, p->address, p->size);
	assert_memory_equal(whole, s->initrd, sizeof(s->initrd));
	assert_int_equal(p->member_count, 2);
	assert_memory_equal(whole + p->members[0].offset, s->vmm, sizeof(s->vmm));
	assert_memory_equal(whole + p->members[1].offset, s->conf, sizeof(s->conf));
	assert_non_null(memmem(whole, p->size, "usr/bin/vmm", 12));
	assert_non_null(memmem(whole, p->size, "etc/vm/vm.json", 15));
	assert_non_null(memmem(whole, p->size, "TRAILER!!!", 11));
}

/* What the zero page's map says of an address; it must say so once. */
static uint32_t e820_type(const uint8_t *page, uint64_t address)
{
	uint32_t type = UINT32_MAX;

	for (size_t at = 0x2d0; at < 0x2d0 + page[0x1e8] * 20u; at += 20)
		if (address - sample_get(page, at, 8) < sample_get(page, at + 8, 8)) {
			assert_int_equal(type, UINT32_MAX);
			type = (uint32_t)sample_get(page, at + 16, 4);
		}
	return type;
}

static void test_linux(void **state)
{
	struct stage_scene *s = scene_host(false);
	const struct linux_plan *l = &s->plan.for_linux;
	const uint8_t *page;

	(void)state;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_int_equal(l->load, 0x1000000); /* where it prefers to be */
	assert_place(s, l->load, 0x2000000);
	assert_memory_equal(s->ram + l->load, s->kernel + 2048, sizeof(s->kernel) - 2048);
	assert_initrd(s);
	assert_place(s, l->params, PAGE);
	assert_place(s, l->cmdline, 20);
	assert_place(s, l->rsdp, PAGE);
	assert_string_equal((const char *)s->ram + l->cmdline, "console=ttyS0 quiet");
	assert_true(s->jump.entry == l->load && s->jump.esi == l->params && s->jump.eax == 0 && s->jump.ebx == 0);
	/* The zero page, by the offsets of Linux's documentation. */
	page = s->ram + l->params;
	assert_int_equal(sample_get(page, 0x58, 8), STAGE_SHARED);
	assert_int_equal(sample_get(page, 0x218, 4), s->plan.initrd.address);
	assert_int_equal(sample_get(page, 0x21c, 4), s->plan.initrd.size);
	assert_int_equal(sample_get(page, 0x228, 4), l->cmdline);
	/* The RSDP in a page that stays; of what EFI left, which the loader gave and nobody measured, nothing. */
	assert_int_equal(sample_get(page, 0x70, 8), l->rsdp);
	assert_memory_equal(s->ram + l->rsdp, "RSD PTR ", 8);
	assert_int_equal(sample_get(s->ram + l->rsdp, 24, 8), STAGE_XSDT);
	assert_int_equal(e820_type(page, l->rsdp), 3);
	assert_int_equal(e820_type(page, l->rsdp + PAGE - 1), 3);
	assert_int_equal(e820_type(page, l->rsdp - 1), 1);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(page[0x1c0 + i], 0);
	assert_int_equal(l->efi_map_room, 0);
	/* e820: as it was, but the RSDP's page is ACPI's, tboot's memory is reserved and neighbours are one. */
	assert_int_equal(page[0x1e8], 12);
	assert_int_equal(sample_get(page, 0x2d0 + 3 * 20, 8), 0x800000);
	assert_int_equal(sample_get(page, 0x2d0 + 3 * 20 + 16, 4), 2);
	assert_int_equal(sample_get(page, 0x2d0 + 6 * 20, 8), STAGE_HEAP + STAGE_HEAP_SIZE);
	assert_int_equal(sample_get(page, 0x2d0 + 6 * 20 + 8, 8), 0x7200000 - STAGE_HEAP - STAGE_HEAP_SIZE);
	scene_free(s);
}

/* What the EFI map says of an address. */
static uint32_t efi_type(const struct stage_scene *s, uint64_t address)
{
	const uint8_t *page = s->ram + s->plan.for_linux.params, *map = s->ram + s->plan.for_linux.efi_map;
	size_t n = (size_t)sample_get(page, 0x1d4, 4);
	uint32_t type = UINT32_MAX;

	assert_int_equal(sample_get(page, 0x1c8, 4), 48);
	for (size_t at = 0; at < n; at += 48) {
		uint64_t base = sample_get(map, at + 8, 8), size = sample_get(map, at + 24, 8) * PAGE;

		assert_int_equal(sample_get(map, at + 32, 8), 0xf);
		if (address >= base && address - base < size) {
			assert_int_equal(type, UINT32_MAX);
			type = (uint32_t)sample_get(map, at, 4);
		}
	}
	return type;
}

static void test_efi_map(void **state)
{
	struct stage_scene *s = scene_host(false);
	const struct linux_plan *l = &s->plan.for_linux;

	(void)state;
	strcat(s->line, " efi=runtime");
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_place(s, l->efi_map, l->efi_map_room);
	assert_memory_equal(s->ram + l->params + 0x1c0, "EL64", 4);
	assert_int_equal(sample_get(s->ram + l->params, 0x1c4, 4), STAGE_EFI_TABLE);
	assert_int_equal(sample_get(s->ram + l->params, 0x1d0, 4), l->efi_map);
	assert_int_equal(sample_get(s->ram + l->params, 0x70, 8), l->rsdp);
	assert_int_equal(efi_type(s, l->rsdp), EFI_ACPI_RECLAIM);
	assert_int_equal(efi_type(s, 0x7fffff), 7);
	assert_int_equal(efi_type(s, 0x800000), EFI_RESERVED);
	assert_int_equal(efi_type(s, STAGE_SHARED), EFI_RESERVED);
	assert_int_equal(efi_type(s, STAGE_TBOOT_END - 1), EFI_RESERVED);
	assert_int_equal(efi_type(s, STAGE_TBOOT_END), 7);
	assert_int_equal(efi_type(s, STAGE_HEAP), EFI_RESERVED);
	assert_int_equal(efi_type(s, STAGE_HEAP + STAGE_HEAP_SIZE), 7);
	assert_int_equal(efi_type(s, 0x7100000), EFI_BOOT_DATA);
	assert_int_equal(efi_type(s, 0x7200000), 9);
	assert_int_equal(efi_type(s, 0x100000000), 7);
	assert_int_equal(efi_type(s, l->load), 7);
	assert_int_equal(efi_type(s, l->params), EFI_LOADER_DATA);
	assert_int_equal(efi_type(s, l->cmdline), EFI_LOADER_DATA);
	assert_int_equal(efi_type(s, l->efi_map), EFI_LOADER_DATA);
	assert_int_equal(efi_type(s, s->plan.initrd.address), EFI_LOADER_DATA);
	assert_int_equal(efi_type(s, s->plan.initrd.address + s->plan.initrd.size - 1), EFI_LOADER_DATA);
	scene_free(s);
}

/* efi_map_set() beside a map with a type per page. */
static void test_efi_map_model(void **state)
{
	enum { N = 40 };

	(void)state;
	srand(11);
	for (unsigned round = 0; round < 300; round++) {
		uint8_t bytes[64 * 48] = { 0 }, types[N];
		struct mb2_efi_mmap from = { 48, 1, { bytes, 4 * 48 } };
		uint8_t room[64 * 48];
		struct efi_map m;

		for (unsigned i = 0; i < 4; i++) {
			uint8_t type = (uint8_t)(rand() % 10);

			sample_put(bytes, i * 48, type, 4);
			sample_put(bytes, i * 48 + 8, i * 10 * PAGE, 8);
			sample_put(bytes, i * 48 + 24, 10, 8);
			memset(types + i * 10, type, 10);
		}
		assert_true(efi_map_copy(&from, (struct mspan){ room, sizeof(room) }, &m));
		for (unsigned step = 0; step < 10; step++) {
			unsigned first = (unsigned)rand() % N, count = (unsigned)rand() % (N - first);
			uint8_t type = (uint8_t)(rand() % 3);

			assert_true(efi_map_set(&m, (struct txt_range){ first * PAGE, count * PAGE }, type));
			for (unsigned i = first; i < first + count; i++)
				if ((types[i] >= 1 && types[i] <= 4) || types[i] == 7)
					types[i] = type;
			for (unsigned i = 0, seen = 0; i < N; i++, seen = 0) {
				for (size_t at = 0; at < m.n; at += 48)
					if (i * PAGE >= sample_get(room, at + 8, 8) &&
						i * PAGE < sample_get(room, at + 8, 8) + sample_get(room, at + 24, 8) * PAGE) {
						assert_int_equal(sample_get(room, at, 4), types[i]);
						seen++;
					}
				assert_int_equal(seen, 1);
			}
		}
	}
}

static void test_linux_variants(void **state)
{
	struct stage_scene *s = scene_host(false);

	(void)state;
	/* Its place is taken: the next one at its alignment, never a lower one. */
	s->mmap[s->mmap_count++] = (struct mb2_memory){ 0x1400000, 0x1000, 2 };
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_int_equal(s->plan.for_linux.load, 0x1600000);
	/* It cannot be moved. */
	sample_put(s->kernel, 0x234, 0, 1);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_KERNEL_PLACE);
	s->mmap_count--;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	/* Neither initrd nor members. */
	s->module_count = 1;
	snprintf(s->line, sizeof(s->line), "geolaunch-stage 1 policy=halt hypervisor=linux modules=hypervisor halt=poweroff,5");
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_int_equal(s->plan.initrd.size, 0);
	assert_int_equal(sample_get(s->ram + s->plan.for_linux.params, 0x218, 8), 0);
	scene_free(s);

	/* An initrd alone is used where it lies, unless the kernel does not reach it. */
	s = scene_host(false);
	s->module_count = 2;
	snprintf(s->line, sizeof(s->line), "geolaunch-stage 1 policy=halt hypervisor=linux modules=hypervisor,initrd halt=poweroff,5");
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_true(!s->plan.initrd.join && s->plan.initrd.address == s->modules[1].at && s->plan.initrd.size == sizeof(s->initrd));
	sample_put(s->kernel, 0x22c, s->modules[1].at + 100, 4);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_true(s->plan.initrd.join && s->plan.initrd.address + s->plan.initrd.size <= s->modules[1].at + 101);
	assert_place(s, s->plan.initrd.address, s->plan.initrd.size);
	assert_memory_equal(s->ram + s->plan.initrd.address, s->initrd, sizeof(s->initrd));
	sample_put(s->kernel, 0x22c, 0x100000, 4);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_INITRD);
	scene_free(s);

	/* Without EFI, and without an RSDP: then the kernel looks for it. */
	s = scene_host(false);
	s->efi = s->acpi = false;
	strcat(s->line, " efi=runtime");
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_int_equal(sample_get(s->ram + s->plan.for_linux.params, 0x1c0, 4), 0);
	assert_int_equal(sample_get(s->ram + s->plan.for_linux.params, 0x70, 8), 0);
	scene_free(s);
}

/* ---- Xen ---- */

static struct mb2_info info_of(const struct stage_scene *s)
{
	struct mb2_info info;

	assert_int_equal(mb2_info_open((struct span){ s->ram + s->jump.ebx, s->plan.for_xen.info_room }, &info), MB2_INFO_OK);
	return info;
}

static struct span text_of(const struct mb2_info *info, uint32_t type)
{
	struct mb2_tag t;
	struct span text;

	assert_true(mb2_find(info, type, &t) && mb2_get_text(&t, &text));
	return text;
}

static void assert_rsdp(const struct stage_scene *s)
{
	size_t ebda = (size_t)sample_get(s->ram, 0x40e, 2) << 4;

	assert_int_equal(ebda, s->plan.for_xen.ebda);
	assert_true(ebda >= 0x40000 && ebda < 0xa0000);
	assert_place(s, ebda - 0x10000, 0x11000);
	assert_memory_equal(s->ram + ebda + 16, "RSD PTR ", 8);
	assert_int_equal(sample_get(s->ram, ebda + 16 + 24, 8), STAGE_XSDT);
}

static void test_xen(void **state)
{
	struct stage_scene *s = scene_host(true);
	static const uint32_t gone[] = { 11, 12, 17, 18, 19, 20, 21 };
	struct mb2_info info;
	struct mb2_tag t;
	struct mb2_module m;
	struct mb2_mmap map;
	struct mb2_tags it = { .info = &info };
	uint32_t lower, upper;

	(void)state;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_true(s->jump.entry == SAMPLE_XEN_LINK && s->jump.eax == MB2_MAGIC && s->jump.ebx % 8 == 0);
	assert_memory_equal(s->ram + SAMPLE_XEN_LINK, s->kernel, sizeof(s->kernel));
	assert_rsdp(s);
	info = info_of(s);
	assert_true(span_is_str(text_of(&info, MB2_CMDLINE), "xen console=com1 tboot=0x00810000"));
	assert_true(span_is_str(text_of(&info, MB2_LOADER_NAME), "geolaunch-stage"));
	for (size_t i = 0; i < GL_COUNT(gone); i++)
		assert_false(mb2_find(&info, gone[i], &t));
	assert_true(mb2_find(&info, MB2_ACPI_NEW, &t) && mb2_find(&info, MB2_FRAMEBUFFER, &t));
	assert_true(mb2_find(&info, MB2_BASIC_MEMINFO, &t) && mb2_get_basic_meminfo(&t, &lower, &upper));
	assert_true(lower == s->plan.for_xen.ebda / 1024 && upper == 7168);
	/* Two modules: the kernel in its place, the initrd with the members. */
	for (unsigned i = 0; i < 3; i++) {
		do
			if (!mb2_next(&it, &t))
				break;
		while (t.type != MB2_MODULE);
		if (i == 2) {
			assert_int_not_equal(t.type, MB2_MODULE);
			break;
		}
		assert_true(mb2_get_module(&t, &m));
		if (i == 0)
			assert_true(m.start == s->modules[1].at && m.end - m.start == sizeof(s->dom0) &&
				    span_is_str(m.string, "kernel console=hvc0"));
		else
			assert_true(m.start == s->plan.initrd.address && m.end - m.start == s->plan.initrd.size && m.string.n == 0);
	}
	assert_initrd(s);
	/* Memory map: page 0 and the EBDA are reserved, all else is as it was. */
	assert_true(mb2_find(&info, MB2_MMAP, &t) && mb2_get_mmap(&t, &map));
	for (uint64_t at = 0; at < 0x8000000; at += PAGE) {
		uint32_t want = 0, is = 0;

		for (size_t i = 0; i < s->mmap_count; i++)
			if (at - s->mmap[i].base < s->mmap[i].size)
				want = s->mmap[i].type;
		for (size_t i = 0; i < map.count; i++)
			if (at - mb2_mmap_entry(&map, i).base < mb2_mmap_entry(&map, i).size)
				is = mb2_mmap_entry(&map, i).type;
		assert_int_equal(is, at == 0 || at == s->plan.for_xen.ebda ? 2 : want);
	}
	scene_free(s);
}

static void test_xen_relocated(void **state)
{
	struct stage_scene *s = scene_host(true);
	struct mb2_info info;
	struct mb2_tag t;
	uint64_t base = 0;

	(void)state;
	/* tboot's memory is where Xen is linked to; it prefers to be high. */
	s->mmap[s->mmap_count++] = (struct mb2_memory){ SAMPLE_XEN_LINK + 0x1000, 0x1000, 2 };
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_true(s->plan.for_xen.relocated && s->plan.for_xen.load % 0x200000 == 0 && s->plan.for_xen.load > 0x6000000);
	assert_int_equal(s->jump.entry, s->plan.for_xen.load);
	assert_place(s, s->plan.for_xen.load, SAMPLE_XEN_MEMORY);
	assert_memory_equal(s->ram + s->plan.for_xen.load, s->kernel, sizeof(s->kernel));
	info = info_of(s);
	assert_true(mb2_find(&info, MB2_LOAD_BASE, &t) && mb2_get_number(&t, &base) && base == s->plan.for_xen.load);
	/* Without the tag it cannot be. */
	sample_put(s->kernel, SAMPLE_MB2_RELOCATABLE, 0x1234, 2);
	sample_mb2_sign(s->kernel);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_KERNEL_PLACE);
	scene_free(s);
}

static void test_xen_variants(void **state)
{
	struct stage_scene *s = scene_host(true);

	(void)state;
	/* Modules must begin at pages. */
	s->modules[1].shift = 8;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_true(s->plan.for_xen.kernel_moved && s->plan.for_xen.kernel % PAGE == 0);
	assert_place(s, s->plan.for_xen.kernel, sizeof(s->dom0));
	assert_memory_equal(s->ram + s->plan.for_xen.kernel, s->dom0, sizeof(s->dom0));
	/* No RSDP, no memory for it. */
	s->acpi = false;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_RSDP);
	s->acpi = true;
	s->mmap[0].size = 0x3f000;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_LOW_MEMORY);
	s->mmap[0].size = 0x9f000;
	/* It requires what only boot services have, or an address tag. */
	sample_put(s->kernel, SAMPLE_MB2_REQUEST + 8, 12, 4);
	sample_mb2_sign(s->kernel);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_KERNEL_WANTS);
	sample_xen(s->kernel);
	s->kernel[0] = 0;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_E_KERNEL);
	sample_xen(s->kernel);
	memset(s->modules[0].string, 'x', 2099);
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK); /* Xen has no limit that its header tells */
	scene_free(s);
}

/* tboot started the stage without a launch: no shared page, no memory of tboot's. */
static void test_unmeasured(void **state)
{
	struct stage_scene *s = scene_host(false);
	struct mb2_info info;

	(void)state;
	s->tboot_word = false;
	scene_build(s);
	memset(s->ram + STAGE_SHARED, 0, PAGE);
	assert_int_equal(scene_load(s), STAGE_OK);
	assert_false(s->handover.measured);
	assert_int_equal(s->handover.shared.memory.size, 0);
	assert_int_equal(sample_get(s->ram + s->plan.for_linux.params, 0x58, 8), 0);
	scene_free(s);
	s = scene_host(true);
	s->tboot_word = false;
	scene_build(s);
	assert_int_equal(scene_load(s), STAGE_OK);
	info = info_of(s);
	assert_true(span_is_str(text_of(&info, MB2_CMDLINE), "xen console=com1"));
	scene_free(s);
	/* A word that is not quite tboot's is no rule either. */
	s = scene_host(false);
	s->tboot_word = false;
	strcat(s->line, " tboot=0x0");
	scene_build(s);
	assert_int_equal(scene_plan(s), STAGE_E_RULES);
	scene_free(s);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux), cmocka_unit_test(test_efi_map), cmocka_unit_test(test_efi_map_model),
		cmocka_unit_test(test_linux_variants), cmocka_unit_test(test_xen), cmocka_unit_test(test_xen_relocated),
		cmocka_unit_test(test_xen_variants), cmocka_unit_test(test_unmeasured),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
