/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_BOOT_PECOFF_IMPL_H
#define GL_BOOT_PECOFF_IMPL_H

/* Offsets of header fields, only for the pecoff*.c files. In the DOS header: */
#define PECOFF_OFFSET 0x3c
/* In the COFF header, PE/COFF 3.3: */
#define PECOFF_COFF_SIZE 20
#define PECOFF_SECTION_COUNT 2
#define PECOFF_SYMBOLS 8
/* In the optional header of PE32+, 3.4: */
#define PECOFF_DATA_SIZE 8
#define PECOFF_SECTION_ALIGNMENT 32
#define PECOFF_IMAGE_SIZE 56
#define PECOFF_CHECKSUM 64
#define PECOFF_DIRECTORY_COUNT 108
#define PECOFF_CERTIFICATES 4 /* number of its data directory */

#endif
