/* SPDX-License-Identifier: BSD-3-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "boot/cpio.h"

#define POISON 0xaa

static struct cpio_member member(const char *path, uint32_t mode, uint64_t size)
{
	return (struct cpio_member){ .path = span_str(path), .mode = mode, .size = size, .offset = 4711 };
}

/* The whole with POISON where cpio_write() may not write. The caller frees it. */
static uint8_t *make(size_t initrd_size, struct cpio_member *m, size_t count, size_t *total)
{
	assert_int_equal(cpio_layout(initrd_size, m, count, total), CPIO_OK);

	uint8_t *whole = malloc(*total + 1);

	assert_non_null(whole);
	memset(whole, POISON, *total + 1);
	assert_int_equal(cpio_write((struct mspan){ whole, *total }, initrd_size, m, count), CPIO_OK);
	assert_int_equal(whole[*total], POISON);
	return whole;
}

/* ---- the bytes ---- */

static void test_golden(void **state)
{
	(void)state;
	struct cpio_member m = member("/d/file", 0644, 5);
	size_t total = 0;
	uint8_t *whole = make(2, &m, 1, &total);
	static const char expected[] =
		"\xaa\xaa\0\0"
		"070701"
		"00000001"
		"000041ED"
		"00000000"
		"00000000"
		"00000002"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000002"
		"00000000"
		"d\0"
		"070701"
		"00000002"
		"000081A4"
		"00000000"
		"00000000"
		"00000001"
		"00000000"
		"00000005"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000007"
		"00000000"
		"d/file\0"
		"\0\0\0"
		"\xaa\xaa\xaa\xaa\xaa\0\0\0"
		"070701"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000001"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"00000000"
		"0000000B"
		"00000000"
		"TRAILER!!!\0"
		"\0\0";

	assert_int_equal(total, sizeof(expected));
	assert_memory_equal(whole, expected, total);
	assert_int_equal(m.offset, 4 + 112 + 120);
	free(whole);
}

/* ---- an archive reader of our own, strict about what Linux needs ---- */

struct found {
	char name[300];
	uint32_t inode, mode, links, size;
	size_t data;
};

static uint32_t field(const uint8_t *header, unsigned number)
{
	char digits[9] = { 0 };
	char *end;

	memcpy(digits, header + 6 + 8 * number, 8);

	uint32_t v = (uint32_t)strtoul(digits, &end, 16);

	assert_ptr_equal(end, digits + 8);
	return v;
}

static void assert_zero(const uint8_t *p, size_t from, size_t to)
{
	for (; from < to; from++)
		assert_int_equal(p[from], 0);
}

static size_t aligned(size_t n)
{
	return (n + 3) / 4 * 4;
}

/* Reads the archive that begins at `at`; what is padding must be 0, and nothing may follow. Returns the number of entries. */
static size_t read_archive(const uint8_t *whole, size_t total, size_t at, struct found *out, size_t max)
{
	for (size_t n = 0;; n++) {
		assert_int_equal(at % 4, 0);
		assert_true(at + 110 <= total);
		assert_memory_equal(whole + at, "070701", 6);
		for (unsigned f = 0; f < 13; f++)
			if (f == 2 || f == 3 || f == 5 || (f >= 7 && f <= 10) || f == 12)
				assert_int_equal(field(whole + at, f), 0);

		size_t name_size = field(whole + at, 11), name_at = at + 110, data = aligned(name_at + name_size);
		size_t size = field(whole + at, 6), next = aligned(data + size);

		assert_true(data <= total && name_size > 1 && name_size <= 256);
		assert_int_equal(strnlen((const char *)whole + name_at, name_size), name_size - 1);
		assert_zero(whole, name_at + name_size, data);
		if (strcmp((const char *)whole + name_at, "TRAILER!!!") == 0) {
			assert_int_equal(size, 0);
			assert_int_equal(data, total);
			return n;
		}
		assert_true(n < max && next <= total);
		assert_zero(whole, data + size, next);
		snprintf(out[n].name, sizeof(out[n].name), "%s", (const char *)whole + name_at);
		out[n].inode = field(whole + at, 0);
		out[n].mode = field(whole + at, 1);
		out[n].links = field(whole + at, 4);
		out[n].size = (uint32_t)size;
		out[n].data = data;
		at = next;
	}
}

