/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/preflight_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct flight flight;

static void read_nv(void *ctx, uint32_t index, struct preflight_nv *out)
{
	assert_ptr_equal(ctx, &flight);
	out->state = PREFLIGHT_NV_MISSING;
	out->attributes = 0;
	out->size = 0;
	for (size_t i = 0; i < flight.nv_count; i++)
		if (flight.nv[i].index == index) {
			out->state = flight.nv[i].state;
			out->attributes = flight.nv[i].attributes;
			out->size = flight.nv[i].content.n;
			memset(out->content, 0, sizeof(out->content));
			if (flight.nv[i].content.n <= sizeof(out->content))
				memcpy(out->content, flight.nv[i].content.p, flight.nv[i].content.n);
		}
}

static const struct preflight_ops ops = { .read_nv = read_nv };

struct flight_nv *flight_nv(uint32_t index)
{
	for (size_t i = 0; i < flight.nv_count; i++)
		if (flight.nv[i].index == index)
			return &flight.nv[i];
	fail();
	return NULL;
}

void flight_define(uint32_t index, struct span content)
{
	flight.nv[flight.nv_count++] = (struct flight_nv){ index, PREFLIGHT_NV_OK, READABLE | WRITTEN, content };
}

/* A module for the host's chipset and any processor. */
struct span flight_sinit(uint8_t *room, uint32_t date, uint8_t set, uint16_t device, void (*change)(struct acm_recipe *r))
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

void flight_heap_version(uint32_t version, uint32_t bios_sinit_size)
{
	struct heap_bios b = { .version = version,
		.bios_sinit_size = bios_sinit_size,
		.processors = 1,
		.mle_flags = HEAP_BIOS_MLE_CLIENT,
		.bios_version = { 2, 1, 0 } };
	size_t n;

	memset(flight.heap, 0, sizeof(flight.heap));
	assert_true(heap_bios_encode(&b, (struct mspan){ flight.heap, sizeof(flight.heap) }, &n));
}

void flight_heap(uint32_t bios_sinit_size)
{
	flight_heap_version(6, bios_sinit_size);
}

static void make_policy(uint8_t type)
{
	struct digests d;
	size_t n;

	measure_nv(ALG_BIT(ALG_SHA256), false, SPAN_OF(flight.geo), &d);
	memcpy(flight.geo_hash, d.d[ALG_SHA256], sizeof(flight.geo_hash));
	/* clang-format off */
	flight.vlp = (struct vlp){ .version = VLP_VERSION, .type = type, .hash_alg = LCP_ALG_SHA256, .control = 1, .entry_count = 2, .entries = {
		{ .module = VLP_MODULE_ANY, .pcr = 19 },
		{ .module = VLP_MODULE_NV, .pcr = 22, .hash_type = VLP_HASH_IMAGE, .nv_index = GEO_INDEX_DEFAULT, .hash_count = 1, .hashes = SPAN_OF(flight.geo_hash) },
	} };
	/* clang-format on */
	assert_int_equal(vlp_encode(&flight.vlp, (struct mspan){ flight.vlp_bytes, sizeof(flight.vlp_bytes) }, &n), VLP_OK);
	assert_int_equal(vlp_decode((struct span){ flight.vlp_bytes, n }, &flight.vlp), VLP_OK);
	flight.f.policy_bytes = (struct span){ flight.vlp_bytes, n };
}

/* A host on which all is well. */
void flight_good(uint8_t type)
{
	memset(&flight, 0, sizeof(flight));
	memset(flight.geo, 0x47, sizeof(flight.geo));
	make_policy(type);
	flight_heap(0);
	/* clang-format off */
	flight.d = (struct description){ .mode = DESCRIPTION_TXT, .txt = {
		.tboot = { .role = ROLE_TBOOT, .file = SPAN_LITERAL("tboot"), .cmdline = SPAN_LITERAL(TBOOT_LINE) },
		.sinit = { .role = ROLE_SINIT, .file = SPAN_LITERAL("sinit") }, .stage = { .role = ROLE_STAGE, .file = SPAN_LITERAL("stage") } } };
	flight.f.description = &flight.d;
	flight.f.policy = &flight.vlp;
	flight.f.processor = (struct preflight_processor){
		.vendor = { 0x756e6547, 0x49656e69, 0x6c65746e }, .signature = 0x506e3, .features = 0x60, .has_msrs = true,
		.feature_control = 0xff07, .has_capabilities = true, .capabilities = 0x1fd };
	flight.f.chipset = (struct preflight_chipset){
		.didvid = UINT64_C(0x1b0018086), .fsbif = UINT32_MAX, .qpiif = 0x9d003000, .sinit_base = 0xc8200000, .sinit_size = 0x100000,
		.heap_base = 0xc8000000, .heap_size = 0x100000 };
	/* clang-format on */
	flight.f.heap = SPAN_OF(flight.heap);
	flight.f.sinit_area = SPAN_OF(flight.area);
	flight.f.banks = ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256);
	flight.f.sinit = flight_sinit(flight.file, 0x20220101, 1, 0xb001, NULL);
	flight.f.lcp_io = LAUNCH_IO_MISSING;
	flight_define(VLP_1, flight.f.policy_bytes);
	flight_define(GEO_INDEX_DEFAULT, SPAN_OF(flight.geo));
}

void flight_check(void)
{
	preflight_check(&flight.f, &ops, &flight, &flight.room, &flight.r);
	/* Every finding can be said in one line of printable text. */
	for (size_t i = 0; i < flight.r.count; i++) {
		char line[600];
		struct text t = TEXT_OF(line);

		preflight_line(&flight.r.findings[i], &t);
		assert_false(t.cut);
		for (size_t k = 0; k < t.n; k++)
			assert_in_range(line[k], 0x20, 0x7e);
	}
}

static const char *detail(size_t i)
{
	return flight.r.findings[i].detail;
}

void flight_says(const char *part)
{
	if (!strstr(detail(flight.r.count - 1), part))
		fail_msg("no \"%s\" in \"%s\"", part, detail(flight.r.count - 1));
}

/* Just this finding, with what the policy types make of it. */
void flight_one(enum preflight_id id)
{
	const struct preflight_info *info = &preflight_table[id];

	flight_check();
	if (flight.r.count != 1 || flight.r.findings[0].id != id) {
		for (size_t i = 0; i < flight.r.count; i++)
			print_message("found %s (%s)\n", preflight_table[flight.r.findings[i].id].name, detail(i));
		fail_msg("not just %s", info->name);
	}
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		enum vlp_action want = vlp_action(type, info->error);

		if (want == VLP_ACT_CONTINUE && info->stops)
			want = VLP_ACT_UNMEASURED;
		flight.r.policy_type = type;
		assert_int_equal(preflight_action(&flight.r, 0), want);
		assert_int_equal(preflight_action(&flight.r, 1), VLP_ACT_CONTINUE);
	}
}

void flight_none(void)
{
	flight_check();
	for (size_t i = 0; i < flight.r.count; i++)
		print_message("found %s (%s)\n", preflight_table[flight.r.findings[i].id].name, detail(i));
	assert_int_equal(flight.r.count, 0);
	assert_int_equal(preflight_action(&flight.r, 0), VLP_ACT_CONTINUE);
}
