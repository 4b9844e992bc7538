/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/measure.h"

#include <string.h>

#include "common/hash.h"

/* The columns are those of docs/MEASUREMENTS.md. */
const struct measure_info measure_table[] = {
	{
		.type = MEASURE_POLICY,
		.type_name = "EV_GEOLAUNCH_POLICY",
		.pcrs = "17, 18",
		.what = "launch policy (VLP)",
		.digest =
			"H( control as 4 bytes, little-endian || H(policy file) ); zeros instead of H(policy file) if bit 0 of control is clear",
		.event_data = "policy",
		.by = "geolaunch.efi",
	},
	{
		.type = MEASURE_MODULE,
		.type_name = "EV_GEOLAUNCH_MODULE",
		.pcrs = "that of its policy entry; module 0 always 17, too",
		.what = "a module; number 0 is the launch description",
		.digest =
			"H( H(command line without NUL) || H(bytes) ); the command line of the VM manager and of a file is the path that it is installed to",
		.event_data = "module NUMBER ROLE FILE",
		.by = "geolaunch.efi",
	},
	{
		.type = MEASURE_NV,
		.type_name = "EV_GEOLAUNCH_NV",
		.pcrs = "that of its policy entry",
		.what = "content of an NV index, above all the geo-location",
		.digest = "nv: H(content); nv-raw: the content itself in a bank whose digest has just its size, H(content) in the others",
		.event_data = "nv INDEX, nv-raw INDEX",
		.by = "geolaunch.efi, stage",
	},
	{
		.type = MEASURE_CLOSING,
		.type_name = "EV_GEOLAUNCH_CLOSING",
		.pcrs = "17",
		.what = "PCR 19-22 as read back from the TPM; the last event before the host starts",
		.digest = "H( PCR 19 || PCR 20 || PCR 21 || PCR 22 ), each bank its own values",
		.event_data = "closing",
		.by = "geolaunch.efi, stage",
	},
	{
		.type = MEASURE_CAP,
		.type_name = "EV_GEOLAUNCH_CAP",
		.pcrs = "where the measurement would have gone; all of 17-22 if the launch stops",
		.what = "stands for what could not be measured, and marks a launch that was stopped",
		.digest = "H( \"cap REASON\" ), ASCII without NUL",
		.event_data = "cap REASON, followed by the event data of what could not be measured",
		.by = "geolaunch.efi, stage",
	},
};

const size_t measure_table_count = GL_COUNT(measure_table);

const struct role_info role_table[ROLE_COUNT] = {
	[ROLE_DESCRIPTION] = { .name = "description", .pcr = 17 },
	[ROLE_HYPERVISOR] = { .name = "hypervisor", .pcr = 19, .numbered = true },
	[ROLE_KERNEL] = { .name = "kernel", .pcr = 19, .numbered = true },
	[ROLE_INITRD] = { .name = "initrd", .pcr = 19, .numbered = true },
	[ROLE_VMM] = { .name = "vmm", .pcr = 20, .numbered = true, .member = true },
	[ROLE_FILE] = { .name = "file", .pcr = 21, .numbered = true, .many = true, .member = true },
	[ROLE_TBOOT] = { .name = "tboot", .pcr = 17 },
	[ROLE_STAGE] = { .name = "stage", .pcr = 17 },
	[ROLE_SINIT] = { .name = "sinit", .pcr = 17 },
	[ROLE_LCP] = { .name = "lcp", .pcr = 17 },
};

const struct cap_info cap_table[CAP_COUNT] = {
	[CAP_POLICY_MISSING] = { "policy-missing", "there is no policy, or it could not be read" },
	[CAP_POLICY_INVALID] = { "policy-invalid", "the policy breaks a rule of its format" },
	[CAP_DESCRIPTION_MISSING] = { "description-missing", "there is no launch description, or it could not be read" },
	[CAP_DESCRIPTION_INVALID] = { "description-invalid", "the launch description breaks a rule of its format" },
	[CAP_MODULE_MISSING] = { "module-missing", "the policy names a module that the launch description does not have" },
	[CAP_MODULE_UNREADABLE] = { "module-unreadable", "the file of a module could not be read" },
	[CAP_MODULE_UNLISTED] = { "module-unlisted", "the policy has no entry for a module" },
	[CAP_MODULE_MISMATCH] = { "module-mismatch", "the digest of a module is not one of those that the policy allows" },
	[CAP_NV_MISSING] = { "nv-missing", "an NV index is not defined" },
	[CAP_NV_UNREADABLE] = { "nv-unreadable", "an NV index is defined but could not be read" },
	[CAP_NV_SIZE] = { "nv-size", "the content of an NV index has a size that cannot be measured" },
	[CAP_NV_MISMATCH] = { "nv-mismatch", "the content of an NV index is not what the policy allows" },
	[CAP_TPM_ERROR] = { "tpm-error", "the TPM refused a command or could not be reached" },
	[CAP_START_FAILED] = { "start-failed", "the host could not be started" },
	[CAP_PREFLIGHT] = { "preflight", "a TXT launch cannot succeed on this host" },
	[CAP_DESCRIPTION_UNSIGNED] = { "description-unsigned",
		"Secure Boot is on, and geolaunch.efi has no launch description that its signature covers" },
};

