/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GL_CLI_INTERRUPT_H
#define GL_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/*
 * Holds back SIGINT, SIGTERM and SIGHUP while there is something to clean up. Long work asks interrupted() between its pieces and
 * fails; interrupt_release() then lets the signal end the process as if it had never been held. Signals that are ignored stay ignored.
 */
struct interrupt {
	sigset_t before;
	sigset_t held;
};

void interrupt_hold(struct interrupt *i);
void interrupt_release(struct interrupt *i);
bool interrupted(const struct interrupt *i);

#endif
