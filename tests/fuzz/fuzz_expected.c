/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/expected.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refused with a text, or understood; then it can be written and read again, and the second text is the first. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct expected e, again;
	char error[256] = "";
	char *first, *second;

	if (!expected_parse("x.json", (struct span){ data, size }, &e, error, sizeof(error))) {
		if (!error[0])
			abort();
		return 0;
	}
	first = expected_text(&e);
	if (!first || !expected_parse("y.json", span_str(first), &again, error, sizeof(error)))
		abort();
	second = expected_text(&again);
	if (!second || strcmp(first, second) != 0)
		abort();
	free(first);
	free(second);
	expected_free(&e);
	expected_free(&again);
	return 0;
}
