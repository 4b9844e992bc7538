/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/cursor.h"
#include "qemu/txt/machine.h"
#include "qemu/txt/traps.h"

/* ---- a 32-bit ELF file ---- */

#define BASE 0x100000u
#define CODE_OFFSET 0x200u

struct elf {
	uint8_t bytes[0x1000];
	size_t n;
};

static void put(struct elf *e, size_t at, uint64_t v, size_t width)
{
	for (size_t i = 0; i < width; i++)
		e->bytes[at + i] = (uint8_t)(v >> 8 * i);
}

/* One segment of all of the file, one section of code. `code` runs at BASE + CODE_OFFSET. */
static void make_elf(struct elf *e, struct span code)
{
	static const uint8_t ident[] = { 0x7f, 'E', 'L', 'F', 1, 1, 1 };

	memset(e, 0, sizeof(*e));
	e->n = 0x800;
	memcpy(e->bytes, ident, sizeof(ident));
	put(e, 16, 2, 2); /* ET_EXEC */
	put(e, 18, 3, 2); /* EM_386 */
	put(e, 24, BASE + CODE_OFFSET, 4);
	put(e, 28, 52, 4);
	put(e, 32, 0x700, 4);
	put(e, 42, 32, 2);
	put(e, 44, 1, 2);
	put(e, 46, 40, 2);
	put(e, 48, 1, 2);
	put(e, 52, 1, 4); /* PT_LOAD */
	put(e, 60, BASE, 4);
	put(e, 64, BASE, 4);
	put(e, 68, e->n, 4);
	put(e, 72, 0x2000, 4);
	put(e, 76, 7, 4);
	put(e, 0x704, 1, 4); /* SHT_PROGBITS */
	put(e, 0x708, 6, 4); /* ALLOC, EXECINSTR */
	put(e, 0x70c, BASE + CODE_OFFSET, 4);
	put(e, 0x710, CODE_OFFSET, 4);
	put(e, 0x714, code.n, 4);
	memcpy(e->bytes + CODE_OFFSET, code.p, code.n);
}

static enum image_error parse(const struct elf *e, struct image *m)
{
	return image_parse((struct span){ e->bytes, e->n }, m);
}

static const uint8_t nothing[] = { 0x90, 0xc3 };

static void test_image(void **state)
{
	struct image m;
	struct elf e;

	(void)state;
	make_elf(&e, SPAN_OF(nothing));
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_int_equal(m.entry, BASE + CODE_OFFSET);
	assert_int_equal(m.code_count, 1);
	assert_int_equal(m.code[0].at, BASE + CODE_OFFSET);
	assert_int_equal(m.code[0].bytes.n, 2);
	assert_false(m.relocatable);
	assert_int_equal(image_at(&m, BASE + CODE_OFFSET, 2).p[0], 0x90);
	assert_int_equal(image_at(&m, BASE + 0x7ff, 16).n, 1);
	assert_int_equal(image_at(&m, BASE + 0x800, 16).n, 0);
	assert_int_equal(image_at(&m, BASE - 1, 16).n, 0);
	/* Without section headers all of the segment is code. */
	put(&e, 48, 0, 2);
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_int_equal(m.code[0].at, BASE);
	assert_int_equal(m.code[0].bytes.n, e.n);
}

static void test_image_refuses(void **state)
{
	static const struct {
		size_t at, width;
		uint64_t value;
		enum image_error error;
	} rows[] = {
		{ 0, 1, 0, IMAGE_E_ELF },
		{ 4, 1, 2, IMAGE_E_CLASS },
		{ 5, 1, 2, IMAGE_E_CLASS },
		{ 16, 2, 3, IMAGE_E_TYPE },
		{ 18, 2, 62, IMAGE_E_MACHINE },
		{ 28, 4, 0x7f0, IMAGE_E_HEADERS },
		{ 28, 4, 0xffffffff, IMAGE_E_HEADERS },
		{ 42, 2, 31, IMAGE_E_HEADERS },
		{ 44, 2, 0xffff, IMAGE_E_HEADERS },
		{ 56, 4, 1, IMAGE_E_SEGMENT },
		{ 68, 4, 0x2001, IMAGE_E_SEGMENT },
		{ 64, 4, 0xfffff000, IMAGE_E_SEGMENT },
		{ 76, 4, 6, IMAGE_E_NO_CODE },
		{ 32, 4, 0x7f0, IMAGE_E_HEADERS },
		{ 46, 2, 64, IMAGE_E_HEADERS },
		{ 0x70c, 4, 0x50, IMAGE_E_SECTION },
		{ 0x714, 4, 0x10000, IMAGE_E_SECTION },
		{ 24, 4, 0x50, IMAGE_E_ENTRY },
		{ 24, 4, BASE + 0x1000, IMAGE_E_ENTRY },
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct image m = { .entry = 7 };
		struct elf e;

		make_elf(&e, SPAN_OF(nothing));
		put(&e, rows[i].at, rows[i].value, rows[i].width);
		if (parse(&e, &m) != rows[i].error)
			fail_msg("row %zu: %s", i, image_strerror(parse(&e, &m)));
		assert_int_equal(m.entry, 7);
	}
}

