/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A multiboot2 program that asks a TXT platform what tboot never asks: every leaf of GETSEC, the rules that SENTER checks, and the register spaces.
 * Each answer is a line "mle: NAME=VALUE" on the first serial port. 32-bit, no library. test_txt_mle.py has the values that must come.
 */
#include "mle.h"

static void processor(void)
{
	uint32_t a = 1, b, c, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
	say("cpuid-1-ecx-smx-vmx", c & 0x60);
	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(0x3a));
	say("feature-control", a);
	wrmsr(0x3a, 0);
	say_fault("wrmsr-feature-control");
	wrmsr(0x17, 0);
	say_fault("wrmsr-platform-id");

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

/* In ring 3: GETSEC's leaf `leaf` there, and back by interrupt 32. */
static volatile uint32_t kernel_stack;
static uint8_t user_stack[1024] __attribute__((used, aligned(16)));
static struct {
	uint32_t link, esp0, ss0, rest[23];
} tss;

__asm__("ring3: pusha; mov %esp, kernel_stack; mov $0x23, %edx; mov %edx, %ds; mov %edx, %es\n"
	"push $0x23; push $user_stack + 1024; pushf; push $0x1b; push $1f; iret\n"
	"1: movl $2f, tried\n2: .byte 0x0f, 0x37\nmov %eax, user_eax; int $32\n"
	"on_back: mov kernel_stack, %esp; mov $0x10, %edx; mov %edx, %ds; mov %edx, %es; popa; ret\n");
extern char on_back[];
static volatile uint32_t user_eax __attribute__((used));

static void in_ring_3(const char *name, uint32_t leaf)
{
	static uint8_t fault_stack[1024] __attribute__((aligned(16)));
	uint32_t a = (uint32_t)&tss;

	tss.ss0 = 16;
	tss.esp0 = (uint32_t)fault_stack + sizeof(fault_stack);
	gdt[5] = (sizeof(tss) - 1) | (uint64_t)(a & 0xffffff) << 16 | 0x89ull << 40 | (uint64_t)(a >> 24) << 56;
	__asm__ volatile("ltr %w0" : : "r"(40) : "memory");
	gate(32, on_back);
	idt[32] |= 0x6000ull << 32;
	vector = error = at = user_eax = 0;
	__asm__ volatile("call ring3" : : "a"(leaf), "b"(0) : "memory");
	say_fault(name);
}

static void rings(void)
{
	in_ring_3("ring-3-capabilities", 0);
	say("ring-3-capabilities-eax", user_eax);
	in_ring_3("ring-3-senter", 4);
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
	wrmsr(0x17a, 4);
	try("senter-machine-check", 4, base, size, 0);
	wrmsr(0x17a, 0);
	try("senter-edx", 4, base, size, 1);
	try("senter-unaligned", 4, base + 64, size, 0);
	try("senter-size", 4, base, size - 4, 0);
	try("senter-small", 4, base, 64, 0);
	try("senter-large", 4, base, 0x800000, 0);
	try("senter-4g", 4, 0xfffff000, size, 0);
	try("enteraccs-unaligned", 2, base + 4, size, 0);
	try("enteraccs-size", 2, base, size - 4, 0);
	try("enteraccs-small", 2, base, 64, 0);
	try("enteraccs-large", 2, base, 0x800000, 0);
	try("enteraccs-4g", 2, 0xfffff000, size, 0);
	put("mle: senter\r\n");
	/* No OsSinitData in the heap: SINIT itself refuses, and the machine is reset. */
	(void)getsec(4, base, size, 0);
	put("mle: returned\r\n");
}

static void __attribute__((used)) run(void)
{
	set_up();
	say("errorcode", last_error());
	if (last_error()) {
		/* After the TXT reset: TXT.CMD.RESET has no effect while the private space is closed. */
		*reg(PRIVATE + 0x38) = 1;
		power_off();
	}
	processor();
	rings();
	registers();
	senter();
	for (;;)
		__asm__ volatile("hlt");
}

__asm__(".globl _start\n_start: cli; mov $stack + 8192, %esp; call run\n");
