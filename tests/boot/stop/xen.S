/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of Xen: a multiboot2 image with Xen's header tags, an EFI64 entry, and a 32-bit one. XEN32: the program behind the latter. */
	.section .multiboot, "a"
	.balign 8
header:
	.long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
	.short 1, 0		/* information request: memory map, module alignment comes next */
	.long 16, 4, 6
	.short 6, 0
	.long 8
	.short 10, 1		/* relocatable */
	.long 24, 0x200000, 0xffffffff, 0x200000, 2
	.short 7, 1		/* boot services stay */
	.long 8
	.short 9, 1		/* EFI64 entry */
	.long 12, start, 0
	.short 0, 0
	.long 8
header_end:

	.section .text.start, "ax"
	.globl start
start:
	movl %eax, %edi
	movl %ebx, %esi
	subq $8, %rsp
	call xen_entry
	hlt

/* The entry of the ELF header: EAX is the magic number, EBX the information. There is no stack, and the place may be any. */
	.code32
	.globl start32
start32:
	cld
	leal 8(%ebx), %esp	/* the field in front of it is reserved */
	call 1f
1:	popl %edx
	leal stack - 1b(%edx), %esp
	pushl %ebx
	pushl %eax
	call xen32
	hlt
	.balign 16
	.skip 4096
stack:
xen32:
	.incbin XEN32
	.section .note.GNU-stack, "", @progbits