static void assert_poison(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(p[i], POISON);
}

/* Every combination of sizes modulo 4: all in its place, the data and the initrd left alone, everything else written. */
static void test_alignment(void **state)
{
	(void)state;
	static const char *const names[] = { "/a", "/ab", "/abc", "/abcd", "/abcde" };
	static struct found found[8];

	for (size_t initrd = 0; initrd < 9; initrd++) {
		for (size_t name = 0; name < GL_COUNT(names); name++) {
			for (size_t size = 0; size < 9; size++) {
				struct cpio_member m[2] = { member(names[name], 0600, size), member("/z", 0777, 3) };
				size_t total = 0;
				uint8_t *whole = make(initrd, m, 2, &total);

				assert_int_equal(read_archive(whole, total, aligned(initrd), found, 8), 2);
				assert_zero(whole, initrd, aligned(initrd));
				assert_poison(whole, initrd);
				for (size_t i = 0; i < 2; i++) {
					assert_int_equal(found[i].data, m[i].offset);
					assert_int_equal(found[i].size, m[i].size);
					assert_int_equal(found[i].mode, 0100000 | m[i].mode);
					assert_int_equal(found[i].links, 1);
					assert_poison(whole + m[i].offset, (size_t)m[i].size);
				}
				assert_string_equal(found[0].name, names[name] + 1);
				free(whole);
			}
		}
	}
}

/* Each directory once, before what it holds, and every entry with an inode number of its own. */
static void test_directories(void **state)
{
	(void)state;
	static const char *const expected[] = { "usr", "usr/bin", "usr/bin/qemu", "etc", "etc/vm", "etc/vm/vm.json", "top", "usr/lib",
		"usr/lib/x", "usr/lib/x/y", "usr/bin/other", "etc/vm2", "etc/vm2/z", "us", "us/r" };
	static struct found found[20];
	/* clang-format off */
	struct cpio_member m[] = {
		member("/usr/bin/qemu", 0755, 1), member("/etc/vm/vm.json", 0644, 2), member("/top", 0644, 3),
		member("/usr/lib/x/y", 0644, 4), member("/usr/bin/other", 0755, 5), member("/etc/vm2/z", 0644, 6),
		member("/us/r", 0644, 7),
	};
	/* clang-format on */
	size_t total = 0;
	uint8_t *whole = make(0, m, GL_COUNT(m), &total);

	assert_int_equal(read_archive(whole, total, 0, found, GL_COUNT(found)), GL_COUNT(expected));
	for (size_t i = 0; i < GL_COUNT(expected); i++) {
		bool is_member = false;

		assert_string_equal(found[i].name, expected[i]);
		assert_int_equal(found[i].inode, i + 1);
		for (size_t j = 0; j < GL_COUNT(m); j++)
			is_member = is_member || strcmp((const char *)m[j].path.p + 1, expected[i]) == 0;
		if (is_member)
			continue;
		assert_int_equal(found[i].mode, 0040755);
		assert_int_equal(found[i].links, 2);
		assert_int_equal(found[i].size, 0);
	}
	free(whole);
}

static void test_no_members(void **state)
{
	(void)state;
	uint8_t byte = POISON;
	size_t total = 4711;

	assert_int_equal(cpio_layout(0, NULL, 0, &total), CPIO_OK);
	assert_int_equal(total, 0);
	assert_int_equal(cpio_write((struct mspan){ NULL, 0 }, 0, NULL, 0), CPIO_OK);
	assert_int_equal(cpio_layout(1, NULL, 0, &total), CPIO_OK);
	assert_int_equal(total, 1);
	assert_int_equal(cpio_write((struct mspan){ &byte, 1 }, 1, NULL, 0), CPIO_OK);
	assert_int_equal(byte, POISON);
}

/* ---- errors ---- */

static void assert_layout_fails(size_t initrd_size, struct cpio_member *m, size_t count, enum cpio_error error)
{
	size_t total = 4711;

	assert_int_equal(cpio_layout(initrd_size, m, count, &total), error);
	assert_int_equal(total, 4711);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(m[i].offset, 4711);
}

