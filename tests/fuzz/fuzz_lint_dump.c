/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dumps of NV indices: nothing crashes, and of what is accepted every index can exist and has the content that it says;
 * written and read again it is the same.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/lint_tpm.h"
#include "geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct lint_tpm *t)
{
	struct lint_tpm again = { .nv = NULL };
	struct cli_fault fault;
	char *text = lint_dump_text(t), *second;

	if (!text || !lint_dump_parse("again", span_str(text), &again, &fault))
		abort();
	second = lint_dump_text(&again);
	if (!second || strcmp(text, second) != 0)
		abort();
	free(text);
	free(second);
	lint_tpm_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lint_tpm t = { .nv = NULL };
	struct cli_fault fault;

	if (lint_dump_parse("dump", (struct span){ data, size }, &t, &fault)) {
		for (size_t i = 0; i < t.nv_count; i++)
			if (!geo_index_possible(t.nv[i].index) || t.nv[i].content.n != (t.nv[i].read == LINT_READ_OK ? t.nv[i].size : 0) ||
				t.nv[i].policy.n > DIGEST_MAX || t.nv_count > LINT_NV_MAX)
				abort();
		check_again(&t);
	}
	lint_tpm_free(&t);
	return 0;
}
