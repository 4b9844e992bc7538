/* SPDX-License-Identifier: BSD-3-Clause */

/* Prints docs/LINT.md from the rules of `geolaunch lint`: make lint-doc. tests/cli/test_lint.py compares. */

#include <stdio.h>

#include "cli/lint.h"

static const char introduction[] =
	"# The rules of geolaunch lint\n"
	"\n"
	"Generated from the tables in cli/lint_rules_*.c: `make lint-doc` writes this file, a test compares it.\n"
	"\n"
	"An id stays with its rule for ever. An error means that the launch fails, or that it is not what its owner takes it for:\n"
	"`geolaunch lint` then ends with exit code 20. Warnings and remarks (info) do not change the exit code.\n"
	"What was not given to `geolaunch lint` is not looked at. Rules about tboot, SINIT and launch control are silent for a build\n"
	"for direct mode, unless options say that TXT is used, too; an index of theirs in the TPM is only remarked.\n";

static void print_rule(const struct lint_rule *r)
{
	printf("\n### %s: %s\n\n", r->id, r->title);
	printf("- Severity: %s\n", lint_severity_names[r->severity]);
	printf("- What happens: %s\n", r->text);
	printf("- What to do: %s\n", r->fix);
	printf("- Source: %s\n", r->source);
}

int main(void)
{
	fputs(introduction, stdout);
	for (size_t g = 0; g < LINT_GROUPS; g++) {
		printf("\n## %s\n", lint_groups[g].name);
		for (size_t i = 0; i < *lint_groups[g].count; i++)
			print_rule(&lint_groups[g].rules[i]);
	}
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("gen_lint: cannot write the document\n", stderr);
		return 1;
	}
	return 0;
}
