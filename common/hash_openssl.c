/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/hash_blocks.h"

#include <cpuid.h>

/*
 * Glue to OpenSSL's assembler, taken as objects out of the distribution's libcrypto.a: sha1-x86_64, sha256-x86_64 and sha512-x86_64.
 * They are position independent, call nothing, and read one variable, in which OpenSSL keeps what CPUID said. OpenSSL's own probe
 * (x86_64cpuid) brings along much that we do not want, so the variable is ours. docs/HASHING.md has the reasons and the figures.
 */

void sha1_block_data_order(void *state, const void *data, size_t blocks);
void sha256_block_data_order(void *state, const void *data, size_t blocks);
void sha512_block_data_order(void *state, const void *data, size_t blocks);

/* Hidden: the objects address it relative to the instruction pointer, which a shared object's symbol table may not redirect. */
extern uint32_t OPENSSL_ia32cap_P[4] __attribute__((visibility("hidden")));
uint32_t OPENSSL_ia32cap_P[4];

/* Words of OPENSSL_ia32cap(3): leaf 1 EDX, leaf 1 ECX, leaf 7 EBX, leaf 7 ECX, with two bits of OpenSSL's own in the first two. */
enum { LEAF1_EDX, LEAF1_ECX, LEAF7_EBX, LEAF7_ECX };

#define EDX_BIT20 (UINT32_C(1) << 20) /* reserved by Intel, OpenSSL's mark for its RC4 code */
#define EDX_INTEL (UINT32_C(1) << 30) /* OpenSSL's: an Intel processor, whose AVX code is then preferred */
#define ECX_XOP (UINT32_C(1) << 11)   /* OpenSSL's: AMD's XOP, leaf 0x80000001 ECX bit 11 */
#define ECX_FMA (UINT32_C(1) << 12)
#define ECX_OSXSAVE (UINT32_C(1) << 27)
#define ECX_AVX (UINT32_C(1) << 28)
#define EBX_AVX2 (UINT32_C(1) << 5)
#define EBX_AVX512 (UINT32_C(0xdc230000)) /* F, DQ, IFMA, PF, ER, CD, BW, VL */

#define XCR0_XMM_YMM 0x6u

static bool ready;

/* Intel SDM volume 1, 14.3: AVX may be used if the system said so (CR4.OSXSAVE, seen in CPUID) and saves XMM and YMM. */
static bool ymm_enabled(uint32_t leaf1_ecx)
{
	uint32_t eax, edx;

	if (!(leaf1_ecx & ECX_OSXSAVE))
		return false;
	__asm__ volatile("xgetbv" : "=a"(eax), "=d"(edx) : "c"(0));
	(void)edx;
	return (eax & XCR0_XMM_YMM) == XCR0_XMM_YMM;
}

struct hash_cpu hash_blocks_probe(bool firmware)
{
	struct hash_cpu cpu = { { 0 } };
	uint32_t eax, ebx, ecx, edx, last, last_extended;
	bool intel, amd;

	__cpuid(0, last, ebx, ecx, edx);
	intel = ebx == signature_INTEL_ebx && edx == signature_INTEL_edx && ecx == signature_INTEL_ecx;
	amd = ebx == signature_AMD_ebx && edx == signature_AMD_edx && ecx == signature_AMD_ecx;

	__cpuid(1, eax, ebx, ecx, edx);
	cpu.word[LEAF1_EDX] = (edx & ~(EDX_BIT20 | EDX_INTEL)) | (intel ? EDX_INTEL : 0);
	cpu.word[LEAF1_ECX] = ecx & ~ECX_XOP;

	if (last >= 7) {
		__cpuid_count(7, 0, eax, ebx, ecx, edx);
		cpu.word[LEAF7_EBX] = ebx;
		cpu.word[LEAF7_ECX] = ecx;
	}

	__cpuid(0x80000000, last_extended, ebx, ecx, edx);
	if (amd && last_extended >= 0x80000001) {
		__cpuid(0x80000001, eax, ebx, ecx, edx);
		cpu.word[LEAF1_ECX] |= ecx & ECX_XOP;
	}

	/*
	 * Inside of firmware no AVX in any form. Its interrupt handlers run on our stack, and the AVX2 code keeps a pointer below the
	 * stack pointer (the red zone of the System V ABI, which no handler of firmware respects). And they save registers with
	 * FXSAVE, which leaves out the upper halves of YMM.
	 */
	if (firmware || !ymm_enabled(cpu.word[LEAF1_ECX])) {
		cpu.word[LEAF1_ECX] &= ~(ECX_AVX | ECX_FMA | ECX_XOP);
		cpu.word[LEAF7_EBX] &= ~(EBX_AVX2 | EBX_AVX512);
	}
	return cpu;
}

struct hash_cpu hash_blocks_cpu(void)
{
	struct hash_cpu cpu;

	hash_blocks_init();
	for (size_t i = 0; i < GL_COUNT(cpu.word); i++)
		cpu.word[i] = OPENSSL_ia32cap_P[i];
	return cpu;
}

void hash_blocks_set_cpu(struct hash_cpu cpu)
{
	for (size_t i = 0; i < GL_COUNT(cpu.word); i++)
		OPENSSL_ia32cap_P[i] = cpu.word[i];
	ready = true;
}

void hash_blocks_init(void)
{
	/* A freestanding build is one for firmware or for the time before an operating system. */
	if (!ready)
		hash_blocks_set_cpu(hash_blocks_probe(!__STDC_HOSTED__));
}

void hash_blocks_sha1(void *state, const void *data, size_t blocks)
{
	sha1_block_data_order(state, data, blocks);
}

void hash_blocks_sha256(void *state, const void *data, size_t blocks)
{
	sha256_block_data_order(state, data, blocks);
}

void hash_blocks_sha512(void *state, const void *data, size_t blocks)
{
	sha512_block_data_order(state, data, blocks);
}
