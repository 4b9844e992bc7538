/* SPDX-License-Identifier: BSD-3-Clause */
/* app_run() in txt mode: from the firmware to the jump to tboot, and every way not to get there. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "boot/multiboot2_header.h"
#include "boot/multiboot2_info.h"
#include "common/cursor.h"
#include "common/description.h"
#include "common/hash.h"
#include "efi/core/handoff.h"
#include "lcp/acm_make.h"
#include "lcp/data.h"
#include "tboot-policy/vlp.h"
#include "txt/heap.h"

#define HEAP_BASE 0xc8000000u
#define SINIT_BASE 0xc8200000u
#define TBOOT_LINE "logging=serial ap_wake_mwait=true min_ram=0x100000"
#define RULES(type) \
	"geolaunch-stage 1 policy=" type \
	" hypervisor=linux modules=hypervisor,initrd,vmm:0755,file:0644 " \
	"nv=0x01c10110,nv,22,any halt=reboot,0"
#define CMDLINE "console=ttyS0 root=/dev/vda1"
#define EXITS_MAX 8

static struct {
	char conf[4096];
	uint8_t policy[512], heap[4096], sinit[0x10000], stage[5000], tboot[0x5000], rsdp[36], xsdt[44], dmar[48];
	size_t policy_n;
	uint32_t features;
	uint64_t didvid;
	uint32_t errorcode;
	EFI_STATUS exit_status[EXITS_MAX];
	unsigned exits, left;
	uint8_t *block;
	unsigned msrs_before_cpuid, cpuids, reads_before_didvid, reads;
} t;

/* ---- the machine ---- */

static void fake_cpuid(uint32_t leaf, uint32_t out[4])
{
	t.cpuids++;
	if (leaf == 0)
		memcpy(out, (const uint32_t[4]){ 1, 0x756e6547, 0x6c65746e, 0x49656e69 }, 16);
	else
		memcpy(out, (const uint32_t[4]){ 0x506e3, 0, t.features, 0 }, 16);
}

static uint64_t fake_rdmsr(uint32_t msr)
{
	/* Where neither is there, this faults. */
	assert_true(t.features & 0x60);
	t.msrs_before_cpuid += t.cpuids < 2;
	return msr == 0x3a ? 0xff07 : 0;
}

static uint32_t fake_capabilities(void)
{
	assert_true(t.features & 0x40);
	return 0x1fd;
}

static uint64_t fake_txt(uint32_t offset, unsigned width)
{
	/* clang-format off */
	static const struct { uint32_t offset; uint64_t value; } rows[] = {
		{ 0x200, 0x9d003000 }, { 0x270, SINIT_BASE }, { 0x278, 0x10000 }, { 0x300, HEAP_BASE }, { 0x308, sizeof(t.heap) },
	};
	/* clang-format on */
	uint64_t v = 0;

	t.reads_before_didvid += t.reads == 0 && offset != 0x110;
	t.reads++;
	if (t.didvid == UINT64_MAX)
		return UINT64_MAX >> (64 - 8 * width);
	if (offset == 0x110)
		v = t.didvid;
	if (offset == 0x30)
		v = t.errorcode;
	for (size_t i = 0; i < GL_COUNT(rows); i++)
		if (rows[i].offset == offset)
			v = rows[i].value;
	return v & UINT64_MAX >> (64 - 8 * width);
}

static struct span fake_memory(void *ctx, uint64_t base, size_t n)
{
	(void)ctx;
	if (base == HEAP_BASE)
		return (struct span){ t.heap, n };
	if (base == SINIT_BASE)
		return (struct span){ t.sinit, n };
	return (struct span){ (const uint8_t *)(uintptr_t)base, n };
}

static void fake_leave(void *block)
{
	t.left++;
	t.block = block;
	fw_leave(FW_STARTED);
}

/* clang-format off */
static const struct hardware fake_hardware = {
	.cpuid = fake_cpuid, .rdmsr = fake_rdmsr, .capabilities = fake_capabilities, .txt = fake_txt, .memory = fake_memory, .leave = fake_leave,
};
/* clang-format on */

