/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/expected.h"
#include "tboot-policy/vlp.h"

#define BANKS (ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256))

static struct expected_event event(unsigned pcr, uint32_t type, const char *name, uint8_t seed, enum provenance kind, const char *from)
{
	struct expected_event e = { .pcr = pcr, .type = type, .name = strdup(name), .digests = { .banks = BANKS }, .provenance = kind };

	memset(e.digests.d[ALG_SHA1], seed, 20);
	memset(e.digests.d[ALG_SHA256], seed + 1, 32);
	e.from = calloc(2, sizeof(*e.from));
	e.from[0] = strdup(from);
	e.from_count = 1;
	return e;
}

/* Three events: one of ours, one of somebody else's with a large type, and one in one bank only (as tboot extends). */
static struct expected sample(void)
{
	struct expected e = { .name = strdup("demo"),
		.mode = strdup("txt"),
		.drtm = true,
		.country = "DE",
		.policy_type = VLP_CONTINUE,
		.policy_hash = ALG_SHA256,
		.banks = BANKS,
		.event_count = 3 };

	e.events = calloc(3, sizeof(*e.events));
	e.events[0] = event(17, MEASURE_POLICY, "policy", 0x10, PROVENANCE_COMPUTED, "policy.vlp");
	e.events[1] = event(18, 0x90000001, "x", 0x20, PROVENANCE_ASSUMED, "SINIT");
	e.events[2] = event(22, MEASURE_NV, "nv 0x01c10110", 0x30, PROVENANCE_GIVEN, "geo.tag");
	e.events[1].digests.banks = ALG_BIT(ALG_SHA256);
	pcrs_reset_dynamic(&e.pcrs, e.banks, e.drtm);
	for (size_t i = 0; i < e.event_count; i++)
		assert_true(pcrs_extend(&e.pcrs, e.events[i].pcr, &e.events[i].digests));
	return e;
}

static char *sample_text(void)
{
	struct expected e = sample();
	char *text = expected_text(&e);

	assert_non_null(text);
	expected_free(&e);
	return text;
}

static bool parse(const char *text, struct expected *out, char *error, size_t cap)
{
	memset(out, 0, sizeof(*out));
	return expected_parse("e.json", span_str(text), out, error, cap);
}

static void round_trip(void **state)
{
	CLEANUP_FREE char *text = sample_text();
	CLEANUP_FREE char *again = NULL;
	struct expected e;
	char error[512] = "";

	(void)state;
	if (!parse(text, &e, error, sizeof(error)))
		fail_msg("%s", error);
	assert_string_equal(e.name, "demo");
	assert_string_equal(e.mode, "txt");
	assert_true(e.drtm);
	assert_string_equal(e.country, "DE");
	assert_int_equal(e.policy_type, VLP_CONTINUE);
	assert_int_equal(e.policy_hash, ALG_SHA256);
	assert_int_equal(e.banks, BANKS);
	assert_int_equal(e.event_count, 3);
	assert_int_equal(e.events[1].type, 0x90000001);
	assert_int_equal(e.events[1].digests.banks, ALG_BIT(ALG_SHA256));
	assert_int_equal(e.events[1].provenance, PROVENANCE_ASSUMED);
	assert_string_equal(e.events[2].name, "nv 0x01c10110");
	assert_string_equal(e.events[2].from[0], "geo.tag");
	assert_int_equal(e.events[2].digests.d[ALG_SHA256][31], 0x31);
	again = expected_text(&e);
	assert_string_equal(again, text);
	assert_int_equal(text[strlen(text) - 1], '\n');
	expected_free(&e);
}

static void no_country(void **state)
{
	struct expected e = sample(), back;
	CLEANUP_FREE char *text = NULL;
	char error[512] = "";

	(void)state;
	e.country[0] = 0;
	text = expected_text(&e);
	expected_free(&e);
	assert_non_null(strstr(text, "\"country\": null"));
	assert_true(parse(text, &back, error, sizeof(error)));
	assert_string_equal(back.country, "");
	expected_free(&back);
}

/* Replaces the first occurrence, which must be there. The caller frees. */
static char *replace(const char *text, const char *what, const char *by)
{
	const char *at = strstr(text, what);
	char *out = NULL;

	if (!at)
		fail_msg("not in the text: %s", what);
	if (asprintf(&out, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what)) < 0)
		fail();
	return out;
}

