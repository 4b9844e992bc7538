/* SPDX-License-Identifier: BSD-3-Clause */
/* Authenticated code modules: what is made is read back; every field that leads somewhere is led astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "acm_samples.h"

static void fields_are_read_where_the_guide_puts_them(void **state)
{
	(void)state;
	/* clang-format off */
	static const uint8_t head[60] = {
		0x02, 0x00, 0x01, 0x00, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xb0, 0x00, 0x40,
		0x86, 0x80, 0, 0, 0x31, 0x12, 0x24, 0x20, 0x00, 0x02, 0, 0, 0x03, 0x00, 0x04, 0x00,
		0x05, 0, 0, 0, 0x06, 0, 0, 0, 0x1f, 0, 0, 0, 0x07, 0, 0, 0,
		0x08, 0, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0,
	};
	/* clang-format on */
	/* clang-format off */
	static const uint8_t info[48] = {
		0xaa, 0x3a, 0xc0, 0x7f, 0xa7, 0x46, 0xdb, 0x18, 0x2e, 0xac, 0x69, 0x8f, 0x8d, 0x41, 0x7f, 0x5a,
		0x01, 0x07, 0x30, 0x00, 0xf0, 0x04, 0, 0, 0x07, 0, 0, 0, 0x00, 0x00, 0x02, 0x00,
		0x7e, 0x47, 0x00, 0x00, 0x27, 0x01, 0x12, 0x10, 0x20, 0x05, 0, 0, 0x60, 0x05, 0, 0,
	};
	/* clang-format on */
	struct acm_recipe r = acm_sample();
	struct acm a;

	r.subtype = 1;
	r.flags = ACM_FLAG_PRE_PRODUCTION;
	r.date = 0x20241231;
	r.txt_svn = 3;
	r.se_svn = 4;
	r.code_control = 5;
	r.error_entry_point = 6;
	r.gdt_base = 7;
	r.entry_point = 9;
	r.info_version = 7;
	r.capabilities = 0x477e;
	r.acm_version = 0x27;
	memcpy(r.acm_revision, (const uint8_t[]){ 1, 0x12, 0x10 }, 3);

	uint8_t *p = acm_sample_bytes(&r);

	assert_memory_equal(p, head, sizeof(head));
	assert_memory_equal(p + ACM_SAMPLE_INFO, info, sizeof(info));
	assert_int_equal(p[120] | p[121] << 8, 64);
	assert_int_equal(p[124] | p[125] << 8, 143);
	assert_memory_equal(p + 128 + 256, "\x01\x00\x01\x00", 4);
	assert_int_equal(acm_decode((struct span){ p, r.size }, &a), ACM_OK);
	assert_int_equal(a.header.subtype, 1);
	assert_int_equal(a.header.length, 161);
	assert_int_equal(a.header.flags, 0x4000);
	assert_int_equal(a.header.date, 0x20241231);
	assert_int_equal(a.header.size, ACM_SAMPLE_SIZE / 4);
	assert_int_equal(a.header.txt_svn, 3);
	assert_int_equal(a.header.se_svn, 4);
	assert_int_equal(a.header.code_control, 5);
	assert_int_equal(a.header.error_entry_point, 6);
	assert_int_equal(a.header.gdt_limit, 0x1f);
	assert_int_equal(a.header.gdt_base, 7);
	assert_int_equal(a.header.seg_sel, 8);
	assert_int_equal(a.header.entry_point, 9);
	assert_int_equal(a.header.exponent, 65537);
	assert_ptr_equal(a.header.public_key.p, p + 128);
	assert_ptr_equal(a.header.signature.p, p + 388);
	assert_int_equal(a.info.chipset_type, ACM_SINIT);
	assert_int_equal(a.info.version, 7);
	assert_int_equal(a.info.length, 48);
	assert_int_equal(a.info.os_sinit_data_version, 7);
	assert_int_equal(a.info.min_mle_header_version, 0x20000);
	assert_int_equal(a.info.capabilities, 0x477e);
	assert_int_equal(a.info.acm_version, 0x27);
	assert_memory_equal(a.info.acm_revision, ((const uint8_t[]){ 1, 0x12, 0x10 }), 3);
	assert_int_equal(a.tpm.nv_index_set, 1);
	assert_int_equal(a.tpm.family, ACM_TPM_PTT_20);
	assert_int_equal(a.tpm.extend_policy, 3);
	assert_int_equal(acm_validate(&a), ACM_OK);
	free(p);
}

