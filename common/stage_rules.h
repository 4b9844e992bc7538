/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_STAGE_RULES_H
#define GL_COMMON_STAGE_RULES_H

#include "modules.h"

/*
 * The rules of the stage: its command line, which tboot measures as that of module 0. `geolaunch build` writes them, the stage obeys
 * them. One line of words with one blank between two:
 *
 *   geolaunch-stage 1                  format
 *   policy=nonfatal|continue|halt      type of the launch policy
 *   hypervisor=linux|xen
 *   modules=ROLE[:MODE],...            roles of the modules from number 1 on; members of the initrd with four octal digits
 *   nv=INDEX,nv|nv_raw,PCR,any         any number: an NV index to measure into PCR 17-22, whatever its content,
 *   nv=INDEX,nv|nv_raw,PCR,ALG,HEX,... or whose hash is one of these; ALG is the same in all of them
 *   halt=poweroff|reboot,SECONDS       what the stage does when it stops, and how long the reason is shown, 0 to 300
 *   efi=runtime                        may be absent; Linux only: the kernel gets EFI's system table and memory map, unmeasured as they are
 *
 * INDEX is 0x and eight lower-case hexadecimal digits, an NV handle (0x01xxxxxx); HEX is lower-case. Order, spelling and spacing are fixed,
 * so rules have one text only: write(parse(text)) = text.
 *
 * tboot appends one more word once it has measured the line, " tboot=0x<address>": where its shared page lies. stage_rules_split() takes
 * it off.
 */

/* tboot builds the line in 1024 bytes (TBOOT_KERNEL_CMDLINE_SIZE) and would cut it off: room for " tboot=0x12345678" and NUL is left. */
#define STAGE_RULES_MAX_SIZE 1006
/* tboot keeps 32 measurements and drops the others (MAX_VL_HASHES): policy twice, module 0, and these. */
#define STAGE_RULES_MAX_MODULES 29
#define STAGE_RULES_MAX_NV 8
#define STAGE_RULES_MAX_HALT_DELAY 300

enum stage_policy { /* values as in the policy's bytes, enum vlp_type */
	STAGE_NONFATAL,
	STAGE_CONTINUE,
	STAGE_HALT,
	STAGE_POLICY_COUNT
};

enum stage_halt {
	STAGE_POWEROFF,
	STAGE_REBOOT, /* firmware that could take the status back is gone */
	STAGE_HALT_COUNT
};

struct stage_module {
	enum role role;
	uint32_t mode; /* permission bits; members of the initrd only */
};

struct stage_nv {
	uint32_t index;
	bool raw;
	uint8_t pcr;      /* 17 to 22 */
	bool any;         /* no hashes */
	uint16_t hash_at; /* in stage_rules.hashes */
	uint8_t hash_count;
};

struct stage_rules {
	enum stage_policy policy;
	enum hypervisor hypervisor;
	size_t module_count;
	struct stage_module modules[STAGE_RULES_MAX_MODULES]; /* modules[i] has the number i + 1 */
	size_t nv_count;
	struct stage_nv nv[STAGE_RULES_MAX_NV];
	enum alg hash_alg; /* of all hashes; meaningless if there are none */
	enum stage_halt halt;
	unsigned halt_delay; /* seconds */
	bool efi_runtime;    /* the kernel gets what EFI left; only with HYPERVISOR_LINUX */
	size_t hashes_size;
	uint8_t hashes[STAGE_RULES_MAX_SIZE / 2];
};

/* One value per rule. */
enum stage_rules_error {
	STAGE_RULES_OK,
	STAGE_RULES_E_SIZE,
	STAGE_RULES_E_FORMAT, /* first two words */
	STAGE_RULES_E_WORD,   /* not the word that belongs here */
	STAGE_RULES_E_POLICY,
	STAGE_RULES_E_HYPERVISOR,
	STAGE_RULES_E_ROLE,
	STAGE_RULES_E_FIRST,
	STAGE_RULES_E_TWICE,
	STAGE_RULES_E_KERNEL,
	STAGE_RULES_E_ORDER,
	STAGE_RULES_E_MODULES, /* too many */
	STAGE_RULES_E_FILE_MODE,
	STAGE_RULES_E_NV_COUNT,
	STAGE_RULES_E_NV_INDEX, /* none, or one twice */
	STAGE_RULES_E_NV_KIND,
	STAGE_RULES_E_PCR,
	STAGE_RULES_E_ALG,  /* unknown, or another one than before */
	STAGE_RULES_E_HASH, /* none, or not one of this algorithm */
	STAGE_RULES_E_HALT,
	STAGE_RULES_E_HALT_DELAY,
	STAGE_RULES_E_EFI, /* not "runtime", or not for Linux */
	STAGE_RULES_E_TRAILING,
	STAGE_RULES_E_TBOOT,  /* split: the last word is not tboot's */
	STAGE_RULES_E_BUFFER, /* write: does not fit the caller's buffer */
	STAGE_RULES_ERROR_COUNT
};

/* What is wrong and what is expected, for people. */
const char *stage_rules_strerror(enum stage_rules_error e);

/* Reads and checks rules. `at`, if not NULL, gets on failure the offset of the offending word or value. `out` on success only. */
GL_MUST enum stage_rules_error stage_rules_parse(struct span text, struct stage_rules *out, size_t *at);

/* Checks every rule on values that were put together. */
GL_MUST enum stage_rules_error stage_rules_validate(const struct stage_rules *r);

/*
 * Writes the text, without NUL, into `buf`; `*n` is its size (with buf.p NULL only the size is computed). Refuses what
 * stage_rules_validate() refuses and what would be too long, so parse(write(r)) = r. On failure `*n` is untouched, but the buffer may
 * have been.
 */
GL_MUST enum stage_rules_error stage_rules_write(const struct stage_rules *r, struct mspan buf, size_t *n);

/*
 * Parts the line that tboot started the stage with into the rules and the physical address of the shared page. STAGE_RULES_E_TBOOT if its
 * last word is not " tboot=0x" and 1 to 8 hexadecimal digits, the value not 0.
 */
GL_MUST enum stage_rules_error stage_rules_split(struct span line, struct span *rules, uint32_t *shared);

/* The hashes of an NV rule, hash_count times the algorithm's size; they lie in `r`. */
struct span stage_rules_hashes(const struct stage_rules *r, const struct stage_nv *nv);

#endif
