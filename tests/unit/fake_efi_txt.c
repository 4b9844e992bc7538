/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/fake_efi_txt.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "boot/multiboot2_header.h"
#include "boot/multiboot2_info.h"
#include "common/cursor.h"
#include "common/description.h"
#include "common/hash.h"
#include "efi/core/handoff.h"
#include "lcp/acm_make.h"
#include "tboot-policy/vlp.h"
#include "txt/heap.h"

#define HEAP_BASE 0xc8000000u
#define SINIT_BASE 0xc8200000u
#define TBOOT_LINE "logging=serial ap_wake_mwait=true min_ram=0x100000"
#define RULES(type) \
	"geolaunch-stage 1 policy=" type \
	" hypervisor=linux modules=hypervisor,initrd,vmm:0755,file:0644 " \
	"nv=0x01c10110,nv,22,any halt=reboot,0"

struct efi_txt efi_txt;

/* ---- the machine ---- */

static void fake_cpuid(uint32_t leaf, uint32_t out[4])
{
	efi_txt.cpuids++;
	if (leaf == 0)
		memcpy(out, (const uint32_t[4]){ 1, 0x756e6547, 0x6c65746e, 0x49656e69 }, 16);
	else
		memcpy(out, (const uint32_t[4]){ 0x506e3, 0, efi_txt.features, 0 }, 16);
}

static uint64_t fake_rdmsr(uint32_t msr)
{
	/* Where neither is there, this faults. */
	assert_true(efi_txt.features & 0x60);
	efi_txt.msrs_before_cpuid += efi_txt.cpuids < 2;
	return msr == 0x3a ? 0xff07 : 0;
}

static uint32_t fake_capabilities(void)
{
	assert_true(efi_txt.features & 0x40);
	return 0x1fd;
}

static uint64_t fake_txt(uint32_t offset, unsigned width)
{
	/* clang-format off */
	static const struct { uint32_t offset; uint64_t value; } rows[] = {
		{ 0x200, 0x9d003000 }, { 0x270, SINIT_BASE }, { 0x278, 0x10000 }, { 0x300, HEAP_BASE }, { 0x308, sizeof(efi_txt.heap) },
	};
	/* clang-format on */
	uint64_t v = 0;

	efi_txt.reads_before_didvid += efi_txt.reads == 0 && offset != 0x110;
	efi_txt.reads++;
	if (efi_txt.didvid == UINT64_MAX)
		return UINT64_MAX >> (64 - 8 * width);
	if (offset == 0x110)
		v = efi_txt.didvid;
	if (offset == 0x30)
		v = efi_txt.errorcode;
	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if (rows[i].offset == offset)
			v = rows[i].value;
	return v & UINT64_MAX >> (64 - 8 * width);
}

static struct span fake_memory(void *ctx, uint64_t base, size_t n)
{
	(void)ctx;
	if (base == HEAP_BASE)
		return (struct span){ efi_txt.heap, n };
	if (base == SINIT_BASE)
		return (struct span){ efi_txt.sinit, n };
	return (struct span){ (const uint8_t *)(uintptr_t)base, n };
}

static void fake_leave(void *block)
{
	efi_txt.left++;
	efi_txt.block = block;
	fw_leave(FW_STARTED);
}

/* clang-format off */
static const struct hardware fake_hardware = {
	.cpuid = fake_cpuid, .rdmsr = fake_rdmsr, .capabilities = fake_capabilities, .txt = fake_txt, .memory = fake_memory, .leave = fake_leave,
};
/* clang-format on */

static EFI_STATUS EFIAPI no_output(SIMPLE_TEXT_OUTPUT_INTERFACE *console, CHAR16 *text)
{
	(void)console;
	(void)text;
	fail_msg("a line is printed after ExitBootServices()");
	return EFI_DEVICE_ERROR;
}

/*
 * From the first try on, even if it fails, firmware may have shut down all but the memory map (UEFI 2.10, 7.4.6): whoever calls anything
 * else finds no function there.
 */
