/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fleet_record.h"
#include "common/measure.h"

/* One way to launch: what the policy says, and events between those that change. */
struct scene {
	alg_set banks;
	enum alg hash;
	bool nv, raw, verify;
	uint8_t nv_pcr;
	unsigned fixed; /* events that no host changes */
};

static uint32_t seed;

static uint32_t next_random(void)
{
	seed = seed * 1664525u + 1013904223u;
	return seed >> 8;
}

static void fill(uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)next_random();
}

static struct expected_event *add(struct expected *e, unsigned pcr, uint32_t type, const struct digests *d)
{
	struct expected_event *out = &e->events[e->event_count++];

	*out = (struct expected_event){ .pcr = pcr, .type = type, .name = strdup("x"), .digests = *d, .from = calloc(2, sizeof(char *)) };
	out->from[0] = strdup("from");
	out->from_count = 1;
	return out;
}

static size_t make_policy(const struct scene *s, struct span content, struct mspan out)
{
	static struct vlp p;
	struct digests d;
	size_t n;

	p = (struct vlp){ .version = VLP_VERSION, .type = VLP_HALT, .hash_alg = alg_table[s->hash].tpm_id, .control = 1, .entry_count = 1 };
	p.entries[0] = (struct vlp_entry){ .module = 0, .pcr = VLP_PCR_NONE };
	if (s->nv) {
		measure_nv(ALG_BIT(s->hash), s->raw, content, &d);
		p.entry_count = 2;
		p.entries[1] = (struct vlp_entry){
			.module = s->raw ? VLP_MODULE_NV_RAW : VLP_MODULE_NV, .pcr = s->nv_pcr, .nv_index = 0x01c10110
		};
		if (s->verify) {
			p.entries[1].hash_type = VLP_HASH_IMAGE;
			p.entries[1].hash_count = 1;
			p.entries[1].hashes = digest_span(&d, s->hash);
		}
	}
	assert_int_equal(vlp_encode(&p, out, &n), VLP_OK);
	return n;
}

/* Everything from the beginning, without a thought for what stays the same. The fixed events depend on the scene alone. */
static void compute(const struct scene *s, struct span policy, struct span content, struct expected *e)
{
	struct digests d;

	*e = (struct expected){ .name = strdup("one"),
		.mode = strdup("direct"),
		.banks = s->banks,
		.policy_type = VLP_HALT,
		.policy_hash = s->hash,
		.events = calloc(64, sizeof(*e->events)) };
	measure_policy(s->banks, 1, policy, &d);
	add(e, 17, MEASURE_POLICY, &d);
	add(e, 18, MEASURE_POLICY, &d);
	seed = s->fixed;
	for (unsigned i = 0; i < s->fixed; i++) {
		uint8_t bytes[8];

		fill(bytes, sizeof(bytes));
		measure_nv(s->banks, false, SPAN_OF(bytes), &d);
		add(e, 17 + next_random() % 6, MEASURE_MODULE, &d);
	}
	if (s->nv) {
		measure_nv(s->banks, s->raw, content, &d);
		add(e, s->nv_pcr, MEASURE_NV, &d);
	}
	pcrs_reset_dynamic(&e->pcrs, s->banks, false);
	for (size_t i = 0; i < e->event_count; i++)
		assert_true(pcrs_extend(&e->pcrs, e->events[i].pcr, &e->events[i].digests));
	assert_true(measure_closing(s->banks, &e->pcrs, &d));
	add(e, 17, MEASURE_CLOSING, &d);
	assert_true(pcrs_extend(&e->pcrs, 17, &d));
}

static void assert_same(const struct expected *a, const struct expected *b)
{
	assert_int_equal(a->event_count, b->event_count);
	for (size_t i = 0; i < a->event_count; i++) {
		assert_int_equal(a->events[i].pcr, b->events[i].pcr);
		assert_true(digests_equal(&a->events[i].digests, &b->events[i].digests));
	}
	for (unsigned bank = 0; bank < ALG_COUNT; bank++)
		for (unsigned pcr = 17; a->banks & ALG_BIT(bank) && pcr <= 22; pcr++)
			assert_true(span_equal(pcr_value(&a->pcrs, bank, pcr), pcr_value(&b->pcrs, bank, pcr)));
}

struct world {
	struct scene scene;
	uint8_t content[2][64];
	size_t size;
	uint8_t policy[2][VLP_MAX_SIZE];
	size_t policy_size;
	struct expected expected[2];
	struct fleet_common common;
	struct fleet_result result;
	struct cli_fault fault;
};

static struct span content_of(const struct world *w, unsigned host)
{
	return (struct span){ w->content[host], w->scene.nv ? w->size : 0 };
}

