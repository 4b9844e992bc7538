/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/faulty_tpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/cursor.h"
#include "qemu/proxy/fault.h"
#include "qemu/proxy/pcr_read.h"
#include "tpm/host/nv_admin.h"

#define PCR_EXTEND 0x182u
#define NOISE_SIZE 40
#define HEADER 10

/* NULL: made here. */
static const char *const rules[FAULT_KIND_COUNT] = {
	[FAULT_KIND_RETRY] = "*=rc:0x922",
	[FAULT_KIND_FAILURE] = "*=rc:0x101",
	[FAULT_KIND_LOCKOUT] = "*=rc:0x921",
	[FAULT_KIND_GARBAGE] = "*=garbage",
	[FAULT_KIND_SHORT] = "*=short",
	[FAULT_KIND_LONG] = "*=long",
	[FAULT_KIND_HUGE] = "*=huge",
};

const char *const fault_kind_name[FAULT_KIND_COUNT] = {
	[FAULT_KIND_RETRY] = "retry",
	[FAULT_KIND_FAILURE] = "failure",
	[FAULT_KIND_LOCKOUT] = "lockout",
	[FAULT_KIND_GARBAGE] = "garbage",
	[FAULT_KIND_NOISE] = "noise",
	[FAULT_KIND_SHORT] = "short",
	[FAULT_KIND_LONG] = "long",
	[FAULT_KIND_HUGE] = "huge",
	[FAULT_KIND_HANG] = "hang",
	[FAULT_KIND_DEAD] = "dead",
	[FAULT_KIND_CLOSED] = "closed",
};

static size_t put(struct mspan out, const void *bytes, size_t n)
{
	assert_true(n <= out.n);
	memcpy(out.p, bytes, n);
	return n;
}

static size_t noise(struct mspan out)
{
	uint8_t b[NOISE_SIZE];
	uint32_t seed = 12345;

	for (size_t i = 0; i < sizeof(b); i++) {
		seed = seed * 1664525 + 1013904223;
		b[i] = (uint8_t)(seed >> 24);
	}
	memcpy(b + 2, (const uint8_t[4]){ 0, 0, 0, NOISE_SIZE }, 4);
	return put(out, b, sizeof(b));
}

/* QEMU's tpm_util_write_fatal_error_response(): TPM_FAIL with the tag of a TPM 1.2. */
static size_t fatal(struct mspan out)
{
	static const uint8_t b[] = { 0, 0xc4, 0, 0, 0, HEADER, 0, 0, 0, 9 };

	return put(out, b, sizeof(b));
}

static size_t no_answer(struct faulty_tpm *f)
{
	f->registers->stuck = f->kind == FAULT_KIND_DEAD;
	return FAKE_NO_RESPONSE;
}

static size_t wrong_answer(struct faulty_tpm *f, struct span command, struct mspan out)
{
	struct fault_rule rule;
	const char *why;
	size_t n = 0;

	switch (f->kind) {
	case FAULT_KIND_NOISE:
		return noise(out);
	case FAULT_KIND_CLOSED:
		return fatal(out);
	case FAULT_KIND_HANG:
	case FAULT_KIND_DEAD:
		return no_answer(f);
	default:
		assert_true(fault_parse(rules[f->kind], &rule, &why));
		assert_true(fault_response(&rule, command, out, &n));
		return n;
	}
}

/* TPM 2.0 Library part 3, 22.2: handle, authorization area, TPML_DIGEST_VALUES. */
static void take_extend(struct faulty_tpm *f, struct span command)
{
	struct rd r = rd_init(command);
	uint32_t pcr, count;

	(void)rd_bytes(&r, HEADER);
	pcr = rd_be32(&r);
	(void)rd_bytes(&r, rd_be32(&r));
	count = rd_be32(&r);
	for (uint32_t i = 0; i < count; i++) {
		struct span digest;
		enum alg a;

		assert_true(alg_by_id(rd_be16(&r), &a));
		digest = rd_bytes(&r, alg_table[a].size);
		assert_false(r.bad);
		if (pcr >= PCR_DRTM_FIRST && pcr <= PCR_DRTM_LAST)
			oracle_hash(
				a, (struct span){ f->taken.pcr[a][pcr], digest.n }, digest, (struct span){ NULL, 0 }, f->taken.pcr[a][pcr]);
	}
	assert_true(rd_done(&r));
}

