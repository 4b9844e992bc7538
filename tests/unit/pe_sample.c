/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/boot_samples.h"
#include "tests/unit/pe_sample.h"

#include <cmocka.h>

#include "boot/embedded.h"

static void put_section(uint8_t *at, const char *name, const uint32_t values[4], uint32_t characteristics)
{
	for (size_t i = 0; name[i]; i++)
		at[i] = (uint8_t)name[i];
	for (unsigned i = 0; i < 4; i++)
		sample_put(at, 8 + 4 * i, values[i], 4);
	sample_put(at, 36, characteristics, 4);
}

void sample_pe(uint8_t buf[SAMPLE_PE_SIZE])
{
	static const uint32_t text[4] = { 0x523, 0x1000, 0x600, 0x400 }, data[4] = { 0x180, 0x2000, 0x200, 0xa00 };
	uint8_t *optional = buf + SAMPLE_PE_OPTIONAL;

	memset(buf, 0, SAMPLE_PE_SIZE);
	sample_put(buf, 0, 0x5a4d, 2); /* MZ */
	sample_put(buf, SAMPLE_PE_LFANEW, SAMPLE_PE_SIGNATURE, 4);
	sample_put(buf, SAMPLE_PE_SIGNATURE, 0x4550, 4); /* PE */
	sample_put(buf, SAMPLE_PE_COFF, 0x8664, 2);
	sample_put(buf, SAMPLE_PE_COFF + 2, 2, 2);
	sample_put(buf, SAMPLE_PE_COFF + 8, SAMPLE_PE_SIZE - SAMPLE_PE_TAIL, 4);
	sample_put(buf, SAMPLE_PE_COFF + 16, 240, 2);
	sample_put(optional, 0, 0x20b, 2);
	sample_put(optional, 8, 0x200, 4);
	sample_put(optional, 32, 0x1000, 4);
	sample_put(optional, 36, 0x200, 4);
	sample_put(optional, 56, SAMPLE_PE_IMAGE_SIZE, 4);
	sample_put(optional, 60, 0x400, 4);
	sample_put(optional, 108, 16, 4);
	put_section(buf + SAMPLE_PE_TABLE, ".text", text, PECOFF_EXECUTE | PECOFF_READ | 0x20);
	put_section(buf + SAMPLE_PE_TABLE + 40, ".data", data, PECOFF_WRITE | PECOFF_READ | PECOFF_INITIALIZED_DATA);
	for (size_t i = 0x400; i < SAMPLE_PE_SIZE; i++)
		buf[i] = (uint8_t)(i * 7 + 1);
}

void sample_pe_load(struct span file, struct mspan memory)
{
	struct pecoff_section s;
	struct pecoff pe;

	assert_int_equal(pecoff_parse(file, &pe), PECOFF_OK);
	assert_true(pe.image_size <= memory.n);
	memset(memory.p, 0, memory.n);
	memcpy(memory.p, file.p, pe.headers_size);
	for (unsigned i = 0; i < pe.section_count; i++) {
		uint32_t n;

		assert_true(pecoff_section(file, &pe, i, &s));
		n = s.raw_size < s.virtual_size ? s.raw_size : s.virtual_size;
		assert_true(n <= memory.n && s.address <= memory.n - n && n <= file.n && s.raw_offset <= file.n - n);
		memcpy(memory.p + s.address, file.p + s.raw_offset, n);
	}
}

void sample_pe_application(struct span description, struct span policy, struct mspan memory)
{
	const struct embedded e = { description, policy };
	uint8_t plain[SAMPLE_PE_SIZE];
	size_t n = 0;
	uint8_t *file;

	sample_pe(plain);
	if (!description.n) {
		sample_pe_load(SPAN_OF(plain), memory);
		return;
	}
	assert_int_equal(embedded_put(SPAN_OF(plain), &e, (struct mspan){ NULL, 0 }, &n), PECOFF_OK);
	file = malloc(n);
	assert_non_null(file);
	assert_int_equal(embedded_put(SPAN_OF(plain), &e, (struct mspan){ file, n }, &n), PECOFF_OK);
	sample_pe_load((struct span){ file, n }, memory);
	free(file);
}
