/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_scene.h"

#include <cmocka.h>

#include "common/cursor.h"
#include "tboot-policy/vlp.h"

#define KERNEL_SIZE (700 * 1024 + 37)
#define INITRD_SIZE 10001
#define VMM_SIZE 5003
#define CMDLINE "console=ttyS0 root=/dev/vda1"
#define VMM_PATH "/usr/bin/vmm"
#define FILE_PATH "/etc/vm/vm.json"

struct scene scene;

static uint8_t kernel[KERNEL_SIZE], initrd[INITRD_SIZE], vmm[VMM_SIZE], vm[] = "{ \"name\": \"demo\" }";
static uint8_t geo[64];
static char conf[32768];
static uint8_t policy[VLP_MAX_SIZE];
static char more_paths[128][64];

/* ---------------------------------------------------------------- the host */

static void noise(uint8_t *p, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)(seed >> 24);
	}
}

static bool firmware_ready(void)
{
	return scene.registers.active == 0;
}

static EFI_STATUS EFIAPI get_capability(struct tcg2_protocol *self, struct tcg2_capability *out)
{
	assert_ptr_equal(self, &scene.tcg2);
	assert_int_equal(out->size, sizeof(*out));
	*out = (struct tcg2_capability){ .size = sizeof(*out), .tpm_present = TRUE, .max_command_size = 4096, .max_response_size = 4096 };
	return EFI_SUCCESS;
}

/* OVMF answers so when the TPM is at another locality. */
static EFI_STATUS EFIAPI submit_command(struct tcg2_protocol *self, UINT32 in_size, UINT8 *in, UINT32 out_size, UINT8 *out)
{
	size_t n;

	assert_ptr_equal(self, &scene.tcg2);
	if (!firmware_ready())
		return EFI_BUFFER_TOO_SMALL;
	n = scene.registers.execute(scene.registers.execute_ctx, 0, (struct span){ in, in_size }, (struct mspan){ out, out_size });
	if (n == FAKE_NO_RESPONSE)
		fw_stall(); /* edk2 waits for it by minutes */
	return EFI_SUCCESS;
}

static void make_tpm(void)
{
	static const EFI_GUID tcg2_guid = TCG2_PROTOCOL_GUID;
	EFI_HANDLE h = NULL;

	soft_tpm_init(&scene.tpm, scene.options.banks);
	fake_tpm_init(&scene.registers, FAKE_TIS, soft_tpm_execute, &scene.tpm);
	(void)soft_tpm_define(&scene.tpm, SCENE_GEO, scene.geo);
	for (unsigned i = 0; i < scene.options.more_nv; i++)
		(void)soft_tpm_define(&scene.tpm, SCENE_GEO + 1 + i, scene.geo);
	scene.tcg2 = (struct tcg2_protocol){ .get_capability = get_capability, .submit_command = submit_command };
	fw_install(&h, &tcg2_guid, &scene.tcg2);
	fw.firmware_ready = firmware_ready;
}

static void make_description(void)
{
	size_t n;

	n = (size_t)snprintf(conf, sizeof(conf),
		"geolaunch 1\nmode direct\npolicy policy.vlp\non-halt %s\nhalt-delay %u\n"
		"module hypervisor\nfile linux\ncmdline " CMDLINE
		"\nmodule initrd\nfile initrd\n"
		"module vmm\nfile vmm\npath " VMM_PATH "\nmode 0755\nmodule file\nfile file-0\npath " FILE_PATH "\nmode 0644\n",
		scene.options.poweroff ? "poweroff" : "return", scene.options.halt_delay);
	for (unsigned i = 0; i < scene.options.more_files; i++)
		n += (size_t)snprintf(conf + n, sizeof(conf) - n, "module file\nfile more-%u\npath /more/%u\nmode 0644\n", i, i);
	n += (size_t)snprintf(conf + n, sizeof(conf) - n, "end\n");
	assert_true(n < sizeof(conf));
	scene.modules[SCENE_CONF].bytes = (struct span){ (const uint8_t *)conf, n };
}

static void put_entry(struct wr *w, uint8_t module, uint8_t pcr, uint32_t index, const uint8_t *hash, size_t n)
{
	wr_u8(w, module);
	wr_u8(w, pcr);
	wr_u8(w, hash != NULL);
	wr_le32(w, index);
	wr_u8(w, hash != NULL);
	wr_bytes(w, (struct span){ hash, hash ? n : 0 });
}

