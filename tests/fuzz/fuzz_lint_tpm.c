/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `geolaunch lint` reads of a TPM that may answer anything. Input: its responses, each with a 16-bit length in front, behind a good start.
 * Indices come in order and each once, what was read is as long as it should be, and the dump of it reads the same.
 */
#include "cli/lint_tpm.h"
#include "geo/geo.h"
#include "tests/fuzz/tpm_talk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_dump(const struct lint_tpm *t)
{
	struct lint_tpm again = { .nv = NULL };
	struct cli_fault fault;
	char *text = lint_dump_text(t), *second;

	must(text, "a dump");
	must(lint_dump_parse("dump", span_str(text), &again, &fault), "a dump that can be read");
	second = lint_dump_text(&again);
	must(second && strcmp(text, second) == 0, "the same dump again");
	must(again.nv_count == t->nv_count && again.banks == t->banks && again.owner == t->owner, "the same TPM again");
	free(text);
	free(second);
	lint_tpm_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct host_tpm host;
	static const uint32_t more[] = { 0x01c10110, 0x01800001 };
	struct tpm_talk talk = { .commands = 0 };
	struct lint_tpm t = { .nv = NULL };
	struct cli_fault fault = { .code = CLI_OK };
	bool good;

	memset(&host, 0, sizeof(host));
	host.tcti = tpm_talk_start(&talk, rd_init((struct span){ data, size }), 2);
	if (tpm_init(&host.tpm, host.tcti) != TSS2_RC_SUCCESS)
		abort();
	good = lint_tpm_read(&host, more, GL_COUNT(more), &t, &fault);
	must(good || (fault.code == CLI_TPM && !strchr(fault.text, '\n')), "one line says why");
	for (size_t i = 0; i < t.nv_count; i++) {
		const struct lint_nv *n = &t.nv[i];

		must(n->index >> 24 == TPM2_HT_NV_INDEX && (i == 0 || n->index > t.nv[i - 1].index), "indices in order");
		must(n->policy.n <= DIGEST_MAX, "policy");
		must(n->read == LINT_READ_OK ? n->content.n == n->size && n->size <= GEO_NV_MAX : n->content.n == 0, "content");
	}
	if (good)
		check_dump(&t);
	lint_tpm_free(&t);
	tpm_done(&host.tpm);
	exact_free(&talk.last);
	return 0;
}
