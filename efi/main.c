/* SPDX-License-Identifier: BSD-3-Clause */
#include "env.h"

#include "common/text.h"
#include "console.h"

/* Entry of the application: real registers, real clock; everything else is app_run(). */

static volatile uint8_t *reg(uint32_t offset)
{
	return (volatile uint8_t *)(uintptr_t)(TPM_MMIO_BASE + offset);
}

static uint8_t read8(void *ctx, uint32_t offset)
{
	(void)ctx;
	return *reg(offset);
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	(void)ctx;
	return *(volatile uint32_t *)reg(offset);
}

static void write8(void *ctx, uint32_t offset, uint8_t v)
{
	(void)ctx;
	*reg(offset) = v;
}

static void write32(void *ctx, uint32_t offset, uint32_t v)
{
	(void)ctx;
	*(volatile uint32_t *)reg(offset) = v;
}

static void delay_us(void *ctx, unsigned us)
{
	((struct efi_env *)ctx)->bs->Stall(us);
}

static uint64_t tsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

static uint64_t now_us(void *ctx)
{
	return env_now_us(ctx);
}

/* Whoever is called may use every register; the stack is the firmware's, aligned to 16 before the call. */
static void enter(uint64_t entry, uint32_t eax, uint32_t ebx)
{
	__asm__ volatile("pushq %%rbp\n\tsubq $8, %%rsp\n\tcld\n\tcall *%%rcx\n\taddq $8, %%rsp\n\tpopq %%rbp"
			 : "+a"(eax), "+b"(ebx), "+c"(entry)
			 :
			 : "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "cc", "memory");
}

/* efi/handoff.S */
extern const uint8_t handoff_code[] __attribute__((visibility("hidden"))), handoff_code_end[] __attribute__((visibility("hidden")));

#ifdef GEOLAUNCH_DEBUG
/* For scripts/gdb-efi, which reads the line and lets us go on. Debug builds only: a host that waits here for ever is of no use. */
extern const char ImageBase[] __attribute__((visibility("hidden"))); /* efi.lds */
static volatile bool debug_go;

static void debug_wait(struct efi_env *env)
{
	char line[80];
	struct text t = TEXT_OF(line);

	text_str(&t, "geolaunch: debug build, waits for gdb, image base ");
	text_hex(&t, (uintptr_t)ImageBase, 1);
	console_line(env, line);
	while (!debug_go)
		(void)env->bs->Stall(10000);
}
#else
static void debug_wait(struct efi_env *env)
{
	(void)env;
}
#endif

/* The smallest of some: whoever interrupts one of them (SMM, a busy hypervisor) makes it longer, and with it every limit of ours. */
static uint64_t ticks_per_ms(EFI_BOOT_SERVICES *bs)
{
	uint64_t best = UINT64_MAX;

	for (unsigned i = 0; i < 3; i++) {
		uint64_t start = tsc(), n;

		bs->Stall(2000);
		n = (tsc() - start) / 2;
		best = n < best ? n : best;
	}
	return best ? best : 1;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	struct efi_env env;
	/* clang-format off */
	const struct tpm_mmio mmio = {
		.read8 = read8, .read32 = read32, .write8 = write8, .write32 = write32, .delay_us = delay_us, .ctx = &env, .now_us = now_us,
	};
	/* clang-format on */

	env = (struct efi_env){ .image = image,
		.st = st,
		.bs = st->BootServices,
		.mmio = &mmio,
		.ticks = tsc,
		.ticks_start = tsc(),
		.enter = enter,
		.hardware = &hardware_real,
		/* cppcheck-suppress comparePointers ; the second is the end of the first */
		.handoff_code = { handoff_code, (size_t)(handoff_code_end - handoff_code) } };
	env.ticks_per_ms = ticks_per_ms(env.bs);
	debug_wait(&env);
	return app_run(&env);
}
