/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the TXT platform takes from QEMU and from the guest before a launch. Input: u8 what; 0 QEMU's list of memory; else a module: u32 EBX and
 * u32 ECX of SENTER, then the memory at 0x100000, in which the module's key is made the chipset's unless bit 1 of `what` is set. Ranges of
 * memory come in order and apart; a module that is loaded is one that the module's own parser finds sound in the same points.
 */
#include "common/hash.h"
#include "lcp/acm.h"
#include "qemu/txt/machine.h"
#include "qemu/txt/smx_acm.h"
#include "tests/fuzz/exact.h"

#define BASE 0x100000u
#define RANGES 4
#define KEEP_KEY 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void memory_list(struct span in)
{
	char *text = strndup(in.n ? (const char *)in.p : "", in.n);
	struct txt_range ram[RANGES];
	unsigned count = 77;

	check(text != NULL);
	if (machine_parse_ram(text, "pc.ram", ram, RANGES, &count)) {
		check(count > 0 && count <= RANGES);
		for (unsigned i = 0; i < count; i++) {
			check(ram[i].size > 0 && ram[i].size <= UINT64_MAX - ram[i].base);
			check(i == 0 || ram[i].base > ram[i - 1].base + ram[i - 1].size);
		}
	} else {
		check(count == 77 || count == 0);
	}
	free(text);
}

static bool read_memory(void *ctx, uint64_t at, struct mspan out)
{
	const struct span *ram = ctx;

	if (at < BASE || at - BASE > ram->n || out.n > ram->n - (at - BASE))
		return false;
	if (out.n)
		memcpy(out.p, ram->p + (at - BASE), out.n);
	return true;
}

/* The chipset knows the module's key: else nothing behind that check would be reached. */
static void know_key(struct chipset *c, struct span acm)
{
	struct digests d;
	struct rd r;
	size_t n;

	if (acm.n < ACM_COMMON_SIZE)
		return;
	r = rd_init((struct span){ acm.p + ACM_COMMON_SIZE - 8, 4 });
	n = 4 * (size_t)rd_le32(&r);
	if (n > acm.n - ACM_COMMON_SIZE)
		return;
	hash_span(ALG_BIT(ALG_SHA256), (struct span){ acm.p + ACM_COMMON_SIZE, n }, &d);
	memcpy(c->config.public_key, d.d[ALG_SHA256], 32);
}

static void module(struct rd *r, bool keep_key)
{
	static struct chipset chipset;
	__attribute__((cleanup(exact_free))) struct exact x = { .count = 0 };
	const struct smx_config config = smx_config_usual();
	struct smx_cpu cpu = { .ebx = rd_le32(r), .ecx = rd_le32(r) };
	struct span ram = exact_copy(&x, rd_bytes(r, rd_left(r))), bytes;
	const struct txt_memory memory = { .read = read_memory, .ctx = &ram };
	struct smx_machine m = { .config = &config, .chipset = &chipset, .memory = &memory };
	struct acm acm;
	uint32_t limit, gdt;
	enum smx_rule rule;

	memset(&chipset, 0, sizeof(chipset));
	if (cpu.ebx >= BASE && cpu.ebx - BASE < ram.n && !keep_key)
		know_key(&chipset, (struct span){ ram.p + (cpu.ebx - BASE), ram.n - (cpu.ebx - BASE) });
	rule = smx_load_acm(&m, &cpu);
	bytes = (struct span){ m.acm, m.acm_size };
	if (rule == SMX_OK) {
		check(bytes.n == cpu.ecx && bytes.n >= ACM_MIN_SIZE && bytes.n <= config.acm_max_size);
		check(memcmp(bytes.p, ram.p + (cpu.ebx - BASE), bytes.n) == 0);
		r = &(struct rd){ .s = bytes, .off = 40 };
		limit = rd_le32(r);
		gdt = rd_le32(r);
		check((uint64_t)gdt + limit < bytes.n && rd_le32(r) < limit && rd_le32(r) < bytes.n);
		/* What the processor does not look at may be wrong. */
		if (acm_decode(bytes, &acm) == ACM_OK) {
			check(acm.bytes.n == bytes.n && acm.padding == 0);
			check(acm.header.entry_point < bytes.n && acm.header.gdt_base < bytes.n && acm.header.gdt_limit < bytes.n);
			check(acm.header.gdt_base + acm.header.gdt_limit < bytes.n && acm.header.seg_sel < acm.header.gdt_limit);
		}
	} else {
		check(bytes.n == 0 || bytes.n == cpu.ecx);
	}
	free(m.acm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_init((struct span){ data, size });
	uint8_t what = rd_u8(&r);

	if (what == 0)
		memory_list(rd_bytes(&r, rd_left(&r)));
	else
		module(&r, what & KEEP_KEY);
	return 0;
}
