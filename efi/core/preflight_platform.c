/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/preflight_impl.h"

#include "lcp/txt_error.h"
#include "txt/registers.h"

/* CPUID(1).ECX, SDM volume 2A, table 3-10. */
#define FEATURE_VMX (1u << 5)
#define FEATURE_SMX (1u << 6)
/* IA32_FEATURE_CONTROL, SDM volume 4, table 2-2. */
#define CONTROL_LOCK 0x1u
#define CONTROL_VMX_IN_SMX 0x2u
#define CONTROL_SENTER 0xff00u /* all seven local functions and the global enable */
/* GETSEC[CAPABILITIES], SDM volume 2D, table 7-3: chipset, SENTER, SEXIT, PARAMETERS, SMCTRL, WAKEUP; what tboot asks for. */
#define CAPABILITIES_NEEDED (1u << 0 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8)
/* TXT.ESTS and TXT.STS, SDG B.1. */
#define ESTS_TXT_RESET 0x01u
#define ESTS_WAKE_ERROR 0x40u

#define VENDOR_ID(didvid) ((didvid)&0xffffu)
#define VENDOR_INTEL 0x8086u
/* More than any firmware sets aside for either; where they lie is its business, but below 4 GiB. */
#define AREA_MAX (UINT64_C(64) << 20)
#define FOUR_GIB (UINT64_C(1) << 32)

static void found_value(struct preflight *p, enum preflight_id id, const char *name, uint64_t v)
{
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);

	text_str(&t, name);
	text_char(&t, ' ');
	text_hex(&t, v, 1);
	preflight_add(p->out, id, &t);
}

void preflight_check_processor(struct preflight *p)
{
	const struct preflight_processor *c = &p->f->processor;

	/* "Genu", "ineI", "ntel" */
	if (c->vendor[0] != 0x756e6547 || c->vendor[1] != 0x49656e69 || c->vendor[2] != 0x6c65746e) {
		preflight_found(p, PREFLIGHT_CPU_VENDOR);
		return;
	}
	if (!(c->features & FEATURE_SMX)) {
		preflight_found(p, PREFLIGHT_CPU_SMX);
		return;
	}
	if (!c->has_msrs || !(c->feature_control & CONTROL_LOCK))
		found_value(p, PREFLIGHT_FEATURE_LOCK, "IA32_FEATURE_CONTROL", c->feature_control);
	else if ((c->feature_control & CONTROL_SENTER) != CONTROL_SENTER)
		found_value(p, PREFLIGHT_FEATURE_SENTER, "IA32_FEATURE_CONTROL", c->feature_control);
	if (!p->line.mwait && !(c->features & FEATURE_VMX))
		preflight_found(p, PREFLIGHT_CPU_VMX);
	else if (!p->line.mwait && !(c->feature_control & CONTROL_VMX_IN_SMX))
		found_value(p, PREFLIGHT_FEATURE_VMX, "IA32_FEATURE_CONTROL", c->feature_control);
	if (c->has_capabilities && (c->capabilities & CAPABILITIES_NEEDED) != CAPABILITIES_NEEDED)
		found_value(p, PREFLIGHT_GETSEC, "capabilities", c->capabilities);
}

bool preflight_has_chipset(const struct preflight_chipset *c)
{
	return VENDOR_ID(c->didvid) == VENDOR_INTEL;
}

static struct txt_range area(const struct preflight_chipset *c, uint64_t base, uint64_t size)
{
	if (!preflight_has_chipset(c) || size == 0 || size > AREA_MAX || base == 0 || base >= FOUR_GIB || size > FOUR_GIB - base)
		return (struct txt_range){ 0, 0 };
	return (struct txt_range){ base, size };
}

struct txt_range preflight_heap_range(const struct preflight_chipset *c)
{
	return area(c, c->heap_base, c->heap_size);
}

struct txt_range preflight_sinit_range(const struct preflight_chipset *c)
{
	return area(c, c->sinit_base, c->sinit_size);
}