static void same_lists(const struct acm_recipe *r, const struct acm *a)
{
	assert_int_equal(a->chipsets.count, r->chipset_count);
	for (uint32_t i = 0; i < a->chipsets.count; i++) {
		struct acm_chipset c = acm_chipset_at(&a->chipsets, i);

		assert_memory_equal(&c, &r->chipsets[i], sizeof(c));
	}
	assert_int_equal(a->chipsets2.count, r->info_version < 9 ? 0 : r->chipset2_count);
	assert_int_equal(a->processors.present, r->info_version >= 4);
	assert_int_equal(a->processors.count, r->info_version < 4 ? 0 : r->processor_count);
	for (uint32_t i = 0; i < a->processors.count; i++) {
		struct acm_processor p = acm_processor_at(a, i);

		assert_memory_equal(&p, &r->processors[i], sizeof(p));
	}
	assert_int_equal(a->tpm_algs.present, r->info_version >= 5);
	assert_int_equal(a->tpm_algs.count, r->info_version < 5 ? 0 : r->tpm_alg_count);
	for (uint32_t i = 0; i < a->tpm_algs.count; i++)
		assert_int_equal(acm_tpm_alg_at(a, i), r->tpm_algs[i]);
}

static void what_is_made_is_read_back(void **state)
{
	(void)state;
	static const uint32_t headers[] = { 0, 0x30000, 0x40000 };
	static const uint8_t infos[] = { 3, 4, 5, 6, 7, 8, 9, 10 };
	static const uint16_t algs[] = { 4, 0xb, 0xc, 0xd, 0x12, 0x14, 0x16, 0x18 };
	size_t cases = 0;

	for (size_t h = 0; h < GL_COUNT(headers); h++)
		for (size_t v = 0; v < GL_COUNT(infos); v++)
			for (size_t n = 0; n <= GL_COUNT(algs); n++) {
				struct acm_recipe r = acm_sample();
				struct acm a;
				uint8_t *p;

				r.size = 0x4000;
				r.header_version = headers[h];
				r.info_version = infos[v];
				r.chipset_count = n % 3;
				r.chipsets2 = acm_sample_chipsets;
				r.chipset2_count = n % 2;
				r.processor_count = n % 3;
				r.tpm_algs = algs;
				r.tpm_alg_count = n;
				r.fill = (uint8_t)n;
				p = acm_sample_bytes(&r);
				assert_int_equal(acm_decode((struct span){ p, r.size }, &a), ACM_OK);
				same_lists(&r, &a);
				assert_int_equal(a.header.public_key.n, headers[h] ? 384 : 256);
				assert_int_equal(a.header.signature.p[0], n);
				assert_int_equal(a.header.second_key.n, headers[h] == 0x40000 ? 64 : 0);
				assert_int_equal(a.padding, 0);
				free(p);
				cases++;
			}
	assert_int_equal(cases, 3 * 8 * 9);
}

static void elements_behind_the_end_are_zero(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	uint8_t *p = acm_sample_bytes(&r);
	struct acm a;

	assert_int_equal(acm_decode((struct span){ p, r.size }, &a), ACM_OK);
	assert_int_equal(acm_chipset_at(&a.chipsets, 2).vendor_id, 0);
	assert_int_equal(acm_chipset_at(&a.chipsets, UINT32_MAX).vendor_id, 0);
	assert_int_equal(acm_processor_at(&a, 2).fms, 0);
	assert_int_equal(acm_tpm_alg_at(&a, 3), 0);
	free(p);
}

static void padding_is_what_tboot_lets_pass(void **state)
{
	(void)state;
	static const struct {
		size_t padding;
		bool fine;
	} rows[] = { { 0, true }, { 1, false }, { 0xffff, false }, { 0x10000, true }, { 0x20003, true }, { 0x40000, true },
		{ 0x40001, false } };
	struct acm_recipe r = acm_sample();
	uint8_t *p = realloc(acm_sample_bytes(&r), ACM_SAMPLE_SIZE + 0x40001);
	struct acm a;

	assert_non_null(p);
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		enum acm_error e = acm_decode((struct span){ p, ACM_SAMPLE_SIZE + rows[i].padding }, &a);

		assert_int_equal(e, rows[i].fine ? ACM_OK : ACM_E_SIZE);
		if (rows[i].fine) {
			assert_int_equal(a.padding, rows[i].padding);
			assert_int_equal(a.bytes.n, ACM_SAMPLE_SIZE);
		}
	}
	free(p);
}

