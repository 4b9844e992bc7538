/* SPDX-License-Identifier: BSD-3-Clause */
#include "qemu/txt/platform_impl.h"

#include <string.h>

#define LOCALITY_BITS \
	(CHIPSET_REACT_LOCALITY1_OPENED | CHIPSET_REACT_LOCALITY1_CLOSED | CHIPSET_REACT_LOCALITY2_OPENED | \
		CHIPSET_REACT_LOCALITY2_CLOSED | CHIPSET_REACT_PRIVATE_OPENED | CHIPSET_REACT_PRIVATE_CLOSED)

static uint8_t *space(struct platform *p, enum chipset_space which)
{
	return p->m.regs.bytes + (which == CHIPSET_PRIVATE ? 0 : TXT_PUBLIC_BASE - TXT_PRIVATE_BASE);
}

void platform_render(struct platform *p)
{
	for (enum chipset_space s = CHIPSET_PRIVATE; s <= CHIPSET_PUBLIC; s++) {
		chipset_render(&p->chipset, s, p->shown[s]);
		memcpy(space(p, s), p->shown[s], CHIPSET_SPACE_SIZE);
	}
}

bool platform_localities(struct platform *p)
{
	if (p->config.tpm && !link_localities(&p->link, chipset_localities(&p->chipset)))
		return platform_fail(p, "%s", p->link.why);
	return true;
}

/* The bytes of an aligned block of eight that differ, as the smallest aligned access that covers them. */
static bool changed(const uint8_t *was, const uint8_t *now, unsigned *at, unsigned *width)
{
	unsigned first = 0, last = 8;

	if (memcmp(was, now, 8) == 0)
		return false;
	while (was[first] == now[first])
		first++;
	while (was[last - 1] == now[last - 1])
		last--;
	for (*width = 1; first / *width != (last - 1) / *width;)
		*width *= 2;
	*at = first & ~(*width - 1);
	return true;
}

/* One access of the guest, found by comparing what it sees with what was shown to it. The width is a guess when bytes were written as they were. */
static uint32_t take_writes(struct platform *p, enum chipset_space s)
{
	const uint8_t *now = space(p, s);
	uint32_t react = 0;

	for (uint32_t block = 0; block < CHIPSET_SPACE_SIZE; block += 8) {
		unsigned at, width;
		struct rd r;

		if (!changed(p->shown[s] + block, now + block, &at, &width))
			continue;
		r = rd_init((struct span){ now + block + at, width });
		react |= chipset_write(&p->chipset, s, block + at, width, rd_le(&r, width));
	}
	return react;
}

bool platform_absorb(struct platform *p)
{
	uint32_t react = take_writes(p, CHIPSET_PRIVATE) | take_writes(p, CHIPSET_PUBLIC);

	platform_render(p);
	if (react & LOCALITY_BITS && !platform_localities(p))
		return false;
	if (react & CHIPSET_REACT_RESET)
		return platform_txt_reset(p, "cmd-reset");
	return true;
}
