/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/list.h"
#include "lcp/print.h"

static void print_error(struct text *t, unsigned indent, enum lcp_error error)
{
	lcp_print_name(t, indent, "error");
	text_str(t, lcp_strerror(error));
	text_char(t, '\n');
}

static void print_elements(const struct lcp_list *l, unsigned indent, struct text *t)
{
	struct lcp_elements it = lcp_elements_in(l->elements);

	for (unsigned i = 0; lcp_elements_left(&it); i++) {
		struct lcp_element e;
		struct span bytes = { NULL, 0 };
		enum lcp_error error = lcp_elements_next(&it, &bytes);

		lcp_print_number(t, indent, "element", i);
		if (!error)
			error = lcp_element_decode(bytes, &e);
		if (error)
			print_error(t, indent + 2, error);
		else
			lcp_element_print(&e, indent + 2, t);
	}
}

/* One half of key or signature block of an elliptic curve, or the whole of RSA's. */
static struct span part(const struct lcp_signature *s, struct span both, unsigned i)
{
	size_t n = s->key_alg == LCP_ALG_ECC ? both.n / 2 : both.n;

	return (struct span){ both.p + i * n, n };
}

static void print_signature(const struct lcp_list *l, unsigned indent, struct text *t)
{
	static const char *const names[2][4] = { { "modulus", NULL, "signature", NULL }, { "qx", "qy", "r", "s" } };
	const struct lcp_signature *s = &l->sig;
	const char *const *name = names[s->key_alg == LCP_ALG_ECC];

	lcp_print_number(t, indent, "revocation_counter", s->revocation);
	lcp_print_alg(t, indent, "key_alg", s->key_alg);
	lcp_print_number(t, indent, "key_bits", s->key_bits);
	if (s->exponent)
		lcp_print_number(t, indent, "exponent", s->exponent);
	lcp_print_alg(t, indent, "hash_alg", lcp_list_sig_hash_alg(l));
	if (s->reserved)
		lcp_print_hex(t, indent, "reserved", s->reserved, 8);
	for (unsigned i = 0; i < 2 && name[i]; i++)
		lcp_print_bytes(t, indent, name[i], part(s, s->key, i));
	if (s->block.n == 0) {
		lcp_print_name(t, indent, "signature");
		text_str(t, "none yet\n");
		return;
	}
	for (unsigned i = 0; i < 2 && name[2 + i]; i++)
		lcp_print_bytes(t, indent, name[2 + i], part(s, s->block, i));
}

void lcp_list_print(const struct lcp_list *l, unsigned indent, struct text *t)
{
	lcp_print_version(t, indent, "version", l->version);
	lcp_print_alg(t, indent, "sig_alg", l->sig_alg);
	lcp_print_number(t, indent, "policy_elements_size", l->elements.n);
	if (l->reserved)
		lcp_print_hex(t, indent, "reserved", l->reserved, 2);
	print_elements(l, indent, t);
	if (lcp_list_signed(l)) {
		lcp_print_name(t, indent, "signature");
		text_char(t, '\n');
		print_signature(l, indent + 2, t);
	}
}
