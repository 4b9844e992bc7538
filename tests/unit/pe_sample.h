/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_TESTS_PE_SAMPLE_H
#define GL_TESTS_PE_SAMPLE_H

#include "boot/pecoff.h"

/* A PE file like geolaunch.efi: .text and .data, COFF symbols behind them, room for further sections. */
#define SAMPLE_PE_TAIL 14u
#define SAMPLE_PE_SIZE (0x400u + 0x600u + 0x200u + SAMPLE_PE_TAIL)
/* Offsets in it. */
enum {
	SAMPLE_PE_LFANEW = 0x3c,
	SAMPLE_PE_SIGNATURE = 0x80,
	SAMPLE_PE_COFF = 0x84,
	SAMPLE_PE_OPTIONAL = 0x98,
	SAMPLE_PE_TABLE = 0x98 + 240,
};
#define SAMPLE_PE_IMAGE_SIZE 0x3000u
/* Of the image in memory, with a description and a policy of up to a page each. */
#define SAMPLE_PE_MEMORY 0x5000u

void sample_pe(uint8_t buf[SAMPLE_PE_SIZE]);

/* What a firmware's loader makes of a file: headers and sections at their addresses, zeros between. Fails the test if it does not fit. */
void sample_pe_load(struct span file, struct mspan memory);

/* The sample as geolaunch.efi in memory; with launch description and policy inside, if there are any. */
void sample_pe_application(struct span description, struct span policy, struct mspan memory);

#endif
