/* SPDX-License-Identifier: BSD-3-Clause */
/* efi/core/preflight*.c: a host on which a TXT launch works, and one thing of it changed for each finding. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "efi/core/preflight.h"
#include "geo/geo.h"
#include "lcp/acm_make.h"
#include "lcp/custom.h"

#define TBOOT_LINE "logging=serial ap_wake_mwait=true min_ram=0x2000000 extpol=sha256"
#define VLP_1 0x01c10131u
#define OWNER_1 0x01c10106u
#define VLP_0 0x01200001u
#define OWNER_0 0x01400001u
#define READABLE GEO_ATTRIBUTES_DEFAULT
#define WRITTEN 0x20000000u

struct index {
	uint32_t index;
	enum preflight_nv_state state;
	uint32_t attributes;
	struct span content;
};

static struct {
	struct preflight_facts f;
	struct description d;
	struct vlp vlp;
	uint8_t vlp_bytes[256], heap[4096], file[0x20000], area[0x20000], lcp[512], owner[128];
	uint8_t geo[GEO_TAG_SIZE], geo_hash[32];
	struct index nv[8];
	size_t nv_count;
	struct preflight_room room;
	struct preflight_report r;
} h;

static void read_nv(void *ctx, uint32_t index, struct preflight_nv *out)
{
	assert_ptr_equal(ctx, &h);
	out->state = PREFLIGHT_NV_MISSING;
	out->attributes = 0;
	out->size = 0;
	for (size_t i = 0; i < h.nv_count; i++)
		if (h.nv[i].index == index) {
			out->state = h.nv[i].state;
			out->attributes = h.nv[i].attributes;
			out->size = h.nv[i].content.n;
			memset(out->content, 0, sizeof(out->content));
			if (h.nv[i].content.n <= sizeof(out->content))
				memcpy(out->content, h.nv[i].content.p, h.nv[i].content.n);
		}
}

static const struct preflight_ops ops = { .read_nv = read_nv };

static struct index *nv(uint32_t index)
{
	for (size_t i = 0; i < h.nv_count; i++)
		if (h.nv[i].index == index)
			return &h.nv[i];
	fail();
	return NULL;
}

static void define(uint32_t index, struct span content)
{
	h.nv[h.nv_count++] = (struct index){ index, PREFLIGHT_NV_OK, READABLE | WRITTEN, content };
}

/* A module for the host's chipset and any processor. */
static struct span make_sinit(uint8_t *room, uint32_t date, uint8_t set, uint16_t device, void (*change)(struct acm_recipe *r))
{
	static const struct acm_processor any;
	struct acm_chipset chipset = { .vendor_id = ACM_VENDOR_INTEL, .device_id = device, .revision_id = 1 };
	struct acm_recipe r = acm_recipe_sinit(set);

	r.date = date;
	r.capabilities = (r.capabilities & ~ACM_CAP_PLATFORM_TYPE) | 0x40; /* a client's */
	r.chipsets = &chipset;
	r.chipset_count = 1;
	r.processors = &any;
	r.processor_count = 1;
	if (change)
		change(&r);
	assert_int_equal(acm_make(&r, (struct mspan){ room, r.size }), ACM_OK);
	return (struct span){ room, r.size };
}

static void make_heap_version(uint32_t version, uint32_t bios_sinit_size)
{
	struct heap_bios b = { .version = version,
		.bios_sinit_size = bios_sinit_size,
		.processors = 1,
		.mle_flags = HEAP_BIOS_MLE_CLIENT,
		.bios_version = { 2, 1, 0 } };
	size_t n;

	memset(h.heap, 0, sizeof(h.heap));
	assert_true(heap_bios_encode(&b, (struct mspan){ h.heap, sizeof(h.heap) }, &n));
}

static void make_heap(uint32_t bios_sinit_size)
{
	make_heap_version(6, bios_sinit_size);
}

