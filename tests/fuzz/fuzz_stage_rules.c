/* SPDX-License-Identifier: BSD-3-Clause */
/* The stage's rules: write(parse(b)) = b, an error has a place in the text, and what tboot appends comes off again. */
#include <stdlib.h>
#include <string.h>

#include "common/stage_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct span text)
{
	uint8_t buf[STAGE_RULES_MAX_SIZE];
	struct stage_rules r;
	size_t at = 0, n = 0;
	enum stage_rules_error error = stage_rules_parse(text, &r, &at);

	if (error) {
		if (at > text.n || !stage_rules_strerror(error)[0])
			abort();
		return;
	}
	if (stage_rules_validate(&r) || stage_rules_write(&r, (struct mspan){ buf, sizeof(buf) }, &n) || n != text.n ||
		memcmp(buf, text.p, n) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = { data, size }, rules;
	uint32_t shared = 0;

	check(line);
	if (stage_rules_split(line, &rules, &shared))
		return 0;
	if (shared == 0 || rules.p != data || rules.n >= size)
		abort();
	check(rules);
	return 0;
}
