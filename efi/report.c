/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include "console.h"

#define LINE 240

void report_platform(struct efi_env *env, const struct platform *p, bool txt)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: ");
	/* In txt mode SENTER opens it. */
	if (txt && p->state != PLATFORM_READY && p->firmware_tpm) {
		text_str(&t, "TPM 2.0, through the firmware until SENTER opens locality 2");
		console_line(env, buf);
		return;
	}
	text_str(&t, platform_text(p->state));
	if (p->state == PLATFORM_READY) {
		text_str(&t, "; banks");
		for (unsigned i = 0; i < ALG_COUNT; i++)
			if (p->tpm.banks & ALG_BIT(i)) {
				text_char(&t, ' ');
				text_str(&t, alg_table[i].name);
			}
		if (p->tpm.unknown_banks)
			text_str(&t, "; another bank is active that cannot be extended");
	} else if (p->rc != TSS2_RC_SUCCESS) {
		text_str(&t, ": ");
		tpm_rc_text(p->rc, &t);
	}
	console_line(env, buf);
}

static void print_seconds(struct text *t, const char *name, uint64_t us)
{
	text_str(t, name);
	text_u64(t, us / 1000000);
	text_char(t, '.');
	text_char(t, (char)('0' + us / 100000 % 10));
	text_char(t, (char)('0' + us / 10000 % 10));
	text_char(t, (char)('0' + us / 1000 % 10));
	text_str(t, " s");
}

void report_times(struct efi_env *env, const struct launch *l)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: time:");
	print_seconds(&t, " read ", l->read_us);
	print_seconds(&t, ", hash ", l->hash_us);
	print_seconds(&t, ", TPM ", l->tpm_us);
	print_seconds(&t, ", total ", env_now_us(env));
	console_line(env, buf);
}

void report_verdict(struct efi_env *env, const struct launch *l)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: verdict: ");
	if (!l->measured) {
		text_str(&t, "NOT MEASURED, started because the policy allows it");
	} else {
		text_str(&t, "measured, no D-RTM");
		if (l->apply.error != TB_ERR_NONE) {
			text_str(&t, ", with errors: ");
			text_str(&t, cap_table[l->apply.why].meaning);
		}
	}
	console_line(env, buf);
}
