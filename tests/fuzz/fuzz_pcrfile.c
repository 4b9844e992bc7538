/* SPDX-License-Identifier: BSD-3-Clause */
/* PCR files: nothing crashes, and what is accepted has at least one value, all in banks that are marked active. */
#include <stdlib.h>

#include "cli/pcrfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[256];
	struct pcrs p;

	if (!pcrfile_parse((struct span){ data, size }, &p, error, sizeof(error)))
		return 0;
	if (!p.banks || p.banks & ~ALG_SET_ALL)
		abort();
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (!(p.banks & ALG_BIT(a)) != !p.known[a] || p.known[a] >> PCR_COUNT)
			abort();
	return 0;
}
