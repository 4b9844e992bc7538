/* SPDX-License-Identifier: BSD-3-Clause */
#include <string.h>

#include "common/eventlog.h"
#include "console.h"
#include "efi/core/launch.h"
#include "guard.h"
#include "host.h"
#include "machine.h"
#include "platform.h"
#include "publish.h"
#include "report.h"
#include "slots.h"
#include "txt_launch.h"
#include "volume.h"

#define LOG_ROOM ((size_t)64 * 1024)
/* Kept for the caps of PCR 17-22 if the log gets full, and for one with the name of a module: 7 events of at most 352 bytes. */
#define LOG_RESERVE ((size_t)7 * 352)
#define LINE 240
/* When there is no valid description that says otherwise. */
#define DEFAULT_HALT_DELAY 5

/* Everything of one launch; too large for a firmware's stack. */
struct app {
	struct efi_env *env;
	struct volume volume;
	struct guard guard;
	struct platform platform;
	struct eventlog log;
	bool stalled;    /* the disk does not answer: the firmware's drivers and most of its services must be left alone */
	bool log_full;   /* the launch is stopped, caps only are extended from here on */
	bool no_return;  /* the firmware must not go on: PCRs could pass for those of a good launch, or something of us is left in it */
	void *log_table; /* what publish_log() has installed */
	struct launch launch;
	struct pcrs pcrs;
	EFI_STATUS status; /* of the first failed firmware call */
	EFI_STATUS io;     /* of the last call for a file */
	struct {
		EFI_PHYSICAL_ADDRESS where;
		UINTN pages;
	} memory[DESCRIPTION_MAX_MODULES + 8]; /* given out by op_alloc() */
	size_t memory_count;
};

/* ---------------------------------------------------------------- operations for efi/core */

static EFI_STATUS note(struct app *a, EFI_STATUS s)
{
	if (EFI_ERROR(s) && !EFI_ERROR(a->status))
		a->status = s;
	return s;
}

static enum launch_io io_result(struct app *a, EFI_STATUS s)
{
	guard_end(&a->guard);
	a->io = s;
	if (!EFI_ERROR(note(a, s)))
		return LAUNCH_IO_OK;
	return s == EFI_NOT_FOUND ? LAUNCH_IO_MISSING : LAUNCH_IO_ERROR;
}

static enum launch_io op_open(void *ctx, struct span name, void **file, uint64_t *size)
{
	struct app *a = ctx;
	EFI_FILE_HANDLE f = NULL;
	enum launch_io r;

	guard_begin(&a->guard, GUARD_DISK, name);
	r = io_result(a, volume_open_file(&a->volume, name, &f, size));
	if (r == LAUNCH_IO_OK)
		*file = f;
	return r;
}

static enum launch_io op_read(void *ctx, struct span name, void *file, uint8_t *buf, size_t n)
{
	struct app *a = ctx;

	guard_begin(&a->guard, GUARD_DISK, name);
	return io_result(a, volume_read(file, buf, n));
}

static void op_io_text(void *ctx, struct text *t)
{
	console_status(((struct app *)ctx)->io, t);
}

static void op_close(void *ctx, void *file)
{
	(void)ctx;
	((EFI_FILE_HANDLE)file)->Close(file);
}

static uint8_t *op_alloc(void *ctx, size_t n)
{
	struct app *a = ctx;
	/* Linux takes its memory from the firmware; others are told 32-bit addresses. */
	bool low = a->launch.description.hypervisor != HYPERVISOR_LINUX;
	EFI_PHYSICAL_ADDRESS where = low ? UINT32_MAX : 0;
	UINTN pages = 0;

	if (a->memory_count == GL_COUNT(a->memory) || !env_pages(n, &pages))
		return NULL;
	if (EFI_ERROR(note(a, a->env->bs->AllocatePages(low ? AllocateMaxAddress : AllocateAnyPages, EfiLoaderData, pages, &where))))
		return NULL;
	a->memory[a->memory_count].where = where;
	a->memory[a->memory_count++].pages = pages;
	return (uint8_t *)(uintptr_t)where;
}

