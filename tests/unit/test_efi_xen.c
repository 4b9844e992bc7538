/* SPDX-License-Identifier: BSD-3-Clause */
/* Xen in direct mode: what it finds when it is entered, what is refused, and what is left when it comes back. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "boot/memory_map.h"
#include "efi/machine.h"
#include "efi/xen.h"
#include "tboot-policy/vlp.h"
#include "tests/unit/boot_samples.h"

#define KERNEL_CMDLINE "console=hvc0"
#define XEN_CMDLINE "loglvl=all dom0_mem=512M"

static uint8_t image[SAMPLE_XEN_SIZE], *kernel, *initrd;
static uint8_t rsdp[36] = "RSD PTR 12345678901";

/* What the entry saw. */
static struct {
	unsigned calls;
	uint64_t entry;
	uint32_t eax, ebx;
	enum { LEAVE, RETURN, EXIT, EXIT_OTHER } then;
	uint8_t info[8192];
	uint8_t memory[SAMPLE_XEN_MEMORY];
	EFI_EXIT firmware_exit;
} seen;

static void enter(uint64_t entry, uint32_t eax, uint32_t ebx)
{
	const uint8_t *info = (const uint8_t *)(uintptr_t)ebx;
	uint32_t n = mb2_info_size((struct span){ info, 8 });

	seen.calls++;
	seen.entry = entry;
	seen.eax = eax;
	seen.ebx = ebx;
	assert_true(n <= sizeof(seen.info));
	memcpy(seen.info, info, n);
	memcpy(seen.memory, (const uint8_t *)(uintptr_t)(entry - (SAMPLE_XEN_ENTRY_EFI64 - SAMPLE_XEN_LINK)), sizeof(seen.memory));
	if (seen.then == LEAVE)
		fw_leave(FW_STARTED);
	if (seen.then == EXIT_OTHER)
		(void)fw.bs.Exit((EFI_HANDLE)(uintptr_t)0x1234, EFI_SUCCESS, 0, NULL);
	if (seen.then == EXIT) {
		(void)fw.bs.Exit(fw.application, EFI_SUCCESS, 0, NULL);
		fail_msg("Exit() came back to Xen");
	}
}

static uint8_t *low_copy(const char *text, size_t n)
{
	EFI_PHYSICAL_ADDRESS where = UINT32_MAX;

	assert_int_equal(fw_low_allocate(AllocateMaxAddress, EfiLoaderData, (n + 4095) / 4096, &where), EFI_SUCCESS);
	memcpy((void *)(uintptr_t)where, text, n);
	return (uint8_t *)(uintptr_t)where;
}

static struct efi_env env;

static struct host setup(void)
{
	static const EFI_GUID acpi2 = ACPI_20_TABLE_GUID;

	fw_init();
	memset(&seen, 0, sizeof(seen));
	sample_xen(image);
	sample_put(rsdp, 20, sizeof(rsdp), 4);
	fw.st.NumberOfTableEntries = 1;
	fw.tables[0] = (EFI_CONFIGURATION_TABLE){ acpi2, rsdp };
	env = (struct efi_env){
		.image = fw.application, .st = &fw.st, .bs = &fw.bs, .ticks = fw_ticks, .ticks_per_ms = 1000, .enter = enter
	};
	seen.firmware_exit = fw.bs.Exit;
	kernel = low_copy("kernel", 6);
	initrd = low_copy("the initrd", 10);
	return (struct host){ .kind = HYPERVISOR_XEN,
		.image = SPAN_OF(image),
		.cmdline = SPAN_LITERAL(XEN_CMDLINE),
		.name = SPAN_LITERAL("xen"),
		.kernel = { kernel, 6 },
		.kernel_cmdline = SPAN_LITERAL(KERNEL_CMDLINE),
		.kernel_name = SPAN_LITERAL("kernel"),
		.initrd = { initrd, 10 } };
}

static EFI_STATUS start(void *h)
{
	return xen_start(&env, h);
}

/* The two pages of kernel and initrd are the caller's; all else must be gone. */
static void expect_nothing_left(void)
{
	assert_int_equal(fw_low_taken(), 2);
	assert_null(fw.memory);
	assert_ptr_equal(fw.bs.Exit, seen.firmware_exit);
}

