/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Speed of common/hash.c beside OpenSSL's EVP: the same bytes, the same core, the same run. Prints, never judges.
 * The firmware rows run the code that the EFI application would choose on this processor (no AVX, see common/hash_openssl.c).
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "common/hash.h"
#include "common/hash_blocks.h"
#include "common/text.h"

#define MIB (1024.0 * 1024.0)

struct row {
	alg_set banks;
	bool firmware;
	double seconds; /* ours, one pass for all banks */
	double openssl; /* the sum of one pass each */
};

static const alg_set sets[] = {
	ALG_BIT(ALG_SHA1),
	ALG_BIT(ALG_SHA256),
	ALG_BIT(ALG_SHA384),
	ALG_BIT(ALG_SHA512),
	ALG_BIT(ALG_SHA1) | ALG_BIT(ALG_SHA256),
	ALG_BIT(ALG_SHA256) | ALG_BIT(ALG_SHA384),
	ALG_SET_ALL,
};

static double now(void)
{
	struct timespec t;

	/* Time of the processor, not of the day: other work on the machine then disturbs less. */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void set_name(alg_set banks, struct text *t)
{
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		if (!(banks & ALG_BIT(a)))
			continue;
		if (t->n > 0)
			text_char(t, '+');
		text_str(t, alg_table[a].name);
	}
}

/* Seconds of one pass of ours; the digests go to `out`. */
static double run_ours(alg_set banks, struct span data, struct digests *out)
{
	double start = now();

	hash_span(banks, data, out);
	return now() - start;
}

/* Seconds of one pass of OpenSSL; exits if the digest is not ours, because figures of wrong code are worth nothing. */
static double run_openssl(enum alg a, struct span data, const struct digests *ours)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	const EVP_MD *type = EVP_get_digestbyname(alg_table[a].name);
	double start = now();

	if (!type || EVP_Digest(data.p, data.n, md, NULL, type, NULL) != 1) {
		fprintf(stderr, "hash_bench: OpenSSL cannot compute %s\n", alg_table[a].name);
		exit(1);
	}

	double seconds = now() - start;

	if (memcmp(md, ours->d[a], alg_table[a].size) != 0) {
		fprintf(stderr, "hash_bench: %s differs from OpenSSL's\n", alg_table[a].name);
		exit(1);
	}
	return seconds;
}

static void keep_best(double *best, double seconds)
{
	if (*best == 0 || seconds < *best)
		*best = seconds;
}

/* Best of `runs`; ours and OpenSSL's take turns, so that both see the same machine. */
static void measure(struct row *rows, size_t count, struct span data, unsigned runs)
{
	double single[ALG_COUNT] = { 0 };

	for (unsigned run = 0; run < runs; run++) {
		struct digests d;

		for (size_t i = 0; i < count; i++) {
			hash_blocks_set_cpu(hash_blocks_probe(rows[i].firmware));
			keep_best(&rows[i].seconds, run_ours(rows[i].banks, data, &d));
			for (enum alg a = 0; a < ALG_COUNT; a++)
				if (rows[i].banks == ALG_BIT(a))
					keep_best(&single[a], run_openssl(a, data, &d));
		}
	}
	for (size_t i = 0; i < count; i++)
		for (enum alg a = 0; a < ALG_COUNT; a++)
			if (rows[i].banks & ALG_BIT(a))
				rows[i].openssl += single[a];
}

static void print_table(const struct row *rows, size_t count, double mib)
{
	printf("%s, %.0f MiB, best of the runs\n", OpenSSL_version(OPENSSL_VERSION), mib);
	printf("%-28s %-9s %9s %12s %12s\n", "banks", "code for", "MB/s", "OpenSSL MB/s", "time/OpenSSL");
	for (size_t i = 0; i < count; i++) {
		char buf[64] = "";
		struct text name = TEXT_OF(buf);

		set_name(rows[i].banks, &name);
		printf("%-28s %-9s %9.0f %12.0f %12.3f\n", buf, rows[i].firmware ? "firmware" : "host", mib * MIB / 1e6 / rows[i].seconds,
			mib * MIB / 1e6 / rows[i].openssl, rows[i].seconds / rows[i].openssl);
	}
	printf("MB/s: bytes of input, 10^6 a second. OpenSSL: one pass an algorithm, times added. Below 1.000: faster than that.\n");
}

static void print_json(const struct row *rows, size_t count, double mib)
{
	printf("{\"openssl\":\"%s\",\"bytes\":%.0f,\"rows\":[", OpenSSL_version(OPENSSL_VERSION), mib * MIB);
	for (size_t i = 0; i < count; i++) {
		char buf[64] = "";
		struct text name = TEXT_OF(buf);

		set_name(rows[i].banks, &name);
		printf("%s\n{\"banks\":\"%s\",\"code\":\"%s\",\"seconds\":%.6f,\"openssl_seconds\":%.6f,\"ratio\":%.4f}", i > 0 ? "," : "",
			buf, rows[i].firmware ? "firmware" : "host", rows[i].seconds, rows[i].openssl, rows[i].seconds / rows[i].openssl);
	}
	printf("\n]}\n");
}

static bool parse_count(const char *text, unsigned long max, unsigned *out)
{
	char *end;

	errno = 0;

	unsigned long v = strtoul(text, &end, 10);

	if (errno != 0 || end == text || *end != '\0' || v == 0 || v > max)
		return false;
	*out = (unsigned)v;
	return true;
}

static int usage(FILE *to, int code)
{
	fputs("Usage: hash_bench [--json] [--size MIB] [--runs N]\n"
	      "Hashes MIB (256) MiB of memory N (3) times by common/hash.c and by OpenSSL.\n",
		to);
	return code;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' }, { "size", required_argument, NULL, 's' },
		{ "runs", required_argument, NULL, 'r' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	struct row rows[2 * GL_COUNT(sets)] = { 0 };
	unsigned mib = 256, runs = 3;
	bool json = false;

	for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 'h')
			return usage(stdout, 0);
		if (c == 'j')
			json = true;
		else if (c != 's' && c != 'r')
			return usage(stderr, 2);
		else if (!parse_count(optarg, c == 's' ? 16384 : 1000, c == 's' ? &mib : &runs))
			return usage(stderr, 2);
	}
	if (optind < argc)
		return usage(stderr, 2);

	size_t n = (size_t)mib << 20;
	uint8_t *data = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED) {
		fprintf(stderr, "hash_bench: no memory for %u MiB; try --size with less\n", mib);
		return 1;
	}
	/* Firmware maps memory in large pages; with small ones both sides wait for page tables as much as they hash. */
	(void)madvise(data, n, MADV_HUGEPAGE);
	for (uint64_t i = 0, x = 0x9e3779b97f4a7c15; i < n / sizeof(x); i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(data + i * sizeof(x), &x, sizeof(x));
	}
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		rows[i].banks = sets[i % GL_COUNT(sets)];
		rows[i].firmware = i >= GL_COUNT(sets);
	}
	measure(rows, GL_COUNT(rows), (struct span){ data, n }, runs);
	(json ? print_json : print_table)(rows, GL_COUNT(rows), mib);
	munmap(data, n);
	return 0;
}
