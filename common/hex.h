/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_HEX_H
#define GL_COMMON_HEX_H

#include <stdint.h>

/* Value of a hexadecimal digit that must be in lower case; -1: it is none. */
static inline int hex_lower(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The same in either case. */
static inline int hex_digit(uint8_t c)
{
	return hex_lower(c >= 'A' && c <= 'F' ? (uint8_t)(c - 'A' + 'a') : c);
}

#endif