static void only_the_map_is_left(void)
{
	const EFI_BOOT_SERVICES was = fw.bs;

	memset(&fw.bs, 0, sizeof(fw.bs));
	fw.bs.Hdr = was.Hdr;
	fw.bs.GetMemoryMap = was.GetMemoryMap;
	fw.bs.ExitBootServices = was.ExitBootServices;
	fw.st.ConOut->OutputString = no_output;
}

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
	assert_ptr_equal(image, fw.application);
	assert_int_equal(key, fw.map_key);
	/* The firmware's TPM locality is its own again, and nobody has a file open. */
	assert_int_equal(scene.registers.active, 0);
	assert_int_equal(fw.open_files, 0);
	assert_true(efi_txt.exits < EFI_TXT_EXITS_MAX);
	only_the_map_is_left();
	if (EFI_ERROR(efi_txt.exit_status[efi_txt.exits]))
		efi_txt.changed = fw_low_change();
	return efi_txt.exit_status[efi_txt.exits++];
}

/* ---- files ---- */

static uint32_t tboot_at(void)
{
	return fw_low_base() + 0x400000;
}

/* Headers of a 32-bit ELF file with one segment. */
static void put_elf(struct wr *w, uint32_t entry, const uint32_t program[8])
{
	static const uint8_t ident[16] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };

	wr_bytes(w, SPAN_OF(ident));
	wr_le16(w, 2);
	wr_le16(w, 3);
	wr_le32(w, 1);
	wr_le32(w, entry);
	wr_le32(w, 52);
	wr_le64(w, 0);
	wr_le16(w, 52);
	wr_le16(w, 32);
	wr_le16(w, 1);
	wr_le16(w, 40);
	wr_le32(w, 0);
	for (size_t i = 0; i < 8; i++)
		wr_le32(w, program[i]);
}

static void make_stage(void)
{
	struct wr w = wr_init((struct mspan){ efi_txt.stage, sizeof(efi_txt.stage) });
	const uint32_t program[8] = { 1, 0x1000, 0x100000, 0x100000, sizeof(efi_txt.stage) - 0x1000, 0x8000, 7, 0x1000 };

	memset(efi_txt.stage, 0x57, sizeof(efi_txt.stage));
	put_elf(&w, 0x100000, program);
}

static void make_tboot(void)
{
	struct wr w = wr_init((struct mspan){ efi_txt.tboot, sizeof(efi_txt.tboot) });
	const uint32_t program[8] = { 1, 0x1000, tboot_at(), tboot_at(), 0x4000, 0x9000, 7, 0x1000 };

	memset(efi_txt.tboot, 0x5b, sizeof(efi_txt.tboot));
	put_elf(&w, tboot_at() + 0x10, program);
	w.off = 0x1000;
	wr_le32(&w, MB2_HEADER_MAGIC);
	wr_le32(&w, 0);
	wr_le32(&w, 24);
	wr_le32(&w, 0u - MB2_HEADER_MAGIC - 24);
	wr_le32(&w, 0);
	wr_le32(&w, 8);
}

void efi_txt_sinit(uint16_t device)
{
	const struct acm_chipset chipset = { .vendor_id = ACM_VENDOR_INTEL, .device_id = device, .revision_id = 1 };
	static const struct acm_processor any;
	struct acm_recipe r = acm_recipe_sinit(1);

	r.chipsets = &chipset;
	r.chipset_count = 1;
	r.processors = &any;
	r.processor_count = 1;
	assert_int_equal(r.size, sizeof(efi_txt.sinit));
	assert_int_equal(acm_make(&r, (struct mspan){ efi_txt.sinit, sizeof(efi_txt.sinit) }), ACM_OK);
}

static void make_policy(uint8_t type)
{
	/* clang-format off */
	struct vlp v = { .version = VLP_VERSION, .type = type, .hash_alg = alg_table[ALG_SHA256].tpm_id, .control = 1, .entry_count = 2, .entries = {
		{ .module = VLP_MODULE_ANY, .pcr = 19 }, { .module = VLP_MODULE_NV, .pcr = 22, .nv_index = SCENE_GEO } } };
	/* clang-format on */

	assert_int_equal(vlp_encode(&v, (struct mspan){ efi_txt.policy, sizeof(efi_txt.policy) }, &efi_txt.policy_n), VLP_OK);
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s = (uint8_t)(s + *p++);
	return s;
}

