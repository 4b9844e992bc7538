/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/print.h"

void lcp_print_name(struct text *t, unsigned indent, const char *name)
{
	for (unsigned i = 0; i < indent; i++)
		text_char(t, ' ');
	text_str(t, name);
	text_str(t, ": ");
}

void lcp_print_number(struct text *t, unsigned indent, const char *name, uint64_t v)
{
	lcp_print_name(t, indent, name);
	text_u64(t, v);
	text_char(t, '\n');
}

void lcp_print_hex(struct text *t, unsigned indent, const char *name, uint64_t v, unsigned digits)
{
	lcp_print_name(t, indent, name);
	text_hex(t, v, digits);
	text_char(t, '\n');
}

void lcp_print_bytes(struct text *t, unsigned indent, const char *name, struct span s)
{
	lcp_print_name(t, indent, name);
	text_bytes(t, s);
	text_char(t, '\n');
}

void lcp_print_alg(struct text *t, unsigned indent, const char *name, uint16_t tpm_id)
{
	const char *known = lcp_alg_name(tpm_id);

	lcp_print_name(t, indent, name);
	if (known) {
		text_str(t, known);
	} else {
		text_str(t, "unknown (");
		text_hex(t, tpm_id, 4);
		text_char(t, ')');
	}
	text_char(t, '\n');
}

void lcp_print_version(struct text *t, unsigned indent, const char *name, uint16_t version)
{
	lcp_print_name(t, indent, name);
	text_u64(t, version >> 8);
	text_char(t, '.');
	text_u64(t, version & 0xff);
	text_char(t, '\n');
}
