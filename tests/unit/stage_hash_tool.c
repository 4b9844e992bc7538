/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The stage's hash functions in a 32-bit program, for tests/cli/test_stage_hash.py: stage_hash_tool PIECE
 * Standard input is hashed in pieces of PIECE bytes; a line "NAME HEX" for each algorithm. Exit: 0, 1 I/O, 2 usage.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/hash.h"

static uint8_t data[1 << 20];

int main(int argc, char **argv)
{
	unsigned long piece = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	size_t n = fread(data, 1, sizeof(data), stdin);
	struct digests d;
	struct hash h;

	if (piece == 0) {
		fputs("usage: stage_hash_tool PIECE\n", stderr);
		return 2;
	}
	hash_init(&h, ALG_SET_ALL);
	for (size_t i = 0; i < n; i += piece)
		hash_update(&h, (struct span){ data + i, n - i < piece ? n - i : piece });
	hash_final(&h, &d);
	for (int a = 0; a < ALG_COUNT; a++) {
		printf("%s ", alg_table[a].name);
		for (size_t i = 0; i < alg_table[a].size; i++)
			printf("%02x", d.d[a][i]);
		putchar('\n');
	}
	return ferror(stdin) || fflush(stdout) ? 1 : 0;
}
