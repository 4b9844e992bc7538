/* SPDX-License-Identifier: BSD-3-Clause */
#include <err.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "qemu/proxy/proxy.h"

#define CONNECT_MS 10000 /* until swtpm must listen */
#define COMMAND_LINE_MAX ((size_t)1 << 20)
#define FAULTS_MAX 64

enum { EXIT_OK = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

static const char help_text[] =
	"usage: tpmproxy --listen SOCKET --swtpm SOCKET [OPTION]...\n"
	"\n"
	"Stands between QEMU and swtpm: takes one connection of QEMU (tpm-emulator) on its control\n"
	"socket, passes everything on, and sees every TPM command. Ends when QEMU disconnects.\n"
	"\n"
	"  --listen SOCKET   where QEMU connects (-chardev socket,path=SOCKET)\n"
	"  --swtpm SOCKET    swtpm's control socket; waited for 10 s\n"
	"  --trace FILE      one JSON line per TPM command\n"
	"  --pcrs FILE       PCR 0-23 of all active banks, read when QEMU resets the TPM, shuts it down\n"
	"                    or disconnects; replaced by rename\n"
	"  --command SOCKET  line commands: pcrs, count, hold, release, hash HEX, tpm N HEX, localities LIST;\n"
	"                    one line answers each\n"
	"                      pcrs     the PCR values as JSON\n"
	"                      count    number of TPM commands of the guest so far\n"
	"                      hold     let no TPM command of the guest pass; release ends it\n"
	"                      hash     D-RTM sequence over these bytes: PCR 17 = H(0 || H(bytes)), 18-22 = 0\n"
	"                      tpm      this TPM command at locality N (0-4); answered with the response in\n"
	"                               hexadecimal; the guest's locality stays what it is\n"
	"                      localities   from now on the guest's commands pass at these localities (0,1,2) and\n"
	"                               are answered with TPM_RC_LOCALITY (0x907) at others\n"
	"  --gate            at the start and after each reset only locality 0 passes (default: all)\n"
	"  --fault RULE      answer in the TPM's place; may be repeated, the first rule that fires acts\n"
	"                    RULE is CC[@LOCALITY][#N]=ACTION\n"
	"                      CC      command code (0x182), name (PCR_Extend), * for any, or _TPM_Hash for the\n"
	"                              D-RTM sequence, which then fails\n"
	"                      N       only the Nth such command, from 1\n"
	"                      ACTION  rc:CODE   this return code\n"
	"                              reply:HEX success, with these bytes as parameters\n"
	"                              drop      close the data connection\n"
	"                              silent    no answer\n"
	"                              hang      no answer until the guest ends the command; then\n"
	"                                        TPM_RC_CANCELED (0x909)\n"
	"                              short     success that ends after the header\n"
	"                              garbage   success with a body of FF bytes\n"
	"                              long      the same in the largest size of the interface\n"
	"                              huge      a header that claims 4 GiB; QEMU waits for the rest\n"
	"  --help            this text\n"
	"\n"
	"Commands that QEMU sends before it starts the TPM have sequence number 0 in the trace and meet no fault rule.\n"
	"Exit status: 0 QEMU ended the connection, 1 error, 2 usage.\n";

struct options {
	const char *listen, *swtpm, *trace, *pcrs, *command;
	bool gate;
	struct fault_rule faults[FAULTS_MAX];
	size_t fault_count;
};

static void parse_options(int argc, char **argv, struct options *o)
{
	/* clang-format off */
	static const struct option table[] = {
		{ "listen", required_argument, NULL, 'l' }, { "swtpm", required_argument, NULL, 's' },
		{ "trace", required_argument, NULL, 't' }, { "pcrs", required_argument, NULL, 'p' },
		{ "command", required_argument, NULL, 'c' }, { "fault", required_argument, NULL, 'f' },
		{ "gate", no_argument, NULL, 'g' }, { "help", no_argument, NULL, 'h' }, { 0 },
	};
	/* clang-format on */
	const char *why;
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1)
		switch (c) {
		case 'l':
			o->listen = optarg;
			break;
		case 's':
			o->swtpm = optarg;
			break;
		case 't':
			o->trace = optarg;
			break;
		case 'p':
			o->pcrs = optarg;
			break;
		case 'c':
			o->command = optarg;
			break;
		case 'f':
			if (o->fault_count == FAULTS_MAX)
				errx(EXIT_USAGE, "more than %d fault rules", FAULTS_MAX);
			if (!fault_parse(optarg, &o->faults[o->fault_count++], &why))
				errx(EXIT_USAGE, "--fault %s: %s", optarg, why);
			break;
		case 'g':
			o->gate = true;
			break;
		case 'h':
			fputs(help_text, stdout);
			exit(EXIT_OK);
		default:
			exit(EXIT_USAGE);
		}
	if (optind != argc || !o->listen || !o->swtpm)
		errx(EXIT_USAGE, "--listen and --swtpm are needed and nothing but options; see --help");
}

/* The sockets that one turn of the loop looks at. */
enum { P_SIGNAL, P_QEMU, P_SWTPM, P_GUEST, P_TPM, P_COMMAND, P_CLIENT, P_COUNT = P_CLIENT + COMMAND_CLIENTS };

