/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole way down: tpm.c over the register TCTI over a model of the registers over a real software TPM. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/fake_tpm_mmio.h"
#include "tests/unit/swtpm_process.h"
#include "tpm/host/nv_admin.h"
#include "tpm/tpm.h"

#define INDEX 0x01c10110u

struct bench {
	struct swtpm_process swtpm;
	struct fake_tpm fake;
	struct tpm_mmio_tcti tcti;
	struct tpm tpm;
	enum tpm_interface interface;
};

/* Fake time, so that retries do not take real time. */
static void delay_ms(void *ctx, unsigned ms)
{
	struct fake_tpm *f = ctx;

	f->mmio.delay_us(f, ms * 1000);
}

static void open_at(struct bench *b, uint8_t locality)
{
	uint8_t now = b->fake.active >= 0 ? (uint8_t)b->fake.active : 0;

	assert_int_equal(tpm_locality_take(&b->fake.mmio, b->interface, now, locality), TPM_LOCALITY_OK);
	tpm_mmio_tcti_init(&b->tcti, &b->fake.mmio, b->interface, locality);
	b->tpm.delay_ms = delay_ms;
	b->tpm.delay_ctx = &b->fake;
	assert_int_equal(tpm_init(&b->tpm, tpm_mmio_tcti_context(&b->tcti)), TSS2_RC_SUCCESS);
}

static int set_up(void **state, enum fake_kind kind, enum tpm_interface interface)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	*state = b;
	swtpm_start(&b->swtpm);
	swtpm_connect(&b->swtpm);
	fake_tpm_init(&b->fake, kind, swtpm_execute, &b->swtpm);
	b->interface = interface;
	assert_int_equal(tpm_interface(&b->fake.mmio), interface);
	return 0;
}

static int set_up_tis(void **state)
{
	return set_up(state, FAKE_TIS, TPM_INTERFACE_FIFO);
}

static int set_up_crb(void **state)
{
	return set_up(state, FAKE_CRB, TPM_INTERFACE_CRB);
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	if (!b)
		return 0;
	tpm_done(&b->tpm);
	swtpm_stop(&b->swtpm);
	free(b);
	return 0;
}

static void digests_of(const char *s, struct digests *out)
{
	hash_span(ALG_SET_ALL, span_str(s), out);
}

static void assert_pcrs_equal(const struct pcrs *a, const struct pcrs *b, unsigned first, unsigned last)
{
	for (enum alg i = 0; i < ALG_COUNT; i++) {
		for (unsigned pcr = first; pcr <= last; pcr++) {
			assert_true(pcr_known(a, i, pcr) && pcr_known(b, i, pcr));
			if (!span_equal(pcr_value(a, i, pcr), pcr_value(b, i, pcr)))
				fail_msg("PCR %u differs in %s", pcr, alg_table[i].name);
		}
	}
}

static void init_reads_banks_and_limits(void **state)
{
	struct bench *b = *state;

	open_at(b, 0);
	assert_int_equal(b->tpm.banks, ALG_SET_ALL);
	assert_false(b->tpm.unknown_banks);
	assert_int_equal(b->tpm.nv_buffer_max, 1024);
}

/* Four banks x 24 PCRs come in pieces of at most 8 digests. */
static void all_pcrs_are_read_in_pieces(void **state)
{
	struct bench *b = *state;
	struct pcrs p, start;

	open_at(b, 0);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 0, 23, &p), TSS2_RC_SUCCESS);
	assert_int_equal(p.banks, ALG_SET_ALL);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		assert_int_equal(p.known[a], 0xffffff);
		assert_true(pcr_is_all(&p, a, 0, 0x00));
		assert_true(pcr_is_all(&p, a, 16, 0x00));
		assert_true(pcr_is_all(&p, a, 23, 0x00));
	}
	pcrs_reset_dynamic(&start, ALG_SET_ALL, false);
	assert_pcrs_equal(&p, &start, 17, 22);

	assert_int_equal(tpm_read_pcrs(&b->tpm, 19, 19, &p), TSS2_RC_SUCCESS);
	assert_int_equal(p.known[ALG_SHA384], UINT32_C(1) << 19);
}

static void locality_2_extends_dynamic_pcrs_in_all_banks(void **state)
{
	struct bench *b = *state;
	struct digests d;
	struct pcrs expected, p;

	open_at(b, 2);
	pcrs_reset_dynamic(&expected, ALG_SET_ALL, false);
	for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++) {
		digests_of(pcr & 1 ? "odd" : "even", &d);
		assert_int_equal(tpm_extend(&b->tpm, pcr, &d), TSS2_RC_SUCCESS);
		assert_true(pcrs_extend(&expected, pcr, &d));
	}
	assert_int_equal(b->fake.last_locality, 2);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	assert_pcrs_equal(&p, &expected, 17, 22);
}