static EFI_STATUS EFIAPI exit_boot_services(EFI_HANDLE image, UINTN key)
{
	assert_ptr_equal(image, fw.application);
	assert_int_equal(key, 4711);
	/* The firmware's TPM locality is its own again, and nobody has a file open. */
	assert_int_equal(scene.registers.active, 0);
	assert_int_equal(fw.open_files, 0);
	assert_true(t.exits < EXITS_MAX);
	return t.exit_status[t.exits++];
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
	struct wr w = wr_init((struct mspan){ t.stage, sizeof(t.stage) });
	const uint32_t program[8] = { 1, 0x1000, 0x100000, 0x100000, sizeof(t.stage) - 0x1000, 0x8000, 7, 0x1000 };

	memset(t.stage, 0x57, sizeof(t.stage));
	put_elf(&w, 0x100000, program);
}

static void make_tboot(void)
{
	struct wr w = wr_init((struct mspan){ t.tboot, sizeof(t.tboot) });
	const uint32_t program[8] = { 1, 0x1000, tboot_at(), tboot_at(), 0x4000, 0x9000, 7, 0x1000 };

	memset(t.tboot, 0x5b, sizeof(t.tboot));
	put_elf(&w, tboot_at() + 0x10, program);
	w.off = 0x1000;
	wr_le32(&w, MB2_HEADER_MAGIC);
	wr_le32(&w, 0);
	wr_le32(&w, 24);
	wr_le32(&w, 0u - MB2_HEADER_MAGIC - 24);
	wr_le32(&w, 0);
	wr_le32(&w, 8);
}

static void make_sinit(uint16_t device)
{
	const struct acm_chipset chipset = { .vendor_id = ACM_VENDOR_INTEL, .device_id = device, .revision_id = 1 };
	static const struct acm_processor any;
	struct acm_recipe r = acm_recipe_sinit(1);

	r.chipsets = &chipset;
	r.chipset_count = 1;
	r.processors = &any;
	r.processor_count = 1;
	assert_int_equal(r.size, sizeof(t.sinit));
	assert_int_equal(acm_make(&r, (struct mspan){ t.sinit, sizeof(t.sinit) }), ACM_OK);
}

static void make_policy(uint8_t type)
{
	/* clang-format off */
	struct vlp v = { .version = VLP_VERSION, .type = type, .hash_alg = alg_table[ALG_SHA256].tpm_id, .control = 1, .entry_count = 2, .entries = {
		{ .module = VLP_MODULE_ANY, .pcr = 19 }, { .module = VLP_MODULE_NV, .pcr = 22, .nv_index = SCENE_GEO } } };

	assert_int_equal(vlp_encode(&v, (struct mspan){ t.policy, sizeof(t.policy) }, &t.policy_n), VLP_OK);
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

	memset(t.dmar, 0, sizeof(t.dmar));
	memcpy(t.dmar, "DMAR", 4);
	t.dmar[4] = sizeof(t.dmar);
	t.dmar[9] = (uint8_t)-sum(t.dmar, sizeof(t.dmar));
	memset(t.xsdt, 0, sizeof(t.xsdt));
	memcpy(t.xsdt, "XSDT", 4);
	t.xsdt[4] = sizeof(t.xsdt);
	w = wr_init((struct mspan){ t.xsdt + 36, 8 });
	wr_le64(&w, (uintptr_t)t.dmar);
	t.xsdt[9] = (uint8_t)-sum(t.xsdt, sizeof(t.xsdt));
	memset(t.rsdp, 0, sizeof(t.rsdp));
	memcpy(t.rsdp, "RSD PTR ", 8);
	t.rsdp[15] = 2;
	t.rsdp[8] = (uint8_t)-sum(t.rsdp, 20);
	t.rsdp[20] = sizeof(t.rsdp);
	w = wr_init((struct mspan){ t.rsdp + 24, 8 });
	wr_le64(&w, (uintptr_t)t.xsdt);
	t.rsdp[32] = (uint8_t)-sum(t.rsdp, sizeof(t.rsdp));
	fw.tables[fw.st.NumberOfTableEntries++] = (EFI_CONFIGURATION_TABLE){ .VendorGuid = guid, .VendorTable = t.rsdp };
	fw.st.ConfigurationTable = fw.tables;
}

