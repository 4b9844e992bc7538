/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_CHIPSET_H
#define GL_TXT_CHIPSET_H

#include "qemu/txt/ops.h"
#include "qemu/txt/trace.h"
#include "txt/registers.h"

/*
 * TXT's registers and how the chipset reacts to writes. Two views of the same registers, 64 KiB each: the private space, in which commands
 * work, answers all ones and ignores writes while it is closed; the public space is always there. Intel TXT SDG 315168-016, appendix B.1;
 * registers that it does not have: NOVA's txt.hpp and tboot 1.10.5 include/txt/config_regs.h, which also agree on the former.
 */
#define CHIPSET_SPACE_SIZE ((size_t)0x10000)

enum chipset_space {
	CHIPSET_PRIVATE,
	CHIPSET_PUBLIC,
};

/* Registers that hold a value. */
enum chipset_register {
	CHIPSET_ESTS,
	CHIPSET_ERRORCODE,
	CHIPSET_SPAD, /* TXT.SPAD, also ACM_STATUS */
	CHIPSET_VER_FSBIF,
	CHIPSET_DIDVID,
	CHIPSET_VER_QPIIF,
	CHIPSET_NODMA_BASE,
	CHIPSET_NODMA_SIZE,
	CHIPSET_SINIT_BASE,
	CHIPSET_SINIT_SIZE,
	CHIPSET_MLE_JOIN,
	CHIPSET_HEAP_BASE,
	CHIPSET_HEAP_SIZE,
	CHIPSET_MSEG_BASE,
	CHIPSET_MSEG_SIZE,
	CHIPSET_SCRATCHPAD0,
	CHIPSET_BIOSACM_ERRORCODE, /* SCRATCHPAD1 */
	CHIPSET_DPR,
	CHIPSET_POLICY_STATUS,
	CHIPSET_PUBLIC_KEY0,
	CHIPSET_PUBLIC_KEY1,
	CHIPSET_PUBLIC_KEY2,
	CHIPSET_PUBLIC_KEY3,
	CHIPSET_DIDVID2,
	CHIPSET_E2STS,
	CHIPSET_REGISTERS
};

/* TXT.STS, B.1.1. Put together from the state, so it is no register above. */
#define CHIPSET_STS 0x000
#define CHIPSET_STS_SENTER_DONE 0x00001u
#define CHIPSET_STS_SEXIT_DONE 0x00002u
#define CHIPSET_STS_BASE_LOCKED 0x00020u
#define CHIPSET_STS_MEM_CONFIG_LOCK 0x00040u
#define CHIPSET_STS_PRIVATE_OPEN 0x00080u
#define CHIPSET_STS_LOCALITY3_OPEN 0x04000u
#define CHIPSET_STS_LOCALITY1_OPEN 0x08000u
#define CHIPSET_STS_LOCALITY2_OPEN 0x10000u
/* TXT.ESTS, B.1.2 */
#define CHIPSET_ESTS_TXT_RESET 0x01u
#define CHIPSET_ESTS_WAKE_ERROR 0x40u
/* TXT.E2STS, B.1 */
#define CHIPSET_E2STS_SECRETS 0x02u
/* TXT.DPR, B.1 */
#define CHIPSET_DPR_LOCK 0x1u

/* What software can observe of a write, for whoever drives the machine. */
#define CHIPSET_REACT_RESET 0x001u /* TXT.CMD.RESET: reset the machine, then chipset_warm_reset() */
#define CHIPSET_REACT_PRIVATE_OPENED 0x002u
#define CHIPSET_REACT_PRIVATE_CLOSED 0x004u
#define CHIPSET_REACT_LOCALITY1_OPENED 0x008u /* the TPM's localities follow chipset_localities() */
#define CHIPSET_REACT_LOCALITY1_CLOSED 0x010u
#define CHIPSET_REACT_LOCALITY2_OPENED 0x020u
#define CHIPSET_REACT_LOCALITY2_CLOSED 0x040u
#define CHIPSET_REACT_SECRETS 0x080u    /* the secrets flag was set or cleared */
#define CHIPSET_REACT_MEM_CONFIG 0x100u /* the memory configuration was unlocked */
#define CHIPSET_REACT_VALUE 0x200u      /* a register's value changed: the spaces must be rendered again */
#define CHIPSET_REACT_IGNORED 0x400u    /* a write went nowhere: read-only, locked or closed; render again too */

