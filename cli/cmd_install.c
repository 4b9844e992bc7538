/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/install.h"
#include "common/text.h"

#define COMMAND "install"
#define HELP "'geolaunch install --help'"

struct options {
	struct install_options install;
	unsigned actions;
	bool json;
	bool help;
};

enum {
	OPTION_ESP = 256,
	OPTION_BOOT_ENTRY,
	OPTION_REMOVABLE,
	OPTION_NO_BOOT_ENTRY,
	OPTION_ROLLBACK,
	OPTION_UNINSTALL,
	OPTION_STATUS,
	OPTION_FORCE,
	OPTION_JSON
};

static const struct option long_options[] = {
	{ "esp", required_argument, NULL, OPTION_ESP },
	{ "boot-entry", no_argument, NULL, OPTION_BOOT_ENTRY },
	{ "removable", no_argument, NULL, OPTION_REMOVABLE },
	{ "no-boot-entry", no_argument, NULL, OPTION_NO_BOOT_ENTRY },
	{ "rollback", no_argument, NULL, OPTION_ROLLBACK },
	{ "uninstall", no_argument, NULL, OPTION_UNINSTALL },
	{ "status", no_argument, NULL, OPTION_STATUS },
	{ "force", no_argument, NULL, OPTION_FORCE },
	{ "json", no_argument, NULL, OPTION_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static void print_help(void)
{
	printf("usage: geolaunch install --esp DIR [START] [--force] [--json] BUILD-DIR\n"
	       "       geolaunch install --esp DIR [START] [--json] --rollback\n"
	       "       geolaunch install --esp DIR [START] [--json] --uninstall\n"
	       "       geolaunch install --esp DIR [--json] --status\n"
	       "\n"
	       "Copies what 'geolaunch build' made to a mounted EFI system partition and makes\n"
	       "the firmware start it. The build that was there before stays, ready to boot.\n"
	       "\n"
	       "      --esp DIR        where the EFI system partition is mounted\n"
	       "      --rollback       start the previous build; again: the other one\n"
	       "      --uninstall      remove what 'install' put there, boot entries included\n"
	       "      --status         show what is installed and check it\n"
	       "      --force          replace an \\EFI\\BOOT\\BOOTX64.EFI that is not ours; it is kept\n"
	       "                       as geolaunch.old, and --uninstall puts it back\n"
	       "      --json           report as JSON\n"
	       "  -h, --help           this text\n"
	       "START, how the host is started (default: as it was, at first --boot-entry):\n"
	       "      --boot-entry     boot entries in the firmware's variables\n"
	       "      --removable      \\EFI\\BOOT\\BOOTX64.EFI; no boot entry is touched\n"
	       "      --no-boot-entry  by a boot manager of yours; no boot entry is touched\n");
}

/* The action that an option asks for; INSTALL_BUILD: none. */
static enum install_action action_of(int option)
{
	if (option == OPTION_ROLLBACK)
		return INSTALL_ROLLBACK;
	if (option == OPTION_UNINSTALL)
		return INSTALL_UNINSTALL;
	return option == OPTION_STATUS ? INSTALL_STATUS : INSTALL_BUILD;
}

GL_MUST static bool take_start(struct install_options *o, enum slots_start start)
{
	if (o->start_given && o->start != start) {
		cli_error(COMMAND, "one of --boot-entry, --removable and --no-boot-entry at a time: see " HELP);
		return false;
	}
	o->start = start;
	o->start_given = true;
	return true;
}

GL_MUST static int take_option(struct options *o, int option)
{
	enum install_action action = action_of(option);

	switch (option) {
	case OPTION_ESP:
		o->install.esp = optarg;
		return CLI_OK;
	case OPTION_BOOT_ENTRY:
		return take_start(&o->install, SLOTS_ENTRY) ? CLI_OK : CLI_USAGE;
	case OPTION_REMOVABLE:
		return take_start(&o->install, SLOTS_REMOVABLE) ? CLI_OK : CLI_USAGE;
	case OPTION_NO_BOOT_ENTRY:
		return take_start(&o->install, SLOTS_NOTHING) ? CLI_OK : CLI_USAGE;
	case OPTION_FORCE:
		o->install.force = true;
		return CLI_OK;
	case OPTION_JSON:
		o->json = true;
		return CLI_OK;
	default:
		o->actions += o->install.action != action || o->actions == 0;
		o->install.action = action;
		return CLI_OK;
	}
}

GL_MUST static bool misused(const char *what)
{
	cli_error(COMMAND, "%s: see " HELP, what);
	return false;
}

GL_MUST static bool check_options(const struct options *o, int operands)
{
	bool build = o->install.action == INSTALL_BUILD;

	if (o->actions > 1)
		return misused("one of --rollback, --uninstall and --status at a time");
	if (!o->install.esp || !*o->install.esp)
		return misused("no EFI system partition: say with --esp where it is mounted");
	if (build && operands != 1)
		return misused(operands ? "more than one build: give one" : "no build: name the directory that 'geolaunch build' made");
	if (!build && operands != 0)
		return misused("a build is given, but not to be installed");
	return build || !o->install.force || misused("--force is for installing only");
}

static int parse_options(int argc, char **argv, struct options *o)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h') {
			o->help = true;
			return CLI_OK;
		}
		if (option == '?' || option == ':')
			return cli_usage_error(COMMAND, argc, argv, option, HELP);
		if (take_option(o, option) != CLI_OK)
			return CLI_USAGE;
	}
	if (!check_options(o, argc - optind))
		return CLI_USAGE;
	o->install.build = argv[optind];
	return CLI_OK;
}