static void test_paths(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "/", "a", "a/b", "//a", "/a/", "/a//b", "/./a", "/a/..", "/TRAILER!!!", "/TRAILER!!!/a",
		"/a\n" };
	static const char *const taken[] = { "/a/b", "/a", "/a/b/c", "/a/b/c/d" };

	for (size_t i = 0; i < GL_COUNT(bad); i++) {
		struct cpio_member m[] = { member("/good", 0644, 1), member(bad[i], 0644, 1) };

		assert_layout_fails(0, m, 2, CPIO_E_PATH);
	}
	for (size_t i = 0; i < GL_COUNT(taken); i++) {
		struct cpio_member m[] = { member("/a/b", 0644, 1), member("/a/bc", 0644, 1), member(taken[i], 0644, 1) };

		assert_layout_fails(0, m, 3, CPIO_E_PATH_TAKEN);
	}
}

static void test_modes(void **state)
{
	(void)state;
	struct cpio_member m = member("/a", 010000, 1);
	size_t total;

	assert_layout_fails(0, &m, 1, CPIO_E_MODE);
	m.mode = 0100644;
	assert_layout_fails(0, &m, 1, CPIO_E_MODE);
	m.mode = 07777;
	assert_int_equal(cpio_layout(0, &m, 1, &total), CPIO_OK);
}

static void test_sizes(void **state)
{
	(void)state;
	struct cpio_member m[] = { member("/a", 0644, UINT32_MAX), member("/b", 0644, UINT32_MAX) };
	size_t total = 0;

	assert_int_equal(cpio_layout(0, m, 2, &total), CPIO_OK);
	assert_int_equal(m[0].offset, 112);
	assert_int_equal(m[1].offset, 112 + 4294967296 + 112);
	assert_int_equal(total, 2 * (112 + 4294967296) + 124);
	m[0].offset = m[1].offset = 4711;
	m[1].size = 4294967296;
	assert_layout_fails(0, m, 2, CPIO_E_SIZE);
	m[1].size = UINT64_MAX;
	assert_layout_fails(0, m, 2, CPIO_E_SIZE);
}

/* The end of the address space at every place in the archive. */
static void test_overflow(void **state)
{
	(void)state;
	struct cpio_member m[] = { member("/d/a", 0644, 1000) };
	size_t total = 0;

	assert_int_equal(cpio_layout(0, m, 1, &total), CPIO_OK);
	for (size_t less = 0; less < total; less++) {
		m[0].offset = 4711;
		assert_layout_fails(SIZE_MAX - less, m, 1, CPIO_E_SIZE);
	}
	assert_int_equal(cpio_layout(SIZE_MAX - 3 - total, m, 1, &total), CPIO_OK);
	assert_int_equal(total, SIZE_MAX - 3);
}

static void test_write_refuses(void **state)
{
	(void)state;
	struct cpio_member m[] = { member("/d/a", 0644, 4), member("/d/b", 0644, 8) };
	uint8_t whole[1024];
	size_t total = 0;

	memset(whole, POISON, sizeof(whole));
	assert_int_equal(cpio_layout(8, m, 2, &total), CPIO_OK);
	assert_int_equal(cpio_write((struct mspan){ whole, total - 1 }, 8, m, 2), CPIO_E_BUFFER);
	assert_int_equal(cpio_write((struct mspan){ whole, total + 1 }, 8, m, 2), CPIO_E_BUFFER);
	assert_int_equal(cpio_write((struct mspan){ NULL, 0 }, 8, m, 2), CPIO_E_BUFFER);
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 12, m, 2), CPIO_E_BUFFER);
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 8, m, 1), CPIO_E_BUFFER);
	/* the same total, but the data of the second member would be elsewhere */
	m[0].size = 8;
	m[1].size = 4;
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 8, m, 2), CPIO_E_LAYOUT);
	m[0].size = 4;
	m[1].size = UINT64_MAX;
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 8, m, 2), CPIO_E_SIZE);
	m[1].size = 8;
	m[1].path = SPAN_LITERAL("/d/a");
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 8, m, 2), CPIO_E_PATH_TAKEN);
	assert_poison(whole, sizeof(whole));
	m[1].path = SPAN_LITERAL("/d/b");
	assert_int_equal(cpio_write((struct mspan){ whole, total }, 8, m, 2), CPIO_OK);
}

