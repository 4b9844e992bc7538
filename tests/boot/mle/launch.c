/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An MLE that launches itself: writes OsSinitData, page tables and header as the MLE developer's guide wants them (SDG 315168-016, 2.1, 2.2,
 * C.4), executes SENTER, and asks in the measured environment what each leaf of GETSEC and the registers answer, on two processors.
 * "rule=NAME" on its command line makes it break one rule. It needs the multiboot2 information: command line and RSDP. Lines as in leaves.c.
 */
#include "mle.h"

#define BASE 0x200000u /* where it is linked: linear address 0 of the MLE */
#define PTAB 0x1f0000u /* three pages, below the MLE's */
#define LOG 0x1e0000u
#define LOG_SIZE 0x2000u
#define PMR_SIZE 0x1000000u

/* MLE header, SDG 2.1. All of the code and nothing else is measured: more than one page, so that there is an order. */
__asm__(".pushsection .text.header, \"ax\"; .globl mle_header; .balign 16\n"
	"mle_header: .long 0x9082ac5a, 0x74a7476f, 0xa2555c0f, 0x42b651cb, 52, 0x20003, in_mle - 0x200000, 0, 0, __etext - 0x200000, 3, 0, 0\n"
	".skip 8192\n.popsection\n");
extern char mle_header[], in_mle[], __etext[];

static uint32_t sinit_base, sinit_size, mle_size, rsdp;
static volatile uint8_t *os_sinit;
static const char *rule = "none";

/* SENTER's registers. */
static struct {
	uint32_t ebx, ecx;
} senter;

static int same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static void put32(volatile uint8_t *to, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(v >> 8 * i);
}

static void put64(volatile uint8_t *to, uint64_t v)
{
	put32(to, (uint32_t)v);
	put32(to + 4, (uint32_t)(v >> 32));
}

static volatile uint64_t *pte(unsigned page)
{
	return (volatile uint64_t *)(PTAB + 0x2000) + page;
}

/* ---- one rule each ---- */

/* clang-format off */
static void acm_key(void) { ((volatile uint8_t *)sinit_base)[130]++; }
static void acm_version(void) { put32((volatile uint8_t *)sinit_base + 8, 0x50000); }
static void acm_claimed_size(void) { senter.ecx += 64; }
static void acm_memory(void) { senter.ebx = 0xd0000000; }
static void acm_format(void) { put32((volatile uint8_t *)sinit_base + 16, 0x8087); }
static void os_version(void) { put32(os_sinit, 3); }
static void os_element(void) { put32(os_sinit + 96, 4); }
static void no_log(void) { put32(os_sinit + 92, 0); put32(os_sinit + 96, 8); }
static void pmr(void) { put64(os_sinit + 40, PMR_SIZE + 0x1000); }
static void pmr_small(void) { put64(os_sinit + 40, BASE); }
static void caps(void) { put32(os_sinit + 80, 0); }
static void rsdp_wrong(void) { put64(os_sinit + 84, LOG); }
static void page_hole(void) { *pte(1) = 0; }
static void page_order(void) { *pte(1) = *pte(0); }
static void page_sinit(void) { *pte(mle_size / 4096 - 1) = sinit_base | 1; }
static void table_large(void) { ((volatile uint64_t *)(PTAB + 0x1000))[0] |= 0x80; }
static void uuid(void) { mle_header[0]++; }
static void entry(void) { put32((volatile uint8_t *)mle_header + 24, mle_size); }
static void size(void) { put64(os_sinit + 16, 0); }
/* clang-format on */

/* clang-format off */
static const struct {
	const char *name;
	void (*apply)(void);
} rules[] = {
	{ "smx-acm-key", acm_key }, { "smx-acm-version", acm_version }, { "smx-acm-claimed-size", acm_claimed_size },
	{ "smx-acm-memory", acm_memory }, { "acm-format", acm_format }, { "heap-os-version", os_version }, { "heap-element-size", os_element },
	{ "heap-log", no_log }, { "pmr-lo-alignment", pmr }, { "mle-page-unprotected", pmr_small }, { "caps-wake", caps },
	{ "acpi-rsdp", rsdp_wrong }, { "mle-page-hole", page_hole }, { "mle-page-order", page_order }, { "mle-page-sinit", page_sinit },
	{ "mle-pt-large", table_large }, { "mle-uuid", uuid }, { "mle-entry", entry }, { "mle-size", size },
};
/* clang-format on */

/* ---- before SENTER ---- */

