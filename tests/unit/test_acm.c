/* SPDX-License-Identifier: BSD-3-Clause */
/* Authenticated code modules: what is made is read back; every field that leads somewhere is led astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lcp/acm_make.h"

#define SMALL 2048

/* Offsets in a module of header 0.0 with its usual scratch area; the maker puts the lists behind the info table, 16 bytes aligned. */
#define INFO 1216
#define CHIPSETS 1264
#define PROCESSORS (CHIPSETS + 48)
#define TPM (PROCESSORS + 64)

static const struct acm_chipset chipsets[] = {
	{ .flags = 0, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 },
	{ .flags = 1, .vendor_id = 0x8086, .device_id = 0xb00c, .revision_id = 6, .register_mask = 0x1234, .extended_id = 0xdeadbeef },
};

static const struct acm_processor processors[] = {
	{ .fms = 0x906e0, .fms_mask = 0xfff3ff0 },
	{ .fms = 0x906a0, .fms_mask = 0xfff3ff0, .platform_id = 0x4000000000000, .platform_mask = 0x1c000000000000 },
};

static struct acm_recipe recipe(void)
{
	struct acm_recipe r = acm_recipe_sinit(1);

	r.size = SMALL;
	r.chipsets = chipsets;
	r.chipset_count = GL_COUNT(chipsets);
	r.processors = processors;
	r.processor_count = GL_COUNT(processors);
	return r;
}

/* In memory of just its size, so that a sanitizer sees a read behind it. The caller frees it. */
static uint8_t *made(const struct acm_recipe *r)
{
	uint8_t *p = malloc(r->size);

	assert_non_null(p);
	assert_int_equal(acm_make(r, (struct mspan){ p, r->size }), ACM_OK);
	return p;
}

static void put(uint8_t *p, size_t width, uint64_t v)
{
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

static void fields_are_read_where_the_guide_puts_them(void **state)
{
	(void)state;
	static const uint8_t head[60] = {
		0x02, 0x00, 0x01, 0x00, 0xa1, 0, 0, 0, 0, 0, 0, 0, 0x01, 0xb0, 0x00, 0x40,
		0x86, 0x80, 0, 0, 0x31, 0x12, 0x24, 0x20, 0x00, 0x02, 0, 0, 0x03, 0x00, 0x04, 0x00,
		0x05, 0, 0, 0, 0x06, 0, 0, 0, 0x1f, 0, 0, 0, 0x07, 0, 0, 0,
		0x08, 0, 0, 0, 0x09, 0, 0, 0, 0, 0, 0, 0,
	};
	static const uint8_t info[48] = {
		0xaa, 0x3a, 0xc0, 0x7f, 0xa7, 0x46, 0xdb, 0x18, 0x2e, 0xac, 0x69, 0x8f, 0x8d, 0x41, 0x7f, 0x5a,
		0x01, 0x07, 0x30, 0x00, 0xf0, 0x04, 0, 0, 0x07, 0, 0, 0, 0x00, 0x00, 0x02, 0x00,
		0x7e, 0x47, 0x00, 0x00, 0x27, 0x01, 0x12, 0x10, 0x20, 0x05, 0, 0, 0x60, 0x05, 0, 0,
	};
	struct acm_recipe r = recipe();
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

	uint8_t *p = made(&r);

	assert_memory_equal(p, head, sizeof(head));
	assert_memory_equal(p + INFO, info, sizeof(info));
	assert_int_equal(p[120] | p[121] << 8, 64);
	assert_int_equal(p[124] | p[125] << 8, 143);
	assert_memory_equal(p + 128 + 256, "\x01\x00\x01\x00", 4);
	assert_int_equal(acm_decode((struct span){ p, r.size }, &a), ACM_OK);
	assert_int_equal(a.header.subtype, 1);
	assert_int_equal(a.header.length, 161);
	assert_int_equal(a.header.flags, 0x4000);
	assert_int_equal(a.header.date, 0x20241231);
	assert_int_equal(a.header.size, SMALL / 4);
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
				struct acm_recipe r = recipe();
				struct acm a;
				uint8_t *p;

				r.size = 0x4000;
				r.header_version = headers[h];
				r.info_version = infos[v];
				r.chipset_count = n % 3;
				r.chipsets2 = chipsets;
				r.chipset2_count = n % 2;
				r.processor_count = n % 3;
				r.tpm_algs = algs;
				r.tpm_alg_count = n;
				r.fill = (uint8_t)n;
				p = made(&r);
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
	struct acm_recipe r = recipe();
	uint8_t *p = made(&r);
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
	} rows[] = { { 0, true }, { 1, false }, { 0xffff, false }, { 0x10000, true }, { 0x20003, true }, { 0x40000, true }, { 0x40001, false } };
	struct acm_recipe r = recipe();
	uint8_t *p = realloc(made(&r), SMALL + 0x40001);
	struct acm a;

	assert_non_null(p);
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		enum acm_error e = acm_decode((struct span){ p, SMALL + rows[i].padding }, &a);

		assert_int_equal(e, rows[i].fine ? ACM_OK : ACM_E_SIZE);
		if (rows[i].fine) {
			assert_int_equal(a.padding, rows[i].padding);
			assert_int_equal(a.bytes.n, SMALL);
		}
	}
	free(p);
}

