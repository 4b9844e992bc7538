/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The shape of a Linux kernel: one file that is an EFI application (stop.c) and a bzImage with a 32-bit entry (LINUX32, a program). Linux,
 * Documentation/arch/x86/boot.rst; Microsoft, PE Format. Offsets in the file are the addresses in memory.
 */
	.section .head, "ax"
	.code32
head:
	.ascii "MZ"
	.org 0x3c
	.long pe - head
pe:
	.ascii "PE\0\0"
	.short 0x8664, 2	/* x86-64; sections */
	.long 0, 0, 0
	.short sections - optional, 0x206
optional:
	.short 0x20b		/* PE32+ */
	.byte 2, 20
	.long _code_size, 0, 0, efi_entry, 0x400
	.quad 0			/* image base */
	.long 0x20, 0x20	/* alignment in memory and in the file */
	.short 0, 0, 0, 0, 0, 0
	.long 0, _code_end, 0x400, 0
	.short 10, 0		/* EFI application */
	.quad 0, 0, 0, 0
	.long 0, 6
	.quad 0, 0, 0, 0, 0, 0
sections:
	.ascii ".reloc\0\0"
	.long 0, 0, 0, 0, 0, 0
	.short 0, 0
	.long 0x42100040
	.ascii ".text\0\0\0"
	.long _code_size, 0x400, _code_size, 0x400, 0, 0
	.short 0, 0
	.long 0xe0000020

	.org 0x1f1
	.byte 1			/* setup_sects */
	.short 1
	.long _paragraphs	/* syssize */
	.short 0, 0, 0
	.short 0xaa55
	.byte 0xeb, header_end - 0x202	/* jump */
	.ascii "HdrS"
	.short 0x20f
	.long 0
	.short 0, 0
	.byte 0, 1		/* type_of_loader; loadflags: LOADED_HIGH */
	.short 0
	.long 0x100000, 0, 0, 0
	.short 0
	.byte 0, 0
	.long 0, 0x7fffffff, 0x1000	/* initrd_addr_max, kernel_alignment */
	.byte 1, 12		/* relocatable, min_alignment */
	.short 1		/* xloadflags */
	.long 2047, 0
	.quad 0, 0
	.long 0, 0
	.quad 0x1000000		/* pref_address */
	.long 0x100000, 0	/* init_size */
header_end:
	.org 0x400

/* The 32-bit entry: ESI is the zero page. There is no stack, and the place may be any. */
entry32:
	cld
	movl %esi, %esp		/* what is in front of it is memory: the loader's, no more needed */
	call 1f
1:	popl %edx
	leal stack - 1b(%edx), %esp
	pushl %esi
	call program
	hlt
	.balign 16
	.skip 4096
stack:
program:
	.incbin LINUX32
	.section .note.GNU-stack, "", @progbits
