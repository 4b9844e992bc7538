/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/livelog_txt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cursor.h"
#include "txt/heap.h"
#include "txt/registers.h"

#define FOUR_GIB 0x100000000ull
/* Real heaps have 1 MiB, logs 8 KiB. */
#define HEAP_MAX ((size_t)64 << 20)
#define LOG_MAX ((size_t)1 << 20)

struct memory {
	const char *name;
	int fd;
	bool file; /* a plain file: reading behind its end fails, a mapping would kill */
};

static void end_memory(struct memory *m)
{
	cli_closep(&m->fd);
}

/* Kernels give out firmware's memory by mmap() only; base and size need not lie on page boundaries. */
static bool read_mapped(const struct memory *m, uint64_t base, uint8_t *out, size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (size_t)(base % page);
	const volatile uint8_t *from;
	void *map = mmap(NULL, before + n, PROT_READ, MAP_SHARED, m->fd, (off_t)(base - before));

	if (map == MAP_FAILED)
		return false;
	from = (const volatile uint8_t *)map + before;
	for (size_t i = 0; i < n; i++)
		out[i] = from[i];
	(void)munmap(map, before + n);
	return true;
}

static bool read_at(const struct memory *m, uint64_t base, uint8_t *out, size_t n)
{
	if (!m->file)
		return read_mapped(m, base, out, n);
	return pread(m->fd, out, n, (off_t)base) == (ssize_t)n;
}

static bool bad(const struct memory *m, struct cli_fault *fault, const char *what)
{
	return cli_fail(fault, CLI_INPUT, "the TXT event log cannot be used: %s: %s: give a log file instead", what, m->name);
}

/* Allocates; NULL after a fault. */
static uint8_t *read_range(const struct memory *m, uint64_t base, uint64_t size, size_t max, const char *what, struct cli_fault *fault)
{
	uint8_t *out;

	if (size == 0 || size > max || base == 0 || base >= FOUR_GIB || base + size > FOUR_GIB) {
		(void)bad(m, fault, what);
		return NULL;
	}
	out = malloc((size_t)size);
	if (!out) {
		(void)cli_fail(fault, CLI_IO, "out of memory: TXT event log");
		return NULL;
	}
	if (read_at(m, base, out, (size_t)size))
		return out;
	free(out);
	(void)cli_fail(fault, CLI_IO, "cannot read the %s at 0x%llx: %s: %s; run as root, without kernel lockdown", what,
		(unsigned long long)base, m->name, strerror(errno));
	return NULL;
}

static uint64_t reg(const uint8_t *space, size_t offset)
{
	struct rd r = rd_init((struct span){ space + offset, 8 });

	return rd_le64(&r);
}

static bool read_log(const struct memory *m, uint64_t heap_base, uint64_t heap_size, uint8_t **log, size_t *n, struct cli_fault *fault)
{
	CLEANUP_FREE uint8_t *heap = read_range(m, heap_base, heap_size, HEAP_MAX, "TXT heap", fault), *bytes = NULL;
	struct heap_tables tables;
	struct heap_os_sinit os;
	const struct heap_log *l = &os.tcg_log;
	enum heap_table where;
	enum txt_rule rule;

	if (!heap)
		return false;
	rule = heap_locate((struct span){ heap, (size_t)heap_size }, HEAP_OS_SINIT + 1, &tables, &where);
	if (!rule)
		rule = heap_os_sinit_decode(tables.table[HEAP_OS_SINIT].content, &os);
	if (rule)
		return bad(m, fault, txt_rule_info(rule)->text);
	if (!os.has_tcg_log)
		return true;
	if (l->first > l->next || l->next > l->size)
		return bad(m, fault, "its first and last record are not in it");
	bytes = read_range(m, l->base, l->size, LOG_MAX, "event log", fault);
	if (!bytes)
		return false;
	memmove(bytes, bytes + l->first, l->next - l->first);
	*n = l->next - l->first;
	*log = bytes;
	bytes = NULL;
	return true;
}

bool livelog_txt(const char *mem, uint8_t **log, size_t *n, int *unseen, struct cli_fault *fault)
{
	CLEANUP(end_memory) struct memory m = { .name = mem, .fd = open(mem, O_RDONLY | O_CLOEXEC | O_SYNC) };
	uint8_t registers[TXT_PUBLIC_SIZE];
	struct stat st;

	*log = NULL;
	*n = 0;
	*unseen = m.fd < 0 && errno != ENOENT ? errno : 0;
	if (m.fd < 0 || fstat(m.fd, &st) != 0)
		return true;
	m.file = S_ISREG(st.st_mode);
	if (!read_at(&m, TXT_PUBLIC_BASE, registers, sizeof(registers))) {
		*unseen = m.file ? 0 : errno;
		return true;
	}
	if (reg(registers, TXT_DIDVID) == 0 || reg(registers, TXT_DIDVID) == UINT64_MAX || !(reg(registers, TXT_STS) & TXT_STS_SENTER_DONE))
		return true;
	return read_log(&m, reg(registers, TXT_HEAP_BASE), (uint32_t)reg(registers, TXT_HEAP_SIZE), log, n, fault);
}
