/* SPDX-License-Identifier: BSD-3-Clause */
/* Dumps of NV indices: nothing crashes, and of what is accepted every index can exist and has the content that it says. */
#include <stdlib.h>

#include "cli/lint_tpm.h"
#include "geo/geo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lint_tpm t = { .nv = NULL };
	struct cli_fault fault;

	if (lint_dump_parse("dump", (struct span){ data, size }, &t, &fault))
		for (size_t i = 0; i < t.nv_count; i++)
			if (!geo_index_possible(t.nv[i].index) || t.nv[i].content.n != (t.nv[i].read == LINT_READ_OK ? t.nv[i].size : 0) ||
				t.nv[i].policy.n > DIGEST_MAX || t.nv_count > LINT_NV_MAX)
				abort();
	lint_tpm_free(&t);
	return 0;
}
