/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A UEFI program that looks at a TXT platform as a boot loader does before a launch, and then starts the MLE that is built into it (the file MLE, an
 * ELF) the way a multiboot2 loader does. Each answer is a line "uefi: NAME=VALUE" on the first serial port. test_txt_uefi.py has what must come.
 */
#include <efi.h>

#define PUBLIC 0xfed30000ull
#define PRIVATE 0xfed20000ull
#define SMXE 0x4000ull
#define MULTIBOOT2 0x36d76289u

__asm__(".section .rodata\nmle: .incbin \"" MLE "\"\n.previous\n");
extern const UINT8 mle[] __attribute__((visibility("hidden")));

static void out(UINT16 port, UINT8 v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port));
}

static UINT8 in(UINT16 port)
{
	UINT8 v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

static void put(const char *s)
{
	for (; *s; s++) {
		while (!(in(0x3fd) & 0x20))
			;
		out(0x3f8, (UINT8)*s);
	}
}

static void hex(UINT64 v, int digits)
{
	char text[2] = "0";

	while (digits-- > 0) {
		text[0] = "0123456789abcdef"[v >> 4 * digits & 15];
		put(text);
	}
}

static void say(const char *name, UINT64 v)
{
	put("uefi: ");
	put(name);
	put("=");
	hex(v, 16);
	put("\r\n");
}

/* ---- exceptions: handlers note vector, error code and address, and go on behind the two bytes ---- */

static volatile UINT64 vector, error, at;
static UINT64 tried;

__asm__(".text\n"
	"on_ud: pushq $0; pushq %rax; mov $6, %eax; jmp 1f\n"
	"on_gp: pushq %rax; mov $13, %eax\n"
	"1: mov %rax, vector(%rip); mov 8(%rsp), %rax; mov %rax, error(%rip); mov 16(%rsp), %rax; mov %rax, at(%rip)\n"
	"addq $2, 16(%rsp); popq %rax; add $8, %rsp; iretq\n");
extern const char on_ud[] __attribute__((visibility("hidden"))), on_gp[] __attribute__((visibility("hidden")));

struct __attribute__((packed)) pointer {
	UINT16 limit;
	UINT64 base;
};

static struct {
	UINT64 low, high;
} idt[32];

static void gate(unsigned n, const void *to)
{
	UINT64 a = (UINT64)to;
	UINT16 cs;

	__asm__ volatile("mov %%cs, %0" : "=r"(cs));
	idt[n].low = (a & 0xffff) | (UINT64)cs << 16 | 0x8e00ull << 32 | (a >> 16 & 0xffff) << 48;
	idt[n].high = a >> 32;
}

static void say_fault(const char *name)
{
	say(name, vector == 0 ? 0 : error == 0 && at == tried ? vector : 0xff);
}

/* ---- the processor ---- */

struct regs {
	UINT64 rax, rbx, rcx, rdx;
};

static struct regs getsec(UINT64 rax, UINT64 rbx, UINT64 rcx)
{
	struct regs r = { rax, rbx, rcx, 0 };

	vector = error = at = 0;
	__asm__ volatile("lea 1f(%%rip), %%r8; mov %%r8, %4\n1: .byte 0x0f, 0x37"
			 : "+a"(r.rax), "+b"(r.rbx), "+c"(r.rcx), "+d"(r.rdx), "=m"(tried)
			 :
			 : "r8", "memory");
	return r;
}

/* Through registers that only 64-bit mode has. */
static UINT64 cr4(void)
{
	UINT64 v;

	__asm__ volatile("mov %%cr4, %%r10; mov %%r10, %0" : "=r"(v) : : "r10");
	return v;
}

static void set_cr4(UINT64 v)
{
	__asm__ volatile("mov %0, %%r15; mov %%r15, %%cr4" : : "r"(v) : "r15");
}

static UINT64 cpuid_1(void)
{
	UINT64 a = 1, c = 0, b, d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & 0x60;
}

/* RAX and RDX lose what they had; nothing else changes. */
static UINT64 feature_control(UINT64 *rdx, UINT64 *kept)
{
	UINT64 a = ~0ull, d = ~0ull, b = 0x1122334455667788, s = 0x99aabbccddeeff00;

	__asm__ volatile("rdmsr" : "+a"(a), "+d"(d), "+b"(b), "+S"(s) : "c"(0xffffffff0000003aull));
	*rdx = d;
	*kept = b ^ s;
	return a;
}

static void processor(void)
{
	struct pointer mine = { sizeof(idt) - 1, (UINT64)idt }, firmware;
	UINT64 was = cr4(), rdx, kept;

	__asm__ volatile("cli; sidt %0" : "=m"(firmware));
	gate(6, on_ud);
	gate(13, on_gp);
	__asm__ volatile("lidt %0" : : "m"(mine));
	say("cpuid-1-ecx-smx-vmx", cpuid_1());
	say("feature-control", feature_control(&rdx, &kept));
	say("feature-control-rdx", rdx);
	say("kept", kept);
	vector = error = at = 0;
	__asm__ volatile("lea 1f(%%rip), %%r8; mov %%r8, %0\n1: wrmsr" : "=m"(tried) : "a"(0), "d"(0), "c"(0x3a) : "r8");
	say_fault("wrmsr-feature-control");
	(void)getsec(0, 0, 0);
	say_fault("getsec-without-smxe");
	set_cr4(was | SMXE);
	say("cr4-smxe", cr4() & SMXE);
	say("cr4-others", (cr4() ^ was) & ~SMXE);
	say("capabilities", getsec(0x1234567800000000, 0, 0).rax);
	for (UINT64 i = 0; i < 8; i++) {
		struct regs r = getsec(6, i, 0);

		put("uefi: parameters-");
		hex(i, 1);
		put("=");
		hex(r.rax, 16);
		put(" ");
		hex(r.rbx, 8);
		put("\r\n");
		if ((r.rax & 0x1f) == 0)
			break;
	}
	/* Not after a TXT reset: the last SENTER is the one that the platform reports. */
	if (*(volatile UINT32 *)(PUBLIC + 0x30) == 0) {
		(void)getsec(4, 0x1000, 0);
		say_fault("senter-without-module");
	}
	set_cr4(was);
	say("cr4-after", cr4() ^ was);
	__asm__ volatile("lidt %0; sti" : : "m"(firmware));
}

static UINT64 reg(UINT64 where)
{
	return *(volatile UINT64 *)where;
}

static void registers(void)
{
	UINT64 heap;

	say("didvid", reg(PUBLIC + 0x110));
	say("fsbif", *(volatile UINT32 *)(PUBLIC + 0x100));
	say("qpiif", *(volatile UINT32 *)(PUBLIC + 0x200));
	say("sts", reg(PUBLIC));
	say("ests", *(volatile UINT8 *)(PUBLIC + 8));
	say("errorcode", *(volatile UINT32 *)(PUBLIC + 0x30));
	say("sinit-base", reg(PUBLIC + 0x270));
	say("sinit-size", reg(PUBLIC + 0x278));
	say("heap-base", heap = reg(PUBLIC + 0x300));
	say("heap-size", reg(PUBLIC + 0x308));
	say("dpr", *(volatile UINT32 *)(PUBLIC + 0x330));
	say("private-closed", reg(PRIVATE + 0x110));
	say("bios-data-version", *(volatile UINT32 *)(heap + 8));
	say("bios-data-processors", *(volatile UINT32 *)(heap + 8 + 4 + 4 + 8 + 8));
	/* As on hardware: a write to a register that is read-only, and OPEN-LOCALITY1 through the closed private space. */
	*(volatile UINT64 *)(PUBLIC + 0x110) = 0;
	*(volatile UINT8 *)(PRIVATE + 0x380) = 1;
	say("didvid-is-read-only", reg(PUBLIC + 0x110));
	say("sts-after", reg(PUBLIC));
}

/* ---- the other processors: EFI_MP_SERVICES_PROTOCOL, Platform Initialization specification, volume 2, 13.4 ---- */

typedef void(EFIAPI *procedure)(void *);
struct mp {
	EFI_STATUS(EFIAPI *count)(struct mp *, UINTN *, UINTN *);
	EFI_STATUS(EFIAPI *info)(void);
	EFI_STATUS(EFIAPI *all)(struct mp *, procedure, BOOLEAN, EFI_EVENT, UINTN, void *, UINTN **);
	EFI_STATUS(EFIAPI *one)(struct mp *, procedure, UINTN, EFI_EVENT, UINTN, void *, BOOLEAN *);
};

static void EFIAPI on_ap(void *answer)
{
	UINT64 rdx, kept;

	((UINT64 *)answer)[0] = cpuid_1();
	((UINT64 *)answer)[1] = feature_control(&rdx, &kept);
}

static void others(EFI_BOOT_SERVICES *bs)
{
	EFI_GUID guid = { 0x3fdda605, 0xa76e, 0x4f46, { 0xad, 0x29, 0x12, 0xf4, 0x53, 0x1b, 0x3d, 0x08 } };
	UINT64 answer[2] = { 0 };
	UINTN n, enabled;
	struct mp *mp;

	if (EFI_ERROR(bs->LocateProtocol(&guid, NULL, (void **)&mp)) || EFI_ERROR(mp->count(mp, &n, &enabled)))
		return;
	say("processors", n);
	if (n < 2)
		return;
	say("ap-started", mp->one(mp, on_ap, 1, NULL, 0, answer, NULL));
	say("ap-cpuid", answer[0]);
	say("ap-feature-control", answer[1]);
}

/* ---- the MLE ---- */

/* ELF32: program headers with type, offset, virtual and physical address, sizes in file and memory. */
static UINT32 load(void)
{
	const UINT32 *ph = (const UINT32 *)(mle + *(const UINT32 *)(mle + 28));
	UINT16 n = *(const UINT16 *)(mle + 44);

	for (UINT16 i = 0; i < n; i++, ph += 8) {
		volatile UINT8 *to = (volatile UINT8 *)(UINT64)ph[3];

		for (UINT32 k = 0; ph[0] == 1 && k < ph[5]; k++)
			to[k] = k < ph[4] ? mle[ph[1] + k] : 0;
	}
	return *(const UINT32 *)(mle + 24);
}

static UINT64 gdt[] = { 0, 0x00cf9b000000ffff, 0x00cf93000000ffff };

/* Out of 64-bit mode as SDM volume 3A, 9.8.5.4 says, to the entry in the machine state of Multiboot2 3.3. */
static void enter(UINT32 entry)
{
	struct pointer g = { sizeof(gdt) - 1, (UINT64)gdt };

	__asm__ volatile(
		"cli; lgdt %0; pushq $8; lea 1f(%%rip), %%rax; pushq %%rax; lretq\n"
		".code32\n"
		"1: mov $16, %%eax; mov %%eax, %%ds; mov %%eax, %%es; mov %%eax, %%ss; mov %%eax, %%fs; mov %%eax, %%gs\n"
		"mov %%cr0, %%eax; and $0x7fffffff, %%eax; mov %%eax, %%cr0; jmp 2f\n"
		"2: mov $0xc0000080, %%ecx; rdmsr; and $0xfffffeff, %%eax; wrmsr\n"
		"mov %%cr4, %%eax; and $0xffffffdf, %%eax; mov %%eax, %%cr4\n"
		"mov %2, %%eax; xor %%ebx, %%ebx; jmp *%%esi\n"
		".code64\n"
		:
		: "m"(g), "S"((UINT64)entry), "i"(MULTIBOOT2)
		: "rax", "rcx", "rdx", "memory");
	__builtin_unreachable();
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	static UINT8 map[65536];
	UINTN size, key, each;
	UINT32 version;

	registers();
	processor();
	others(st->BootServices);
	do {
		size = sizeof(map);
		if (EFI_ERROR(st->BootServices->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &each, &version)))
			return EFI_ABORTED;
	} while (EFI_ERROR(st->BootServices->ExitBootServices(image, key)));
	put("uefi: enter\r\n");
	enter(load());
	return EFI_SUCCESS;
}
