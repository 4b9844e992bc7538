/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * In Xen's place: a multiboot2 image with Xen's header tags that checks how it was entered, says so on the firmware's console, and then
 * gives up as its command line says: "return", or "exit" by the firmware's Exit() for the loader's image handle, as Xen's blexit() does.
 */
#include <efi.h>

/* Tags as Xen has them: information request, module alignment, relocatable, boot services, EFI64 entry, end. */
__asm__(".pushsection .multiboot, \"a\"\n"
	".balign 8\n"
	"header:\n"
	"	.long 0xe85250d6, 0, end - header, -(0xe85250d6 + (end - header))\n"
	"	.short 1, 0\n	.long 16, 4, 6\n"
	"	.short 6, 0\n	.long 8\n"
	"	.short 10, 1\n	.long 24, 0x200000, 0xffffffff, 0x200000, 2\n"
	"	.short 7, 1\n	.long 8\n"
	"	.short 9, 1\n	.long 12, start, 0\n"
	"	.short 0, 0\n	.long 8\n"
	"end:\n"
	".popsection");

__asm__(".pushsection .text.start, \"ax\"\n"
	".globl start\n"
	"start:\n"
	"	movl %eax, %edi\n"
	"	movl %ebx, %esi\n"
	"	movq %rsp, %rdx\n"
	"	subq $8, %rsp\n"
	"	call body\n"
	"	addq $8, %rsp\n"
	"	ret\n"
	".popsection");

static EFI_SYSTEM_TABLE *st;

static void say(const CHAR16 *text)
{
	st->ConOut->OutputString(st->ConOut, (CHAR16 *)text);
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

__attribute__((used)) static void body(uint32_t eax, uint32_t ebx, uint64_t rsp)
{
	const uint8_t *info = (const uint8_t *)(uintptr_t)ebx;
	const char *cmdline = "";
	EFI_HANDLE image = NULL;
	unsigned modules = 0, services = 0;

	if (eax != 0x36d76289)
		return;
	for (const uint8_t *p = info + 8; *(const uint32_t *)p; p += (((const uint32_t *)p)[1] + 7) & ~7u) {
		uint32_t type = *(const uint32_t *)p;

		if (type == 1)
			cmdline = (const char *)p + 8;
		modules += type == 3;
		services += type == 18;
		if (type == 12)
			st = *(EFI_SYSTEM_TABLE *const *)(p + 8);
		if (type == 20)
			image = *(const EFI_HANDLE *)(p + 8);
	}
	if (!st || !image)
		return;
	say(u"giveup: entered\r\n");
	/* the stack as a call of the firmware leaves it */
	if (modules == 2 && services == 1 && rsp % 16 == 8)
		say(u"giveup: all as it should be\r\n");
	if (same(cmdline, "xen exit"))
		(void)st->BootServices->Exit(image, EFI_SUCCESS, 0, NULL);
	if (same(cmdline, "xen exit"))
		say(u"giveup: Exit() came back\r\n");
}