struct mutation {
	const char *what;
	size_t offset, width;
	uint64_t value;
	enum acm_error error;           /* of acm_decode(), else of acm_validate() */
};

static const struct mutation mutations[] = {
	{ "type", 0, 2, 3, ACM_E_TYPE },
	{ "header length, info table far away", 4, 4, 0xffffffff, ACM_E_INFO },
	{ "header length, sum of 32 bits would wrap", 4, 4, 0x40000000 - 143, ACM_E_INFO },
	{ "header length, info table at the end", 4, 4, SMALL / 4 - 143, ACM_E_INFO },
	{ "header length, one info table before the end", 4, 4, (SMALL - 48) / 4 - 143, ACM_E_UUID },
	{ "header length, not that of the version", 4, 4, 160, ACM_E_UUID },
	{ "header version", 8, 4, 0x50000, ACM_E_HEADER_VERSION },
	{ "header version 3.0 with lengths of 0.0", 8, 4, 0x30000, ACM_E_HEADER_LENGTH },
	{ "header version 4.0: signature behind the end", 8, 4, 0x40000, ACM_E_HEADER },
	{ "vendor", 16, 4, 0x8087, ACM_E_VENDOR },
	{ "date, letter", 20, 4, 0x2022010a, ACM_E_DATE },
	{ "date, month 0", 20, 4, 0x20220001, ACM_E_DATE },
	{ "date, month 13", 20, 4, 0x20221301, ACM_E_DATE },
	{ "date, day 32", 20, 4, 0x20221232, ACM_E_DATE },
	{ "size, one less", 24, 4, SMALL / 4 - 1, ACM_E_SIZE },
	{ "size, one more", 24, 4, SMALL / 4 + 1, ACM_E_SIZE },
	{ "size, times 4 wraps to the file's", 24, 4, 0x40000000 + SMALL / 4, ACM_E_SIZE },
	{ "segment 0", 48, 4, 0, ACM_E_SEGMENT },
	{ "segment with privilege", 48, 4, 9, ACM_E_SEGMENT },
	{ "segment behind the GDT", 48, 4, 0x18, ACM_E_SEGMENT },
	{ "segment, sum wraps", 48, 4, 0xfffffff8, ACM_E_SEGMENT },
	{ "entry point at the end", 52, 4, SMALL, ACM_E_ENTRY },
	{ "key size", 120, 4, 96, ACM_E_KEY_SIZE },
	{ "scratch size far", 124, 4, 0xffffffff, ACM_E_INFO },
	{ "scratch size, sum wraps to 0", 124, 4, 0u - 161u, ACM_E_INFO },
	{ "UUID", INFO + 15, 1, 0, ACM_E_UUID },
	{ "chipset type", INFO + 16, 1, 2, ACM_E_CHIPSET_TYPE },
	{ "info version", INFO + 17, 1, 2, ACM_E_INFO_VERSION },
	{ "info length", INFO + 18, 2, 47, ACM_E_INFO_LENGTH },
	{ "chipset list at the end", INFO + 20, 4, SMALL - 3, ACM_E_CHIPSETS },
	{ "chipset list behind the end", INFO + 20, 4, SMALL + 1, ACM_E_CHIPSETS },
	{ "chipset list, sum wraps", INFO + 20, 4, 0xfffffffe, ACM_E_CHIPSETS },
	{ "chipset list, empty, at the end", INFO + 20, 4, SMALL - 4, ACM_E_NO_CHIPSETS },
	{ "capabilities", INFO + 32, 4, 0x224, ACM_E_WAKE },
	{ "processor list", INFO + 40, 4, SMALL, ACM_E_PROCESSORS },
	{ "TPM list", INFO + 44, 4, SMALL - 5, ACM_E_TPM },
	{ "TPM list far", INFO + 44, 4, 0xffffffff, ACM_E_TPM },
	{ "chipset count, one too many", CHIPSETS, 4, (SMALL - CHIPSETS - 4) / 16 + 1, ACM_E_CHIPSETS },
	{ "chipset count, product wraps", CHIPSETS, 4, 0x10000000, ACM_E_CHIPSETS },
	{ "chipset count 0", CHIPSETS, 4, 0, ACM_E_NO_CHIPSETS },
	{ "processor count, one too many", PROCESSORS, 4, (SMALL - PROCESSORS - 4) / 24 + 1, ACM_E_PROCESSORS },
	{ "processor count, product wraps", PROCESSORS, 4, 0x0aaaaaab, ACM_E_PROCESSORS },
	{ "TPM capabilities, no extend policy", TPM, 4, 8 << 2, ACM_E_TPM_POLICY },
	{ "TPM capabilities, no family", TPM, 4, 3, ACM_E_TPM_POLICY },
	{ "TPM algorithm count, one too many", TPM + 4, 2, (SMALL - TPM - 6) / 2 + 1, ACM_E_TPM },
	{ "TPM algorithm count", TPM + 4, 2, 0xffff, ACM_E_TPM },
};

