/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers whose values change at random: whatever happens, every call ends, in bounded time and without a wrong success. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/hash.h"
#include "tests/unit/fake_tpm_mmio.h"
#include "tpm/mmio_regs.h"
#include "tpm/tpm.h"

#define ROUNDS 3000

struct chaos {
	uint64_t seed;
	unsigned read_odds, write_odds; /* one in so many; 0: never */
	unsigned quiet;                 /* accesses that stay right */
};

static uint32_t next(struct chaos *c)
{
	c->seed = c->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(c->seed >> 33);
}

static bool strikes(struct chaos *c, unsigned odds)
{
	if (c->quiet > 0) {
		c->quiet--;
		return false;
	}
	return odds > 0 && next(c) % odds == 0;
}

static uint32_t mangle(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	struct chaos *c = f->hook_ctx;

	(void)offset;
	if (!strikes(c, c->read_odds))
		return v;
	switch (next(c) % 5) {
	case 0:
		return 0xffffffff;
	case 1:
		return 0;
	case 2:
		return v ^ 1u << next(c) % 32;
	case 3:
		return v ^ 1u << next(c) % 8;
	default:
		return next(c) << 1;
	}
}

static bool swallow(struct fake_tpm *f, uint32_t offset, uint32_t v)
{
	struct chaos *c = f->hook_ctx;

	(void)offset;
	(void)v;
	return strikes(c, c->write_odds);
}

/* Answers that tpm_init() and a few commands can live with, so that the chaos gets beyond the first response. */
static size_t simple_tpm(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	/* clang-format off */
	static const uint8_t banks[] = {
		0x80, 0x01, 0, 0, 0, 25, 0, 0, 0, 0,  0, 0, 0, 0, 5,  0, 0, 0, 1, 0, 0x0b, 3, 0xff, 0xff, 0xff,
	};
	/* clang-format on */
	/* clang-format off */
	static const uint8_t property[] = {
		0x80, 0x01, 0, 0, 0, 27, 0, 0, 0, 0,  0, 0, 0, 0, 6,  0, 0, 0, 1, 0, 0, 1, 0x2c, 0, 0, 4, 0,
	};
	/* clang-format on */
	static const uint8_t extended[] = { 0x80, 0x02, 0, 0, 0, 19, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
	static const uint8_t failed[] = { 0x80, 0x01, 0, 0, 0, 10, 0, 0, 1, 1 };
	struct span answer = SPAN_OF(failed);

	(void)ctx;
	(void)locality;
	if (command.n == 22 && command.p[9] == 0x7a)
		answer = command.p[13] == 5 ? SPAN_OF(banks) : SPAN_OF(property);
	else if (command.n == 65 && command.p[8] == 1 && command.p[9] == 0x82)
		answer = SPAN_OF(extended);
	assert_true(out.n >= answer.n);
	memcpy(out.p, answer.p, answer.n);
	return answer.n;
}

static void one_round(enum fake_kind kind, struct chaos *c, unsigned *good)
{
	enum tpm_interface i = kind == FAKE_TIS ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB;
	struct fake_tpm f;
	struct tpm_mmio_tcti tcti;
	static struct tpm tpm;
	struct digests d;
	unsigned executed;
	TSS2_RC rc;

	fake_tpm_init(&f, kind, simple_tpm, NULL);
	f.mangle = mangle;
	f.swallow = swallow;
	f.hook_ctx = c;
	/* tpm_init() and two extends: with the longest waits that each step may take, and as many retries as are allowed */
	f.limit_us = UINT64_C(1000000) * 3600 * 2;
	hash_span(ALG_SET_ALL, SPAN_LITERAL("x"), &d);
	(void)!tpm_interface(&f.mmio);
	if (tpm_locality_take(&f.mmio, i, 0, 2) != TPM_LOCALITY_OK)
		return;
	tpm_mmio_tcti_init(&tcti, &f.mmio, i, 2);
	memset(&tpm, 0, sizeof(tpm));
	if (tpm_init(&tpm, tpm_mmio_tcti_context(&tcti)) != TSS2_RC_SUCCESS)
		goto done;
	for (unsigned n = 0; n < 2; n++) {
		executed = f.executed;
		rc = tpm_extend(&tpm, 17, &d);
		/*
		 * Success only if the TPM did it. Not so if reads and writes fail together: a CRB that did not take our command, and
		 * is seen as if it had, shows the response that lies in its buffer, and no driver can tell.
		 */
		if (rc == TSS2_RC_SUCCESS && (c->read_odds == 0 || c->write_odds == 0))
			assert_true(f.executed > executed);
		*good += rc == TSS2_RC_SUCCESS;
	}
	tpm_done(&tpm);
done:
	c->read_odds = c->write_odds = 0;
	(void)!tpm_locality_give_back(&f.mmio, i, 2, 0);
	/* The device is sane again: so must we be. */
	assert_int_equal(tpm_locality_take(&f.mmio, i, 0, 2), TPM_LOCALITY_OK);
	tpm_mmio_tcti_init(&tcti, &f.mmio, i, 2);
	assert_int_equal(tpm_init(&tpm, tpm_mmio_tcti_context(&tcti)), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_extend(&tpm, 17, &d), TSS2_RC_SUCCESS);
	tpm_done(&tpm);
}

static void chaos(enum fake_kind kind)
{
	static const unsigned read_odds[] = { 3, 20, 100, 300, 1000, 0 };
	static const unsigned write_odds[] = { 10, 20, 100, 300, 1000, 0 };
	unsigned good = 0, bad;

	for (unsigned n = 0; n < ROUNDS; n++) {
		struct chaos c = {
			.seed = UINT64_C(0x67656f) + n,
			.read_odds = read_odds[n % GL_COUNT(read_odds)],
			.write_odds = write_odds[n / GL_COUNT(read_odds) % GL_COUNT(write_odds)],
			.quiet = n % 7 == 0 ? 0 : n % 500,
		};

		one_round(kind, &c, &good);
	}
	/* Both happened, or this tests nothing. */
	bad = 2 * ROUNDS - good;
	print_message("%u good, %u failed\n", good, bad);
	assert_true(good > ROUNDS / 10);
	assert_true(bad > ROUNDS / 10);
}

static void chaos_in_the_fifo(void **state)
{
	(void)state;
	chaos(FAKE_TIS);
}

static void chaos_in_the_crb(void **state)
{
	(void)state;
	chaos(FAKE_CRB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chaos_in_the_fifo),
		cmocka_unit_test(chaos_in_the_crb),
	};

	/* SYS has a word for every response that it refuses. */
	(void)setenv("TSS2_LOG", "all+none", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