static void make_policy(uint8_t type)
{
	struct digests d;
	size_t n;

	measure_nv(ALG_BIT(ALG_SHA256), false, SPAN_OF(h.geo), &d);
	memcpy(h.geo_hash, d.d[ALG_SHA256], sizeof(h.geo_hash));
	/* clang-format off */
	h.vlp = (struct vlp){ .version = VLP_VERSION, .type = type, .hash_alg = LCP_ALG_SHA256, .control = 1, .entry_count = 2, .entries = {
		{ .module = VLP_MODULE_ANY, .pcr = 19 },
		{ .module = VLP_MODULE_NV, .pcr = 22, .hash_type = VLP_HASH_IMAGE, .nv_index = GEO_INDEX_DEFAULT, .hash_count = 1, .hashes = SPAN_OF(h.geo_hash) },
	} };
	/* clang-format on */
	assert_int_equal(vlp_encode(&h.vlp, (struct mspan){ h.vlp_bytes, sizeof(h.vlp_bytes) }, &n), VLP_OK);
	assert_int_equal(vlp_decode((struct span){ h.vlp_bytes, n }, &h.vlp), VLP_OK);
	h.f.policy_bytes = (struct span){ h.vlp_bytes, n };
}

/* A host on which all is well. */
static void good(uint8_t type)
{
	memset(&h, 0, sizeof(h));
	memset(h.geo, 0x47, sizeof(h.geo));
	make_policy(type);
	make_heap(0);
	/* clang-format off */
	h.d = (struct description){ .mode = DESCRIPTION_TXT, .txt = {
		.tboot = { .role = ROLE_TBOOT, .file = SPAN_LITERAL("tboot"), .cmdline = SPAN_LITERAL(TBOOT_LINE) },
		.sinit = { .role = ROLE_SINIT, .file = SPAN_LITERAL("sinit") }, .stage = { .role = ROLE_STAGE, .file = SPAN_LITERAL("stage") } } };
	h.f.description = &h.d;
	h.f.policy = &h.vlp;
	h.f.processor = (struct preflight_processor){
		.vendor = { 0x756e6547, 0x49656e69, 0x6c65746e }, .signature = 0x506e3, .features = 0x60, .has_msrs = true,
		.feature_control = 0xff07, .has_capabilities = true, .capabilities = 0x1fd };
	h.f.chipset = (struct preflight_chipset){
		.didvid = UINT64_C(0x1b0018086), .fsbif = UINT32_MAX, .qpiif = 0x9d003000, .sinit_base = 0xc8200000, .sinit_size = 0x100000,
		.heap_base = 0xc8000000, .heap_size = 0x100000 };
	h.f.heap = SPAN_OF(h.heap);
	h.f.sinit_area = SPAN_OF(h.area);
	h.f.banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256);
	h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb001, NULL);
	h.f.lcp_io = LAUNCH_IO_MISSING;
	define(VLP_1, h.f.policy_bytes);
	define(GEO_INDEX_DEFAULT, SPAN_OF(h.geo));
}

static void check(void)
{
	preflight_check(&h.f, &ops, &h, &h.room, &h.r);
	/* Every finding can be said in one line of printable text. */
	for (size_t i = 0; i < h.r.count; i++) {
		char line[600];
		struct text t = TEXT_OF(line);

		preflight_line(&h.r.findings[i], &t);
		assert_false(t.cut);
		for (size_t k = 0; k < t.n; k++)
			assert_in_range(line[k], 0x20, 0x7e);
	}
	/* clang-format on */
}

static const char *detail(size_t i)
{
	return h.r.findings[i].detail;
}

static void says(const char *part)
{
	if (!strstr(detail(h.r.count - 1), part))
		fail_msg("no \"%s\" in \"%s\"", part, detail(h.r.count - 1));
}

/* Just this finding, with what the policy types make of it. */
static void one(enum preflight_id id)
{
	const struct preflight_info *info = &preflight_table[id];

	check();
	if (h.r.count != 1 || h.r.findings[0].id != id) {
		for (size_t i = 0; i < h.r.count; i++)
			print_message("found %s (%s)\n", preflight_table[h.r.findings[i].id].name, detail(i));
		fail_msg("not just %s", info->name);
	}
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		enum vlp_action want = vlp_action(type, info->error);

		if (want == VLP_ACT_CONTINUE && info->stops)
			want = VLP_ACT_UNMEASURED;
		h.r.policy_type = type;
		assert_int_equal(preflight_action(&h.r, 0), want);
		assert_int_equal(preflight_action(&h.r, 1), VLP_ACT_CONTINUE);
	}
}

