/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The policy codec on the command line, for tests/cli/test_vlp_tb_polgen.py:
 *   vlp_tool show FILE                     checks and prints
 *   vlp_tool recode FILE                   decodes and encodes to standard output
 *   vlp_tool make TYPE ALG CONTROL ENTRY... encodes to standard output; ENTRY is MODULE,PCR,HASH_TYPE,NV_INDEX[,HEX...]
 * Exit: 0, 1 I/O, 2 usage, 3 invalid policy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tboot-policy/vlp.h"

static uint8_t file_bytes[1 << 16], hash_bytes[1 << 16];
static size_t hash_fill;
static struct vlp policy;

static int invalid(enum vlp_error e, int where)
{
	fprintf(stderr, "vlp_tool: entry %d: %s\n", where, vlp_strerror(e));
	return 3;
}

static bool load(const char *name, struct span *out)
{
	FILE *f = fopen(name, "rb");

	if (!f)
		return false;
	*out = (struct span){ file_bytes, fread(file_bytes, 1, sizeof(file_bytes), f) };
	return fclose(f) == 0;
}

static int show(void)
{
	static char buf[1 << 18];
	struct text t = TEXT_OF(buf);
	int where = -1;
	enum vlp_error e = vlp_validate(&policy, &where);

	vlp_print(&policy, &t);
	if (fputs(buf, stdout) == EOF || t.cut)
		return 1;
	return e ? invalid(e, where) : 0;
}

static int encode(void)
{
	static uint8_t out[1 << 17];
	size_t n;
	enum vlp_error e = vlp_encode(&policy, (struct mspan){ out, sizeof(out) }, &n);

	if (e)
		return invalid(e, -1);
	return fwrite(out, 1, n, stdout) == n ? 0 : 1;
}

/* Appends the bytes of a string of hexadecimal digits to hash_bytes. */
static bool take_hex(const char *hex)
{
	unsigned byte;

	for (; *hex; hex += 2, hash_fill++) {
		if (hash_fill == sizeof(hash_bytes) || sscanf(hex, "%2x", &byte) != 1 || !hex[1])
			return false;
		hash_bytes[hash_fill] = (uint8_t)byte;
	}
	return true;
}

static bool take_entry(char *spec)
{
	struct vlp_entry *e = &policy.entries[policy.entry_count];
	unsigned fields[4] = { 0 };
	unsigned given = 0;
	size_t start = hash_fill;

	if (policy.entry_count == VLP_MAX_ENTRIES)
		return false;
	for (char *part = strtok(spec, ","); part; part = strtok(NULL, ","), given++) {
		if (given < 4)
			fields[given] = (unsigned)strtoul(part, NULL, 0);
		else if (!take_hex(part))
			return false;
	}
	*e = (struct vlp_entry){ .module = (uint8_t)fields[0], .pcr = (uint8_t)fields[1], .hash_type = (uint8_t)fields[2],
				 .nv_index = fields[3], .hash_count = (uint8_t)(given - 4),
				 .hashes = { hash_bytes + start, hash_fill - start } };
	policy.entry_count++;
	return given >= 4 && given - 4 <= UINT8_MAX;
}

static int make(int argc, char **argv)
{
	enum alg alg;

	if (!vlp_type_by_name(span_str(argv[0]), &policy.type) || !alg_by_name(span_str(argv[1]), &alg))
		return 2;
	policy.version = VLP_VERSION;
	policy.hash_alg = alg_table[alg].tpm_id;
	policy.control = (uint32_t)strtoul(argv[2], NULL, 0);
	for (int i = 3; i < argc; i++)
		if (!take_entry(argv[i]))
			return 2;
	return encode();
}

int main(int argc, char **argv)
{
	struct span bytes;

	if (argc >= 5 && strcmp(argv[1], "make") == 0)
		return make(argc - 2, argv + 2);
	if (argc != 3 || (strcmp(argv[1], "show") != 0 && strcmp(argv[1], "recode") != 0))
		return 2;
	if (!load(argv[2], &bytes))
		return 1;

	enum vlp_error e = vlp_decode(bytes, &policy);

	if (e)
		return invalid(e, -1);
	return strcmp(argv[1], "show") == 0 ? show() : encode();
}
