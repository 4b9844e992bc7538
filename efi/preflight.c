/* SPDX-License-Identifier: BSD-3-Clause */
#include "preflight.h"

#include "efi/core/launch_file.h"
#include "geo/geo.h"
#include "machine.h"
#include "txt/registers.h"

#define MSR_FEATURE_CONTROL 0x3a
#define MSR_PLATFORM_ID 0x17
#define FEATURE_VMX (1u << 5)
#define FEATURE_SMX (1u << 6)
#define LCP_DATA_MAX ((size_t)256 * 1024)

static void read_chipset(const struct hardware *hw, struct preflight_chipset *c)
{
	c->didvid = hw->txt(TXT_DIDVID, 8);
	c->sts = hw->txt(TXT_STS, 8);
	c->ests = (uint8_t)hw->txt(TXT_ESTS, 1);
	c->errorcode = (uint32_t)hw->txt(TXT_ERRORCODE, 4);
	c->fsbif = (uint32_t)hw->txt(TXT_VER_FSBIF, 4);
	c->qpiif = (uint32_t)hw->txt(TXT_VER_QPIIF, 4);
	c->sinit_base = hw->txt(TXT_SINIT_BASE, 4);
	c->sinit_size = hw->txt(TXT_SINIT_SIZE, 4);
	c->heap_base = hw->txt(TXT_HEAP_BASE, 4);
	c->heap_size = hw->txt(TXT_HEAP_SIZE, 4);
}

/* What faults on processors without it is asked for only where it is there. */
static void read_processor(const struct hardware *hw, bool chipset, struct preflight_processor *c)
{
	uint32_t r[4];
	bool intel;

	hw->cpuid(0, r);
	c->vendor[0] = r[1];
	c->vendor[1] = r[3];
	c->vendor[2] = r[2];
	intel = r[1] == 0x756e6547 && r[3] == 0x49656e69 && r[2] == 0x6c65746e;
	if (r[0] < 1)
		return;
	hw->cpuid(1, r);
	c->signature = r[0];
	c->features = r[2];
	if (!intel || !(c->features & (FEATURE_SMX | FEATURE_VMX)))
		return;
	c->has_msrs = true;
	c->feature_control = hw->rdmsr(MSR_FEATURE_CONTROL);
	c->platform_id = hw->rdmsr(MSR_PLATFORM_ID);
	if (chipset && c->features & FEATURE_SMX) {
		c->has_capabilities = true;
		c->capabilities = hw->capabilities();
	}
}

static struct span range_bytes(const struct hardware *hw, struct txt_range r)
{
	return r.size ? hw->memory(NULL, r.base, (size_t)r.size) : (struct span){ NULL, 0 };
}

static const char *tpm_problem(const struct platform *p)
{
	/* Whether locality 2 is open before SENTER does not matter: the firmware's way to the TPM serves as well. */
	if (p->state == PLATFORM_READY || (p->firmware_tpm && p->state != PLATFORM_NO_BANK))
		return NULL;
	return p->state == PLATFORM_LOCALITY_CLOSED
	               ? "the firmware does not let anybody talk to the TPM: look for a TPM switch in its setup"
	               : platform_text(p->state);
}

static enum launch_io read_optional(struct launch *l, const struct description_module *m, size_t max, struct span *out)
{
	return m->file.n ? launch_read_small(l, m->file, max, out) : LAUNCH_IO_MISSING;
}

void preflight_gather(struct efi_env *env, struct platform *p, struct launch *l, struct preflight_facts *f, struct acpi_found *acpi)
{
	const struct hardware *hw = env->hardware;
	bool acpi2;

	*f = (struct preflight_facts){ .description = &l->description, .policy = &l->policy, .policy_bytes = l->policy_bytes };
	read_chipset(hw, &f->chipset);
	read_processor(hw, preflight_has_chipset(&f->chipset), &f->processor);
	f->heap = range_bytes(hw, preflight_heap_range(&f->chipset));
	f->sinit_area = range_bytes(hw, preflight_sinit_range(&f->chipset));
	f->acpi = acpi_find(hw->memory, NULL, (uintptr_t)machine_rsdp(env, &acpi2).p, acpi);
	f->tpm_problem = tpm_problem(p);
	f->banks = f->tpm_problem ? 0 : p->tpm.banks;
	f->sinit_io = read_optional(l, &l->description.txt.sinit, ACM_MAX_SIZE, &f->sinit);
	f->lcp_io = read_optional(l, &l->description.txt.lcp, LCP_DATA_MAX, &f->lcp);
}

static void read_nv(void *ctx, uint32_t index, struct preflight_nv *out)
{
	struct platform *p = ctx;
	struct tpm_nv_public pub;
	TSS2_RC rc = tpm_nv_public(&p->tpm, index, &pub);

	out->attributes = 0;
	out->size = 0;
	if (rc != TSS2_RC_SUCCESS) {
		out->state = tpm_rc_base(rc) == TPM2_RC_HANDLE ? PREFLIGHT_NV_MISSING : PREFLIGHT_NV_ERROR;
		return;
	}
	out->attributes = pub.attributes;
	out->size = pub.size;
	if (geo_readable(pub.attributes, pub.size) > GEO_READABLE_DA || pub.size > sizeof(out->content)) {
		out->state = PREFLIGHT_NV_ATTRIBUTES;
		return;
	}
	out->state = tpm_nv_read(&p->tpm, index, out->content, pub.size) == TSS2_RC_SUCCESS ? PREFLIGHT_NV_OK : PREFLIGHT_NV_ERROR;
}

const struct preflight_ops preflight_tpm_ops = { .read_nv = read_nv };
