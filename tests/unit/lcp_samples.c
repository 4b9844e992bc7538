/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp_samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const uint32_t sample_types[SAMPLE_TYPES] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x10, 0x11, 0x12, 0x13, 0x14, 0x77 };

const struct sample_list sample_lists[SAMPLE_LISTS] = {
	{ "1.0", 0x0100, 0x10, 0, 0 },
	{ "1.0 rsassa 2048", 0x0100, 0x14, 2048, 0 },
	{ "2.0", 0x0200, 0x10, 0, 0 },
	{ "2.0 rsassa 2048", 0x0200, 0x14, 2048, 0 },
	{ "2.1 rsassa 3072", 0x0201, 0x14, 3072, 0 },
	{ "2.1 ecdsa 256", 0x0201, 0x18, 256, 0 },
	{ "2.1 ecdsa 384", 0x0201, 0x18, 384, 0 },
	{ "2.1 sm2", 0x0201, 0x1b, 256, 0 },
	{ "3.0", 0x0300, 0x10, 0, 0 },
	{ "3.0 rsassa 2048", 0x0300, 0x14, 2048, 0x0b },
	{ "3.0 rsassa 3072", 0x0300, 0x14, 3072, 0x0c },
	{ "3.0 rsapss 2048", 0x0300, 0x16, 2048, 0x0b },
	{ "3.0 rsapss 3072", 0x0300, 0x16, 3072, 0x0c },
	{ "3.0 ecdsa 256", 0x0300, 0x18, 256, 0x0b },
	{ "3.0 ecdsa 384", 0x0300, 0x18, 384, 0x0c },
	{ "3.0 sm2", 0x0300, 0x1b, 256, 0x12 },
};

static void count_up(struct wr *w, uint8_t seed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		wr_u8(w, (uint8_t)(seed + i));
}

static void pconf(struct wr *w, uint8_t seed)
{
	wr_le16(w, 1);  /* NumPCRInfos */
	wr_be16(w, 1);  /* sizeOfSelect, TPM byte order */
	wr_u8(w, 0x81); /* PCR 0 and 7 */
	wr_u8(w, 0x1f); /* localities 0-4 */
	count_up(w, seed, 20);
}

static void pconf2(struct wr *w, uint8_t seed)
{
	wr_le16(w, 0x0b);
	wr_le16(w, 2);
	for (unsigned i = 0; i < 2; i++) {
		wr_be32(w, 1);
		wr_be16(w, 0x0b);
		wr_u8(w, 3);
		wr_u8(w, (uint8_t)(0x03 << i));
		wr_le16(w, 0);
		wr_be16(w, 32);
		count_up(w, (uint8_t)(seed + i), 32);
	}
}

static void body(struct wr *w, uint32_t type, uint8_t seed)
{
	switch (type) {
	case 0x00:
		wr_le16(w, 0x0011); /* SINITMinVersion, HashAlg */
		wr_le16(w, 2);
		count_up(w, seed, 40);
		break;
	case 0x01:
		pconf(w, seed);
		break;
	case 0x02:
		wr_le32(w, 0); /* HashAlg, reserved */
		count_up(w, seed, 20);
		wr_le16(w, 0);
		wr_le16(w, 1);
		count_up(w, (uint8_t)(seed + 20), 20);
		break;
	case 0x04:
		wr_le16(w, 0);
		wr_le16(w, 2);
		count_up(w, seed, 40);
		break;
	case 0x10:
		wr_le16(w, 0x0011); /* SINITMinVersion, reserved */
		wr_le16(w, 0x0b);
		wr_le16(w, 2);
		count_up(w, seed, 64);
		break;
	case 0x11:
		pconf2(w, seed);
		break;
	case 0x12:
		wr_le16(w, 0x0b);
		wr_le16(w, 0);
		count_up(w, seed, 32);
		wr_le16(w, 0);
		wr_le16(w, 1);
		count_up(w, (uint8_t)(seed + 32), 32);
		break;
	case 0x14:
		wr_le16(w, 0x0b);
		wr_le16(w, 2);
		count_up(w, seed, 64);
		break;
	default: /* CUSTOM: UUID and five bytes */
		count_up(w, seed, 16 + 5);
		break;
	}
}

void sample_element(struct wr *w, uint32_t type, uint8_t seed)
{
	struct wr size = wr_measure();

	body(&size, type, seed);
	wr_le32(w, (uint32_t)size.off + 12);
	wr_le32(w, type);
	wr_le32(w, 0x00000001);
	body(w, type, seed);
}

static bool is_ecc(const struct sample_list *l)
{
	return l->sig_alg == 0x18 || l->sig_alg == 0x1b;
}

