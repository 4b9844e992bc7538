/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tboot-policy/vlp.h"

/* One entry of each kind, SHA-256. Offsets of the entries: 12, 20, 92, 100. */
/* clang-format off */
static const uint8_t good[140] = {
	0x02, 0x01, 0x0b, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04,
	[12] = 0x00, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	[20] = 0x01, 0x13, 0x01, 0x00, 0x00, 0x00, 0x00, 0x02,
	[28] = 0xa0, [59] = 0xa1, [60] = 0xb0, [91] = 0xb1,
	[92] = 0x81, 0x15, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	[100] = 0x82, 0x16, 0x01, 0x10, 0x01, 0xc1, 0x01, 0x01,
	[108] = 0xc0, [139] = 0xc1,
};
/* clang-format on */

static struct vlp decoded(struct span bytes)
{
	static struct vlp p;

	memset(&p, 0, sizeof(p));
	assert_int_equal(vlp_decode(bytes, &p), VLP_OK);
	return p;
}

static void assert_encodes_to(const struct vlp *p, struct span bytes)
{
	uint8_t buf[70000];
	size_t n = 0, measured = 0;

	assert_true(bytes.n <= sizeof(buf));
	assert_int_equal(vlp_encode(p, (struct mspan){ NULL, 0 }, &measured), VLP_OK);
	assert_int_equal(measured, bytes.n);
	assert_int_equal(vlp_encode(p, (struct mspan){ buf, sizeof(buf) }, &n), VLP_OK);
	assert_int_equal(n, bytes.n);
	assert_memory_equal(buf, bytes.p, n);
}

static void test_decode_fields(void **state)
{
	(void)state;
	struct vlp p = decoded(SPAN_OF(good));

	assert_int_equal(p.version, 2);
	assert_int_equal(p.type, VLP_CONTINUE);
	assert_int_equal(p.hash_alg, 0x000b);
	assert_int_equal(p.control, VLP_CONTROL_EXTEND_PCR17);
	assert_int_equal(p.reserved, 0);
	assert_int_equal(p.entry_count, 4);
	assert_int_equal(p.entries[0].module, 0);
	assert_int_equal(p.entries[0].pcr, VLP_PCR_NONE);
	assert_int_equal(p.entries[0].hash_type, VLP_HASH_ANY);
	assert_int_equal(p.entries[0].hash_count, 0);
	assert_int_equal(p.entries[1].module, 1);
	assert_int_equal(p.entries[1].pcr, 19);
	assert_int_equal(p.entries[1].hash_type, VLP_HASH_IMAGE);
	assert_int_equal(p.entries[1].hash_count, 2);
	assert_ptr_equal(p.entries[1].hashes.p, good + 28);
	assert_int_equal(p.entries[1].hashes.n, 64);
	assert_int_equal(p.entries[2].module, VLP_MODULE_ANY);
	assert_int_equal(p.entries[3].module, VLP_MODULE_NV);
	assert_int_equal(p.entries[3].nv_index, 0x01c10110);
	assert_ptr_equal(p.entries[3].hashes.p, good + 108);
	assert_int_equal(vlp_validate(&p, NULL), VLP_OK);
	assert_encodes_to(&p, SPAN_OF(good));
}

static void test_decode_cut_anywhere(void **state)
{
	(void)state;
	static struct vlp p, untouched;

	memset(&p, 0x5a, sizeof(p));
	memset(&untouched, 0x5a, sizeof(untouched));
	for (size_t n = 0; n < sizeof(good); n++)
		assert_int_equal(vlp_decode((struct span){ good, n }, &p), VLP_E_TRUNCATED);
	assert_memory_equal(&p, &untouched, sizeof(p));
}

static void test_decode_trailing(void **state)
{
	(void)state;
	static struct vlp p, untouched;
	uint8_t longer[sizeof(good) + 1] = { 0 };

	memcpy(longer, good, sizeof(good));
	memset(&p, 0x5a, sizeof(p));
	memset(&untouched, 0x5a, sizeof(untouched));
	assert_int_equal(vlp_decode(SPAN_OF(longer), &p), VLP_E_TRAILING);
	assert_memory_equal(&p, &untouched, sizeof(p));
}