/* When the firmware is to go on without us, it gets its memory back. */
static void free_all(struct app *a)
{
	while (a->memory_count > 0) {
		a->memory_count--;
		(void)a->env->bs->FreePages(a->memory[a->memory_count].where, a->memory[a->memory_count].pages);
	}
}

static void op_line(void *ctx, const char *text)
{
	console_line(((struct app *)ctx)->env, text);
}

static void op_progress(void *ctx, const char *text)
{
	console_progress(((struct app *)ctx)->env, text);
}

static uint64_t op_now_us(void *ctx)
{
	return env_now_us(((struct app *)ctx)->env);
}

static void print_rc(struct app *a, const char *what, TSS2_RC rc)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	tpm_rc_line("geolaunch", what, rc, &t);
	console_line(a->env, buf);
}

static bool op_extend(void *ctx, unsigned pcr, uint32_t type, struct span name, const struct digests *d)
{
	struct app *a = ctx;
	size_t before = a->log.n;
	TSS2_RC rc;

	/* The log first: what finds no room in it must not be extended either. Caps must be, room or not. */
	if (a->log_full && type != MEASURE_CAP)
		return false;
	if ((!a->log.buf.p || !eventlog_append(&a->log, pcr, type, d, name)) && !a->log_full) {
		console_line(a->env, "geolaunch: the event log is full");
		a->log_full = true;
		a->log.buf.n = LOG_ROOM;
		if (type != MEASURE_CAP)
			return false;
		(void)!eventlog_append(&a->log, pcr, type, d, name);
	}
	rc = tpm_extend(&a->platform.tpm, pcr, d);
	if (rc != TSS2_RC_SUCCESS) {
		a->log.n = before;
		a->no_return = a->no_return || type == MEASURE_CAP;
		print_rc(a, "the TPM refused to extend a PCR", rc);
	}
	return rc == TSS2_RC_SUCCESS;
}

static bool op_read_pcrs(void *ctx, struct pcrs *out)
{
	struct app *a = ctx;
	TSS2_RC rc = tpm_read_pcrs(&a->platform.tpm, PCR_DRTM_FIRST, PCR_DRTM_LAST, out);

	if (rc != TSS2_RC_SUCCESS)
		print_rc(a, "the TPM did not give its PCR values", rc);
	return rc == TSS2_RC_SUCCESS;
}

static enum apply_nv_status op_read_nv(void *ctx, uint32_t index, struct mspan buf, size_t *n)
{
	struct app *a = ctx;
	struct tpm_nv_public pub;
	TSS2_RC rc;

	if (a->platform.state != PLATFORM_READY && !a->platform.firmware_tpm)
		return APPLY_NV_UNREADABLE;
	rc = tpm_nv_public(&a->platform.tpm, index, &pub);
	if (rc != TSS2_RC_SUCCESS) {
		print_rc(a, "the geo NV index cannot be looked at", rc);
		return tpm_rc_base(rc) == TPM2_RC_HANDLE ? APPLY_NV_MISSING : APPLY_NV_UNREADABLE;
	}
	if (pub.size > buf.n)
		return APPLY_NV_SIZE;
	rc = tpm_nv_read(&a->platform.tpm, index, buf.p, pub.size);
	if (rc != TSS2_RC_SUCCESS) {
		print_rc(a, "the geo NV index cannot be read with empty authorization", rc);
		return APPLY_NV_UNREADABLE;
	}
	*n = pub.size;
	return APPLY_NV_OK;
}

/* clang-format off */
static const struct launch_ops ops = {
	.open = op_open, .read = op_read, .io_text = op_io_text, .close = op_close, .alloc = op_alloc, .line = op_line,
	.progress = op_progress, .now_us = op_now_us,
	.tpm = { .extend = op_extend, .read_pcrs = op_read_pcrs, .read_nv = op_read_nv },
};
/* clang-format on */

/* ---------------------------------------------------------------- ends */

static void say(struct app *a, const char *before, const char *text)
{
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	text_str(&t, "geolaunch: ");
	text_str(&t, before);
	text_str(&t, text);
	console_line(a->env, buf);
}