static void none(void)
{
	check();
	for (size_t i = 0; i < h.r.count; i++)
		print_message("found %s (%s)\n", preflight_table[h.r.findings[i].id].name, detail(i));
	assert_int_equal(h.r.count, 0);
	assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_CONTINUE);
}

static void test_good(void **state)
{
	(void)state;
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		good(type);
		none();
		assert_true(h.r.has_sinit && !h.r.sinit_of_bios);
		assert_int_equal(h.r.sinit.tpm.nv_index_set, 1);
		assert_int_equal(h.r.policy_type, type);
	}
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < PREFLIGHT_COUNT; i++) {
		const struct preflight_info *info = &preflight_table[i];

		assert_non_null(info->name);
		assert_non_null(info->text);
		assert_in_range(strlen(info->text), 20, 180);
		/* What only is said stops nothing; what tboot would go on after is not made worse under a strict policy. */
		if (info->error == TB_ERR_NONE)
			assert_false(info->stops);
		else
			assert_int_equal(vlp_action(VLP_HALT, info->error), VLP_ACT_HALT);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(info->name, preflight_table[k].name);
	}
}

static void test_processor(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.processor.vendor[2] = 0x444d4163;
	one(PREFLIGHT_CPU_VENDOR);
	good(VLP_HALT);
	h.f.processor.features = 0x20;
	one(PREFLIGHT_CPU_SMX);
	good(VLP_HALT);
	h.f.processor.feature_control = 0xff06;
	one(PREFLIGHT_FEATURE_LOCK);
	says("0xff06");
	good(VLP_HALT);
	h.f.processor.feature_control = 0x7f07;
	one(PREFLIGHT_FEATURE_SENTER);
	good(VLP_HALT);
	h.f.processor.feature_control = 0xfe07;
	one(PREFLIGHT_FEATURE_SENTER);
	for (uint32_t bit = 0; bit < 9; bit++) {
		good(VLP_HALT);
		h.f.processor.capabilities = 0x1ff & ~(1u << bit);
		/* ENTERACCS, EXITAC and the gap do not matter. */
		if (bit == 1 || bit == 2 || bit == 3)
			none();
		else
			one(PREFLIGHT_GETSEC);
	}
}

/* VMX is wanted only if tboot holds the other processors with it. */
static void test_vmx(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.processor.features = 0x40;
	none();
	h.d.txt.tboot.cmdline = SPAN_LITERAL("logging=serial");
	one(PREFLIGHT_CPU_VMX);
	good(VLP_HALT);
	h.f.processor.feature_control = 0xff05;
	none();
	h.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=false");
	one(PREFLIGHT_FEATURE_VMX);
}

static void test_chipset(void **state)
{
	static const uint64_t nothing[] = { 0, UINT64_MAX, UINT64_C(0x100001022) };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(nothing); i++) {
		good(VLP_HALT);
		h.f.chipset.didvid = nothing[i];
		h.f.heap = h.f.sinit_area = (struct span){ NULL, 0 };
		one(PREFLIGHT_CHIPSET);
		assert_int_equal(preflight_heap_range(&h.f.chipset).size, 0);
	}
	good(VLP_HALT);
	h.f.chipset.ests = 0x01;
	one(PREFLIGHT_TXT_RESET);
	good(VLP_HALT);
	h.f.chipset.ests = 0x40;
	one(PREFLIGHT_WAKE_ERROR);
	good(VLP_HALT);
	h.f.chipset.sts = 0x1;
	one(PREFLIGHT_TXT_RUNNING);
}

static void test_previous_error(void **state)
{
	/* clang-format off */
	static const struct { uint32_t code; const char *part; } rows[] = {
		{ 0xc0000471, "SINIT, class 0x7" }, { 0xc00412e1, "launch control policy" }, { 0x8000000e, "memory was changed" },
		{ 0xc0008001, "software after the launch" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		good(VLP_HALT);
		h.f.chipset.errorcode = rows[i].code;
		check();
		assert_int_equal(h.r.count, 1);
		assert_int_equal(h.r.findings[0].id, PREFLIGHT_PREVIOUS_ERROR_NOTE);
		says(rows[i].part);
		assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_CONTINUE);
		h.d.txt.tboot.cmdline = SPAN_LITERAL(TBOOT_LINE " ignore_prev_err=false");
		one(PREFLIGHT_PREVIOUS_ERROR);
	}
	/* What tboot takes for success. */
	for (size_t i = 0; i < 4; i++) {
		good(VLP_HALT);
		h.f.chipset.errorcode = (uint32_t[]){ 0, 0xc0000001, 0xc0000009, 0x40000471 }[i];
		h.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true ignore_prev_err=false");
		none();
	}
}