/* Tags of the boot information: command line (1), RSDP (14, 15). Multiboot2 3.6. */
static void take_information(const uint8_t *mbi)
{
	const uint8_t *tag = mbi + 8;

	for (;;) {
		uint32_t type = *(const uint32_t *)tag, n = *(const uint32_t *)(tag + 4);

		if (type == 0)
			return;
		if (type == 1)
			for (const char *c = (const char *)tag + 8; *c; c++)
				if (c[0] == 'r' && c[1] == 'u' && c[2] == 'l' && c[3] == 'e' && c[4] == '=')
					rule = c + 5;
		if (type == 15 || (type == 14 && !rsdp))
			rsdp = (uint32_t)tag + 8;
		tag += (n + 7) & ~7u;
	}
}

static void make_page_tables(void)
{
	*(volatile uint64_t *)PTAB = (PTAB + 0x1000) | 1;
	*(volatile uint64_t *)(PTAB + 0x1000) = (PTAB + 0x2000) | 1;
	for (uint32_t i = 0; i < 512; i++)
		*pte(i) = i < mle_size / 4096 ? (BASE + 4096 * i) | 1 : 0;
	for (uint32_t i = 1; i < 512; i++)
		((volatile uint64_t *)PTAB)[i] = ((volatile uint64_t *)(PTAB + 0x1000))[i] = 0;
}

/* OsMleData without content, OsSinitData of version 7 with a crypto-agile log. */
static void make_heap(void)
{
	volatile uint8_t *heap = (volatile uint8_t *)*reg(PUBLIC + 0x300), *os_mle = heap + *(volatile uint32_t *)heap;

	put64(os_mle, 16);
	put64(os_mle + 8, 0);
	os_sinit = os_mle + 16 + 8;
	put64(os_sinit - 8, 8 + 92 + 28 + 8);
	for (uint32_t i = 0; i < 92 + 28 + 8; i++)
		os_sinit[i] = 0;
	put32(os_sinit, 7);
	put64(os_sinit + 8, PTAB);
	put64(os_sinit + 16, mle_size);
	put64(os_sinit + 24, (uint32_t)mle_header - BASE);
	put64(os_sinit + 40, PMR_SIZE);
	put32(os_sinit + 80, 1); /* wake-up by GETSEC[WAKEUP] */
	put64(os_sinit + 84, rsdp);
	put32(os_sinit + 92, 8);
	put32(os_sinit + 96, 28);
	put64(os_sinit + 100, LOG);
	put32(os_sinit + 108, LOG_SIZE);
	put32(os_sinit + 124, 8); /* the end: type 0, size 8 */
}

