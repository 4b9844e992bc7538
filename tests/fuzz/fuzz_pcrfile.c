/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCR files: nothing crashes, and what is accepted has at least one value, all in banks that are marked active. Written as JSON, as our
 * commands print it, or as tpm2_pcrread does, it reads the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/pcrfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool same_values(const struct pcrs *a, const struct pcrs *b)
{
	if (a->banks != b->banks)
		return false;
	for (unsigned k = 0; k < ALG_COUNT; k++) {
		if (a->known[k] != b->known[k])
			return false;
		for (unsigned i = 0; i < PCR_COUNT; i++)
			if (a->known[k] >> i & 1 && memcmp(a->v[k][i], b->v[k][i], alg_table[k].size) != 0)
				return false;
	}
	return true;
}

static void must_read_as(const char *text, const struct pcrs *p)
{
	char error[256];
	struct pcrs again;

	if (!pcrfile_parse(span_str(text), &again, error, sizeof(error)) || !same_values(p, &again))
		abort();
}

/* The form of tpm2_pcrread. */
static void as_text(const struct pcrs *p)
{
	char text[32768] = "";
	size_t n = 0;

	for (unsigned a = 0; a < ALG_COUNT; a++) {
		if (!(p->banks & ALG_BIT(a)))
			continue;
		n += (size_t)snprintf(text + n, sizeof(text) - n, "  %s:\n", alg_table[a].name);
		for (unsigned i = 0; i < PCR_COUNT; i++) {
			if (!(p->known[a] >> i & 1))
				continue;
			n += (size_t)snprintf(text + n, sizeof(text) - n, "    %-2u: 0x", i);
			for (size_t k = 0; k < alg_table[a].size; k++)
				n += (size_t)snprintf(text + n, sizeof(text) - n, "%02X", p->v[a][i][k]);
			n += (size_t)snprintf(text + n, sizeof(text) - n, "\n");
		}
	}
	must_read_as(text, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json;
	char *text;

	char error[256];
	struct pcrs p;

	if (!pcrfile_parse((struct span){ data, size }, &p, error, sizeof(error)))
		return 0;
	if (!p.banks || p.banks & ~ALG_SET_ALL)
		abort();
	for (unsigned a = 0; a < ALG_COUNT; a++)
		if (!(p.banks & ALG_BIT(a)) != !p.known[a] || p.known[a] >> PCR_COUNT)
			abort();
	as_text(&p);
	json = json_pack("{s:o}", "pcrs", cli_json_pcrs(&p, 0, PCR_COUNT - 1));
	text = json ? json_dumps(json, JSON_COMPACT) : NULL;
	if (!text)
		abort();
	must_read_as(text, &p);
	free(text);
	json_decref(json);
	return 0;
}
