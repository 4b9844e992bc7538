/* SPDX-License-Identifier: BSD-3-Clause */
/* boot/pecoff_hash.c: the Authenticode digest takes every byte but the three places that it leaves out, once, or there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "boot/pecoff.h"
#include "common/hash.h"
#include "tests/unit/boot_samples.h"
#include "tests/unit/pe_sample.h"

#define CHECKSUM (SAMPLE_PE_OPTIONAL + 64)
#define DIRECTORIES (SAMPLE_PE_OPTIONAL + 108)
#define ENTRY (SAMPLE_PE_OPTIONAL + 144)
#define TEXT SAMPLE_PE_TABLE
#define DATA (SAMPLE_PE_TABLE + 40)
/* Where a signer would put the certificates. */
#define PADDED (SAMPLE_PE_SIZE + 2)
#define SIGNED (PADDED + 24)

static uint8_t file[SIGNED];
static const alg_set sha256 = ALG_BIT(ALG_SHA256);

/* On memory of just that size, so that the sanitizer sees what lies behind it. */
static enum pecoff_error digest_of(const uint8_t *bytes, size_t n, alg_set algs, struct digests *out)
{
	uint8_t *copy = malloc(n ? n : 1);
	enum pecoff_error e;

	assert_non_null(copy);
	memcpy(copy, bytes, n);
	e = pecoff_authenticode((struct span){ copy, n }, algs, out);
	free(copy);
	return e;
}

static void make_signed(void)
{
	memset(file, 0, sizeof(file));
	sample_pe(file);
	sample_put(file, ENTRY, PADDED, 4);
	sample_put(file, ENTRY + 4, SIGNED - PADDED, 4);
	memset(file + PADDED, 0x5a, SIGNED - PADDED);
}

static void test_against_efitools(void **state)
{
	/* What hash-to-efi-sig-list of efitools 1.9.2 says of the sample with two zeros behind it, a multiple of 8 bytes. */
	static const uint8_t known[32] = {
		0xe6,
		0x2a,
		0xfb,
		0xac,
		0xd6,
		0x73,
		0x7a,
		0x51,
		0xd1,
		0xd7,
		0x6b,
		0x53,
		0xf4,
		0x4b,
		0xf8,
		0x4d,
		0x6c,
		0x4b,
		0x80,
		0x98,
		0x62,
		0xc2,
		0xa6,
		0xda,
		0xcd,
		0xaf,
		0x49,
		0x77,
		0x74,
		0xeb,
		0x7e,
		0x5d,
	};
	struct digests plain, with_certificates;

	(void)state;
	memset(file, 0, sizeof(file));
	sample_pe(file);
	assert_int_equal(digest_of(file, PADDED, sha256, &plain), PECOFF_OK);
	assert_int_equal(plain.banks, sha256);
	assert_memory_equal(plain.d[ALG_SHA256], known, sizeof(known));
	make_signed();
	assert_int_equal(digest_of(file, SIGNED, ALG_SET_ALL, &with_certificates), PECOFF_OK);
	assert_int_equal(with_certificates.banks, ALG_SET_ALL);
	assert_memory_equal(with_certificates.d[ALG_SHA256], known, sizeof(known));
}

/* The bytes that count, one behind the other, through another call. */
static void compact(size_t n, bool entry, struct digests *out)
{
	uint8_t bytes[SIGNED];
	size_t at = 0;

	for (size_t i = 0; i < n; i++)
		if ((i < CHECKSUM || i >= CHECKSUM + 4) && !(entry && i >= ENTRY && i < ENTRY + 8))
			bytes[at++] = file[i];
	hash_span(sha256, (struct span){ bytes, at }, out);
}

static void check(size_t n, size_t counted, bool entry)
{
	struct digests got, want;

	compact(counted, entry, &want);
	assert_int_equal(digest_of(file, n, sha256, &got), PECOFF_OK);
	assert_true(digests_equal(&got, &want));
}

static void test_what_counts(void **state)
{
	uint8_t row[40];

	(void)state;
	make_signed();
	check(SIGNED, PADDED, true);
	/* Neither the order of the table counts, nor a section that has nothing in the file. */
	memcpy(row, file + TEXT, sizeof(row));
	memcpy(file + TEXT, file + DATA, sizeof(row));
	memcpy(file + DATA, row, sizeof(row));
	check(SIGNED, PADDED, true);
	sample_put(file, SAMPLE_PE_COFF + 2, 3, 2);
	sample_put(file, DATA + 40 + 8, 0x1000, 4);
	sample_put(file, DATA + 40 + 20, 0x500, 4);
	check(SIGNED, PADDED, true);
	/* Nothing behind the sections; an odd number of bytes; the unsigned file as it is. */
	sample_pe(file);
	check(SAMPLE_PE_SIZE - SAMPLE_PE_TAIL, SAMPLE_PE_SIZE - SAMPLE_PE_TAIL, true);
	check(SAMPLE_PE_SIZE - 1, SAMPLE_PE_SIZE - 1, true);
	/* Headers that end before the entry: what stands there is data. */
	make_signed();
	sample_put(file, DIRECTORIES, 4, 4);
	check(SIGNED, SIGNED, false);
	sample_put(file, DIRECTORIES, 5, 4);
	check(SIGNED, PADDED, true);
}

