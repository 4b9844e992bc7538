/* SPDX-License-Identifier: BSD-3-Clause */
#include "geo/geo.h"

/* TPMA_NV: TPM 2.0 Library part 2, 13.4. Bits 4-7 hold TPM_NT. */
#define NT_SHIFT 4
#define NT_MASK 0xfu
#define BIT_AUTHREAD 18
#define BIT_NO_DA 25
#define BIT_READLOCKED 28
#define BIT_WRITTEN 29

static const char *const bit_names[32] = {
	[0] = "ppwrite",
	[1] = "ownerwrite",
	[2] = "authwrite",
	[3] = "policywrite",
	[10] = "policydelete",
	[11] = "writelocked",
	[12] = "writeall",
	[13] = "writedefine",
	[14] = "write_stclear",
	[15] = "globallock",
	[16] = "ppread",
	[17] = "ownerread",
	[BIT_AUTHREAD] = "authread",
	[19] = "policyread",
	[BIT_NO_DA] = "no_da",
	[26] = "orderly",
	[27] = "clear_stclear",
	[BIT_READLOCKED] = "readlocked",
	[BIT_WRITTEN] = "written",
	[30] = "platformcreate",
	[31] = "read_stclear",
};

/* clang-format off */
static const char *const readable_texts[GEO_READABLE_COUNT] = {
	[GEO_READABLE] = "the boot chain can read it",
	[GEO_READABLE_DA] = "the boot chain can read it, but not while the TPM is in dictionary-attack lockout; "
		"define it with no_da so that it always can",
	[GEO_UNREADABLE_AUTH] = "the boot chain cannot read it: it reads with the index's own empty password, "
		"and that needs the attribute authread; define it anew with authread",
	[GEO_UNREADABLE_UNWRITTEN] = "the boot chain cannot read it: nothing was written to it yet; write the tag",
	[GEO_UNREADABLE_LOCKED] = "it is locked against reading until the TPM is reset; "
		"nothing may read-lock it before the boot chain has read it",
	[GEO_UNREADABLE_SIZE] = "the boot chain cannot read it: its size is not between 1 and 4096 bytes; define it anew",
};
/* clang-format on */

bool geo_index_possible(uint32_t index)
{
	/* TPM 2.0 Library part 2, 7.2: TPM_HT_NV_INDEX = 0x01 in the first byte of a handle. */
	return index >> 24 == 0x01;
}

static bool has(uint32_t attributes, unsigned bit)
{
	return attributes >> bit & 1;
}

void geo_attributes_text(uint32_t attributes, struct text *t)
{
	const char *separator = "";
	uint32_t type = attributes >> NT_SHIFT & NT_MASK;

	if (!attributes)
		text_str(t, "none");
	for (unsigned bit = 0; bit < 32; bit++) {
		bool in_type = bit >= NT_SHIFT && bit < NT_SHIFT + 4;

		if (in_type ? bit != NT_SHIFT || !type : !has(attributes, bit))
			continue;
		text_str(t, separator);
		separator = "|";
		if (in_type) {
			text_str(t, "nt=");
			text_hex(t, type, 1);
		} else if (bit_names[bit]) {
			text_str(t, bit_names[bit]);
		} else {
			text_str(t, "reserved(");
			text_u64(t, bit);
			text_char(t, ')');
		}
	}
}

enum geo_readable geo_readable(uint32_t attributes, size_t size)
{
	if (!has(attributes, BIT_AUTHREAD))
		return GEO_UNREADABLE_AUTH;
	if (size == 0 || size > GEO_NV_MAX)
		return GEO_UNREADABLE_SIZE;
	if (!has(attributes, BIT_WRITTEN))
		return GEO_UNREADABLE_UNWRITTEN;
	if (has(attributes, BIT_READLOCKED))
		return GEO_UNREADABLE_LOCKED;
	return has(attributes, BIT_NO_DA) ? GEO_READABLE : GEO_READABLE_DA;
}

const char *geo_readable_text(enum geo_readable r)
{
	return (unsigned)r < GEO_READABLE_COUNT ? readable_texts[r] : "unknown";
}
