/* SPDX-License-Identifier: BSD-3-Clause */

/* Prints docs/MEASUREMENTS.md from the tables in common/: make measurements. tests/cli/test_generated_docs.py compares. */

#include <stdio.h>

#include "common/hash.h"
#include "common/measure.h"
#include "txt/sinit_events.h"

static const char introduction[] =
	"# What geolaunch measures\n"
	"\n"
	"Generated from the tables in common/measure.c and txt/sinit_events.c: `make measurements` writes this file, a test compares it.\n"
	"\n"
	"## Rules\n"
	"\n"
	"- The dynamic PCRs 17 to 22 are extended at TPM locality 2, in every active bank of SHA-1, SHA-256, SHA-384 and SHA-512.\n"
	"  H is the hash of the bank; `||` joins bytes.\n"
	"- Start value: all FF without a dynamic launch (direct mode), all zero after one. A PCR that is still all FF was never\n"
	"  extended, and no dynamic launch took place.\n"
	"- Bytes measured are bytes executed: a file is read once, and what was hashed is what is started or handed on.\n"
	"- What is there but wrong is measured as it is, and the policy decides whether the launch goes on. What could not be\n"
	"  measured, or is a module without an entry in the policy, is replaced by a cap, never left out. tboot\n"
	"  makes no caps: with a nonfatal policy it leaves out a module without an entry. A launch that stops caps all of 17 to 22.\n"
	"- Each extend is an event in a TCG crypto-agile log. The event data is ASCII without NUL and is not measured.\n"
	"\n"
	"Order of the events:\n"
	"\n"
	"1. the policy, to PCR 17 and PCR 18;\n"
	"2. module 0, the launch description, in mode txt the stage with its rules, to PCR 17, and to the PCR of its policy entry if that\n"
	"   names one;\n"
	"3. modules 1, 2 and so on by number; then a cap for each module that the policy names but that did not come;\n"
	"4. the NV indices, in the order of the policy;\n"
	"5. the closing event, to PCR 17, the last one before the host starts. It binds PCR 19 to 22, of which whoever holds\n"
	"   locality 2 later can reset 20 to 22, to a PCR that cannot be reset.\n"
	"\n"
	"In mode direct all of this is geolaunch.efi's. In mode txt SINIT measures first (below), then tboot does 1 to 3 with its own event type\n"
	"0x501 and without event data, by the same digests but in the bank of the policy's hash alone and without caps, then the stage does 4\n"
	"and 5.\n";

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
	      "|---|---|---|---|---|---|---|\n",
		f);
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

/* By which bytes SINIT's events come about. */
static const char *const values[SINIT_VALUES] = {
	[SINIT_DRTM] = "SHA-256 of the SINIT module without key, signature and scratch area, and EDX of GETSEC[SENTER], 4 bytes",
	[SINIT_BIOS_ACM] = "32 bytes that the BIOS ACM left",
	[SINIT_SCRTM] = "status of the processor's S-CRTM, 4 bytes",
	[SINIT_LCP_CONTROL] = "PolicyControl of the owner's launch control policy, else of the supplier's, else 0; 4 bytes",
	[SINIT_LCP_DETAILS] = "the digests in the policy's elements that matched",
	[SINIT_LCP_AUTHORITIES] = "the digests of the policy's lists that these are in",
	[SINIT_STM] = "the SMI transfer monitor",
	[SINIT_CAPABILITIES] = "what tboot asked of SINIT, 4 bytes",
	[SINIT_MLE] = "tboot's pages with its command line; the digest is theirs",
	[SINIT_NV_INFO] = "for each of the NV indices AUX, PS, PO a byte 1 and its public area, or a byte 0",
	[SINIT_PUBLIC_KEY] = "the module's public key",
};

static void print_sinit(FILE *f)
{
	fputs("\n## What SINIT measures in mode txt\n\n"
	      "In every bank that the module has, in this order; the digest is H of the bytes, or of a zero byte where there are none. Real modules\n"
	      "may measure more. The first event is the processor's own.\n\n"
	      "| type | name | PCR | bytes | event data |\n"
	      "|---|---|---|---|---|\n",
		f);
	for (size_t i = 0; i < sinit_event_count; i++) {
		const struct sinit_event *e = &sinit_events[i];

		fprintf(f, "| 0x%03X | %s | %u ", e->type, e->name, e->pcr);
		cell(f, values[e->value]);
		fprintf(f, "| %s |\n", e->silent ? "none" : "the bytes");
	}
}

static void print_roles(FILE *f)
{
	fputs("\n## Roles of modules\n\n"
	      "The PCR is the default of the manifest, from which the policy is made; the policy is what counts at boot.\n"
	      "Members of the initrd are appended to it in memory, at the path that is measured as their command line.\n"
	      "tboot, SINIT module and LCP data are there in txt mode only; SINIT measures what they are, not a rule of ours.\n\n"
	      "| role | PCR | how many | delivered |\n"
	      "|---|---|---|---|\n",
		f);
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		const struct role_info *r = &role_table[i];

		cell(f, r->name);
		fprintf(f, "| %u | %s | %s |\n", r->pcr, r->many ? "any number" : "one",
			i == ROLE_DESCRIPTION ? "not"
			: r->member           ? "as a member of the initrd"
			: r->numbered         ? "by itself"
					      : "to tboot");
	}
}

static void print_caps(FILE *f)
{
	fputs("\n## Caps\n\n"
	      "The digest of a cap is H of the text in the second column. These texts never change.\n\n"
	      "| reason | hashed text | SHA-256 | meaning |\n"
	      "|---|---|---|---|\n",
		f);
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
	print_sinit(stdout);
	print_roles(stdout);
	print_caps(stdout);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("gen_measurements: cannot write the document\n", stderr);
		return 1;
	}
	return 0;
}