static void go(const uint8_t *mbi)
{
	take_information(mbi);
	sinit_base = *reg(PUBLIC + 0x270);
	sinit_size = *(uint32_t *)(sinit_base + 24) * 4;
	mle_size = ((uint32_t)__etext - BASE + 4095) & ~4095u;
	make_page_tables();
	make_heap();
	senter.ebx = sinit_base;
	senter.ecx = sinit_size;
	for (uint32_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (same(rule, rules[i].name))
			rules[i].apply();
	set_cr0(0, CR0_NE);
	set_cr4(cr4() | SMXE);
	put("mle: senter\r\n");
	try("senter", 4, senter.ebx, senter.ecx, 0);
	put("mle: returned\r\n");
	power_off();
}

/* ---- in the measured environment ---- */

static volatile struct {
	uint32_t ebx, ecx, ebp, eflags, cr0;
} start __attribute__((used));

static struct {
	uint32_t limit, base, selector, eip;
} join;

/* One at a time talks, and faults. */
static volatile uint32_t join_go, joined;
static uint8_t ap_stack[4096] __attribute__((used, aligned(16)));

/* One processor is enough for this: the second. It ends asleep. */
static void __attribute__((used)) on_ap(void)
{
	struct pointer i = { sizeof(idt) - 1, (uint32_t)idt };

	__asm__ volatile("lidt %0" : : "m"(i));
	while (!join_go)
		__asm__ volatile("pause");
	say("ap-cr4-smxe", cr4() & SMXE);
	try("ap-senter", 4, sinit_base, sinit_size, 0);
	try("ap-sexit", 5, 0, 0, 0);
	try("ap-wakeup", 8, 0, 0, 0);
	joined = 1;
	for (;;)
		__asm__ volatile("cli; hlt");
}

extern char ap_start[];
__asm__("ap_start: mov $ap_stack + 4096, %esp; call on_ap\n");

static void leaves(uint32_t cpus)
{
	try("senter-inside", 4, sinit_base, sinit_size, 0);
	try("enteraccs-inside", 2, sinit_base, sinit_size, 0);
	try("exitac-inside", 3, 0, 0, 0);
	say("capabilities-inside", getsec(0, 0, 0, 0).eax);
	try("smctrl-ebx", 7, 1, 0, 0);
	try("smctrl", 7, 0, 0, 0);
	join.limit = sizeof(gdt) - 1;
	join.base = (uint32_t)gdt;
	join.selector = same(rule, "smx-join-selector") ? 12 : 8;
	if (same(rule, "smx-join-limit"))
		join.limit = 0x10000;
	join.eip = (uint32_t)ap_start;
	*reg(PRIVATE + 0x290) = same(rule, "smx-join-memory") ? 0xd0000000 : (uint32_t)&join;
	try("wakeup", 8, 0, 0, 0);
	join_go = 1;
	while (cpus > 1 && !joined)
		__asm__ volatile("pause");
}

/* Reactions of the chipset, SDG B.1. */
static void registers(void)
{
	say("sts-inside", *reg(PUBLIC));
	say("private-didvid", *reg(PRIVATE + 0x110));
	*reg(PUBLIC + 0x8e0) = 1;
	say("secrets-by-public", *reg(PUBLIC + 0x8f0));
	*reg(PRIVATE + 0x8e0) = 1;
	say("secrets", *reg(PUBLIC + 0x8f0));
	*reg(PRIVATE + 0x8e8) = 1;
	say("no-secrets", *reg(PUBLIC + 0x8f0));
	*reg(PRIVATE + 0x380) = 1;
	say("locality1", *reg(PUBLIC) & 0x8000);
	*reg(PRIVATE + 0x388) = 1;
	say("locality1-closed", *reg(PUBLIC) & 0x8000);
	*reg(PRIVATE + 0x398) = 1;
	say("locality2-closed", *reg(PUBLIC) & 0x10000);
	*reg(PRIVATE + 0x390) = 1;
	say("locality2", *reg(PUBLIC) & 0x10000);
	*reg(PRIVATE + 0x30) = 0x12345678;
	say("errorcode-written", *reg(PUBLIC + 0x30));
	*reg(PRIVATE + 0x30) = 0;
	if (same(rule, "cmd-reset")) {
		*reg(PRIVATE + 0x30) = 0xc0ffee01;
		*reg(PRIVATE + 0x38) = 1;
	}
	if (same(rule, "reset-with-secrets")) {
		*reg(PRIVATE + 0x30) = 0xc0ffee02;
		*reg(PRIVATE + 0x8e0) = 1;
		out(0xcf9, 6); /* reset control of the chipset: no TXT reset */
		for (;;)
			__asm__ volatile("hlt");
	}
	*reg(PRIVATE + 0x218) = 1;
	say("mem-config-unlocked", *reg(PUBLIC) & 0x40);
	*reg(PRIVATE + 0x48) = 1;
	say("private-after-close", *reg(PRIVATE + 0x110));
}

static uint32_t processors(void)
{
	return *(volatile uint32_t *)(*reg(PUBLIC + 0x300) + 8 + 24);
}

static void __attribute__((used)) measured(void)
{
	volatile uint8_t *heap = (volatile uint8_t *)*reg(PUBLIC + 0x300);
	volatile uint8_t *sinit_mle = heap + *(volatile uint32_t *)heap + 16 + 8 + 92 + 28 + 8;

	set_up();
	say("entry", start.ebx - (uint32_t)in_mle);
	say("page-table", start.ecx);
	say("sinit", start.ebp - sinit_base);
	say("eflags", start.eflags & 0x3ffff);
	say("cr0", start.cr0);
	say("cr4", cr4());
	say("sinit-mle-version", *(volatile uint32_t *)(sinit_mle + 8));
	leaves(processors());
	registers();
	try("sexit", 5, 0, 0, 0);
	say("sts-outside", *reg(PUBLIC));
	try("sexit-again", 5, 0, 0, 0);
	try("smctrl-outside", 7, 0, 0, 0);
	power_off();
}

/* No stack, and data segments of SINIT's: flat. */
__asm__("in_mle: mov %ebx, start; mov %ecx, start + 4; mov %ebp, start + 8; mov $stack + 8192, %esp; pushf; pop start + 12\n"
	"mov %cr0, %eax; mov %eax, start + 16; call measured\n");

/* ---- the first instruction ---- */

static void __attribute__((used)) run(const uint8_t *mbi)
{
	set_up();
	say("errorcode", last_error());
	if (last_error()) {
		say("ests", *reg(PUBLIC + 8) & 0xff);
		/* A processor's TXT shutdown forbids any launch until the next power cycle. */
		if (*reg(PUBLIC + 8) & 1) {
			set_cr0(0, CR0_NE);
			set_cr4(cr4() | SMXE);
			try("senter-after-shutdown", 4, *reg(PUBLIC + 0x270), *(uint32_t *)(*reg(PUBLIC + 0x270) + 24) * 4, 0);
		}
		power_off();
	}
	go(mbi);
}

__asm__(".globl _start\n_start: cli; mov $stack + 8192, %esp; push %ebx; call run\n");
