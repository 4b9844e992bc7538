/* SPDX-License-Identifier: BSD-3-Clause */
/* The TCTI over EFI_TCG2_PROTOCOL in front of a protocol structure as firmware makes it (Microsoft's calling convention). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/swtpm_process.h"
#include "tpm/efi/tcg2.h"
#include "tpm/tpm.h"

/* Firmware: checks sizes as edk2 does and passes commands on. */
struct firmware {
	struct tcg2_protocol protocol; /* must come first */
	struct tcg2_capability capability;
	EFI_STATUS capability_status, submit_status;
	UINT8 canned[4096];
	UINT32 canned_size; /* 0: the TPM answers */
	struct swtpm_process *swtpm;
	unsigned submitted;
	UINT32 out_size;
};

static EFI_STATUS EFIAPI get_capability(struct tcg2_protocol *self, struct tcg2_capability *out)
{
	struct firmware *f = (struct firmware *)self;

	if (out->size < sizeof(*out))
		return EFI_BUFFER_TOO_SMALL;
	if (f->capability_status == EFI_SUCCESS)
		*out = f->capability;
	return f->capability_status;
}

static EFI_STATUS EFIAPI submit_command(struct tcg2_protocol *self, UINT32 in_size, UINT8 *in, UINT32 out_size, UINT8 *out)
{
	struct firmware *f = (struct firmware *)self;

	f->submitted++;
	f->out_size = out_size;
	if (in_size > f->capability.max_command_size || out_size > f->capability.max_response_size)
		return EFI_INVALID_PARAMETER;
	if (f->submit_status != EFI_SUCCESS)
		return f->submit_status;
	if (f->canned_size > 0)
		memcpy(out, f->canned, f->canned_size);
	else if (f->swtpm)
		(void)swtpm_execute(f->swtpm, 0, (struct span){ in, in_size }, (struct mspan){ out, out_size });
	return EFI_SUCCESS;
}

static void firmware_init(struct firmware *f)
{
	memset(f, 0, sizeof(*f));
	f->protocol.get_capability = get_capability;
	f->protocol.submit_command = submit_command;
	f->capability.size = sizeof(f->capability);
	f->capability.tpm_present = TRUE;
	f->capability.max_command_size = f->capability.max_response_size = 4096;
}

static const UINT8 command[12] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 1, 0x7b, 0, 8 };

static void can(struct firmware *f, UINT32 claimed, UINT32 size)
{
	memset(f->canned, 0x5a, sizeof(f->canned));
	memcpy(f->canned, (const UINT8[]){ 0x80, 0x01 }, 2);
	for (unsigned i = 0; i < 4; i++)
		f->canned[2 + i] = (UINT8)(claimed >> 8 * (3 - i));
	f->canned_size = size;
}

static void init_asks_for_a_tpm(void **state)
{
	struct firmware f;
	struct tcg2_tcti t;

	(void)state;
	firmware_init(&f);
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	assert_int_equal(t.max_command, 4096);
	assert_int_equal(t.max_response, 4096);
	/* QEMU's CRB */
	f.capability.max_command_size = f.capability.max_response_size = 3968;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	assert_int_equal(t.max_response, 3968);
	f.capability.max_response_size = 65535;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	assert_int_equal(t.max_response, sizeof(t.response));
	f.capability.max_response_size = 9;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_UNSUPPORTED);
	f.capability.max_response_size = 4096;
	f.capability.max_command_size = 0;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_UNSUPPORTED);
	f.capability.max_command_size = 4096;
	f.capability.tpm_present = FALSE;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_UNSUPPORTED);
	f.capability_status = EFI_DEVICE_ERROR;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_DEVICE_ERROR);
	f.capability_status = 1; /* a warning */
	assert_true(EFI_ERROR(tcg2_tcti_init(&t, &f.protocol)));
}

