/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <tss2/tss2_tpm2_types.h>

#include "common/cursor.h"
#include "qemu/proxy/pcr_read.h"
#include "qemu/proxy/tpm_message.h"

static void test_frame(void **state)
{
	uint8_t in[32] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x44, 0, 0, 0x80 };
	struct tpm_header h = { .code = 77 };
	size_t size = 5;

	(void)state;
	for (size_t n = 0; n < 12; n++)
		assert_int_equal(tpm_frame((struct span){ in, n }, &size), FRAME_MORE);
	assert_int_equal(size, 5);
	assert_int_equal(tpm_frame((struct span){ in, 12 }, &size), FRAME_WHOLE);
	assert_int_equal(size, 12);
	assert_int_equal(tpm_frame((struct span){ in, sizeof(in) }, &size), FRAME_WHOLE);
	assert_int_equal(size, 12);
	assert_false(tpm_header((struct span){ in, 9 }, &h));
	assert_int_equal(h.code, 77);
	in[5] = 9;
	assert_int_equal(tpm_frame((struct span){ in, sizeof(in) }, &size), FRAME_BAD);
	in[2] = in[3] = in[4] = in[5] = 0xFF;
	assert_int_equal(tpm_frame((struct span){ in, sizeof(in) }, &size), FRAME_BAD);
	in[2] = in[3] = 0;
	in[4] = TPM_MESSAGE_MAX >> 8;
	in[5] = 0;
	assert_int_equal(tpm_frame((struct span){ in, sizeof(in) }, &size), FRAME_MORE);
	in[5] = 1;
	assert_int_equal(tpm_frame((struct span){ in, sizeof(in) }, &size), FRAME_BAD);
}

static void test_names(void **state)
{
	/* clang-format off */
	static const struct {
		uint32_t code;
		const char *name;
	} some[] = {
		{ TPM2_CC_NV_UndefineSpaceSpecial, "NV_UndefineSpaceSpecial" }, { TPM2_CC_EvictControl, "EvictControl" },
		{ TPM2_CC_Clear, "Clear" }, { TPM2_CC_NV_DefineSpace, "NV_DefineSpace" }, { TPM2_CC_PCR_Allocate, "PCR_Allocate" },
		{ TPM2_CC_CreatePrimary, "CreatePrimary" }, { TPM2_CC_NV_Write, "NV_Write" }, { TPM2_CC_PCR_Event, "PCR_Event" },
		{ TPM2_CC_PCR_Reset, "PCR_Reset" }, { TPM2_CC_SelfTest, "SelfTest" }, { TPM2_CC_Startup, "Startup" },
		{ TPM2_CC_Shutdown, "Shutdown" }, { TPM2_CC_Certify, "Certify" }, { TPM2_CC_NV_Read, "NV_Read" },
		{ TPM2_CC_PolicySecret, "PolicySecret" }, { TPM2_CC_Quote, "Quote" }, { TPM2_CC_Sign, "Sign" },
		{ TPM2_CC_FlushContext, "FlushContext" }, { TPM2_CC_NV_ReadPublic, "NV_ReadPublic" },
		{ TPM2_CC_PolicyCommandCode, "PolicyCommandCode" }, { TPM2_CC_StartAuthSession, "StartAuthSession" },
		{ TPM2_CC_GetCapability, "GetCapability" }, { TPM2_CC_GetRandom, "GetRandom" }, { TPM2_CC_Hash, "Hash" },
		{ TPM2_CC_PCR_Read, "PCR_Read" }, { TPM2_CC_ReadClock, "ReadClock" }, { TPM2_CC_PCR_Extend, "PCR_Extend" },
		{ TPM2_CC_NV_Certify, "NV_Certify" }, { TPM2_CC_HashSequenceStart, "HashSequenceStart" },
		{ TPM2_CC_PolicyAuthorizeNV, "PolicyAuthorizeNV" }, { TPM2_CC_EncryptDecrypt2, "EncryptDecrypt2" },
		{ 0x14, "TPM_Extend" }, { 0x15, "TPM_PCRRead" },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(some); i++) {
		uint32_t code = 0;

		assert_string_equal(tpm_command_name(some[i].code), some[i].name);
		assert_true(tpm_command_by_name(span_str(some[i].name), &code));
		assert_int_equal(code, some[i].code);
	}
	/* Every code has one name, and the name leads back to it. */
	for (uint32_t code = 0; code < 0x200; code++) {
		const char *name = tpm_command_name(code);
		uint32_t back;

		if (tpm_command_by_name(span_str(name), &back))
			assert_int_equal(back, code);
		else
			assert_string_equal(name, "unknown");
	}
	assert_string_equal(tpm_command_name(0x20000000), "unknown");
}

