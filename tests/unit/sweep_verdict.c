/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/sweep_verdict.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/eventlog.h"

#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

void sweep_expect(struct sweep_verdict *v, const struct pcrs *pcrs, struct span log, bool drtm)
{
	static char mode[2][8] = { "direct", "txt" };
	struct eventlog_reader r;
	struct event e;

	verify_result_free(&v->r);
	memset(v, 0, sizeof(*v));
	/* clang-format off */
	v->expected = (struct expected){
		.mode = mode[drtm], .drtm = drtm, .country = "DE", .policy_type = 2, .policy_hash = ALG_SHA256, .banks = pcrs->banks,
		.events = v->events,
	};
	/* clang-format on */
	pcrs_reset_dynamic(&v->expected.pcrs, pcrs->banks, drtm);
	assert_int_equal(eventlog_open(&r, log), EVENTLOG_EVENT);
	while (eventlog_next(&r, &e) == EVENTLOG_EVENT) {
		struct expected_event *x = &v->events[v->expected.event_count];

		if (e.type == EV_NO_ACTION)
			continue;
		assert_true(v->expected.event_count < GL_COUNT(v->events) && e.data.n < sizeof(v->names[0]));
		memcpy(v->names[v->expected.event_count], e.data.p, e.data.n);
		*x = (struct expected_event){
			.pcr = e.pcr, .type = e.type, .name = v->names[v->expected.event_count], .digests = e.digests
		};
		assert_true(pcrs_extend(&v->expected.pcrs, e.pcr, &e.digests));
		v->expected.event_count++;
	}
	assert_null(r.error);
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = PCR_DRTM_FIRST; pcr <= PCR_DRTM_LAST; pcr++)
			if (pcrs->banks & ALG_BIT(a))
				assert_memory_equal(v->expected.pcrs.v[a][pcr], pcrs->v[a][pcr], alg_table[a].size);
	sweep_verify(v, pcrs, log);
	assert_true(v->r.agree);
}

void sweep_verify(struct sweep_verdict *v, const struct pcrs *pcrs, struct span log)
{
	struct verify_input in = { .expected = &v->expected, .tpm = pcrs, .has_log = log.n > 0, .log = log };
	char error[256];

	verify_result_free(&v->r);
	if (!verify(&in, &v->r, error, sizeof(error)))
		fail_msg("%s", error);
}

void sweep_expect_verdicts(const struct sweep_verdict *v, unsigned verdicts)
{
	static const int codes[VERIFY_VERDICT_COUNT] = { 0, 10, 11, 12, 13, 14, 15, 16 };
	int code = 0;

	for (unsigned i = 0; i < VERIFY_VERDICT_COUNT; i++) {
		if (verify_has(&v->r, (enum verify_verdict)i) != (verdicts >> i & 1)) {
			for (size_t k = 0; k < v->r.explanation.n; k++)
				print_message("%s\n", v->r.explanation.v[k]);
			fail_msg("verdict %s is %s", verify_verdict_table[i].name, verdicts >> i & 1 ? "missing" : "wrong");
		}
		if (verdicts >> i & 1)
			code = codes[i];
	}
	assert_int_equal(verify_exit_code(&v->r), code);
	assert_int_equal(v->r.capped, verdicts >> VERIFY_CAPPED & 1);
	assert_int_equal(v->r.agree, verdicts == 1u << (v->expected.drtm ? VERIFY_TRUSTED : VERIFY_NO_DRTM));
}

static bool is_named(const struct sweep_verdict *v, const char *module)
{
	for (size_t i = 0; i < v->r.modules.n; i++)
		if (strcmp(v->r.modules.v[i], module) == 0)
			return true;
	return false;
}

unsigned sweep_missing(const struct sweep_verdict *v, size_t taken)
{
	unsigned verdicts = 0;
	size_t modules = 0;

	assert_true(taken <= v->expected.event_count);
	for (size_t i = taken; i < v->expected.event_count; i++)
		switch (v->events[i].type) {
		case MEASURE_POLICY:
			verdicts |= 1u << VERIFY_POLICY_MISMATCH;
			break;
		case MEASURE_MODULE:
			verdicts |= 1u << VERIFY_MODULE_MISMATCH;
			modules++;
			if (!is_named(v, v->events[i].name))
				fail_msg("\"%s\" is missing, and nothing says so", v->events[i].name);
			break;
		case MEASURE_NV:
			verdicts |= 1u << VERIFY_GEO_MISSING;
			break;
		case MEASURE_CLOSING:
			verdicts |= 1u << VERIFY_LOG_MISMATCH;
			break;
		default:
			fail_msg("an event of type 0x%x in a launch of ours", v->events[i].type);
		}
	assert_int_equal(v->r.modules.n, modules);
	return verdicts;
}

static void verdicts(const struct sweep_verdict *v, struct text *t)
{
	for (unsigned i = 0, n = 0; i < VERIFY_VERDICT_COUNT; i++) {
		if (!(v->r.verdicts >> i & 1))
			continue;
		text_str(t, n++ ? ", \"" : "\"");
		text_str(t, verify_verdict_table[i].name);
		text_char(t, '"');
	}
}

void sweep_record(const struct sweep_verdict *v, const struct sweep_record *r)
{
	const char *folder = getenv("GEOLAUNCH_RESULTS");
	char path[512], names[256], line[1024];
	struct text t = TEXT_OF(names);
	int fd, n;

	/* One of the two variants of a test is enough. */
	if (!folder || !*folder || SANITIZED)
		return;
	verdicts(v, &t);
	n = snprintf(path, sizeof(path), "%s/sweep.jsonl", folder);
	assert_true(n > 0 && (size_t)n < sizeof(path));
	n = snprintf(line, sizeof(line),
		"{\"mode\": \"%s\", \"command\": \"%s\", \"index\": %u, \"kind\": \"%s%s\", \"policy\": \"%s\", \"outcome\": \"%s\", "
		"\"verdicts\": [%s], \"exit\": %d, \"agree\": %s, \"locality0_back\": %s}\n",
		r->mode, r->command, r->index, r->kind, r->late ? " after execution" : "", r->policy, r->outcome, names,
		verify_exit_code(&v->r), v->r.agree ? "true" : "false", r->locality0_back ? "true" : "false");
	assert_true(n > 0 && (size_t)n < sizeof(line));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	/* One write: lines of several processes do not mix. */
	assert_int_equal(write(fd, line, (size_t)n), n);
	assert_int_equal(close(fd), 0);
}
