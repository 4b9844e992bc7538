/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that a TPM can say. The first byte of the input chooses:
 *   0     whole responses, from the first command on
 *   1     whole responses, after a good start with all banks
 *   2, 3  the values of the registers, FIFO and CRB
 * Responses are pieces of the input, each with a 16-bit length in front; registers take its bytes one after the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "tpm/mmio.h"
#include "tpm/tpm.h"
#include "tpm/tpm_run.h"

#define INDEX 0x01c10110u
#define NV_SIZE 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "violated: %s\n", what);
	abort();
}

/* ---- responses ---- */

struct talker {
	TSS2_TCTI_CONTEXT_COMMON_V2 common;
	struct rd input;
	struct span next;
	unsigned good; /* so many commands get good answers */
	unsigned commands;
};

/* clang-format off */
static const uint8_t banks[] = {
	0x80, 0x01, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 4,
	0, 0x04, 3, 0xff, 0xff, 0xff, 0, 0x0b, 3, 0xff, 0xff, 0xff, 0, 0x0c, 3, 0xff, 0xff, 0xff, 0, 0x0d, 3, 0xff, 0xff, 0xff,
};
/* clang-format on */
static const uint8_t property[] = { 0x80, 0x01, 0, 0, 0, 27, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 1, 0x2c, 0, 0, 0, 64 };

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *c, size_t n, const uint8_t *command)
{
	struct talker *t = (struct talker *)c;

	(void)command;
	must(n >= 10 && n <= 4096, "size of a command");
	/* 96 PCRs one at a time, four times over, each tried a hundred times */
	must(++t->commands < 200000, "an end of it");
	if (t->good > 0) {
		t->next = t->good == 2 ? SPAN_OF(banks) : SPAN_OF(property);
		t->good--;
		return TSS2_RC_SUCCESS;
	}
	t->next = rd_bytes(&t->input, rd_le16(&t->input) & 0x0fff);
	return t->next.n == 0 ? TSS2_TCTI_RC_IO_ERROR : TSS2_RC_SUCCESS;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *c, size_t *n, uint8_t *response, int32_t timeout)
{
	struct talker *t = (struct talker *)c;

	(void)timeout;
	if (response) {
		if (*n < t->next.n)
			return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
		memcpy(response, t->next.p, t->next.n);
	}
	*n = t->next.n;
	return TSS2_RC_SUCCESS;
}

static void use(struct tpm *t, TSS2_TCTI_CONTEXT *tcti)
{
	static struct pcrs pcrs;
	struct tpm_nv_public public;
	uint8_t content[NV_SIZE];
	struct digests d = { .banks = ALG_SET_ALL };

	memset(t, 0, sizeof(*t));
	if (tpm_init(t, tcti) != TSS2_RC_SUCCESS) {
		must(!t->sys, "no context after a failed start");
		return;
	}
	must(!(t->banks & ~ALG_SET_ALL), "banks");
	must(t->nv_buffer_max > 0 && t->nv_buffer_max <= 2048, "NV buffer");
	for (unsigned i = 0; i < 4; i++) {
		memset(&pcrs, 0xff, sizeof(pcrs));
		if (tpm_read_pcrs(t, 17, 22, &pcrs) == TSS2_RC_SUCCESS) {
			must(pcrs.banks == t->banks, "banks that were read");
			for (enum alg a = 0; a < ALG_COUNT; a++)
				must(pcrs.known[a] == (t->banks & ALG_BIT(a) ? 0x7e0000u : 0), "PCRs that were read");
		} else if (t->banks) {
			must(pcrs.banks == 0, "nothing known after a failure");
		}
		if (tpm_nv_public(t, INDEX, &public) == TSS2_RC_SUCCESS)
			must(public.policy_size <= DIGEST_MAX, "policy");
		memset(content, 0xff, sizeof(content));
		if (tpm_nv_read(t, INDEX, content, sizeof(content)) != TSS2_RC_SUCCESS)
			must(content[0] == 0 && content[NV_SIZE - 1] == 0, "nothing read after a failure");
		(void)!tpm_extend(t, 17, &d);
	}
	tpm_done(t);
}

static void responses(struct rd input, unsigned good)
{
	static struct tpm tpm;
	struct talker t = { .input = input, .good = good };

	t.common.v1.version = 2;
	t.common.v1.transmit = transmit;
	t.common.v1.receive = receive;
	use(&tpm, (TSS2_TCTI_CONTEXT *)&t);
}

/* ---- registers ---- */

struct device {
	struct rd input;
	uint64_t now;
};

static void tick(struct device *d, uint64_t us)
{
	d->now += us;
	must(d->now < UINT64_C(1000000) * 3600 * 24, "an end of it");
}

/* After the end of the input: all ones, so that nothing waits for long. */
static uint32_t get(struct device *d, size_t width)
{
	tick(d, 1);
	if (rd_left(&d->input) < width)
		return 0xffffffff;
	return (uint32_t)rd_le(&d->input, width);
}

static uint8_t read8(void *ctx, uint32_t offset)
{
	must(offset < 5 * TPM_MMIO_LOCALITY_SIZE, "read outside");
	return (uint8_t)get(ctx, 1);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	must(offset < 5 * TPM_MMIO_LOCALITY_SIZE && offset % 4 == 0, "read outside");
	return get(ctx, 4);
}

static void write8(void *ctx, uint32_t offset, uint8_t v)
{
	(void)v;
	must(offset < 5 * TPM_MMIO_LOCALITY_SIZE, "write outside");
	tick(ctx, 1);
}

static void write32(void *ctx, uint32_t offset, uint32_t v)
{
	(void)v;
	must(offset < 5 * TPM_MMIO_LOCALITY_SIZE && offset % 4 == 0, "write outside");
	tick(ctx, 1);
}

static void delay_us(void *ctx, unsigned us)
{
	tick(ctx, us);
}

static void registers(struct rd input, enum tpm_interface interface)
{
	static struct tpm tpm;
	struct device d = { .input = input };
	struct tpm_mmio m = { .read8 = read8, .read32 = read32, .write8 = write8, .write32 = write32, .delay_us = delay_us, .ctx = &d };
	struct tpm_mmio_tcti tcti;

	(void)!tpm_interface(&m);
	(void)!tpm_locality_take(&m, interface, 0, 2);
	tpm_mmio_tcti_init(&tcti, &m, interface, 2);
	use(&tpm, tpm_mmio_tcti_context(&tcti));
	(void)!tpm_locality_give_back(&m, interface, 2, 0);
}

static TSS2_RC no_operation(TSS2_SYS_CONTEXT *sys, void *args)
{
	(void)sys;
	(void)args;
	abort();
}

/* A TPM that was not opened takes no commands and can be scrubbed and closed all the same. */
static void nothing_there(void)
{
	static struct tpm none;

	must(tpm_run(&none, no_operation, NULL) != TSS2_RC_SUCCESS, "no TPM");
	tpm_scrub(&none);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd input = rd_init((struct span){ data, size });
	unsigned choice = rd_u8(&input) % 4;
	char b[64];
	struct text t = TEXT_OF(b);

	(void)setenv("TSS2_LOG", "all+none", 0);
	if (choice < 2)
		responses(input, choice * 2);
	else
		registers(input, choice == 2 ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB);
	nothing_there();
	tpm_rc_text((TSS2_RC)rd_le32(&input), &t);
	must(t.n > 0 && !t.cut, "a text for every code");
	return 0;
}