static void every_rule_is_found_broken(void **state)
{
	(void)state;
	struct acm_recipe r = recipe();
	uint8_t *good = made(&r);

	for (size_t i = 0; i < GL_COUNT(mutations); i++) {
		const struct mutation *m = &mutations[i];
		uint8_t *p = malloc(SMALL);
		struct acm a = { .padding = 77 };
		enum acm_error e;

		assert_non_null(p);
		memcpy(p, good, SMALL);
		put(p + m->offset, m->width, m->value);
		e = acm_decode((struct span){ p, SMALL }, &a);
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
	struct acm_recipe r = recipe();
	uint8_t *p = made(&r);
	struct acm a;

	put(p + CHIPSETS, 4, (SMALL - CHIPSETS - 4) / 16);
	put(p + PROCESSORS, 4, (SMALL - PROCESSORS - 4) / 24);
	put(p + TPM + 4, 2, (SMALL - TPM - 6) / 2);
	put(p + 124, 4, 143);
	/* counts lie inside of the other lists: only that all stays inside of the module matters */
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_OK);
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
	const struct acm_platform platform = { .has_didvid = true, .has_cpu = true, .has_platform_id = true, .has_fusing = true, .platform_type = 1 };
	const struct acm_list *lists[] = { &a->chipsets, &a->chipsets2, &a->processors, &a->tpm_algs };

	assert_int_equal(a->bytes.n + a->padding, file);
	for (size_t i = 0; i < GL_COUNT(lists); i++)
		if (lists[i]->bytes.n)
			assert_true(lists[i]->offset + lists[i]->bytes.n <= a->bytes.n && lists[i]->bytes.p == a->bytes.p + lists[i]->offset);
	acm_print(a, &t);
	(void)!acm_validate(a);
	(void)!acm_match(a, &platform);
}

static void any_changed_byte_is_survived(void **state)
{
	(void)state;
	static const uint8_t versions[] = { 5, 9 };

	for (size_t v = 0; v < GL_COUNT(versions); v++) {
		struct acm_recipe r = recipe();
		uint8_t *p;
		size_t decoded = 0;

		r.info_version = versions[v];
		r.chipsets2 = chipsets;
		r.chipset2_count = 2;
		p = made(&r);
		for (size_t i = 0; i < SMALL; i++) {
			static const uint8_t changes[] = { 0x01, 0x80, 0xff, 0x7f };
			uint8_t was = p[i];
			struct acm a;

			for (size_t c = 0; c < sizeof(changes); c++) {
				p[i] = was ^ changes[c];
				if (acm_decode((struct span){ p, SMALL }, &a) == ACM_OK) {
					use(&a, SMALL);
					decoded++;
				}
			}
			p[i] = was;
		}
		assert_true(decoded > 1000 && decoded < SMALL * 4);
		free(p);
	}
}

