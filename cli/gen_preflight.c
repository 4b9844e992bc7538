/* SPDX-License-Identifier: BSD-3-Clause */

/* Prints docs/PREFLIGHT.md from the table in efi/core/preflight.c: make preflight-doc. tests/cli/test_generated_docs.py compares. */

#include <stdio.h>

#include "efi/core/preflight.h"
#include "tboot-policy/vlp.h"

static const char introduction[] =
	"# What geolaunch.efi looks at before a TXT launch\n"
	"\n"
	"Generated from the table in efi/core/preflight.c: `make preflight-doc` writes this file, a test compares it.\n"
	"\n"
	"In txt mode geolaunch.efi looks at the host before it starts tboot, because most of what can be wrong shows later as a reset without\n"
	"a word, or as a host that runs without a launch. Each finding is a line on the console:\n"
	"\n"
	"    geolaunch: pre-flight NAME: what is wrong, and what to do (where, which values)\n"
	"\n"
	"A finding has one of tboot's errors, and the type of the launch policy says what becomes of it, by tboot's own table: `halt` (the\n"
	"host is not started: on-halt of the launch description), `unmeasured` (the hypervisor is started without a launch, which the console\n"
	"says), or `go on`. Where no launch can come of it, `go on` becomes `unmeasured`. After `halt` and `unmeasured` PCR 17-22 hold the cap\n"
	"\"preflight\" where TPM locality 2 is open, and keep the values of a host without a launch where it is closed. The policy that counts\n"
	"is the one in the TPM, if it can be read, and not the file next to geolaunch.efi. If it cannot be read, or no SINIT module tells which\n"
	"index it is in, the strictest type counts, of the policies found in either set of indices and of the file.\n"
	"\n"
	"Nothing but that cap is measured here: SENTER resets PCR 17-22, and tboot measures what it starts. Pre-flight only says no early.\n"
	"\n"
	"| Name | tboot's error | nonfatal | continue | halt |\n"
	"|---|---|---|---|---|\n";

static const char *action(const struct preflight_info *i, uint8_t type)
{
	enum vlp_action act = i->error == TB_ERR_NONE ? VLP_ACT_CONTINUE : vlp_action(type, i->error);

	if (act == VLP_ACT_CONTINUE && i->stops)
		act = VLP_ACT_UNMEASURED;
	return act == VLP_ACT_CONTINUE ? "go on" : act == VLP_ACT_UNMEASURED ? "unmeasured" : "halt";
}

int main(void)
{
	fputs(introduction, stdout);
	for (size_t i = 0; i < PREFLIGHT_COUNT; i++) {
		const struct preflight_info *p = &preflight_table[i];

		printf("| %s | %s | %s | %s | %s |\n", p->name, p->error == TB_ERR_NONE ? "none, only said" : tb_error_name(p->error),
			action(p, VLP_NONFATAL), action(p, VLP_CONTINUE), action(p, VLP_HALT));
	}
	fputs("\n## The sentences\n", stdout);
	for (size_t i = 0; i < PREFLIGHT_COUNT; i++)
		printf("\n- **%s**: %s\n", preflight_table[i].name, preflight_table[i].text);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("gen_preflight: cannot write the document\n", stderr);
		return 1;
	}
	return 0;
}
