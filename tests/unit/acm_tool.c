/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes modules for tests/cli/test_acm.py and tests/boot/test_txt_banks.py:
 *   acm_tool N        module number N of an endless row that varies every field, to standard output
 *   acm_tool sinit S [CLEAR]  what a launch needs, index set S, with a chipset of the emulated platform and any processor; without the
 *                             capabilities CLEAR (a number)
 * Exit: 0, 1 I/O, 2 usage, 3 not possible.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lcp/acm_make.h"

#define SIZE_MAX_MADE 0x20000

static uint32_t seed;

static uint32_t next(void)
{
	seed = seed * 1664525 + 1013904223;
	return seed >> 8 ^ seed << 20;
}

static uint32_t pick(uint32_t below)
{
	return (next() >> 3) % below;
}

static struct acm_chipset chipsets[8], chipsets2[4];
static struct acm_processor processors[12];
static uint16_t algs[16];

static void vary_chipsets(struct acm_chipset *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		c[i] = (struct acm_chipset){
			.flags = pick(4) ? pick(2) : next(),
			.vendor_id = pick(5) ? 0x8086 : (uint16_t)next(),
			.device_id = (uint16_t)next(),
			.revision_id = (uint16_t)next(),
			.register_mask = (uint16_t)next(),
			.extended_id = pick(2) ? 0 : next(),
		};
}

static void vary_lists(struct acm_recipe *r)
{
	vary_chipsets(chipsets, GL_COUNT(chipsets));
	vary_chipsets(chipsets2, GL_COUNT(chipsets2));
	for (size_t i = 0; i < GL_COUNT(processors); i++)
		processors[i] = (struct acm_processor){
			.fms = next(),
			.fms_mask = next(),
			.platform_id = (uint64_t)next() << 32 | next(),
			.platform_mask = (uint64_t)next() << 32 | next(),
		};
	for (size_t i = 0; i < GL_COUNT(algs); i++)
		algs[i] = (uint16_t)next();
	r->chipsets = chipsets;
	r->chipset_count = pick(GL_COUNT(chipsets) + 1);
	r->chipsets2 = chipsets2;
	r->chipset2_count = pick(GL_COUNT(chipsets2) + 1);
	r->processors = processors;
	r->processor_count = pick(GL_COUNT(processors) + 1);
	r->tpm_algs = algs;
	r->tpm_alg_count = pick(GL_COUNT(algs) + 1);
	r->tpm_extend_policy = (uint8_t)pick(4);
	r->tpm_family = (uint8_t)pick(16);
	r->tpm_nv_index_set = (uint8_t)pick(2);
}

static struct acm_recipe varied(uint32_t number)
{
	static const uint32_t headers[] = { 0, 0x30000, 0x40000 };
	static const uint8_t types[] = { ACM_SINIT, ACM_BIOS, ACM_BIOS_REVOCATION, ACM_SINIT_REVOCATION, 0x42 };
	struct acm_recipe r;

	seed = number * 2654435761u + 12345;
	/* versions go round, so that a short row has all of them */
	r = (struct acm_recipe){
		.header_version = headers[number % GL_COUNT(headers)],
		.info_version = (uint8_t)(3 + number / GL_COUNT(headers) % 8),
		.size = 0x2800 + 4 * pick(0x3000),
		.scratch = pick(3) ? 0 : 100 + pick(900),
		.subtype = (uint16_t)pick(3),
		.chipset_id = (uint16_t)next(),
		.flags = (uint16_t)next(),
		.date = 0x20100101 + (pick(16) << 16),
		.txt_svn = (uint16_t)next(),
		.se_svn = (uint16_t)next(),
		.code_control = next(),
		.error_entry_point = next(),
		.gdt_limit = next(),
		.gdt_base = next(),
		.seg_sel = next(),
		.entry_point = next(),
		.fill = (uint8_t)next(),
		.chipset_type = types[pick(GL_COUNT(types))],
		.os_sinit_data_version = pick(2) ? pick(9) : next(),
		.min_mle_header_version = next(),
		.capabilities = next(),
		.acm_version = (uint8_t)next(),
		.acm_revision = { (uint8_t)next(), (uint8_t)next(), (uint8_t)next() },
	};
	vary_lists(&r);
	return r;
}

static struct acm_recipe sinit(unsigned set)
{
	static const struct acm_chipset chipset = { .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 };
	static const struct acm_processor any = { .fms = 0 };
	struct acm_recipe r = acm_recipe_sinit((uint8_t)set);

	r.chipsets = &chipset;
	r.chipset_count = 1;
	r.processors = &any;
	r.processor_count = 1;
	return r;
}

int main(int argc, char **argv)
{
	static uint8_t out[SIZE_MAX_MADE];
	bool plain = (argc == 3 || argc == 4) && !strcmp(argv[1], "sinit");
	struct acm_recipe r;

	if (argc != 2 && !plain) {
		fputs("usage: acm_tool N | acm_tool sinit SET [CLEAR]\n", stderr);
		return 2;
	}
	r = plain ? sinit((unsigned)strtoul(argv[2], NULL, 0)) : varied((uint32_t)strtoul(argv[1], NULL, 0));
	if (argc == 4)
		r.capabilities &= ~(uint32_t)strtoul(argv[3], NULL, 0);
	if (r.size > sizeof(out) || acm_make(&r, (struct mspan){ out, r.size }))
		return 3;
	return fwrite(out, 1, r.size, stdout) == r.size && fflush(stdout) == 0 ? 0 : 1;
}
