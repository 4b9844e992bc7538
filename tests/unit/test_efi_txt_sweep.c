/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TPM fault sweep of what geolaunch.efi does in mode txt: the commands of pre-flight, and the caps of a host that is not launched. A real
 * software TPM of which each command goes wrong, in each way, under each type of policy, on a host of each kind. What must come of it
 * follows from rules.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_efi_txt.h"

#include <cmocka.h>

#include "qemu/proxy/tpm_message.h"
#include "tboot-policy/vlp.h"
#include "tests/unit/faulty_tpm.h"

/* Of SINIT's index set 1, which the scene's module has. */
#define VLP_INDEX 0x01c10131u
#define LCP_INDEX 0x01c10106u
#define PATIENCE_US 180000000
#define ALL_CAPS "caps:preflight"

static struct faulty_tpm faulty;
static const char *const type_name[] = { [VLP_NONFATAL] = "nonfatal", [VLP_CONTINUE] = "continue", [VLP_HALT] = "halt" };

enum host {
	HOST_OPEN,   /* locality 2 is open: pre-flight talks to the TPM by registers */
	HOST_CLOSED, /* it is not, as it should be before SENTER: through the firmware */
	HOST_MISFIT, /* open, and no SINIT module fits: no launch, PCR 17-22 are capped */
};
static const char *const host_name[] = { "open", "closed", "misfit" };

struct fault {
	unsigned at; /* from 1; 0 none */
	enum fault_kind kind;
	bool late;
	enum host host;
	uint8_t type;
};

static struct {
	unsigned count;
	uint32_t code[FAULTY_TRACE_MAX], handle[FAULTY_TRACE_MAX];
	unsigned extends_before[FAULTY_TRACE_MAX];
} good;

/* What has to come of it. */
struct outcome {
	enum { LAUNCHED, UNMEASURED, HALTED } end;
	const char *why;  /* HALTED */
	const char *caps; /* what is in PCR 17-22, see scene_expect(); "" nothing */
};

static void launch(const struct fault *f)
{
	efi_txt_good(f->type);
	if (f->host == HOST_MISFIT)
		efi_txt_sinit(0xb002);
	fake_tpm_init(&scene.registers, FAKE_TIS, faulty_execute, &faulty);
	if (f->host == HOST_CLOSED)
		scene.registers.gate[2] = FAKE_ONES;
	scene.options.banks = ALG_SET_ALL;
	faulty_reset(&faulty, &scene.registers, false);
	faulty.at = f->at;
	faulty.kind = f->kind;
	faulty.late = f->late;
	(void)scene_run_unchecked();
	faulty_pcrs(&faulty, &scene.tpm.pcrs);
}

/* ---------------------------------------------------------------- the rules */

/* No launch can be made of it. */
static struct outcome no_launch(uint8_t type, const char *caps)
{
	return type == VLP_NONFATAL ? (struct outcome){ UNMEASURED, NULL, caps } : (struct outcome){ HALTED, "preflight", caps };
}

/* The same, with PCR 17-22 open and not all of them capped: nothing is started that could pass for what it is not. */
static struct outcome not_all_capped(uint8_t type, const char *caps)
{
	return (struct outcome){ HALTED, type == VLP_NONFATAL ? "tpm-error" : "preflight", caps };
}

/* The content of an index is not known: policy or tag may be another one. */
static struct outcome unknown_content(uint8_t type, const char *caps)
{
	return type == VLP_HALT ? (struct outcome){ HALTED, "preflight", caps } : (struct outcome){ LAUNCHED, NULL, "" };
}

static struct outcome without_fault(const struct fault *f)
{
	return f->host == HOST_MISFIT ? no_launch(f->type, ALL_CAPS) : (struct outcome){ LAUNCHED, NULL, "" };
}

/* The caps of PCR 17-22 by how many of them came before the fault, and whether the TPM took that one, and those after it. */
static const char *caps_around(unsigned before, bool taken, bool later)
{
	static char text[256];
	size_t n = 0;

	text[0] = 0;
	for (unsigned i = 0; i < 6; i++)
		if (i < before || (i == before && taken) || (i > before && later))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "cap%u:preflight ", PCR_DRTM_FIRST + i);
	return text;
}

static struct outcome after_nv(const struct fault *f, bool lasts)
{
	const char *caps = f->host == HOST_CLOSED || lasts ? "" : ALL_CAPS;

	switch (good.handle[f->at - 1]) {
	case VLP_INDEX:
		/* If the TPM does not come back, SINIT's policy cannot be read either. */
		if (!lasts)
			return unknown_content(f->type, caps);
		break;
	case LCP_INDEX:
		break;
	case SCENE_GEO:
		return unknown_content(f->type, caps);
	default:
		fail_msg("an index that nobody needs: 0x%x", good.handle[f->at - 1]);
	}
	return lasts && f->host == HOST_OPEN ? not_all_capped(f->type, "") : no_launch(f->type, caps);
}

/* The firmware would wait for minutes. */
static bool is_guarded(const struct fault *f)
{
	return f->host == HOST_CLOSED && (f->kind == FAULT_KIND_HANG || f->kind == FAULT_KIND_DEAD);
}