/* Two hosts, each computed by itself. */
static struct world *world_make(const struct scene *s)
{
	static const uint8_t sizes[] = { 32, 48, 64 };
	struct world *w = calloc(1, sizeof(*w));

	w->scene = *s;
	w->size = sizes[next_random() % GL_COUNT(sizes)];
	for (unsigned i = 0; i < 2; i++) {
		fill(w->content[i], w->size);
		w->policy_size = make_policy(s, content_of(w, i), (struct mspan){ w->policy[i], VLP_MAX_SIZE });
	}
	for (unsigned i = 0; i < 2; i++)
		compute(s, (struct span){ w->policy[i], w->policy_size }, content_of(w, i), &w->expected[i]);
	return w;
}

static bool common_make(struct world *w)
{
	return fleet_common_make(
		&w->expected[0], (struct span){ w->policy[0], w->policy_size }, content_of(w, 0), NULL, "dir", &w->common, &w->fault);
}

static void world_free(struct world *w)
{
	expected_free(&w->expected[0]);
	expected_free(&w->expected[1]);
	free(w);
}

static struct scene usual(void)
{
	return (struct scene){ .banks = ALG_SET_ALL, .hash = ALG_SHA256, .nv = true, .verify = true, .nv_pcr = 22, .fixed = 6 };
}

/* ---- tests ---- */

static void test_second_host_out_of_the_first(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 400; i++) {
		struct expected made = { .name = NULL };
		struct scene s;
		struct world *w;

		seed = i * 7919;
		s = (struct scene){
			.banks = 1 + next_random() % ALG_SET_ALL,
			.hash = (enum alg)(next_random() % ALG_COUNT),
			.nv = next_random() % 8 != 0,
			.raw = next_random() % 2,
			.verify = next_random() % 4 != 0,
			.nv_pcr = (uint8_t)(17 + next_random() % 6),
			.fixed = next_random() % 12,
		};
		w = world_make(&s);
		assert_true(common_make(w));
		assert_true(fleet_predict(&w->common, content_of(w, 1), &w->result));
		assert_int_equal(w->common.policy_size, w->policy_size);
		assert_memory_equal(w->result.policy, w->policy[1], w->policy_size);
		assert_true(fleet_expected(&w->common, &w->result, "two", content_of(w, 1), &made, &w->fault));
		assert_same(&made, &w->expected[1]);
		assert_string_equal(made.name, "two");
		expected_free(&made);
		world_free(w);
	}
}

/* Each breaks the world in another way; what is said then. */
static void wrong_mode(struct world *w)
{
	free(w->expected[0].mode);
	w->expected[0].mode = strdup("txt");
}

static void wrong_policy(struct world *w)
{
	memcpy(w->policy[0], w->policy[1], w->policy_size);
}

static void wrong_content(struct world *w)
{
	w->content[0][0] ^= 1;
}

static void no_content(struct world *w)
{
	w->size = 0;
}

static void broken_policy(struct world *w)
{
	w->policy_size--;
}

static void wrong_event(struct world *w)
{
	w->expected[0].events[0].digests.d[ALG_SHA1][3] ^= 1;
}

static void wrong_value(struct world *w)
{
	w->expected[0].pcrs.v[ALG_SHA512][18][63] ^= 1;
}

static void event_behind(struct world *w)
{
	add(&w->expected[0], 19, MEASURE_MODULE, &w->expected[0].events[0].digests);
}

static void many_events(struct world *w)
{
	struct expected *e = &w->expected[0];
	size_t n = e->event_count;

	e->events = reallocarray(e->events, FLEET_MAX_EVENTS + 1, sizeof(*e->events));
	while (e->event_count <= FLEET_MAX_EVENTS)
		add(e, 19, MEASURE_MODULE, &e->events[n - 1].digests);
}

static void test_refused(void **state)
{
	static const struct {
		void (*change)(struct world *w);
		const char *words;
	} cases[] = {
		{ wrong_mode, "the expected measurements are for another mode" },
		{ wrong_policy, "the policy is not that of the geo index's content" },
		{ wrong_content, "the policy is not that of the geo index's content" },
		{ no_content, "the content of the geo index is not what the policy measures" },
		{ broken_policy, "the policy cannot be used" },
		{ wrong_event, "the expected measurements are not those" },
		{ wrong_value, "the expected values are not those of the events" },
		{ event_behind, "an event follows the closing one" },
		{ many_events, "too many events" },
	};
	struct scene s = usual();

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct world *w = world_make(&s);

		assert_true(common_make(w));
		cases[i].change(w);
		assert_false(common_make(w));
		assert_int_equal(w->fault.code, CLI_INPUT);
		assert_non_null(strstr(w->fault.text, cases[i].words));
		assert_non_null(strstr(w->fault.text, ": dir: "));
		world_free(w);
	}
}

