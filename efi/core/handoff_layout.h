/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_EFI_CORE_HANDOFF_LAYOUT_H
#define GL_EFI_CORE_HANDOFF_LAYOUT_H

/* The block of efi/core/handoff.h; constants that its assembler code shares with C. Offsets in bytes. */
#define HANDOFF_CODE_MAX 1024
#define HANDOFF_GDT 1024  /* three descriptors of 8 bytes */
#define HANDOFF_GDTR 1048 /* u16 limit, u64 base */
#define HANDOFF_ENTRY 1060
#define HANDOFF_MAGIC 1064
#define HANDOFF_INFO 1068
#define HANDOFF_COUNT 1072
#define HANDOFF_COPIES 1088 /* u32 to, from, bytes, zeros */
#define HANDOFF_COPY_SIZE 16
#define HANDOFF_STACK 8192 /* grows down from here */
#define HANDOFF_SIZE 8192

#define HANDOFF_CS 8
#define HANDOFF_DS 16

#endif
