/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "cli/interrupt.h"

/* A password of at most `max` bytes, a line end, and one byte to see that it is too long. */
struct line {
	uint8_t bytes[SECRET_MAX + 3];
	size_t n, max;
};

static void line_wipe(struct line *l)
{
	explicit_bzero(l, sizeof(*l));
}

/* Reads up to a line feed, the end, or more bytes than any password has. `signals` is readable when to give up, or -1. */
GL_MUST static bool read_line(int fd, int signals, struct line *l, const char *source, struct cli_fault *fault)
{
	l->n = 0;
	while (l->n < l->max + 3 && !memchr(l->bytes, '\n', l->n)) {
		struct pollfd fds[2] = { { .fd = fd, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
		ssize_t got;

		if (poll(fds, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return cli_fail(fault, CLI_IO, "%s: %s", source, strerror(errno));
		}
		if (fds[1].revents)
			return cli_fail(fault, CLI_IO, "interrupted");
		/* Byte by byte: what follows the line belongs to others. */
		got = read(fd, l->bytes + l->n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cli_fail(fault, CLI_IO, "%s: %s", source, strerror(errno));
		if (got == 0)
			break;
		l->n++;
	}
	return true;
}

GL_MUST static bool take(struct line *l, struct secret *out, const char *source, struct cli_fault *fault)
{
	if (l->n > 0 && l->bytes[l->n - 1] == '\n') {
		l->n--;
		if (l->n > 0 && l->bytes[l->n - 1] == '\r')
			l->n--;
	}
	if (l->n > l->max)
		return cli_fail(fault, CLI_INPUT, "%s: a password for this has at most %zu bytes", source, l->max);
	memcpy(out->bytes, l->bytes, l->n);
	out->n = l->n;
	return true;
}

/* One that is neither ignored nor held back already. */
static void hold_too(struct interrupt *i, int signal)
{
	struct sigaction now;

	if (sigaction(signal, NULL, &now) != 0 || now.sa_handler == SIG_IGN || sigismember(&i->before, signal) != 0)
		return;
	(void)sigaddset(&i->held, signal);
	(void)sigprocmask(SIG_BLOCK, &i->held, NULL);
}

static bool to_be_stopped(const struct interrupt *i)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&i->held, SIGTSTP) == 1 && sigismember(&pending, SIGTSTP) == 1;
}

/* Signals are held while echo is off, so that a terminal is never left without it. `*again`: the process was stopped meanwhile. */
GL_MUST static bool prompt_once(const char *prompt, struct line *l, bool *again, struct cli_fault *fault)
{
	struct interrupt hold;
	struct termios before, quiet;
	bool ok;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return cli_fail(fault, CLI_IO, "terminal: %s", strerror(errno));
	interrupt_hold(&hold);
	hold_too(&hold, SIGQUIT);
	hold_too(&hold, SIGTSTP);
	{
		CLEANUP_FD int signals = signalfd(-1, &hold.held, SFD_CLOEXEC);

		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		ok = signals >= 0 && tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
		if (!ok)
			(void)cli_fail(fault, CLI_IO, "terminal: %s", strerror(errno));
		else {
			(void)fprintf(stderr, "%s: ", prompt);
			ok = read_line(STDIN_FILENO, signals, l, "terminal", fault);
			(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
			(void)fprintf(stderr, "\n");
		}
	}
	*again = !ok && to_be_stopped(&hold);
	/* A signal that came meanwhile ends the process here, or stops it for a while. */
	interrupt_release(&hold);
	return ok;
}

GL_MUST static bool prompt_line(const char *prompt, struct line *l, struct cli_fault *fault)
{
	bool again, ok;

	do {
		again = false;
		ok = prompt_once(prompt, l, &again, fault);
	} while (again);
	return ok;
}

void secret_wipe(struct secret *s)
{
	explicit_bzero(s, sizeof(*s));
}

bool secret_get(const char *source, const char *prompt, size_t max, struct secret *out, struct cli_fault *fault)
{
	CLEANUP(line_wipe) struct line l = { .max = max < SECRET_MAX ? max : SECRET_MAX };

	if (strcmp(source, "-") == 0) {
		bool tty = isatty(STDIN_FILENO);

		return (tty ? prompt_line(prompt, &l, fault) : read_line(STDIN_FILENO, -1, &l, "standard input", fault)) &&
		       take(&l, out, tty ? "terminal" : "standard input", fault);
	}

	CLEANUP_FD int fd = open(source, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	uint8_t more;

	if (fd < 0)
		return cli_fail(fault, CLI_IO, "cannot open the file with the %s: %s: %s", prompt, source, strerror(errno));
	if (!read_line(fd, -1, &l, source, fault) || !take(&l, out, source, fault))
		return false;
	if (read(fd, &more, 1) > 0)
		return cli_fail(fault, CLI_INPUT, "%s: more than one line; it should hold the password only", source);
	return true;
}

bool secret_auth(const char *source, const char *prompt, struct nv_auth *out, struct cli_fault *fault)
{
	CLEANUP(secret_wipe) struct secret s = { .n = 0 };

	return secret_get(source, prompt, sizeof(out->bytes), &s, fault) &&
	       (nv_auth_set(out, (struct span){ s.bytes, s.n }) || cli_fail(fault, CLI_INPUT, "%s: too long for a TPM's password", source));
}
