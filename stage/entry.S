/* SPDX-License-Identifier: BSD-3-Clause */
/* Entry from tboot and exit to what is started. 32-bit protected mode, flat segments, paging off: Multiboot2 2.0, section 3.3. */

#define STACK_SIZE 65536
#define MB2_HEADER_MAGIC 0xe85250d6

	.section .multiboot, "a"
	.balign 8
header:
	.long MB2_HEADER_MAGIC
	.long 0                         /* i386 */
	.long header_end - header
	.long -(MB2_HEADER_MAGIC + (header_end - header))
	.balign 8
	.short 0, 0                     /* end tag */
	.long 8
header_end:

	.section .text.entry, "ax"
	.globl stage_entry
	.type stage_entry, @function
stage_entry:
	cli
	cld
	mov $stack_top, %esp
	xor %ebp, %ebp
	push %ebx
	push %eax
	call stage_main
	/* It never comes back. */
1:	hlt
	jmp 1b

/*
 * void stage_leave(const struct stage_jump *to): starts a kernel. Linux wants its code in selector 0x10 and data in 0x18; Xen sets up
 * its own.
 */
	.section .text.leave, "ax"
	.globl stage_leave
	.type stage_leave, @function
stage_leave:
	cli
	cld
	mov 4(%esp), %edx
	lgdt gdt_pointer
	mov $0x18, %ecx
	mov %ecx, %ds
	mov %ecx, %es
	mov %ecx, %fs
	mov %ecx, %gs
	mov %ecx, %ss
	ljmp $0x10, $1f
1:	mov 0(%edx), %ecx
	mov 4(%edx), %eax
	mov 8(%edx), %ebx
	mov 12(%edx), %esi
	xor %edx, %edx
	xor %edi, %edi
	xor %ebp, %ebp
	jmp *%ecx

	.section .rodata.gdt, "a"
	.balign 8
gdt:
	.quad 0
	.quad 0
	.quad 0x00cf9b000000ffff        /* 0x10: code, 4 GiB */
	.quad 0x00cf93000000ffff        /* 0x18: data, 4 GiB */
gdt_end:
gdt_pointer:
	.short gdt_end - gdt - 1
	.long gdt

	.section .bss.stack, "aw", @nobits
	.balign 16
	.skip STACK_SIZE
stack_top:

	.section .note.GNU-stack, "", @progbits