/* The log may be of use to whoever reads it later, a launch without it is still measured. */
static void publish(struct app *a)
{
	if (a->log.n && EFI_ERROR(publish_log(a->env, eventlog_bytes(&a->log), &a->log_table)))
		console_line(a->env,
			"geolaunch: the event log could not be handed to the host (no variable of that size, or one of that name cannot be replaced)");
}

static void give_back(struct app *a)
{
	if (!platform_give_back(a->env, &a->platform))
		console_line(
			a->env, "geolaunch: the firmware's TPM locality did not come back: later firmware measurements may be missing");
}

/*
 * The one place where a launch ends without a host: says why and what to do, leaves the TPM to the firmware, stops as configured.
 * PCR 17-22 were capped by whoever decided to halt.
 */
static EFI_STATUS halt(struct app *a, enum cap why)
{
	const struct description *d = &a->launch.description;
	bool described = d->module_count > 0;
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	if (a->platform.holding && tpm_read_pcrs(&a->platform.tpm, PCR_DRTM_FIRST, PCR_DRTM_LAST, &a->pcrs) == TSS2_RC_SUCCESS)
		launch_print_pcrs(&a->launch, &a->pcrs);
	give_back(a);
	if (!a->stalled)
		publish(a);
	if (!EFI_ERROR(a->status))
		a->status = EFI_SECURITY_VIOLATION;
	text_str(&t, "geolaunch: halted: ");
	text_str(&t, cap_table[why].name);
	text_str(&t, ": ");
	text_str(&t, cap_table[why].meaning);
	text_str(&t, " (");
	console_status(a->status, &t);
	text_str(&t, ")");
	console_line(a->env,
		"geolaunch: this host was not started; what to do: docs, 'When a launch halts', or run 'geolaunch verify' on the PCR values above");
	console_line(a->env, buf);
	if (!a->stalled)
		volume_close(&a->volume);
	if (described && d->on_halt == DESCRIPTION_RETURN && !a->no_return)
		return a->status;
	a->env->bs->Stall((UINTN)(described ? d->halt_delay : DEFAULT_HALT_DELAY) * 1000000);
	a->env->st->RuntimeServices->ResetSystem(EfiResetShutdown, a->status, 0, NULL);
	/* Firmware that does not switch off gets an error back, but not where nothing may run any more. */
	while (a->no_return)
		a->env->bs->Stall(1000000);
	return a->status;
}

/* Errors after the launch proper: take the TPM again, cap everything, halt. */
static EFI_STATUS cap_and_halt(struct app *a, enum cap why)
{
	if (a->platform.state == PLATFORM_READY) {
		if (!platform_take_again(a->env, &a->platform)) {
			a->no_return = true;
			console_line(a->env, "geolaunch: TPM locality 2 could not be taken again, PCR 17-22 keep their values");
		} else if (!apply_cap_all(&ops.tpm, a, a->platform.tpm.banks, why)) {
			console_line(a->env, "geolaunch: the TPM refused to cap all of PCR 17-22");
		}
	}
	return halt(a, why);
}

static const struct {
	const char *who, *then;
} no_answer[] = {
	[GUARD_DISK] = { ": the disk has not answered for ", " seconds, so nothing can be started from it" },
	[GUARD_IMAGE] = { ": the disk, or the TPM into which the firmware measures it, has not answered for ",
		" seconds: nothing can be started" },
	[GUARD_TPM] = { ": it has not answered the firmware for ", " seconds, so nothing can be measured: power the host off and on" },
};

/* Nobody gets a file any more, so no policy lets this launch go on; nor can the firmware, whose driver waits. */
static void stalled(void *ctx)
{
	struct app *a = ctx;
	const struct launch *l = &a->launch;
	enum cap why = CAP_MODULE_UNREADABLE;
	char buf[LINE];
	struct text t = TEXT_OF(buf);

	a->stalled = true;
	a->no_return = true;
	a->status = EFI_TIMEOUT;
	text_str(&t, "geolaunch: ");
	text_span(&t, a->guard.what);
	text_str(&t, no_answer[a->guard.of].who);
	text_u64(&t, GUARD_SECONDS);
	text_str(&t, no_answer[a->guard.of].then);
	console_line(a->env, buf);
	if (a->guard.of == GUARD_TPM)
		why = CAP_TPM_ERROR;
	else if (!l->description_bytes.n)
		why = CAP_DESCRIPTION_MISSING;
	else if (!l->policy_bytes.n)
		why = CAP_POLICY_MISSING;
	(void)cap_and_halt(a, why);
}