static void expect_refused(struct host *h, const char *why)
{
	assert_int_equal(fw_run(start, h), FW_RETURNED);
	assert_true(EFI_ERROR(fw.status));
	assert_int_equal(seen.calls, 0);
	if (fw_console_count(why) != 1)
		fail_msg("'%s' is not in: %s", why, fw.console);
	assert_int_equal(fw_console_count("geolaunch: "), 1);
	expect_nothing_left();
}

static void expect_number(const struct mb2_info *info, uint32_t type, uint64_t expected)
{
	struct mb2_tag t;
	uint64_t v = 0;

	assert_true(mb2_find(info, type, &t));
	assert_true(mb2_get_number(&t, &v));
	assert_int_equal(v, expected);
}

static void expect_module(struct mb2_tags *it, struct span bytes, const char *string)
{
	struct mb2_module m;
	struct mb2_tag t;

	do {
		assert_true(mb2_next(it, &t));
	} while (t.type != MB2_MODULE);
	assert_true(mb2_get_module(&t, &m));
	assert_int_equal(m.start, (uintptr_t)bytes.p);
	assert_int_equal(m.end, (uintptr_t)bytes.p + bytes.n);
	assert_true(span_is_str(m.string, string));
}

static void test_start(void **state)
{
	struct host h = setup();
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag t;
	struct mb2_mmap map;
	struct span text;
	uint64_t base;

	(void)state;
	assert_int_equal(fw_run(start, &h), FW_STARTED);
	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.eax, MB2_MAGIC);
	assert_int_equal(seen.ebx % 8, 0);
	base = seen.entry - (SAMPLE_XEN_ENTRY_EFI64 - SAMPLE_XEN_LINK);
	assert_int_equal(base % 0x200000, 0);
	/* as high as it goes */
	assert_true(base + 0x400000 > fw_low_base() + (uint64_t)FW_LOW_PAGES * 4096);
	assert_memory_equal(seen.memory, image, sizeof(image));
	for (size_t i = sizeof(image); i < SAMPLE_XEN_MEMORY; i++)
		assert_int_equal(seen.memory[i], 0);

	assert_int_equal(mb2_info_open(SPAN_OF(seen.info), &info), MB2_INFO_OK);
	assert_true(mb2_find(&info, MB2_CMDLINE, &t) && mb2_get_text(&t, &text) && span_is_str(text, "xen " XEN_CMDLINE));
	assert_true(mb2_find(&info, MB2_LOADER_NAME, &t) && mb2_get_text(&t, &text) && span_is_str(text, "geolaunch " GEOLAUNCH_VERSION));
	expect_module(&it, h.kernel, "kernel " KERNEL_CMDLINE);
	expect_module(&it, h.initrd, "initrd");
	expect_number(&info, MB2_EFI64, (uintptr_t)&fw.st);
	expect_number(&info, MB2_EFI64_IMAGE, (uintptr_t)fw.application);
	expect_number(&info, MB2_LOAD_BASE, base);
	assert_true(mb2_find(&info, MB2_EFI_BOOT_SERVICES, &t));
	assert_true(mb2_find(&info, MB2_ACPI_NEW, &t) && span_equal(t.content, SPAN_OF(rsdp)));
	assert_false(mb2_find(&info, MB2_EFI_MMAP, &t));
	assert_true(mb2_find(&info, MB2_MMAP, &t) && mb2_get_mmap(&t, &map));
	assert_int_equal(map.count, 3);
	assert_int_equal(mb2_mmap_entry(&map, 0).type, MB2_MEMORY_AVAILABLE);
	assert_int_equal(mb2_mmap_entry(&map, 1).base, fw_low_base());
	assert_int_equal(mb2_mmap_entry(&map, 1).size, (uint64_t)FW_LOW_PAGES * 4096);
	assert_int_equal(mb2_mmap_entry(&map, 2).type, MB2_MEMORY_RESERVED);
	assert_int_equal(fw_console_count("geolaunch: starting the hypervisor"), 1);
}