/* ---- reports ---- */

/* clang-format off */
static const char *const action_names[] = {
	[INSTALL_BUILD] = "install", [INSTALL_ROLLBACK] = "rollback", [INSTALL_UNINSTALL] = "uninstall", [INSTALL_STATUS] = "status",
};
static const char *const rollback_names[] = {
	[INSTALL_ROLLBACK_NONE] = "none", [INSTALL_ROLLBACK_POSSIBLE] = "possible", [INSTALL_ROLLBACK_DAMAGED] = "damaged",
	[INSTALL_ROLLBACK_GONE] = "gone",
};
/* clang-format on */

#define KEPT_PATH "\\EFI\\BOOT\\" INSTALL_KEPT

/* NULL is JSON's null. */
static json_t *slot_name_json(const char *slot)
{
	return *slot ? json_string(slot) : json_null();
}

static json_t *entry_json(int entry)
{
	return entry < 0 ? json_null() : json_sprintf("Boot%04X", (unsigned)entry);
}

static json_t *path_json(const char *slot)
{
	return *slot ? json_sprintf("\\EFI\\geolaunch\\%s\\" SLOT_APPLICATION, slot) : json_null();
}

static json_t *slots_json(const struct install_report *r)
{
	CLEANUP_JSON json_t *out = json_array();

	for (size_t i = 0; i < r->slot_count; i++) {
		const struct install_slot *s = &r->slots[i];

		if (json_array_append_new(
			    out, json_pack("{s:s, s:o, s:I, s:b, s:s?, s:o, s:b}", "slot", s->slot, "name", slot_name_json(s->label),
					 "files", (json_int_t)s->files, "complete", (int)s->good, "wrong", s->good ? NULL : s->bad,
					 "boot_entry", entry_json(s->entry), "in_boot_order", (int)s->ordered)) != 0)
			return NULL;
	}
	return json_incref(out);
}

static json_t *report_json(const struct options *o, const struct install_report *r)
{
	CLEANUP_JSON json_t *out = json_pack("{s:s, s:o, s:s?, s:o, s:o, s:o, s:o, s:b, s:s?, s:b, s:b, s:I, s:I, s:O, s:O}", "action",
		action_names[o->install.action], "esp", cli_json_text(o->install.esp), "start",
		r->now.current[0] ? slots_start_name(r->start) : NULL, "current", slot_name_json(r->now.current), "previous",
		slot_name_json(r->now.previous), "application", path_json(r->now.current), "boot_entry", entry_json(r->entry), "removable",
		(int)r->removable, "kept", r->kept ? KEPT_PATH : NULL, "restored", (int)r->restored, "changed", (int)r->changed, "files",
		(json_int_t)r->files, "bytes_written", (json_int_t)r->written, "removed", r->removed, "warnings", r->warnings);

	if (o->install.action == INSTALL_STATUS &&
		(json_object_set_new(out, "healthy", json_boolean(r->healthy)) != 0 ||
			json_object_set_new(out, "rollback", json_string(rollback_names[r->rollback])) != 0 ||
			json_object_set_new(out, "slots", slots_json(r)) != 0))
		return NULL;
	return json_incref(out);
}

static void print_start(const struct install_report *r)
{
	printf("%s\\EFI\\geolaunch\\%s\\" SLOT_APPLICATION, r->other_entry < 0 ? "starts    " : "chosen    ", r->now.current);
	if (r->start == SLOTS_ENTRY && r->entry >= 0)
		printf(", boot entry Boot%04X\n", (unsigned)r->entry);
	else if (r->start == SLOTS_REMOVABLE)
		printf(", through \\EFI\\BOOT\\BOOTX64.EFI\n");
	else if (r->start == SLOTS_NOTHING)
		printf(", by your boot manager\n");
	else
		printf("\n");
	if (r->other_entry >= 0)
		printf("starts    \\EFI\\geolaunch\\%s\\" SLOT_APPLICATION ", boot entry Boot%04X\n", r->other, (unsigned)r->other_entry);
}

