/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify() over a hostile log: nothing crashes, and nothing but the expected values is ever called as expected. Input: one byte, then the
 * log. Bit 0: the TPM holds what the log leads to, else what was expected; bit 1: a dynamic launch is expected; bit 2: the TPM's values began
 * the other way.
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
	    modes[2][7] = { "direct", "txt" };

static const struct expected_event usual[] = {
	{ .pcr = 17, .type = MEASURE_POLICY, .name = policy },
	{ .pcr = 18, .type = MEASURE_POLICY, .name = policy },
	{ .pcr = 17, .type = MEASURE_MODULE, .name = description },
	{ .pcr = 19, .type = MEASURE_MODULE, .name = hypervisor },
	{ .pcr = 19, .type = MEASURE_MODULE, .name = initrd },
	{ .pcr = 20, .type = MEASURE_MODULE, .name = vmm },
	{ .pcr = 22, .type = MEASURE_NV, .name = nv },
	{ .pcr = 17, .type = MEASURE_CLOSING, .name = closing },
};

/* Of a launch without and with D-RTM. */
static struct expected expected[2];

/* Each event's digest is that of its name: a log can be written down by hand. */
static void make_expected(bool drtm)
{
	static struct expected_event events[2][GL_COUNT(usual)];
	struct expected *x = &expected[drtm];

	memcpy(events[drtm], usual, sizeof(usual));
	*x = (struct expected){
		.mode = modes[drtm], .drtm = drtm, .country = "DE", .banks = BANKS, .events = events[drtm], .event_count = GL_COUNT(usual)
	};
	pcrs_reset_dynamic(&x->pcrs, BANKS, drtm);
	for (size_t i = 0; i < x->event_count; i++) {
		struct expected_event *e = &x->events[i];

		if (e->type != MEASURE_CLOSING)
			hash_span(BANKS, span_str(e->name), &e->digests);
		else if (!measure_closing(BANKS, &x->pcrs, &e->digests))
			abort();
		if (!pcrs_extend(&x->pcrs, e->pcr, &e->digests))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool from_log, drtm, zeros;
	struct verify_input in = { .has_log = true };
	const struct expected *x;
	struct verify_result r;
	struct pcrs tpm;
	char error[256];

	if (size == 0)
		return 0;
	from_log = data[0] & 1;
	drtm = data[0] & 2;
	zeros = drtm != !!(data[0] & 4);
	x = &expected[drtm];
	if (!x->pcrs.banks)
		make_expected(drtm);
	in.expected = x;
	in.log = (struct span){ data + 1, size - 1 };
	tpm = x->pcrs;
	if (from_log) {
		pcrs_reset_dynamic(&tpm, BANKS, zeros);
		if (eventlog_replay(in.log, &tpm) == EVENTLOG_MALFORMED)
			tpm = x->pcrs;
		for (unsigned a = 0; a < ALG_COUNT; a++)
			tpm.known[a] = x->pcrs.known[a];
	}
	in.tpm = &tpm;
	if (verify(&in, &r, error, sizeof(error))) {
		unsigned good = 1u << (drtm ? VERIFY_TRUSTED : VERIFY_NO_DRTM);

		/* no-drtm alone says that all is well in mode direct, and that there is nothing to trust in mode txt. */
		if (r.agree ? r.verdicts != good : r.verdicts == good || verify_has(&r, VERIFY_TRUSTED))
			abort();
		if (r.agree && (!pcrs_equal(&tpm, &x->pcrs, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST) ||
				       !pcrs_equal(&r.log, &x->pcrs, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST)))
			abort();
		if ((verify_exit_code(&r) == 0) != (r.agree && drtm))
			abort();
	}
	verify_result_free(&r);
	return 0;
}
