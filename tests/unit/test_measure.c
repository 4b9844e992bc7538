/* SPDX-License-Identifier: BSD-3-Clause */
#include "evp.h"

#include "common/hash.h"
#include "common/measure.h"

#define SOME_BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA512))

/* True if bank `a` of `d` is H( parts ). */
static void check_bank(const struct digests *d, enum alg a, const struct span *parts, size_t count)
{
	uint8_t want[DIGEST_MAX];

	evp_parts(a, parts, count, want);
	assert_memory_equal(d->d[a], want, alg_table[a].size);
}

static void test_module(void **state)
{
	(void)state;
	static const char *const lines[] = { "", "console=ttyS0 root=/dev/vda ro", "/usr/bin/qemu-system-x86_64" };

	for (size_t i = 0; i < GL_COUNT(lines); i++) {
		struct digests image, out;

		hash_span(ALG_SET_ALL, SPAN_LITERAL("the bytes of a module"), &image);
		measure_module(ALG_SET_ALL, span_str(lines[i]), &image, &out);
		assert_int_equal(out.banks, ALG_SET_ALL);
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			uint8_t line[DIGEST_MAX], bytes[DIGEST_MAX];
			struct span parts[] = { { line, alg_table[a].size }, { bytes, alg_table[a].size } };

			evp(a, span_str(lines[i]), line);
			evp(a, SPAN_LITERAL("the bytes of a module"), bytes);
			check_bank(&out, a, parts, 2);
		}
	}
}

static void test_module_in_place_and_partial(void **state)
{
	(void)state;
	struct digests image, out;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &image);
	measure_module(SOME_BANKS, SPAN_LITERAL("y"), &image, &out);
	assert_int_equal(out.banks, SOME_BANKS);

	/* Over its own input. */
	measure_module(SOME_BANKS, SPAN_LITERAL("y"), &image, &image);
	assert_true(digests_equal(&image, &out));

	/* A bank without a digest of the image gets none. */
	hash_span(ALG_BIT(ALG_SHA1), SPAN_LITERAL("x"), &image);
	measure_module(ALG_SET_ALL, SPAN_LITERAL("y"), &image, &out);
	assert_int_equal(out.banks, ALG_BIT(ALG_SHA1));
}

static void test_policy(void **state)
{
	(void)state;
	static const uint8_t policy[] = { 2, 0, 0x0b, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
	static const uint32_t controls[] = { 1, 0, 0xfffffffe, 0x80402001 };

	for (size_t i = 0; i < GL_COUNT(controls); i++) {
		uint32_t c = controls[i];
		const uint8_t wire[4] = { c & 0xff, c >> 8 & 0xff, c >> 16 & 0xff, (uint8_t)(c >> 24) };
		struct digests out;

		measure_policy(ALG_SET_ALL, c, SPAN_OF(policy), &out);
		assert_int_equal(out.banks, ALG_SET_ALL);
		for (enum alg a = 0; a < ALG_COUNT; a++) {
			uint8_t h[DIGEST_MAX] = { 0 };
			struct span parts[] = { SPAN_OF(wire), { h, alg_table[a].size } };

			if (c & 1)
				evp(a, SPAN_OF(policy), h);
			check_bank(&out, a, parts, 2);
		}
	}
}

/* tboot's built-in policy, 36 bytes: the header, { 0, no PCR, any }, { any module, `pcr`, any }, { NV_RAW 0x40000010, PCR 22, any }. */
static void tboot_default_policy(uint8_t out[36], uint8_t hash_alg, uint8_t pcr)
{
	/* clang-format off */
	const uint8_t bytes[36] = {
		2, 0, hash_alg, 1, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 255, 0, 0, 0, 0, 0, 0,
		129, pcr, 0, 0, 0, 0, 0, 0,
		131, 22, 0, 0x10, 0, 0, 0x40, 0,
	};
	/* clang-format on */

	memcpy(out, bytes, sizeof(bytes));
}

/* Values that tboot extended on real machines; the second is in tests/data/real-txt. */
static void test_policy_of_real_machines(void **state)
{
	(void)state;
	static const struct {
		uint8_t alg, pcr;
		const char *want;
	} cases[] = {
		{ 0x04, 17, "27808f64e6383982cd3bcc10cfcb3457c0b65f465f779d89b668839eaf263a67" },
		{ 0x0b, 17, "71be5852a14eabefebf0df0e1acc5da291883b6d4c5ab20914ed987c1daf3f91" },
		{ 0x0b, 19, "9f6449ddf2b1dda0ac1df6f42b4f96e50f66bbd41aeb6ee49766432f1e328052" },
	};

	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		uint8_t policy[36];
		struct digests d;

		tboot_default_policy(policy, cases[i].alg, cases[i].pcr);
		measure_policy(ALG_BIT(ALG_SHA256), 1, SPAN_OF(policy), &d);
		assert_int_equal(d.banks, ALG_BIT(ALG_SHA256));
		assert_hex(digest_span(&d, ALG_SHA256), cases[i].want);
	}
}