/* No initrd, ACPI 1.0 only. */
static void test_little(void **state)
{
	static const EFI_GUID acpi1 = ACPI_TABLE_GUID;
	struct host h = setup();
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_tag t;
	unsigned modules = 0;

	(void)state;
	h.initrd = (struct span){ NULL, 0 };
	fw.tables[0].VendorGuid = acpi1;
	assert_int_equal(fw_run(start, &h), FW_STARTED);
	assert_int_equal(mb2_info_open(SPAN_OF(seen.info), &info), MB2_INFO_OK);
	assert_false(mb2_find(&info, MB2_ACPI_NEW, &t));
	assert_true(mb2_find(&info, MB2_ACPI_OLD, &t));
	assert_int_equal(t.content.n, 20);
	while (mb2_next(&it, &t))
		modules += t.type == MB2_MODULE;
	assert_int_equal(modules, 1);
}

/* Xen that returns, or that leaves by Exit() as blexit() does. */
static void test_comes_back(void **state)
{
	(void)state;
	for (int how = RETURN; how <= EXIT_OTHER; how++) {
		struct host h = setup();
		UINT32 crc = 0;

		(void)fw.bs.CalculateCrc32(&fw.bs, sizeof(fw.bs), &crc);
		fw.bs.Hdr.CRC32 = crc;
		seen.then = how;
		assert_int_equal(fw_run(start, &h), FW_RETURNED);
		assert_int_equal(fw.status, EFI_ABORTED);
		assert_int_equal(seen.calls, 1);
		assert_int_equal(fw.exits, how == EXIT_OTHER);
		assert_int_equal(fw_console_count("geolaunch: the hypervisor came back"), 1);
		expect_nothing_left();
		assert_int_equal(fw.bs.Hdr.CRC32, crc);
	}
}

/* Where it may go: linked to an address, or relocatable within limits. */
static void test_place(void **state)
{
	const uint32_t region = (uint32_t)FW_LOW_PAGES * 4096;
	struct host h = setup();
	uint32_t first = (fw_low_base() + 0x1fffff) & ~0x1fffffu;

	(void)state;
	sample_put(image, SAMPLE_MB2_RELOCATABLE + 20, 1, 4); /* prefers low */
	assert_int_equal(fw_run(start, &h), FW_STARTED);
	assert_int_equal(seen.entry, first + SAMPLE_XEN_ENTRY_EFI64 - SAMPLE_XEN_LINK);

	h = setup();
	sample_put(image, SAMPLE_MB2_RELOCATABLE + 12, first + SAMPLE_XEN_MEMORY - 1, 4); /* may just fit */
	assert_int_equal(fw_run(start, &h), FW_STARTED);
	assert_int_equal(seen.entry, first + SAMPLE_XEN_ENTRY_EFI64 - SAMPLE_XEN_LINK);

	h = setup();
	sample_put(image, SAMPLE_MB2_RELOCATABLE + 12, first + SAMPLE_XEN_MEMORY - 2, 4);
	expect_refused(&h, "geolaunch: xen: no free memory where it can run");

	h = setup();
	sample_put(image, SAMPLE_MB2_RELOCATABLE + 8, fw_low_base() + region, 4); /* not so low */
	expect_refused(&h, "geolaunch: xen: no free memory where it can run");

	/* without the tag: at the address that it is linked to, free or not */
	h = setup();
	sample_put(image, SAMPLE_MB2_RELOCATABLE, 77, 2);
	expect_refused(&h, "geolaunch: xen: the memory that it is linked to is in use by the firmware");
}

static void test_refused(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		const char *why;
	} rows[] = {
		{ 0, 1, 0, "geolaunch: xen: no ELF image" },
		{ 52 + 16, 4, SAMPLE_XEN_MEMORY + 1, "geolaunch: xen: a segment has more bytes" },
		{ SAMPLE_MB2_OFFSET, 4, 0, "geolaunch: xen: no multiboot2 header" },
		{ SAMPLE_MB2_BOOT_SERVICES, 2, 78, "geolaunch: xen: it cannot be started with boot services" },
		{ SAMPLE_MB2_ENTRY_EFI64, 2, 78, "geolaunch: xen: it cannot be started with boot services" },
		{ SAMPLE_MB2_FRAMEBUFFER, 2, 2, "geolaunch: xen: a tag of its multiboot2 header has an invalid size" },
		{ SAMPLE_MB2_REQUEST + 8, 4, MB2_APM, "geolaunch: xen: its multiboot2 header asks for what cannot be given" },
		{ SAMPLE_MB2_ENTRY_EFI64 + 8, 4, SAMPLE_XEN_LINK - 1, "geolaunch: xen: its EFI entry point lies outside" },
		{ SAMPLE_MB2_ENTRY_EFI64 + 8, 4, SAMPLE_XEN_LINK + SAMPLE_XEN_MEMORY, "geolaunch: xen: its EFI entry point lies outside" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct host h = setup();

		sample_put(image, rows[i].at, rows[i].v, rows[i].width);
		expect_refused(&h, rows[i].why);
	}
	struct host h = setup();

	h.initrd = (struct span){ image, (size_t)1 << 40 };
	expect_refused(&h, "geolaunch: xen: kernel and initrd must lie below 4 GiB");
	h = setup();
	fw.map_status = EFI_DEVICE_ERROR;
	expect_refused(&h, "geolaunch: xen: the firmware gives no memory map");
}