static void multiboot2(struct elf *e, size_t at, uint32_t tag, uint32_t value)
{
	const uint32_t length = 16 + 16 + 8;

	put(e, at, 0xe85250d6, 4);
	put(e, at + 8, length, 4);
	put(e, at + 12, 0u - (0xe85250d6u + length), 4);
	put(e, at + 16, tag, 4);
	put(e, at + 20, 12, 4);
	put(e, at + 24, value, 4);
	put(e, at + 36, 8, 4);
}

static void test_multiboot2(void **state)
{
	struct image m;
	struct elf e;

	(void)state;
	make_elf(&e, SPAN_OF(nothing));
	multiboot2(&e, 0x100, 3, BASE + CODE_OFFSET + 1);
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_int_equal(m.entry, BASE + CODE_OFFSET + 1);

	make_elf(&e, SPAN_OF(nothing));
	multiboot2(&e, 0x100, 10, 0);
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_true(m.relocatable);

	/* Not at a multiple of 8, or with a wrong sum: no header. */
	make_elf(&e, SPAN_OF(nothing));
	multiboot2(&e, 0x104, 3, BASE + CODE_OFFSET + 1);
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_int_equal(m.entry, BASE + CODE_OFFSET);

	/* A tag that reaches outside. */
	make_elf(&e, SPAN_OF(nothing));
	multiboot2(&e, 0x100, 3, 0);
	put(&e, 0x100 + 20, 0x1000, 4);
	assert_int_equal(parse(&e, &m), IMAGE_E_MULTIBOOT2);
	put(&e, 0x100 + 20, 4, 4);
	assert_int_equal(parse(&e, &m), IMAGE_E_MULTIBOOT2);
}

/* ---- traps ---- */

