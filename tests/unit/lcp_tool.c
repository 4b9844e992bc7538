/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The LCP codecs on the command line, for tests/cli/test_lcp_tboot_tools.py. Results go to standard output.
 *   lcp_tool show KIND FILE                            checks and prints; KIND: policy, list, element, data
 *   lcp_tool recode KIND FILE                          decodes and encodes
 *   lcp_tool policy VERSION ALG TYPE MIN MAX CONTROL COUNTERS HASHES SIGNS AUX [DATA-FILE]
 *                                                      numbers but for the first three; COUNTERS: N,N,...
 *   lcp_tool element TYPE CONTROL ALG MIN HASH...      mle, mle2, sbios2 (first hash: fallback), stm2; hashes in hexadecimal
 *   lcp_tool pconf2 CONTROL ALG MASK VALUE...          values of the PCRs of MASK, lowest first
 *   lcp_tool custom2 CONTROL UUID FILE
 *   lcp_tool list VERSION ELEMENT-FILE...              not signed
 *   lcp_tool data LIST-FILE...
 *   lcp_tool hash KIND ALG FILE                        digest of a list or of policy data
 *   lcp_tool signed FILE                               how many bytes of the list its signature covers
 *   lcp_tool unwrap UUID FILE                          payload of the custom element in a policy data file
 *   lcp_tool mle-hash ALG FILE [CMDLINE]
 * Exit: 0, 1 I/O, 2 usage, 3 invalid.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcp/custom.h"
#include "lcp/digest.h"
#include "lcp/mle_hash.h"

static uint8_t pool[1 << 26];
static size_t pool_fill;
static uint8_t out[1 << 22];

static void die(int code, const char *what)
{
	fprintf(stderr, "lcp_tool: %s\n", what);
	exit(code);
}

static void check(enum lcp_error e)
{
	if (e)
		die(3, lcp_strerror(e));
}

static void put(struct span s)
{
	if (fwrite(s.p, 1, s.n, stdout) != s.n || fflush(stdout) != 0)
		die(1, "cannot write");
}

static void put_digest(const struct digests *d, enum alg a)
{
	for (size_t i = 0; i < alg_table[a].size; i++)
		printf("%02x", d->d[a][i]);
	putchar('\n');
}

static struct span load(const char *name)
{
	FILE *f = fopen(name, "rb");
	struct span s = { pool + pool_fill, 0 };

	if (!f)
		die(1, name);
	s.n = fread(pool + pool_fill, 1, sizeof(pool) - pool_fill, f);
	pool_fill += s.n;
	if (fclose(f) != 0 || pool_fill == sizeof(pool))
		die(1, name);
	return s;
}

/* Appends the bytes of a string of hexadecimal digits to the pool. */
static struct span hex(const char *text)
{
	struct span s = { pool + pool_fill, strlen(text) / 2 };

	for (size_t i = 0; i < s.n; i++) {
		unsigned byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			die(2, text);
		pool[pool_fill++] = (uint8_t)byte;
	}
	return s;
}

static unsigned long number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 0);

	if (*end || !*text)
		die(2, text);
	return v;
}

static uint16_t hash_id(const char *name)
{
	const struct lcp_hash_info *h = lcp_hash_by_name(span_str(name));

	if (!h)
		die(2, name);
	return h->tpm_id;
}

static enum alg alg(const char *name)
{
	enum alg a = ALG_SHA256;

	if (!alg_by_name(span_str(name), &a))
		die(2, name);
	return a;
}

static struct lcp_data data;

static void show_or_recode(bool show, const char *kind, const char *file)
{
	static char buf[1 << 20];
	struct text t = TEXT_OF(buf);
	struct span bytes = load(file);
	struct mspan target = { out, sizeof(out) };
	enum lcp_error valid = LCP_OK;
	struct lcp_policy policy;
	struct lcp_element element;
	struct lcp_list list;
	size_t n = 0;

	if (strcmp(kind, "policy") == 0) {
		check(lcp_policy_decode(bytes, &policy));
		valid = lcp_policy_validate(&policy);
		lcp_policy_print(&policy, &t);
		check(lcp_policy_encode(&policy, target, &n));
	} else if (strcmp(kind, "element") == 0) {
		check(lcp_element_decode(bytes, &element));
		valid = lcp_element_validate(&element);
		lcp_element_print(&element, 0, &t);
		check(lcp_element_encode(&element, target, &n));
	} else if (strcmp(kind, "list") == 0) {
		check(lcp_list_decode(bytes, &list));
		valid = lcp_list_validate(&list, NULL);
		lcp_list_print(&list, 0, &t);
		check(lcp_list_encode(&list, target, &n));
	} else if (strcmp(kind, "data") == 0) {
		check(lcp_data_decode(bytes, &data, NULL));
		valid = lcp_data_validate(&data, NULL);
		lcp_data_print(&data, &t);
		check(lcp_data_encode(&data, target, &n));
	} else {
		die(2, kind);
	}
	put(show ? span_str(buf) : (struct span){ out, n });
	check(valid);
}