static void print_slots(const struct install_report *r)
{
	for (size_t i = 0; i < r->slot_count; i++) {
		const struct install_slot *s = &r->slots[i];
		const char *what = !strcmp(s->slot, r->now.current)    ? "current"
		                   : !strcmp(s->slot, r->now.previous) ? "previous"
		                                                       : "left over";

		printf("%-9s %s  %s, %zu files, ", what, s->slot, s->label[0] ? s->label : "?", s->files);
		if (s->good)
			printf("complete");
		else
			printf("NOT COMPLETE: %s", s->bad);
		if (s->entry >= 0)
			printf(", Boot%04X%s", (unsigned)s->entry, s->ordered ? "" : " (not in BootOrder)");
		printf("\n");
	}
}

static void print_kept(const struct install_report *r)
{
	if (r->kept)
		printf("kept      " KEPT_PATH ", the boot loader that was BOOTX64.EFI before; --uninstall puts it back\n");
}

static const char *order_text(const struct install_report *r)
{
	if (r->other_entry >= 0)
		return "NOT IN ORDER: a boot entry starts another build: remove the entry, or install with --boot-entry";
	if (!r->healthy)
		return "NOT IN ORDER: install again";
	if (r->rollback == INSTALL_ROLLBACK_DAMAGED)
		return "current build in order; rollback not possible: the previous build is NOT COMPLETE: install that or another build";
	if (r->rollback == INSTALL_ROLLBACK_GONE)
		return "current build in order; rollback not possible: the previous build is gone";
	return r->rollback == INSTALL_ROLLBACK_NONE ? "in order; there is no build to roll back to" : "in order";
}

static void print_status(const struct install_report *r)
{
	if (!r->slot_count) {
		printf("nothing is installed\n");
		print_kept(r);
		return;
	}
	print_slots(r);
	if (r->now.current[0])
		print_start(r);
	print_kept(r);
	printf("%s\n", order_text(r));
}

static void print_done(const struct options *o, const struct install_report *r)
{
	char buf[32];
	struct text size = TEXT_OF(buf);

	if (o->install.action == INSTALL_UNINSTALL) {
		printf("%s: %s\n", o->install.esp, r->changed ? "removed" : "nothing is installed");
		if (r->restored)
			printf("put back  \\EFI\\BOOT\\BOOTX64.EFI, the boot loader that was there before\n");
		return;
	}
	text_size(&size, r->written);
	if (!r->changed)
		printf("%s: this build is installed already\n", o->install.esp);
	else if (o->install.action == INSTALL_ROLLBACK)
		printf("%s: rolled back\n", o->install.esp);
	else
		printf("%s: installed, %zu files, %s written\n", o->install.esp, r->files, buf);
	printf("current   %s\n", r->now.current);
	printf("previous  %s\n", r->now.previous[0] ? r->now.previous : "none");
	print_start(r);
	print_kept(r);
}

GL_MUST static bool report(const struct options *o, const struct install_report *r, struct cli_fault *fault)
{
	if (o->json) {
		CLEANUP_JSON json_t *v = report_json(o, r);

		return cli_json_print(v, fault);
	}
	if (o->install.action == INSTALL_STATUS)
		print_status(r);
	else
		print_done(o, r);
	return cli_flush(fault);
}

/* What was done before a fault is worth a warning, too. */
static void print_warnings(const struct install_report *r)
{
	json_t *text;
	size_t i;

	json_array_foreach(r->warnings, i, text)
		cli_error(COMMAND, "warning: %s", json_string_value(text));
}

static int run(int argc, char **argv)
{
	CLEANUP(install_free) struct install_report result = { .entry = -1, .other_entry = -1 };
	struct options o = { .json = false };
	struct cli_fault fault = { .code = CLI_OK };
	int rc = parse_options(argc, argv, &o);
	bool ok;

	if (rc != CLI_OK)
		return rc;
	if (o.help) {
		ok = cli_help(print_help, &fault);
	} else {
		ok = install_run(&o.install, &result, &fault);
		print_warnings(&result);
		if (ok && !report(&o, &result, &fault)) {
			ok = false;
			if (result.changed)
				cli_add_fault(&fault, ": %s was done all the same", action_names[o.install.action]);
		}
	}
	if (!ok)
		return cli_report(COMMAND, &fault);
	return o.install.action == INSTALL_STATUS && !o.help && !result.healthy ? CLI_DIFFERENT : CLI_OK;
}

const struct cli_command cmd_install = { COMMAND, "put a build on the EFI system partition, or take it off", run };
