/* SPDX-License-Identifier: BSD-3-Clause */

/* Prints docs/MEASUREMENTS.md from the tables in common/: make measurements. tests/cli/test_measurements_doc.py compares. */

#include <stdio.h>

#include "common/hash.h"
#include "common/measure.h"

static const char introduction[] =
	"# What geolaunch measures\n"
	"\n"
	"Generated from the tables in common/measure.c: `make measurements` writes this file, a test compares it.\n"
	"\n"
	"## Rules\n"
	"\n"
	"- The dynamic PCRs 17 to 22 are extended at TPM locality 2, in every active bank of SHA-1, SHA-256, SHA-384 and SHA-512.\n"
	"  H is the hash of the bank; `||` joins bytes.\n"
	"- Start value: all FF without a dynamic launch (direct mode), all zero after one. A PCR that is still all FF was never\n"
	"  extended, and no dynamic launch took place.\n"
	"- Bytes measured are bytes executed: a file is read once, and what was hashed is what is started or handed on.\n"
	"- What is there but wrong is measured as it is, and the policy decides whether the launch goes on. What could not be\n"
	"  measured, or is a module without an entry in the policy, is replaced by a cap, never left out. A launch that stops\n"
	"  caps all of 17 to 22.\n"
	"- Each extend is an event in a TCG crypto-agile log. The event data is ASCII without NUL and is not measured.\n"
	"\n"
	"Order of the events:\n"
	"\n"
	"1. the policy, to PCR 17 and PCR 18;\n"
	"2. module 0, the launch description, to PCR 17, and to the PCR of its policy entry if that names one;\n"
	"3. modules 1, 2 and so on by number; then a cap for each module that the policy names but that did not come;\n"
	"4. the NV indices, in the order of the policy;\n"
	"5. the closing event, to PCR 17, the last one before the host starts. It binds PCR 19 to 22, of which whoever holds\n"
	"   locality 2 later can reset 20 to 22, to a PCR that cannot be reset.\n";

/* A cell of a table. */
static void cell(FILE *f, const char *s)
{
	fputs("| ", f);
	for (; *s; s++) {
		if (*s == '|')
			fputc('\\', f);
		fputc(*s, f);
	}
	fputc(' ', f);
}

static void print_events(FILE *f)
{
	fputs("\n## Events\n\n"
	      "| type | name | PCR | what | digest | event data | by |\n"
	      "|---|---|---|---|---|---|---|\n", f);
	for (size_t i = 0; i < measure_table_count; i++) {
		const struct measure_info *m = &measure_table[i];

		fprintf(f, "| 0x%03X ", (unsigned)m->type);
		cell(f, m->type_name);
		cell(f, m->pcrs);
		cell(f, m->what);
		cell(f, m->digest);
		cell(f, m->event_data);
		cell(f, m->by);
		fputs("|\n", f);
	}
	fputs("\nExamples of event data:\n\n", f);

	char buf[128];
	struct text t = TEXT_OF(buf);

	name_module(&t, 1, ROLE_HYPERVISOR, SPAN_LITERAL("vmlinuz"));
	fprintf(f, "- `%s`\n", buf);
	t.n = 0;
	name_nv(&t, false, 0x01c10110);
	fprintf(f, "- `%s`\n", buf);
	t.n = 0;
	name_cap(&t, CAP_NV_MISSING, SPAN_LITERAL("nv 0x01c10110"));
	fprintf(f, "- `%s`\n", buf);
}

static void print_roles(FILE *f)
{
	fputs("\n## Roles of modules\n\n"
	      "The PCR is the default of the manifest, from which the policy is made; the policy is what counts at boot.\n"
	      "Members of the initrd are appended to it in memory, at the path that is measured as their command line.\n"
	      "tboot, SINIT module and LCP data are there in txt mode only; SINIT measures what they are, not a rule of ours.\n\n"
	      "| role | PCR | how many | delivered |\n"
	      "|---|---|---|---|\n", f);
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		const struct role_info *r = &role_table[i];

		cell(f, r->name);
		fprintf(f, "| %u | %s | %s |\n", r->pcr, r->many ? "any number" : "one",
			i == ROLE_DESCRIPTION ? "not" : r->member ? "as a member of the initrd" : r->numbered ? "by itself" : "to tboot");
	}
}

static void print_caps(FILE *f)
{
	fputs("\n## Caps\n\n"
	      "The digest of a cap is H of the text in the second column. These texts never change.\n\n"
	      "| reason | hashed text | SHA-256 | meaning |\n"
	      "|---|---|---|---|\n", f);
	for (size_t i = 0; i < CAP_COUNT; i++) {
		char text[64], hex[2 * DIGEST_MAX + 1];
		struct text t = TEXT_OF(text), h = TEXT_OF(hex);
		struct digests d;

		name_cap(&t, (enum cap)i, (struct span){ NULL, 0 });
		measure_cap(ALG_BIT(ALG_SHA256), (enum cap)i, &d);
		text_bytes(&h, digest_span(&d, ALG_SHA256));
		cell(f, cap_table[i].name);
		fprintf(f, "| `%s` | `%s` ", text, hex);
		cell(f, cap_table[i].meaning);
		fputs("|\n", f);
	}
}

int main(void)
{
	fputs(introduction, stdout);
	print_events(stdout);
	print_roles(stdout);
	print_caps(stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("gen_measurements: cannot write the document\n", stderr);
		return 1;
	}
	return 0;
}