struct mutation {
	const char *what;
	unsigned at;
	uint8_t value;
	enum vlp_error error;
	int where;
};

/* Every field, and every rule that a change of one byte can break. Entries 1 and 3 keep their hashes, so the rest stays in place. */
static const struct mutation mutations[] = {
	{ "version 1", 0, 1, VLP_E_VERSION, -1 },
	{ "version 3", 0, 3, VLP_E_VERSION, -1 },
	{ "type nonfatal", 1, 0, VLP_OK, 0 },
	{ "type halt", 1, 2, VLP_OK, 0 },
	{ "type 3", 1, 3, VLP_E_TYPE, -1 },
	{ "no algorithm", 2, 0x00, VLP_E_ALG, -1 },
	{ "SM3", 2, 0x12, VLP_E_ALG, -1 },
	{ "SHA-384 moves the entries", 2, 0x0c, VLP_E_TRUNCATED, -1 },
	{ "control 0", 3, 0, VLP_OK, 0 },
	{ "control bit 1", 3, 3, VLP_E_CONTROL, -1 },
	{ "control bit 8", 4, 1, VLP_E_CONTROL, -1 },
	{ "control bit 16", 5, 1, VLP_E_CONTROL, -1 },
	{ "control bit 31", 6, 0x80, VLP_E_CONTROL, -1 },
	{ "reserved byte 0", 7, 1, VLP_E_RESERVED, -1 },
	{ "reserved byte 1", 8, 1, VLP_E_RESERVED, -1 },
	{ "reserved byte 2", 9, 1, VLP_E_RESERVED, -1 },
	{ "reserved byte 3", 10, 1, VLP_E_RESERVED, -1 },
	{ "fewer entries", 11, 3, VLP_E_TRAILING, -1 },
	{ "more entries", 11, 5, VLP_E_TRUNCATED, -1 },
	{ "module 127", 12, 127, VLP_OK, 0 },
	{ "module 128", 12, 128, VLP_E_MODULE, 0 },
	{ "module 132", 12, 132, VLP_E_MODULE, 0 },
	{ "module 255", 20, 255, VLP_E_MODULE, 1 },
	{ "module of entry 0 again", 20, 0, VLP_E_DUPLICATE, 1 },
	{ "any first", 12, 129, VLP_E_SHADOWED, 1 },
	{ "any twice", 20, 129, VLP_E_DUPLICATE, 2 },
	{ "PCR 0", 21, 0, VLP_OK, 0 },
	{ "PCR 23", 21, 23, VLP_OK, 0 },
	{ "PCR 24", 21, 24, VLP_E_PCR, 1 },
	{ "PCR 254", 13, 254, VLP_E_PCR, 0 },
	{ "hash type 2", 14, 2, VLP_E_HASH_TYPE, 0 },
	{ "image without hashes", 14, 1, VLP_E_HASH_COUNT, 0 },
	{ "any with hashes", 22, 0, VLP_E_HASH_COUNT, 1 },
	{ "NV index byte 0 of a module", 15, 1, VLP_E_NV_INDEX, 0 },
	{ "NV index byte 1 of a module", 16, 1, VLP_E_NV_INDEX, 0 },
	{ "NV index byte 2 of a module", 17, 1, VLP_E_NV_INDEX, 0 },
	{ "NV index byte 3 of a module", 18, 1, VLP_E_NV_INDEX, 0 },
	{ "NV index byte 3 of any", 98, 1, VLP_E_NV_INDEX, 2 },
	{ "another NV index", 104, 0x80, VLP_OK, 0 },
	{ "permanent handle", 106, 0x40, VLP_E_NV_INDEX, 3 },
	{ "PCR handle", 106, 0x00, VLP_E_NV_INDEX, 3 },
	{ "fewer hashes", 27, 1, VLP_E_TRAILING, -1 },
	{ "a hash that is not there", 107, 2, VLP_E_TRUNCATED, -1 },
	{ "no hash", 107, 0, VLP_E_TRAILING, -1 },
	{ "raw", 100, 131, VLP_OK, 0 },
	{ "NV index turned module", 100, 2, VLP_E_NV_INDEX, 3 },
	{ "hash byte", 28, 0, VLP_OK, 0 },
};

