/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_SPAN_H
#define GL_COMMON_SPAN_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The result must be looked at: whoever measures or verifies may not ignore a failure. */
#define GL_MUST __attribute__((warn_unused_result))

/* Number of elements of an array (not of a pointer). */
#define GL_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Read-only bytes that belong to somebody else. `p` may be NULL only if `n` is 0. */
struct span {
	const uint8_t *p;
	size_t n;
};

/* Writable bytes that belong to somebody else. */
struct mspan {
	uint8_t *p;
	size_t n;
};

/* The bytes of a string literal without its NUL. */
#define SPAN_LITERAL(s) ((struct span){ (const uint8_t *)(s), sizeof(s) - 1 })

/* The bytes of an array or a structure of ours. */
#define SPAN_OF(x) ((struct span){ (const uint8_t *)&(x), sizeof(x) })

/* The bytes of a NUL-terminated string without the NUL; NULL gives no bytes. */
static inline struct span span_str(const char *s)
{
	size_t n = 0;

	while (s && s[n])
		n++;
	return (struct span){ (const uint8_t *)s, n };
}

static inline bool span_equal(struct span a, struct span b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (a.p[i] != b.p[i])
			return false;
	return true;
}

static inline bool span_is_str(struct span a, const char *s)
{
	return span_equal(a, span_str(s));
}

#endif