/* A host on which a launch in txt mode works. */
static void good(uint8_t type)
{
	static const char *const rules[] = { RULES("nonfatal"), RULES("continue"), RULES("halt") };
	static const uint8_t code[] = { 0xfa, 0xf4 };
	struct heap_bios bios = { .version = 5, .processors = 1 };
	size_t n;

	scene_init(&(struct scene_options){ .type = type, .banks = ALG_BIT(ALG_SHA256), .hash = ALG_SHA256 });
	memset(&t, 0, sizeof(t));
	t.features = 0x60;
	t.didvid = UINT64_C(0x1b0018086);
	make_stage();
	make_tboot();
	make_sinit(0xb001);
	make_policy(type);
	make_acpi();
	assert_true(heap_bios_encode(&bios, (struct mspan){ t.heap, sizeof(t.heap) }, &n));
	n = (size_t)snprintf(t.conf, sizeof(t.conf),
		"geolaunch 1\nmode txt\npolicy policy.vlp\non-halt return\nhalt-delay 0\nmodule tboot\nfile tboot\ncmdline " TBOOT_LINE
		"\nmodule sinit\nfile sinit\nmodule stage\nfile stage\ncmdline %s\nmodule hypervisor\nfile linux\ncmdline " CMDLINE
		"\nmodule initrd\nfile initrd\nmodule vmm\nfile vmm\npath /usr/bin/vmm\nmode 0755\nmodule file\nfile file-0\n"
		"path /etc/vm/vm.json\nmode 0644\nend\n", rules[type]);
	fw_find_file(SCENE_FOLDER "launch.conf")->bytes = (struct span){ (const uint8_t *)t.conf, n };
	fw_find_file(SCENE_FOLDER "policy.vlp")->bytes = (struct span){ t.policy, t.policy_n };
	(void)fw_add_file(SCENE_FOLDER "tboot", SPAN_OF(t.tboot));
	(void)fw_add_file(SCENE_FOLDER "sinit", SPAN_OF(t.sinit));
	(void)fw_add_file(SCENE_FOLDER "stage", SPAN_OF(t.stage));
	(void)soft_tpm_define(&scene.tpm, 0x01c10131, (struct span){ t.policy, t.policy_n });
	scene.env.hardware = &fake_hardware;
	scene.env.handoff_code = SPAN_OF(code);
	fw.bs.ExitBootServices = exit_boot_services;
}

static bool says(const char *text)
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
	const uint8_t *info = (const uint8_t *)(uintptr_t)word(t.block + HANDOFF_INFO);
	struct mb2_info out;

	assert_int_equal(word(t.block + HANDOFF_MAGIC), MB2_MAGIC);
	assert_int_equal(word(t.block + HANDOFF_ENTRY), tboot_at() + 0x10);
	for (uint32_t i = 0; i < word(t.block + HANDOFF_COUNT); i++) {
		const uint8_t *c = t.block + HANDOFF_COPIES + i * HANDOFF_COPY_SIZE;
		uint8_t *to = (uint8_t *)(uintptr_t)word(c);

		memcpy(to, (const void *)(uintptr_t)word(c + 4), word(c + 8));
		memset(to + word(c + 8), 0, word(c + 12));
	}
	/* clang-format on */
	assert_memory_equal((const void *)(uintptr_t)tboot_at(), t.tboot + 0x1000, 0x4000);
	for (size_t i = 0x4000; i < 0x9000; i++)
		assert_int_equal(((const uint8_t *)(uintptr_t)tboot_at())[i], 0);
	assert_int_equal(mb2_info_open((struct span){ info, word(info) }, &out), MB2_INFO_OK);
	return out;
}

static void expect_started(void)
{
	static const char *const lines[] = { NULL, CMDLINE, "", "/usr/bin/vmm", "/etc/vm/vm.json", "" };
	const struct span bytes[] = { SPAN_OF(t.stage), scene.modules[SCENE_LINUX].bytes, scene.modules[SCENE_INITRD].bytes,
		scene.modules[SCENE_VMM].bytes, scene.modules[SCENE_FILE].bytes, SPAN_OF(t.sinit) };
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag tag;
	struct mb2_module m;
	struct span s;
	size_t n = 0;

	if (fw.ended != FW_STARTED || t.left != 1)
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
	assert_true(mb2_find(&info, MB2_ACPI_NEW, &tag) && span_equal(tag.content, SPAN_OF(t.rsdp)));
	assert_true(mb2_find(&info, MB2_EFI_MMAP, &tag) && mb2_find(&info, MB2_MMAP, &tag) && mb2_find(&info, MB2_EFI64, &tag));
	/* Nothing was measured: SENTER would have wiped it. */
	assert_int_equal(scene_commands(0x182), 0);
	assert_false(says("FAILED"));
}