struct mutation {
	const char *what;
	size_t offset, width;
	uint64_t value;
	enum acm_error error; /* of acm_decode(), else of acm_validate() */
};

static const struct mutation mutations[] = {
	{ "type", 0, 2, 3, ACM_E_TYPE },
	{ "header length, info table far away", 4, 4, 0xffffffff, ACM_E_INFO },
	{ "header length, sum of 32 bits would wrap", 4, 4, 0x40000000 - 143, ACM_E_INFO },
	{ "header length, info table at the end", 4, 4, ACM_SAMPLE_SIZE / 4 - 143, ACM_E_INFO },
	{ "header length, one info table before the end", 4, 4, (ACM_SAMPLE_SIZE - 48) / 4 - 143, ACM_E_UUID },
	{ "header length, not that of the version", 4, 4, 160, ACM_E_UUID },
	{ "header version", 8, 4, 0x50000, ACM_E_HEADER_VERSION },
	{ "header version 3.0 with lengths of 0.0", 8, 4, 0x30000, ACM_E_HEADER_LENGTH },
	{ "header version 4.0: signature behind the end", 8, 4, 0x40000, ACM_E_HEADER },
	{ "vendor", 16, 4, 0x8087, ACM_E_VENDOR },
	{ "date, letter", 20, 4, 0x2022010a, ACM_E_DATE },
	{ "date, month 0", 20, 4, 0x20220001, ACM_E_DATE },
	{ "date, month 13", 20, 4, 0x20221301, ACM_E_DATE },
	{ "date, day 32", 20, 4, 0x20221232, ACM_E_DATE },
	{ "size, one less", 24, 4, ACM_SAMPLE_SIZE / 4 - 1, ACM_E_SIZE },
	{ "size, one more", 24, 4, ACM_SAMPLE_SIZE / 4 + 1, ACM_E_SIZE },
	{ "size, times 4 wraps to the file's", 24, 4, 0x40000000 + ACM_SAMPLE_SIZE / 4, ACM_E_SIZE },
	{ "segment 0", 48, 4, 0, ACM_E_SEGMENT },
	{ "segment with privilege", 48, 4, 9, ACM_E_SEGMENT },
	{ "segment behind the GDT", 48, 4, 0x18, ACM_E_SEGMENT },
	{ "segment, sum wraps", 48, 4, 0xfffffff8, ACM_E_SEGMENT },
	{ "entry point at the end", 52, 4, ACM_SAMPLE_SIZE, ACM_E_ENTRY },
	{ "key size", 120, 4, 96, ACM_E_KEY_SIZE },
	{ "scratch size far", 124, 4, 0xffffffff, ACM_E_INFO },
	{ "scratch size, sum wraps to 0", 124, 4, 0u - 161u, ACM_E_INFO },
	{ "UUID", ACM_SAMPLE_INFO + 15, 1, 0, ACM_E_UUID },
	{ "chipset type", ACM_SAMPLE_INFO + 16, 1, 2, ACM_E_CHIPSET_TYPE },
	{ "info version", ACM_SAMPLE_INFO + 17, 1, 2, ACM_E_INFO_VERSION },
	{ "info length", ACM_SAMPLE_INFO + 18, 2, 47, ACM_E_INFO_LENGTH },
	{ "chipset list at the end", ACM_SAMPLE_INFO + 20, 4, ACM_SAMPLE_SIZE - 3, ACM_E_CHIPSETS },
	{ "chipset list behind the end", ACM_SAMPLE_INFO + 20, 4, ACM_SAMPLE_SIZE + 1, ACM_E_CHIPSETS },
	{ "chipset list, sum wraps", ACM_SAMPLE_INFO + 20, 4, 0xfffffffe, ACM_E_CHIPSETS },
	{ "chipset list, empty, at the end", ACM_SAMPLE_INFO + 20, 4, ACM_SAMPLE_SIZE - 4, ACM_E_NO_CHIPSETS },
	{ "capabilities", ACM_SAMPLE_INFO + 32, 4, 0x224, ACM_E_WAKE },
	{ "processor list", ACM_SAMPLE_INFO + 40, 4, ACM_SAMPLE_SIZE, ACM_E_PROCESSORS },
	{ "TPM list", ACM_SAMPLE_INFO + 44, 4, ACM_SAMPLE_SIZE - 5, ACM_E_TPM },
	{ "TPM list far", ACM_SAMPLE_INFO + 44, 4, 0xffffffff, ACM_E_TPM },
	{ "chipset count, one too many", ACM_SAMPLE_CHIPSETS, 4, (ACM_SAMPLE_SIZE - ACM_SAMPLE_CHIPSETS - 4) / 16 + 1, ACM_E_CHIPSETS },
	{ "chipset count, product wraps", ACM_SAMPLE_CHIPSETS, 4, 0x10000000, ACM_E_CHIPSETS },
	{ "chipset count 0", ACM_SAMPLE_CHIPSETS, 4, 0, ACM_E_NO_CHIPSETS },
	{ "processor count, one too many", ACM_SAMPLE_PROCESSORS, 4, (ACM_SAMPLE_SIZE - ACM_SAMPLE_PROCESSORS - 4) / 24 + 1,
		ACM_E_PROCESSORS },
	{ "processor count, product wraps", ACM_SAMPLE_PROCESSORS, 4, 0x0aaaaaab, ACM_E_PROCESSORS },
	{ "TPM capabilities, no extend policy", ACM_SAMPLE_TPM, 4, 8 << 2, ACM_E_TPM_POLICY },
	{ "TPM capabilities, no family", ACM_SAMPLE_TPM, 4, 3, ACM_E_TPM_POLICY },
	{ "TPM algorithm count, one too many", ACM_SAMPLE_TPM + 4, 2, (ACM_SAMPLE_SIZE - ACM_SAMPLE_TPM - 6) / 2 + 1, ACM_E_TPM },
	{ "TPM algorithm count", ACM_SAMPLE_TPM + 4, 2, 0xffff, ACM_E_TPM },
};

