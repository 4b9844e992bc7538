/* SPDX-License-Identifier: BSD-3-Clause */
/* What a launch left: its log, and what was started. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "common/cursor.h"
#include "common/eventlog.h"

static const EFI_GUID guid = GEOLAUNCH_GUID;
static const CHAR16 name[] = u"GeolaunchEventLog";

void scene_expect_no_log(void)
{
	assert_null(fw_variable(name, &guid));
	assert_null(fw_table(&guid));
}

void scene_expect_log(unsigned events)
{
	const struct fw_variable *v = fw_variable(name, &guid);
	const uint8_t *table = fw_table(&guid);
	struct eventlog_reader r;
	enum eventlog_status s;
	struct event e;
	struct pcrs p;
	struct rd header;
	unsigned count = 0;

	assert_non_null(v);
	assert_int_equal(v->attributes, EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS);
	assert_non_null(table);
	header = rd_init((struct span){ table, 16 });
	assert_int_equal(rd_le32(&header), 1);
	assert_int_equal(rd_le32(&header), 0);
	assert_int_equal(rd_le64(&header), v->n);
	assert_memory_equal(table + 16, v->data, v->n);

	pcrs_reset_dynamic(&p, scene.options.banks, false);
	assert_int_equal(eventlog_replay((struct span){ v->data, v->n }, &p), EVENTLOG_END);
	for (enum alg a = 0; a < ALG_COUNT; a++)
		for (unsigned pcr = 17; pcr <= 22; pcr++)
			if (scene.options.banks & ALG_BIT(a))
				assert_memory_equal(p.v[a][pcr], scene.tpm.pcrs.v[a][pcr], alg_table[a].size);

	assert_int_equal(eventlog_open(&r, (struct span){ v->data, v->n }), EVENTLOG_EVENT);
	while ((s = eventlog_next(&r, &e)) == EVENTLOG_EVENT)
		count += e.type != EV_NO_ACTION;
	assert_int_equal(s, EVENTLOG_END);
	assert_int_equal(count, events);
}

/* ---------------------------------------------------------------- cpio */

static uint32_t hex(struct rd *r)
{
	char digits[9] = "";
	struct span s = rd_bytes(r, 8);

	assert_int_equal(s.n, 8);
	memcpy(digits, s.p, 8);
	return (uint32_t)strtoul(digits, NULL, 16);
}

static void align(struct rd *r)
{
	while (r->off % 4)
		assert_int_equal(rd_u8(r), 0);
}

/* Finds a member as Linux would; false if there is none. `files` counts the regular ones. */
static bool find_member(struct span archive, size_t at, const char *path, struct span *data, uint32_t *mode, unsigned *files)
{
	struct rd r = rd_init(archive);
	bool found = false;

	(void)rd_bytes(&r, at);
	align(&r);
	*files = 0;
	for (;;) {
		uint32_t f[13];
		struct span member_name, bytes;

		assert_true(span_is_str(rd_bytes(&r, 6), "070701"));
		for (size_t i = 0; i < GL_COUNT(f); i++)
			f[i] = hex(&r);
		member_name = rd_bytes(&r, f[11]);
		align(&r);
		bytes = rd_bytes(&r, f[6]);
		align(&r);
		assert_false(r.bad);
		assert_int_equal(member_name.p[member_name.n - 1], 0);
		if (strcmp((const char *)member_name.p, "TRAILER!!!") == 0)
			break;
		if ((f[1] & 0170000) == 0100000)
			++*files;
		if (strcmp((const char *)member_name.p, path) == 0) {
			found = true;
			*data = bytes;
			*mode = f[1];
		}
	}
	assert_true(rd_done(&r));
	return found;
}

static void expect_member(unsigned module, size_t initrd_size, bool wanted, uint32_t wanted_mode, unsigned wanted_files)
{
	const struct scene_module *m = &scene.modules[module];
	struct span data = { NULL, 0 };
	unsigned files = 0;
	uint32_t mode = 0;
	bool found =
		find_member((struct span){ fw.initrd, fw.initrd_n }, initrd_size, (const char *)m->cmdline.p + 1, &data, &mode, &files);

	assert_int_equal(found, wanted);
	assert_int_equal(files, wanted_files);
	if (!wanted)
		return;
	assert_int_equal(data.n, m->bytes.n);
	assert_memory_equal(data.p, m->bytes.p, data.n);
	assert_int_equal(mode, wanted_mode);
}

void scene_expect_started(unsigned modules)
{
	const struct scene_module *m = scene.modules;
	bool initrd = modules >> SCENE_INITRD & 1, vmm = modules >> SCENE_VMM & 1, file = modules >> SCENE_FILE & 1;
	size_t initrd_size = initrd ? m[SCENE_INITRD].bytes.n : 0;

	assert_int_equal(fw.ended, FW_STARTED);
	assert_int_equal(fw.starts, 1);
	assert_int_equal(fw.kernel_n, m[SCENE_LINUX].bytes.n);
	assert_memory_equal(fw.kernel, m[SCENE_LINUX].bytes.p, fw.kernel_n);
	assert_int_equal(strlen(fw.options), m[SCENE_LINUX].cmdline.n);
	assert_memory_equal(fw.options, m[SCENE_LINUX].cmdline.p, m[SCENE_LINUX].cmdline.n);
	assert_int_equal(fw_console_count("geolaunch: halted"), 0);
	if (!initrd && !vmm && !file) {
		assert_int_equal(fw.initrd_status, EFI_NOT_FOUND);
		return;
	}
	assert_int_equal(fw.initrd_status, EFI_SUCCESS);
	assert_true(fw.initrd_n >= initrd_size);
	assert_memory_equal(fw.initrd, m[SCENE_INITRD].bytes.p, initrd_size);
	if (vmm || file) {
		expect_member(SCENE_VMM, initrd_size, vmm, 0100755, (unsigned)vmm + file + scene.options.more_files);
		expect_member(SCENE_FILE, initrd_size, file, 0100644, (unsigned)vmm + file + scene.options.more_files);
	} else {
		assert_int_equal(fw.initrd_n, initrd_size);
	}
}