static void accept_client(int listener, struct command_client *clients)
{
	int fd = sock_accept(listener);

	for (size_t i = 0; fd >= 0 && i < COMMAND_CLIENTS; i++)
		if (clients[i].fd < 0) {
			clients[i].fd = fd;
			return;
		}
	fd_close(&fd);
}

/* swtpm may only speak when asked; that it goes is fine after SHUTDOWN. */
static void swtpm_ready(struct proxy *p)
{
	if (p->running || sock_receive(p->swtpm, &p->swtpm_in, NULL) != RECV_END) {
		warnx("swtpm ended or speaks without being asked");
		p->failed = true;
	}
	fd_close(&p->swtpm);
}

/* Until QEMU is gone, a signal asks for the end, or nothing sensible can follow. */
static void loop(struct proxy *p, int listener, int commander, int signals)
{
	struct command_client clients[COMMAND_CLIENTS];

	for (size_t i = 0; i < COMMAND_CLIENTS; i++)
		clients[i] = (struct command_client){ .fd = -1, .in = { .max = COMMAND_LINE_MAX } };
	for (relay_pump(p); !p->failed; relay_pump(p)) {
		struct pollfd set[P_COUNT];
		/* clang-format off */
		int watch[P_COUNT] = {
			[P_SIGNAL] = signals, [P_QEMU] = p->qemu >= 0 ? p->qemu : listener, [P_SWTPM] = p->swtpm,
			[P_GUEST] = relay_parked(p) ? -1 : p->guest, [P_TPM] = p->tpm, [P_COMMAND] = commander,
		};
		/* clang-format on */

		for (size_t i = 0; i < COMMAND_CLIENTS; i++)
			watch[P_CLIENT + i] = clients[i].fd;
		for (size_t i = 0; i < P_COUNT; i++)
			set[i] = (struct pollfd){ .fd = watch[i], .events = POLLIN };
		if (poll(set, P_COUNT, -1) < 0) {
			if (errno != EINTR)
				err(EXIT_ERROR, "poll");
			continue;
		}
		if (set[P_SIGNAL].revents)
			break;
		/* What the TPM said comes before what QEMU does next. A descriptor may be gone by the time its turn comes. */
		if (set[P_TPM].revents && p->tpm == watch[P_TPM])
			relay_tpm_ready(p);
		if (set[P_GUEST].revents && p->guest == watch[P_GUEST])
			relay_guest_ready(p);
		if (p->failed)
			break;
		if (set[P_QEMU].revents && p->qemu < 0)
			p->qemu = sock_accept(listener);
		else if (set[P_QEMU].revents && !control_ready(p))
			break;
		else if (set[P_SWTPM].revents && !set[P_QEMU].revents)
			swtpm_ready(p);
		for (size_t i = 0; i < COMMAND_CLIENTS; i++)
			if (set[P_CLIENT + i].revents && clients[i].fd == watch[P_CLIENT + i])
				command_ready(p, &clients[i]);
		if (set[P_COMMAND].revents)
			accept_client(commander, clients);
	}
	for (size_t i = 0; i < COMMAND_CLIENTS; i++) {
		fd_close(&clients[i].fd);
		buffer_free(&clients[i].in);
	}
}

static int end_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd < 0)
		err(EXIT_ERROR, "signalfd");
	return fd;
}

static int listen_at(const char *path)
{
	int fd = sock_listen(path);

	if (fd < 0)
		err(EXIT_ERROR, "cannot listen at %s", path);
	return fd;
}

int main(int argc, char **argv)
{
	static struct options o;
	/* clang-format off */
	static struct proxy p = {
		.qemu = -1, .swtpm = -1, .guest = -1, .tpm = -1, .passed = -1, .buffer_size = 4096,
		.qemu_in = { .max = CTRL_MESSAGE_MAX }, .swtpm_in = { .max = CTRL_MESSAGE_MAX },
		.guest_in = { .max = TPM_MESSAGE_MAX }, .tpm_in = { .max = TPM_MESSAGE_MAX },
	};
	/* clang-format on */
	int listener, commander = -1, signals;

	parse_options(argc, argv, &o);
	signals = end_signals();
	p.faults = o.faults;
	p.fault_count = o.fault_count;
	p.gate = o.gate;
	p.open = o.gate ? LOCALITIES_RESET : LOCALITIES_ALL;
	p.pcrs_path = o.pcrs;
	p.start_us = now_us();
	if (o.trace && !(p.trace = fopen(o.trace, "we")))
		err(EXIT_ERROR, "cannot write %s", o.trace);
	p.swtpm = sock_connect(o.swtpm, CONNECT_MS);
	if (p.swtpm < 0)
		err(EXIT_ERROR, "cannot connect to swtpm at %s", o.swtpm);
	if (o.command)
		commander = listen_at(o.command);
	listener = listen_at(o.listen);

	loop(&p, listener, commander, signals);
	if (!p.failed)
		snapshot_write(&p, "disconnect");
	if (p.trace && fclose(p.trace) != 0)
		err(EXIT_ERROR, "cannot write %s", o.trace);
	(void)unlink(o.listen);
	if (o.command)
		(void)unlink(o.command);
	return p.failed ? EXIT_ERROR : EXIT_OK;
}