static size_t part(const struct sample_list *l)
{
	return (is_ecc(l) ? 2u : 1u) * (l->key_bits / 8u);
}

size_t sample_key_offset(const struct sample_list *l, size_t elements)
{
	if (l->version < 0x0300)
		return 8 + elements + 4 + (is_ecc(l) ? 4 : 0);
	return 8 + elements + 2 + 1 + 2 + 1 + 2 + (is_ecc(l) ? 0 : 4);
}

size_t sample_block_offset(const struct sample_list *l, size_t elements)
{
	return sample_key_offset(l, elements) + part(l) + (l->version < 0x0300 ? 0 : 2 + 1 + 2 + 2);
}

void sample_list(struct wr *w, const struct sample_list *l, struct span elements)
{
	bool is_signed = l->sig_alg != 0x10;

	wr_le16(w, l->version);
	if (l->version < 0x0200)
		wr_be16(w, is_signed); /* reserved byte, LCP_POLSALG_* */
	else if (l->version < 0x0300)
		wr_le16(w, l->sig_alg);
	else
		wr_le16(w, is_signed ? (uint16_t)(8 + elements.n + 2) : 0);
	wr_le32(w, (uint32_t)elements.n);
	wr_bytes(w, elements);
	if (!is_signed)
		return;
	wr_le16(w, 0x0705); /* revocation counter */
	if (l->version < 0x0300) {
		wr_le16(w, l->key_bits / 8);
		if (is_ecc(l))
			wr_le32(w, 0);
		count_up(w, 0x30, part(l));
		count_up(w, 0x90, part(l));
		return;
	}
	wr_u8(w, 0x10);
	wr_le16(w, is_ecc(l) ? 0x23 : 0x01);
	wr_u8(w, 0x10);
	wr_le16(w, l->key_bits);
	if (!is_ecc(l))
		wr_le32(w, 65537);
	count_up(w, 0x30, part(l));
	wr_le16(w, l->sig_alg);
	wr_u8(w, 0x10);
	wr_le16(w, l->key_bits);
	wr_le16(w, l->hash_alg);
	count_up(w, 0x90, part(l));
}

void sample_elements(struct wr *w, uint16_t list_version)
{
	bool old = list_version < 0x0200;

	sample_element(w, old ? 0x00 : 0x10, 1);
	sample_element(w, old ? 0x03 : 0x13, 2);
	sample_element(w, old ? 0x01 : 0x11, 3);
	if (!old)
		sample_element(w, 0x14, 4);
}

struct span sample_list_bytes(size_t i)
{
	static uint8_t bytes[4096];
	uint8_t elements[1024];
	struct wr e = wr_init((struct mspan){ elements, sizeof(elements) });
	struct wr w = wr_init((struct mspan){ bytes, sizeof(bytes) });

	sample_elements(&e, sample_lists[i].version);
	sample_list(&w, &sample_lists[i], wr_span(&e));
	assert_false(e.bad || w.bad);
	return wr_span(&w);
}

static void try_bytes(struct span in, sample_recoder recode, uint8_t *out, size_t cap)
{
	size_t n = 0;

	if (!recode(in, (struct mspan){ out, cap }, &n))
		return;
	assert_int_equal(n, in.n);
	assert_memory_equal(out, in.p, n);
}

void assert_recodes_mutations(struct span good, sample_recoder recode)
{
	static const uint8_t set[] = { 0x00, 0x01, 0x04, 0x0c, 0x10, 0x7f, 0x80, 0xff };
	size_t cap = good.n + 64, n = 0;
	uint8_t *out = malloc(cap), *copy = malloc(good.n);

	assert_non_null(out);
	assert_non_null(copy);
	assert_true(recode(good, (struct mspan){ out, cap }, &n));
	assert_int_equal(n, good.n);
	assert_memory_equal(out, good.p, n);
	memcpy(copy, good.p, good.n);
	for (size_t at = 0; at < good.n; at++) {
		for (size_t i = 0; i < sizeof(set) + 3; i++) {
			if (i < sizeof(set))
				copy[at] = set[i];
			else
				copy[at] = (uint8_t)(good.p[at] + (i == sizeof(set) ? 1 : i == sizeof(set) + 1 ? 255 : 128));
			try_bytes((struct span){ copy, good.n }, recode, out, cap);
		}
		copy[at] = good.p[at];
	}
	free(copy);
	for (size_t cut = 0; cut < good.n + 16; cut++) {
		size_t kept = cut < good.n ? cut : good.n;

		copy = malloc(cut ? cut : 1);
		assert_non_null(copy);
		memset(copy, 0, cut);
		memcpy(copy, good.p, kept);
		try_bytes((struct span){ copy, cut }, recode, out, cap);
		free(copy);
	}
	free(out);
}

uint32_t sample_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}
