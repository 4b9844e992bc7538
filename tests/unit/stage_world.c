/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/stage_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/eventlog.h"
#include "common/hash.h"
#include "tests/unit/boot_samples.h"

#define PAGE 4096u

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	struct stage_scene *s = ctx;

	return address < STAGE_RAM && n <= STAGE_RAM - address ? s->ram + address : NULL;
}

static void add_module(struct stage_scene *s, const char *string, const uint8_t *bytes, size_t n)
{
	size_t i = s->module_count++;

	snprintf(s->modules[i].string, sizeof(s->modules[i].string), "%s", string);
	s->modules[i].bytes = bytes;
	s->modules[i].n = n;
	s->modules[i].shift = 0;
}

static void add_memory(struct stage_scene *s, uint64_t base, uint64_t end, uint32_t type)
{
	s->mmap[s->mmap_count++] = (struct mb2_memory){ base, end - base, type };
}

static void add_efi(struct stage_scene *s, uint64_t base, uint64_t end, uint32_t type)
{
	s->efi_map[s->efi_count].type = type;
	s->efi_map[s->efi_count].base = base;
	s->efi_map[s->efi_count++].pages = (end - base) / PAGE;
}

static void fill(uint8_t *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * seed + (i >> 8));
}

struct stage_scene *scene_new(void)
{
	struct stage_scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	s->ram = calloc(1, STAGE_RAM);
	assert_non_null(s->ram);
	s->world = (struct stage_world){ .ctx = s, .at = memory_at };
	s->tboot_word = s->efi = s->acpi = true;
	fill(s->dom0, sizeof(s->dom0), 3);
	fill(s->initrd, sizeof(s->initrd), 11);
	fill(s->vmm, sizeof(s->vmm), 13);
	memcpy(s->conf, "{\"vm\": 1}\n", sizeof(s->conf));
	add_memory(s, 0, 0x9f000, 1);
	add_memory(s, 0x9f000, 0xa0000, 2);
	add_memory(s, 0x100000, 0x800000, 1);
	add_memory(s, 0x800000, STAGE_TBOOT_END, 5);
	add_memory(s, STAGE_TBOOT_END, STAGE_HEAP, 1);
	add_memory(s, STAGE_HEAP, STAGE_HEAP + STAGE_HEAP_SIZE, 2);
	add_memory(s, STAGE_HEAP + STAGE_HEAP_SIZE, 0x7000000, 1);
	add_memory(s, 0x7000000, 0x7200000, 1);
	add_memory(s, 0x7200000, 0x7210000, 3);
	add_memory(s, 0x7210000, STAGE_RAM, 1);
	add_memory(s, 0x100000000, 0x180000000, 1);
	add_efi(s, 0, 0x9f000, 7);
	add_efi(s, 0x100000, 0x7000000, 7);
	add_efi(s, 0x7000000, 0x7200000, 4);
	add_efi(s, 0x7200000, 0x7210000, 9);
	add_efi(s, 0x7210000, 0x7f00000, 7);
	add_efi(s, 0x7f00000, STAGE_RAM, 5);
	add_efi(s, 0x100000000, 0x180000000, 7);
	return s;
}

void scene_free(struct stage_scene *s)
{
	free(s->ram);
	free(s);
}

void scene_linux(struct stage_scene *s)
{
	sample_bzimage(s->kernel);
	snprintf(s->line, sizeof(s->line),
		"geolaunch-stage 1 policy=halt hypervisor=linux modules=hypervisor,initrd,vmm:0755,file:0600 "
		"nv=0x01c10110,nv,22,any halt=poweroff,5");
	s->module_count = 0;
	add_module(s, "console=ttyS0 quiet", s->kernel, sizeof(s->kernel));
	add_module(s, "", s->initrd, sizeof(s->initrd));
	add_module(s, "/usr/bin/vmm", s->vmm, sizeof(s->vmm));
	add_module(s, "/etc/vm/vm.json", s->conf, sizeof(s->conf));
}

void scene_xen(struct stage_scene *s)
{
	sample_xen(s->kernel);
	snprintf(s->line, sizeof(s->line),
		"geolaunch-stage 1 policy=continue hypervisor=xen "
		"modules=hypervisor,kernel,initrd,vmm:0755,file:0600 halt=reboot,0");
	s->module_count = 0;
	add_module(s, "console=com1", s->kernel, sizeof(s->kernel));
	add_module(s, "console=hvc0", s->dom0, sizeof(s->dom0));
	add_module(s, "", s->initrd, sizeof(s->initrd));
	add_module(s, "/usr/bin/vmm", s->vmm, sizeof(s->vmm));
	add_module(s, "/etc/vm/vm.json", s->conf, sizeof(s->conf));
}

