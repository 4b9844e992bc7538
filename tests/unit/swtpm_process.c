/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/unit/swtpm_process.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cursor.h"

#define WAIT_MS 20000
#define HEADER 10

/* Control channel, tpm_ioctl.h of swtpm: big-endian numbers. */
#define CMD_INIT 2
#define CMD_SET_LOCALITY 5
#define CMD_HASH_START 6
#define CMD_HASH_DATA 7
#define CMD_HASH_END 8

static void socket_path(const struct swtpm_process *s, const char *suffix, char *out, size_t cap)
{
	int n = snprintf(out, cap, "%s/sock%s", s->dir, suffix);

	assert_true(n > 0 && (size_t)n < cap);
}

/* A connection, or -1 if nobody listens yet. */
static int try_connect(const struct swtpm_process *s, const char *suffix)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval limit = { .tv_sec = WAIT_MS / 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	socket_path(s, suffix, a.sun_path, sizeof(a.sun_path));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) != 0) {
		close(fd);
		return -1;
	}
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

static bool listens(const struct swtpm_process *s, const char *suffix)
{
	int fd = try_connect(s, suffix);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void exec_swtpm(const struct swtpm_process *s, pid_t parent)
{
	char state[96], server[112], control[112], log[96];
	int fd;

	(void)snprintf(state, sizeof(state), "dir=%s", s->dir);
	(void)snprintf(server, sizeof(server), "type=unixio,path=%s/sock", s->dir);
	(void)snprintf(control, sizeof(control), "type=unixio,path=%s/sock.ctrl", s->dir);
	(void)snprintf(log, sizeof(log), "%s/log", s->dir);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd >= 0) {
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
	}
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", state, "--server", server, "--ctrl", control, "--flags",
		"not-need-init,startup-clear", (char *)NULL);
	_exit(127);
}

void swtpm_start(struct swtpm_process *s)
{
	const struct timespec step = { .tv_nsec = 2000000 };
	pid_t parent = getpid();
	bool data = false, ctrl = false;

	memset(s, 0, sizeof(*s));
	s->data = s->control = -1;
	strcpy(s->dir, "/tmp/geolaunch-swtpm-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0)
		exec_swtpm(s, parent);
	/* swtpm takes one client of each kind at a time; these only look and leave. */
	for (int ms = 0; !(data && ctrl) && ms < WAIT_MS; ms += 2) {
		int status;

		data = data || listens(s, "");
		ctrl = ctrl || listens(s, ".ctrl");
		if (data && ctrl)
			return;
		if (waitpid(s->pid, &status, WNOHANG) == s->pid)
			fail_msg("swtpm ended at once (status %#x); is it installed? its log: %s/log", (unsigned)status, s->dir);
		(void)nanosleep(&step, NULL);
	}
	fail_msg("swtpm does not listen after %d ms; its log: %s/log", WAIT_MS, s->dir);
}

void swtpm_tcti_conf(const struct swtpm_process *s, char *out, size_t cap)
{
	char path[96];
	int n;

	socket_path(s, "", path, sizeof(path));
	n = snprintf(out, cap, "swtpm:path=%s", path);
	assert_true(n > 0 && (size_t)n < cap);
}

void swtpm_connect(struct swtpm_process *s)
{
	s->control = try_connect(s, ".ctrl");
	s->data = try_connect(s, "");
	assert_true(s->control >= 0);
	assert_true(s->data >= 0);
}

static void put(int fd, struct span b)
{
	assert_int_equal(send(fd, b.p, b.n, MSG_NOSIGNAL), (ssize_t)b.n);
}

static void get(int fd, struct mspan b)
{
	for (size_t n = 0; n < b.n;) {
		ssize_t r = recv(fd, b.p + n, b.n - n, 0);

		assert_true(r > 0);
		n += (size_t)r;
	}
}

static void control(struct swtpm_process *s, uint32_t command, struct span data)
{
	uint8_t b[512] = { 0, 0, 0, (uint8_t)command };
	uint8_t result[4];

	assert_true(data.n <= sizeof(b) - 4);
	if (data.n > 0)
		memcpy(b + 4, data.p, data.n);
	put(s->control, (struct span){ b, 4 + data.n });
	get(s->control, (struct mspan){ result, sizeof(result) });
	assert_memory_equal(result, "\0\0\0", 4);
}

size_t swtpm_execute(void *ctx, uint8_t locality, struct span command, struct mspan out)
{
	struct swtpm_process *s = ctx;
	struct rd r;
	size_t n;

	if (locality != s->locality) {
		control(s, CMD_SET_LOCALITY, (struct span){ &locality, 1 });
		s->locality = locality;
	}
	put(s->data, command);
	get(s->data, (struct mspan){ out.p, HEADER });
	r = rd_init((struct span){ out.p, HEADER });
	(void)rd_be16(&r);
	n = rd_be32(&r);
	assert_true(n >= HEADER && n <= out.n);
	get(s->data, (struct mspan){ out.p + HEADER, n - HEADER });
	return n;
}

void swtpm_drtm(struct swtpm_process *s, struct span data)
{
	uint8_t b[256] = { 0, 0, 0, (uint8_t)data.n };

	assert_true(data.n < sizeof(b) - 4);
	memcpy(b + 4, data.p, data.n);
	control(s, CMD_HASH_START, (struct span){ NULL, 0 });
	control(s, CMD_HASH_DATA, (struct span){ b, 4 + data.n });
	control(s, CMD_HASH_END, (struct span){ NULL, 0 });
}

void swtpm_reset(struct swtpm_process *s)
{
	static const uint8_t no_flags[4], startup[] = { 0x80, 0x01, 0, 0, 0, 12, 0, 0, 0x01, 0x44, 0, 0 };
	uint8_t answer[HEADER];

	control(s, CMD_INIT, SPAN_OF(no_flags));
	s->locality = UINT8_MAX;
	assert_int_equal(swtpm_execute(s, 0, SPAN_OF(startup), (struct mspan){ answer, sizeof(answer) }), HEADER);
	assert_memory_equal(answer + 6, "\0\0\0", 4);
}

static void remove_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	(void)rmdir(dir);
}

void swtpm_stop(struct swtpm_process *s)
{
	if (s->data >= 0)
		close(s->data);
	if (s->control >= 0)
		close(s->control);
	s->data = s->control = -1;
	if (s->pid > 0) {
		(void)kill(s->pid, SIGKILL);
		while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
			;
		s->pid = 0;
	}
	if (s->dir[0])
		remove_dir(s->dir);
	s->dir[0] = '\0';
}