#define HEX20(x) x x x x x x x x x x x x x x x x x x x x

/* One row per rule. */
static void refusals(void **state)
{
	static const struct {
		const char *what, *by, *message;
	} cases[] = {
		{ "{", "[", "not JSON" },
		{ "\"name\": \"demo\"", "\"name\": \"demo\", \"name\": \"x\"", "not JSON" },
		{ "-expected-1", "-expected-2", "this is no geolaunch-expected-1: e.json" },
		{ "\"name\": \"demo\",", "\"name\": \"demo\", \"more\": 1,", "the file has the unknown key \"more\"" },
		{ "\"name\": \"demo\",", "", "\"name\" is missing" },
		{ "\"demo\"", "7", "\"name\" is missing or no plain text" },
		{ "\"demo\"", "\"de\\u001bmo\"", "\"name\" is missing or no plain text" },
		{ "\"mode\": \"txt\"", "\"mode\": \"direkt\"", "\"mode\" is missing or has an unknown value" },
		{ "\"drtm\": true", "\"drtm\": 1", "\"drtm\" is missing or neither true nor false" },
		{ "\"DE\"", "\"de\"", "\"country\" is neither" },
		{ "\"DE\"", "\"DEU\"", "\"country\" is neither" },
		{ "\"country\": \"DE\",", "", "\"country\" is neither" },
		{ "\"type\": \"continue\"", "\"type\": \"stop\"", "\"policy\" has no known type and hash" },
		{ "\"hash\": \"sha256\"", "\"hash\": \"md5\"", "\"policy\" has no known type and hash" },
		{ "\"hash\": \"sha256\"", "\"hash\": \"sha256\", \"x\": 1", "policy has the unknown key \"x\"" },
		{ "\"policy\": {", "\"policy\": [], \"p\": {", "unknown key \"p\"" },
		{ "\"sha1\",", "\"sha2\",", "\"banks\" has an unknown bank" },
		{ "\"sha1\",", "\"sha1\", \"sha1\",", "\"banks\" has an unknown bank or one twice" },
		{ "\"sha1\",", "", "\"digests\" names a bank that \"banks\" has not" },
		{ "\"pcr\": 17", "\"pcr\": 16", "events[0]: \"pcr\" is missing, no number, or out of range" },
		{ "\"pcr\": 17", "\"pcr\": 23", "events[0]: \"pcr\" is missing, no number, or out of range" },
		{ "\"pcr\": 17", "\"pcr\": 17.0", "events[0]: \"pcr\" is missing, no number, or out of range" },
		{ "\"type\": 1440", "\"type\": -1", "events[0]: \"type\" is missing" },
		{ "\"type\": 1440", "\"type\": 4294967296", "events[0]: \"type\" is missing" },
		{ "\"type\": 1440", "\"type\": 1441", "events[0]: \"type_name\" is not that of \"type\"" },
		{ "\"type_name\": \"unknown\",", "", "events[1]: \"type_name\" is missing" },
		{ "\"name\": \"x\"", "\"nome\": \"x\"", "events[1]: event has the unknown key \"nome\"" },
		{ "\"sha1\": \"1010", "\"sha1\": \"101", "events[0]: a digest is no hexadecimal" },
		{ "\"sha1\": \"1010", "\"sha1\": \"10g0", "events[0]: a digest is no hexadecimal" },
		{ "\"sha1\": \"" HEX20("10") "\"", "\"sha1\": 7", "events[0]: a digest is no hexadecimal" },
		{ "\"sha1\": \"1010", "\"sha384\": \"1010", "events[0]: \"digests\" names a bank that" },
		{ "\"assumed\"", "\"believed\"", "events[1]: \"kind\" is missing or has an unknown value" },
		{ "\"kind\": \"given\"", "\"kind\": \"given\", \"by\": 1", "events[2]: provenance has the unknown key \"by\"" },
		{ "\"SINIT\"", "1", "events[1]: \"from\" holds something else than texts" },
		{ "\"pcr\": 18", "\"pcr\": 19", "the events do not give the value of PCR 18 in bank sha256" },
		{ "\"drtm\": true", "\"drtm\": false", "the events do not give the value of PCR 17 in bank sha1" },
		{ "\"sha1\": \"1010", "\"sha1\": \"1011", "the events do not give the value of PCR 17 in bank sha1" },
		{ "\"20\": \"00", "\"20\": \"01", "the events do not give the value of PCR 20 in bank sha1" },
		{ "\"19\": \"" HEX20("00") "\",", "", "\"pcrs\" lacks values" },
		{ "\"19\":", "\"23\":", "\"pcrs\" names something else" },
		{ "\"19\":", "\"019\":", "\"pcrs\" names something else" },
		{ "\"19\": \"00", "\"19\": \"0", "a PCR value is no hexadecimal" },
		{ "\"pcrs\": {\n    \"sha1\"", "\"pcrs\": {\n    \"sha384\"", "\"pcrs\" has a bank that" },
		{ "\"events\": [", "\"events\": 1, \"x\": [", "unknown key \"x\"" },
	};
	CLEANUP_FREE char *text = sample_text();

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		CLEANUP_FREE char *bad = replace(text, cases[i].what, cases[i].by);
		struct expected e, before;
		char error[512] = "";

		memset(&e, 0xa5, sizeof(e));
		before = e;
		if (expected_parse("e.json", span_str(bad), &e, error, sizeof(error)))
			fail_msg("accepted: %s -> %s", cases[i].what, cases[i].by);
		assert_memory_equal(&e, &before, sizeof(e));
		if (!strstr(error, cases[i].message) || !strstr(error, ": e.json"))
			fail_msg("%s -> %s: \"%s\" instead of \"%s\"", cases[i].what, cases[i].by, error, cases[i].message);
	}
}

