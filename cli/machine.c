/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/machine.h"

#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "txt/registers.h"

#define CPUID_SMX (1u << 6) /* leaf 1, ECX: Intel SDM volume 2, CPUID */
#define MSR_PLATFORM_ID 0x17
#define MSR_DEVICE "/dev/cpu/0/msr"
#define MEM_DEVICE "/dev/mem"

GL_MUST static bool read_cpu(struct acm_platform *p, struct cli_fault *fault)
{
	unsigned eax, ebx, ecx, edx;

	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & CPUID_SMX))
		return cli_fail(
			fault, CLI_IO, "this machine's processor has no SMX, so no Intel TXT: give --didvid and --cpu of the host instead");
	p->has_cpu = true;
	p->fms = eax;
	return true;
}

GL_MUST static bool read_msr(struct acm_platform *p, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open(MSR_DEVICE, O_RDONLY | O_CLOEXEC);
	uint64_t v;

	if (fd < 0 || pread(fd, &v, sizeof(v), MSR_PLATFORM_ID) != sizeof(v))
		return cli_fail(fault, CLI_IO, "cannot read the platform id: " MSR_DEVICE ": %s; run as root, 'modprobe msr' first",
			strerror(errno));
	p->has_platform_id = true;
	p->platform_id = v;
	return true;
}

static uint64_t reg(const uint8_t *space, size_t offset)
{
	return *(const volatile uint64_t *)(const void *)(space + offset);
}

GL_MUST static bool read_registers(struct acm_platform *p, struct cli_fault *fault)
{
	CLEANUP_FD int fd = open(MEM_DEVICE, O_RDONLY | O_CLOEXEC | O_SYNC);
	const void *map = fd < 0 ? MAP_FAILED : mmap(NULL, TXT_PUBLIC_SIZE, PROT_READ, MAP_SHARED, fd, TXT_PUBLIC_BASE);
	uint64_t version, didvid;

	if (map == MAP_FAILED)
		return cli_fail(fault, CLI_IO, "cannot read the TXT registers: " MEM_DEVICE ": %s; run as root, without kernel lockdown",
			strerror(errno));
	didvid = reg(map, TXT_DIDVID);
	version = reg(map, TXT_VER_FSBIF);
	/* not implemented there: the other register has it (tboot does_acmod_match_platform) */
	if ((uint32_t)version == 0 || (uint32_t)version == UINT32_MAX)
		version = reg(map, TXT_VER_QPIIF);
	(void)munmap((void *)(uintptr_t)map, TXT_PUBLIC_SIZE);
	if (didvid == UINT64_MAX)
		return cli_fail(fault, CLI_IO, "this machine's chipset has no TXT registers: give --didvid and --cpu of the host instead");
	p->has_didvid = p->has_fusing = true;
	p->vendor_id = (uint16_t)didvid;
	p->device_id = (uint16_t)(didvid >> 16);
	p->revision_id = (uint16_t)(didvid >> 32);
	p->production = (version & TXT_PRODUCTION_FUSED) != 0;
	return true;
}

bool machine_platform(struct acm_platform *out, struct cli_fault *fault)
{
	struct acm_platform p = { .has_cpu = false };

	if (!read_cpu(&p, fault) || !read_msr(&p, fault) || !read_registers(&p, fault))
		return false;
	*out = p;
	return true;
}