static void test_decode(void **state)
{
	static const struct {
		uint8_t bytes[4];
		size_t n;
		bool is;
		enum trap_kind kind;
		uint8_t length, reg;
		enum trap_mode mode;
	} rows[] = {
		{ { 0x0f, 0xa2 }, 2, true, TRAP_CPUID, 2, 0, TRAP_MODE_32 }, { { 0x0f, 0x32 }, 2, true, TRAP_RDMSR, 2, 0, TRAP_MODE_32 },
		{ { 0x0f, 0x30 }, 2, true, TRAP_WRMSR, 2, 0, TRAP_MODE_32 }, { { 0x0f, 0x37 }, 2, true, TRAP_GETSEC, 2, 0, TRAP_MODE_32 },
		{ { 0x0f, 0x20, 0xe0 }, 3, true, TRAP_CR4_READ, 3, 0, TRAP_MODE_32 },
		{ { 0x0f, 0x20, 0xe6 }, 3, true, TRAP_CR4_READ, 3, 6, TRAP_MODE_32 },
		{ { 0x0f, 0x22, 0xe1 }, 3, true, TRAP_CR4_WRITE, 3, 1, TRAP_MODE_32 },
		{ { 0x0f, 0x22, 0xc0 }, 3, false, 0, 0, 0, TRAP_MODE_32 }, /* mov cr0, eax */
		{ { 0x0f, 0x20, 0xd8 }, 3, false, 0, 0, 0, TRAP_MODE_32 }, /* mov eax, cr3 */
		{ { 0x0f, 0x0b }, 2, false, 0, 0, 0, TRAP_MODE_32 }, { { 0x0f }, 1, false, 0, 0, 0, TRAP_MODE_32 },
		{ { 0 }, 0, false, 0, 0, 0, TRAP_MODE_32 }, { { 0x0f, 0xa2 }, 2, true, TRAP_CPUID, 2, 0, TRAP_MODE_64 },
		{ { 0x48, 0x0f, 0x37 }, 3, true, TRAP_GETSEC, 3, 0, TRAP_MODE_64 },
		{ { 0x0f, 0x20, 0xe0 }, 3, true, TRAP_CR4_READ, 3, 0, TRAP_MODE_64 },
		{ { 0x41, 0x0f, 0x20, 0xe0 }, 4, true, TRAP_CR4_READ, 4, 8, TRAP_MODE_64 },   /* mov r8, cr4 */
		{ { 0x41, 0x0f, 0x22, 0xe7 }, 4, true, TRAP_CR4_WRITE, 4, 15, TRAP_MODE_64 }, /* mov cr4, r15 */
		{ { 0x44, 0x0f, 0x22, 0xe0 }, 4, false, 0, 0, 0, TRAP_MODE_64 },              /* mov cr12, rax */
		{ { 0x44, 0x0f, 0x22, 0xc0 }, 4, false, 0, 0, 0, TRAP_MODE_64 },              /* mov cr8, rax */
		{ { 0x41, 0x0f, 0x20, 0xe0 }, 4, false, 0, 0, 0, TRAP_MODE_32 },              /* inc ecx; mov eax, cr4 */
	};

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		struct trap t = { 0 };

		if (trap_decode((struct span){ rows[i].bytes, rows[i].n }, rows[i].mode, &t) != rows[i].is)
			fail_msg("row %zu", i);
		if (!rows[i].is)
			continue;
		assert_int_equal(t.kind, rows[i].kind);
		assert_int_equal(t.length, rows[i].length);
		assert_int_equal(t.reg, rows[i].reg);
	}
}

/* A jump over data that swallows the next instruction in a linear sweep: the descent finds it. */
static void test_find(void **state)
{
	static const uint8_t code[] = {
		0x0f, 0xa2,                   /* 0: cpuid */
		0xb8, 0x0f, 0x37, 0x00, 0x00, /* 2: mov eax, 0x370f: no getsec */
		0xeb, 0x01,                   /* 7: jmp 10 */
		0xb8,                         /* 9: data: would be mov eax, imm32 */
		0x0f, 0x37,                   /* 10: getsec */
		0xe8, 0x03, 0x00, 0x00, 0x00, /* 12: call 20 */
		0xc3,                         /* 17: ret */
		0xff, 0xff,                   /* 18: data, no instruction */
		0x0f, 0x22, 0xe2,             /* 20: mov cr4, edx */
		0x75, 0xf1,                   /* 23: jne 10 */
		0xc3,                         /* 25: ret */
		0x0f, 0x32,                   /* 26: rdmsr, which nobody jumps to */
	};
	static const struct {
		uint32_t at;
		enum trap_kind kind;
	} want[] = { { 0, TRAP_CPUID }, { 10, TRAP_GETSEC }, { 20, TRAP_CR4_WRITE }, { 26, TRAP_RDMSR } };
	struct image m;
	struct traps t;
	struct elf e;

	(void)state;
	make_elf(&e, SPAN_OF(code));
	assert_int_equal(parse(&e, &m), IMAGE_OK);
	assert_true(traps_find_in_image(&m, &t));
	for (size_t i = 0; i < GL_COUNT(want); i++) {
		const struct trap *one = traps_at(&t, BASE + CODE_OFFSET + want[i].at);

		assert_non_null(one);
		assert_int_equal(one->kind, want[i].kind);
	}
	assert_null(traps_at(&t, BASE + CODE_OFFSET + 3));
	assert_null(traps_at(&t, 0));
	for (size_t i = 1; i < t.count; i++)
		assert_true(t.list[i - 1].at < t.list[i].at);
	traps_free(&t);
}

