/* SPDX-License-Identifier: BSD-3-Clause */
#include "efi/core/preflight_impl.h"

#include "txt/registers.h"

/* MLE header version of tboot 1.10.5 and what it knows of OsSinitData (verify_acmod()). */
#define TBOOT_MLE_VERSION 0x20001u
#define TBOOT_OS_SINIT_MIN 4u
/* From this version of BiosData on tboot compares the platform type. */
#define BIOS_DATA_PLATFORM_TYPE 6

static struct acm_platform platform_of(const struct preflight_facts *f, const struct heap_bios *bios)
{
	const struct preflight_chipset *c = &f->chipset;
	uint32_t fuses = c->fsbif == UINT32_MAX || c->fsbif == 0 ? c->qpiif : c->fsbif;
	/* clang-format off */
	struct acm_platform p = {
		.has_didvid = true,
		.vendor_id = (uint16_t)c->didvid, .device_id = (uint16_t)(c->didvid >> 16), .revision_id = (uint16_t)(c->didvid >> 32),
		.has_cpu = true, .fms = f->processor.signature,
		.has_platform_id = f->processor.has_msrs, .platform_id = f->processor.platform_id,
		.has_fusing = true, .production = (fuses & TXT_PRODUCTION_FUSED) != 0,
	};
	/* clang-format on */

	if (bios && bios->version >= BIOS_DATA_PLATFORM_TYPE)
		p.platform_type = bios->mle_flags & HEAP_BIOS_MLE_CLIENT   ? ACM_PLATFORM_CLIENT
		                  : bios->mle_flags & HEAP_BIOS_MLE_SERVER ? ACM_PLATFORM_SERVER
		                                                           : 0;
	return p;
}

static void put_platform(struct text *t, const struct acm_platform *p)
{
	text_str(t, "chipset ");
	text_hex(t, p->vendor_id, 4);
	text_char(t, ':');
	text_hex(t, p->device_id, 4);
	text_str(t, " revision ");
	text_hex(t, p->revision_id, 1);
	text_str(t, ", processor ");
	text_hex(t, p->fms, 1);
}

/* What tboot and the processor demand of a module before they enter it; NULL if it is fulfilled. */
static const char *unfit(const struct acm *a)
{
	enum acm_error e = acm_validate(a);

	if (e != ACM_OK)
		return acm_strerror(e);
	if (a->info.chipset_type != ACM_SINIT)
		return "it is a module of another kind";
	if (a->info.min_mle_header_version > TBOOT_MLE_VERSION)
		return "it wants a later tboot (MLE header)";
	if (a->info.os_sinit_data_version < TBOOT_OS_SINIT_MIN)
		return "it is too old for tboot (OsSinitData)";
	return NULL;
}

static void say(struct preflight *p, enum preflight_id id, const char *what, const char *why, const struct acm_platform *platform)
{
	char buf[PREFLIGHT_DETAIL];
	struct text t = TEXT_OF(buf);

	text_str(&t, what);
	text_str(&t, ": ");
	text_str(&t, why);
	if (platform) {
		text_str(&t, "; ");
		put_platform(&t, platform);
	}
	preflight_add(p->out, id, &t);
}

/* The build's module, if it can be launched here. */
static bool take_file(struct preflight *p, const struct acm_platform *platform, struct acm *out)
{
	char name[DESCRIPTION_MAX_FILE + 1];
	struct text t = TEXT_OF(name);
	enum acm_match match;
	enum acm_error e;
	const char *why;

	text_span(&t, p->f->description->txt.sinit.file);
	if (p->f->sinit_io != LAUNCH_IO_OK) {
		preflight_add(p->out, PREFLIGHT_SINIT_FILE, &t);
		return false;
	}
	e = acm_decode(p->f->sinit, out);
	why = e == ACM_OK ? unfit(out) : acm_strerror(e);
	if (why) {
		say(p, PREFLIGHT_SINIT_INVALID, name, why, NULL);
		return false;
	}
	match = acm_match(out, platform);
	if (match != ACM_MATCHES) {
		say(p, PREFLIGHT_SINIT_MATCH, name, acm_match_text(match), platform);
		return false;
	}
	if (out->bytes.n > preflight_sinit_range(&p->f->chipset).size) {
		preflight_add(p->out, PREFLIGHT_SINIT_SIZE, &t);
		return false;
	}
	return true;
}

/* The module that the firmware left in the SINIT area; tboot passes over one that does not fit. */
static bool take_bios(const struct preflight *p, const struct heap_bios *bios, const struct acm_platform *platform, struct acm *out)
{
	size_t n = bios->bios_sinit_size;

	if (n == 0 || n > p->f->sinit_area.n)
		return false;
	return acm_decode((struct span){ p->f->sinit_area.p, n }, out) == ACM_OK && !unfit(out) && acm_match(out, platform) == ACM_MATCHES;
}

/*
 * tboot's find_platform_sinit_module() and copy_sinit(): the build's module if there is one that fits, but the firmware's if that fits
 * and is as new.
 */
void preflight_check_sinit(struct preflight *p)
{
	const struct preflight_facts *f = p->f;
	size_t found = p->out->count;
	struct acm_platform platform;
	struct heap_tables tables;
	struct heap_bios bios;
	enum heap_table where;
	struct acm file, area;
	bool has_file, has_area, has_bios;

	if (!preflight_has_chipset(&f->chipset) || !preflight_sinit_range(&f->chipset).size)
		return;
	has_bios = heap_locate(f->heap, 1, &tables, &where) == TXT_OK && heap_bios_decode(tables.table[HEAP_BIOS].content, &bios) == TXT_OK;
	platform = platform_of(f, has_bios ? &bios : NULL);
	has_file = f->description->txt.sinit.file.n && take_file(p, &platform, &file);
	has_area = has_bios && take_bios(p, &bios, &platform, &area);
	if (!has_file && !has_area) {
		if (p->out->count == found)
			preflight_found(p, PREFLIGHT_SINIT_MISSING);
		return;
	}
	p->out->has_sinit = true;
	p->out->sinit_of_bios = has_area && (!has_file || area.header.date >= file.header.date);
	p->out->sinit = p->out->sinit_of_bios ? area : file;
	if (p->out->sinit_of_bios && has_file && !span_equal(area.bytes, file.bytes))
		preflight_found(p, PREFLIGHT_SINIT_BIOS_NOTE);
	if (!p->out->sinit.tpm_algs.present || !(p->out->sinit.tpm.family & (ACM_TPM_DISCRETE_20 | ACM_TPM_PTT_20)))
		preflight_found(p, PREFLIGHT_SINIT_TPM);
}