static void test_heap(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.heap.n = 0;
	h.f.chipset.heap_size = 0;
	check();
	assert_int_equal(h.r.findings[0].id, PREFLIGHT_HEAP);
	good(VLP_HALT);
	h.f.chipset.sinit_base = 0;
	check();
	assert_int_equal(h.r.findings[0].id, PREFLIGHT_HEAP);
	assert_int_equal(preflight_sinit_range(&h.f.chipset).size, 0);
	/* Ranges that cannot be. */
	for (size_t i = 0; i < 3; i++) {
		good(VLP_HALT);
		h.f.chipset.heap_base = (uint64_t[]){ UINT64_C(1) << 32, 0xfff80000, 0xc8000000 }[i];
		h.f.chipset.heap_size = (uint64_t[]){ 0x100000, 0x100000, UINT64_MAX }[i];
		assert_int_equal(preflight_heap_range(&h.f.chipset).size, 0);
	}
	good(VLP_HALT);
	h.heap[8] = 99;
	one(PREFLIGHT_HEAP_DATA);
	good(VLP_HALT);
	memset(h.heap, 0xff, 8);
	one(PREFLIGHT_HEAP_DATA);
}

static void test_acpi(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.acpi = PREFLIGHT_ACPI_NO_DMAR;
	one(PREFLIGHT_VTD);
	good(VLP_HALT);
	h.f.acpi = PREFLIGHT_ACPI_NO_RSDP;
	one(PREFLIGHT_ACPI);
	good(VLP_HALT);
	h.f.acpi = PREFLIGHT_ACPI_BROKEN;
	one(PREFLIGHT_ACPI);
}

static void no_tpm20(struct acm_recipe *r)
{
	r->tpm_family = ACM_TPM_DISCRETE_12;
}

static void new_mle(struct acm_recipe *r)
{
	r->min_mle_header_version = 0x20002;
}

static void old_data(struct acm_recipe *r)
{
	r->os_sinit_data_version = 3;
}

static void bios_type(struct acm_recipe *r)
{
	r->chipset_type = ACM_BIOS;
}

static void server(struct acm_recipe *r)
{
	r->capabilities = (r->capabilities & ~ACM_CAP_PLATFORM_TYPE) | 0x80;
}

static void debug_signed(struct acm_recipe *r)
{
	r->flags |= ACM_FLAG_DEBUG_SIGNED;
}

static void test_sinit_file(void **state)
{
	static void (*const unfit[])(struct acm_recipe * r) = { new_mle, old_data, bios_type };
	static void (*const others[])(struct acm_recipe * r) = { server, debug_signed };

	(void)state;
	good(VLP_HALT);
	h.d.txt.sinit.file.n = 0;
	one(PREFLIGHT_SINIT_MISSING);
	assert_false(h.r.has_sinit);
	good(VLP_HALT);
	h.f.sinit_io = LAUNCH_IO_MISSING;
	one(PREFLIGHT_SINIT_FILE);
	good(VLP_HALT);
	h.f.sinit.n -= 4;
	one(PREFLIGHT_SINIT_INVALID);
	for (size_t i = 0; i < GL_COUNT(unfit); i++) {
		good(VLP_HALT);
		h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb001, unfit[i]);
		one(PREFLIGHT_SINIT_INVALID);
	}
	good(VLP_HALT);
	h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb002, NULL);
	one(PREFLIGHT_SINIT_MATCH);
	says("0x8086:0xb001 revision 0x1, processor 0x506e3");
	for (size_t i = 0; i < GL_COUNT(others); i++) {
		good(VLP_HALT);
		h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb001, others[i]);
		one(PREFLIGHT_SINIT_MATCH);
	}
	/* An older firmware does not say what it is, and one register may stand in for the other. */
	good(VLP_HALT);
	h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb001, server);
	make_heap_version(5, 0);
	none();
	good(VLP_HALT);
	h.f.chipset.fsbif = 0;
	none();
	h.f.chipset.fsbif = 0x00000001;
	one(PREFLIGHT_SINIT_MATCH);
	good(VLP_HALT);
	h.f.chipset.sinit_size = 0x8000;
	one(PREFLIGHT_SINIT_SIZE);
	good(VLP_HALT);
	h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb001, no_tpm20);
	one(PREFLIGHT_SINIT_TPM);
}