static void response_is_given_once(void **state)
{
	struct firmware f;
	struct tcg2_tcti t;
	TSS2_TCTI_CONTEXT *c = (TSS2_TCTI_CONTEXT *)&t;
	UINT8 b[4096];
	size_t n = sizeof(b);

	(void)state;
	firmware_init(&f);
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	can(&f, 20, 20);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -1), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Transmit(c, 9, command), TSS2_TCTI_RC_BAD_VALUE);
	assert_int_equal(Tss2_Tcti_Transmit(c, 12, NULL), TSS2_TCTI_RC_BAD_REFERENCE);
	assert_int_equal(Tss2_Tcti_Transmit(c, 4097, f.canned), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(f.submitted, 0);
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_RC_SUCCESS);
	assert_int_equal(f.out_size, 4096);
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Receive(c, NULL, b, -1), TSS2_TCTI_RC_BAD_REFERENCE);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -2), TSS2_TCTI_RC_BAD_VALUE);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, NULL, -1), TSS2_RC_SUCCESS);
	assert_int_equal(n, 20);
	n = 19;
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -1), TSS2_TCTI_RC_INSUFFICIENT_BUFFER);
	assert_int_equal(n, 20);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -1), TSS2_RC_SUCCESS);
	assert_memory_equal(b, f.canned, 20);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -1), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_TCTI_RC_BAD_SEQUENCE);
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_SetLocality(c, 0), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_SetLocality(c, 2), TSS2_TCTI_RC_NOT_SUPPORTED);
	t.common.v1.magic++;
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_TCTI_RC_BAD_CONTEXT);
	assert_int_equal(Tss2_Tcti_Receive(c, &n, b, -1), TSS2_TCTI_RC_BAD_CONTEXT);
}

static void bad_responses_are_refused(void **state)
{
	static const UINT32 claims[] = { 0, 9, 4097, 65536, 0xffffffff };
	struct firmware f;
	struct tcg2_tcti t;
	TSS2_TCTI_CONTEXT *c = (TSS2_TCTI_CONTEXT *)&t;

	(void)state;
	firmware_init(&f);
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	for (size_t i = 0; i < GL_COUNT(claims); i++) {
		can(&f, claims[i], 4096);
		assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_TCTI_RC_MALFORMED_RESPONSE);
	}
	can(&f, 20, 20);
	f.submit_status = EFI_BUFFER_TOO_SMALL; /* what edk2 says when locality 0 is not active */
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_TCTI_RC_IO_ERROR);
	assert_int_equal(t.status, EFI_BUFFER_TOO_SMALL);
	f.submit_status = EFI_SUCCESS;
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_RC_SUCCESS);
	assert_int_equal(Tss2_Tcti_Cancel(c), TSS2_RC_SUCCESS);
	/* success, but nothing written: the last response is not taken again */
	f.canned_size = 0;
	assert_int_equal(Tss2_Tcti_Transmit(c, sizeof(command), command), TSS2_TCTI_RC_MALFORMED_RESPONSE);
}

static void tpm_operations_work_over_it(void **state)
{
	struct swtpm_process *s = *state;
	struct firmware f;
	struct tcg2_tcti t;
	static struct tpm tpm;
	struct pcrs p;
	struct digests d;

	firmware_init(&f);
	f.swtpm = s;
	f.capability.max_command_size = f.capability.max_response_size = 3968;
	assert_int_equal(tcg2_tcti_init(&t, &f.protocol), EFI_SUCCESS);
	assert_int_equal(tpm_init(&tpm, (TSS2_TCTI_CONTEXT *)&t), TSS2_RC_SUCCESS);
	assert_int_equal(tpm.banks, ALG_SET_ALL);
	assert_int_equal(tpm_read_pcrs(&tpm, 0, 23, &p), TSS2_RC_SUCCESS);
	assert_true(pcr_is_all(&p, ALG_SHA512, 17, 0xff));
	d.banks = ALG_SET_ALL;
	memset(d.d, 1, sizeof(d.d));
	assert_int_equal(tpm_extend(&tpm, 17, &d), TPM2_RC_LOCALITY);
	assert_int_equal(tpm_extend(&tpm, 16, &d), TSS2_RC_SUCCESS);
	assert_int_equal(tpm_read_pcrs(&tpm, 16, 16, &p), TSS2_RC_SUCCESS);
	assert_false(pcr_is_all(&p, ALG_SHA256, 16, 0x00));

	/* after an error of the firmware the next command works */
	f.submit_status = EFI_DEVICE_ERROR;
	assert_int_equal(tpm_read_pcrs(&tpm, 16, 16, &p), TSS2_TCTI_RC_IO_ERROR);
	f.submit_status = EFI_SUCCESS;
	assert_int_equal(tpm_read_pcrs(&tpm, 16, 16, &p), TSS2_RC_SUCCESS);
	tpm_done(&tpm);
}

static int set_up(void **state)
{
	struct swtpm_process *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	*state = s;
	swtpm_start(s);
	swtpm_connect(s);
	return 0;
}

static int tear_down(void **state)
{
	struct swtpm_process *s = *state;

	swtpm_stop(s);
	free(s);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_asks_for_a_tpm),
		cmocka_unit_test(response_is_given_once),
		cmocka_unit_test(bad_responses_are_refused),
		cmocka_unit_test_setup_teardown(tpm_operations_work_over_it, set_up, tear_down),
	};

	(void)setenv("TSS2_LOG", "all+none", 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