static void every_rule_is_found_broken(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	uint8_t *good = acm_sample_bytes(&r);

	for (size_t i = 0; i < GL_COUNT(mutations); i++) {
		const struct mutation *m = &mutations[i];
		uint8_t *p = malloc(ACM_SAMPLE_SIZE);
		struct acm a = { .padding = 77 };
		enum acm_error e;

		assert_non_null(p);
		memcpy(p, good, ACM_SAMPLE_SIZE);
		acm_sample_put(p + m->offset, m->width, m->value);
		e = acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a);
		/* nothing is written on failure */
		if (e && a.padding != 77)
			fail_msg("%s: written", m->what);
		if (!e)
			e = acm_validate(&a);
		if (e != m->error)
			fail_msg("%s: %s", m->what, acm_strerror(e));
		free(p);
	}
	free(good);
}

static void counts_at_their_limit_are_fine(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	uint8_t *p = acm_sample_bytes(&r);
	struct acm a;

	acm_sample_put(p + ACM_SAMPLE_CHIPSETS, 4, (ACM_SAMPLE_SIZE - ACM_SAMPLE_CHIPSETS - 4) / 16);
	acm_sample_put(p + ACM_SAMPLE_PROCESSORS, 4, (ACM_SAMPLE_SIZE - ACM_SAMPLE_PROCESSORS - 4) / 24);
	acm_sample_put(p + ACM_SAMPLE_TPM + 4, 2, (ACM_SAMPLE_SIZE - ACM_SAMPLE_TPM - 6) / 2);
	acm_sample_put(p + 124, 4, 143);
	/* counts lie inside of the other lists: only that all stays inside of the module matters */
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	(void)acm_chipset_at(&a.chipsets, a.chipsets.count - 1);
	(void)acm_processor_at(&a, a.processors.count - 1);
	(void)acm_tpm_alg_at(&a, a.tpm_algs.count - 1);
	free(p);
}

/* Whatever comes out must lie inside. */
static void use(const struct acm *a, size_t file)
{
	static char buf[1 << 16];
	struct text t = TEXT_OF(buf);
	const struct acm_platform platform = {
		.has_didvid = true, .has_cpu = true, .has_platform_id = true, .has_fusing = true, .platform_type = 1
	};
	const struct acm_list *lists[] = { &a->chipsets, &a->chipsets2, &a->processors, &a->tpm_algs };

	assert_int_equal(a->bytes.n + a->padding, file);
	for (size_t i = 0; i < GL_COUNT(lists); i++)
		if (lists[i]->bytes.n)
			assert_true(
				lists[i]->offset + lists[i]->bytes.n <= a->bytes.n && lists[i]->bytes.p == a->bytes.p + lists[i]->offset);
	acm_print(a, &t);
	(void)!acm_validate(a);
	(void)!acm_match(a, &platform);
}

