/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A multiboot2 program that asks a TXT platform what tboot never asks: every leaf of GETSEC, the rules that SENTER checks, and the register spaces.
 * Each answer is a line "mle: NAME=VALUE" on the first serial port. 32-bit, no library. test_txt_mle.py has the values that must come.
 */
#include <stdint.h>

#define PUBLIC 0xfed30000u
#define PRIVATE 0xfed20000u
#define SMXE 0x4000u
#define CR0_NE 0x20u

__attribute__((section(".multiboot"), used, aligned(8))) static const struct {
	uint32_t magic, architecture, length, checksum;
	uint16_t type, flags;
	uint32_t size;
} header = { 0xe85250d6, 0, 24, -(0xe85250d6u + 24), 0, 0, 8 };

struct __attribute__((packed)) pointer {
	uint16_t limit;
	uint32_t base;
};

static uint64_t gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };
static uint64_t idt[32];
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

static uint32_t tried;          /* address of the last instruction that may fault */

/* EBX is saved for position-independent code's sake. */
static struct regs getsec(uint32_t leaf, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	struct regs r = { leaf, ebx, ecx, edx };

	vector = error = at = 0;
	__asm__ volatile("movl $1f, %4\n1: .byte 0x0f, 0x37" : "+a"(r.eax), "+b"(r.ebx), "+c"(r.ecx), "+d"(r.edx), "=m"(tried) : : "memory");
	return r;
}

/* What came of it: the vector, FF for a wrong error code or address. 0: no fault. */
static void say_fault(const char *name)
{
	say(name, vector == 0 ? 0 : error == 0 && at == tried ? vector : 0xff);
}

static void try(const char *name, uint32_t leaf, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	(void)getsec(leaf, ebx, ecx, edx);
	say_fault(name);
}

static uint32_t cr4(void)
{
	uint32_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void set_cr4(uint32_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v));
}

static void set_cr0(uint32_t clear, uint32_t set)
{
	uint32_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	__asm__ volatile("mov %0, %%cr0" : : "r"((v & ~clear) | set));
}

static volatile uint32_t *reg(uint32_t at_)
{
	return (volatile uint32_t *)at_;
}

static void processor(void)
{
	uint32_t a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	say("cpuid-1-ecx-smx-vmx", c & 0x60);
	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0x3a));
	say("feature-control", a);
	vector = error = at = 0;
	__asm__ volatile("movl $1f, %0\n1: wrmsr" : "=m"(tried) : "a"(0), "d"(0), "c"(0x3a));
	say_fault("wrmsr-feature-control");

	try("getsec-without-smxe", 0, 0, 0, 0);
	set_cr4(cr4() | SMXE);
	say("cr4-smxe", cr4() & SMXE);
	say("capabilities", getsec(0, 0, 0, 0).eax);
	say("capabilities-1", getsec(0, 1, 0, 0).eax);
	for (uint32_t i = 0; i < 7; i++) {
		struct regs r = getsec(6, i, 0, 0);

		put("mle: parameters-");
		hex(i);
		put("=");
		hex(r.eax);
		put(" ");
		hex(r.ebx);
		put(" ");
		hex(r.ecx);
		put("\r\n");
		if ((r.eax & 0x1f) == 0)
			break;
	}
	try("leaf-1", 1, 0, 0, 0);
	try("leaf-9", 9, 0, 0, 0);
	try("exitac", 3, 0, 0, 0);
	try("sexit-outside", 5, 0, 0, 0);
	try("smctrl-outside", 7, 0, 0, 0);
	try("wakeup-outside", 8, 0, 0, 0);
}

static void registers(void)
{
	say("public-didvid", *reg(PUBLIC + 0x110));
	say("private-closed", *reg(PRIVATE + 0x110));
	say("sts", *reg(PUBLIC));
	*reg(PUBLIC + 0x110) = 0;
	say("didvid-is-read-only", *reg(PUBLIC + 0x110));
	*reg(PRIVATE + 0x380) = 1;
	say("locality1-while-closed", *reg(PUBLIC) & 0x8000);
	*reg(PUBLIC + 0x8e0) = 1;
	say("secrets-through-public", *reg(PUBLIC + 0x8f0));
}

/* SENTER's own rules, in the order of the SDM; the SINIT module that the BIOS left is a good one. */
static void senter(void)
{
	uint32_t base = *reg(PUBLIC + 0x270), size = *(uint32_t *)(base + 24) * 4;

	set_cr0(CR0_NE, 0);
	try("senter-without-ne", 4, base, size, 0);
	set_cr0(0, CR0_NE);
	set_cr0(0, 0x40000000);
	try("senter-without-cache", 4, base, size, 0);
	set_cr0(0x40000000, 0);
	try("senter-edx", 4, base, size, 1);
	try("senter-unaligned", 4, base + 64, size, 0);
	try("senter-size", 4, base, size - 4, 0);
	try("senter-small", 4, base, 64, 0);
	try("senter-large", 4, base, 0x800000, 0);
	try("enteraccs-unaligned", 2, base + 4, size, 0);
	put("mle: senter\r\n");
	/* No OsSinitData in the heap: SINIT itself refuses, and the machine is reset. */
	(void)getsec(4, base, size, 0);
	put("mle: returned\r\n");
}

static void __attribute__((used)) run(void)
{
	struct pointer g = { sizeof(gdt) - 1, (uint32_t)gdt }, i = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lgdt %0; ljmp $8, $1f; 1: mov %1, %%ds; mov %1, %%es; mov %1, %%ss" : : "m"(g), "r"(16) : "memory");
	gate(6, on_ud);
	gate(13, on_gp);
	__asm__ volatile("lidt %0" : : "m"(i));
	say("errorcode", *reg(PUBLIC + 0x30));
	if (*reg(PUBLIC + 0x30)) {
		/* After the TXT reset: TXT.CMD.RESET has no effect while the private space is closed. */
		*reg(PRIVATE + 0x38) = 1;
		put("mle: done\r\n");
		/* Off: SLP_EN in PM1a control of q35. */
		for (;;)
			__asm__ volatile("outw %0, %1" : : "a"((uint16_t)0x2000), "Nd"((uint16_t)0x604));
	}
	processor();
	registers();
	senter();
	for (;;)
		__asm__ volatile("hlt");
}

__asm__(".globl _start\n_start: cli; mov $stack + 8192, %esp; call run\n");
