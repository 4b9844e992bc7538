/* SPDX-License-Identifier: BSD-3-Clause */
/* Reading PCRs and NV: answers that must not be believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/fake_tpm_talk.h"

/* ---- PCR_Read ---- */

static void check_pcrs(const struct pcrs *p, unsigned first, unsigned last)
{
	assert_int_equal(p->banks, ALG_SET_ALL);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		for (unsigned i = 0; i < PCR_COUNT; i++) {
			assert_int_equal(pcr_known(p, a, i), i >= first && i <= last);
			if (i >= first && i <= last)
				assert_true(pcr_is_all(p, a, i, talk_pcr_byte(alg_table[a].tpm_id, i)));
		}
	}
}

static void pcrs_come_in_any_pieces(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (unsigned n = 1; n <= 8; n++) {
		b->fake.per_read = n;
		assert_int_equal(tpm_read_pcrs(&b->tpm, 0, 23, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 0, 23);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 17, 22);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 8, 8, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 8, 8);
	}
	b->fake.commands = 0;
	b->fake.per_read = 8;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	assert_int_equal(b->fake.commands, 3);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 24, &p), TSS2_SYS_RC_BAD_VALUE);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 18, 17, &p), TSS2_SYS_RC_BAD_VALUE);
}

/* Nothing at all comes: no endless loop. */
static void no_progress_is_an_error(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.per_read = 0;
	memset(&p, 0xff, sizeof(p));
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_int_equal(p.banks, 0);
	assert_int_equal(p.known[ALG_SHA256], 0);
}

/* The counter moves between the pieces, as it does for any PCR: values that come twice are taken. */
static void moving_counter_asks_twice(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.commands = 0;
	b->fake.counter_step = 1;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	check_pcrs(&p, 17, 22);
	assert_int_equal(b->fake.commands, 2 * 3);
	/* one piece: nothing to be inconsistent with */
	b->fake.commands = 0;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 18, &p), TSS2_RC_SUCCESS);
	assert_int_equal(b->fake.commands, 1);
}

/* Values that never stand still were never true together. */
static void changing_pcrs_are_an_error(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.commands = 0;
	b->fake.counter_step = 1;
	b->fake.drift = true;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_TCTI_RC_TRY_AGAIN);
	assert_int_equal(b->fake.commands, 5 * 3);
	assert_int_equal(p.banks, 0);
	assert_int_equal(p.known[ALG_SHA256], 0);
}

/*
 * The first response to PCR_Read of 17-22 in four banks: header 10, counter 4, count 4, then per bank id 2, size 1, select 3; the
 * number of digests at 42, the digests (SHA-1: 2 + 20 each) from 46.
 */
static void spoil_byte(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_PCR_Read);
	f->out.b[f->spoil_arg >> 8] ^= (uint8_t)f->spoil_arg;
}

static void wrong_pcr_answers_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		unsigned at;
		uint8_t flip;
		const char *what;
	} table[] = {
		{ 0, 0x01, "tag" },
		{ 17, 0x01, "fewer banks" }, { 17, 0x10, "more banks" }, { 14, 0x80, "very many banks" },
		{ 19, 0x0f, "another bank first: the same twice" }, { 19, 0x16, "a bank not asked for" }, { 18, 0x40, "unknown bank" },
		{ 20, 0x01, "select size 2" }, { 20, 0x80, "select size 131" },
		{ 21, 0x01, "PCR 0" }, { 22, 0x01, "PCR 8" }, { 23, 0x01, "PCR 16" }, { 23, 0x80, "PCR 23" }, { 23, 0x02, "without 17" },
		{ 23, 0x03, "PCR 16 for 17" }, { 23, 0x81, "PCR 23 and 16 more" },
		{ 29, 0x08, "a digest missing at the end" }, { 29, 0x04, "a digest left over at the end" },
		{ 45, 0x01, "a digest more" }, { 45, 0x0f, "a digest less" }, { 42, 0x80, "very many digests" },
		{ 47, 0x01, "size 21" }, { 47, 0x10, "size 4" }, { 46, 0x80, "size 32788" },
	};
	/* clang-format on */
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		b->fake.spoil = spoil_byte;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = (int)(table[i].at << 8 | table[i].flip);
		if (tpm_read_pcrs(&b->tpm, 17, 22, &p) == TSS2_RC_SUCCESS)
			fail_msg("%s: success", table[i].what);
		assert_int_equal(p.banks, 0);
		for (enum alg a = 0; a < ALG_COUNT; a++)
			assert_int_equal(p.known[a], 0);
		assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
		check_pcrs(&p, 17, 22);
	}
}

/* The digests are of other sizes, while all adds up: 21 and 19 bytes instead of 20 twice. */
static void spoil_digest_sizes(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_PCR_Read);
	f->out.b[47] = 21;
	f->out.b[48 + 21] = 0;
	f->out.b[48 + 22] = 19;
}

static void wrong_digest_sizes_are_refused(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.spoil = spoil_digest_sizes;
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_SYS_RC_MALFORMED_RESPONSE);
}

/* SYS reads on behind the end of a short response, where the last one still lies. */
static void short_pcr_answers_are_refused(void **state)
{
	struct bench *b = *state;
	struct pcrs p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (int n = 1; n < 200; n++) {
		b->fake.spoil = n & 1 ? talk_spoil_cut : talk_spoil_longer;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n / 2 + 1;
		if (tpm_read_pcrs(&b->tpm, 17, 22, &p) == TSS2_RC_SUCCESS)
			fail_msg("%d bytes %s: success", b->fake.spoil_arg, n & 1 ? "less" : "more");
	}
}

