/* SPDX-License-Identifier: BSD-3-Clause */
/* What the code of a launch really measures when something is wrong, judged by verify(): tampers x policy types x with and without log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"
#include "tboot-policy/apply.h"
#include "tests/unit/verify_world.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA384))
#define MODULE_COUNT 5
#define EVENT_MAX 16

struct module {
	enum role role;
	uint8_t pcr;
	const char *file, *cmdline, *bytes;
};

struct host {
	struct module modules[MODULE_COUNT];
	struct vlp policy;
	uint8_t policy_bytes[VLP_MAX_SIZE];
	size_t policy_size;
	uint8_t hashes[MODULE_COUNT + 1][DIGEST_MAX];
	enum apply_nv_status nv_status;
	const char *nv;
	/* what comes of it */
	struct pcrs pcrs;
	struct eventlog log;
	uint8_t log_bytes[16 * 1024];
	struct expected_event events[EVENT_MAX];
	size_t event_count;
	struct apply apply;
};

static const struct module modules[MODULE_COUNT] = {
	{ ROLE_DESCRIPTION, VLP_PCR_NONE, "launch.conf", "", "geolaunch 1" },
	{ ROLE_HYPERVISOR, 19, "linux", "console=ttyS0", "MZ" },
	{ ROLE_INITRD, 19, "initrd", "", "070701" },
	{ ROLE_VMM, 20, "vmm", "/usr/bin/qemu", "qemu" },
	{ ROLE_FILE, 21, "file-0", "/etc/vm.json", "{}" },
};

static void digest_module(const struct module *m, alg_set banks, struct digests *image, struct digests *out)
{
	hash_span(banks, span_str(m->bytes), image);
	measure_module(banks, span_str(m->cmdline), image, out);
}

static void encode_policy(struct host *h)
{
	assert_int_equal(vlp_encode(&h->policy, (struct mspan){ h->policy_bytes, sizeof(h->policy_bytes) }, &h->policy_size), VLP_OK);
}

static struct host *host_new(enum vlp_type type)
{
	struct host *h = calloc(1, sizeof(*h));
	struct digests image, d;

	assert_non_null(h);
	memcpy(h->modules, modules, sizeof(modules));
	h->nv = "DE";
	h->policy = (struct vlp){ .version = VLP_VERSION,
		.type = (uint8_t)type,
		.hash_alg = alg_table[ALG_SHA256].tpm_id,
		.control = VLP_CONTROL_EXTEND_PCR17,
		.entry_count = MODULE_COUNT + 1 };
	for (unsigned i = 0; i <= MODULE_COUNT; i++) {
		struct vlp_entry *e = &h->policy.entries[i];

		if (i < MODULE_COUNT)
			digest_module(&modules[i], ALG_BIT(ALG_SHA256), &image, &d);
		else
			measure_nv(ALG_BIT(ALG_SHA256), false, span_str(h->nv), &d);
		memcpy(h->hashes[i], d.d[ALG_SHA256], alg_table[ALG_SHA256].size);
		*e = (struct vlp_entry){ .module = (uint8_t)i,
			.pcr = modules[i % MODULE_COUNT].pcr,
			.hash_type = VLP_HASH_IMAGE,
			.hash_count = 1,
			.hashes = { h->hashes[i], alg_table[ALG_SHA256].size } };
	}
	h->policy.entries[0].hash_type = VLP_HASH_ANY;
	h->policy.entries[0].hash_count = 0;
	h->policy.entries[0].hashes.n = 0;
	h->policy.entries[MODULE_COUNT].module = VLP_MODULE_NV;
	h->policy.entries[MODULE_COUNT].pcr = 22;
	h->policy.entries[MODULE_COUNT].nv_index = 0x01c10110;
	encode_policy(h);
	return h;
}

static void host_free(struct host *h)
{
	for (size_t i = 0; i < h->event_count; i++)
		free(h->events[i].name);
	free(h);
}

/* ---- the launch's environment ---- */

static bool op_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct host *h = ctx;

	assert_true(h->event_count < EVENT_MAX);
	h->events[h->event_count++] =
		(struct expected_event){ .pcr = pcr, .type = type, .digests = *d, .name = strndup((const char *)name.p, name.n) };
	return pcrs_extend(&h->pcrs, pcr, d) && eventlog_append(&h->log, pcr, type, d, name);
}

static bool op_read_pcrs(void *ctx, struct pcrs *out)
{
	*out = ((struct host *)ctx)->pcrs;
	return true;
}

static enum apply_nv_status op_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct host *h = ctx;

	assert_int_equal(index, 0x01c10110);
	*n = strlen(h->nv);
	assert_true(*n <= buf.n);
	memcpy(buf.p, h->nv, *n);
	return h->nv_status;
}

static const struct apply_ops ops = { op_extend, op_read_pcrs, op_read_nv, NULL };