/* Anything else but a whole file is refused, and a short buffer cuts the message. */
static void cut(void **state)
{
	CLEANUP_FREE char *text = sample_text();
	size_t n = strlen(text);

	(void)state;
	for (size_t i = 0; i + 2 < n; i++) {
		struct expected e;
		char error[8];

		assert_false(expected_parse("e.json", (struct span){ (const uint8_t *)text, i }, &e, error, sizeof(error)));
		assert_true(strlen(error) < sizeof(error));
	}
}

static void from_a_file(void **state)
{
	CLEANUP_FREE char *text = sample_text();
	CLEANUP_FREE char *marked = NULL;
	char folder[] = "/tmp/geolaunch-test-XXXXXX", path[64], error[512] = "";
	struct cli_fault fault;
	struct expected e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/expected.json", folder);
	assert_false(expected_load(path, &e, error, sizeof(error)));
	assert_non_null(strstr(error, "cannot open"));
	assert_true(write_file_atomic(path, SPAN_LITERAL("old"), &fault));
	assert_true(write_file_atomic(path, span_str(text), &fault));
	assert_true(expected_load(path, &e, error, sizeof(error)));
	expected_free(&e);
	/* behind a byte order mark it is the same */
	assert_true(asprintf(&marked, "\xef\xbb\xbf%s", text) > 0);
	assert_true(write_file_atomic(path, span_str(marked), &fault));
	assert_true(expected_load(path, &e, error, sizeof(error)));
	expected_free(&e);
	assert_int_equal(unlink(path), 0);
	/* empty again: no temporary file was left */
	assert_int_equal(rmdir(folder), 0);
	assert_false(write_file_atomic(path, SPAN_LITERAL("x"), &fault));
	assert_int_equal(fault.code, CLI_IO);
}

/* The same with two choices for the second event, and for another one of its type. */
static char *choices_text(void)
{
	struct expected e = sample();
	char *text;

	free(e.events[0].name);
	e.events[0].name = strdup("y");
	e.events[0].type = e.events[1].type;
	e.events[1].provenance = PROVENANCE_CAPTURED;
	for (size_t i = 0; i < 2; i++) {
		struct expected_event other = event(17, 0, "", 0x60, PROVENANCE_CAPTURED, "b.log");

		other.digests.banks = e.events[i].digests.banks;
		free(other.name);
		e.events[i].alternatives = calloc(1, sizeof(*e.events[i].alternatives));
		e.events[i].alternative_count = 1;
		e.events[i].alternatives[0] = (struct expected_alternative){ other.digests, other.from, 1 };
	}
	text = expected_text(&e);
	assert_non_null(text);
	expected_free(&e);
	return text;
}

