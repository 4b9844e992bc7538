/* SPDX-License-Identifier: BSD-3-Clause */
#include "cli/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* Signals as they were before they were held back, so that they end the program. 0 or an errno. */
static int start(const char *const *argv, int output, const struct interrupt *stop, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int e = posix_spawn_file_actions_init(&files);

	if (e != 0)
		return e;
	e = posix_spawnattr_init(&attributes);
	if (e != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return e;
	}
	if (posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0) != 0 ||
		posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO) != 0 ||
		posix_spawn_file_actions_adddup2(&files, output, STDERR_FILENO) != 0 ||
		posix_spawnattr_setsigmask(&attributes, &stop->before) != 0 ||
		posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) != 0)
		e = ENOMEM;
	else
		/* posix_spawn() takes what execve() takes, which does not write to it. */
		e = posix_spawnp(pid, argv[0], &files, &attributes, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return e;
}

/* Takes its output until there is no more. What does not fit is dropped. */
static void follow(pid_t pid, int pipe, int signals, struct program_end *out)
{
	struct pollfd watch[] = { { .fd = pipe, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	char rest[256];
	size_t n = 0;

	for (;;) {
		bool room = n < PROGRAM_OUTPUT_MAX;
		ssize_t got;

		if (poll(watch, GL_COUNT(watch), -1) < 0 && errno != EINTR)
			break;
		if (watch[1].revents) {
			(void)kill(pid, SIGTERM);
			watch[1].fd = -1;
			watch[1].revents = 0;
		}
		if (!watch[0].revents)
			continue;
		got = room ? read(pipe, out->output + n, PROGRAM_OUTPUT_MAX - n) : read(pipe, rest, sizeof(rest));
		if (got == 0 || (got < 0 && errno != EINTR))
			break;
		n += room && got > 0 ? (size_t)got : 0;
	}
	out->output[n] = 0;
}

bool program_run(
	const char *const *argv, const char *package, const struct interrupt *stop, struct program_end *out, struct cli_fault *fault)
{
	CLEANUP_FD int signals = signalfd(-1, &stop->held, SFD_CLOEXEC | SFD_NONBLOCK);
	CLEANUP_FD int ours = -1, theirs = -1;
	int ends[2], status = 0, e;
	pid_t pid = -1;

	if (signals < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return cli_fail(fault, CLI_IO, "cannot run: %s: %s", argv[0], strerror(errno));
	ours = ends[0];
	theirs = ends[1];
	e = start(argv, theirs, stop, &pid);
	if (e == ENOENT)
		return cli_fail(fault, CLI_IO, "no such program: %s: install the package %s", argv[0], package);
	if (e != 0)
		return cli_fail(fault, CLI_IO, "cannot run: %s: %s", argv[0], strerror(e));
	cli_closep(&theirs);
	follow(pid, ours, signals, out);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return cli_fail(fault, CLI_IO, "cannot wait for: %s: %s", argv[0], strerror(errno));
	if (interrupted(stop))
		return cli_fail(fault, CLI_IO, "interrupted: %s: nothing was written", argv[0]);
	out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return true;
}
