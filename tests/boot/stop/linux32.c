/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux's 32-bit entry, by which geolaunch-stage starts it: Linux, Documentation/arch/x86/boot.rst, "32-bit Boot Protocol", and zero-page.rst. A
 * program of its own, position independent, that linux.S carries.
 */
#include "tests/boot/stop/tell.h"

/* In the zero page. */
#define INITRD 0x218
#define INITRD_SIZE 0x21c
#define CMDLINE 0x228
/* Upper halves of the three. */
#define EXTENDED 0xc0

/* linux.S has put the argument in its place. */
void entry32(const uint8_t *zero_page);

static uint32_t at(const uint8_t *p, uint32_t offset)
{
	return *(const uint32_t *)(const void *)(p + offset);
}

void entry32(const uint8_t *zero_page)
{
	if (at(zero_page, EXTENDED) || at(zero_page, EXTENDED + 4) || at(zero_page, EXTENDED + 8))
		stop("linux-32-above-4g");
	tell("cmdline", (const char *)(uintptr_t)at(zero_page, CMDLINE));
	tell_blob("initrd", (const uint8_t *)(uintptr_t)at(zero_page, INITRD), at(zero_page, INITRD_SIZE));
	stop("linux-32");
}