static void make_policy(int argc, char **argv)
{
	struct lcp_policy p = { 0 };
	char *counter;
	unsigned i = 0;
	size_t n = 0;

	if (argc < 10 || !lcp_policy_version_by_name(span_str(argv[0]), &p.version) || !lcp_policy_type_by_name(span_str(argv[2]), &p.type))
		die(2, "policy");
	p.hash_alg = hash_id(argv[1]);
	p.hash_size = (uint8_t)lcp_digest_size(p.hash_alg);
	p.sinit_min_version = (uint8_t)number(argv[3]);
	p.max_sinit_min_version = (uint8_t)number(argv[4]);
	p.control = (uint32_t)number(argv[5]);
	for (counter = strtok(argv[6], ","); counter && i < LCP_MAX_LISTS; counter = strtok(NULL, ","))
		p.revocation[i++] = (uint16_t)number(counter);
	p.hash_mask = (uint16_t)number(argv[7]);
	p.sign_mask = (uint32_t)number(argv[8]);
	p.aux_hash_mask = (uint16_t)number(argv[9]);
	if (argc > 10) {
		struct digests d;
		enum alg a = alg(argv[1]);

		check(lcp_data_decode(load(argv[10]), &data, NULL));
		check(lcp_data_hash(&data, ALG_BIT(a), &d));
		memcpy(p.hash, d.d[a], alg_table[a].size);
	}
	check(lcp_policy_validate(&p));
	check(lcp_policy_encode(&p, (struct mspan){ out, sizeof(out) }, &n));
	put((struct span){ out, n });
}

static void put_element(const struct lcp_element *e)
{
	size_t n = 0;

	check(lcp_element_validate(e));
	check(lcp_element_encode(e, (struct mspan){ out, sizeof(out) }, &n));
	put((struct span){ out, n });
}

static void make_element(int argc, char **argv)
{
	struct lcp_element e = { 0 };
	int first = 4;

	if (argc < 5 || !lcp_element_type_by_name(span_str(argv[0]), &e.type))
		die(2, "element");
	e.control = (uint32_t)number(argv[1]);
	e.hash_alg = hash_id(argv[2]);
	e.sinit_min_version = (uint8_t)number(argv[3]);
	if (e.type == LCP_ELEMENT_SBIOS2 || e.type == LCP_ELEMENT_SBIOS)
		e.fallback = hex(argv[first++]);
	e.hashes.p = pool + pool_fill;
	for (int i = first; i < argc; i++)
		e.hashes.n += hex(argv[i]).n;
	e.count = (uint16_t)(argc - first);
	put_element(&e);
}

static void make_pconf2(int argc, char **argv)
{
	struct lcp_element e = { .type = LCP_ELEMENT_PCONF2 };
	static struct pcrs pcrs;
	uint8_t digest[LCP_DIGEST_MAX], info[LCP_PCR_INFO_MAX];
	size_t n = 0;
	int next = 3;

	if (argc < 4)
		die(2, "pconf2");

	enum alg a = alg(argv[1]);
	uint32_t mask = (uint32_t)number(argv[2]);

	pcrs.banks = ALG_BIT(a);
	pcrs.known[a] = mask;
	for (unsigned i = 0; i < PCR_COUNT; i++) {
		if (!(mask >> i & 1))
			continue;
		if (next == argc)
			die(2, "pconf2: a value is missing");

		struct span value = hex(argv[next++]);

		if (value.n != alg_table[a].size)
			die(2, "pconf2: size of a value");
		memcpy(pcrs.v[a][i], value.p, value.n);
	}
	if (!lcp_pcr_composite(&pcrs, a, mask, digest))
		die(2, "pconf2: mask");
	check(lcp_pcr_info_encode(
		alg_table[a].tpm_id, mask, (struct span){ digest, alg_table[a].size }, (struct mspan){ info, sizeof(info) }, &n));
	e.control = (uint32_t)number(argv[0]);
	e.hash_alg = alg_table[a].tpm_id;
	e.count = 1;
	e.pcr_infos = (struct span){ info, n };
	put_element(&e);
}

