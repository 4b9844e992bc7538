/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs a fuzz target over given files, for compilers without libFuzzer: replay FILE...
 * Exit: 0 if all went through, 1 if a file could not be read, 2 without files (nothing would have been tested).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes in memory of just their size, so that the sanitizer sees what lies behind them. The caller frees them. */
static uint8_t *load(const char *name, size_t *size)
{
	FILE *f = fopen(name, "rb");
	uint8_t *data = NULL;
	long end = -1;

	if (f && fseek(f, 0, SEEK_END) == 0)
		end = ftell(f);
	if (end >= 0 && fseek(f, 0, SEEK_SET) == 0)
		data = malloc(end ? (size_t)end : 1);
	if (data && fread(data, 1, (size_t)end, f) != (size_t)end) {
		free(data);
		data = NULL;
	}
	if (f)
		fclose(f);
	if (data)
		*size = (size_t)end;
	return data;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		size_t size;
		uint8_t *data = load(argv[i], &size);

		if (!data) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
		printf("%s\n", argv[i]);
		fflush(stdout); /* before it crashes */
		(void)LLVMFuzzerTestOneInput(data, size);
		free(data);
	}
	return 0;
}
