/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_ALIGN_H
#define GL_BOOT_ALIGN_H

#include <stdbool.h>
#include <stdint.h>

/* Whether something can be aligned to it: 1, 2, 4, ... */
static inline bool align_is_power(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

#endif
