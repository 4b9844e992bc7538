/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/fleet_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Refused with one line that names the file, or hosts in order, each with a name of its own and a content that an index can hold. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fleet_table t = { .count = 0 };
	struct cli_fault fault;

	if (!fleet_table_parse("x.csv", (struct span){ data, size }, &t, &fault)) {
		if (fault.code != CLI_INPUT || !strstr(fault.text, ": x.csv:") || strchr(fault.text, '\n'))
			abort();
		return 0;
	}
	if (t.count == 0)
		abort();
	for (size_t i = 0; i < t.count; i++) {
		struct span content = fleet_content(&t, &t.hosts[i]);

		if (!fleet_name_valid(t.hosts[i].name) || (i && strcmp(t.hosts[i - 1].name, t.hosts[i].name) >= 0))
			abort();
		if (t.has_content != (content.n > 0) || content.n > 4096)
			abort();
		if (t.hosts[i].line < 2)
			abort();
		/* for the sanitizer */
		if (content.n && !memchr(content.p, content.p[content.n - 1], content.n))
			abort();
	}
	fleet_table_free(&t);
	return 0;
}