/* Not started; every page, file and the TPM locality are the firmware's again. */
static void expect_halted(void)
{
	assert_int_equal(t.left, 0);
	scene_expect_halted("preflight");
	scene_expect_cut("", 0, "caps:preflight");
	fw_assert_nothing_left();
}

/* ---- tests ---- */

static void test_good(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		good(type);
		(void)scene_run_unchecked();
		expect_started();
		assert_int_equal(t.exits, 1);
		assert_true(says("geolaunch: pre-flight passed; SINIT of "));
		/* Promised to the emulated platform, which finds us by it. */
		assert_int_equal(t.reads_before_didvid, 0);
		assert_int_equal(t.msrs_before_cpuid, 0);
	}
}

/* The map changed meanwhile: it is asked for again. */
static void test_exit_again(void **state)
{
	(void)state;
	good(VLP_HALT);
	t.exit_status[0] = t.exit_status[1] = EFI_INVALID_PARAMETER;
	(void)scene_run_unchecked();
	expect_started();
	assert_int_equal(t.exits, 3);
}

/* The firmware does not let us go: after the first try nothing of it may be used any more. */
static void test_no_exit(void **state)
{
	size_t console;

	(void)state;
	good(VLP_HALT);
	for (size_t i = 0; i < EXITS_MAX; i++)
		t.exit_status[i] = EFI_INVALID_PARAMETER;
	(void)scene_run_unchecked();
	console = fw.console_n;
	assert_int_equal(fw.ended, FW_RESET);
	assert_int_equal(t.left, 0);
	assert_int_equal(t.exits, 4);
	assert_int_equal(fw.console_n, console);
}

static void test_findings(void **state)
{
	(void)state;
	good(VLP_HALT);
	t.didvid = UINT64_MAX;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight chipset: "));
	expect_halted();
	good(VLP_HALT);
	t.features = 0;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight cpu-smx: "));
	expect_halted();
	good(VLP_HALT);
	t.dmar[0] = 'X';
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight vtd: "));
	expect_halted();
	good(VLP_HALT);
	make_sinit(0xb002);
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight sinit-match: "));
	expect_halted();
	good(VLP_HALT);
	scene.tpm.nv[0].index++;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight geo-missing: "));
	expect_halted();
	good(VLP_HALT);
	t.tboot[0x1000] ^= 1;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight tboot-image: "));
	expect_halted();
	/* No policy type lets tboot jump into a stage that it cannot load. */
	good(VLP_HALT);
	t.stage[52 + 16]++;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight stage-image: "));
	expect_halted();
	/* The firmware keeps a page where tboot goes, for good. */
	good(VLP_HALT);
	fw_low_reserve(0, FW_LOW_PAGES - 0x500);
	(void)scene_run_unchecked();
	assert_true(says("geolaunch: pre-flight memory"));
	assert_int_equal(t.left, 0);
}

/* A lax policy: the hypervisor is started by itself, and the PCRs say that nothing was launched. */
static void test_unmeasured(void **state)
{
	(void)state;
	good(VLP_NONFATAL);
	make_sinit(0xb002);
	(void)scene_run_unchecked();
	assert_int_equal(t.left, 0);
	assert_int_equal(fw.ended, FW_STARTED);
	assert_int_equal(fw.starts, 1);
	assert_true(says("geolaunch: NOT MEASURED: ") && says("geolaunch: verdict: NOT MEASURED"));
	scene_expect_cut("", 0, "caps:preflight");
	scene_expect_started(SCENE_ALL);
}

/* The TPM fails at each command: a host without a launch is started with all caps or not at all, and a launch only when all was seen. */
static void test_tpm_fails(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++)
		for (int fits = 0; fits < 2; fits++) {
			unsigned total = 1;

			for (unsigned at = 0; at <= total; at++) {
				good(type);
				if (!fits)
					make_sinit(0xb002);
				scene.tpm.fail_at = at;
				scene.tpm.fail_count = at ? 1 : 0;
				scene.tpm.fail_rc = 0x101;
				(void)scene_run_unchecked();
				if (at == 0)
					total = scene.tpm.commands;
				if (t.left)
					expect_started();
				else if (fw.ended == FW_STARTED && scene.tpm.commands > 0 && !says("PCR 17-22 keep the values"))
					scene_expect_cut("", 0, "caps:preflight");
				else if (fw.ended != FW_STARTED)
					assert_true(says("geolaunch: halted: "));
				if (type == VLP_HALT && !fits)
					assert_true(fw.ended != FW_STARTED);
			}
		}
}