static enum vlp_error decode_and_validate(struct span bytes, struct vlp *p, int *where)
{
	enum vlp_error e = vlp_decode(bytes, p);

	*where = -1;
	return e ? e : vlp_validate(p, where);
}

static void test_mutations(void **state)
{
	(void)state;
	static struct vlp p;
	bool covered[sizeof(good)] = { false };

	for (size_t i = 0; i < GL_COUNT(mutations); i++) {
		const struct mutation *m = &mutations[i];
		uint8_t bytes[sizeof(good)];
		int where;

		memcpy(bytes, good, sizeof(good));
		assert_int_not_equal(bytes[m->at], m->value);
		bytes[m->at] = m->value;
		covered[m->at] = true;

		enum vlp_error e = decode_and_validate(SPAN_OF(bytes), &p, &where);

		if (e != m->error || (e && where != m->where))
			fail_msg("%s: error %d (%s) at %d, expected %d at %d", m->what, e, vlp_strerror(e), where, m->error, m->where);
		if (!e)
			assert_encodes_to(&p, SPAN_OF(bytes));
	}
	for (size_t i = 0; i < VLP_HEADER_SIZE; i++)
		assert_true(covered[i]);
}

/* Whatever the bytes, what can be taken apart can be put together again. */
static void test_every_byte(void **state)
{
	(void)state;
	static struct vlp p;
	unsigned decodable = 0;

	for (size_t at = 0; at < sizeof(good); at++) {
		for (unsigned v = 0; v < 256; v++) {
			uint8_t bytes[sizeof(good)];

			memcpy(bytes, good, sizeof(good));
			bytes[at] = (uint8_t)v;
			if (vlp_decode(SPAN_OF(bytes), &p) != VLP_OK)
				continue;
			decodable++;
			assert_encodes_to(&p, SPAN_OF(bytes));
		}
	}
	assert_true(decodable > 30000);
}

static void test_nv_index_twice(void **state)
{
	(void)state;
	struct vlp p = decoded(SPAN_OF(good));
	int where = 77;

	p.entries[p.entry_count++] = (struct vlp_entry){ .module = VLP_MODULE_NV_RAW, .pcr = 22, .nv_index = 0x01c10111 };
	assert_int_equal(vlp_validate(&p, &where), VLP_OK);
	assert_int_equal(where, 77);
	p.entries[4].nv_index = 0x01c10110;
	assert_int_equal(vlp_validate(&p, &where), VLP_E_DUPLICATE);
	assert_int_equal(where, 4);
}

