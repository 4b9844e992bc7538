/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "cli/fleet_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fleet_common common;
static struct fleet_result result;
static struct fleet_record r, again;
static char buf[FLEET_RECORD_MAX];

static void check_header(struct span line)
{
	uint64_t count, second;
	struct text t = TEXT_OF(buf);

	if (!fleet_header_parse(line, &count))
		return;
	fleet_header_write(count, &t);
	if (t.cut || !fleet_header_parse((struct span){ (uint8_t *)buf, t.n - 1 }, &second) || count != second)
		abort();
}

/* A line of hosts.jsonl: refused, or understood; then it can be written, fits, and says the same when it is read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span line = { data, size };
	struct text t = TEXT_OF(buf);
	alg_set banks = ALG_SET_ALL;

	check_header(line);
	/* The first byte chooses the banks, unless it begins a line. */
	if (size && data[0] != '{') {
		banks = data[0] & ALG_SET_ALL;
		line = (struct span){ data + 1, size - 1 };
	}
	memset(&r, 0xaa, sizeof(r));
	memset(&again, 0x55, sizeof(again));
	memset(&common, 0xaa, sizeof(common));
	memset(&result, 0xaa, sizeof(result));
	if (fleet_record_parse(line, banks, &r))
		return 0;
	if (!fleet_name_valid(r.name) || !span_equal(fleet_record_name(line), span_str(r.name)))
		abort();
	common.policy_size = r.policy_size;
	memcpy(result.policy, r.policy, r.policy_size);
	result.pcrs = r.pcrs;
	fleet_record_write(&common, &result, r.name, (struct span){ r.content, r.content_size }, &t);
	if (t.cut || t.n == 0)
		abort();
	if (fleet_record_parse((struct span){ (uint8_t *)buf, t.n - 1 }, banks, &again))
		abort();
	if (strcmp(r.name, again.name) != 0 || r.content_size != again.content_size ||
		memcmp(r.content, again.content, r.content_size) != 0 || r.policy_size != again.policy_size ||
		memcmp(r.policy, again.policy, r.policy_size) != 0 || memcmp(&r.pcrs, &again.pcrs, sizeof(r.pcrs)) != 0)
		abort();
	return 0;
}