/* The same in 64-bit mode: code above 4 GiB, in two pieces, and a place in its middle that is entered. */
static void test_find_64(void **state)
{
	static const uint8_t first[] = {
		0x41, 0x0f, 0x22, 0xe1,       /* 0: mov cr4, r9 */
		0xe9, 0xf7, 0x0f, 0x00, 0x00, /* 4: jmp 0x1000 */
		0x48,                         /* 9: data: a prefix */
		0x0f, 0xa2,                   /* 10: cpuid, where somebody stands */
		0xcb,                         /* 12: retf */
	};
	static const uint8_t second[] = { 0xb8, 0x0f, 0x32, 0x0f, 0x32, 0x0f, 0x37, 0xc3 }; /* mov eax, ..; getsec; ret */
	const uint64_t base = 0x123456000;
	const struct image_range code[] = { { base, SPAN_OF(first) }, { base + 0x1000, SPAN_OF(second) } };
	struct traps t;

	(void)state;
	assert_true(traps_find(&(struct trap_code){ TRAP_MODE_64, code, 2, { base, base + 10 }, 2 }, &t));
	assert_non_null(traps_at(&t, base));
	assert_int_equal(traps_at(&t, base)->reg, 9);
	assert_non_null(traps_at(&t, base + 10));
	assert_int_equal(traps_at(&t, base + 10)->kind, TRAP_CPUID);
	assert_non_null(traps_at(&t, base + 0x1005));
	assert_int_equal(traps_at(&t, base + 0x1005)->kind, TRAP_GETSEC);
	assert_null(traps_at(&t, base + 0x1001));
	assert_null(traps_at(&t, (uint32_t)base));
	traps_free(&t);
	assert_false(traps_find(&(struct trap_code){ TRAP_MODE_64, code, IMAGE_MAX_RANGES + 1, { base }, 1 }, &t));
	traps_free(&t);
}

/* ---- memory map ---- */

static const char map[] =
	"FlatView #0\r\n AS \"I/O\", root: io\r\n Root memory region: io\r\n  0000000000000000-0000000000000007 (prio 0, ram): pc.ram\r\n\r\n"
	"FlatView #1\r\n AS \"memory\", root: system\r\n AS \"cpu-memory-0\", root: system\r\n Root memory region: system\r\n"
	"  0000000000000000-000000000009ffff (prio 0, ram): pc.ram\r\n"
	"  00000000000a0000-00000000000bffff (prio 1, i/o): vga-lowmem\r\n"
	"  00000000000c0000-00000000000dffff (prio 1, rom): pc.ram @00000000000c0000\r\n"
	"  0000000000100000-000000003fffffff (prio 0, ram): pc.ram @0000000000100000\r\n"
	"  0000000040000000-00000000400fffff (prio 0, ram): pc.ram @0000000040000000\r\n"
	"  00000000c8000000-00000000c83fffff (prio 1, ram): txtarea\r\n"
	"  00000000fed40000-00000000fed44fff (prio 0, i/o): tpm-tis-mmio\r\n"
	"  0000000100000000-000000013fffffff (prio 0, ram): pc.ram @0000000080000000\r\n\r\n"
	"FlatView #2\r\n AS \"vtd\", root: x\r\n  0000000200000000-00000002ffffffff (prio 0, ram): pc.ram\r\n";

static void test_ram(void **state)
{
	struct txt_range ram[4];
	unsigned n = 0;

	(void)state;
	assert_true(machine_parse_ram(map, "pc.ram", ram, 4, &n));
	assert_int_equal(n, 3);
	assert_true(ram[0].base == 0 && ram[0].size == 0xa0000);
	assert_true(ram[1].base == 0x100000 && ram[1].size == 0x40000000);
	assert_true(ram[2].base == 0x100000000 && ram[2].size == 0x40000000);
	assert_false(machine_parse_ram(map, "pc.ram", ram, 2, &n));
	assert_false(machine_parse_ram(map, "pc", ram, 4, &n));
	assert_false(machine_parse_ram(map, "none", ram, 4, &n));
	assert_false(machine_parse_ram("", "pc.ram", ram, 4, &n));
	assert_false(machine_parse_ram(
		" AS \"memory\", root: system\n  0000000000000002-0000000000000001 (prio 0, ram): pc.ram\n", "pc.ram", ram, 4, &n));
	assert_false(machine_parse_ram(
		" AS \"memory\", root: system\n  0000000000000000-ffffffffffffffff (prio 0, ram): pc.ram\n", "pc.ram", ram, 4, &n));
}

