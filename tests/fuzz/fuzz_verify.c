/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify() over a hostile log: nothing crashes, and nothing but the expected values is ever called as expected. Input: one byte, whose
 * bit 0 says what the TPM holds (what the log leads to, or what was expected), then the log.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/verify.h"
#include "common/eventlog.h"
#include "common/hash.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char policy[] = "policy", description[] = "module 0 description launch.conf", hypervisor[] = "module 1 hypervisor linux",
	    initrd[] = "module 2 initrd initrd", vmm[] = "module 3 vmm vmm", nv[] = "nv 0x01c10110", closing[] = "closing",
	    direct[] = "direct";

static struct expected_event events[] = {
	{ .pcr = 17, .type = MEASURE_POLICY, .name = policy },
	{ .pcr = 18, .type = MEASURE_POLICY, .name = policy },
	{ .pcr = 17, .type = MEASURE_MODULE, .name = description },
	{ .pcr = 19, .type = MEASURE_MODULE, .name = hypervisor },
	{ .pcr = 19, .type = MEASURE_MODULE, .name = initrd },
	{ .pcr = 20, .type = MEASURE_MODULE, .name = vmm },
	{ .pcr = 22, .type = MEASURE_NV, .name = nv },
	{ .pcr = 17, .type = MEASURE_CLOSING, .name = closing },
};

static struct expected expected = { .mode = direct, .country = "DE", .banks = BANKS, .events = events, .event_count = GL_COUNT(events) };

/* Each event's digest is that of its name: a log can be written down by hand. */
static void make_expected(void)
{
	pcrs_reset_dynamic(&expected.pcrs, BANKS, false);
	for (size_t i = 0; i < GL_COUNT(events); i++) {
		if (events[i].type == MEASURE_CLOSING) {
			if (!measure_closing(BANKS, &expected.pcrs, &events[i].digests))
				abort();
		} else {
			hash_span(BANKS, span_str(events[i].name), &events[i].digests);
		}
		if (!pcrs_extend(&expected.pcrs, events[i].pcr, &events[i].digests))
			abort();
	}
}

static bool same_pcrs(const struct pcrs *a, const struct pcrs *b)
{
	for (enum alg alg = 0; alg < ALG_COUNT; alg++)
		for (unsigned pcr = PCR_DRTM_FIRST; BANKS & ALG_BIT(alg) && pcr <= PCR_DRTM_LAST; pcr++)
			if (!span_equal(pcr_value(a, alg, pcr), pcr_value(b, alg, pcr)))
				return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct verify_input in = { .expected = &expected, .has_log = true };
	struct verify_result r;
	struct pcrs tpm;
	char error[256];

	if (size == 0)
		return 0;
	if (!expected.pcrs.banks)
		make_expected();
	in.log = (struct span){ data + 1, size - 1 };
	tpm = expected.pcrs;
	if (data[0] & 1) {
		pcrs_reset_dynamic(&tpm, BANKS, false);
		if (eventlog_replay(in.log, &tpm, NULL) == EVENTLOG_MALFORMED)
			tpm = expected.pcrs;
		for (unsigned a = 0; a < ALG_COUNT; a++)
			tpm.known[a] = expected.pcrs.known[a];
	}
	in.tpm = &tpm;
	if (verify(&in, &r, error, sizeof(error))) {
		if (r.agree != (r.verdicts == 1u << VERIFY_NO_DRTM) || verify_has(&r, VERIFY_TRUSTED))
			abort();
		if (r.agree && (!same_pcrs(&tpm, &expected.pcrs) || !same_pcrs(&r.log, &expected.pcrs)))
			abort();
		if (verify_exit_code(&r) == 0)
			abort();
	}
	verify_result_free(&r);
	return 0;
}
