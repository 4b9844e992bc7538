/* SPDX-License-Identifier: BSD-3-Clause */
#include "stage/machine.h"

#include <cpuid.h>

#include "txt/registers.h"

/* The chipset's reset control register. */
#define RESET_CONTROL 0xcf9
#define RESET_COLD 0x02
#define RESET_GO 0x04

/* 16550: PC16550D data sheet, table II. */
#define COM1 0x3f8
#define COM_THR 0
#define COM_LSR 5
#define LSR_THR_EMPTY 0x20
#define LSR_NONE 0xff
/* A character takes 87 us at 115200 baud, 1 ms at 9600. A line that is not read must not stop the launch. */
#define COM_WAIT_US 20000

/* Ticks of the time stamp counter per microsecond if CPUID does not tell: more than any has, so that time limits become longer. */
#define TSC_MHZ_MAX 5000
#define TSC_MHZ_MIN 100

extern uint8_t stage_begin[], stage_end[];

static uint32_t tsc_mhz = TSC_MHZ_MAX;
static bool serial;

static void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static void out16(uint16_t port, uint16_t v)
{
	__asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* ---------------------------------------------------------------- time */

static void delay_us(void *ctx, unsigned us)
{
	uint64_t start = tsc(), ticks = (uint64_t)us * tsc_mhz;

	(void)ctx;
	while (tsc() - start < ticks)
		__asm__ volatile("pause");
}

static uint64_t now_us(void *ctx)
{
	(void)ctx;
	return tsc() / tsc_mhz;
}

void machine_delay_ms(void *ctx, unsigned ms)
{
	while (ms-- > 0)
		delay_us(ctx, 1000);
}

void machine_init(void)
{
	uint32_t eax, ebx, ecx, edx;

	/* Leaf 0x16: the base frequency in MHz, with which the counter runs on the processors that have this leaf. */
	if (__get_cpuid_count(0x16, 0, &eax, &ebx, &ecx, &edx) && (eax & 0xffff) >= TSC_MHZ_MIN && (eax & 0xffff) <= TSC_MHZ_MAX)
		tsc_mhz = eax & 0xffff;
	serial = in8(COM1 + COM_LSR) != LSR_NONE;
}

/* ---------------------------------------------------------------- memory and registers */

static uint8_t *memory_at(void *ctx, uint64_t address, size_t n)
{
	(void)ctx;
	if (address == 0 || address > UINT32_MAX || n > (size_t)(UINT32_MAX - (uint32_t)address))
		return NULL;
	return (uint8_t *)(uintptr_t)address;
}

const struct stage_world machine_world = { .at = memory_at };

static uint8_t read8(void *ctx, uint32_t offset)
{
	(void)ctx;
	return *(const volatile uint8_t *)(TPM_MMIO_BASE + offset);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	(void)ctx;
	return *(const volatile uint32_t *)(TPM_MMIO_BASE + offset);
}

static void write8(void *ctx, uint32_t offset, uint8_t v)
{
	(void)ctx;
	*(volatile uint8_t *)(TPM_MMIO_BASE + offset) = v;
}

static void write32(void *ctx, uint32_t offset, uint32_t v)
{
	(void)ctx;
	*(volatile uint32_t *)(TPM_MMIO_BASE + offset) = v;
}

/* clang-format off */
const struct tpm_mmio machine_tpm = {
	.read8 = read8, .read32 = read32, .write8 = write8, .write32 = write32, .delay_us = delay_us, .now_us = now_us,
};
/* clang-format on */

static uint64_t txt_register(uint32_t offset)
{
	const volatile uint32_t *r = (const volatile uint32_t *)(TXT_PUBLIC_BASE + offset);
	uint32_t low = r[0];

	return (uint64_t)r[1] << 32 | low;
}

struct txt_range machine_txt_heap(void)
{
	return (struct txt_range){ txt_register(TXT_HEAP_BASE), txt_register(TXT_HEAP_SIZE) };
}

struct txt_range machine_txt_sinit(void)
{
	return (struct txt_range){ txt_register(TXT_SINIT_BASE), txt_register(TXT_SINIT_SIZE) };
}

bool machine_txt_senter_done(void)
{
	uint64_t status = txt_register(TXT_STS);

	/* All ones: there is no such chipset. */
	return status != UINT64_MAX && status & TXT_STS_SENTER_DONE;
}

struct txt_range machine_image(void)
{
	return (struct txt_range){ (uintptr_t)stage_begin, (uintptr_t)stage_end - (uintptr_t)stage_begin };
}

/* ---------------------------------------------------------------- serial line */

static void put(char c)
{
	for (unsigned us = 0; !(in8(COM1 + COM_LSR) & LSR_THR_EMPTY); us += 10) {
		if (us >= COM_WAIT_US) {
			serial = false;
			return;
		}
		delay_us(NULL, 10);
	}
	out8(COM1 + COM_THR, (uint8_t)c);
}

void machine_line(const char *text)
{
	for (; serial && *text; text++)
		put(*text);
	for (text = "\r\n"; serial && *text; text++)
		put(*text);
}

void machine_power(const struct tboot_sleep *sleep)
{
	if (!sleep) {
		out8(RESET_CONTROL, RESET_COLD);
		delay_us(NULL, 1000);
		out8(RESET_CONTROL, RESET_COLD | RESET_GO);
	} else {
		out16((uint16_t)sleep->pm1a.address, sleep->pm1a.value);
		if (sleep->pm1b.address)
			out16((uint16_t)sleep->pm1b.address, sleep->pm1b.value);
	}
	machine_delay_ms(NULL, 1000);
}

void machine_stop(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}
