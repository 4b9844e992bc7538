/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "acm_samples.h"

const struct acm_chipset acm_sample_chipsets[2] = {
	{ .flags = 0, .vendor_id = 0x8086, .device_id = 0xb001, .revision_id = 1 },
	{ .flags = 1, .vendor_id = 0x8086, .device_id = 0xb00c, .revision_id = 6, .register_mask = 0x1234, .extended_id = 0xdeadbeef },
};

static const struct acm_processor processors[] = {
	{ .fms = 0x906e0, .fms_mask = 0xfff3ff0 },
	{ .fms = 0x906a0, .fms_mask = 0xfff3ff0, .platform_id = 0x4000000000000, .platform_mask = 0x1c000000000000 },
};

struct acm_recipe acm_sample(void)
{
	struct acm_recipe r = acm_recipe_sinit(1);

	r.size = ACM_SAMPLE_SIZE;
	r.chipsets = acm_sample_chipsets;
	r.chipset_count = GL_COUNT(acm_sample_chipsets);
	r.processors = processors;
	r.processor_count = GL_COUNT(processors);
	return r;
}

uint8_t *acm_sample_bytes(const struct acm_recipe *r)
{
	uint8_t *p = malloc(r->size);

	assert_non_null(p);
	assert_int_equal(acm_make(r, (struct mspan){ p, r->size }), ACM_OK);
	return p;
}

void acm_sample_put(uint8_t *p, size_t width, uint64_t v)
{
	for (size_t i = 0; i < width; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}
