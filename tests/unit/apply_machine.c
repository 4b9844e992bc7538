/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/apply_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/hash.h"

/* clang-format off */
static const struct {
	const char *word;
	uint32_t type;
} types[] = {
	{ "policy", 0x5a0 }, { "module", 0x5a1 }, { "nv", 0x5a2 }, { "nv-raw", 0x5a2 }, { "closing", 0x5a3 }, { "cap", 0x5a4 },
};
/* clang-format on */

static void assert_type_goes_with_name(uint32_t type, struct span name)
{
	for (size_t i = 0; i < GL_COUNT(types); i++) {
		size_t n = strlen(types[i].word);

		if (name.n >= n && memcmp(name.p, types[i].word, n) == 0 && (name.n == n || name.p[n] == ' ')) {
			assert_int_equal(type, types[i].type);
			return;
		}
	}
	fail_msg("an event with the name %.*s", (int)name.n, (const char *)name.p);
}

static bool extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct machine *m = ctx;

	m->extends++;
	assert_type_goes_with_name(type, name);
	assert_int_equal(d->banks, m->banks);
	if (m->extends == m->fail_at || (m->fail_on && m->fail_at && m->extends > m->fail_at))
		return false;
	assert_true(pcrs_extend(&m->pcrs, pcr, d));
	assert_true(m->trace_n < MACHINE_TRACE);
	(void)snprintf(m->trace[m->trace_n++], sizeof(m->trace[0]), "%u %.*s", pcr, (int)name.n, (const char *)name.p);
	return true;
}

static bool read_pcrs(void *ctx, struct pcrs *out)
{
	struct machine *m = ctx;

	if (m->read_fails)
		return false;
	*out = m->pcrs;
	for (enum alg a = 0; m->read_incomplete && a < ALG_COUNT; a++)
		out->known[a] &= ~(UINT32_C(1) << 21);
	return true;
}

static enum apply_nv_status read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct machine *m = ctx;

	assert_int_equal(index >> 24, 1);
	assert_int_equal(buf.n, APPLY_NV_MAX);
	if (m->nv_status != APPLY_NV_OK)
		return m->nv_status;
	*n = m->nv.n;
	if (m->nv.n <= buf.n && m->nv.n > 0)
		memcpy(buf.p, m->nv.p, m->nv.n);
	return APPLY_NV_OK;
}

static void report(void *ctx, const struct apply_report *r)
{
	struct machine *m = ctx;
	char pcr[8] = "--";

	assert_int_equal(r->digests->banks, m->banks);
	assert_true(m->report_n < MACHINE_TRACE);
	if (r->pcr != VLP_PCR_NONE)
		(void)snprintf(pcr, sizeof(pcr), "%u", r->pcr);
	(void)snprintf(m->report[m->report_n++], sizeof(m->report[0]), "%s %.*s%s%s", pcr, (int)r->name.n, (const char *)r->name.p,
		r->error == TB_ERR_NONE ? "" : " ! ", r->error == TB_ERR_NONE ? "" : cap_table[r->why].name);
}

static const struct apply_ops ops = { .extend = extend, .read_pcrs = read_pcrs, .read_nv = read_nv, .report = report };

void machine_init(struct machine *m, uint8_t type, enum alg hash, alg_set banks)
{
	memset(m, 0, sizeof(*m));
	m->policy = (struct vlp){ .version = VLP_VERSION, .type = type, .hash_alg = alg_table[hash].tpm_id, .control = 1 };
	m->banks = banks;
	pcrs_reset_dynamic(&m->pcrs, banks, false);
	m->apply = (struct apply){
		.policy = &m->policy,
		.policy_bytes = SPAN_LITERAL("the bytes of the policy"),
		.banks = banks,
		.ops = &ops,
		.ctx = m,
	};
	m->nv = SPAN_LITERAL("this host stands in Frankfurt");
}

static struct vlp_entry *add(struct machine *m, const uint8_t *hash)
{
	struct vlp_entry *e = &m->policy.entries[m->policy.entry_count++];
	enum alg a;

	assert_true(alg_by_id(m->policy.hash_alg, &a));
	if (hash) {
		e->hash_type = VLP_HASH_IMAGE;
		e->hash_count = 1;
		e->hashes = (struct span){ hash, alg_table[a].size };
	}
	return e;
}

void machine_entry(struct machine *m, uint8_t module, uint8_t pcr, const uint8_t *hash)
{
	struct vlp_entry *e = add(m, hash);

	e->module = module;
	e->pcr = pcr;
}

void machine_nv_entry(struct machine *m, bool raw, uint32_t index, const uint8_t *hash)
{
	struct vlp_entry *e = add(m, hash);

	e->module = raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV;
	e->pcr = 22;
	e->nv_index = index;
}

enum vlp_action machine_run(struct machine *m, const struct machine_module *modules, size_t count)
{
	enum vlp_action act = apply_policy(&m->apply);

	for (size_t i = 0; i < count && act == VLP_ACT_CONTINUE; i++) {
		struct digests image;

		if (modules[i].bytes)
			hash_span(apply_algs(&m->apply), span_str(modules[i].bytes), &image);
		act = apply_module(&m->apply, &(struct apply_module){ .number = (unsigned)i,
						      .role = modules[i].role,
						      .file = span_str(modules[i].file),
						      .cmdline = span_str(modules[i].cmdline),
						      .image = modules[i].bytes ? &image : NULL });
	}
	if (act == VLP_ACT_CONTINUE)
		act = apply_modules_end(&m->apply);
	if (act == VLP_ACT_CONTINUE)
		act = apply_nv(&m->apply);
	if (act == VLP_ACT_CONTINUE)
		act = apply_closing(&m->apply);
	return act;
}

static size_t expect_lines(const struct machine *m, va_list list)
{
	size_t i = 0;

	for (const char *want; (want = va_arg(list, const char *)) != NULL; i++) {
		if (i == m->trace_n)
			fail_msg("no extend %zu, expected %s", i, want);
		assert_string_equal(m->trace[i], want);
	}
	return i;
}

static void expect_end(const struct machine *m, size_t n)
{
	if (n != m->trace_n)
		fail_msg("an extend too many: %s", m->trace[n]);
}

void machine_expect(const struct machine *m, ...)
{
	va_list list;

	va_start(list, m);
	expect_end(m, expect_lines(m, list));
	va_end(list);
}

void machine_expect_capped(const struct machine *m, const char *reason, ...)
{
	va_list list;
	size_t n;

	va_start(list, reason);
	n = expect_lines(m, list);
	va_end(list);
	for (unsigned pcr = 17; pcr <= 22; pcr++, n++) {
		char want[128];

		(void)snprintf(want, sizeof(want), "%u cap %s", pcr, reason);
		if (n == m->trace_n)
			fail_msg("missing: %s", want);
		assert_string_equal(m->trace[n], want);
	}
	expect_end(m, n);
}