static void make_acpi(void)
{
	static const EFI_GUID guid = ACPI_20_TABLE_GUID;
	struct wr w;

	memset(efi_txt.dmar, 0, sizeof(efi_txt.dmar));
	memcpy(efi_txt.dmar, "DMAR", 4);
	efi_txt.dmar[4] = sizeof(efi_txt.dmar);
	efi_txt.dmar[9] = (uint8_t)-sum(efi_txt.dmar, sizeof(efi_txt.dmar));
	memset(efi_txt.xsdt, 0, sizeof(efi_txt.xsdt));
	memcpy(efi_txt.xsdt, "XSDT", 4);
	efi_txt.xsdt[4] = sizeof(efi_txt.xsdt);
	w = wr_init((struct mspan){ efi_txt.xsdt + 36, 8 });
	wr_le64(&w, (uintptr_t)efi_txt.dmar);
	efi_txt.xsdt[9] = (uint8_t)-sum(efi_txt.xsdt, sizeof(efi_txt.xsdt));
	memset(efi_txt.rsdp, 0, sizeof(efi_txt.rsdp));
	memcpy(efi_txt.rsdp, "RSD PTR ", 8);
	efi_txt.rsdp[15] = 2;
	efi_txt.rsdp[8] = (uint8_t)-sum(efi_txt.rsdp, 20);
	efi_txt.rsdp[20] = sizeof(efi_txt.rsdp);
	w = wr_init((struct mspan){ efi_txt.rsdp + 24, 8 });
	wr_le64(&w, (uintptr_t)efi_txt.xsdt);
	efi_txt.rsdp[32] = (uint8_t)-sum(efi_txt.rsdp, sizeof(efi_txt.rsdp));
	fw.tables[fw.st.NumberOfTableEntries++] = (EFI_CONFIGURATION_TABLE){ .VendorGuid = guid, .VendorTable = efi_txt.rsdp };
	fw.st.ConfigurationTable = fw.tables;
}

/* A host on which a launch in txt mode works. */
void efi_txt_good(uint8_t type)
{
	static const char *const rules[] = { RULES("nonfatal"), RULES("continue"), RULES("halt") };
	static const uint8_t code[] = { 0xfa, 0xf4 };
	struct heap_bios bios = { .version = 5, .processors = 1 };
	size_t n;

	scene_init(&(struct scene_options){ .type = type, .banks = ALG_BIT(ALG_SHA256), .hash = ALG_SHA256 });
	memset(&efi_txt, 0, sizeof(efi_txt));
	efi_txt.features = 0x60;
	efi_txt.didvid = UINT64_C(0x1b0018086);
	make_stage();
	make_tboot();
	efi_txt_sinit(0xb001);
	make_policy(type);
	make_acpi();
	assert_true(heap_bios_encode(&bios, (struct mspan){ efi_txt.heap, sizeof(efi_txt.heap) }, &n));
	n = (size_t)snprintf(efi_txt.conf, sizeof(efi_txt.conf),
		"geolaunch 1\nmode txt\npolicy policy.vlp\non-halt return\nhalt-delay 0\nmodule tboot\nfile tboot\ncmdline " TBOOT_LINE
		"\nmodule sinit\nfile sinit\nmodule stage\nfile stage\ncmdline %s\nmodule hypervisor\nfile linux\ncmdline " EFI_TXT_CMDLINE
		"\nmodule initrd\nfile initrd\nmodule vmm\nfile vmm\npath /usr/bin/vmm\nmode 0755\nmodule file\nfile file-0\n"
		"path /etc/vm/vm.json\nmode 0644\nend\n",
		rules[type]);
	fw_find_file(SCENE_FOLDER "launch.conf")->bytes = (struct span){ (const uint8_t *)efi_txt.conf, n };
	fw_find_file(SCENE_FOLDER "policy.vlp")->bytes = (struct span){ efi_txt.policy, efi_txt.policy_n };
	(void)fw_add_file(SCENE_FOLDER "tboot", SPAN_OF(efi_txt.tboot));
	(void)fw_add_file(SCENE_FOLDER "sinit", SPAN_OF(efi_txt.sinit));
	(void)fw_add_file(SCENE_FOLDER "stage", SPAN_OF(efi_txt.stage));
	(void)soft_tpm_define(&scene.tpm, 0x01c10131, (struct span){ efi_txt.policy, efi_txt.policy_n });
	scene.env.hardware = &fake_hardware;
	scene.env.handoff_code = SPAN_OF(code);
	fw.bs.ExitBootServices = exit_boot_services;
}

bool efi_txt_says(const char *text)
{
	return fw_console_count(text) > 0;
}

static uint32_t word(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, 4 });

	return rd_le32(&r);
}

/* What the last block would do, done: tboot's memory, and the information that it gets. */
static struct mb2_info enter(void)
{
	const uint8_t *info = (const uint8_t *)(uintptr_t)word(efi_txt.block + HANDOFF_INFO);
	struct mb2_info out;

