/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/handoff_layout.h"

/*
 * From 64-bit mode to an image that is entered in 32-bit mode without paging (Multiboot2 Specification 2.0, 3.2), which is put into its place on
 * the way: what lies there may be the firmware's page tables, stack or descriptors, so none of them is used any more by then.
 *
 * Runs as a copy at the beginning of a block below 4 GiB, whose address is in RDI; see handoff_layout.h. Everything is relative to it.
 */
#define CR0_PG 0x80000000
#define CR4_PAE 0x00000020
#define CR4_PGE 0x00000080
#define CR4_LA57 0x00001000
#define CR4_SMXE 0x00004000
#define CR4_PCIDE 0x00020000
#define CR4_SMEP 0x00100000
#define CR4_SMAP 0x00200000
#define CR4_PKE 0x00400000
#define CR4_CET 0x00800000
#define CR4_PKS 0x01000000
#define MSR_EFER 0xc0000080
#define EFER_LME 0x00000100

	.section .text.handoff, "ax", @progbits
	.globl handoff_code, handoff_code_end
	.hidden handoff_code, handoff_code_end
	.balign 16
	.code64
handoff_code:
	cli
	cld
	movq %rdi, %rbx
	/* Paging cannot be switched off while these are on. */
	movq %cr4, %rax
	andl $~(CR4_PCIDE | CR4_CET), %eax
	movq %rax, %cr4
	lgdt HANDOFF_GDTR(%rbx)
	leaq HANDOFF_STACK(%rbx), %rsp
	leaq (in_32_bits - handoff_code)(%rbx), %rax
	pushq $HANDOFF_CS
	pushq %rax
	lretq

	.code32
in_32_bits:
	movl $HANDOFF_DS, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %fs
	movl %eax, %gs
	movl %eax, %ss
	movl %cr0, %eax
	andl $~CR0_PG, %eax
	movl %eax, %cr0
	jmp no_paging
no_paging:
	movl $MSR_EFER, %ecx
	rdmsr
	andl $~EFER_LME, %eax
	wrmsr
	movl %cr4, %eax
	andl $~(CR4_PAE | CR4_PGE | CR4_LA57 | CR4_SMXE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_PKS), %eax
	movl %eax, %cr4

	leal HANDOFF_COPIES(%ebx), %ebp
	movl HANDOFF_COUNT(%ebx), %edx
next_copy:
	testl %edx, %edx
	jz copied
	movl 0(%ebp), %edi
	movl 4(%ebp), %esi
	movl 8(%ebp), %ecx
	shrl $2, %ecx
	rep movsl
	movl 8(%ebp), %ecx
	andl $3, %ecx
	rep movsb
	xorl %eax, %eax
	movl 12(%ebp), %ecx
	shrl $6, %ecx
	jz few_zeros
	/* tboot has 36 MiB of them. An emulated processor takes some 5 ns for a step of rep stosl; SSE may be switched off by now. */
more_zeros:
	.irp at, 0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60
	movl %eax, \at(%edi)
	.endr
	addl $64, %edi
	decl %ecx
	jnz more_zeros
few_zeros:
	movl 12(%ebp), %ecx
	andl $63, %ecx
	rep stosb
	addl $HANDOFF_COPY_SIZE, %ebp
	decl %edx
	jmp next_copy
copied:
	movl HANDOFF_ENTRY(%ebx), %ecx
	movl HANDOFF_MAGIC(%ebx), %eax
	movl HANDOFF_INFO(%ebx), %ebx
	jmp *%ecx
handoff_code_end:

	.section .note.GNU-stack, "", @progbits