static void alternatives(void **state)
{
	static const struct {
		const char *what, *by, *message;
	} cases[] = {
		{ "\"alternatives\": [", "\"alternatives\": [], \"x\": [", "event has the unknown key \"x\"" },
		{ "\"from\": [\n            \"b.log\"\n          ]", "\"from\": 1", "\"from\" is no list" },
		{ "\"from\": [\n            \"b.log\"\n          ]", "\"from\": [], \"kind\": 1",
			"an alternative has the unknown key \"kind\"" },
		{ "\"sha1\": \"6060", "\"sha1\": \"606x", "a digest is no hexadecimal" },
		{ "\"sha1\": \"" HEX20("60") "\",", "", "an alternative has other banks than the event" },
	};
	CLEANUP_FREE char *text = choices_text();
	CLEANUP_FREE char *again = NULL;
	char error[512] = "";
	struct expected e;

	(void)state;
	if (!parse(text, &e, error, sizeof(error)))
		fail_msg("%s", error);
	assert_int_equal(e.events[1].provenance, PROVENANCE_CAPTURED);
	assert_int_equal(e.events[0].alternative_count, 1);
	assert_int_equal(e.events[1].alternatives[0].digests.d[ALG_SHA256][0], 0x61);
	assert_string_equal(e.events[1].alternatives[0].from[0], "b.log");
	assert_int_equal(e.events[2].alternative_count, 0);
	again = expected_text(&e);
	assert_string_equal(again, text);
	expected_free(&e);
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		CLEANUP_FREE char *bad = replace(text, cases[i].what, cases[i].by);

		assert_false(parse(bad, &e, error, sizeof(error)));
		if (!strstr(error, cases[i].message))
			fail_msg("%s -> %s: \"%s\" instead of \"%s\"", cases[i].what, cases[i].by, error, cases[i].message);
	}
}

static void add_alternatives(struct expected_event *e, size_t count)
{
	e->alternatives = calloc(count, sizeof(*e->alternatives));
	e->alternative_count = count;
	for (size_t i = 0; i < count; i++)
		e->alternatives[i].digests = e->digests;
}

/* One type with different numbers, too many in one event, too many combinations. */
static void numbers_of_alternatives(void **state)
{
	static const struct {
		size_t counts[3];
		bool one_type;
		const char *message;
	} cases[] = {
		{ { 15, 15, 15 }, false, NULL },
		{ { 15, 15, 15 }, true, NULL },
		{ { 1, 2, 0 }, true, "events of one type have different numbers" },
		{ { 1, 2, 0 }, false, NULL },
		{ { 16, 0, 0 }, false, "\"alternatives\" is no list, empty or too long" },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(cases); i++) {
		struct expected e = sample(), back;
		CLEANUP_FREE char *text = NULL;
		char error[512] = "";

		for (size_t k = 0; k < 3; k++) {
			e.events[k].type = 0x400u + (cases[i].one_type ? 0 : (uint32_t)k);
			add_alternatives(&e.events[k], cases[i].counts[k]);
		}
		text = expected_text(&e);
		expected_free(&e);
		assert_int_equal(parse(text, &back, error, sizeof(error)), !cases[i].message);
		if (cases[i].message)
			assert_non_null(strstr(error, cases[i].message));
		else
			expected_free(&back);
	}
}

static void too_many_combinations(void **state)
{
	struct expected e = sample(), back;
	CLEANUP_FREE char *text = NULL;
	char error[512] = "";

	(void)state;
	e.events = reallocarray(e.events, 4, sizeof(*e.events));
	e.events[e.event_count++] = event(22, 0x403, "z", 0x70, PROVENANCE_ASSUMED, "x");
	assert_true(pcrs_extend(&e.pcrs, 22, &e.events[3].digests));
	for (uint32_t k = 0; k < 4; k++) {
		e.events[k].type = 0x400 + k;
		add_alternatives(&e.events[k], 7);
	}
	text = expected_text(&e);
	assert_true(parse(text, &back, error, sizeof(error)));
	expected_free(&back);
	free(text);
	e.events[3].alternative_count = 0;
	free(e.events[3].alternatives);
	add_alternatives(&e.events[3], 8);
	text = expected_text(&e);
	expected_free(&e);
	assert_false(parse(text, &back, error, sizeof(error)));
	assert_non_null(strstr(error, "too many combinations"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(no_country),
		cmocka_unit_test(refusals),
		cmocka_unit_test(cut),
		cmocka_unit_test(from_a_file),
		cmocka_unit_test(alternatives),
		cmocka_unit_test(numbers_of_alternatives),
		cmocka_unit_test(too_many_combinations),
	};

	return cmocka_run_group_tests_name("expected", tests, NULL, NULL);
}
