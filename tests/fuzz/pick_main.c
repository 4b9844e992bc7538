/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which of many inputs belong into a corpus: pick SEED... -- FILE... runs a fuzz target over the seeds, then over the files, and prints the name
 * of each file that runs through a place that nothing before it did. For programs with clang's coverage counters.
 * Exit: 0, 1 if a file could not be read, 2 wrong usage.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The counters of the program, as the compiler's runtime has them. */
uint64_t *__llvm_profile_begin_counters(void);
uint64_t *__llvm_profile_end_counters(void);
void __llvm_profile_reset_counters(void);

/* Runs the target over a file; true in *more if a counter moved that never did before. */
static bool run(const char *name, bool *seen, bool *more)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(name, "rb");
	size_t n = f ? fread(buf, 1, sizeof(buf), f) : 0,
	       counters = (size_t)(__llvm_profile_end_counters() - __llvm_profile_begin_counters());
	uint8_t *data = malloc(n ? n : 1);

	if (f)
		fclose(f);
	if (!f || !data) {
		free(data);
		fprintf(stderr, "%s: cannot be read\n", name);
		return false;
	}
	memcpy(data, buf, n);
	__llvm_profile_reset_counters();
	(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
	*more = false;
	for (size_t i = 0; i < counters; i++) {
		if (__llvm_profile_begin_counters()[i] && !seen[i])
			seen[i] = *more = true;
	}
	return true;
}

int main(int argc, char **argv)
{
	bool *seen = calloc((size_t)(__llvm_profile_end_counters() - __llvm_profile_begin_counters()) + 1, sizeof(*seen)), given = false,
	     more;

	if (argc < 2 || !seen) {
		fprintf(stderr, "usage: %s SEED... -- FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--") == 0) {
			given = true;
			continue;
		}
		if (!run(argv[i], seen, &more)) {
			free(seen);
			return 1;
		}
		if (given && more)
			printf("%s\n", argv[i]);
	}
	free(seen);
	return 0;
}