/* The rest of what is known of a code would take more room than all findings: the host's tool has it. */
static void put_error(struct text *t, uint32_t code)
{
	struct txt_error e = txt_error_decode(code);

	text_str(t, "TXT.ERRORCODE ");
	text_hex(t, code, 8);
	if (e.source == TXT_ERROR_PROCESSOR) {
		txt_error_print_part(t, ": processor, code ", e.processor, txt_error_processor_text(e.processor));
	} else if (e.source == TXT_ERROR_SOFTWARE) {
		txt_error_print_part(t, ": software after the launch, ", e.software, NULL);
	} else {
		txt_error_print_part(
			t, e.acm_type == TXT_ACM_SINIT ? ": SINIT, class " : ": BIOS ACM, class ", e.class, txt_error_class_text(e.class));
		txt_error_print_part(t, ", major ", e.major, NULL);
		txt_error_print_part(t, ", minor ", e.minor, NULL);
	}
	text_str(t, "; 'geolaunch txt decode-error CODE' explains it");
}

static void check_previous_error(struct preflight *p)
{
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);

	if (txt_error_is_success(p->f->chipset.errorcode) || txt_error_decode(p->f->chipset.errorcode).source == TXT_ERROR_NONE)
		return;
	put_error(&t, p->f->chipset.errorcode);
	preflight_add(p->out, p->line.ignore_previous_error ? PREFLIGHT_PREVIOUS_ERROR_NOTE : PREFLIGHT_PREVIOUS_ERROR, &t);
}

static void check_heap(struct preflight *p)
{
	const struct preflight_chipset *c = &p->f->chipset;
	struct heap_tables tables;
	enum heap_table where = HEAP_BIOS;
	struct heap_bios bios;
	enum txt_rule rule;
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);

	if (!p->f->heap.n || !preflight_sinit_range(c).size) {
		text_str(&t, "heap ");
		text_hex(&t, c->heap_base, 8);
		text_str(&t, " size ");
		text_hex(&t, c->heap_size, 1);
		text_str(&t, ", SINIT area ");
		text_hex(&t, c->sinit_base, 8);
		text_str(&t, " size ");
		text_hex(&t, c->sinit_size, 1);
		preflight_add(p->out, PREFLIGHT_HEAP, &t);
		return;
	}
	rule = heap_locate(p->f->heap, 1, &tables, &where);
	if (rule == TXT_OK)
		rule = heap_bios_decode(tables.table[HEAP_BIOS].content, &bios);
	/* The rules' own sentences are about SINIT, and long. */
	if (rule != TXT_OK) {
		text_str(&t, rule == TXT_RULE_HEAP_TABLE_SIZE ? "its size does not fit the heap" : "a version that nobody knows");
		preflight_add(p->out, PREFLIGHT_HEAP_DATA, &t);
	}
}

void preflight_check_chipset(struct preflight *p)
{
	const struct preflight_chipset *c = &p->f->chipset;

	switch (p->f->acpi) {
	case PREFLIGHT_ACPI_OK:
		break;
	case PREFLIGHT_ACPI_NO_DMAR:
		preflight_found(p, PREFLIGHT_VTD);
		break;
	default:
		preflight_found(p, PREFLIGHT_ACPI);
		break;
	}
	if (!preflight_has_chipset(c)) {
		found_value(p, PREFLIGHT_CHIPSET, "TXT.DIDVID", c->didvid);
		return;
	}
	if (c->ests & ESTS_TXT_RESET)
		found_value(p, PREFLIGHT_TXT_RESET, "TXT.ESTS", c->ests);
	else if (c->ests & ESTS_WAKE_ERROR)
		found_value(p, PREFLIGHT_WAKE_ERROR, "TXT.ESTS", c->ests);
	if (c->sts & TXT_STS_SENTER_DONE)
		found_value(p, PREFLIGHT_TXT_RUNNING, "TXT.STS", c->sts);
	check_previous_error(p);
	check_heap(p);
}