static void make_custom2(int argc, char **argv)
{
	struct lcp_element e;
	uint8_t uuid[LCP_UUID_SIZE];

	if (argc != 3)
		die(2, "custom2");
	check(lcp_uuid_parse(span_str(argv[1]), uuid));
	lcp_custom_wrap(uuid, (uint32_t)number(argv[0]), load(argv[2]), &e);
	put_element(&e);
}

static void make_list(int argc, char **argv)
{
	struct lcp_list l = { .sig_alg = LCP_ALG_NULL };
	size_t n = 0;

	if (argc < 1 || !lcp_list_version_by_name(span_str(argv[0]), &l.version))
		die(2, "list");
	l.elements.p = pool + pool_fill;
	for (int i = 1; i < argc; i++)
		l.elements.n += load(argv[i]).n;
	check(lcp_list_validate(&l, NULL));
	check(lcp_list_encode(&l, (struct mspan){ out, sizeof(out) }, &n));
	put((struct span){ out, n });
}

static void make_data(int argc, char **argv)
{
	size_t n = 0;

	if (argc > LCP_MAX_LISTS)
		die(2, "data");
	for (int i = 0; i < argc; i++)
		check(lcp_list_decode(load(argv[i]), &data.lists[data.list_count++]));
	check(lcp_data_validate(&data, NULL));
	check(lcp_data_encode(&data, (struct mspan){ out, sizeof(out) }, &n));
	put((struct span){ out, n });
}

static void print_hash(const char *kind, const char *name, const char *file)
{
	enum alg a = alg(name);
	struct lcp_list list;
	struct digests d;

	if (strcmp(kind, "list") == 0) {
		check(lcp_list_decode(load(file), &list));
		check(lcp_list_hash(&list, ALG_BIT(a), &d));
	} else {
		check(lcp_data_decode(load(file), &data, NULL));
		check(lcp_data_hash(&data, ALG_BIT(a), &d));
	}
	put_digest(&d, a);
}

static void unwrap(const char *text, const char *file)
{
	uint8_t uuid[LCP_UUID_SIZE];
	struct span payload;

	check(lcp_uuid_parse(span_str(text), uuid));
	check(lcp_data_decode(load(file), &data, NULL));
	check(lcp_custom_find_data(&data, uuid, &payload, NULL));
	put(payload);
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";

	if ((strcmp(command, "show") == 0 || strcmp(command, "recode") == 0) && argc == 4) {
		show_or_recode(command[0] == 's', argv[2], argv[3]);
	} else if (strcmp(command, "policy") == 0) {
		make_policy(argc - 2, argv + 2);
	} else if (strcmp(command, "element") == 0) {
		make_element(argc - 2, argv + 2);
	} else if (strcmp(command, "pconf2") == 0) {
		make_pconf2(argc - 2, argv + 2);
	} else if (strcmp(command, "custom2") == 0) {
		make_custom2(argc - 2, argv + 2);
	} else if (strcmp(command, "list") == 0) {
		make_list(argc - 2, argv + 2);
	} else if (strcmp(command, "data") == 0) {
		make_data(argc - 2, argv + 2);
	} else if (strcmp(command, "hash") == 0 && argc == 5) {
		print_hash(argv[2], argv[3], argv[4]);
	} else if (strcmp(command, "unwrap") == 0 && argc == 4) {
		unwrap(argv[2], argv[3]);
	} else if (strcmp(command, "signed") == 0 && argc == 3) {
		struct lcp_list list;

		check(lcp_list_decode(load(argv[2]), &list));
		printf("%zu\n", lcp_list_signed_size(&list));
	} else if (strcmp(command, "mle-hash") == 0 && (argc == 4 || argc == 5)) {
		enum alg a = alg(argv[2]);
		struct span cmdline = span_str(argc == 5 ? argv[4] : NULL);
		struct digests d;

		check(lcp_mle_hash(load(argv[3]), argc == 5 ? &cmdline : NULL, ALG_BIT(a), &d));
		put_digest(&d, a);
	} else {
		die(2, "see the head of lcp_tool.c");
	}
	return 0;
}
