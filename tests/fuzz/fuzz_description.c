/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch descriptions: write(parse(b)) = b, and an error names a line that exists. */
#include <stdlib.h>
#include <string.h>

#include "common/description.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct description description;
static uint8_t buf[DESCRIPTION_MAX_SIZE];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t line = 0, lines = 1, n = 0;

	if (description_parse((struct span){ data, size }, &description, &line)) {
		for (size_t i = 0; i < size; i++)
			lines += data[i] == '\n';
		if (line < 1 || line > lines)
			abort();
		return 0;
	}
	if (description_validate(&description, NULL))
		abort();
	if (description_write(&description, (struct mspan){ buf, sizeof(buf) }, &n) || n != size || memcmp(buf, data, n) != 0)
		abort();
	return 0;
}
