/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TXT_REGISTERS_H
#define GL_TXT_REGISTERS_H

/*
 * Where TXT's registers are: offsets in both spaces, the private one, which is closed but in a launch, and the public one, which can always be
 * read. Intel TXT SDG 315168-016, appendix B.1; VER.* and SINIT.* as tboot 1.10.5 names them (include/txt/config_regs.h).
 */
#define TXT_PRIVATE_BASE 0xfed20000u
#define TXT_PUBLIC_BASE 0xfed30000u
/* The page that holds all of these. */
#define TXT_PUBLIC_SIZE 4096u

#define TXT_STS 0x000
#define TXT_STS_SENTER_DONE 0x1u
#define TXT_ESTS 0x008
#define TXT_ERRORCODE 0x030
#define TXT_VER_FSBIF 0x100
#define TXT_DIDVID 0x110
#define TXT_VER_QPIIF 0x200
#define TXT_SINIT_BASE 0x270
#define TXT_SINIT_SIZE 0x278
#define TXT_HEAP_BASE 0x300
#define TXT_HEAP_SIZE 0x308

/* In VER.FSBIF and VER.QPIIF: the chipset takes production modules. */
#define TXT_PRODUCTION_FUSED 0x80000000u

#endif