/* Nobody's loader sees the image: what it is has to be in the signed policy. */
static void test_secure_boot(void **state)
{
	struct host h = setup();

	(void)state;
	h.secure_boot = true;
	expect_refused(&h, "geolaunch: xen: Secure Boot is on, and the signed policy does not name Xen and its kernel");
	assert_int_equal(fw.status, EFI_SECURITY_VIOLATION);
	h = setup();
	h.secure_boot = h.pinned = true;
	assert_int_equal(fw_run(start, &h), FW_STARTED);
}

/* Every allocation fails once. */
static void test_memory(void **state)
{
	unsigned n;

	(void)state;
	for (n = 1; n < 100; n++) {
		struct host h = setup();

		fw.fail_allocation = fw.allocations + n;
		if (fw_run(start, &h) == FW_STARTED)
			break;
		assert_true(EFI_ERROR(fw.status));
		assert_int_equal(fw_console_count("geolaunch: xen: "), 1);
		expect_nothing_left();
	}
	assert_true(n > 3 && n < 10);
}

/* ---------------------------------------------------------------- the whole application */

static const char conf[] =
	"geolaunch 1\nmode direct\npolicy policy.vlp\non-halt return\nhalt-delay 0\n"
	"module hypervisor\nkind xen\nfile xen\ncmdline " XEN_CMDLINE "\nmodule kernel\nfile kernel\ncmdline " KERNEL_CMDLINE
	"\n"
	"module initrd\nfile initrd\nmodule vmm\nfile vmm\npath /usr/bin/vmm\nmode 0755\nend\n";

static void app_setup(uint8_t type)
{
	static uint8_t policy[256];
	struct wr w = wr_init((struct mspan){ policy, sizeof(policy) });

	scene_init(&(struct scene_options){ .type = type, .banks = ALG_BIT(ALG_SHA256) });
	memset(&seen, 0, sizeof(seen));
	sample_xen(image);
	scene.env.enter = enter;
	seen.firmware_exit = fw.bs.Exit;
	wr_u8(&w, 2);
	wr_u8(&w, type);
	wr_le16(&w, 0x0b);
	w.off--; /* the algorithm is one byte */
	wr_le32(&w, 1);
	wr_le32(&w, 0);
	wr_u8(&w, 5);
	for (unsigned i = 0; i < 5; i++) {
		wr_u8(&w, (uint8_t)i);
		wr_u8(&w, i == 0 ? 255 : i == 4 ? 20 : 19);
		wr_u8(&w, 0);
		wr_le32(&w, 0);
		wr_u8(&w, 0);
	}
	fw_find_file(SCENE_FOLDER "policy.vlp")->bytes = wr_span(&w);
	fw_find_file(SCENE_FOLDER "launch.conf")->bytes = (struct span){ (const uint8_t *)conf, sizeof(conf) - 1 };
	(void)fw_add_file(SCENE_FOLDER "xen", SPAN_OF(image));
	(void)fw_add_file(SCENE_FOLDER "kernel", SPAN_LITERAL("a kernel for dom0"));
}

