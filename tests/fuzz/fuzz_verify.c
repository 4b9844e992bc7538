/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * verify() over a hostile log, or over values alone: nothing crashes, and nothing but the expected values is ever called as expected. Input: one
 * byte, then the log. Bit 0: the TPM holds what the log leads to, else what was expected; bit 1: a dynamic launch is expected; bit 2: the TPM's
 * values began the other way; bit 3: there is no log, its bytes only make the TPM's values; bit 4: some events have alternatives, of which those
 * in bits 5-7 were measured.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/expected_choose.h"
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

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* Final values of the events as they are now, the closing event being bound to PCR 19-22, which have no alternatives. */
static struct pcrs values_of(const struct expected *x)
{
	struct pcrs p;

	pcrs_reset_dynamic(&p, BANKS, x->drtm);
	for (size_t i = 0; i < x->event_count; i++)
		check(pcrs_extend(&p, x->events[i].pcr, &x->events[i].digests));
	return p;
}

/* The policy, which is measured into two PCRs, can be one of three, the description one of two. */
#define POLICIES 3
#define DESCRIPTIONS 2

struct choice {
	struct expected x;
	struct expected_event events[GL_COUNT(usual)];
	struct expected_alternative more[GL_COUNT(usual)][POLICIES - 1];
};

static size_t choices_of(const struct expected_event *e)
{
	return e->type == MEASURE_POLICY ? POLICIES : e->name == description ? DESCRIPTIONS : 1;
}

/* What is measured in place of number 0, by a number. */
static void digest_of(const struct expected_event *e, size_t number, struct digests *out)
{
	char name[64];
	struct text t = TEXT_OF(name);

	text_str(&t, e->name);
	if (number) {
		text_str(&t, ", number ");
		text_u64(&t, number);
	}
	hash_span(BANKS, span_str(name), out);
}

static void add_alternatives(struct choice *c, const struct expected *base)
{
	memset(c, 0, sizeof(*c));
	c->x = *base;
	c->x.events = c->events;
	memcpy(c->events, base->events, sizeof(c->events));
	for (size_t i = 0; i < GL_COUNT(usual); i++) {
		size_t n = choices_of(&c->events[i]);

		c->events[i].alternatives = c->more[i];
		c->events[i].alternative_count = n - 1;
		for (size_t k = 1; k < n; k++)
			digest_of(&c->events[i], k, &c->more[i][k - 1].digests);
	}
}

/* The TPM's values if the launch was one with these. */
static struct pcrs values_with(const struct expected *base, size_t which_policy, size_t which_description)
{
	struct expected_event events[GL_COUNT(usual)];
	struct expected x = *base;

	memcpy(events, base->events, sizeof(events));
	x.events = events;
	for (size_t i = 0; i < GL_COUNT(usual); i++)
		if (choices_of(&events[i]) > 1)
			digest_of(&events[i], events[i].type == MEASURE_POLICY ? which_policy : which_description, &events[i].digests);
	return values_of(&x);
}

/* Something that is expected was chosen, nothing was lost, and the values are those of what was chosen. */
static void check_choice(const struct choice *c)
{
	struct pcrs p = values_of(&c->x);
	struct digests wanted;
	unsigned found;

	for (size_t i = 0; i < GL_COUNT(usual); i++) {
		const struct expected_event *e = &c->events[i];

		if (choices_of(e) == 1)
			continue;
		found = 0;
		for (size_t k = 0; k < choices_of(e); k++) {
			digest_of(e, k, &wanted);
			found |= digests_equal(&e->digests, &wanted) ? 1u << k : 0;
			for (size_t m = 0; m < e->alternative_count; m++)
				found |= digests_equal(&e->alternatives[m].digests, &wanted) ? 1u << k : 0;
		}
		check(found == (1u << choices_of(e)) - 1);
	}
	check(digests_equal(&c->events[0].digests, &c->events[1].digests));
	check(pcrs_equal(&c->x.pcrs, &p, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool from_log, drtm, zeros, alternatives;
	struct verify_input in = { .has_log = true };
	const struct expected *x;
	struct choice choice;
	struct verify_result r;
	struct pcrs tpm;
	struct span log;
	char error[256];

	if (size == 0)
		return 0;
	from_log = data[0] & 1;
	drtm = data[0] & 2;
	zeros = drtm != !!(data[0] & 4);
	in.has_log = !(data[0] & 8);
	alternatives = data[0] & 16;
	x = &expected[drtm];
	if (!x->pcrs.banks)
		make_expected(drtm);
	log = (struct span){ data + 1, size - 1 };
	tpm = alternatives ? values_with(x, (data[0] >> 5) % POLICIES, data[0] >> 7) : x->pcrs;
	if (from_log) {
		struct pcrs end = tpm;

		pcrs_reset_dynamic(&tpm, BANKS, zeros);
		if (eventlog_replay(log, &tpm) == EVENTLOG_MALFORMED)
			tpm = end;
		for (unsigned a = 0; a < ALG_COUNT; a++)
			tpm.known[a] = x->pcrs.known[a];
	}
	if (in.has_log)
		in.log = log;
	if (alternatives) {
		struct pcrs before = tpm;

		add_alternatives(&choice, x);
		expected_choose(&choice.x, &tpm, in.has_log, in.log);
		check_choice(&choice);
		check(memcmp(&before, &tpm, sizeof(tpm)) == 0);
		x = &choice.x;
		check(from_log || pcrs_equal(&tpm, &x->pcrs, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST));
	}
	in.expected = x;
	in.tpm = &tpm;
	memset(&r, 0xaa, sizeof(r));
	if (verify(&in, &r, error, sizeof(error))) {
		unsigned good = 1u << (drtm ? VERIFY_TRUSTED : VERIFY_NO_DRTM);
		bool equal = pcrs_equal(&tpm, &x->pcrs, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST);

		/* no-drtm alone says that all is well in mode direct, and that there is nothing to trust in mode txt. */
		check(r.agree ? r.verdicts == good : r.verdicts != good && !verify_has(&r, VERIFY_TRUSTED));
		check(in.has_log || r.agree == equal);
		check(r.has_log == in.has_log);
		check(!r.agree || (equal && (!in.has_log || pcrs_equal(&r.log, &x->pcrs, BANKS, PCR_DRTM_FIRST, PCR_DRTM_LAST))));
		check((verify_exit_code(&r) == 0) == (r.agree && drtm));
	}
	verify_result_free(&r);
	return 0;
}
