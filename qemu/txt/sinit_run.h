/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_SINIT_RUN_H
#define GL_TXT_SINIT_RUN_H

#include "qemu/txt/sinit.h"
#include "qemu/txt/txtlog.h"

/* What SINIT knows while it runs; between the files of sinit.h. */

/* Content of an NV index, policy data: more is no policy. */
#define SINIT_NV_MAX 1024u
#define SINIT_DATA_MAX 0x20000u
/* Most of the heap that is looked at. */
#define SINIT_HEAP_MAX 0x1000000u

enum sinit_index { SINIT_NV_AUX, SINIT_NV_PS, SINIT_NV_PO, SINIT_NV_COUNT };

struct sinit {
	const struct sinit_input *in;
	struct sinit_result *out;
	struct acm acm;
	struct mspan heap; /* a copy; the guest's is at chipset_heap() */
	struct heap_tables tables;
	struct heap_bios bios;
	struct heap_os_sinit os;
	alg_set active, extended; /* banks of the TPM; those that the module extends */
	bool nv_exists[SINIT_NV_COUNT];
	struct txt_nv_public nv[SINIT_NV_COUNT];
	struct mspan policy[SINIT_OWNERS], data[SINIT_OWNERS];
	uint64_t rsdp;
	struct mspan dmar, madt, mcfg;
	struct mle mle;
	struct pcrs pcrs;
	struct sinit_policy_answer answer;
	struct txtlog log;
};

/* Notes a broken rule with what is special about it; returns it, so that failing is one statement. */
enum txt_rule sinit_fail(struct sinit *s, enum txt_rule rule, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Notes that the rules called `id` hold. */
void sinit_pass(struct sinit *s, const char *id, const char *source, const char *format, ...) __attribute__((format(printf, 4, 5)));
/* Which rule a TPM return code breaks, if it is not 0; `what` for the trace. */
enum txt_rule sinit_tpm(struct sinit *s, uint32_t rc, const char *what);

/* sinit_check.c: in this order */
GL_MUST enum txt_rule sinit_check_module(struct sinit *s);
GL_MUST enum txt_rule sinit_check_chipset(struct sinit *s);
GL_MUST enum txt_rule sinit_check_heap(struct sinit *s);
GL_MUST enum txt_rule sinit_check_mle(struct sinit *s);

/* sinit_tpm.c */
GL_MUST enum txt_rule sinit_check_tpm(struct sinit *s);
GL_MUST enum txt_rule sinit_read_policies(struct sinit *s);

/* sinit_measure.c */
GL_MUST enum txt_rule sinit_measure(struct sinit *s);
/* Extends PCR 17 and 18 so that nobody can make them what a launch makes them. Failures are noted only. */
void sinit_cap(struct sinit *s);

/* sinit_result.c: SinitMleData and the chipset's state */
GL_MUST enum txt_rule sinit_check_acpi(struct sinit *s);
GL_MUST enum txt_rule sinit_hand_over(struct sinit *s);

#endif