static void test_no_entries(void **state)
{
	(void)state;
	static const uint8_t empty[] = { 2, 0, 0x0b, 1, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct vlp p = decoded(SPAN_OF(empty));
	int where = 0;

	assert_encodes_to(&p, SPAN_OF(empty));
	assert_int_equal(vlp_validate(&p, &where), VLP_E_NO_ENTRIES);
	assert_int_equal(where, -1);
}

/* tboot's limit is that of 8 entries of 4 SHA-512 hashes. */
static void test_size_limit(void **state)
{
	(void)state;
	static const uint8_t hashes[4 * 64];
	static struct vlp p = { .version = 2, .type = VLP_HALT, .hash_alg = 0x000d, .control = 1, .entry_count = 8 };
	size_t n = 0;
	int where = 0;

	for (unsigned i = 0; i < 9; i++)
		p.entries[i] = (struct vlp_entry){
			.module = (uint8_t)i, .pcr = 19, .hash_type = VLP_HASH_IMAGE, .hash_count = 4, .hashes = SPAN_OF(hashes)
		};
	assert_int_equal(vlp_encode(&p, (struct mspan){ NULL, 0 }, &n), VLP_OK);
	assert_int_equal(n, VLP_MAX_SIZE);
	assert_int_equal(vlp_validate(&p, &where), VLP_OK);
	p.entries[8].hash_count = 1;
	p.entries[8].hashes.n = 64;
	p.entry_count = 9;
	assert_int_equal(vlp_validate(&p, &where), VLP_E_SIZE);
	assert_int_equal(where, -1);
}

static void test_struct_rules(void **state)
{
	(void)state;
	struct vlp p = decoded(SPAN_OF(good));
	uint8_t buf[sizeof(good)];
	size_t n = 4711;
	int where = 0;

	p.entries[1].hashes.n--;
	assert_int_equal(vlp_validate(&p, &where), VLP_E_HASH_COUNT);
	assert_int_equal(where, 1);
	assert_int_equal(vlp_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), VLP_E_HASH_COUNT);
	p.entries[1].hashes.n++;
	p.hash_alg = 0x010b;
	assert_int_equal(vlp_validate(&p, &where), VLP_E_ALG);
	assert_int_equal(where, -1);
	assert_int_equal(vlp_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), VLP_E_ALG);
	p.hash_alg = 0x000b;
	for (size_t size = 0; size < sizeof(good); size++)
		assert_int_equal(vlp_encode(&p, (struct mspan){ buf, size }, &n), VLP_E_BUFFER);
	assert_int_equal(n, 4711);
	assert_int_equal(vlp_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), VLP_OK);
	assert_int_equal(n, sizeof(good));
}

/* decode(encode(x)) = x, for every algorithm, with as many entries as a policy can have. */
static void test_round_trip(void **state)
{
	(void)state;
	static uint8_t hashes[255 * 64], buf[255 * (8 + 3 * 64) + 12];
	static struct vlp p, back;

	for (size_t i = 0; i < sizeof(hashes); i++)
		hashes[i] = (uint8_t)(i * 7 + i / 251);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		size_t size = alg_table[a].size, n = 0;

		p = (struct vlp){ .version = 2,
			.type = (uint8_t)(a % 3),
			.hash_alg = alg_table[a].tpm_id,
			.control = 0xa5a5a5a5,
			.reserved = 0x01020304,
			.entry_count = 255 };
		for (unsigned i = 0; i < 255; i++)
			p.entries[i] = (struct vlp_entry){ .module = (uint8_t)(i + 1),
				.pcr = (uint8_t)(255 - i),
				.hash_type = (uint8_t)(i % 5),
				.nv_index = 0x01000000u * i + i,
				.hash_count = (uint8_t)(i % 4),
				.hashes = { hashes + i, i % 4 * size } };
		assert_int_equal(vlp_encode(&p, (struct mspan){ buf, sizeof(buf) }, &n), VLP_OK);
		assert_int_equal(vlp_decode((struct span){ buf, n }, &back), VLP_OK);
		assert_int_equal(back.version, p.version);
		assert_int_equal(back.type, p.type);
		assert_int_equal(back.hash_alg, p.hash_alg);
		assert_int_equal(back.control, p.control);
		assert_int_equal(back.reserved, p.reserved);
		assert_int_equal(back.entry_count, p.entry_count);
		for (unsigned i = 0; i < 255; i++) {
			assert_int_equal(back.entries[i].module, p.entries[i].module);
			assert_int_equal(back.entries[i].pcr, p.entries[i].pcr);
			assert_int_equal(back.entries[i].hash_type, p.entries[i].hash_type);
			assert_int_equal(back.entries[i].nv_index, p.entries[i].nv_index);
			assert_int_equal(back.entries[i].hash_count, p.entries[i].hash_count);
			assert_true(span_equal(back.entries[i].hashes, p.entries[i].hashes));
		}
	}
}