static void bios_sinit(uint32_t date, uint16_t device)
{
	struct span s = make_sinit(h.area, date, 1, device, NULL);

	make_heap((uint32_t)s.n);
}

/* tboot takes the firmware's module if it fits and is as new. */
static void test_sinit_of_bios(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.d.txt.sinit.file.n = 0;
	bios_sinit(0x20220101, 0xb001);
	none();
	assert_true(h.r.has_sinit && h.r.sinit_of_bios);
	/* Older: the build's. */
	good(VLP_HALT);
	bios_sinit(0x20211231, 0xb001);
	none();
	assert_false(h.r.sinit_of_bios);
	/* As new and the same bytes: nobody need be told. Newer: the PCRs are not those that were predicted. */
	good(VLP_HALT);
	bios_sinit(0x20220101, 0xb001);
	none();
	good(VLP_HALT);
	bios_sinit(0x20220102, 0xb001);
	check();
	assert_int_equal(h.r.count, 1);
	assert_int_equal(h.r.findings[0].id, PREFLIGHT_SINIT_BIOS_NOTE);
	assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_CONTINUE);
	/* One that does not fit is passed over. */
	good(VLP_HALT);
	bios_sinit(0x20230101, 0xb002);
	none();
	assert_false(h.r.sinit_of_bios);
	good(VLP_HALT);
	h.d.txt.sinit.file.n = 0;
	bios_sinit(0x20230101, 0xb002);
	one(PREFLIGHT_SINIT_MISSING);
	/* BiosData claims more than the area holds. */
	good(VLP_HALT);
	h.d.txt.sinit.file.n = 0;
	make_heap(0x20001);
	one(PREFLIGHT_SINIT_MISSING);
}

static void test_tpm(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.tpm_problem = "no TPM found: fit one";
	one(PREFLIGHT_TPM);
	says("fit one");
	good(VLP_HALT);
	h.f.banks = ALG_BIT(ALG_SHA384);
	one(PREFLIGHT_TPM_BANK);
	says("sha256");
	h.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true extpol=sha384");
	none();
	h.d.txt.tboot.cmdline = SPAN_LITERAL("ap_wake_mwait=true extpol=agile");
	none();
}

static void test_vlp(void **state)
{
	static struct vlp other;
	static uint8_t room[VLP_MAX_SIZE];
	size_t n;

	(void)state;
	good(VLP_HALT);
	nv(VLP_1)->state = PREFLIGHT_NV_MISSING;
	one(PREFLIGHT_VLP_MISSING);
	says("0x01c10131");
	good(VLP_HALT);
	nv(VLP_1)->state = PREFLIGHT_NV_ATTRIBUTES;
	nv(VLP_1)->attributes = WRITTEN | 0x2;
	one(PREFLIGHT_VLP_UNREADABLE);
	good(VLP_HALT);
	nv(VLP_1)->state = PREFLIGHT_NV_ERROR;
	one(PREFLIGHT_VLP_UNREADABLE);
	good(VLP_HALT);
	nv(VLP_1)->content = SPAN_LITERAL("this is no policy");
	one(PREFLIGHT_VLP_INVALID);
	/* The index may be larger than the policy. */
	good(VLP_HALT);
	memcpy(room, h.f.policy_bytes.p, h.f.policy_bytes.n);
	memset(room + h.f.policy_bytes.n, 0, 10);
	nv(VLP_1)->content = (struct span){ room, h.f.policy_bytes.n + 10 };
	none();
	/* Another one: its type decides, whatever the file on the ESP says. */
	good(VLP_NONFATAL);
	other = h.vlp;
	other.type = VLP_HALT;
	assert_int_equal(vlp_encode(&other, (struct mspan){ room, sizeof(room) }, &n), VLP_OK);
	nv(VLP_1)->content = (struct span){ room, n };
	check();
	assert_int_equal(h.r.policy_type, VLP_HALT);
	assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_HALT);
	one(PREFLIGHT_VLP_DIFFERS);
	/* The same with bytes behind it, at which tboot does not look. */
	memset(room + n, 0xff, 10);
	nv(VLP_1)->content = (struct span){ room, n + 10 };
	check();
	assert_int_equal(h.r.policy_type, VLP_HALT);
	one(PREFLIGHT_VLP_DIFFERS);
	/* tboot takes none that firmware may write. */
	good(VLP_HALT);
	nv(VLP_1)->attributes |= 1;
	one(PREFLIGHT_VLP_UNREADABLE);
	says("ppwrite");
}