static void test_smx_registers(void **state)
{
	struct gdb_regs r = {
		.r = { [GDB_RAX] = 0xffffffff00000004, [GDB_RBX] = 0xc8200000, [GDB_CS] = 0xb, [GDB_CR0] = 0x31, [GDB_RIP] = 0x804000 }
	};
	struct gdb_regs back = { 0 };
	struct smx_cpu c = { .number = 0, .smxe = true };

	(void)state;
	machine_to_smx(&r, &c);
	assert_int_equal(c.eax, 4);
	assert_int_equal(c.ebx, 0xc8200000);
	assert_int_equal(c.cpl, 3);
	assert_true(c.smxe);
	assert_true(c.apic_base & SMX_APIC_BASE_BSP);
	machine_from_smx(&c, &back);
	assert_true(back.r[GDB_RIP] == 0x804000);
	/* Upper halves stay where nothing changes. */
	c.ebx = 5;
	back = r;
	machine_from_smx(&c, &back);
	assert_true(back.r[GDB_RAX] == 0xffffffff00000004);
	assert_true(back.r[GDB_RBX] == 5);
	c = (struct smx_cpu){ .number = 1 };
	machine_to_smx(&r, &c);
	assert_false(c.apic_base & SMX_APIC_BASE_BSP);
}

/* ---- QMP, and the devices behind it ---- */

static char path[64];
static pid_t child;

/* Sends the greeting, then one answer for each line that comes in. */
static void start_monitor(const char *greeting, const char *const *answers)
{
	int listener, fd;

	snprintf(path, sizeof(path), "/tmp/gl-qmp-%d", (int)getpid());
	listener = sock_listen(path);
	assert_true(listener >= 0);
	child = fork();
	assert_true(child >= 0);
	if (child) {
		fd_close(&listener);
		return;
	}

	struct buffer in = { .max = 1 << 16 };

	fd = sock_accept(listener);
	if (!sock_send(fd, span_str(greeting), -1, 5000))
		_exit(1);
	while (*answers && sock_receive(fd, &in, NULL) == RECV_SOME)
		while (*answers && in.n && memchr(in.p, '\n', in.n)) {
			buffer_drop(&in, (size_t)((uint8_t *)memchr(in.p, '\n', in.n) - in.p) + 1);
			if (!sock_send(fd, span_str(*answers++), -1, 5000))
				_exit(1);
		}
	_exit(0);
}

static void end_monitor(struct qmp *q)
{
	int status;

	qmp_close(q);
	assert_true(waitpid(child, &status, 0) == child);
	(void)unlink(path);
}

#define GREETING "{\"QMP\": {}}\r\n"
#define AGREED "{\"return\": {}, \"id\": 1}\r\n"

static void count_event(void *ctx, const char *name, json_t *data)
{
	(void)data;
	if (strcmp(name, "RESET") == 0)
		++*(unsigned *)ctx;
}

static void test_qmp(void **state)
{
	static const char *const answers[] = {
		AGREED,
		"{\"event\": \"RESET\", \"data\": {\"guest\": true}}\r\n{\"return\": \"text\\r\\n\", \"id\": 2}\r\n",
		"{\"return\": \"\", \"id\": 3}\r\n",
		"{\"error\": {\"desc\": \"no such thing\"}, \"id\": 4}\r\n",
		NULL,
	};
	unsigned events = 0;
	struct qmp q = { .event = count_event, .ctx = &events };
	char *text;

	(void)state;
	start_monitor(GREETING, answers);
	assert_true(qmp_open(&q, path, 5000));
	assert_true(qmp_monitor(&q, "info x", &text));
	assert_string_equal(text, "text\r\n");
	free(text);
	assert_int_equal(events, 1);
	assert_true(qmp_monitor(&q, "o /w 0xcf8 0", NULL));
	assert_false(qmp_execute(&q, "nonsense", NULL, NULL));
	assert_non_null(strstr(q.why, "no such thing"));
	end_monitor(&q);
}