/* What tboot falls back to without a policy (tboot/common/policy.c, _def_policy): sound but for its NV index of TPM 1.2. */
static void test_tboot_default(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t bytes[36] = {
		2, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 3,
		0, 255, 0, 0, 0, 0, 0, 0,
		129, 19, 0, 0, 0, 0, 0, 0,
		131, 22, 0, 0x10, 0x00, 0x00, 0x40, 0,
	};
	/* clang-format on */
	struct vlp p = decoded(SPAN_OF(bytes));
	int where = 0;

	assert_encodes_to(&p, SPAN_OF(bytes));
	assert_int_equal(vlp_validate(&p, &where), VLP_E_NV_INDEX);
	assert_int_equal(where, 2);
	p.entries[2].nv_index = 0x01c10110;
	assert_int_equal(vlp_validate(&p, &where), VLP_OK);
}

static void test_find_module(void **state)
{
	(void)state;
	struct vlp p = decoded(SPAN_OF(good));

	assert_ptr_equal(vlp_find_module(&p, 0), &p.entries[0]);
	assert_ptr_equal(vlp_find_module(&p, 1), &p.entries[1]);
	assert_ptr_equal(vlp_find_module(&p, 2), &p.entries[2]);
	assert_ptr_equal(vlp_find_module(&p, 130), &p.entries[2]);
	p.entries[2].module = 127;
	assert_ptr_equal(vlp_find_module(&p, 127), &p.entries[2]);
	p.entries[2].module = 5;
	assert_ptr_equal(vlp_find_module(&p, 5), &p.entries[2]);
	assert_null(vlp_find_module(&p, 2));
	assert_null(vlp_find_module(&p, 129));
	assert_null(vlp_find_module(&p, 130));
	assert_null(vlp_find_module(&p, 256 + 5));
	p.entries[0].module = VLP_MODULE_ANY;
	assert_ptr_equal(vlp_find_module(&p, 1), &p.entries[0]);
}

static void test_entry_allows(void **state)
{
	(void)state;
	struct vlp p = decoded(SPAN_OF(good));
	struct digests d = { .banks = ALG_BIT(ALG_SHA256) };

	memcpy(d.d[ALG_SHA256], good + 28, 32);
	assert_true(vlp_entry_allows(&p, &p.entries[1], &d));
	memcpy(d.d[ALG_SHA256], good + 60, 32);
	assert_true(vlp_entry_allows(&p, &p.entries[1], &d));
	d.d[ALG_SHA256][31] ^= 1;
	assert_false(vlp_entry_allows(&p, &p.entries[1], &d));
	assert_true(vlp_entry_allows(&p, &p.entries[0], &d));
	/* half of one hash and half of the next */
	memcpy(d.d[ALG_SHA256], good + 44, 32);
	assert_false(vlp_entry_allows(&p, &p.entries[1], &d));
	/* no digest of the policy's algorithm */
	memcpy(d.d[ALG_SHA256], good + 28, 32);
	d.banks = ALG_BIT(ALG_SHA1);
	assert_false(vlp_entry_allows(&p, &p.entries[1], &d));
	assert_true(vlp_entry_allows(&p, &p.entries[0], &d));
	d.banks = ALG_SET_ALL;
	p.entries[1].hash_type = 2;
	assert_false(vlp_entry_allows(&p, &p.entries[1], &d));
	p.entries[1].hash_type = VLP_HASH_IMAGE;
	p.entries[1].hashes.n = 0;
	assert_false(vlp_entry_allows(&p, &p.entries[1], &d));
	p.entries[0].hashes = (struct span){ NULL, 0 };
	p.entries[0].hash_type = VLP_HASH_IMAGE;
	assert_false(vlp_entry_allows(&p, &p.entries[0], &d));
}

static void test_print(void **state)
{
	(void)state;
	static char buf[4096];
	struct text t = TEXT_OF(buf);
	struct vlp p = decoded(SPAN_OF(good));

	vlp_print(&p, &t);
	assert_string_equal(buf,
		"policy: version 2, policy_type TB_POLTYPE_CONT_VERIFY_FAIL, hash_alg sha256, policy_control 0x00000001 (EXTEND_PCR17), "
		"num_entries 4\n"
		"entry 0: mod_num 0, pcr none, hash_type any, num_hashes 0\n"
		"entry 1: mod_num 1, pcr 19, hash_type image, num_hashes 2 "
		"a0000000000000000000000000000000000000000000000000000000000000a1 "
		"b0000000000000000000000000000000000000000000000000000000000000b1\n"
		"entry 2: mod_num any, pcr 21, hash_type any, num_hashes 0\n"
		"entry 3: mod_num nv, nv_index 0x01c10110, pcr 22, hash_type image, num_hashes 1 "
		"c0000000000000000000000000000000000000000000000000000000000000c1\n");
}

