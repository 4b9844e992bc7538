/* SPDX-License-Identifier: BSD-3-Clause */
#include "hardware.h"

#include "txt/registers.h"

#define CR4_SMXE (UINT64_C(1) << 14)

static void real_cpuid(uint32_t leaf, uint32_t out[4])
{
	__asm__ volatile("cpuid" : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]), "=d"(out[3]) : "a"(leaf), "c"(0));
}

static uint64_t real_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static uint32_t real_capabilities(void)
{
	uint64_t cr4;
	uint32_t eax = 0;

	__asm__ volatile("movq %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4 | CR4_SMXE));
	/* GETSEC */
	__asm__ volatile(".byte 0x0f, 0x37" : "+a"(eax) : "b"(0) : "rcx", "rdx", "memory");
	__asm__ volatile("movq %0, %%cr4" : : "r"(cr4));
	return eax;
}

static uint64_t real_txt(uint32_t offset, unsigned width)
{
	uintptr_t at = (uintptr_t)TXT_PUBLIC_BASE + offset;

	if (width == 1)
		return *(const volatile uint8_t *)at;
	return width == 4 ? *(const volatile uint32_t *)at : *(const volatile uint64_t *)at;
}

/* The firmware maps all memory to its own address (UEFI 2.10, 2.3.4). Page 0 may be left out, to catch null pointers. */
static struct span real_memory(void *ctx, uint64_t base, size_t n)
{
	(void)ctx;
	if (base < 4096 || n == 0 || n > UINTPTR_MAX - base)
		return (struct span){ NULL, 0 };
	return (struct span){ (const uint8_t *)(uintptr_t)base, n };
}

static void real_leave(void *block)
{
	((void (*)(void *))block)(block);
}

/* clang-format off */
const struct hardware hardware_real = {
	.cpuid = real_cpuid, .rdmsr = real_rdmsr, .capabilities = real_capabilities, .txt = real_txt, .memory = real_memory, .leave = real_leave,
};
/* clang-format on */