/* Who takes the module away, or puts another one there, does not get rid of the owner's policy. */
static void test_other_policy_rules(void **state)
{
	static struct vlp halt;
	static uint8_t room[VLP_MAX_SIZE];
	size_t n;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		good(VLP_NONFATAL);
		halt = h.vlp;
		halt.type = VLP_HALT;
		assert_int_equal(vlp_encode(&halt, (struct mspan){ room, sizeof(room) }, &n), VLP_OK);
		nv(VLP_1)->content = (struct span){ room, n };
		if (i == 0)
			h.d.txt.sinit.file.n = 0;
		else if (i == 1)
			h.f.sinit = make_sinit(h.file, 0x20220101, 1, 0xb002, NULL);
		else
			h.f.sinit = make_sinit(h.file, 0x20220101, 0, 0xb001, NULL);
		check();
		assert_int_equal(h.r.count, 1);
		assert_int_equal(h.r.policy_type, VLP_HALT);
		assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_HALT);
	}
}

/* The indices are those of the module's set. */
static void test_index_set(void **state)
{
	(void)state;
	good(VLP_HALT);
	h.f.sinit = make_sinit(h.file, 0x20220101, 0, 0xb001, NULL);
	one(PREFLIGHT_VLP_MISSING);
	says("0x01200001");
	nv(VLP_1)->index = VLP_0;
	none();
	define(OWNER_0, SPAN_LITERAL("no policy"));
	one(PREFLIGHT_LCP_INVALID);
}

static struct span owner_policy(uint8_t type)
{
	struct lcp_policy p = { .version = LCP_POLICY_3_0, .hash_alg = LCP_ALG_SHA256, .type = type, .hash_mask = 8, .hash_size = 32 };
	size_t n;

	assert_int_equal(lcp_policy_encode(&p, (struct mspan){ h.owner, sizeof(h.owner) }, &n), LCP_OK);
	if (n > sizeof(h.owner))
		fail();
	return (struct span){ h.owner, n };
}

static void lcp_data(struct span more)
{
	memset(h.lcp, 0, sizeof(h.lcp));
	memcpy(h.lcp, LCP_DATA_SIGNATURE, 32);
	if (more.n)
		memcpy(h.lcp + LCP_DATA_HEADER_SIZE + 7, more.p, more.n);
	h.d.txt.lcp = (struct description_module){ .role = ROLE_LCP, .file = SPAN_LITERAL("lcp") };
	h.f.lcp_io = LAUNCH_IO_OK;
	h.f.lcp = SPAN_OF(h.lcp);
}