static struct outcome after(const struct fault *f)
{
	bool lasts = fault_kind_lasts(f->kind);

	if (f->kind == FAULT_KIND_RETRY)
		return without_fault(f);
	if (is_guarded(f))
		return (struct outcome){ HALTED, "tpm-error", "" };
	switch (good.code[f->at - 1]) {
	case SOFT_GET_CAPABILITY:
		/*
		 * Locality 2 is given up. The firmware's way serves as well, if the TPM still answers, but no cap can be extended by it. With a
		 * TPM that does not answer in time nobody goes that way.
		 */
		if (f->host == HOST_OPEN && !lasts && f->kind != FAULT_KIND_HANG)
			return (struct outcome){ LAUNCHED, NULL, "" };
		return no_launch(f->type, "");
	case SOFT_NV_READ_PUBLIC:
	case SOFT_NV_READ:
		if (f->host != HOST_MISFIT)
			return after_nv(f, lasts);
		/* There will be no launch anyway, and what the policy names is looked at once more when all is capped. */
		if (good.extends_before[f->at - 1] == 6)
			return without_fault(f);
		return lasts ? not_all_capped(f->type, "") : no_launch(f->type, ALL_CAPS);
	case SOFT_PCR_EXTEND:
		return not_all_capped(f->type, caps_around(good.extends_before[f->at - 1], f->late, !lasts));
	case SOFT_PCR_READ:
		/* The values are shown once all is done. */
		return without_fault(f);
	default:
		fail_msg("a command 0x%x in pre-flight", good.code[f->at - 1]);
		return (struct outcome){ HALTED, NULL, NULL };
	}
}

static void expect(struct outcome o)
{
	scene_expect(o.caps);
	if (o.end == LAUNCHED) {
		efi_txt_expect_started();
		for (unsigned i = 0; i < faulty.count; i++)
			assert_int_not_equal(faulty.trace[i].code, SOFT_PCR_EXTEND);
		return;
	}
	assert_int_equal(efi_txt.left, 0);
	if (o.end == HALTED) {
		scene_expect_halted(o.why);
		return;
	}
	assert_true(efi_txt_says("geolaunch: NOT MEASURED: ") && efi_txt_says("geolaunch: verdict: NOT MEASURED"));
	scene_expect_started(SCENE_ALL);
}

/* ---------------------------------------------------------------- the sweep */

static void learn_good(const struct fault *f)
{
	launch(f);
	expect(without_fault(f));
	assert_true(faulty.count >= 7);
	good.count = faulty.count;
	for (unsigned i = 0, extends = 0; i < good.count; i++) {
		assert_int_equal(faulty.trace[i].locality, f->host == HOST_CLOSED ? 0 : 2);
		good.code[i] = faulty.trace[i].code;
		good.handle[i] = faulty.trace[i].handle;
		good.extends_before[i] = extends;
		extends += good.code[i] == SOFT_PCR_EXTEND;
	}
}

static void try_fault(const struct fault *f)
{
	print_message("# %s, %s of command %u, %s, %s%s\n", host_name[f->host], fault_kind_name[f->kind], f->at,
		tpm_command_name(good.code[f->at - 1]), type_name[f->type], f->late ? ", late" : "");
	launch(f);
	assert_true(faulty.count >= f->at);
	/* The pause before the second try is no halt delay. */
	if (f->kind == FAULT_KIND_RETRY) {
		assert_in_range(fw.stalled_us, 1, 100000);
		fw.stalled_us = fw.ended == FW_RETURNED ? 0 : fw.stalled_us;
	}
	expect(after(f));
	assert_int_equal(scene.registers.active, 0);
	assert_true(scene.registers.now_us < PATIENCE_US);
	assert_int_equal(efi_txt_says("geolaunch: TPM: it has not answered the firmware for 30 seconds"), is_guarded(f));
}

static void sweep(enum host host)
{
	for (uint8_t type = VLP_NONFATAL; type <= VLP_HALT; type++) {
		struct fault f = { .host = host, .type = type };

		/* The policy's type is in the TPM, too. */
		faulty_start(&faulty);
		efi_txt_good(type);
		faulty_define(&faulty, SCENE_GEO, scene.geo);
		faulty_define(&faulty, VLP_INDEX, (struct span){ efi_txt.policy, efi_txt.policy_n });
		learn_good(&f);
		for (f.kind = 0; f.kind < FAULT_KIND_COUNT; f.kind++)
			for (f.at = 1; f.at <= good.count; f.at++)
				for (unsigned late = 0; late < 2; late++) {
					f.late = late;
					if (!late || (f.kind != FAULT_KIND_RETRY && good.code[f.at - 1] == SOFT_PCR_EXTEND))
						try_fault(&f);
				}
		faulty_stop(&faulty);
	}
}

static void test_open(void **state)
{
	(void)state;
	sweep(HOST_OPEN);
}

static void test_closed(void **state)
{
	(void)state;
	sweep(HOST_CLOSED);
}

static void test_no_launch(void **state)
{
	(void)state;
	sweep(HOST_MISFIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_no_launch),
	};

	assert_int_equal(setenv("TSS2_LOG", "all+none", 1), 0);
	return cmocka_run_group_tests_name("efi_txt_sweep", tests, NULL, NULL);
}