static void test_qmp_hostile(void **state)
{
	/* clang-format off */
	static const struct {
		const char *greeting, *answer;
	} rows[] = {
		{ "{\"hello\": 1}\r\n", NULL }, { "SSH-2.0\r\n", NULL }, { "[]\r\n", NULL },
		{ GREETING, "{}\r\n" }, { GREETING, "{\"return\": {}, \"id\": 7}\r\n" }, { GREETING, "{\"return\": {}\r\n" }, { GREETING, NULL },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < GL_COUNT(rows); i++) {
		const char *const answers[] = { rows[i].answer, NULL };
		struct qmp q = { 0 };

		start_monitor(rows[i].greeting, answers);
		assert_false(qmp_open(&q, path, 5000));
		assert_true(q.why[0]);
		end_monitor(&q);
	}
}

#define IVSHMEM(slot, function, size) \
	"{\"bus\": 0, \"slot\": " #slot ", \"function\": " #function \
	", \"id\": {\"vendor\": 6900, \"device\": 4368}, \"regions\": [" \
	"{\"bar\": 0, \"type\": \"memory\", \"address\": -1, \"size\": 256}, {\"bar\": 2, \"type\": \"memory\", \"address\": -1, \"size\": " #size \
	"}]}"
#define OTHER \
	"{\"bus\": 0, \"slot\": 1, \"function\": 0, \"id\": {\"vendor\": 6900, \"device\": 4097}, \"regions\": [" \
	"{\"bar\": 4, \"type\": \"memory\", \"address\": 3355443200, \"size\": 16384}]}"
#define PCI(id, devices) "{\"return\": [{\"bus\": 0, \"devices\": [" devices "]}], \"id\": " #id "}\r\n"

#define NOTHING(id) "{\"return\": \"\", \"id\": " #id "}\r\n"

static void test_shm(void **state)
{
	/* clang-format off */
	static const char *const answers[] = {
		AGREED, PCI(2, OTHER ", " IVSHMEM(30, 1, 131072) ", " IVSHMEM(30, 2, 4194304)),
		PCI(3, IVSHMEM(30, 1, 131072)), "{\"return\": \"portl[0x0cf8] = 0x80000004\\r\\n\", \"id\": 4}\r\n",
		NOTHING(5), NOTHING(6), NOTHING(7), NOTHING(8), NOTHING(9), NOTHING(10), NOTHING(11), NOTHING(12), NOTHING(13),
		PCI(14, OTHER), PCI(15, IVSHMEM(3, 0, 131072)), "{\"return\": \"what?\", \"id\": 16}\r\n",
		PCI(17, IVSHMEM(3, 0, 131072) ", " IVSHMEM(4, 0, 131072)), NULL,
	};
	/* clang-format on */
	struct shm s = { .size = 131072 };
	struct qmp q = { 0 };
	char why[160] = "";

	(void)state;
	start_monitor(GREETING, answers);
	assert_true(qmp_open(&q, path, 5000));
	assert_true(shm_find(&s, &q, why, sizeof(why)));
	assert_int_equal(s.slot, 30);
	assert_int_equal(s.function, 1);
	assert_true(shm_place(&s, &q, 0xfed20000, why, sizeof(why)));
	assert_true(s.base == 0xfed20000);
	/* Where the other device is: 0xc8000000. */
	assert_false(shm_place(&s, &q, 0xc8000000, why, sizeof(why)));
	assert_non_null(strstr(why, "00:01.0"));
	/* A monitor that does not tell what the guest has in the address register. */
	assert_false(shm_place(&s, &q, 0xfed20000, why, sizeof(why)));
	assert_non_null(strstr(why, "what?"));
	assert_false(shm_place(&s, &q, 0xfed21000, why, sizeof(why)));
	assert_false(shm_place(&s, &q, 0x100000000, why, sizeof(why)));
	assert_false(shm_find(&s, &q, why, sizeof(why)));
	assert_non_null(strstr(why, "2 ivshmem-plain"));
	end_monitor(&q);
}

int main(void)
{
	/* clang-format off */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_image), cmocka_unit_test(test_image_refuses), cmocka_unit_test(test_multiboot2), cmocka_unit_test(test_decode),
		cmocka_unit_test(test_find), cmocka_unit_test(test_find_64), cmocka_unit_test(test_ram), cmocka_unit_test(test_smx_registers),
		cmocka_unit_test(test_qmp),
		cmocka_unit_test(test_qmp_hostile), cmocka_unit_test(test_shm),
	};
	/* clang-format on */

	return cmocka_run_group_tests(tests, NULL, NULL);
}
