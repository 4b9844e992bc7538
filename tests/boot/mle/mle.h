/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MLE_H
#define MLE_H

/* What the MLEs of the boot tests stand on: serial port, exceptions, GETSEC, registers. 32-bit, no library. */
#include <stdint.h>

#define PUBLIC 0xfed30000u
#define PRIVATE 0xfed20000u
#define SMXE 0x4000u
#define CR0_NE 0x20u

/* Multiboot2 header, 3.1: no tags. */
__attribute__((section(".multiboot"), used, aligned(8))) static const struct {
	uint32_t magic, architecture, length, checksum;
	uint16_t type, flags;
	uint32_t size;
} header = { 0xe85250d6, 0, 24, -(0xe85250d6u + 24), 0, 0, 8 };

struct __attribute__((packed)) pointer {
	uint16_t limit;
	uint32_t base;
};

/* Flat code and data; the same for ring 3; room for a TSS. */
static uint64_t gdt[6] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00cffb000000ffff, 0x00cff3000000ffff };
static uint64_t idt[48];
static volatile uint32_t vector, error, at;
static uint8_t stack[8192] __attribute__((used, aligned(16)));

static void out(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static uint8_t in(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static void put(const char *s)
{
	for (; *s; s++) {
		while (!(in(0x3fd) & 0x20))
			;
		out(0x3f8, (uint8_t)*s);
	}
}

static void hex(uint32_t v)
{
	char text[9];

	for (int i = 7; i >= 0; i--, v >>= 4)
		text[i] = "0123456789abcdef"[v & 15];
	text[8] = 0;
	put(text);
}

static void say(const char *name, uint32_t v)
{
	put("mle: ");
	put(name);
	put("=");
	hex(v);
	put("\r\n");
}

/* Each faulting instruction here has two bytes: the handlers note vector, error code and address, and go on behind it. */
__asm__(".globl on_ud, on_gp\n"
	"on_ud: push $0; push %eax; mov $6, %eax; jmp 1f\n"
	"on_gp: push %eax; mov $13, %eax\n"
	"1: mov %eax, vector; mov 4(%esp), %eax; mov %eax, error; mov 8(%esp), %eax; mov %eax, at\n"
	"addl $2, 8(%esp); pop %eax; add $4, %esp; iret\n");
extern char on_ud[], on_gp[];

static void gate(unsigned n, const void *to)
{
	uint32_t a = (uint32_t)to;

	idt[n] = (a & 0xffff) | 8u << 16 | (uint64_t)(0x8e00 | (a & 0xffff0000)) << 32;
}

struct regs {
	uint32_t eax, ebx, ecx, edx;
};

static uint32_t tried; /* address of the last instruction that may fault */

/* EBX is saved for position-independent code's sake. */
static struct regs getsec(uint32_t leaf, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	struct regs r = { leaf, ebx, ecx, edx };

	vector = error = at = 0;
	__asm__ volatile("movl $1f, %4\n1: .byte 0x0f, 0x37"
			 : "+a"(r.eax), "+b"(r.ebx), "+c"(r.ecx), "+d"(r.edx), "=m"(tried)
			 :
			 : "memory");
	return r;
}

/* What came of it: the vector, FF for a wrong error code or address. 0: no fault. */
static inline void say_fault(const char *name)
{
	say(name, vector == 0 ? 0 : error == 0 && at == tried ? vector : 0xff);
}

static inline void try(const char *name, uint32_t leaf, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	(void)getsec(leaf, ebx, ecx, edx);
	say_fault(name);
}

static inline uint32_t cr4(void)
{
	uint32_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void set_cr4(uint32_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v));
}

static inline void set_cr0(uint32_t clear, uint32_t set)
{
	uint32_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr0" : : "r"((v & ~clear) | set));
}

static volatile uint32_t *reg(uint32_t at_)
{
	return (volatile uint32_t *)at_;
}

/* May fault. */
static inline void wrmsr(uint32_t msr, uint32_t value)
{
	vector = error = at = 0;
	__asm__ volatile("movl $1f, %0\n1: wrmsr" : "=m"(tried) : "a"(value), "d"(0), "c"(msr) : "memory");
}

/* The last TXT.ERRORCODE, 0: none. */
static inline uint32_t last_error(void)
{
	return *reg(PUBLIC + 0x30);
}

/* Ends the machine: SLP_EN in PM1a control of q35. */
static inline void power_off(void)
{
	put("mle: done\r\n");
	for (;;)
		__asm__ volatile("outw %0, %1" : : "a"((uint16_t)0x2000), "Nd"((uint16_t)0x604));
}

static inline void set_up(void)
{
	struct pointer g = { sizeof(gdt) - 1, (uint32_t)gdt }, i = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lgdt %0; ljmp $8, $1f; 1: mov %1, %%ds; mov %1, %%es; mov %1, %%ss" : : "m"(g), "r"(16) : "memory");
	gate(6, on_ud);
	gate(13, on_gp);
	__asm__ volatile("lidt %0" : : "m"(i));
}

#endif