	assert_int_equal(word(efi_txt.block + HANDOFF_MAGIC), MB2_MAGIC);
	assert_int_equal(word(efi_txt.block + HANDOFF_ENTRY), tboot_at() + 0x10);
	for (uint32_t i = 0; i < word(efi_txt.block + HANDOFF_COUNT); i++) {
		const uint8_t *c = efi_txt.block + HANDOFF_COPIES + i * HANDOFF_COPY_SIZE;
		uint8_t *to = (uint8_t *)(uintptr_t)word(c);

		memcpy(to, (const void *)(uintptr_t)word(c + 4), word(c + 8));
		memset(to + word(c + 8), 0, word(c + 12));
	}
	assert_memory_equal((const void *)(uintptr_t)tboot_at(), efi_txt.tboot + 0x1000, 0x4000);
	for (size_t i = 0x4000; i < 0x9000; i++)
		assert_int_equal(((const uint8_t *)(uintptr_t)tboot_at())[i], 0);
	assert_int_equal(mb2_info_open((struct span){ info, word(info) }, &out), MB2_INFO_OK);
	return out;
}

/* The map that tboot gets is the one that the firmware had at the end. */
static void expect_changed_page(const struct mb2_tag *tag)
{
	struct mb2_efi_mmap map;
	EFI_MEMORY_DESCRIPTOR d;
	unsigned found = 0;

	assert_true(mb2_get_efi_mmap(tag, &map));
	for (size_t at = 0; at + map.descriptor_size <= map.map.n; at += map.descriptor_size) {
		memcpy(&d, map.map.p + at, sizeof(d));
		if (efi_txt.changed >= d.PhysicalStart && efi_txt.changed - d.PhysicalStart < d.NumberOfPages * 4096)
			found += d.Type == EfiRuntimeServicesData;
	}
	assert_int_equal(found, efi_txt.changed != 0);
}

void efi_txt_expect_started(void)
{
	static const char *const lines[] = { NULL, EFI_TXT_CMDLINE, "", "/usr/bin/vmm", "/etc/vm/vm.json", "" };
	const struct span bytes[] = { SPAN_OF(efi_txt.stage), scene.modules[SCENE_LINUX].bytes, scene.modules[SCENE_INITRD].bytes,
		scene.modules[SCENE_VMM].bytes, scene.modules[SCENE_FILE].bytes, SPAN_OF(efi_txt.sinit) };
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag tag;
	struct mb2_module m;
	struct span s;
	size_t n = 0;

	if (fw.ended != FW_STARTED || efi_txt.left != 1)
		fail_msg("tboot was not started:\n%s", fw.console);
	info = enter();
	assert_true(mb2_find(&info, MB2_CMDLINE, &tag) && mb2_get_text(&tag, &s) && span_is_str(s, TBOOT_LINE));
	while (mb2_next(&it, &tag)) {
		if (tag.type != MB2_MODULE)
			continue;
		assert_true(n < GL_COUNT(bytes) && mb2_get_module(&tag, &m));
		assert_int_equal(m.start % 4096, 0);
		assert_int_equal(m.end - m.start, bytes[n].n);
		assert_memory_equal((const void *)(uintptr_t)m.start, bytes[n].p, bytes[n].n);
		if (lines[n])
			assert_true(span_is_str(m.string, lines[n]));
		else
			assert_true(m.string.n > 20 && memcmp(m.string.p, "geolaunch-stage 1 ", 18) == 0);
		n++;
	}
	assert_int_equal(n, GL_COUNT(bytes));
	assert_true(mb2_find(&info, MB2_ACPI_NEW, &tag) && span_equal(tag.content, SPAN_OF(efi_txt.rsdp)));
	assert_true(mb2_find(&info, MB2_MMAP, &tag) && mb2_find(&info, MB2_EFI64, &tag));
	assert_true(mb2_find(&info, MB2_EFI_MMAP, &tag));
	expect_changed_page(&tag);
	/* Nothing was measured: SENTER would have wiped it. */
	assert_int_equal(scene_commands(0x182), 0);
	assert_false(efi_txt_says("FAILED"));
}

/* Not started; every page, file and the TPM locality are the firmware's again. */
void efi_txt_expect_halted(void)
{
	assert_int_equal(efi_txt.left, 0);
	scene_expect_halted("preflight");
	scene_expect_cut("", 0, "caps:preflight");
	fw_assert_nothing_left();
}