const struct measure_info *measure_by_type(uint32_t type)
{
	for (size_t i = 0; i < measure_table_count; i++)
		if (measure_table[i].type == type)
			return &measure_table[i];
	return NULL;
}

bool role_by_name(struct span name, enum role *out)
{
	for (size_t i = 0; i < ROLE_COUNT; i++) {
		if (span_is_str(name, role_table[i].name)) {
			*out = (enum role)i;
			return true;
		}
	}
	return false;
}

/* H( a || b ) in bank `a` of `out`. */
static void hash_pair(enum alg bank, struct span first, struct span second, struct digests *out)
{
	struct hash h;
	struct digests d;

	hash_init(&h, ALG_BIT(bank));
	hash_update(&h, first);
	hash_update(&h, second);
	hash_final(&h, &d);
	memcpy(out->d[bank], d.d[bank], alg_table[bank].size);
}

void measure_module(alg_set banks, struct span cmdline, const struct digests *image, struct digests *out)
{
	struct digests line, result = { .banks = banks & image->banks & ALG_SET_ALL };

	hash_span(result.banks, cmdline, &line);
	for (enum alg a = 0; a < ALG_COUNT; a++)
		if (result.banks & ALG_BIT(a))
			hash_pair(a, digest_span(&line, a), digest_span(image, a), &result);
	*out = result;
}

void measure_policy(alg_set banks, uint32_t control, struct span policy, struct digests *out)
{
	const uint8_t wire[4] = { (uint8_t)control, (uint8_t)(control >> 8), (uint8_t)(control >> 16), (uint8_t)(control >> 24) };
	struct digests content, result = { .banks = banks & ALG_SET_ALL };

	hash_span(result.banks, policy, &content);
	if (!(control & 1))
		memset(content.d, 0, sizeof(content.d));
	for (enum alg a = 0; a < ALG_COUNT; a++)
		if (result.banks & ALG_BIT(a))
			hash_pair(a, SPAN_OF(wire), digest_span(&content, a), &result);
	*out = result;
}

void measure_nv(alg_set banks, bool raw, struct span content, struct digests *out)
{
	hash_span(banks, content, out);
	for (enum alg a = 0; raw && a < ALG_COUNT; a++)
		if (out->banks & ALG_BIT(a) && content.n == alg_table[a].size)
			memcpy(out->d[a], content.p, content.n);
}

bool measure_closing(alg_set banks, const struct pcrs *p, struct digests *out)
{
	struct digests result = { .banks = banks & ALG_SET_ALL };

	for (enum alg a = 0; a < ALG_COUNT; a++) {
		struct hash h;
		struct digests d;

		if (!(result.banks & ALG_BIT(a)))
			continue;
		hash_init(&h, ALG_BIT(a));
		for (unsigned pcr = 19; pcr <= 22; pcr++) {
			if (!pcr_known(p, a, pcr))
				return false;
			hash_update(&h, pcr_value(p, a, pcr));
		}
		hash_final(&h, &d);
		memcpy(result.d[a], d.d[a], alg_table[a].size);
	}
	*out = result;
	return true;
}

void measure_cap(alg_set banks, enum cap why, struct digests *out)
{
	struct hash h;

	hash_init(&h, banks);
	hash_update(&h, SPAN_LITERAL("cap "));
	hash_update(&h, span_str(cap_table[why].name));
	hash_final(&h, out);
}

void name_policy(struct text *t)
{
	text_str(t, "policy");
}

void name_module(struct text *t, unsigned number, enum role role, struct span file)
{
	text_str(t, "module ");
	text_u64(t, number);
	text_char(t, ' ');
	text_str(t, role_table[role].name);
	if (file.n > 0)
		text_char(t, ' ');
	text_span(t, file);
}

void name_nv(struct text *t, bool raw, uint32_t index)
{
	text_str(t, raw ? "nv-raw " : "nv ");
	text_hex(t, index, 8);
}

void name_closing(struct text *t)
{
	text_str(t, "closing");
}

void name_cap(struct text *t, enum cap why, struct span subject)
{
	text_str(t, "cap ");
	text_str(t, cap_table[why].name);
	if (subject.n > 0)
		text_char(t, ' ');
	text_span(t, subject);
}