static void any_changed_byte_is_survived(void **state)
{
	(void)state;
	static const uint8_t versions[] = { 5, 9 };

	for (size_t v = 0; v < GL_COUNT(versions); v++) {
		struct acm_recipe r = acm_sample();
		uint8_t *p;
		size_t decoded = 0;

		r.info_version = versions[v];
		r.chipsets2 = acm_sample_chipsets;
		r.chipset2_count = 2;
		p = acm_sample_bytes(&r);
		for (size_t i = 0; i < ACM_SAMPLE_SIZE; i++) {
			static const uint8_t changes[] = { 0x01, 0x80, 0xff, 0x7f };
			uint8_t was = p[i];
			struct acm a;

			for (size_t c = 0; c < sizeof(changes); c++) {
				p[i] = was ^ changes[c];
				if (acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a) == ACM_OK) {
					use(&a, ACM_SAMPLE_SIZE);
					decoded++;
				}
			}
			p[i] = was;
		}
		assert_true(decoded > 1000 && decoded < ACM_SAMPLE_SIZE * 4);
		free(p);
	}
}

static void no_cut_module_is_taken(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	uint8_t *good = acm_sample_bytes(&r);

	for (size_t n = 0; n < ACM_SAMPLE_SIZE; n++) {
		uint8_t *p = malloc(n ? n : 1);
		struct acm a;

		assert_non_null(p);
		memcpy(p, good, n);
		assert_int_equal(acm_decode((struct span){ p, n }, &a), n < ACM_MIN_SIZE ? ACM_E_TRUNCATED : ACM_E_SIZE);
		/* with a Size that fits */
		if (n >= ACM_MIN_SIZE && n % 4 == 0) {
			acm_sample_put(p + 24, 4, n / 4);
			if (acm_decode((struct span){ p, n }, &a) == ACM_OK)
				use(&a, n);
		}
		free(p);
	}
	free(good);
}

/* ---- lists of info table version 9 ---- */

static void lists_in_a_row(void **state)
{
	(void)state;
	struct acm_recipe r = acm_sample();
	uint8_t *p;
	struct acm a;
	const size_t first = ACM_SAMPLE_INFO + 48;

	r.info_version = 9;
	r.chipset2_count = 1;
	r.chipsets2 = &acm_sample_chipsets[1];
	p = acm_sample_bytes(&r);
	assert_memory_equal(p + first, "LUPC", 4);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	same_lists(&r, &a);
	assert_int_equal(acm_chipset_at(&a.chipsets2, 0).register_mask, 0x1234);

	/* a list that nobody knows is passed over */
	memcpy(p + first, "XXXX", 4);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_OK);
	assert_false(a.processors.present);
	/* its size may not be less than its header, nor reach past the end */
	acm_sample_put(p + first + 4, 4, 11);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_LISTS);
	acm_sample_put(p + first + 4, 4, 0);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_LISTS);
	acm_sample_put(p + first + 4, 4, (uint64_t)ACM_SAMPLE_SIZE - first + 1);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_LISTS);
	/* the rest of the file as one list, and then no end */
	acm_sample_put(p + first + 4, 4, ACM_SAMPLE_SIZE - first);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_LISTS);
	/* a list may not reach past its own size, even if there is room behind */
	memcpy(p + first, "L1SC", 4);
	acm_sample_put(p + first + 4, 4, 12 + 4 + 16);
	acm_sample_put(p + first + 12, 4, 2);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_CHIPSETS);
	free(p);

	p = acm_sample_bytes(&r);
	memcpy(p + first, "L1SC", 4);
	assert_int_equal(acm_decode((struct span){ p, ACM_SAMPLE_SIZE }, &a), ACM_E_LIST_TWICE);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_read_where_the_guide_puts_them),
		cmocka_unit_test(what_is_made_is_read_back),
		cmocka_unit_test(elements_behind_the_end_are_zero),
		cmocka_unit_test(padding_is_what_tboot_lets_pass),
		cmocka_unit_test(every_rule_is_found_broken),
		cmocka_unit_test(counts_at_their_limit_are_fine),
		cmocka_unit_test(any_changed_byte_is_survived),
		cmocka_unit_test(no_cut_module_is_taken),
		cmocka_unit_test(lists_in_a_row),
	};

	return cmocka_run_group_tests_name("acm", tests, NULL, NULL);
}