/* ---------------------------------------------------------------- the launch */

static bool open_log(struct app *a)
{
	uint8_t *room = op_alloc(a, LOG_ROOM);

	return room && eventlog_begin(&a->log, (struct mspan){ room, LOG_ROOM - LOG_RESERVE }, a->platform.tpm.banks);
}

/* Hands over to the hypervisor. Returns only on failure; which status, is in a->status. */
static void start(struct app *a)
{
	const struct launch *l = &a->launch;
	/* clang-format off */
	const struct host host = {
		.kind = l->description.hypervisor, .image = launch_image(l, ROLE_HYPERVISOR), .cmdline = launch_cmdline(l, ROLE_HYPERVISOR),
		.name = launch_file_name(l, ROLE_HYPERVISOR), .kernel = launch_image(l, ROLE_KERNEL),
		.kernel_cmdline = launch_cmdline(l, ROLE_KERNEL), .kernel_name = launch_file_name(l, ROLE_KERNEL), .initrd = launch_initrd(l),
		.secure_boot = l->secure_boot, .pinned = launch_host_is_pinned(l),
	};
	/* clang-format on */

	/* Whatever failed before, this is why the host does not run. */
	a->status = host_start(a->env, &host, &a->no_return);
}

/* The hypervisor is in memory, and what is to be measured is. */
static EFI_STATUS hand_over(struct app *a)
{
	if (a->launch.measured && op_read_pcrs(a, &a->pcrs))
		launch_print_pcrs(&a->launch, &a->pcrs);
	give_back(a);
	publish(a);
	volume_close(&a->volume);
	report_times(a->env, &a->launch);
	report_verdict(a->env, &a->launch);
	start(a);
	return cap_and_halt(a, CAP_START_FAILED);
}

static void say_not_measured(struct app *a, const char *why)
{
	say(a, "NOT MEASURED: ", why);
	if (a->platform.state == PLATFORM_TPM_SILENT)
		console_line(a->env, "geolaunch: the firmware measures what it starts and may wait for this TPM for some minutes");
}

static EFI_STATUS run_direct(struct app *a)
{
	enum vlp_action act;

	if (a->platform.state == PLATFORM_READY) {
		act = launch_measure(&a->launch, a->platform.tpm.banks);
	} else {
		/* tboot: TB_ERR_TPM_NOT_READY leads to an unmeasured launch or to a halt. */
		if (vlp_action(a->launch.policy.type, TB_ERR_TPM_NOT_READY) != VLP_ACT_UNMEASURED) {
			say(a, "the policy does not allow an unmeasured launch: ", platform_text(a->platform.state));
			return halt(a, CAP_TPM_ERROR);
		}
		say_not_measured(a, platform_text(a->platform.state));
		act = launch_measure(&a->launch, 0);
	}
	if (act != VLP_ACT_CONTINUE)
		return halt(a, a->launch.apply.why);
	return hand_over(a);
}

/*
 * Without a launch nothing may pass for one: PCR 17-22 get a cap where locality 2 is open. Where it is closed they have the values of a
 * host that was started without one, and nobody can change them before SENTER does.
 */
static bool cap_unmeasured(struct app *a)
{
	if (a->platform.state != PLATFORM_READY) {
		say(a, "PCR 17-22 keep the values that tell no launch took place: ",
			a->platform.state == PLATFORM_LOCALITY_CLOSED ? "TPM locality 2 is closed" : platform_text(a->platform.state));
		return true;
	}
	if (platform_take_again(a->env, &a->platform) && apply_cap_all(&ops.tpm, a, a->platform.tpm.banks, CAP_PREFLIGHT))
		return true;
	console_line(a->env, "geolaunch: the TPM refused to cap all of PCR 17-22");
	a->no_return = true;
	return false;
}