static void test_app(void **state)
{
	struct mb2_info info;
	struct mb2_tags it = { .info = &info };
	struct mb2_module m;
	struct mb2_tag t;
	const uint8_t *bytes;

	(void)state;
	app_setup(VLP_HALT);
	if (scene_run() != FW_STARTED)
		fail_msg("%s", fw.console);
	assert_int_equal(seen.calls, 1);
	assert_memory_equal(seen.memory, image, sizeof(image));
	assert_int_equal(mb2_info_open(SPAN_OF(seen.info), &info), MB2_INFO_OK);
	do {
		assert_true(mb2_next(&it, &t));
	} while (t.type != MB2_MODULE);
	assert_true(mb2_get_module(&t, &m));
	bytes = (const uint8_t *)(uintptr_t)m.start;
	assert_memory_equal(bytes, "a kernel for dom0", 17);
	assert_int_equal(m.end - m.start, 17);
	assert_true(mb2_next(&it, &t) && mb2_get_module(&t, &m));
	bytes = (const uint8_t *)(uintptr_t)m.start;
	/* the initrd, and the VM manager as a member behind it */
	assert_memory_equal(bytes, scene.modules[SCENE_INITRD].bytes.p, scene.modules[SCENE_INITRD].bytes.n);
	assert_true(m.end - m.start > scene.modules[SCENE_INITRD].bytes.n + scene.modules[SCENE_VMM].bytes.n);
	assert_int_equal(fw_console_count("PCR 19  module 1 hypervisor xen"), 1);
	assert_int_equal(fw_console_count("PCR 19  module 2 kernel kernel"), 1);
	assert_int_equal(fw_console_count("PCR 20  module 4 vmm vmm"), 1);
	assert_int_equal(fw_console_count("geolaunch: verdict: measured, no D-RTM"), 1);
}

/* Nothing is started after a failure, and PCR 17-22 are capped. */
static void test_app_fails(void **state)
{
	(void)state;
	app_setup(VLP_NONFATAL);
	image[0] = 0;
	assert_int_equal(scene_run(), FW_RETURNED);
	scene_expect_halted("start-failed");
	assert_int_equal(fw_console_count("geolaunch: xen: no ELF image"), 1);
	assert_int_equal(seen.calls, 0);

	app_setup(VLP_NONFATAL);
	seen.then = EXIT;
	assert_int_equal(scene_run(), FW_RETURNED);
	scene_expect_halted("start-failed");
	assert_int_equal(seen.calls, 1);

	/* no dom0 kernel: nothing to start, whatever the policy lets go on */
	app_setup(VLP_NONFATAL);
	fw_find_file(SCENE_FOLDER "kernel")->open_status = EFI_NOT_FOUND;
	assert_int_equal(scene_run(), FW_RETURNED);
	scene_expect_halted("start-failed");
	assert_int_equal(seen.calls, 0);
}

/* ---------------------------------------------------------------- the machine */

static void test_framebuffer(void **state)
{
	static const EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION info = { .HorizontalResolution = 1024,
		.VerticalResolution = 768,
		.PixelsPerScanLine = 1040,
		.PixelFormat = PixelBlueGreenRedReserved8BitPerColor };
	EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE mode = { .Info = &info, .FrameBufferBase = 0x180000000 };
	EFI_GRAPHICS_OUTPUT_PROTOCOL gop = { .Mode = &mode };
	struct mb2_framebuffer f;
	EFI_HANDLE h = NULL;

	(void)state;
	(void)setup();
	assert_false(machine_framebuffer(&env, &f));
	fw_install(&h, &guid, &gop);
	assert_true(machine_framebuffer(&env, &f));
	assert_int_equal(f.address, 0x180000000);
	assert_int_equal(f.pitch, 1040 * 4);
	assert_int_equal(f.bits, 32);
	assert_int_equal(f.red.position, 16);
	assert_int_equal(f.blue.position, 0);
	info.PixelFormat = PixelRedGreenBlueReserved8BitPerColor;
	assert_true(machine_framebuffer(&env, &f));
	assert_int_equal(f.red.position, 0);
	info.PixelFormat = PixelBitMask;
	info.PixelInformation = (EFI_PIXEL_BITMASK){ 0xf800, 0x07e0, 0x001f, 0 };
	assert_true(machine_framebuffer(&env, &f));
	assert_int_equal(f.bits, 16);
	assert_int_equal(f.pitch, 1040 * 2);
	assert_int_equal(f.green.size, 6);
	info.PixelFormat = PixelBltOnly;
	assert_false(machine_framebuffer(&env, &f));
	mode.Info = NULL;
	assert_false(machine_framebuffer(&env, &f));
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start), cmocka_unit_test(test_little), cmocka_unit_test(test_comes_back), cmocka_unit_test(test_place),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_secure_boot), cmocka_unit_test(test_memory), cmocka_unit_test(test_app), cmocka_unit_test(test_app_fails),
		cmocka_unit_test(test_framebuffer),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