static void build_shared(struct stage_scene *s)
{
	/* clang-format off */
	static const uint8_t uuid[16] = {
		0xff, 0x8d, 0x3c, 0x66, 0xb3, 0xe8, 0x82, 0x4b, 0xbf, 0xaa, 0x19, 0xea, 0x4d, 0x05, 0x7a, 0x08,
	};
	/* clang-format on */
	uint8_t *page = s->ram + STAGE_SHARED;

	memcpy(page, uuid, sizeof(uuid));
	sample_put(page, 16, 6, 4);
	sample_put(page, 24, STAGE_SHUTDOWN, 4);
	sample_put(page, 104, STAGE_TBOOT, 4);
	sample_put(page, 108, STAGE_TBOOT_END - STAGE_TBOOT, 4);
}

static void build_efi(struct stage_scene *s, struct mb2_writer *m)
{
	uint8_t map[16 * 48] = { 0 };

	for (size_t i = 0; i < s->efi_count; i++) {
		sample_put(map, i * 48, s->efi_map[i].type, 4);
		sample_put(map, i * 48 + 8, s->efi_map[i].base, 8);
		sample_put(map, i * 48 + 24, s->efi_map[i].pages, 8);
		sample_put(map, i * 48 + 32, 0xf, 8);
	}
	mb2_put_number(m, MB2_EFI64, STAGE_EFI_TABLE);
	mb2_put_number(m, MB2_EFI64_IMAGE, 0x7300100);
	mb2_put(m, MB2_EFI_BOOT_SERVICES, (struct span){ NULL, 0 });
	mb2_put_efi_mmap(m, 48, 1, (struct span){ map, s->efi_count * 48 });
}

static void build_info(struct stage_scene *s)
{
	struct mb2_writer m;
	char line[2100];
	uint8_t rsdp[36] = "RSD PTR ";
	uint32_t at = STAGE_MODULES;
	size_t n;

	snprintf(line, sizeof(line), "%s%s", s->line, s->tboot_word ? " tboot=0x810000" : "");
	mb2_begin(&m, (struct mspan){ s->ram + STAGE_INFO, 65536 });
	mb2_put_cmdline(&m, span_str(line));
	mb2_put_loader_name(&m, SPAN_LITERAL("GRUB 2.06"));
	for (size_t i = 0; i < s->module_count; i++) {
		s->modules[i].at = at + s->modules[i].shift;
		memcpy(s->ram + s->modules[i].at, s->modules[i].bytes, s->modules[i].n);
		mb2_put_module(&m, &(struct mb2_module){ s->modules[i].at, s->modules[i].at + (uint32_t)s->modules[i].n,
					   span_str(s->modules[i].string) });
		at = (s->modules[i].at + (uint32_t)s->modules[i].n + PAGE - 1) / PAGE * PAGE;
	}
	mb2_put_basic_meminfo(&m, 640, 7168);
	if (s->mmap_count)
		mb2_put_mmap(&m, s->mmap, s->mmap_count);
	mb2_put_framebuffer(&m, &(struct mb2_framebuffer){ .address = 0x80000000,
					.pitch = 4096,
					.width = 1024,
					.height = 768,
					.bits = 32,
					.type = MB2_FRAMEBUFFER_RGB,
					.red = { 16, 8 },
					.green = { 8, 8 },
					.blue = { 0, 8 } });
	if (s->efi)
		build_efi(s, &m);
	rsdp[15] = 2;
	sample_put(rsdp, 24, STAGE_XSDT, 8);
	if (s->acpi)
		mb2_put(&m, MB2_ACPI_NEW, SPAN_OF(rsdp));
	assert_true(mb2_end(&m, &n));
}

void scene_sum(struct stage_scene *s, uint32_t address)
{
	size_t n = (size_t)sample_get(s->ram, address + 4, 4);
	uint8_t sum = 0;

	s->ram[address + 9] = 0;
	for (size_t i = 0; i < n && i < 65536; i++)
		sum = (uint8_t)(sum + s->ram[address + i]);
	s->ram[address + 9] = (uint8_t)(0 - sum);
}