static void test_nv(void **state)
{
	(void)state;
	uint8_t content[200];

	memset(content, 0xc3, sizeof(content));
	for (size_t n = 0; n <= sizeof(content); n++) {
		struct span c = { content, n };

		for (int raw = 0; raw < 2; raw++) {
			struct digests out;

			measure_nv(ALG_SET_ALL, raw, c, &out);
			assert_int_equal(out.banks, ALG_SET_ALL);
			for (enum alg a = 0; a < ALG_COUNT; a++) {
				if (raw && n == alg_table[a].size)
					assert_memory_equal(out.d[a], content, n);
				else
					check_bank(&out, a, &c, 1);
			}
		}
	}

	struct digests out;

	measure_nv(SOME_BANKS, true, (struct span){ content, 32 }, &out);
	assert_int_equal(out.banks, SOME_BANKS);
}

static void test_closing(void **state)
{
	(void)state;
	struct pcrs p;
	struct digests out;

	pcrs_reset_dynamic(&p, ALG_SET_ALL, false);
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned i = 17; i <= 22; i++)
			memset(p.v[a][i], (int)(a * 32 + i), DIGEST_MAX);
	assert_true(measure_closing(ALG_SET_ALL, &p, &out));
	assert_int_equal(out.banks, ALG_SET_ALL);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		struct span parts[4];

		for (unsigned i = 0; i < 4; i++)
			parts[i] = (struct span){ p.v[a][19 + i], alg_table[a].size };
		check_bank(&out, a, parts, 4);
	}

	/* Each of the four must be known, in each bank asked for; the output stays as it was. */
	for (unsigned i = 17; i <= 22; i++) {
		struct pcrs q = p;
		struct digests before;

		memset(&out, 0x77, sizeof(out));
		before = out;
		q.known[ALG_SHA384] &= ~(1u << i);
		assert_int_equal(measure_closing(ALG_SET_ALL, &q, &out), i < 19);
		if (i >= 19)
			assert_memory_equal(&out, &before, sizeof(out));
		assert_true(measure_closing(SOME_BANKS, &q, &out));
		assert_int_equal(out.banks, SOME_BANKS);
	}
	p.banks = SOME_BANKS;
	assert_false(measure_closing(ALG_SET_ALL, &p, &out));
}

/* Golden: these digests are in TPMs and in policies of others. A name may be added, never changed. */
static const struct {
	const char *name;
	const char *sha256;
} caps[] = {
	{ "policy-missing", "b3601c53f437e3e67ae4e934483bdba69aeddf9ce9917071865e40e1f9595cac" },
	{ "policy-invalid", "937c0d8720a306c4fd390e906db262ba710f8526f567819e459cb06704c46662" },
	{ "description-missing", "26277e705724d0c163e4b8e809d0212d256cb0914450e591c577b1b95ad7e363" },
	{ "description-invalid", "d2c62877a18fc9ffe152f9fda956559137b08bd69c57f6455609b822bafcebd2" },
	{ "module-missing", "622f1a69d048726079ca24710e94cf381d377bde24bb9b480fa2b2640d59d88b" },
	{ "module-unreadable", "10918bb766078c75f45adc6879b834104fb6a57239037bd8fe28e22ba086ad28" },
	{ "module-unlisted", "89868e57d888716e95c216fd857ebb8d94e9b3834536843dccb3403386d0f22e" },
	{ "module-mismatch", "9698aaf26d0dd19931cbc210c2dc2f923afafc52ac637a83a7613c9c8b6477fa" },
	{ "nv-missing", "2b38c9911674c79bafce5851bd63f4778e583b70456df1f03af7c67e313caa0b" },
	{ "nv-unreadable", "cd02b20fd78ee2302ee0e8dc7914e972fe41ca53795bedbc9628673de46b8462" },
	{ "nv-size", "510f8f6815b5d49252b068aef3640d7e2f8bcc4d495aff27b56e88a42d0eb641" },
	{ "nv-mismatch", "7019aacff17024d693d6ec3fb3a9dd3c1a248faf4a9e959b3d0f41f9c35b3067" },
	{ "tpm-error", "58d2acfaef9651840f1d0f65a3f93f171943fd3c37acb8089cf8bd8602aed0bb" },
	{ "start-failed", "6cb415e9011d7900a2fd2ccf40e18a4692cdedba473128cf7e210ecf0f3d1bf6" },
	{ "preflight", "20edccd5f6523486bf8c9745d0e8030785d60cbae56d4b0b48914900de620335" },
	{ "description-unsigned", "32b5db4bfc863e1a9ff4db819da39f32d1172aa5223853d9e4258e81d3bdc44a" },
};