/* Files that fail, each in its own way, and at each place. */
static void test_files(void **state)
{
	static const char *const names[] = { "tboot", "stage", "linux", "initrd", "vmm", "file-0" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(names); i++)
		for (unsigned how = 0; how < 3; how++) {
			char path[64];
			struct fw_file *f;

			good(VLP_HALT);
			(void)snprintf(path, sizeof(path), SCENE_FOLDER "%s", names[i]);
			f = fw_find_file(path);
			if (how == 0)
				f->open_status = EFI_NOT_FOUND;
			else if (how == 1)
				f->error_at = f->bytes.n / 2;
			else
				f->end_at = f->bytes.n - 1;
			(void)scene_run();
			assert_true(says("geolaunch: pre-flight module-file: "));
			expect_halted();
		}
}

/* No memory, at each request: no launch, nothing left, or a launch that is as it should be. */
static void test_memory(void **state)
{
	unsigned total;

	(void)state;
	good(VLP_HALT);
	(void)scene_run_unchecked();
	total = fw.allocations;
	assert_true(total > 8);
	for (unsigned at = 1; at <= total; at++) {
		good(VLP_HALT);
		fw.fail_allocation = at;
		(void)scene_run_unchecked();
		if (t.left) {
			expect_started();
			continue;
		}
		assert_true(fw.ended != FW_STARTED && says("geolaunch: halted: "));
		if (fw.ended == FW_RETURNED)
			fw_assert_nothing_left();
	}
}

/* Pages that somebody takes between the plan and us. */
static void test_map_fails(void **state)
{
	(void)state;
	good(VLP_HALT);
	fw.map_status = EFI_INVALID_PARAMETER;
	(void)scene_run();
	assert_true(says("geolaunch: pre-flight memory: "));
	expect_halted();
}

/* ---- Secure Boot: tboot and what it starts are pinned, or not started ---- */

/* A policy that names each module by its digest. */
static void pin(uint8_t type)
{
	static uint8_t digests[5][32];
	struct vlp v = { .version = VLP_VERSION,
		.type = type,
		.hash_alg = alg_table[ALG_SHA256].tpm_id,
		.control = 1,
		.entry_count = GL_COUNT(digests) + 1 };
	const char *rules = strstr(t.conf, "geolaunch-stage 1");

	v.entries[GL_COUNT(digests)] = (struct vlp_entry){ .module = VLP_MODULE_NV, .pcr = 22, .nv_index = SCENE_GEO };
	for (unsigned i = 0; i < GL_COUNT(digests); i++) {
		const struct scene_module *m = &scene.modules[i];

		oracle_module_digest(ALG_SHA256,
			i ? i == SCENE_VMM         ? SPAN_LITERAL("/usr/bin/vmm")
		                : i == SCENE_LINUX ? SPAN_LITERAL(CMDLINE)
		                                   : m->cmdline
			  : (struct span){ (const uint8_t *)rules, (size_t)(strchr(rules, '\n') - rules) },
			i ? m->bytes : SPAN_OF(t.stage), digests[i]);
		v.entries[i] = (struct vlp_entry){ .module = (uint8_t)i,
			.pcr = i ? 19 : VLP_PCR_NONE,
			.hash_type = VLP_HASH_IMAGE,
			.hash_count = 1,
			.hashes = SPAN_OF(digests[i]) };
	}
	assert_int_equal(vlp_encode(&v, (struct mspan){ t.policy, sizeof(t.policy) }, &t.policy_n), VLP_OK);
	(void)soft_tpm_define(&scene.tpm, 0x01c10131, (struct span){ t.policy, t.policy_n });
}

/* What a signed description names by its digest: tboot, the SINIT module, launch control data. */
enum { NAMED_TBOOT, NAMED_SINIT, NAMED_LCP, NAMED };
struct named {
	char lines[NAMED][80]; /* "sha256 ...\n", or empty */
};

static void name_one(struct named *names, unsigned which, struct span file)
{
	struct text line = TEXT_OF(names->lines[which]);
	struct digests d;

	hash_span(ALG_BIT(ALG_SHA256), file, &d);
	text_str(&line, "sha256 ");
	text_bytes(&line, digest_span(&d, ALG_SHA256));
	text_char(&line, '\n');
}