static void build_table(struct stage_scene *s, uint32_t address, const char *signature, uint32_t n)
{
	memset(s->ram + address, 0, n);
	memcpy(s->ram + address, signature, 4);
	sample_put(s->ram, address + 4, n, 4);
}

void scene_acpi(struct stage_scene *s, unsigned a, unsigned b)
{
	const uint8_t s5[] = { 0x08, '_', 'S', '5', '_', 0x12, 0x08, 4, 0x0a, (uint8_t)a, 0x0a, (uint8_t)b, 0, 0 };

	build_table(s, STAGE_XSDT, "XSDT", 36 + 2 * 8);
	sample_put(s->ram, STAGE_XSDT + 36, STAGE_DSDT, 8); /* one that is not looked for */
	sample_put(s->ram, STAGE_XSDT + 44, STAGE_FADT, 8);
	scene_sum(s, STAGE_XSDT);
	build_table(s, STAGE_FADT, "FACP", 244);
	sample_put(s->ram, STAGE_FADT + 40, STAGE_DSDT, 4);
	sample_put(s->ram, STAGE_FADT + 64, 0x604, 4);
	scene_sum(s, STAGE_FADT);
	build_table(s, STAGE_DSDT, "DSDT", 128);
	memcpy(s->ram + STAGE_DSDT + 60, s5, sizeof(s5));
	scene_sum(s, STAGE_DSDT);
}

size_t scene_heap(struct stage_scene *s, alg_set banks)
{
	uint8_t *heap = s->ram + STAGE_HEAP;
	struct eventlog log;
	struct digests d;
	uint8_t *os = heap + 24 + 16;

	memset(heap, 0, STAGE_HEAP_SIZE);
	sample_put(heap, 0, 24, 8);            /* BiosData */
	sample_put(heap, 24, 16, 8);           /* OsMleData */
	sample_put(os, 0, 8 + 92 + 28 + 8, 8); /* OsSinitData, version 7 */
	sample_put(os, 8, 7, 4);
	sample_put(os, 100, 8, 4); /* element 8 */
	sample_put(os, 104, 28, 4);
	sample_put(os, 108, STAGE_LOG, 8);
	sample_put(os, 116, STAGE_LOG_SIZE, 4);
	sample_put(os, 132, 8, 4);              /* end */
	sample_put(os, 8 + 92 + 28 + 8, 16, 8); /* SinitMleData */
	assert_true(eventlog_begin(&log, (struct mspan){ s->ram + STAGE_LOG, STAGE_LOG_SIZE }, banks));
	hash_span(banks, SPAN_LITERAL("x"), &d);
	assert_true(eventlog_append(&log, 17, 0x402, &d, SPAN_LITERAL("x")));
	d.banks &= ALG_BIT(ALG_SHA256); /* tboot extends one, and its events have no data */
	log.banks = d.banks;
	assert_true(eventlog_append(&log, 17, 0x501, &d, (struct span){ NULL, 0 }));
	sample_put(os, 124, log.n, 4);
	return log.n;
}

void scene_build(struct stage_scene *s)
{
	build_shared(s);
	build_info(s);
	scene_acpi(s, 5, 7);
	(void)scene_heap(s, ALG_SET_ALL);
}

enum stage_error scene_plan(struct stage_scene *s)
{
	const struct txt_range taken[] = { { 0x100000, 0x40000 }, { STAGE_HEAP, STAGE_HEAP_SIZE } };
	enum stage_rules_error why;
	size_t at;
	enum stage_error e = handover_open(&s->world, MB2_MAGIC, STAGE_INFO, &s->handover);

	if (e == STAGE_OK)
		e = handover_rules(&s->handover, &why, &at);
	if (e == STAGE_OK)
		e = handover_modules(&s->world, &s->handover);
	if (e == STAGE_OK)
		e = handover_memory(&s->handover, taken, GL_COUNT(taken), &s->memory);
	if (e == STAGE_OK)
		handover_picture(&s->handover, taken, GL_COUNT(taken));
	return e == STAGE_OK ? stage_plan(&s->world, &s->handover, &s->memory, &s->plan) : e;
}

enum stage_error scene_load(struct stage_scene *s)
{
	enum stage_error e = scene_plan(s);

	return e == STAGE_OK ? stage_load(&s->world, &s->handover, &s->plan, &s->jump) : e;
}

struct stage_scene *scene_host(bool xen)
{
	struct stage_scene *s = scene_new();

	if (xen)
		scene_xen(s);
	else
		scene_linux(s);
	return s;
}