static void test_caps(void **state)
{
	(void)state;
	assert_int_equal(GL_COUNT(caps), CAP_COUNT);
	for (unsigned i = 0; i < CAP_COUNT; i++) {
		struct digests d;
		struct span parts[] = { SPAN_LITERAL("cap "), span_str(caps[i].name) };

		assert_string_equal(cap_table[i].name, caps[i].name);
		assert_true(span_str(cap_table[i].meaning).n > 10);
		measure_cap(ALG_SET_ALL, (enum cap)i, &d);
		assert_int_equal(d.banks, ALG_SET_ALL);
		assert_hex(digest_span(&d, ALG_SHA256), caps[i].sha256);
		for (enum alg a = 0; a < ALG_COUNT; a++)
			check_bank(&d, a, parts, 2);
	}
}

/* Golden as well: the numbers are in logs. */
static void test_types(void **state)
{
	(void)state;
	static const struct {
		uint32_t type;
		const char *name;
	} want[] = {
		{ 0x5a0, "EV_GEOLAUNCH_POLICY" },
		{ 0x5a1, "EV_GEOLAUNCH_MODULE" },
		{ 0x5a2, "EV_GEOLAUNCH_NV" },
		{ 0x5a3, "EV_GEOLAUNCH_CLOSING" },
		{ 0x5a4, "EV_GEOLAUNCH_CAP" },
	};

	assert_int_equal(measure_table_count, GL_COUNT(want));
	for (size_t i = 0; i < GL_COUNT(want); i++) {
		const struct measure_info *m = measure_by_type(want[i].type);

		assert_non_null(m);
		assert_string_equal(m->type_name, want[i].name);
		assert_true(m->pcrs && m->what && m->digest && m->event_data && m->by);
	}
	assert_null(measure_by_type(0));
	assert_null(measure_by_type(0x59f));
	assert_null(measure_by_type(0x5a5));
}

static void test_roles(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		uint8_t pcr;
		bool numbered, many, member;
	} want[] = {
		{ "description", 17, false, false, false },
		{ "hypervisor", 19, true, false, false },
		{ "kernel", 19, true, false, false },
		{ "initrd", 19, true, false, false },
		{ "vmm", 20, true, false, true },
		{ "file", 21, true, true, true },
		{ "tboot", 17, false, false, false },
		{ "stage", 17, false, false, false },
		{ "sinit", 17, false, false, false },
		{ "lcp", 17, false, false, false },
	};
	enum role r = ROLE_VMM;

	assert_int_equal(GL_COUNT(want), ROLE_COUNT);
	assert_false(role_by_name(SPAN_LITERAL("fil"), &r));
	assert_false(role_by_name(SPAN_LITERAL("files"), &r));
	assert_false(role_by_name(SPAN_LITERAL(""), &r));
	assert_int_equal(r, ROLE_VMM);
	for (unsigned i = 0; i < ROLE_COUNT; i++) {
		assert_string_equal(role_table[i].name, want[i].name);
		assert_int_equal(role_table[i].pcr, want[i].pcr);
		assert_int_equal(role_table[i].numbered, want[i].numbered);
		assert_int_equal(role_table[i].many, want[i].many);
		assert_int_equal(role_table[i].member, want[i].member);
		assert_true(role_by_name(span_str(want[i].name), &r));
		assert_int_equal(r, i);
	}
}

static void test_names(void **state)
{
	(void)state;
	char buf[128];
	struct text t = TEXT_OF(buf);

	name_policy(&t);
	assert_string_equal(buf, "policy");
	t.n = 0;
	name_module(&t, 0, ROLE_DESCRIPTION, SPAN_LITERAL("launch.conf"));
	assert_string_equal(buf, "module 0 description launch.conf");
	t.n = 0;
	name_module(&t, 1, ROLE_HYPERVISOR, SPAN_LITERAL("vmlinuz"));
	assert_string_equal(buf, "module 1 hypervisor vmlinuz");
	t.n = 0;
	name_module(&t, 12, ROLE_FILE, SPAN_LITERAL(""));
	assert_string_equal(buf, "module 12 file");
	t.n = 0;
	name_module(&t, 2, ROLE_INITRD, SPAN_LITERAL("a\nb"));
	assert_string_equal(buf, "module 2 initrd a?b");
	t.n = 0;
	name_nv(&t, false, 0x01c10110);
	assert_string_equal(buf, "nv 0x01c10110");
	t.n = 0;
	name_nv(&t, true, 0x01c10110);
	assert_string_equal(buf, "nv-raw 0x01c10110");
	t.n = 0;
	name_closing(&t);
	assert_string_equal(buf, "closing");
	t.n = 0;
	name_cap(&t, CAP_NV_MISSING, SPAN_LITERAL("nv 0x01c10110"));
	assert_string_equal(buf, "cap nv-missing nv 0x01c10110");
	t.n = 0;
	name_cap(&t, CAP_POLICY_MISSING, (struct span){ NULL, 0 });
	assert_string_equal(buf, "cap policy-missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_module_in_place_and_partial),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_policy_of_real_machines),
		cmocka_unit_test(test_nv),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_caps),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_roles),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
