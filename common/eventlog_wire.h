/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_COMMON_EVENTLOG_WIRE_H
#define GL_COMMON_EVENTLOG_WIRE_H

#include "eventlog.h"

/*
 * Sizes on the wire, shared by writer and reader. TCG PC Client Platform Firmware Profile 1.05: 10.2.1 TCG_PCR_EVENT,
 * 10.2.2 TCG_PCR_EVENT2, 10.4.5.1 the Spec ID event. Intel TXT SDG 315168, appendix on the event log: the container.
 */

/* TCG_PCR_EVENT without its data: pcrIndex, eventType, SHA-1 digest, eventDataSize. */
#define WIRE_EVENT1_HEADER ((size_t)32)
static_assert(WIRE_EVENT1_HEADER == 4 + 4 + 20 + 4, "TCG_PCR_EVENT");

/* TCG_PCR_EVENT2 without digests and data: pcrIndex, eventType, digest count, eventSize. */
#define WIRE_EVENT2_FIXED ((size_t)16)
static_assert(WIRE_EVENT2_FIXED == 4 + 4 + 4 + 4, "TCG_PCR_EVENT2");

/* Data of the Spec ID event up to its algorithms: signature, platform class, version (3 bytes), uintnSize, number of algorithms. */
#define WIRE_SPEC_ID_SIGNATURE "Spec ID Event03" /* with its NUL */
#define WIRE_SPEC_ID_FIXED ((size_t)28)
static_assert(sizeof(WIRE_SPEC_ID_SIGNATURE) == 16, "signature of the Spec ID event");
static_assert(WIRE_SPEC_ID_FIXED == 16 + 4 + 3 + 1 + 4, "TCG_EfiSpecIdEvent");
#define WIRE_SPEC_ID_ALG ((size_t)4) /* algorithmId, digestSize */

/* TXT's container: signature, 12 reserved bytes, 4 version bytes, size, offset of the first event, offset behind the last one. */
#define WIRE_TXT_SIGNATURE "TXT Event Container" /* with its NUL */
#define WIRE_TXT_HEADER ((size_t)48)
static_assert(sizeof(WIRE_TXT_SIGNATURE) == 20, "signature of the TXT container");
static_assert(WIRE_TXT_HEADER == 20 + 12 + 4 + 4 + 4 + 4, "TXT event container");

#endif