static void extends_count_on_after_a_dynamic_launch(void **state)
{
	struct bench *b = *state;
	struct digests d, launch;
	struct pcrs expected, p;

	open_at(b, 2);
	swtpm_drtm(&b->swtpm, SPAN_LITERAL("launch"));
	digests_of("launch", &launch);
	digests_of("policy", &d);
	pcrs_reset_dynamic(&expected, ALG_SET_ALL, true);
	assert_true(pcrs_extend(&expected, 17, &launch));
	assert_true(pcrs_extend(&expected, 17, &d));
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 22, &p), TSS2_RC_SUCCESS);
	assert_pcrs_equal(&p, &expected, 17, 22);
}

/* Which locality may extend which PCR: the PC Client profile, as this TPM has it. */
static void other_localities_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		uint8_t locality, pcr;
		TSS2_RC rc;
	} table[] = {
		{ 0, 16, 0 }, { 0, 17, TPM2_RC_LOCALITY }, { 0, 20, TPM2_RC_LOCALITY }, { 0, 22, TPM2_RC_LOCALITY },
		{ 1, 17, TPM2_RC_LOCALITY }, { 1, 20, 0 }, { 2, 17, 0 }, { 2, 20, 0 }, { 2, 22, 0 },
		{ 3, 17, 0 }, { 3, 20, 0 }, { 3, 21, TPM2_RC_LOCALITY }, { 3, 22, TPM2_RC_LOCALITY },
	};
	/* clang-format on */
	struct bench *b = *state;
	struct digests d;

	digests_of("x", &d);
	for (size_t i = 0; i < GL_COUNT(table); i++) {
		TSS2_RC rc;

		open_at(b, table[i].locality);
		rc = tpm_extend(&b->tpm, table[i].pcr, &d);
		if (rc != table[i].rc)
			fail_msg("PCR %u at locality %u: %#x", table[i].pcr, table[i].locality, rc);
		tpm_done(&b->tpm);
	}
}

static void nv_index_goes_through_its_life(void **state)
{
	static const size_t sizes[] = { 1, 64, 1024, 1025, 2000 };
	struct bench *b = *state;
	const struct nv_auth none = { .size = 0 };

	open_at(b, 2);
	for (size_t i = 0; i < GL_COUNT(sizes); i++) {
		struct nv_space space = {
			.index = INDEX,
			.size = (uint16_t)sizes[i],
			.name_alg = TPM2_ALG_SHA256,
			.attributes = TPMA_NV_AUTHREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA | TPMA_NV_WRITE_STCLEAR,
		};
		struct tpm_nv_public public;
		uint8_t content[2000], back[2000];
		TSS2_RC rc;

		for (size_t n = 0; n < sizeof(content); n++)
			content[n] = (uint8_t)(n * 7 + i);
		rc = tpm_nv_public(&b->tpm, INDEX, &public);
		assert_int_equal(tpm_rc_base(rc), TPM2_RC_HANDLE);
		assert_int_equal(nv_define(&b->tpm, &space, &none, &none), TSS2_RC_SUCCESS);
		assert_int_equal(tpm_rc_base(nv_define(&b->tpm, &space, &none, &none)), TPM2_RC_NV_DEFINED);
		assert_int_equal(tpm_nv_public(&b->tpm, INDEX, &public), TSS2_RC_SUCCESS);
		assert_int_equal(public.size, sizes[i]);
		assert_int_equal(public.attributes, space.attributes);
		assert_int_equal(public.name_alg, TPM2_ALG_SHA256);
		assert_int_equal(public.policy_size, 0);
		assert_int_equal(tpm_rc_base(tpm_nv_read(&b->tpm, INDEX, back, sizes[i])), TPM2_RC_NV_UNINITIALIZED);

		assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &none, (struct span){ content, sizes[i] }), TSS2_RC_SUCCESS);
		memset(back, 0xee, sizeof(back));
		assert_int_equal(tpm_nv_read(&b->tpm, INDEX, back, sizes[i]), TSS2_RC_SUCCESS);
		assert_memory_equal(back, content, sizes[i]);
		if (sizes[i] < sizeof(back))
			assert_int_equal(back[sizes[i]], 0xee);

		/* one byte too many: refused, and nothing of it is given out */
		if (sizes[i] < sizeof(back)) {
			rc = tpm_nv_read(&b->tpm, INDEX, back, sizes[i] + 1);
			assert_int_equal(tpm_rc_base(rc), TPM2_RC_NV_RANGE);
			assert_int_equal(back[0], 0);
		}
		assert_int_equal(tpm_rc_base(nv_read(&b->tpm, INDEX, NV_BY_OWNER, &none, (struct mspan){ back, sizes[i] })),
			TPM2_RC_NV_AUTHORIZATION);

		assert_int_equal(nv_write_lock(&b->tpm, INDEX, NV_BY_OWNER, &none), TSS2_RC_SUCCESS);
		assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_OWNER, &none, (struct span){ content, 1 }), TPM2_RC_NV_LOCKED);
		assert_int_equal(nv_undefine(&b->tpm, INDEX, &none), TSS2_RC_SUCCESS);
	}
}