/* What the platform is made of. Sizes in bytes. chipset_config_usual() gives what real machines have. */
struct chipset_config {
	uint64_t didvid;       /* vendor, device << 16, revision << 32, extended << 48 */
	uint32_t fsbif, qpiif; /* bit 31: fused for production */
	uint32_t sinit_base, sinit_size;
	uint32_t heap_base, heap_size;
	uint32_t dpr_top;  /* first byte behind it, a multiple of 1 MiB */
	uint32_t dpr_size; /* a multiple of 1 MiB up to 255 MiB; 0: no DPR */
	bool dpr_lock;
	uint64_t spad;          /* what the start-up ACM left */
	uint8_t public_key[32]; /* digest of the key that signs modules for this chipset */
	unsigned threads;       /* logical processors, 1 to 64 */
};

struct chipset {
	struct chipset_config config;
	uint64_t value[CHIPSET_REGISTERS];
	uint64_t joined; /* TXT.THREADS.JOIN: a bit per processor in the measured environment */
	bool private_open, base_locked, mem_config_locked;
	bool locality[4];        /* [1] and [2]: open */
	struct txt_trace *trace; /* may be NULL */
};

/* The usual layout below `top`, the end of low RAM's reserved part: DPR of 4 MiB that ends there, 1 MiB heap at its start, SINIT area behind. */
struct chipset_config chipset_config_usual(uint32_t top);

/* Power-on. The configuration is kept; registers get their values from it as the BIOS would set and lock them. */
void chipset_power_on(struct chipset *c, const struct chipset_config *config);

/*
 * A reset that keeps power: ERRORCODE, ESTS, E2STS (secrets), SPAD and the scratch pads survive. Returns true if secrets were in memory: the reset
 * is then recorded in ESTS (WAKE_ERROR), and a real BIOS must have the ACM clear the memory first.
 */
bool chipset_warm_reset(struct chipset *c);

/* What a real BIOS has its ACM do after such a reset (ClearSecrets): memory is cleared, by whoever calls, and the record with it. */
void chipset_clear_secrets(struct chipset *c);

/* Power off and on: nothing survives. Returns true if secrets were in memory. */
bool chipset_power_cycle(struct chipset *c);

/*
 * The guest writes `width` bytes (1, 2, 4 or 8) at `offset` of a space. Returns CHIPSET_REACT_* bits. A write to a command register takes
 * effect whatever is written (B.1: one byte, value without meaning). Offsets outside are ignored.
 */
uint32_t chipset_write(struct chipset *c, enum chipset_space space, uint32_t offset, unsigned width, uint64_t value);

/* What the guest reads at all of a space: `out` is CHIPSET_SPACE_SIZE bytes. */
void chipset_render(const struct chipset *c, enum chipset_space space, uint8_t *out);

/* Value of a register, and of TXT.STS. */
uint64_t chipset_get(const struct chipset *c, enum chipset_register r);
uint64_t chipset_sts(const struct chipset *c);
/* "TXT.ERRORCODE" */
const char *chipset_register_name(enum chipset_register r);

/*
 * Which TPM localities the guest may use now: bit n. 0 always; 1 and 2 when opened (2 by OPEN-PRIVATE too, and closed by CLOSE-PRIVATE and SEXIT);
 * 3 and 4 never.
 */
unsigned chipset_localities(const struct chipset *c);

/* ---- what processor and SINIT do, past the locks ---- */

/* A processor joins the measured environment (SENTER) or leaves it (SEXIT). */
void chipset_join(struct chipset *c, unsigned cpu, bool in);
/* SINIT hands over to the MLE with the private space and with it locality 2 open. */
void chipset_open_private(struct chipset *c);
/* SEXIT closes locality 2 (B.1.1). */
void chipset_close_locality2(struct chipset *c);
void chipset_lock_mem_config(struct chipset *c);
void chipset_set_error(struct chipset *c, uint32_t errorcode);
/* The processor's TXT shutdown: ERRORCODE with the processor's code, TXT_RESET.STS; the caller resets the machine. */
void chipset_shutdown(struct chipset *c, uint32_t code);
GL_MUST static inline bool chipset_secrets(const struct chipset *c)
{
	return c->value[CHIPSET_E2STS] & CHIPSET_E2STS_SECRETS;
}

struct txt_range chipset_heap(const struct chipset *c);
struct txt_range chipset_sinit(const struct chipset *c);
/* Size 0 if there is none. */
struct txt_range chipset_dpr(const struct chipset *c);

#endif