/* A TPM that gives prepared answers in order. */
struct script {
	struct span answers[40];
	size_t count, next;
	uint8_t last_command[64];
	size_t last_size;
};

static bool play(void *context, struct span command, struct mspan room, struct span *response)
{
	struct script *s = context;

	assert_true(command.n <= sizeof(s->last_command));
	memcpy(s->last_command, command.p, command.n);
	s->last_size = command.n;
	if (s->next == s->count)
		return false;
	assert_true(s->answers[s->next].n <= room.n);
	memcpy(room.p, s->answers[s->next].p, s->answers[s->next].n);
	*response = (struct span){ room.p, s->answers[s->next++].n };
	return true;
}

/* SHA-256 active for PCR 0-23, SHA-1 for none, an unknown algorithm for all. */
/* clang-format off */
static const uint8_t capability[] = {
	0x80, 0x01, 0, 0, 0, 37, 0, 0, 0, 0,
	0, 0, 0, 0, 5, 0, 0, 0, 3,
	0, 0x0B, 3, 0xFF, 0xFF, 0xFF,
	0, 0x04, 3, 0, 0, 0,
	0, 0x12, 3, 0xFF, 0xFF, 0xFF,
};
/* clang-format on */
static_assert(sizeof(capability) == 37, "size in the header");

#define READ_SIZE (10 + 4 + 4 + 6 + 4 + 8 * 34)

/* PCR_Read's answer for 8 PCRs from `first`; the digest of PCR i is 32 times i. */
static void read_answer(uint8_t out[READ_SIZE], unsigned first)
{
	struct wr w = wr_init((struct mspan){ out, READ_SIZE });

	wr_be16(&w, 0x8001);
	wr_be32(&w, READ_SIZE);
	wr_be32(&w, 0);
	wr_be32(&w, 99); /* pcrUpdateCounter */
	wr_be32(&w, 1);
	wr_be16(&w, 0x0B);
	wr_u8(&w, 3);
	for (unsigned b = 0; b < 3; b++)
		wr_u8(&w, b == first / 8 ? 0xFF : 0);
	wr_be32(&w, 8);
	for (unsigned i = 0; i < 8; i++) {
		wr_be16(&w, 32);
		for (unsigned k = 0; k < 32; k++)
			wr_u8(&w, (uint8_t)(first + i));
	}
	assert_false(w.bad);
	assert_int_equal(w.off, READ_SIZE);
}

struct good {
	uint8_t reads[3][READ_SIZE];
	struct script script;
};

static void prepare(struct good *g)
{
	*g = (struct good){ .script.count = 4 };
	g->script.answers[0] = SPAN_OF(capability);
	for (unsigned i = 0; i < 3; i++) {
		read_answer(g->reads[i], 8 * i);
		g->script.answers[i + 1] = SPAN_OF(g->reads[i]);
	}
}

static void test_read_20(void **state)
{
	struct good g;
	struct pcrs out = { 0 };
	char why[80] = "";

	(void)state;
	prepare(&g);
	assert_true(pcr_read_all(play, &g.script, &out, why, sizeof(why)));
	assert_int_equal(g.script.next, 4);
	assert_int_equal(out.banks, ALG_BIT(ALG_SHA256));
	assert_int_equal(out.known[ALG_SHA256], 0xFFFFFF);
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		assert_true(pcr_is_all(&out, ALG_SHA256, pcr, (uint8_t)pcr));
	/* The last command asked for what was left: PCR 16-23 of SHA-256. */
	{
		/* clang-format off */
		static const uint8_t expected[] = {
			0x80, 0x01, 0, 0, 0, 20, 0, 0, 1, 0x7E, 0, 0, 0, 1, 0, 0x0B, 3, 0, 0, 0xFF,
		};
		/* clang-format on */

		assert_int_equal(g.script.last_size, sizeof(expected));
		assert_memory_equal(g.script.last_command, expected, sizeof(expected));
	}
}

