/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_GEO_GEO_H
#define GL_GEO_GEO_H

#include "common/span.h"
#include "common/text.h"

/*
 * The geo tag: where a host stands, as its owner says, kept in a TPM NV index and measured into PCR 22.
 *
 * Any bytes may be measured (a digest of a tag certificate, say); this record is the form that our own tools write and can read back.
 * 64 bytes, little-endian, so that it also serves as an NV_RAW value of a SHA-512 bank:
 *
 *   0  "GEO1"
 *   4  u16 size = 64
 *   6  u16 flags: bit 0 coordinates are valid
 *   8  char[2]  country, ISO 3166-1 alpha-2, upper case
 *  10  char[4]  subdivision, the part after the hyphen of ISO 3166-2 (up to 3 of A-Z, 0-9; may be empty), NUL-padded
 *  14  u16 reserved = 0
 *  16  i32 latitude, 1e-7 degrees north, WGS 84
 *  20  i32 longitude, 1e-7 degrees east
 *  24  char[40] site, printable ASCII, may be empty, NUL-padded
 */
#define GEO_TAG_SIZE 64
#define GEO_SITE_MAX 40

struct geo_tag {
	char country[3];
	char subdivision[5];
	bool has_coordinates;
	int32_t latitude;
	int32_t longitude;
	char site[GEO_SITE_MAX + 1];
};

enum geo_error {
	GEO_OK,
	GEO_E_SIZE,
	GEO_E_MAGIC, /* some other content: measurable, but not ours to decode */
	GEO_E_FLAGS,
	GEO_E_COUNTRY, /* not two letters A-Z */
	GEO_E_SUBDIVISION,
	GEO_E_RESERVED,
	GEO_E_COORDINATES,
	GEO_E_SITE,
	GEO_ERROR_COUNT
};

/* What is wrong, for people; refers to the record above. */
const char *geo_strerror(enum geo_error e);

/*
 * Takes a record apart. Strict: there is one way to write a tag, so encode(decode(b)) = b. Unused bytes of the strings are 0.
 * A tag without coordinates has latitude and longitude 0. `out` on success only.
 */
GL_MUST enum geo_error geo_decode(struct span bytes, struct geo_tag *out);

/* Writes a record, with the same rules. Bytes behind the NUL of a string do not count. `out` on success only. */
GL_MUST enum geo_error geo_encode(const struct geo_tag *tag, uint8_t out[GEO_TAG_SIZE]);

/* NULL if the text can be the country of a tag, else what to give instead. */
const char *geo_country_advice(const char *s);
/* The same for the subdivision; the advice may lie in `room`, which must be empty. */
const char *geo_subdivision_advice(const char *s, struct text *room);

enum geo_country {
	GEO_COUNTRY_ASSIGNED, /* a country of ISO 3166-1 */
	GEO_COUNTRY_USER,     /* left to users: AA, QM-QZ, XA-XZ, ZZ */
	GEO_COUNTRY_UNKNOWN,
};

enum geo_country geo_country(const char *code);

/* What is to be said of a country that is not assigned, without an end; false if it is. It may have been assigned after our table was made. */
GL_MUST bool geo_country_remark(const char *code, struct text *t);

/* The fields in which two tags differ: "site FRA2, expected FRA1; coordinates none, expected 50.1109 8.6821"; nothing if in none. */
void geo_difference_text(const struct geo_tag *found, const struct geo_tag *expected, struct text *t);

/* ---- the NV index ---- */

#define GEO_INDEX_DEFAULT 0x01C10110u
/* tboot's TPM 1.2 index; on TPM 2.0 it lies in the permanent handles (TPM 2.0 Library part 2, 7.2) and cannot be defined. */
#define GEO_INDEX_TPM12 0x40000010u

/* True if a TPM 2.0 can define it: NV handles are 0x01xxxxxx. */
GL_MUST bool geo_index_possible(uint32_t index);

/*
 * TPMA_NV (TPM 2.0 Library part 2, 13.4) with the names that tpm2-tools prints, lowest bit first: "ownerwrite|authread|no_da".
 * TPM_NT other than ordinary is "nt=0x1", reserved bits are "reserved(8)"; no bits at all give "none". GEO_ATTRIBUTES_MAX bytes are enough.
 */
#define GEO_ATTRIBUTES_MAX 400
void geo_attributes_text(uint32_t attributes, struct text *t);

/* The largest content that the boot chain reads: APPLY_NV_MAX of tboot-policy/apply.h. */
#define GEO_NV_MAX 4096

/* Will the boot chain be able to read it (with auth = the index, empty password, at locality 2, whatever the lockout state)? */
enum geo_readable {
	GEO_READABLE,
	GEO_READABLE_DA,     /* yes, but dictionary-attack protected: fails in lockout, answers RETRY first after a boot */
	GEO_UNREADABLE_AUTH, /* no AUTHREAD */
	GEO_UNREADABLE_UNWRITTEN,
	GEO_UNREADABLE_LOCKED, /* READLOCKED */
	GEO_UNREADABLE_SIZE,   /* over GEO_NV_MAX bytes, or 0 */
	GEO_READABLE_COUNT
};

/* Judges by the public area alone; a non-empty index password cannot be seen there, so try a read as well. */
GL_MUST enum geo_readable geo_readable(uint32_t attributes, size_t size);

/* A sentence for people: what will happen at boot and what to do. */
const char *geo_readable_text(enum geo_readable r);

/* Attributes that our tools define: AUTHREAD | OWNERWRITE | NO_DA, written with owner auth, WRITEDEFINE so that it can be locked. */
#define GEO_ATTRIBUTES_DEFAULT 0x02042002u

#endif