static void test_lcp(void **state)
{
	uint8_t element[300];

	(void)state;
	good(VLP_HALT);
	define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	none();
	good(VLP_HALT);
	define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	one(PREFLIGHT_LCP_NO_DATA);
	lcp_data((struct span){ NULL, 0 });
	none();
	good(VLP_HALT);
	lcp_data((struct span){ NULL, 0 });
	one(PREFLIGHT_LCP_MISSING);
	define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	one(PREFLIGHT_LCP_MISSING);
	good(VLP_HALT);
	define(OWNER_1, (struct span){ owner_policy(LCP_POLICY_ANY).p, 20 });
	one(PREFLIGHT_LCP_INVALID);
	good(VLP_HALT);
	define(OWNER_1, owner_policy(LCP_POLICY_ANY));
	nv(OWNER_1)->state = PREFLIGHT_NV_ERROR;
	one(PREFLIGHT_LCP_UNREADABLE);
	good(VLP_HALT);
	define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	lcp_data((struct span){ NULL, 0 });
	h.lcp[3] ^= 1;
	one(PREFLIGHT_LCP_FILE);
	h.lcp[3] ^= 1;
	h.f.lcp_io = LAUNCH_IO_ERROR;
	one(PREFLIGHT_LCP_FILE);
	/* The launch policy within the data, as tboot looks for it. */
	good(VLP_HALT);
	define(OWNER_1, owner_policy(LCP_POLICY_LIST));
	nv(VLP_1)->state = PREFLIGHT_NV_MISSING;
	memcpy(element, lcp_uuid_tboot, LCP_UUID_SIZE);
	memcpy(element + LCP_UUID_SIZE, h.f.policy_bytes.p, h.f.policy_bytes.n);
	lcp_data((struct span){ element, LCP_UUID_SIZE + h.f.policy_bytes.n });
	none();
	h.lcp[LCP_DATA_HEADER_SIZE + 7 + LCP_UUID_SIZE + 4] ^= 1;
	one(PREFLIGHT_VLP_MISSING);
}

static void test_geo(void **state)
{
	(void)state;
	good(VLP_HALT);
	nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_MISSING;
	one(PREFLIGHT_GEO_MISSING);
	says("0x01c10110");
	good(VLP_HALT);
	nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ATTRIBUTES;
	nv(GEO_INDEX_DEFAULT)->attributes = WRITTEN;
	one(PREFLIGHT_GEO_UNREADABLE);
	good(VLP_HALT);
	nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ERROR;
	one(PREFLIGHT_GEO_UNREADABLE);
	good(VLP_HALT);
	nv(GEO_INDEX_DEFAULT)->state = PREFLIGHT_NV_ATTRIBUTES;
	nv(GEO_INDEX_DEFAULT)->content.n = GEO_NV_MAX + 1;
	one(PREFLIGHT_GEO_SIZE);
	good(VLP_HALT);
	h.geo[5] ^= 1;
	one(PREFLIGHT_GEO_DIFFERS);
	/* Any content will do. */
	h.vlp.entries[1].hash_type = VLP_HASH_ANY;
	none();
}

static void test_line(void **state)
{
	static const char *const lines[] = { "call_racm=true", "call_racm=check", "call_r=true" };

	(void)state;
	for (size_t i = 0; i < GL_COUNT(lines); i++) {
		good(VLP_HALT);
		h.d.txt.tboot.cmdline = span_str(lines[i]);
		one(PREFLIGHT_TBOOT_LINE);
	}
}

/* More than there is room for must not look like less. */
static void test_many(void **state)
{
	(void)state;
	good(VLP_NONFATAL);
	check();
	for (size_t i = 0; i <= PREFLIGHT_MAX_FINDINGS; i++) {
		assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_CONTINUE);
		preflight_add(&h.r, PREFLIGHT_SINIT_BIOS_NOTE, NULL);
	}
	assert_true(h.r.more);
	assert_int_equal(h.r.count, PREFLIGHT_MAX_FINDINGS);
	assert_int_equal(preflight_action(&h.r, 0), VLP_ACT_HALT);
	assert_int_equal(preflight_action(&h.r, PREFLIGHT_MAX_FINDINGS), VLP_ACT_HALT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_processor),
		cmocka_unit_test(test_vmx),
		cmocka_unit_test(test_chipset),
		cmocka_unit_test(test_previous_error),
		cmocka_unit_test(test_heap),
		cmocka_unit_test(test_acpi),
		cmocka_unit_test(test_sinit_file),
		cmocka_unit_test(test_sinit_of_bios),
		cmocka_unit_test(test_tpm),
		cmocka_unit_test(test_vlp),
		cmocka_unit_test(test_other_policy_rules),
		cmocka_unit_test(test_index_set),
		cmocka_unit_test(test_lcp),
		cmocka_unit_test(test_geo),
		cmocka_unit_test(test_line),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