/* True if the launch went through to its end. */
static bool boot(struct host *h)
{
	enum vlp_action act;

	pcrs_reset_dynamic(&h->pcrs, BANKS, false);
	assert_true(eventlog_begin(&h->log, (struct mspan){ h->log_bytes, sizeof(h->log_bytes) }, BANKS));
	h->apply.policy = &h->policy;
	h->apply.policy_bytes = (struct span){ h->policy_bytes, h->policy_size };
	h->apply.banks = BANKS;
	h->apply.ops = &ops;
	h->apply.ctx = h;
	act = apply_policy(&h->apply);
	for (unsigned i = 0; act == VLP_ACT_CONTINUE && i < MODULE_COUNT; i++) {
		const struct module *m = &h->modules[i];
		struct digests image, d;
		struct apply_module am = { i, m->role, span_str(m->file), span_str(m->cmdline), m->bytes ? &image : NULL };

		if (m->bytes)
			digest_module(m, apply_algs(&h->apply), &image, &d);
		act = apply_module(&h->apply, &am);
	}
	if (act == VLP_ACT_CONTINUE)
		act = apply_modules_end(&h->apply);
	if (act == VLP_ACT_CONTINUE)
		act = apply_nv(&h->apply);
	if (act == VLP_ACT_CONTINUE)
		act = apply_closing(&h->apply);
	return act == VLP_ACT_CONTINUE;
}

/* ---- tampers ---- */

static void none(struct host *h)
{
	(void)h;
}

static void other_hypervisor(struct host *h)
{
	h->modules[1].bytes = "MZ evil";
}

static void other_vmm(struct host *h)
{
	h->modules[3].bytes = "evil";
}

static void no_vmm(struct host *h)
{
	h->modules[3].bytes = NULL;
}

static void other_cmdline(struct host *h)
{
	h->modules[0].bytes = "geolaunch 1 evil";
	h->modules[1].cmdline = "init=/evil";
}

static void other_policy(struct host *h)
{
	h->policy.entries[1].hash_type = VLP_HASH_ANY;
	h->policy.entries[1].hash_count = 0;
	h->policy.entries[1].hashes.n = 0;
	encode_policy(h);
}

static void other_geo(struct host *h)
{
	h->nv = "FR";
}

static void no_geo(struct host *h)
{
	h->nv_status = APPLY_NV_MISSING;
}

static void unreadable_geo(struct host *h)
{
	h->nv_status = APPLY_NV_UNREADABLE;
}

static const struct {
	void (*change)(struct host *h);
	unsigned verdicts;
	bool cap;               /* even if the launch goes on */
	bool allowed;           /* no policy stops it */
	const char *modules[3]; /* with a log */
} tampers[] = {
	{ none, 0, false, true, { NULL } },
	{ other_hypervisor, V(MODULE_MISMATCH), false, false, { "module 1 hypervisor linux" } },
	{ other_vmm, V(MODULE_MISMATCH), false, false, { "module 3 vmm vmm" } },
	{ no_vmm, V(MODULE_MISMATCH), true, false, { "module 3 vmm vmm" } },
	{ other_cmdline, V(MODULE_MISMATCH), false, false, { "module 0 description launch.conf", "module 1 hypervisor linux" } },
	{ other_policy, V(POLICY_MISMATCH), false, true, { NULL } },
	{ other_geo, V(GEO_MISMATCH), false, false, { NULL } },
	{ no_geo, V(GEO_MISSING), true, false, { NULL } },
	{ unreadable_geo, V(GEO_MISMATCH), true, false, { NULL } },
};

static bool names_module(const struct verify_result *r, const char *name)
{
	for (size_t i = 0; i < r->modules.n; i++)
		if (strcmp(r->modules.v[i], name) == 0)
			return true;
	return false;
}

static void judge(struct host *before, struct host *h, size_t t, bool done, bool with_log)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned verdicts = V(NO_DRTM) | tampers[t].verdicts | (!done || tampers[t].cap ? V(CAPPED) : 0);
	static char mode[] = "direct";

	assert_non_null(w);
	w->expected = (struct expected){ .mode = mode,
		.country = "DE",
		.banks = BANKS,
		.events = before->events,
		.event_count = before->event_count,
		.pcrs = before->pcrs };
	w->tpm = h->pcrs;
	w->log = h->log;
	verify_world_check(w, with_log);
	assert_verdicts(w, verdicts);
	assert_int_equal(w->r.agree, tampers[t].change == none);
	/* Without a log a launch that stopped at one module hides whether others differ, but never that some do. */
	for (size_t i = 0; tampers[t].modules[i]; i++)
		if (with_log || done || tampers[t].change != other_cmdline)
			assert_true(names_module(&w->r, tampers[t].modules[i]));
	if (with_log)
		assert_modules(w, tampers[t].modules);
	w->expected.event_count = 0;
	verify_world_free(w);
}

static void grid(void **state)
{
	(void)state;
	for (unsigned type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		struct host *good = host_new((enum vlp_type)type);
		unsigned halted = 0;

		assert_true(boot(good));
		for (size_t t = 0; t < GL_COUNT(tampers); t++) {
			struct host *h = host_new((enum vlp_type)type);
			bool done;

			tampers[t].change(h);
			done = boot(h);
			halted += !done;
			if (tampers[t].allowed)
				assert_true(done);
			judge(good, h, t, done, true);
			judge(good, h, t, done, false);
			host_free(h);
		}
		/* "continue" goes on after what fails to verify, as tboot's map of policy actions has it. */
		assert_int_equal(halted, type == VLP_HALT ? 7 : 0);
		host_free(good);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
