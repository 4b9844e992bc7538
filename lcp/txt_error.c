/* SPDX-License-Identifier: BSD-3-Clause */
#include "lcp/txt_error.h"

#define VALID 0x80000000u
#define EXTERNAL 0x40000000u
#define SOFTWARE 0x8000u
#define PROCESSOR_MASK 0x3fffffffu
#define MINOR_SHIFT 16
#define MINOR_MASK 0x3fffu
#define SOFTWARE_MASK 0x7fffu
#define LCP_MINOR_BITS 6
#define LCP_LIST_BITS 3

struct txt_error txt_error_decode(uint32_t code)
{
	struct txt_error e = { .source = TXT_ERROR_NONE };

	if (!(code & VALID))
		return e;
	if (!(code & EXTERNAL)) {
		e.source = TXT_ERROR_PROCESSOR;
		e.processor = code & PROCESSOR_MASK;
	} else if (code & SOFTWARE) {
		e.source = TXT_ERROR_SOFTWARE;
		e.software = code & SOFTWARE_MASK;
		e.software_high = code >> MINOR_SHIFT & MINOR_MASK;
	} else {
		e.source = TXT_ERROR_ACM;
		e.acm_type = code & 0xf;
		e.class = code >> 4 & 0x3f;
		e.major = code >> 10 & 0x1f;
		e.minor = code >> MINOR_SHIFT & MINOR_MASK;
	}
	return e;
}

bool txt_error_encode(const struct txt_error *e, uint32_t *out)
{
	switch (e->source) {
	case TXT_ERROR_NONE:
		*out = 0;
		return true;
	case TXT_ERROR_PROCESSOR:
		if (e->processor > PROCESSOR_MASK)
			return false;
		*out = VALID | e->processor;
		return true;
	case TXT_ERROR_ACM:
		if (e->acm_type > 0xf || e->class > 0x3f || e->major > 0x1f || e->minor > MINOR_MASK)
			return false;
		*out = VALID | EXTERNAL | e->acm_type | (uint32_t)e->class << 4 | (uint32_t)e->major << 10 |
		       (uint32_t)e->minor << MINOR_SHIFT;
		return true;
	case TXT_ERROR_SOFTWARE:
		if (e->software > SOFTWARE_MASK || e->software_high > MINOR_MASK)
			return false;
		*out = VALID | EXTERNAL | SOFTWARE | e->software | (uint32_t)e->software_high << MINOR_SHIFT;
		return true;
	}
	return false;
}

bool txt_error_is_success(uint32_t code)
{
	return code == 0 || code == (VALID | EXTERNAL | TXT_ACM_SINIT) || code == (VALID | EXTERNAL | TXT_ACM_RACM);
}

bool txt_error_lcp_minor(const struct txt_error *e, unsigned *minor, unsigned *list)
{
	if (e->source != TXT_ERROR_ACM || (e->class != TXT_CLASS_LCP && e->class != TXT_CLASS_LCP_OLD))
		return false;
	*minor = e->minor & ((1u << LCP_MINOR_BITS) - 1);
	*list = e->minor >> LCP_MINOR_BITS & ((1u << LCP_LIST_BITS) - 1);
	return true;
}

/* ---- printing ---- */

static void print_acm(const struct txt_error *e, struct text *t)
{
	const char *old = txt_error_old_class_text(e->class);
	unsigned minor = e->minor, list = 0;
	bool lcp = txt_error_lcp_minor(e, &minor, &list);

	txt_error_print_part(t, "reported by an authenticated code module, type ", e->acm_type, txt_error_acm_type_name(e->acm_type));
	txt_error_print_part(t, "\nclass ", e->class, txt_error_class_text(e->class));
	if (old) {
		text_str(t, "; in older modules: ");
		text_str(t, old);
	}
	txt_error_print_part(t, "\nmajor ", e->major, txt_error_major_text(e->class, e->major));
	txt_error_print_part(t, "\nminor ", minor, txt_error_minor_text(e->class, e->major, minor));
	if (lcp) {
		text_str(t, ", policy list ");
		text_u64(t, list);
	}
	text_str(t, "\nThe error list that comes with the SINIT module decides; these names are those that Intel published in 2023.\n");
}

static void print_software(uint32_t code, const struct txt_error *e, struct text *t)
{
	const struct txt_slaunch *sl = txt_error_slaunch(code);

	text_str(t, "reported by software after the launch");
	if (sl) {
		text_str(t, ", Linux Secure Launch: ");
		text_str(t, sl->name);
		text_str(t, ": ");
		text_str(t, sl->text);
	} else {
		txt_error_print_part(t, ": ", e->software, NULL);
		txt_error_print_part(t, ", ", e->software_high, NULL);
	}
	text_char(t, '\n');
}

void txt_error_print(uint32_t code, struct text *t)
{
	struct txt_error e = txt_error_decode(code);
	const char *meaning;

	text_str(t, "TXT.ERRORCODE ");
	text_hex(t, code, 8);
	text_str(t, ": ");
	if (txt_error_is_success(code)) {
		text_str(t, code ? "no failure: the module ran to its end\n" : "no error is recorded\n");
		return;
	}
	switch (e.source) {
	case TXT_ERROR_NONE:
		text_str(t, "not valid (bit 31 is 0): no error is recorded\n");
		break;
	case TXT_ERROR_PROCESSOR:
		meaning = txt_error_processor_text(e.processor);
		txt_error_print_part(t, "reported by the processor, code ", e.processor, meaning ? meaning : "not documented");
		text_char(t, '\n');
		break;
	case TXT_ERROR_ACM:
		print_acm(&e, t);
		break;
	case TXT_ERROR_SOFTWARE:
		print_software(code, &e, t);
		break;
	}
}
