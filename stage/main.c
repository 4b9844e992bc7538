/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The post-launch stage: tboot's module 0. It measures what tboot leaves out, the NV indices of the policy and the closing event, and
 * starts module 1. Every way out but a started kernel ends in stop().
 */
#include "stage/core/policy.h"
#include "stage/core/power.h"
#include "stage/machine.h"
#include "stage/measure.h"

#define LINE 240
/* When the rules cannot be read. */
#define DEFAULT_HALT_DELAY 5

/* Everything; zero at the start. */
static struct {
	struct handover handover;
	bool has_rules;
	struct stage_memory memory;
	struct stage_plan plan;
	struct stage_jump jump;
	bool has_tpm;
	struct measure measure;
	struct vlp policy;
	struct apply apply;
} stage;

static void say(const char *what, const char *detail)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch-stage: ");
	text_str(&t, what);
	text_str(&t, detail);
	machine_line(buf);
}

/* Through tboot, if it is there: it caps PCRs and ends the measured environment by SEXIT. Comes back only if the machine cannot power off. */
static void shut_down(void)
{
	const struct handover *h = &stage.handover;
	struct tboot_sleep registers, *sleep = &registers;
	bool reboot = stage.has_rules && h->rules.halt == STAGE_REBOOT;
	bool power_off = !reboot && power_off_registers(&machine_world, h->rsdp, sleep);

	if (!reboot && !power_off)
		say("cannot power off: no \\_S5 in the ACPI tables; stopping with power on", "");
	if (h->measured) {
		tboot_shared_set(stage_room(&machine_world, h->shared_address, TBOOT_SHARED_SIZE),
			reboot      ? TBOOT_REBOOT
			: power_off ? TBOOT_S5
				    : TBOOT_HALT,
			power_off ? sleep : NULL);
		((void (*)(void))(uintptr_t)h->shared.shutdown_entry)();
	}
	if (reboot || power_off)
		machine_power(reboot ? NULL : sleep);
}

/* The one end without a kernel. PCR 17-22 are capped. */
static _Noreturn void stop(enum cap why)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	measure_close(&stage.measure);
	text_str(&t, cap_table[why].name);
	text_str(&t, ": ");
	text_str(&t, cap_table[why].meaning);
	say("halted: ", buf);
	machine_delay_ms(NULL, 1000 * (stage.has_rules ? stage.handover.rules.halt_delay : DEFAULT_HALT_DELAY));
	shut_down();
	machine_stop();
}

static _Noreturn void cap_and_stop(enum cap why)
{
	if (!stage.has_tpm || !apply_cap_all(&measure_ops, &stage.measure, stage.measure.tpm.banks, why))
		say("PCR 17-22 could not be capped", "");
	stop(why);
}

static void check(enum stage_error e)
{
	if (e == STAGE_OK)
		return;
	say(stage_strerror(e), "");
	cap_and_stop(stage_error_cap(e));
}

static void read_handover(uint32_t magic, uint32_t info)
{
	struct handover *h = &stage.handover;
	enum stage_rules_error why = STAGE_RULES_OK;
	size_t at = 0;
	enum stage_error e;

	check(handover_open(&machine_world, magic, info, h));
	e = handover_rules(h, &why, &at);
	if (e != STAGE_OK)
		say("rules: ", stage_rules_strerror(why));
	stage.has_rules = e == STAGE_OK;
	if (e == STAGE_OK)
		e = handover_modules(&machine_world, h);
	check(e);
	if (!h->measured && vlp_action((uint8_t)h->rules.policy, TB_ERR_TXT_NOT_SUPPORTED) != VLP_ACT_UNMEASURED)
		check(STAGE_E_UNMEASURED);
}

static void make_plan(void)
{
	const struct txt_range taken[] = { machine_image(), machine_txt_heap(), machine_txt_sinit() };

	check(handover_memory(&stage.handover, taken, GL_COUNT(taken), &stage.memory));
	handover_picture(&stage.handover, taken, GL_COUNT(taken));
	check(stage_plan(&machine_world, &stage.handover, &stage.memory, &stage.plan));
}

static void open_log(void)
{
	enum stage_error e = heaplog_open(&machine_world, machine_txt_heap(), &stage.measure.log);

	stage.measure.has_log = e == STAGE_OK;
	stage.measure.log_lost = e != STAGE_OK;
	if (e != STAGE_OK)
		say(stage_strerror(e), "");
}

/*
 * No measured launch, as the policy allows: nothing that this host has in its PCRs may look like one. If SENTER took place nevertheless, they
 * hold the beginning of a good launch, and whoever gets locality 2 could extend the rest.
 */
static void go_unmeasured(void)
{
	if (!stage.has_tpm || !apply_cap_all(&measure_ops, &stage.measure, stage.measure.tpm.banks, CAP_PREFLIGHT)) {
		say("PCR 17-22 could not be capped", "");
		if (machine_txt_senter_done())
			stop(CAP_TPM_ERROR);
	}
	say("NOT MEASURED: tboot gave the launch up, and the policy type is nonfatal", "");
}

static void go_measured(void)
{
	struct apply *a = &stage.apply;

	if (!stage.has_tpm)
		cap_and_stop(CAP_TPM_ERROR);
	if (measure_launch(&stage.measure, &stage.handover.rules, &stage.policy, a) != VLP_ACT_CONTINUE)
		stop(a->why);
	say(a->error == TB_ERR_NONE ? "measured" : "measured, with errors: ", a->error == TB_ERR_NONE ? "" : cap_table[a->why].name);
}

void stage_main(uint32_t magic, uint32_t info)
{
	char buf[32];
	struct text t = TEXT_OF(buf);

	machine_init();
	say("version ", GEOLAUNCH_VERSION);
	stage.measure.tpm.delay_ms = machine_delay_ms;
	stage.has_tpm = measure_open(&stage.measure, &machine_tpm, machine_line);
	if (stage.has_tpm)
		open_log();
	read_handover(magic, info);
	make_plan();
	check(stage_load(&machine_world, &stage.handover, &stage.plan, &stage.jump));
	if (stage.handover.measured)
		go_measured();
	else
		go_unmeasured();
	measure_close(&stage.measure);
	text_hex(&t, stage.jump.entry, 8);
	say(stage.plan.hypervisor == HYPERVISOR_XEN ? "starting xen at " : "starting linux at ", buf);
	stage_leave(&stage.jump);
}
