/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/files.h"
#include "cli/fleet.h"

/* Hosts that a thread takes at a time. */
#define PIECE 128
#define THREADS_MAX 16

/* Threads compute pieces side by side; each is written when its turn has come. */
struct job {
	const struct fleet_common *common;
	const struct fleet_table *table;
	const struct interrupt *stop;
	int fd;
	pthread_mutex_t lock;
	pthread_cond_t turned;
	size_t next;          /* piece that nobody has taken */
	size_t turn;          /* piece to be written next */
	const char *failed;   /* NULL: all is well */
	int error;            /* errno with it */
	struct timespec last; /* when progress was shown */
	bool terminal, shown;
};

/* ---- progress: nothing for the first second, then one line a second at most ---- */

static void progress_show(struct job *j)
{
	size_t done = j->turn * PIECE < j->table->count ? j->turn * PIECE : j->table->count;
	struct timespec now;

	if (!j->terminal || clock_gettime(CLOCK_MONOTONIC, &now) != 0 || now.tv_sec - j->last.tv_sec - (now.tv_nsec < j->last.tv_nsec) < 1)
		return;
	j->last = now;
	j->shown = true;
	(void)fprintf(stderr, "\r%zu of %zu hosts", done, j->table->count);
}

/* ---- pieces ---- */

static void fail(struct job *j, const char *what, int error)
{
	if (j->failed)
		return;
	j->failed = what;
	j->error = error;
}

/* The lines of a piece. */
GL_MUST static bool compute(const struct job *j, size_t piece, struct fleet_result *r, struct text *t)
{
	size_t first = piece * PIECE;

	for (size_t i = first; i < first + PIECE && i < j->table->count; i++) {
		const struct fleet_host *h = &j->table->hosts[i];
		struct span content = fleet_content(j->table, h);

		if (!fleet_predict(j->common, content, r))
			return false;
		fleet_record_write(j->common, r, h->name, content, t);
	}
	return !t->cut;
}

/* With the lock held, which is given away while the piece is not yet to be written. */
static void write_piece(struct job *j, size_t piece, const struct text *t)
{
	while (j->turn != piece && !j->failed)
		pthread_cond_wait(&j->turned, &j->lock);
	if (j->failed)
		return;
	/* Whoever waits, waits for this: so the lock may as well be held. */
	if (!write_all(j->fd, (struct span){ (const uint8_t *)t->p, t->n }))
		fail(j, "cannot write", errno);
	else if (interrupted(j->stop))
		fail(j, "interrupted", 0);
	j->turn++;
	progress_show(j);
}

static void *work(void *arg)
{
	struct job *j = arg;
	const size_t room = (size_t)PIECE * FLEET_RECORD_MAX;
	CLEANUP_FREE struct fleet_result *r = malloc(sizeof(*r));
	CLEANUP_FREE char *buf = malloc(room);

	pthread_mutex_lock(&j->lock);
	if (!r || !buf)
		fail(j, "out of memory", 0);
	while (!j->failed && j->next * PIECE < j->table->count) {
		size_t piece = j->next++;
		struct text t = { .p = buf, .cap = room };
		bool ok;

		pthread_mutex_unlock(&j->lock);
		ok = compute(j, piece, r, &t);
		pthread_mutex_lock(&j->lock);
		if (ok)
			write_piece(j, piece, &t);
		else
			fail(j, "a host cannot be computed; this is a fault of geolaunch", 0);
		pthread_cond_broadcast(&j->turned);
	}
	pthread_cond_broadcast(&j->turned);
	pthread_mutex_unlock(&j->lock);
	return NULL;
}

static unsigned thread_count(size_t hosts)
{
	size_t pieces = (hosts + PIECE - 1) / PIECE;
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof(set), &set) != 0)
		return 1;
	n = CPU_COUNT(&set);
	n = n < THREADS_MAX ? n : THREADS_MAX;
	return pieces < (size_t)n ? (unsigned)(pieces ? pieces : 1) : (unsigned)n;
}

bool fleet_write(const struct fleet_common *c, const struct fleet_table *t, int fd, const struct interrupt *stop, unsigned *threads,
	struct cli_fault *fault)
{
	/* clang-format off */
	struct job j = {
		.common = c, .table = t, .stop = stop, .fd = fd,
		.lock = PTHREAD_MUTEX_INITIALIZER, .turned = PTHREAD_COND_INITIALIZER, .terminal = isatty(STDERR_FILENO) == 1,
	};
	/* clang-format on */
	unsigned want = thread_count(t->count), others = 0;
	pthread_t thread[THREADS_MAX];

	(void)clock_gettime(CLOCK_MONOTONIC, &j.last);
	/* This thread works as well; without any others it does all. */
	while (others + 1 < want && pthread_create(&thread[others], NULL, work, &j) == 0)
		others++;
	(void)work(&j);
	for (unsigned i = 0; i < others; i++)
		(void)pthread_join(thread[i], NULL);
	pthread_cond_destroy(&j.turned);
	pthread_mutex_destroy(&j.lock);
	if (j.shown)
		(void)fprintf(stderr, "\r\033[K");
	*threads = others + 1;
	return !j.failed || cli_fail(fault, CLI_IO, "%s: hosts.jsonl%s%s: nothing was written", j.failed, j.error ? ": " : "",
				    j.error ? strerror(j.error) : "");
}
