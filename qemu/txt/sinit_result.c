/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>
#include <string.h>

#include "qemu/txt/acpi.h"
#include "qemu/txt/sinit_run.h"

#define SDG "Intel TXT SDG 315168-016 "
/* Header of an ACPI table, then host address width, flags, 10 reserved bytes. VT-d specification, 8.1. */
#define DMAR_MIN 48

enum txt_rule sinit_check_acpi(struct sinit *s)
{
	const struct txt_memory *m = s->in->memory;
	enum txt_rule rule = acpi_find_rsdp(m, s->os.rsdp, &s->rsdp);

	if (rule)
		return sinit_fail(s, rule, "0x%llx", (unsigned long long)s->os.rsdp);
	rule = acpi_read_table(m, s->rsdp, "DMAR", &s->dmar);
	if (!rule && s->in->platform->copy_madt)
		rule = acpi_read_table(m, s->rsdp, "APIC", &s->madt);
	if (!rule && s->in->platform->copy_mcfg)
		rule = acpi_read_table(m, s->rsdp, "MCFG", &s->mcfg);
	if (rule)
		return sinit_fail(s, rule, "RSDP at 0x%llx", (unsigned long long)s->rsdp);
	if (!s->dmar.p)
		return sinit_fail(s, TXT_RULE_NO_DMAR, "%s", "");
	if (s->dmar.n < DMAR_MIN || !acpi_table_good((struct span){ s->dmar.p, s->dmar.n }))
		return sinit_fail(s, TXT_RULE_DMAR, "%zu bytes", s->dmar.n);
	sinit_pass(s, "acpi", SDG "C.5", "RSDP at 0x%llx, DMAR table of %zu bytes", (unsigned long long)s->rsdp, s->dmar.n);
	return TXT_OK;
}

static enum txt_rule write_table(struct sinit *s)
{
	const struct sinit_platform *p = s->in->platform;
	size_t at = s->tables.table[HEAP_SINIT_MLE].offset, n;
	const struct heap_sinit_mle t = {
		.edx = s->in->edx,
		.lcp_control = s->answer.control,
		.rlp_wakeup = p->rlp_wakeup,
		.scrtm = p->scrtm,
		.mdrs = p->mdrs,
		.mdr_count = p->mdr_count,
		.dmar = { s->dmar.p, s->dmar.n },
		.madt = { s->madt.p, s->madt.n },
		.mcfg = { s->mcfg.p, s->mcfg.n },
	};

	if (!heap_sinit_mle_encode(&t, (struct mspan){ s->heap.p + at, s->heap.n - at }, &n))
		return sinit_fail(s, TXT_RULE_HEAP_FULL, "%zu bytes are left", s->heap.n - at);
	if (!s->in->memory->write(s->in->memory->ctx, chipset_heap(s->in->chipset).base + at, (struct span){ s->heap.p + at, n }))
		return sinit_fail(s, TXT_RULE_MACHINE, "SinitMleData");
	sinit_pass(s, "sinit-mle-data", SDG "C.5", "version %u, %zu bytes, %u MDRs", HEAP_SINIT_MLE_VERSION, n, (unsigned)p->mdr_count);
	return TXT_OK;
}

enum txt_rule sinit_hand_over(struct sinit *s)
{
	uint64_t table = chipset_heap(s->in->chipset).base + s->tables.table[HEAP_OS_SINIT].offset + 8;
	enum txt_rule rule = write_table(s);

	if (s->in->platform->fill_log)
		txtlog_fill(&s->log, s->in->platform->log_room);
	if (!rule && txtlog_store(&s->log, s->in->memory, table))
		rule = sinit_fail(s, TXT_RULE_MACHINE, "event log");
	if (rule)
		return rule;
	chipset_set_error(s->in->chipset, 0);
	chipset_lock_mem_config(s->in->chipset);
	chipset_open_private(s->in->chipset);
	sinit_pass(s, "launch", SDG "E", "the MLE is entered at 0x%llx; TXT.STS 0x%05llx", (unsigned long long)s->mle.entry_physical,
		(unsigned long long)chipset_sts(s->in->chipset));
	return TXT_OK;
}
