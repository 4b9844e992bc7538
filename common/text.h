/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_TEXT_H
#define GL_COMMON_TEXT_H

#include "span.h"

/*
 * Text put together in a fixed buffer, for code that runs before there is a C library.
 * What does not fit is cut off and `cut` is set; the text always ends in NUL (given that cap > 0).
 */
struct text {
	char *p;
	size_t cap;
	size_t n;
	bool cut;
};

#define TEXT_OF(array) ((struct text){ .p = (array), .cap = sizeof(array) })

void text_char(struct text *t, char c);
void text_str(struct text *t, const char *s);
/* Bytes as they are, but everything outside printable ASCII as '?': safe for a terminal. */
void text_span(struct text *t, struct span s);
/* Pads with blanks up to column `width`, at least one blank. */
void text_pad(struct text *t, size_t width);
void text_u64(struct text *t, uint64_t v);
/* "0x" and at least `digits` lower-case hexadecimal digits. */
void text_hex(struct text *t, uint64_t v, unsigned digits);
/* The bytes in lower-case hexadecimal, in memory order. */
void text_bytes(struct text *t, struct span s);
/* A size in bytes with one decimal and a binary unit: "8.2 MiB". */
void text_size(struct text *t, uint64_t bytes);

#endif
