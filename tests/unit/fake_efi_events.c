/* SPDX-License-Identifier: BSD-3-Clause */
/* One timer event, and what becomes of a call that never ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include "tests/unit/fake_efi.h"

#include <cmocka.h>

/* A long wait for a disk, but nobody waits longer. */
#define PATIENCE_SECONDS 60

static struct fw_event *find(EFI_EVENT event)
{
	struct fw_event *e = event;

	assert_in_range(e - fw.events, 0, FW_EVENTS - 1);
	assert_true(e->open);
	return e;
}

static EFI_STATUS EFIAPI create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY notify, VOID *ctx, EFI_EVENT *event)
{
	struct fw_event *e = fw.events;

	assert_int_equal(type, EVT_TIMER | EVT_NOTIFY_SIGNAL);
	/* A driver that works at TPL_CALLBACK does not keep it off. */
	assert_int_equal(tpl, TPL_NOTIFY);
	if (EFI_ERROR(fw.event_status))
		return fw.event_status;
	while (e->open)
		e++;
	*e = (struct fw_event){ .notify = notify, .ctx = ctx, .open = true };
	*event = e;
	(void)find(e);
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI close_event(EFI_EVENT event)
{
	struct fw_event *e = find(event);

	assert_false(e->armed);
	e->open = false;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_timer(EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time)
{
	struct fw_event *e = find(event);

	if (type == TimerCancel) {
		e->armed = false;
		return EFI_SUCCESS;
	}
	assert_int_equal(type, TimerRelative);
	assert_false(e->armed);
	assert_in_range(time, 1, UINT64_C(10000000) * PATIENCE_SECONDS);
	if (EFI_ERROR(fw.timer_status))
		return fw.timer_status;
	e->armed = true;
	return EFI_SUCCESS;
}

unsigned fw_open_events(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < FW_EVENTS; i++)
		n += fw.events[i].open;
	return n;
}

void fw_stall(void)
{
	for (size_t i = 0; i < FW_EVENTS; i++) {
		struct fw_event *e = &fw.events[i];

		if (!e->armed)
			continue;
		e->armed = false;
		fw.notified = true;
		e->notify(e, e->ctx);
		fail_msg("the event's function went back into a driver that waits for ever");
	}
	if (fw.watchdog == 0 || fw.watchdog > PATIENCE_SECONDS)
		fail_msg("nothing ends a call that never ends");
	fw.reset_type = EfiResetCold;
	fw.reset_status = EFI_TIMEOUT;
	fw_leave(FW_RESET);
}

void fw_init_events(void)
{
	fw.bs.CreateEvent = create_event;
	fw.bs.CloseEvent = close_event;
	fw.bs.SetTimer = set_timer;
}