/* Every bit of what counts changes the digest, or there is none; of what does not count none does. */
static void test_every_byte(void **state)
{
	struct digests first, d;

	(void)state;
	make_signed();
	assert_int_equal(digest_of(file, SIGNED, sha256, &first), PECOFF_OK);
	for (size_t i = 0; i < SIGNED; i++) {
		bool counts = i < PADDED && (i < CHECKSUM || i >= CHECKSUM + 4) && (i < ENTRY || i >= ENTRY + 8);

		for (unsigned bit = 0; bit < 8; bit += i < 0x400 ? 1 : 5) {
			enum pecoff_error e;

			file[i] ^= (uint8_t)(1u << bit);
			e = digest_of(file, SIGNED, sha256, &d);
			if (i >= ENTRY && i < ENTRY + 8)
				assert_int_equal(e, PECOFF_E_CERTIFICATES);
			else if (e == PECOFF_OK)
				assert_true(digests_equal(&first, &d) != counts);
			else
				assert_true(counts && i < 0x400);
			file[i] ^= (uint8_t)(1u << bit);
		}
	}
}

static void test_refusals(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t v;
		enum pecoff_error e;
	} rows[] = {
		{ 0, 1, 'X', PECOFF_E_MAGIC },
		{ TEXT + 20, 4, 0x200, PECOFF_E_SECTION }, /* .text in the headers */
		{ TEXT + 20, 4, 0, PECOFF_E_SECTION },
		{ TEXT + 20, 4, 0x600, PECOFF_E_LAYOUT },       /* a gap behind them */
		{ TEXT + 16, 4, 0x400, PECOFF_E_LAYOUT },       /* ... behind .text */
		{ TEXT + 16, 4, 0x800, PECOFF_E_SECTION },      /* over .data */
		{ TEXT + 16, 4, 0xfffffc00, PECOFF_E_SECTION }, /* ends at 0 if 32 bits are all */
		{ TEXT + 16, 4, 0xffffffff, PECOFF_E_SECTION },
		{ DATA + 16, 8, 0x400ull << 32 | 0x600, PECOFF_E_SECTION },     /* .data where .text is */
		{ DATA + 16, 8, 0x400ull << 32 | 0x200, PECOFF_E_SECTION },     /* the same, shorter */
		{ DATA + 16, 8, 0xfffffe00ull << 32 | 0x200, PECOFF_E_LAYOUT }, /* its end wraps */
		{ DATA + 16, 8, 0xffffffffull << 32 | 0xffffffff, PECOFF_E_LAYOUT },
		{ DATA + 16, 4, 0x300, PECOFF_E_SECTION },               /* behind the end of the file */
		{ DATA + 16, 4, SIGNED - 0xa00, PECOFF_E_CERTIFICATES }, /* the certificates are in it */
		{ DATA + 16, 4, PADDED - 0xa00, PECOFF_OK },
		{ DATA + 16, 4, 0, PECOFF_OK },
		{ ENTRY, 4, 0, PECOFF_E_CERTIFICATES },
		{ ENTRY + 4, 4, 0, PECOFF_E_CERTIFICATES },
		{ ENTRY, 8, 0, PECOFF_OK },
		{ ENTRY, 4, PADDED - 8, PECOFF_E_CERTIFICATES },                               /* something behind them */
		{ ENTRY, 4, PADDED + 8, PECOFF_E_CERTIFICATES },                               /* not all of them are there */
		{ ENTRY, 8, (uint64_t)(SIGNED - 0x500) << 32 | 0x500, PECOFF_E_CERTIFICATES }, /* among the sections, up to the end */
		{ ENTRY, 8, (uint64_t)(SIGNED - 0x100) << 32 | 0x100, PECOFF_E_CERTIFICATES }, /* the headers are in them */
		{ ENTRY, 8, (uint64_t)SIGNED << 32, PECOFF_E_CERTIFICATES },
		{ ENTRY, 8, (uint64_t)(SIGNED + 0x10) << 32 | 0xfffffff0, PECOFF_E_CERTIFICATES }, /* the sum wraps to the end */
		{ ENTRY, 8, (uint64_t)(SIGNED - 0xc00) << 32 | 0xc00, PECOFF_OK },                 /* right behind the sections */
		{ SAMPLE_PE_OPTIONAL + 60, 4, 0xfffffff0, PECOFF_E_HEADER },
		{ SAMPLE_PE_OPTIONAL + 60, 4, 0x1000, PECOFF_E_SIZE },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct digests d = { .banks = 77 };
		enum pecoff_error e;

		make_signed();
		sample_put(file, rows[i].at, rows[i].v, rows[i].width);
		e = digest_of(file, SIGNED, sha256, &d);
		if (e != rows[i].e)
			fail_msg("row %zu: %s", i, pecoff_strerror(e));
		assert_int_equal(d.banks, e == PECOFF_OK ? sha256 : 77);
	}
}

/* Cut off anywhere, signed or not. */
static void test_cut(void **state)
{
	struct digests d;

	(void)state;
	make_signed();
	for (size_t n = 0; n < SIGNED; n++)
		assert_int_not_equal(digest_of(file, n, sha256, &d), PECOFF_OK);
	sample_pe(file);
	for (size_t n = 0; n < SAMPLE_PE_SIZE; n++)
		assert_true((digest_of(file, n, sha256, &d) == PECOFF_OK) == (n >= 0xc00));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_against_efitools),
		cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests_name("boot pecoff hash", tests, NULL, NULL);
}