static EFI_STATUS run_txt(struct app *a)
{
	EFI_STATUS status;
	enum txt_end end = txt_launch(a->env, &a->launch, &a->platform, &a->volume, &status);
	enum vlp_action act;

	(void)note(a, status);
	if (end == TXT_HALT)
		return cap_and_halt(a, CAP_PREFLIGHT);
	say_not_measured(a, "no TXT launch can succeed here, and the policy lets the hypervisor start without one");
	if (!cap_unmeasured(a))
		return halt(a, CAP_TPM_ERROR);
	act = launch_measure(&a->launch, 0);
	return act == VLP_ACT_CONTINUE ? hand_over(a) : halt(a, a->launch.apply.why);
}

/* What geolaunch.efi itself brings, as the firmware loaded it. With Secure Boot it was verified just before. */
static bool find_embedded(struct app *a)
{
	struct span image = { NULL, 0 };
	enum pecoff_error e = PECOFF_E_SIZE;

	a->launch.secure_boot = machine_secure_boot(a->env);
	if (machine_own_image(a->env, &image))
		e = embedded_find(image, PECOFF_LOADED, &a->launch.embedded);
	if (e != PECOFF_OK)
		say(a, "geolaunch.efi in memory: ", pecoff_strerror(e));
	return e == PECOFF_OK;
}

static EFI_STATUS run(struct app *a)
{
	enum slots_result slots = SLOTS_NONE;
	enum launch_prepared prepared;
	EFI_STATUS status;

	/* Nothing has been taken from the firmware yet: a disk that stalls finds nothing to cap. */
	a->platform.state = PLATFORM_NO_TPM;
	guard_open(&a->guard, a->env, stalled, a);
	guard_begin(&a->guard, GUARD_DISK, SPAN_LITERAL("file system"));
	status = volume_open(a->env, &a->volume);
	guard_end(&a->guard);
	if (!EFI_ERROR(status) && a->volume.shared)
		slots = slots_start(a->env, &a->volume, &a->guard, &status);
	if (slots == SLOTS_CAME_BACK)
		return status;
	if (EFI_ERROR(note(a, status)))
		volume_close(&a->volume);
	console_line(a->env, "geolaunch " GEOLAUNCH_VERSION);
	a->launch.ops = &ops;
	a->launch.ctx = a;
	platform_open(a->env, &a->guard, &a->platform);
	if (a->platform.state == PLATFORM_READY && !open_log(a)) {
		console_line(a->env, "geolaunch: no memory for the event log");
		a->log_full = true;
		return cap_and_halt(a, CAP_START_FAILED);
	}
	if (!a->volume.folder) {
		if (slots == SLOTS_NONE)
			say(a, a->volume.shared ? "\\EFI\\geolaunch: no such folder on the volume" : "no folder to be opened at the place",
				" that geolaunch.efi was started from: install a build again");
		return cap_and_halt(a, CAP_DESCRIPTION_MISSING);
	}
	if (!find_embedded(a))
		return cap_and_halt(a, CAP_DESCRIPTION_INVALID);
	prepared = launch_prepare(&a->launch);
	report_platform(a->env, &a->platform, a->launch.description.mode == DESCRIPTION_TXT);
	if (prepared != LAUNCH_PREPARED)
		return cap_and_halt(a, launch_cap(prepared));
	return a->launch.description.mode == DESCRIPTION_TXT ? run_txt(a) : run_direct(a);
}

EFI_STATUS app_run(struct efi_env *env)
{
	EFI_PHYSICAL_ADDRESS where = 0;
	struct app *a;
	EFI_STATUS s;
	UINTN pages = (sizeof(*a) + 4095) / 4096;

	s = env->bs->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &where);
	if (EFI_ERROR(s)) {
		console_line(env, "geolaunch: halted: no memory to start with");
		return s;
	}
	a = (struct app *)(uintptr_t)where;
	memset(a, 0, sizeof(*a));
	a->env = env;
	s = run(a);
	guard_close(&a->guard);
	free_all(a);
	(void)env->bs->FreePages(where, pages);
	/* Success would let a boot manager believe that the host ran. */
	return EFI_ERROR(s) ? s : EFI_ABORTED;
}