static void no_cut_module_is_taken(void **state)
{
	(void)state;
	struct acm_recipe r = recipe();
	uint8_t *good = made(&r);

	for (size_t n = 0; n < SMALL; n++) {
		uint8_t *p = malloc(n ? n : 1);
		struct acm a;

		assert_non_null(p);
		memcpy(p, good, n);
		assert_int_equal(acm_decode((struct span){ p, n }, &a), n < ACM_MIN_SIZE ? ACM_E_TRUNCATED : ACM_E_SIZE);
		/* with a Size that fits */
		if (n >= ACM_MIN_SIZE && n % 4 == 0) {
			put(p + 24, 4, n / 4);
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
	struct acm_recipe r = recipe();
	uint8_t *p;
	struct acm a;
	const size_t first = INFO + 48;

	r.info_version = 9;
	r.chipset2_count = 1;
	r.chipsets2 = &chipsets[1];
	p = made(&r);
	assert_memory_equal(p + first, "LUPC", 4);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_OK);
	same_lists(&r, &a);
	assert_int_equal(acm_chipset_at(&a.chipsets2, 0).register_mask, 0x1234);

	/* a list that nobody knows is passed over */
	memcpy(p + first, "XXXX", 4);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_OK);
	assert_false(a.processors.present);
	/* its size may not be less than its header, nor reach past the end */
	put(p + first + 4, 4, 11);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_LISTS);
	put(p + first + 4, 4, 0);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_LISTS);
	put(p + first + 4, 4, (uint64_t)SMALL - first + 1);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_LISTS);
	/* the rest of the file as one list, and then no end */
	put(p + first + 4, 4, SMALL - first);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_LISTS);
	/* a list may not reach past its own size, even if there is room behind */
	memcpy(p + first, "L1SC", 4);
	put(p + first + 4, 4, 12 + 4 + 16);
	put(p + first + 12, 4, 2);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_CHIPSETS);
	free(p);

	p = made(&r);
	memcpy(p + first, "L1SC", 4);
	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_E_LIST_TWICE);
	free(p);
}

/* ---- match ---- */

static struct acm_platform platform(void)
{
	return (struct acm_platform){
		.has_didvid = true, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1,
		.has_cpu = true, .fms = 0x906ea, .has_platform_id = true, .platform_id = 0x10000000000000,
		.has_fusing = true, .production = true,
	};
}

static void platforms_are_matched_as_tboot_does(void **state)
{
	(void)state;
	struct acm_recipe r = recipe();
	struct acm_platform p = platform();
	uint8_t *bytes = made(&r);
	struct acm a;

	assert_int_equal(acm_decode((struct span){ bytes, SMALL }, &a), ACM_OK);
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	/* nothing known: nothing compared */
	assert_int_equal(acm_match(&a, &(struct acm_platform){ .has_cpu = false }), ACM_MATCHES);

	/* the plain revision must be equal */
	p.revision_id = 3;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);
	/* a mask must share a bit: 6 has 2 and 4 */
	p.device_id = 0xb00c;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.revision_id = 9;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);
	p.revision_id = 4;
	p.vendor_id = 0x1022;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET);

	p = platform();
	p.fms = 0x906a4;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PROCESSOR);
	p.platform_id = 0x4000000000000;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	/* bits outside of the mask do not count */
	p.platform_id = 0x4000000000fff;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.has_platform_id = false;
	p.platform_id = 0;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.fms = 0x506e3;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PROCESSOR);

	p = platform();
	p.production = false;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	a.header.flags = ACM_FLAG_DEBUG_SIGNED;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.production = true;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	a.header.flags = 0;

	/* the first thing that does not fit */
	p.platform_type = ACM_PLATFORM_SERVER;
	p.production = false;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PLATFORM_TYPE);
	a.info.capabilities |= ACM_PLATFORM_SERVER << 6;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_FUSING);
	p.production = true;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	p.platform_type = ACM_PLATFORM_CLIENT;
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_PLATFORM_TYPE);
	a.info.version = 4;
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	free(bytes);
}