/* ---- NV ---- */

static void nv_public_is_read(void **state)
{
	struct bench *b = *state;
	struct tpm_nv_public p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_nv_public(&b->tpm, FAKE_INDEX, &p), TSS2_RC_SUCCESS);
	assert_int_equal(p.size, 64);
	assert_int_equal(p.attributes, TPMA_NV_AUTHREAD);
	assert_int_equal(p.name_alg, TPM2_ALG_SHA256);
	assert_int_equal(p.policy_size, 0);
	/* the answer is about another index */
	memset(&p, 0xee, sizeof(p));
	assert_int_equal(tpm_nv_public(&b->tpm, FAKE_INDEX + 1, &p), TSS2_SYS_RC_MALFORMED_RESPONSE);
	assert_int_equal(p.size, 0xeeee);
	for (int n = 1; n < 62; n++) {
		b->fake.spoil = n & 1 ? talk_spoil_cut : talk_spoil_longer;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n / 2 + 1;
		assert_int_not_equal(tpm_nv_public(&b->tpm, FAKE_INDEX, &p), TSS2_RC_SUCCESS);
	}
}

static void nv_is_read_in_pieces(void **state)
{
	static const uint16_t sizes[] = { 0, 1, 64, 1023, 1024, 1025, 3000 };
	struct bench *b = *state;
	uint8_t buf[3001];

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		b->fake.nv_size = sizes[i];
		b->fake.commands = 0;
		memset(buf, 0xee, sizeof(buf));
		assert_int_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, sizes[i]), TSS2_RC_SUCCESS);
		assert_int_equal(b->fake.commands, sizes[i] == 0 ? 1 : (sizes[i] + 1023) / 1024);
		for (unsigned n = 0; n < sizes[i]; n++)
			assert_int_equal(buf[n], (uint8_t)(n * 3));
		assert_int_equal(buf[sizes[i]], 0xee);
	}
	assert_int_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, 65536), TSS2_SYS_RC_BAD_VALUE);
}

/* The public area says that it is longer or shorter than it is. */
static void spoil_public_size(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_NV_ReadPublic);
	f->out.b[11] = (uint8_t)f->spoil_arg;
}

static void wrong_public_sizes_are_refused(void **state)
{
	struct bench *b = *state;
	struct tpm_nv_public p;

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (int n = 0; n < 256; n++) {
		b->fake.spoil = spoil_public_size;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n;
		assert_int_equal(tpm_nv_public(&b->tpm, FAKE_INDEX, &p) == TSS2_RC_SUCCESS, n == 14);
	}
}

/* Something between the parameters and the session. */
static void spoil_parameter_size(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_NV_Read);
	f->out.b[13] = (uint8_t)(f->out.b[13] + 5);
	talk_put(&f->out, 0, 2);
	talk_put(&f->out, 1, 1);
	talk_put(&f->out, 0, 2);
	talk_end(&f->out);
}

static void more_than_the_content_is_refused(void **state)
{
	struct bench *b = *state;
	uint8_t buf[64];

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	b->fake.spoil = spoil_parameter_size;
	assert_int_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, sizeof(buf)), TSS2_SYS_RC_MALFORMED_RESPONSE);
}

/* The size of the piece at 14 of the response. */
static void spoil_nv_size(struct fake *f, uint32_t command)
{
	assert_int_equal(command, TPM2_CC_NV_Read);
	f->out.b[14] = (uint8_t)(f->spoil_arg >> 8);
	f->out.b[15] = (uint8_t)f->spoil_arg;
}

static void wrong_nv_pieces_are_refused(void **state)
{
	static const int sizes[] = { 0, 1, 63, 65, 1024, 2048, 2049, 65535 };
	struct bench *b = *state;
	uint8_t buf[3000];

	assert_int_equal(talk_init(b), TSS2_RC_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		b->fake.spoil = spoil_nv_size;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = sizes[i];
		memset(buf, 0xee, sizeof(buf));
		assert_int_not_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, 64), TSS2_RC_SUCCESS);
		assert_int_equal(buf[0], 0);
		assert_int_equal(buf[63], 0);
		assert_int_equal(buf[64], 0xee);
		assert_int_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, 64), TSS2_RC_SUCCESS);
	}

	/* the third piece of three */
	b->fake.nv_size = 3000;
	b->fake.spoil_after = 2;
	b->fake.spoil_arg = 10;
	assert_int_not_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, 3000), TSS2_RC_SUCCESS);
	for (unsigned n = 0; n < 3000; n++)
		assert_int_equal(buf[n], 0);

	b->fake.nv_size = 64;
	for (int n = 1; n < 80; n++) {
		b->fake.spoil = talk_spoil_cut;
		b->fake.spoil_after = 0;
		b->fake.spoil_arg = n;
		assert_int_not_equal(tpm_nv_read(&b->tpm, FAKE_INDEX, buf, 64), TSS2_RC_SUCCESS);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, talk_set_up, talk_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(pcrs_come_in_any_pieces),
		TEST(no_progress_is_an_error),
		TEST(moving_counter_asks_twice),
		TEST(changing_pcrs_are_an_error),
		TEST(wrong_pcr_answers_are_refused),
		TEST(wrong_digest_sizes_are_refused),
		TEST(short_pcr_answers_are_refused),
		TEST(nv_public_is_read),
		TEST(wrong_public_sizes_are_refused),
		TEST(more_than_the_content_is_refused),
		TEST(nv_is_read_in_pieces),
		TEST(wrong_nv_pieces_are_refused),
	};

	/* SYS has a word for every response that it refuses. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