static void test_content(void **state)
{
	struct scene s = usual();
	struct world *w = world_make(&s);

	(void)state;
	assert_true(common_make(w));
	assert_null(fleet_content_wrong(&w->common, 1));
	assert_null(fleet_content_wrong(&w->common, 4096));
	assert_non_null(fleet_content_wrong(&w->common, 4097));
	assert_non_null(fleet_content_wrong(&w->common, 0));
	world_free(w);
	s.raw = true;
	w = world_make(&s);
	assert_true(common_make(w));
	for (size_t n = 0; n < 70; n++)
		assert_int_equal(!fleet_content_wrong(&w->common, n), n == 32 || n == 48 || n == 64);
	world_free(w);
	s.nv = false;
	w = world_make(&s);
	assert_true(common_make(w));
	assert_null(fleet_content_wrong(&w->common, 0));
	assert_non_null(fleet_content_wrong(&w->common, 64));
	world_free(w);
}

static void test_record(void **state)
{
	static char buf[FLEET_RECORD_MAX];
	static struct fleet_record r;
	struct scene s = usual();
	struct world *w = world_make(&s);
	struct text t = TEXT_OF(buf);
	struct span line;

	(void)state;
	assert_true(common_make(w));
	assert_true(fleet_predict(&w->common, content_of(w, 1), &w->result));
	fleet_record_write(&w->common, &w->result, "host-1", content_of(w, 1), &t);
	assert_false(t.cut);
	assert_int_equal(buf[t.n - 1], '\n');
	line = (struct span){ (uint8_t *)buf, t.n - 1 };
	assert_true(span_is_str(fleet_record_name(line), "host-1"));
	assert_null(fleet_record_parse(line, ALG_SET_ALL, &r));
	assert_string_equal(r.name, "host-1");
	assert_int_equal(r.content_size, w->size);
	assert_memory_equal(r.content, w->content[1], w->size);
	assert_int_equal(r.policy_size, w->policy_size);
	assert_memory_equal(r.policy, w->policy[1], w->policy_size);
	for (unsigned a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = 17; pcr <= 22; pcr++)
			assert_true(span_equal(pcr_value(&r.pcrs, a, pcr), pcr_value(&w->expected[1].pcrs, a, pcr)));
	/* other banks than are wanted */
	assert_non_null(fleet_record_parse(line, ALG_BIT(ALG_SHA1), &r));
	/* every byte that is cut off is missed */
	for (size_t n = 0; n < line.n; n++)
		assert_non_null(fleet_record_parse((struct span){ line.p, n }, ALG_SET_ALL, &r));
	world_free(w);
}

static void test_header(void **state)
{
	/* clang-format off */
	static const char *const wrong[] = {
		"", "{}", "[]", "{\"format\":\"geolaunch-fleet-1\"}", "{\"format\":\"geolaunch-fleet-1\",\"count\":-1}",
		"{\"format\":\"geolaunch-fleet-1\",\"count\":\"1\"}", "{\"format\":\"geolaunch-fleet-2\",\"count\":1}",
		"{\"format\":\"geolaunch-fleet-1\",\"count\":1,\"more\":1}", "{\"format\":\"geolaunch-fleet-1\",\"count\":1,\"count\":1}",
	};
	/* clang-format on */
	uint64_t count = 0;
	char buf[128];
	struct text t = TEXT_OF(buf);

	(void)state;
	fleet_header_write(100000, &t);
	assert_string_equal(buf, "{\"format\":\"geolaunch-fleet-1\",\"count\":100000}\n");
	assert_true(fleet_header_parse(span_str(buf), &count));
	assert_int_equal(count, 100000);
	for (size_t i = 0; i < GL_COUNT(wrong); i++)
		assert_false(fleet_header_parse(span_str(wrong[i]), &count));
}

static void test_names(void **state)
{
	static const char *const good[] = { "a", "A", "0", "a.b-c_d", "fra1-r07-h01.example.org" };
	static const char *const bad[] = { "", ".", "-", "_", ".a", "a b", "a/b", "a\"", "\xc3\xbc" };
	char name[FLEET_NAME_MAX + 2];

	(void)state;
	for (size_t i = 0; i < GL_COUNT(good); i++)
		assert_true(fleet_name_valid(good[i]));
	for (size_t i = 0; i < GL_COUNT(bad); i++)
		assert_false(fleet_name_valid(bad[i]));
	memset(name, 'a', sizeof(name));
	name[FLEET_NAME_MAX + 1] = 0;
	assert_false(fleet_name_valid(name));
	name[FLEET_NAME_MAX] = 0;
	assert_true(fleet_name_valid(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_second_host_out_of_the_first),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_content),
		cmocka_unit_test(test_record),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