static void make_policy(void)
{
	enum alg hash = scene.options.hash;
	size_t n = alg_table[hash].size;
	unsigned modules = scene.options.short_policy ? 2 : SCENE_MODULE_COUNT;
	struct wr w = wr_init((struct mspan){ policy, sizeof(policy) });
	uint8_t d[DIGEST_MAX];

	wr_u8(&w, 2);
	wr_u8(&w, scene.options.type);
	wr_u8(&w, (uint8_t)alg_table[hash].tpm_id);
	wr_le32(&w, 1);
	wr_le32(&w, 0);
	wr_u8(&w, (uint8_t)(modules + (scene.options.short_policy ? 0 : scene.options.more_files) + 1 + scene.options.more_nv +
			    scene.options.long_policy));
	put_entry(&w, 0, 255, 0, NULL, 0);
	for (uint8_t i = 1; i < modules; i++) {
		oracle_module_digest(hash, scene.modules[i].cmdline, scene.modules[i].bytes, d);
		put_entry(&w, i, (uint8_t)scene.modules[i].pcr, 0, d, n);
	}
	for (uint8_t i = 0; i < scene.options.more_files && !scene.options.short_policy; i++)
		put_entry(&w, (uint8_t)(SCENE_MODULE_COUNT + i), 21, 0, NULL, 0);
	if (scene.options.long_policy)
		put_entry(&w, SCENE_MODULE_COUNT, 20, 0, NULL, 0);
	if (scene.options.raw && scene.geo.n == n)
		memcpy(d, scene.geo.p, n);
	else
		oracle_hash(hash, scene.geo, span_str(""), span_str(""), d);
	put_entry(&w, scene.options.raw ? 131 : 130, 22, SCENE_GEO, d, n);
	for (unsigned i = 0; i < scene.options.more_nv; i++)
		put_entry(&w, 130, 22, SCENE_GEO + 1 + i, NULL, 0);
	assert_false(w.bad);
	scene.policy = wr_span(&w);
}

static EFI_STATUS run_app(void *ctx)
{
	return app_run(ctx);
}

void scene_init(const struct scene_options *o)
{
	fw_init();
	memset(&scene, 0, sizeof(scene));
	scene.options = *o;
	noise(kernel, sizeof(kernel), 1);
	noise(initrd, sizeof(initrd), 2);
	noise(vmm, sizeof(vmm), 3);
	noise(geo, sizeof(geo), 4);
	scene.geo = SPAN_OF(geo);
	scene.modules[SCENE_CONF] = (struct scene_module){ SCENE_FOLDER "launch.conf", 17, span_str(""), { NULL, 0 } };
	scene.modules[SCENE_LINUX] = (struct scene_module){ SCENE_FOLDER "linux", 19, span_str(CMDLINE), SPAN_OF(kernel) };
	scene.modules[SCENE_INITRD] = (struct scene_module){ SCENE_FOLDER "initrd", 19, span_str(""), SPAN_OF(initrd) };
	scene.modules[SCENE_VMM] = (struct scene_module){ SCENE_FOLDER "vmm", 20, span_str(VMM_PATH), SPAN_OF(vmm) };
	scene.modules[SCENE_FILE] = (struct scene_module){ SCENE_FOLDER "file-0", 21, span_str(FILE_PATH), SPAN_OF(vm) };
	make_description();
	make_policy();
	for (unsigned i = 0; i < SCENE_MODULE_COUNT; i++)
		(void)fw_add_file(scene.modules[i].path, scene.modules[i].bytes);
	(void)fw_add_file(SCENE_FOLDER "policy.vlp", scene.policy);
	for (unsigned i = 0; i < o->more_files; i++) {
		(void)snprintf(more_paths[i], sizeof(more_paths[i]), SCENE_FOLDER "more-%u", i);
		(void)fw_add_file(more_paths[i], SPAN_LITERAL("x"));
	}
	make_tpm();
	scene.env = (struct efi_env){
		.image = fw.application,
		.st = &fw.st,
		.bs = &fw.bs,
		.mmio = &scene.registers.mmio,
		.ticks = fw_ticks,
		.ticks_per_ms = 1000,
	};
}

struct fw_file *scene_file(unsigned module)
{
	return fw_find_file(scene.modules[module].path);
}

unsigned scene_commands(uint32_t code)
{
	unsigned n = 0;

	for (unsigned i = 0; i < scene.tpm.commands; i++)
		n += scene.tpm.trace[i].code == code;
	return n;
}

enum fw_end scene_run_unchecked(void)
{
	scene.env.ticks_start = fw_ticks();
	return fw_run(run_app, &scene.env);
}

enum fw_end scene_run(void)
{
	enum fw_end end = scene_run_unchecked();