static void test_read_12(void **state)
{
	static const uint8_t bad_tag[] = { 0x00, 0xC4, 0, 0, 0, 10, 0, 0, 0, 0x1E };
	uint8_t values[PCR_COUNT][30];
	struct script s = { .count = 25, .answers = { SPAN_OF(bad_tag) } };
	struct pcrs out = { 0 };
	char why[80] = "";

	(void)state;
	for (unsigned i = 0; i < PCR_COUNT; i++) {
		memset(values[i], (int)i, sizeof(values[i]));
		memcpy(values[i], "\x00\xC4\0\0\0\x1E\0\0\0\0", 10);
		s.answers[i + 1] = SPAN_OF(values[i]);
	}
	assert_true(pcr_read_all(play, &s, &out, why, sizeof(why)));
	assert_int_equal(out.banks, ALG_BIT(ALG_SHA1));
	for (unsigned pcr = 0; pcr < PCR_COUNT; pcr++)
		assert_true(pcr_is_all(&out, ALG_SHA1, pcr, (uint8_t)pcr));
}

static void test_read_errors(void **state)
{
	static const uint8_t not_started[] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 0x01, 0x00 };
	struct script s = { .count = 1, .answers = { SPAN_OF(not_started) } };
	struct pcrs out = { .banks = 77 };
	char why[80] = "";

	(void)state;
	assert_false(pcr_read_all(play, &s, &out, why, sizeof(why)));
	assert_string_equal(why, "GetCapability answers 0x00000100");
	s = (struct script){ 0 };
	assert_false(pcr_read_all(play, &s, &out, why, sizeof(why)));
	assert_string_equal(why, "the TPM does not answer");
	assert_int_equal(out.banks, 77);
}

/* Every cut and every changed byte in every answer: a result or a reason, nothing read or written out of bounds, no endless loop. */
static void test_read_mutations(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xFF };
	struct good g;

	(void)state;
	for (size_t a = 0; a < 2; a++) {
		size_t n = a ? READ_SIZE : sizeof(capability);

		for (size_t at = 0; at < n; at++) {
			struct pcrs out;
			char why[80] = "";
			uint8_t *cut = malloc(at ? at : 1);

			assert_non_null(cut);
			prepare(&g);
			memcpy(cut, g.script.answers[a].p, at);
			g.script.answers[a] = (struct span){ cut, at };
			assert_false(pcr_read_all(play, &g.script, &out, why, sizeof(why)));
			assert_string_not_equal(why, "");
			free(cut);
			for (size_t f = 0; f < sizeof(flips); f++) {
				uint8_t changed[READ_SIZE];

				prepare(&g);
				memcpy(changed, g.script.answers[a].p, n);
				changed[at] ^= flips[f];
				g.script.answers[a] = (struct span){ changed, n };
				why[0] = '\0';
				if (!pcr_read_all(play, &g.script, &out, why, sizeof(why)))
					assert_string_not_equal(why, "");
			}
		}
	}
}

static void test_selection_bounds(void **state)
{
	static const uint8_t many[] = { 0, 0, 0, 17 };
	static const uint8_t wide[] = { 0, 0, 0, 1, 0, 0x0B, 4, 1, 2, 3, 0xFF };
	uint32_t mask[ALG_COUNT] = { [ALG_SHA1] = 5 };
	struct rd r = rd_init(SPAN_OF(many));

	(void)state;
	assert_false(pcr_selection_take(&r, mask));
	assert_int_equal(mask[ALG_SHA1], 5);
	r = rd_init(SPAN_OF(wide));
	assert_true(pcr_selection_take(&r, mask));
	assert_true(rd_done(&r));
	assert_int_equal(mask[ALG_SHA256], 0x030201);
	assert_int_equal(mask[ALG_SHA1], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_read_20),
		cmocka_unit_test(test_read_12),
		cmocka_unit_test(test_read_errors),
		cmocka_unit_test(test_read_mutations),
		cmocka_unit_test(test_selection_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