static void the_second_chipset_list_masks_the_device(void **state)
{
	(void)state;
	static const struct acm_chipset second = { .vendor_id = 0x8086, .device_id = 0xb000, .register_mask = 0xff00 };
	struct acm_recipe r = recipe();
	struct acm_platform p = platform();
	uint8_t *bytes;
	struct acm a;

	r.info_version = 9;
	r.chipsets2 = &second;
	r.chipset2_count = 1;
	bytes = made(&r);
	assert_int_equal(acm_decode((struct span){ bytes, SMALL }, &a), ACM_OK);
	assert_int_equal(acm_match(&a, &p), ACM_MATCHES);
	put(bytes + a.chipsets2.offset + 6, 2, 0xb100);
	assert_int_equal(acm_match(&a, &p), ACM_NO_MATCH_CHIPSET2);
	free(bytes);
}

/* ---- the rest ---- */

static void print_says_what_matters(void **state)
{
	(void)state;
	static const char *const parts[] = {
		"type: 0x2 (chipset)\n", "header_version: 0.0\n", "date: 2022-01-01\n", "size: 2048\n", "entry_point: 0x00000008:0x00000500\n",
		"  uuid: 7fc03aaa-46a7-18db-2eac-698f8d417f5a\n", "chipset_acm_type: 0x1 (SINIT)\n", "    platform_type: 0x0 (any)\n",
		"  0x8086:0xb00c, revision mask 0x6, flags 0x1, extended id 0xdeadbeef\n",
		"family/model/stepping 0x906a0 under 0xfff3ff0, platform id 0x4000000000000 under 0x1c000000000000\n",
		"extend_policy: 0x3 (agile commands, embedded software)\n", "family: 0x8 (firmware TPM 2.0)\n", "nv_index_set: 1\n",
		"    alg: sha384\n",
	};
	char buf[4096];
	struct text t = TEXT_OF(buf);
	struct acm_recipe r = recipe();
	uint8_t *p = made(&r);
	struct acm a;

	assert_int_equal(acm_decode((struct span){ p, SMALL }, &a), ACM_OK);
	acm_print(&a, &t);
	assert_false(t.cut);
	for (size_t i = 0; i < GL_COUNT(parts); i++)
		if (!strstr(buf, parts[i]))
			fail_msg("not printed: %s\n%s", parts[i], buf);
	free(p);
}

static void every_error_has_words(void **state)
{
	(void)state;
	for (int e = 0; e < ACM_ERROR_COUNT; e++) {
		assert_true(strlen(acm_strerror((enum acm_error)e)) > 5);
		for (int other = 0; other < e; other++)
			assert_string_not_equal(acm_strerror((enum acm_error)e), acm_strerror((enum acm_error)other));
	}
	assert_string_equal(acm_strerror(ACM_ERROR_COUNT), "unknown error");
	for (int m = 0; m < ACM_MATCH_COUNT; m++)
		assert_true(strlen(acm_match_text((enum acm_match)m)) > 5);
}

static void what_cannot_be_made_is_refused(void **state)
{
	(void)state;
	static uint8_t buf[SMALL];
	struct acm_recipe r = recipe();

	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL - 4 }), ACM_E_BUFFER);
	r.size = SMALL - 2;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	r.size = 1212;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	/* no room for the last list */
	r.size = TPM + 8;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, r.size }), ACM_E_BUFFER);
	r = recipe();
	r.header_version = 0x10000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL }), ACM_E_HEADER_VERSION);
	r = recipe();
	r.header_version = 0x40000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL }), ACM_E_BUFFER);
	r = recipe();
	r.info_version = 2;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL }), ACM_E_INFO_VERSION);
	r = recipe();
	r.scratch = 0xfffffff0;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL }), ACM_E_BUFFER);
	r = recipe();
	r.chipset_count = 0x10000000;
	assert_int_equal(acm_make(&r, (struct mspan){ buf, SMALL }), ACM_E_BUFFER);
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
		cmocka_unit_test(platforms_are_matched_as_tboot_does),
		cmocka_unit_test(the_second_chipset_list_masks_the_device),
		cmocka_unit_test(print_says_what_matters),
		cmocka_unit_test(every_error_has_words),
		cmocka_unit_test(what_cannot_be_made_is_refused),
	};

	return cmocka_run_group_tests_name("acm", tests, NULL, NULL);
}