	assert_int_equal(fw.open_files, 0);
	assert_true(fw.watchdog_off > 0 || fw.fail_allocation == 1);
	if (!scene.registers.never_grant && scene.registers.gate[0] == FAKE_OPEN)
		assert_int_equal(scene.registers.active, 0);
	if (end == FW_RETURNED) {
		fw_assert_nothing_left();
		assert_true(EFI_ERROR(fw.status));
	}
	return end;
}

/* ---------------------------------------------------------------- expectations */

struct step {
	enum { STEP_POLICY, STEP_MODULE, STEP_NV, STEP_CLOSING, STEP_CAP } kind;
	unsigned pcr;
	unsigned module;
	char reason[32];
};

struct steps {
	struct step s[128];
	size_t n;
};

static void add_step(struct steps *out, struct step s)
{
	assert_true(out->n < GL_COUNT(out->s));
	out->s[out->n++] = s;
}

static void parse_steps(struct steps *out, const char *text)
{
	char copy[512], *save = NULL;

	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		struct step s = { .kind = STEP_CAP };

		if (strcmp(w, "policy") == 0) {
			add_step(out, (struct step){ .kind = STEP_POLICY, .pcr = 17 });
			add_step(out, (struct step){ .kind = STEP_POLICY, .pcr = 18 });
		} else if (sscanf(w, "m%u", &s.module) == 1) {
			assert_true(s.module < SCENE_MODULE_COUNT);
			s.kind = STEP_MODULE;
			add_step(out, s);
		} else if (strcmp(w, "nv") == 0) {
			add_step(out, (struct step){ .kind = STEP_NV, .pcr = 22 });
		} else if (strcmp(w, "closing") == 0) {
			add_step(out, (struct step){ .kind = STEP_CLOSING, .pcr = 17 });
		} else if (sscanf(w, "cap%u:%31s", &s.pcr, s.reason) == 2) {
			add_step(out, s);
		} else if (sscanf(w, "caps:%31s", s.reason) == 1) {
			for (s.pcr = 17; s.pcr <= 22; s.pcr++)
				add_step(out, s);
		} else {
			fail_msg("no step: %s", w);
		}
	}
}

static void replay(const struct steps *steps, size_t count, struct oracle *o)
{
	assert_true(count <= steps->n);
	for (size_t i = 0; i < count; i++) {
		const struct step *s = &steps->s[i];
		const struct scene_module *m = &scene.modules[s->module];

		switch (s->kind) {
		case STEP_POLICY:
			oracle_policy(o, s->pcr, 1, scene.policy);
			break;
		case STEP_MODULE:
			oracle_module(o, m->pcr, m->cmdline, m->bytes);
			break;
		case STEP_NV:
			oracle_nv(o, s->pcr, scene.options.raw, scene.geo);
			break;
		case STEP_CLOSING:
			oracle_closing(o);
			break;
		case STEP_CAP:
			oracle_cap(o, s->pcr, s->reason);
			break;
		}
	}
}

void scene_expect_cut(const char *steps, unsigned count, const char *then)
{
	struct steps first = { .n = 0 }, second = { .n = 0 };
	struct oracle o;

	parse_steps(&first, steps);
	parse_steps(&second, then);
	oracle_reset(&o, scene.options.banks);
	replay(&first, count, &o);
	replay(&second, second.n, &o);
	oracle_assert(&o, &scene.tpm.pcrs);
}

unsigned scene_count(const char *steps)
{
	struct steps s = { .n = 0 };

	parse_steps(&s, steps);
	return (unsigned)s.n;
}

void scene_expect(const char *steps)
{
	scene_expect_cut(steps, scene_count(steps), "");
}

void scene_expect_halted(const char *reason)
{
	char line[64];
	const char *at;

	(void)snprintf(line, sizeof(line), "geolaunch: halted: %s: ", reason);
	at = strstr(fw.console, line);
	if (!at)
		fail_msg("no \"%s\" in:\n%s", line, fw.console);
	/* Its line is the last one, and nothing was said of a start. */
	assert_ptr_equal(strchr(at, '\n'), fw.console + fw.console_n - 1);
	assert_int_equal(fw_console_count("geolaunch: halted: "), 1);
	assert_int_not_equal(fw.ended, FW_STARTED);
	if (fw.ended == FW_RESET) {
		assert_int_equal(fw.reset_type, EfiResetShutdown);
		assert_true(EFI_ERROR(fw.reset_status));
	} else {
		assert_true(EFI_ERROR(fw.status));
		assert_int_equal(fw.stalled_us, 0);
	}
}
