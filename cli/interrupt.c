/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/interrupt.h"

#include "common/span.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

void interrupt_hold(struct interrupt *i)
{
	(void)sigemptyset(&i->held);
	for (size_t s = 0; s < GL_COUNT(signals); s++) {
		struct sigaction now;

		if (sigaction(signals[s], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(&i->held, signals[s]);
	}
	(void)sigprocmask(SIG_BLOCK, &i->held, &i->before);
}

void interrupt_release(struct interrupt *i)
{
	(void)sigprocmask(SIG_SETMASK, &i->before, NULL);
}

bool interrupted(const struct interrupt *i)
{
	sigset_t pending;

	if (sigpending(&pending) != 0)
		return false;
	for (size_t s = 0; s < GL_COUNT(signals); s++)
		if (sigismember(&i->held, signals[s]) == 1 && sigismember(&pending, signals[s]) == 1)
			return true;
	return false;
}
