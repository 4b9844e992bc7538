/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that a TPM can say. The first byte of the input chooses:
 *   0     whole responses, from the first command on
 *   1     whole responses, after a good start with all banks
 *   2, 3  the values of the registers, FIFO and CRB
 *   252   whole responses to what an owner asks; in front of them stand index, size and PCRs that are asked for
 * Responses are pieces of the input, each with a 16-bit length in front; registers take its bytes one after the other. Other values are
 * those modulo 4.
 */
#include "tests/fuzz/tpm_talk.h"
#include "tpm/mmio.h"

#define OWNER 252

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- responses ---- */

/* NV_Write goes on where it was, or says the same again after RC_RETRY; what it writes is the content, which is all 0xaa. */
static void watch_write(struct tpm_talk *t, struct span command)
{
	struct rd r = rd_init(command);
	uint32_t code;
	struct span part;
	uint16_t at;

	(void)rd_bytes(&r, 6);
	code = rd_be32(&r);
	if (code != TPM2_CC_NV_Write) {
		t->written = t->before = 0;
		return;
	}
	(void)rd_bytes(&r, 8);
	(void)rd_bytes(&r, rd_be32(&r));
	part = rd_bytes(&r, rd_be16(&r));
	at = rd_be16(&r);
	must(rd_done(&r), "a whole NV_Write");
	must(at == t->written || (at == t->before && at + part.n == t->written), "parts of a content in their order");
	for (size_t i = 0; i < part.n; i++)
		must(part.p[i] == 0xaa, "the content that was given");
	t->before = at;
	t->written = at + part.n;
	must(t->written <= t->size, "no more than was given");
}

static void responses(struct rd input, unsigned good, const struct tpm_use *u)
{
	static struct tpm tpm;
	struct tpm_talk t = { .watch = watch_write, .size = u->nv_size };

	tpm_use(&tpm, tpm_talk_start(&t, input, good), u);
	exact_free(&t.last);
}

static void owner(struct rd input)
{
	struct tpm_use u = { .index = rd_le32(&input), .nv_size = rd_le16(&input), .rounds = 2, .admin = true };

	u.first = rd_u8(&input) % PCR_COUNT;
	u.last = u.first + rd_u8(&input) % (PCR_COUNT - u.first);
	u.password = 8 + rd_u8(&input) % (DIGEST_MAX - 7);
	responses(input, 2, &u);
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
	const struct tpm_use launch = TPM_USE_LAUNCH;
	struct device d = { .input = input };
	struct tpm_mmio m = { .read8 = read8, .read32 = read32, .write8 = write8, .write32 = write32, .delay_us = delay_us, .ctx = &d };
	struct tpm_mmio_tcti tcti;

	/* The same device twice: for one command by hand, then for all. */
	for (unsigned i = 0; i < 2; i++) {
		d = (struct device){ .input = input };
		(void)!tpm_interface(&m);
		(void)!tpm_locality_take(&m, interface, 0, 2);
		tpm_mmio_tcti_init(&tcti, &m, interface, 2);
		if (i == 0)
			tpm_use_tcti(tpm_mmio_tcti_context(&tcti), 5);
	}
	tpm_use(&tpm, tpm_mmio_tcti_context(&tcti), &launch);
	(void)!tpm_locality_give_back(&m, interface, 2, 0);
	tpm_locality_release(&m, interface, 2);
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
	const struct tpm_use launch = TPM_USE_LAUNCH;
	uint8_t choice = rd_u8(&input);
	char b[64];
	struct text t = TEXT_OF(b);

	(void)setenv("TSS2_LOG", "all+none", 0);
	if (choice == OWNER)
		owner(input);
	else if (choice % 4 < 2)
		responses(input, choice % 4 * 2, &launch);
	else
		registers(input, choice % 4 == 2 ? TPM_INTERFACE_FIFO : TPM_INTERFACE_CRB);
	nothing_there();
	tpm_rc_text((TSS2_RC)rd_le32(&input), &t);
	must(t.n > 0 && !t.cut, "a text for every code");
	return 0;
}