/* All of it in geolaunch.efi. */
static void embed(const struct named *names)
{
	static char conf[sizeof(t.conf) + sizeof(*names)];
	const char *sinit = strstr(t.conf, "module sinit"), *stage = strstr(t.conf, "module stage");
	int n = snprintf(conf, sizeof(conf), "%.*s%smodule sinit\nfile sinit\n%smodule lcp\nfile lcp\n%s%s", (int)(sinit - t.conf), t.conf,
		names->lines[NAMED_TBOOT], names->lines[NAMED_SINIT], names->lines[NAMED_LCP], stage);

	sample_pe_application((struct span){ (const uint8_t *)conf, (size_t)n }, (struct span){ t.policy, t.policy_n },
		(struct mspan){ fw.application_memory, SAMPLE_PE_MEMORY });
}

static void test_secure_boot(void **state)
{
	static CHAR16 name[] = u"SecureBoot";
	static const struct {
		const char *what, *says; /* NULL: it starts */
	} rows[] = {
		{ "good", NULL },
		{ "any", "geolaunch: pre-flight secure-boot: " },
		{ "no digest", "(tboot, file tboot)" },
		{ "no sinit", "(sinit, file sinit)" },
		{ "no lcp", "(lcp, file lcp)" },
		{ "digest", "geolaunch: pre-flight tboot-differs: " },
		{ "sinit", "geolaunch: pre-flight file-differs: " },
		{ "lcp", "geolaunch: pre-flight file-differs: " },
		{ "stage", "geolaunch: pre-flight secure-boot: " },
		{ "linux", "(hypervisor, file linux)" },
		{ "initrd", NULL }, /* no program of its own: that the policy decides */
		{ "off", NULL },
		{ "off, digest", "geolaunch: pre-flight tboot-differs: " },
		{ "off, lcp", "geolaunch: pre-flight file-differs: " },
	};
	EFI_GUID guid = EFI_GLOBAL_VARIABLE;
	static uint8_t other[64], lcp[4096];

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const char *what = rows[i].what;
		struct named names = { { "" } };
		UINT8 on = strncmp(what, "off", 3) != 0;

		good(VLP_NONFATAL);
		memset(lcp, 0, sizeof(lcp));
		memcpy(lcp, LCP_DATA_SIGNATURE, 32);
		(void)fw_add_file(SCENE_FOLDER "lcp", SPAN_OF(lcp));
		assert_int_equal(fw.rs.SetVariable(name, &guid, 6, 1, &on), EFI_SUCCESS);
		if (strcmp(what, "off") != 0) {
			name_one(&names, NAMED_TBOOT, SPAN_OF(t.tboot));
			name_one(&names, NAMED_SINIT, SPAN_OF(t.sinit));
			name_one(&names, NAMED_LCP, SPAN_OF(lcp));
		}
		if (strstr(what, "no "))
			names.lines[!strcmp(what, "no digest") ? NAMED_TBOOT : !strcmp(what, "no sinit") ? NAMED_SINIT : NAMED_LCP][0] = 0;
		else if (strstr(what, "digest"))
			names.lines[NAMED_TBOOT][70] ^= 1;
		if (strcmp(what, "any") != 0 && strcmp(what, "off") != 0)
			pin(VLP_NONFATAL);
		embed(&names);
		/* No rule of geolaunch.efi's looks at these bytes. */
		if (!strcmp(what, "sinit"))
			t.sinit[sizeof(t.sinit) - 1] ^= 1;
		if (strstr(what, "lcp") && !strstr(what, "no "))
			lcp[sizeof(lcp) - 1] ^= 1;
		if (!strcmp(what, "stage"))
			t.stage[7] ^= 1;
		if (!strcmp(what, "linux"))
			fw_find_file(SCENE_FOLDER "linux")->bytes = SPAN_OF(other);
		if (!strcmp(what, "initrd"))
			fw_find_file(SCENE_FOLDER "initrd")->bytes = SPAN_OF(other);
		(void)scene_run_unchecked();
		if (!rows[i].says ? t.left != 1 : t.left || fw.starts || !says(rows[i].says))
			fail_msg("%s:\n%s", what, fw.console);
		if (rows[i].says)
			expect_halted();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_exit_again),
		cmocka_unit_test(test_no_exit),
		cmocka_unit_test(test_findings),
		cmocka_unit_test(test_unmeasured),
		cmocka_unit_test(test_tpm_fails),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_map_fails),
		cmocka_unit_test(test_secure_boot),
	};

	return cmocka_run_group_tests_name("efi_txt", tests, NULL, NULL);
}