static uint32_t be32_at(const uint8_t *p)
{
	struct rd r = rd_init((struct span){ p, 4 });

	return rd_be32(&r);
}

static size_t real_answer(struct faulty_tpm *f, uint8_t locality, uint32_t code, struct span command, struct mspan out)
{
	size_t n = swtpm_execute(&f->swtpm, locality, command, out);

	if (code == PCR_EXTEND && be32_at(out.p + 6) == 0)
		take_extend(f, command);
	return n;
}

size_t faulty_execute(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	struct faulty_tpm *f = ctx;
	uint32_t code = be32_at(command.p + 6);

	assert_true(command.n >= HEADER && f->count < FAULTY_TRACE_MAX);
	f->trace[f->count].code = code;
	f->trace[f->count].handle = command.n >= HEADER + 4 ? be32_at(command.p + HEADER) : 0;
	f->trace[f->count].locality = locality;
	f->count++;
	if (f->count != f->at && !f->gone)
		return real_answer(f, locality, code, command, out);
	if (f->count == f->at && f->late)
		(void)real_answer(f, locality, code, command, out);
	f->gone = f->gone || fault_kind_lasts(f->kind);
	return wrong_answer(f, command, out);
}

static bool exchange(void *context, struct span command, struct mspan room, struct span *response)
{
	struct faulty_tpm *f = context;

	*response = (struct span){ room.p, swtpm_execute(&f->swtpm, 0, command, room) };
	return true;
}

void faulty_pcrs(struct faulty_tpm *f, struct pcrs *out)
{
	char why[128];

	if (!pcr_read_all(exchange, f, out, why, sizeof(why)))
		fail_msg("%s", why);
	oracle_assert(&f->taken, out);
}

void faulty_start(struct faulty_tpm *f)
{
	memset(f, 0, sizeof(*f));
	swtpm_start(&f->swtpm);
	swtpm_connect(&f->swtpm);
}

void faulty_define(struct faulty_tpm *f, uint32_t index, struct span content)
{
	static struct fake_tpm registers;
	static struct tpm tpm;
	const struct nv_auth none = { .size = 0 };
	/* clang-format off */
	const struct nv_space space = {
		.index = index, .size = (uint16_t)content.n, .name_alg = TPM2_ALG_SHA256,
		.attributes = TPMA_NV_AUTHREAD | TPMA_NV_OWNERWRITE | TPMA_NV_NO_DA,
	};
	/* clang-format on */
	struct tpm_mmio_tcti tcti;

	fake_tpm_init(&registers, FAKE_TIS, swtpm_execute, &f->swtpm);
	tpm_mmio_tcti_init(&tcti, &registers.mmio, TPM_INTERFACE_FIFO, 0);
	assert_int_equal(tpm_init(&tpm, tpm_mmio_tcti_context(&tcti)), TSS2_RC_SUCCESS);
	assert_int_equal(nv_define(&tpm, &space, &none, &none), TSS2_RC_SUCCESS);
	assert_int_equal(nv_write(&tpm, index, NV_BY_OWNER, &none, content), TSS2_RC_SUCCESS);
	tpm_done(&tpm);
}

void faulty_stop(struct faulty_tpm *f)
{
	swtpm_stop(&f->swtpm);
}

void faulty_reset(struct faulty_tpm *f, struct fake_tpm *registers, bool drtm)
{
	swtpm_reset(&f->swtpm);
	f->registers = registers;
	f->at = f->count = 0;
	f->late = f->gone = false;
	oracle_reset(&f->taken, ALG_SET_ALL);
	if (!drtm)
		return;
	swtpm_drtm(&f->swtpm, SPAN_LITERAL("launch"));
	memset(f->taken.pcr, 0, sizeof(f->taken.pcr));
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t digest[DIGEST_MAX];

		oracle_hash(a, SPAN_LITERAL("launch"), span_str(""), span_str(""), digest);
		oracle_hash(a, (struct span){ f->taken.pcr[a][17], alg_table[a].size }, (struct span){ digest, alg_table[a].size },
			span_str(""), f->taken.pcr[a][17]);
	}
}