static void test_print_last_module(void **state)
{
	(void)state;
	char buf[512];
	struct text t = TEXT_OF(buf);
	static struct vlp p = { .version = 2, .hash_alg = 4, .entry_count = 1, .entries = { { .module = 127, .pcr = 23 } } };

	vlp_print(&p, &t);
	assert_string_equal(buf,
		"policy: version 2, policy_type TB_POLTYPE_CONT_NON_FATAL, hash_alg sha1, policy_control 0x00000000, num_entries 1\n"
		"entry 0: mod_num 127, pcr 23, hash_type any, num_hashes 0\n");
}

/* Also what does not hold is printed, without reading anything that is not there. */
static void test_print_invalid(void **state)
{
	(void)state;
	static char buf[4096];
	struct text t = TEXT_OF(buf);
	struct vlp p = decoded(SPAN_OF(good));

	p.type = 3;
	p.hash_alg = 0x12;
	p.control = 0;
	p.reserved = 1;
	p.entry_count = 2;
	p.entries[0].module = 128;
	p.entries[1].hash_type = 7;
	p.entries[1].module = VLP_MODULE_NV_RAW;
	p.entries[1].nv_index = 0;
	vlp_print(&p, &t);
	assert_string_equal(buf,
		"policy: version 2, policy_type unknown (3), hash_alg unknown (18), policy_control 0x00000000, reserved 0x00000001, "
		"num_entries 2\n"
		"entry 0: mod_num unknown (128), pcr none, hash_type any, num_hashes 0\n"
		"entry 1: mod_num nv_raw, pcr 19, hash_type unknown (7), num_hashes 2\n");
}

static void test_type_names(void **state)
{
	(void)state;
	static const char *const names[] = { "nonfatal", "continue", "halt" };
	uint8_t type = 9;

	for (uint8_t i = 0; i < 3; i++) {
		assert_string_equal(vlp_type_name(i), names[i]);
		assert_true(vlp_type_by_name(span_str(names[i]), &type));
		assert_int_equal(type, i);
	}
	assert_null(vlp_type_name(3));
	assert_false(vlp_type_by_name(SPAN_LITERAL("Halt"), &type));
	assert_false(vlp_type_by_name(SPAN_LITERAL(""), &type));
	assert_int_equal(type, VLP_HALT);
}

static void test_strerror(void **state)
{
	(void)state;
	for (int e = VLP_E_TRUNCATED; e < VLP_ERROR_COUNT; e++) {
		const char *text = vlp_strerror((enum vlp_error)e);

		assert_non_null(text);
		if (e != VLP_E_BUFFER)
			assert_non_null(strstr(text, "include/tb_policy.h, "));
		for (int other = 0; other < e; other++)
			assert_string_not_equal(text, vlp_strerror((enum vlp_error)other));
	}
	assert_string_equal(vlp_strerror(VLP_ERROR_COUNT), "unknown policy error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode_fields),
		cmocka_unit_test(test_decode_cut_anywhere),
		cmocka_unit_test(test_decode_trailing),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_nv_index_twice),
		cmocka_unit_test(test_no_entries),
		cmocka_unit_test(test_size_limit),
		cmocka_unit_test(test_struct_rules),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_tboot_default),
		cmocka_unit_test(test_find_module),
		cmocka_unit_test(test_entry_allows),
		cmocka_unit_test(test_print),
		cmocka_unit_test(test_print_last_module),
		cmocka_unit_test(test_print_invalid),
		cmocka_unit_test(test_type_names),
		cmocka_unit_test(test_strerror),
	};

	return cmocka_run_group_tests_name("vlp", tests, NULL, NULL);
}
