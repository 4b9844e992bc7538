/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard.h"

/* UEFI 2.10, 7.1: timers count units of 100 ns. */
#define UNITS_PER_SECOND UINT64_C(10000000)
/* UEFI 2.10, 7.5: codes up to 0xffff are the firmware's own. */
#define WATCHDOG_CODE 0x10000

static VOID EFIAPI notify(EFI_EVENT event, VOID *ctx)
{
	struct guard *g = ctx;

	(void)event;
	g->expired(g->ctx);
}

void guard_open(struct guard *g, struct efi_env *env, void (*expired)(void *ctx), void *ctx)
{
	*g = (struct guard){ .env = env, .expired = expired, .ctx = ctx };
	if (EFI_ERROR(env->bs->CreateEvent(EVT_TIMER | EVT_NOTIFY_SIGNAL, TPL_NOTIFY, notify, g, &g->event)))
		g->event = NULL;
	/* Firmware arms it for five minutes, which a launch may take. */
	(void)env->bs->SetWatchdogTimer(0, 0, 0, NULL);
}

void guard_close(struct guard *g)
{
	if (g->event)
		(void)g->env->bs->CloseEvent(g->event);
	g->event = NULL;
}

void guard_begin(struct guard *g, enum guard_of of, struct span what)
{
	g->of = of;
	g->what = what;
	g->watchdog = !g->event || EFI_ERROR(g->env->bs->SetTimer(g->event, TimerRelative, GUARD_SECONDS * UNITS_PER_SECOND));
	if (g->watchdog)
		(void)g->env->bs->SetWatchdogTimer(GUARD_SECONDS, WATCHDOG_CODE, 0, NULL);
}

void guard_end(struct guard *g)
{
	if (g->watchdog)
		(void)g->env->bs->SetWatchdogTimer(0, 0, 0, NULL);
	else
		(void)g->env->bs->SetTimer(g->event, TimerCancel, 0);
}