static void policy_of_an_index_is_shown(void **state)
{
	struct bench *b = *state;
	const struct nv_auth none = { .size = 0 };
	struct tpm_nv_public public;
	struct digests d;
	/* clang-format off */
	struct nv_space space = {
		.index = INDEX, .size = 8, .name_alg = TPM2_ALG_SHA384, .attributes = TPMA_NV_POLICYWRITE | TPMA_NV_AUTHREAD | TPMA_NV_NO_DA,
	};
	/* clang-format on */

	digests_of("policy", &d);
	space.policy = digest_span(&d, ALG_SHA384);
	open_at(b, 0);
	assert_int_equal(nv_define(&b->tpm, &space, &none, &none), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_nv_public(&b->tpm, INDEX, &public), TSS2_RC_SUCCESS);
	assert_int_equal(public.name_alg, TPM2_ALG_SHA384);
	assert_int_equal(public.policy_size, 48);
	assert_memory_equal(public.policy, d.d[ALG_SHA384], 48);
}

/* The first access to an index with dictionary attack protection after a start answers TPM_RC_RETRY: it is tried again. */
static void index_with_da_is_read_at_last(void **state)
{
	struct bench *b = *state;
	const struct nv_auth none = { .size = 0 };
	/* clang-format off */
	struct nv_space space = {
		.index = INDEX, .size = 8, .name_alg = TPM2_ALG_SHA256, .attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERWRITE,
	};
	/* clang-format on */
	uint8_t back[8];

	open_at(b, 2);
	assert_int_equal(nv_define(&b->tpm, &space, &none, &none), TSS2_RC_SUCCESS);
	assert_int_equal(nv_write(&b->tpm, INDEX, NV_BY_INDEX, &none, SPAN_LITERAL("12345678")), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_nv_read(&b->tpm, INDEX, back, sizeof(back)), TSS2_RC_SUCCESS);
	assert_memory_equal(back, "12345678", 8);
}

/* After locality 2 was given back, the firmware's TPM access works on; nothing is left pending. */
static void firmware_goes_on_after_give_back(void **state)
{
	struct bench *b = *state;
	struct digests d;
	struct pcrs p;

	open_at(b, 2);
	digests_of("x", &d);
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TSS2_RC_SUCCESS);
	tpm_done(&b->tpm);
	assert_int_equal(tpm_locality_give_back(&b->fake.mmio, b->interface, 2, 0), TPM_LOCALITY_OK);
	assert_int_equal(b->fake.active, 0);
	assert_int_equal(b->fake.pending, 0);
	assert_int_equal(b->fake.seized, 0);
	tpm_mmio_tcti_init(&b->tcti, &b->fake.mmio, b->interface, 0);
	assert_int_equal(tpm_init(&b->tpm, tpm_mmio_tcti_context(&b->tcti)), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_read_pcrs(&b->tpm, 17, 17, &p), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_extend(&b->tpm, 17, &d), TPM2_RC_LOCALITY);
}

/* Bursts of any size, a slow TPM, one that wants commandReady twice: the same result. */
static void ways_of_the_fifo_make_no_difference(void **state)
{
	static const unsigned bursts[] = { 1, 3, 8, 63, 64, 4096, 0xffff };
	struct bench *b = *state;
	struct digests d;
	struct pcrs expected, p;

	digests_of("x", &d);
	pcrs_reset_dynamic(&expected, ALG_SET_ALL, false);
	for (size_t i = 0; i < GL_COUNT(bursts); i++) {
		b->fake.burst = bursts[i];
		b->fake.busy_us = i & 1 ? 2000000 : 0;
		b->fake.lazy_ready = i & 1;
		open_at(b, 2);
		assert_int_equal(tpm_extend(&b->tpm, 18, &d), TSS2_RC_SUCCESS);
		assert_true(pcrs_extend(&expected, 18, &d));
		assert_int_equal(tpm_read_pcrs(&b->tpm, 18, 18, &p), TSS2_RC_SUCCESS);
		assert_pcrs_equal(&p, &expected, 18, 18);
		tpm_done(&b->tpm);
	}
}

int main(void)
{
#define BOTH(f) cmocka_unit_test_setup_teardown(f, set_up_tis, tear_down), cmocka_unit_test_setup_teardown(f, set_up_crb, tear_down)
	const struct CMUnitTest tests[] = {
		BOTH(init_reads_banks_and_limits),
		BOTH(all_pcrs_are_read_in_pieces),
		BOTH(locality_2_extends_dynamic_pcrs_in_all_banks),
		BOTH(extends_count_on_after_a_dynamic_launch),
		BOTH(other_localities_are_refused),
		BOTH(nv_index_goes_through_its_life),
		BOTH(policy_of_an_index_is_shown),
		BOTH(index_with_da_is_read_at_last),
		BOTH(firmware_goes_on_after_give_back),
		cmocka_unit_test_setup_teardown(ways_of_the_fifo_make_no_difference, set_up_tis, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
