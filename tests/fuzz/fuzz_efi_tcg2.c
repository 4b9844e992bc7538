/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Everything that firmware can say for a TPM, by EFI_TCG2_PROTOCOL. Input: u8 status of GetCapability, u8 whether there is a TPM, u16 largest
 * command and u16 largest response; then the responses, each with a 16-bit length in front (its highest bit: SubmitCommand fails).
 */
#include "tests/fuzz/tpm_use.h"
#include "tpm/efi/tcg2.h"

#define FAILS 0x8000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct firmware {
	struct tcg2_protocol protocol; /* must come first */
	struct rd input;
	EFI_STATUS status;
	struct tcg2_capability capability;
	unsigned commands;
	int watched; /* SubmitCommand is running */
	struct span said;
};

static EFI_STATUS EFIAPI get_capability(struct tcg2_protocol *self, struct tcg2_capability *out)
{
	struct firmware *f = (struct firmware *)self;

	must(out->size == sizeof(*out), "size of the capability structure");
	*out = f->capability;
	return f->status;
}

static EFI_STATUS EFIAPI submit_command(struct tcg2_protocol *self, UINT32 in_size, UINT8 *in, UINT32 out_size, UINT8 *out)
{
	struct firmware *f = (struct firmware *)self;
	uint16_t n = rd_le16(&f->input);

	must(in_size >= 10 && in_size <= f->capability.max_command_size && in[0] == 0x80, "a command that the firmware takes");
	must(out_size <= f->capability.max_response_size && out_size <= 4096, "room that the firmware takes");
	must(f->watched == 1, "somebody watches");
	must(++f->commands < 200000, "an end of it");
	f->said = rd_bytes(&f->input, n & ~FAILS);
	if (f->input.bad || n & FAILS)
		return EFI_DEVICE_ERROR;
	if (f->said.n > out_size)
		f->said.n = out_size;
	if (f->said.n)
		memcpy(out, f->said.p, f->said.n);
	return EFI_SUCCESS;
}

static void watch(void *ctx, bool begins)
{
	struct firmware *f = ctx;

	f->watched += begins ? 1 : -1;
	must(f->watched == 0 || f->watched == 1, "begin and end in turn");
}

/* One exchange without SYS in between: what comes back is what the firmware wrote, as long as its header says. */
static void exchange(struct firmware *f, struct tcg2_tcti *t)
{
	static const uint8_t command[12] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8 };
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	TSS2_TCTI_CONTEXT *c = (TSS2_TCTI_CONTEXT *)t;
	size_t n = 0, short_one;
	uint8_t head[10] = { 0 };
	uint32_t told;
	struct rd r;
	uint8_t *out;

	if (t->common.v1.transmit(c, sizeof(command), command) != TSS2_RC_SUCCESS) {
		must(t->common.v1.receive(c, &n, NULL, -1) != TSS2_RC_SUCCESS, "no response after a failure");
		return;
	}
	must(t->common.v1.transmit(c, sizeof(command), command) != TSS2_RC_SUCCESS, "one command at a time");
	must(t->common.v1.receive(c, &n, NULL, -1) == TSS2_RC_SUCCESS && n >= 10 && n <= t->max_response, "size of a response");
	/* What the firmware left unwritten of the header is zero, too. */
	if (f->said.n)
		memcpy(head, f->said.p, f->said.n < sizeof(head) ? f->said.n : sizeof(head));
	r = rd_init(SPAN_OF(head));
	(void)rd_be16(&r);
	told = rd_be32(&r);
	must(!r.bad && told == n, "the size that the header says");
	short_one = n - 1;
	out = exact_room(&x, n);
	must(t->common.v1.receive(c, &short_one, out, -1) != TSS2_RC_SUCCESS && short_one == n, "a buffer that is too short");
	must(t->common.v1.receive(c, &n, out, -1) == TSS2_RC_SUCCESS && n == told, "a response");
	for (size_t i = 0; i < n; i++)
		must(out[i] == (i < f->said.n ? f->said.p[i] : 0), "the bytes of the firmware, zeros behind");
	must(t->common.v1.receive(c, &n, out, -1) != TSS2_RC_SUCCESS, "every response once");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct tpm tpm;
	const struct tpm_use launch = TPM_USE_LAUNCH;
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	struct firmware f = { .input = rd_init((struct span){ data, size }) };
	struct tcg2_tcti *t = exact_room(&x, sizeof(*t));
	bool sound;

	f.protocol.get_capability = get_capability;
	f.protocol.submit_command = submit_command;
	f.status = rd_u8(&f.input);
	f.capability.size = sizeof(f.capability);
	f.capability.tpm_present = rd_u8(&f.input);
	f.capability.max_command_size = rd_le16(&f.input);
	f.capability.max_response_size = rd_le16(&f.input);
	sound = f.status == EFI_SUCCESS && f.capability.tpm_present && f.capability.max_command_size >= 10 &&
	        f.capability.max_response_size >= 10;
	must((tcg2_tcti_init(t, &f.protocol) == EFI_SUCCESS) == sound, "what makes a TPM");
	if (!sound)
		return 0;
	t->watch = watch;
	t->watch_ctx = &f;
	/* Twice: nothing of the first response may be in the second. */
	exchange(&f, t);
	exchange(&f, t);
	tpm_use_tcti((TSS2_TCTI_CONTEXT *)t, 1);
	t->common.v1.finalize((TSS2_TCTI_CONTEXT *)t);
	f.input = rd_init((struct span){ data + 6, size - 6 });
	tpm_use(&tpm, (TSS2_TCTI_CONTEXT *)t, &launch);
	must(f.watched == 0, "nobody watches any more");
	return 0;
}
