/* SPDX-License-Identifier: BSD-3-Clause */
/* docs/TXT-RULES.md is what the tables say. With TXT_RULES_WRITE set in the environment it is written instead. */
#include <stdio.h>
#include <stdlib.h>

#include "evp.h"
#include "txt/rules.h"
#include "qemu/txt/smx.h"

#define DOCUMENT "docs/TXT-RULES.md"

static const char head[] =
	"# Rules of a TXT launch\n\n"
	"Written from the tables in `txt/rules.c` and `qemu/txt/smx_rules.c` (`TXT_RULES_WRITE=1 build/host/unit/test_txt_document`);\n"
	"a test compares them. Each rule is broken by itself in the test named below, on a machine in which nothing else is wrong.\n"
	"\"deduced\": no public document says just this, or not this number. Rules of launch control: `lcp/evaluate_rules.c`.\n\n";

static void processor(FILE *f)
{
	static const char *const faults[] = { "", "#UD", "#GP(0)", "shutdown" };

	fputs("## Processor\n\n`tests/unit/test_txt_smx.c`. A shutdown leaves TXT.ERRORCODE 0x8000_00NN and sets TXT.ESTS.TXT_RESET.\n\n"
		"| Rule | Broken if | What comes of it | Source |\n|---|---|---|---|\n", f);
	for (enum smx_rule r = SMX_OK + 1; r < SMX_RULES; r++) {
		const struct smx_rule_info *i = smx_rule_info(r);

		fprintf(f, "| %s | %s | %s", i->id, i->text, faults[i->fault]);
		if (i->fault == SMX_SHUTDOWN)
			fprintf(f, " 0x%08x", 0x80000000u | i->shutdown);
		fprintf(f, " | %s%s |\n", i->source, i->deduced ? " (deduced)" : "");
	}
}

static void sinit(FILE *f)
{
	fputs("\n## SINIT\n\n`tests/unit/test_txt_rules.c`, the TPM's in `tests/unit/test_txt_launch.c`, launch control in "
		"`tests/unit/test_txt_lcp.c`.\nA broken rule ends in TXT.ERRORCODE and a TXT reset. The code of `lcp` is that of the policy's rule.\n\n"
		"| Rule | Broken if | TXT.ERRORCODE | Source |\n|---|---|---|---|\n", f);
	for (enum txt_rule r = TXT_OK + 1; r < TXT_RULE_COUNT; r++) {
		const struct txt_rule_info *i = txt_rule_info(r);

		fprintf(f, "| %s | %s | 0x%08x | %s%s |\n", i->id, i->text, (unsigned)txt_rule_errorcode(r), i->source,
			i->deduced ? " (deduced)" : "");
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
	fclose(f);
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
