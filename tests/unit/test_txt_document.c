/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/TXT-RULES.md is what the tables say. With TXT_RULES_WRITE set in the environment it is written instead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "evp.h"
#include "lcp/evaluate.h"
#include "qemu/txt/smx.h"
#include "txt/rules.h"
#include "txt_rule_cases.h"

#define DOCUMENT "docs/TXT-RULES.md"

static const char head[] =
	"# Rules of a TXT launch\n\n"
	"Written from the tables in `qemu/txt/smx_rules.c`, `txt/rules.c` and `lcp/evaluate_rules.c`, and from the list of tests in\n"
	"`tests/unit/txt_rule_cases.h` (`TXT_RULES_WRITE=1 build/host/unit/test_txt_document`); a test compares them. Each test breaks its rule\n"
	"by itself, on a machine in which nothing else is wrong, and wants just this rule and its error. \"boot\": the rule is broken by\n"
	"a guest in QEMU, too (`tests/boot/mle/`). \"deduced\": no public document says just this, or not this number.\n\n";

/* A test of a rule; `file` NULL: the section's usual one. */
struct test_of {
	unsigned rule;
	const char *file, *name;
};

#define HERE(r, f) { RULE(r), NULL, #f },
#define THERE(r, f, t) { RULE(r), #f, #t },
#define BEFORE(f, r) HERE(r, f)
#define AFTER(f, r) HERE(r, f)
#define BOTH(name, f, g, r, code) HERE(r, name)
#define SMX_CASE(f, r, code) HERE(r, f)
#define LCP_CASE(f, r, class, major, minor, owner, list, element) HERE(r, f)

#define RULE(r) SMX_RULE_##r
static const struct test_of smx_tests[] = { SMX_CASES(SMX_CASE) SMX_ELSEWHERE(HERE) };
#undef RULE
#define RULE(r) TXT_RULE_##r
static const struct test_of sinit_tests[] = { SINIT_CASES(BEFORE, AFTER, BOTH) SINIT_ELSEWHERE(HERE, THERE) };
#undef RULE
#define RULE(r) LCP_RULE_##r
static const struct test_of lcp_tests[] = { LCP_CASES(LCP_CASE) LCP_ELSEWHERE(THERE) };

static const char *const boot_rules[] = {
#define BOOT(rule) rule,
	BOOT_CASES(BOOT)
};
static bool boot_used[GL_COUNT(boot_rules)];

static void tests_of(FILE *f, const char *id, unsigned rule, const struct test_of *list, size_t n)
{
	const char *comma = "";

	for (size_t i = 0; i < n; i++) {
		if (list[i].rule != rule)
			continue;
		fprintf(f, "%s%s%s%s", comma, list[i].file ? list[i].file : "", list[i].file ? ": " : "", list[i].name);
		comma = ", ";
	}
	/* No rule without a test. */
	assert_string_equal(comma, ", ");
	for (size_t i = 0; i < GL_COUNT(boot_rules); i++)
		if (strcmp(boot_rules[i], id) == 0) {
			fputs("; boot", f);
			boot_used[i] = true;
		}
}

static void row(FILE *f, const char *id, const char *text, const char *outcome, const char *source, bool deduced)
{
	fprintf(f, "| %s | %s | %s | %s%s | ", id, text, outcome, source, deduced ? " (deduced)" : "");
}

static void processor(FILE *f)
{
	static const char *const faults[] = { "", "#UD", "#GP(0)", "shutdown" };

	fputs("## Processor\n\n`tests/unit/test_txt_smx.c`. A shutdown leaves TXT.ERRORCODE 0x8000_00NN and sets TXT.ESTS.TXT_RESET.\n\n"
	      "| Rule | Broken if | What comes of it | Source | Test |\n|---|---|---|---|---|\n",
		f);
	for (enum smx_rule r = SMX_OK + 1; r < SMX_RULES; r++) {
		const struct smx_rule_info *i = smx_rule_info(r);
		char outcome[32];

		snprintf(outcome, sizeof(outcome), "%s", faults[i->fault]);
		if (i->fault == SMX_SHUTDOWN)
			snprintf(outcome, sizeof(outcome), "shutdown 0x%08x", 0x80000000u | i->shutdown);
		row(f, i->id, i->text, outcome, i->source, i->deduced);
		tests_of(f, i->id, r, smx_tests, GL_COUNT(smx_tests));
		fputs(" |\n", f);
	}
}

static void sinit(FILE *f)
{
	fputs("\n## SINIT\n\n`tests/unit/test_txt_rules.c`.\nA broken rule ends in TXT.ERRORCODE and a TXT reset. The code of `lcp` is that of the policy's "
	      "rule.\n\n| Rule | Broken if | TXT.ERRORCODE | Source | Test |\n|---|---|---|---|---|\n",
		f);
	for (enum txt_rule r = TXT_OK + 1; r < TXT_RULE_COUNT; r++) {
		const struct txt_rule_info *i = txt_rule_info(r);
		char outcome[32];

		snprintf(outcome, sizeof(outcome), "0x%08x", (unsigned)txt_rule_errorcode(r));
		row(f, i->id, i->text, outcome, i->source, i->deduced);
		tests_of(f, i->id, r, sinit_tests, GL_COUNT(sinit_tests));
		fputs(" |\n", f);
	}
}

static void launch_control(FILE *f)
{
	fputs("\n## Launch control\n\n`tests/unit/test_lcp_evaluate.c`; in a launch, `tests/unit/test_txt_lcp.c` and `tests/boot/test_txt_lcp.py`. "
	      "How they work together: `docs/LCP-EVALUATION.md`.\n`list-revoked` and `list-not-approved` make a list count for nothing; "
	      "`input` leaves the question open. The error is major.minor of TXT.ERRORCODE, hexadecimal.\n\n"
	      "| Rule | Broken if | Error by owner, supplier | Source | Test |\n|---|---|---|---|---|\n",
		f);
	for (enum lcp_rule r = LCP_ALLOWED + 1; r < LCP_RULE_COUNT; r++) {
		const struct lcp_rule_info *i = lcp_rule_info(r);
		char outcome[64];

		snprintf(outcome, sizeof(outcome), "%x.%x, %x.%x", i->major[0], i->minor[0], i->major[1], i->minor[1]);
		row(f, i->id, i->text, outcome, i->source, i->deduced);
		tests_of(f, i->id, r, lcp_tests, GL_COUNT(lcp_tests));
		fputs(" |\n", f);
	}
}

static void test_document(void **state)
{
	char *want = NULL, *have = calloc(1, 1 << 20);
	size_t n = 0;
	FILE *f = open_memstream(&want, &n);

	(void)state;
	assert_true(f && have);
	fputs(head, f);
	processor(f);
	sinit(f);
	launch_control(f);
	fclose(f);
	/* No rule of a boot test is misspelt. */
	for (size_t i = 0; i < GL_COUNT(boot_rules); i++)
		if (!boot_used[i])
			fail_msg("there is no rule %s", boot_rules[i]);
	if (getenv("TXT_RULES_WRITE")) {
		f = fopen(DOCUMENT, "w");
		assert_non_null(f);
		assert_int_equal(fwrite(want, 1, n, f), n);
		assert_int_equal(fclose(f), 0);
	}
	f = fopen(DOCUMENT, "r");
	assert_non_null(f);
	assert_int_equal(fread(have, 1, (1 << 20) - 1, f), n);
	fclose(f);
	assert_string_equal(have, want);
	free(want);
	free(have);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_document) };

	return cmocka_run_group_tests_name("txt_document", tests, NULL, NULL);
}