/* ---- GNU cpio's opinion ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void assert_file(const char *folder, const struct cpio_member *m, const uint8_t *data)
{
	char path[512];
	struct stat st;

	snprintf(path, sizeof(path), "%s%.*s", folder, (int)m->path.n, (const char *)m->path.p);
	if (lstat(path, &st) != 0)
		fail_msg("%s was not unpacked", path);
	assert_int_equal(st.st_mode, S_IFREG | m->mode);
	assert_int_equal(st.st_size, m->size);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtime, 0);

	FILE *f = fopen(path, "rb");
	uint8_t *back = malloc((size_t)m->size + 1);

	assert_non_null(f);
	assert_non_null(back);
	assert_int_equal(fread(back, 1, (size_t)m->size + 1, f), m->size);
	assert_memory_equal(back, data, (size_t)m->size);
	free(back);
	fclose(f);
}

static void unpack_and_compare(const char *folder)
{
	/* clang-format off */
	struct cpio_member m[] = {
		member("/usr/bin/qemu-system-x86_64", 0755, 70001), member("/etc/vm/vm.json", 0644, 3), member("/etc/vm/empty", 0600, 0),
		member("/top level", 0444, 1), member("/usr/bin/zz", 0750, 4096), member("/usr/lib/a/b/c/d", 0640, 5),
	};
	/* clang-format on */
	static const char *const directories[] = { "usr", "usr/bin", "etc", "etc/vm", "usr/lib", "usr/lib/a/b/c" };
	const size_t initrd_size = 13;
	char command[512];
	size_t total = 0;
	struct stat st;
	uint8_t *whole = make(initrd_size, m, GL_COUNT(m), &total);

	for (size_t i = 0; i < GL_COUNT(m); i++)
		for (size_t j = 0; j < m[i].size; j++)
			whole[m[i].offset + j] = (uint8_t)(j * 31 + i);
	/* no -d: the archive has to bring the directories itself */
	snprintf(command, sizeof(command), "umask 077 && cd '%s' && cpio -i --quiet --preserve-modification-time --no-absolute-filenames",
		folder);

	FILE *pipe = popen(command, "w");

	assert_non_null(pipe);
	assert_int_equal(fwrite(whole + aligned(initrd_size), 1, total - aligned(initrd_size), pipe), total - aligned(initrd_size));
	assert_int_equal(pclose(pipe), 0);
	for (size_t i = 0; i < GL_COUNT(m); i++)
		assert_file(folder, &m[i], whole + m[i].offset);
	for (size_t i = 0; i < GL_COUNT(directories); i++) {
		snprintf(command, sizeof(command), "%s/%s", folder, directories[i]);
		assert_int_equal(lstat(command, &st), 0);
		assert_int_equal(st.st_mode, S_IFDIR | 0755);
	}
	free(whole);
}

static char temporary[64];

static int make_temporary(void **state)
{
	(void)state;
	snprintf(temporary, sizeof(temporary), "/tmp/test_cpio.XXXXXX");
	return mkdtemp(temporary) ? 0 : -1;
}

static int remove_temporary(void **state)
{
	(void)state;
	return nftw(temporary, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void test_gnu_cpio(void **state)
{
	(void)state;
	unpack_and_compare(temporary);
}

static void test_texts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < CPIO_ERROR_COUNT; i++) {
		assert_non_null(cpio_strerror((enum cpio_error)i));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(cpio_strerror((enum cpio_error)i), cpio_strerror((enum cpio_error)j));
	}
	assert_string_equal(cpio_strerror(CPIO_ERROR_COUNT), "unknown cpio error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_alignment),
		cmocka_unit_test(test_directories),
		cmocka_unit_test(test_no_members),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_overflow),
		cmocka_unit_test(test_write_refuses),
		cmocka_unit_test_setup_teardown(test_gnu_cpio, make_temporary, remove_temporary),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests_name("cpio", tests, NULL, NULL);
}
