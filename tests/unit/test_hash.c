/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "evp.h"

#include "common/hash.h"
#include "common/hash_blocks.h"

/* More than a piece of hash.c and no multiple of anything. */
static uint8_t data[40013];

static void check(alg_set banks, struct span s, const struct digests *got)
{
	assert_int_equal(got->banks, banks);
	for (enum alg a = 0; a < ALG_COUNT; a++) {
		uint8_t want[DIGEST_MAX];

		if (!(banks & ALG_BIT(a)))
			continue;
		evp(a, s, want);
		if (memcmp(got->d[a], want, alg_table[a].size) != 0)
			fail_msg("%s of %zu bytes", alg_table[a].name, s.n);
	}
}

/* FIPS 180 examples, and the empty message. */
static void test_known_answers(void **state)
{
	(void)state;
	struct digests d;

	hash_span(ALG_SET_ALL, SPAN_LITERAL("abc"), &d);
	assert_hex(digest_span(&d, ALG_SHA1), "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_hex(digest_span(&d, ALG_SHA256), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_hex(digest_span(&d, ALG_SHA384),
		"cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
	assert_hex(digest_span(&d, ALG_SHA512),
		"ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
		"2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");

	hash_span(ALG_SET_ALL, (struct span){ NULL, 0 }, &d);
	assert_hex(digest_span(&d, ALG_SHA1), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	assert_hex(digest_span(&d, ALG_SHA256), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* Every length around the ends of blocks, where padding takes one block or two. */
static void test_lengths(void **state)
{
	(void)state;
	for (size_t n = 0; n <= 520; n++) {
		struct digests d;
		struct span s = { data, n };

		hash_span(ALG_SET_ALL, s, &d);
		check(ALG_SET_ALL, s, &d);
	}
}

static void test_bank_sets(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 55, 56, 111, 112, 127, 128, 129, 4095, 4096, 4097, 8192, sizeof(data) };

	for (alg_set banks = 0; banks <= ALG_SET_ALL; banks++) {
		for (size_t i = 0; i < GL_COUNT(sizes); i++) {
			struct digests d;
			struct span s = { data, sizes[i] };

			hash_span(banks, s, &d);
			check(banks, s, &d);
		}
	}

	struct digests d;

	hash_span(UINT32_MAX, SPAN_OF(data), &d);
	check(ALG_SET_ALL, SPAN_OF(data), &d);
}

/* Cut up in every way that a stream can arrive; the result may not depend on it. */
static void test_pieces(void **state)
{
	(void)state;
	static const size_t steps[] = { 1, 3, 63, 64, 65, 127, 128, 129, 1000, 4095, 4096, 4097, 10000 };

	for (size_t i = 0; i < GL_COUNT(steps); i++) {
		struct hash h;
		struct digests d;
		size_t n = steps[i] < 3 ? 3000 : sizeof(data);

		hash_init(&h, ALG_SET_ALL);
		for (size_t off = 0; off < n; off += steps[i]) {
			hash_update(&h, (struct span){ data + off, n - off < steps[i] ? n - off : steps[i] });
			hash_update(&h, (struct span){ NULL, 0 });
		}
		hash_final(&h, &d);
		check(ALG_SET_ALL, (struct span){ data, n }, &d);
	}

	for (size_t first = 0; first <= 260; first++) {
		struct hash h;
		struct digests d;

		hash_init(&h, ALG_SET_ALL);
		hash_update(&h, (struct span){ data, first });
		hash_update(&h, (struct span){ data + first, 700 - first });
		hash_final(&h, &d);
		check(ALG_SET_ALL, (struct span){ data, 700 }, &d);
	}
}

static void test_unaligned(void **state)
{
	(void)state;
	for (size_t k = 0; k < 64; k++) {
		struct digests d;
		struct span s = { data + k, 2000 };

		hash_span(ALG_SET_ALL, s, &d);
		check(ALG_SET_ALL, s, &d);
	}
}

/* The length field: over 2^32 bits, by a stream that repeats itself. */
static void test_long(void **state)
{
	(void)state;
	enum { SIZE = 1 << 20, COUNT = 520 };
	static uint8_t block[SIZE];
	struct span parts[COUNT];
	struct hash h;
	struct digests d;
	uint8_t want[DIGEST_MAX];

	memset(block, 0x5a, sizeof(block));
	hash_init(&h, ALG_BIT(ALG_SHA256));
	for (size_t i = 0; i < COUNT; i++) {
		parts[i] = SPAN_OF(block);
		hash_update(&h, parts[i]);
	}
	hash_final(&h, &d);
	evp_parts(ALG_SHA256, parts, COUNT, want);
	assert_memory_equal(d.d[ALG_SHA256], want, 32);
}

/* Every code that this processor can run, by leaving out its instructions one after the other. */
static void test_processors(void **state)
{
	(void)state;
	enum { SHA_NI = 1 << 29, AVX2 = 1 << 5, AVX = 1 << 28, SSSE3 = 1 << 9, XOP = 1 << 11 };
	const struct hash_cpu host = hash_blocks_cpu();
	struct hash_cpu cpu = hash_blocks_probe(false);

	assert_memory_equal(&host, &cpu, sizeof(cpu));

	for (unsigned step = 0; step < 6; step++) {
		struct digests d;

		switch (step) {
		case 0:
			cpu = hash_blocks_probe(true);
			break;
		case 1:
			cpu = hash_blocks_probe(false);
			cpu.word[2] &= ~(uint32_t)SHA_NI;
			break;
		case 2:
			cpu.word[2] &= ~(uint32_t)AVX2;
			break;
		case 3:
			cpu.word[1] &= ~(uint32_t)(AVX | XOP);
			break;
		case 4:
			cpu.word[1] &= ~(uint32_t)SSSE3;
			break;
		default:
			memset(&cpu, 0, sizeof(cpu));
			break;
		}
		hash_blocks_set_cpu(cpu);
		hash_span(ALG_SET_ALL, SPAN_OF(data), &d);
		check(ALG_SET_ALL, SPAN_OF(data), &d);
	}
	hash_blocks_set_cpu(host);
}

/* In firmware there is no AVX in any form: its interrupt handlers spare neither the red zone nor the upper halves of YMM. */
static void test_firmware_has_no_avx(void **state)
{
	(void)state;
	struct hash_cpu host = hash_blocks_probe(false), firmware = hash_blocks_probe(true);

	assert_int_equal(firmware.word[1] & (1u << 28 | 1u << 11), 0);
	assert_int_equal(firmware.word[2] & (1u << 5 | 1u << 16 | 1u << 30 | 1u << 31), 0);
	/* But all else stays, above all SHA-NI and SSSE3. */
	assert_int_equal(firmware.word[2] & 1u << 29, host.word[2] & 1u << 29);
	assert_int_equal(firmware.word[1] & 1u << 9, host.word[1] & 1u << 9);
	assert_int_equal(firmware.word[0], host.word[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_answers),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bank_sets),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_unaligned),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_processors),
		cmocka_unit_test(test_firmware_has_no_avx),
	};

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 131 + (i >> 8) * 7 + 3);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
