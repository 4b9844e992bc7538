/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/description.h"

#include "common/description_impl.h"
#include "common/hex.h"

/* The rules: all that holds for a description whether it is text yet or not. */

static const char *const messages[DESCRIPTION_ERROR_COUNT] = {
	[DESCRIPTION_OK] = "no error",
	[DESCRIPTION_E_SIZE] = "the launch description is larger than 64 KiB",
	[DESCRIPTION_E_FORMAT] = "the first line is not \"geolaunch 1\"",
	[DESCRIPTION_E_CHARACTER] = "the line holds something else than printable ASCII (lines end in LF alone)",
	[DESCRIPTION_E_LINE_END] = "the last line does not end in LF: the file is cut off",
	[DESCRIPTION_E_KEY] = "this is not the key that belongs here (keys have a fixed order, with one blank behind)",
	[DESCRIPTION_E_VALUE] = "the key has no value",
	[DESCRIPTION_E_MODE] = "the mode is not \"direct\" or \"txt\"",
	[DESCRIPTION_E_ON_HALT] = "on-halt is not \"poweroff\" or \"return\"",
	[DESCRIPTION_E_HALT_DELAY] = "halt-delay is not a number from 0 to 300",
	[DESCRIPTION_E_ROLE] = "the role is not \"hypervisor\", \"kernel\", \"initrd\", \"vmm\" or \"file\"",
	[DESCRIPTION_E_FIRST] = "the first module is not the hypervisor",
	[DESCRIPTION_E_TWICE] = "there can be only one module of this role",
	[DESCRIPTION_E_ORDER] = "the initrd does not stand directly behind the hypervisor and its kernel",
	[DESCRIPTION_E_KIND] = "the kind of the hypervisor is not \"xen\" (for Linux there is no such line)",
	[DESCRIPTION_E_KERNEL] = "a kernel stands behind Xen, directly, and behind nothing else",
	[DESCRIPTION_E_TXT] =
		"mode txt begins with the modules tboot, sinit, lcp, stage in this order (sinit and lcp may be left out); mode direct has none of them",
	[DESCRIPTION_E_RULES] = "the stage's command line is not one of rules",
	[DESCRIPTION_E_RULES_DIFFER] = "the stage's rules are for another hypervisor, other modules, or another end of a stopped launch",
	[DESCRIPTION_E_TOO_MANY] = "there are more than 127 modules",
	[DESCRIPTION_E_FILE] = "a file name is 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a dot",
	[DESCRIPTION_E_CMDLINE] = "a command line is up to 2047 printable ASCII characters, that of dom0's kernel up to 1023",
	[DESCRIPTION_E_DIGEST] = "sha256 is not 64 hexadecimal digits in lower case",
	[DESCRIPTION_E_PATH] = "a path is absolute and normalised, 2 to 255 printable ASCII characters, not below /TRAILER!!!",
	[DESCRIPTION_E_PATH_TAKEN] = "the path is that of another module, or above or below it",
	[DESCRIPTION_E_FILE_MODE] = "the mode is not four octal digits from 0000 to 0777",
	[DESCRIPTION_E_FIELD] = "the module has a command line, a digest, a path or a mode that its role does not have",
	[DESCRIPTION_E_END] = "the last line is not \"end\"",
	[DESCRIPTION_E_TRAILING] = "something follows the line \"end\"",
	[DESCRIPTION_E_BUFFER] = "the launch description does not fit the buffer",
};

const char *description_strerror(enum description_error e)
{
	return (unsigned)e < DESCRIPTION_ERROR_COUNT ? messages[e] : "unknown launch description error";
}

static const char *const mode_names[DESCRIPTION_MODE_COUNT] = {
	[DESCRIPTION_DIRECT] = "direct",
	[DESCRIPTION_TXT] = "txt",
};

static const char *const on_halt_names[DESCRIPTION_ON_HALT_COUNT] = {
	[DESCRIPTION_POWEROFF] = "poweroff",
	[DESCRIPTION_RETURN] = "return",
};

bool description_mode_by_name(struct span name, enum description_mode *out)
{
	for (unsigned i = 0; i < GL_COUNT(mode_names); i++) {
		if (span_is_str(name, mode_names[i])) {
			*out = (enum description_mode)i;
			return true;
		}
	}
	return false;
}

bool description_on_halt_by_name(struct span name, enum description_on_halt *out)
{
	for (unsigned i = 0; i < GL_COUNT(on_halt_names); i++) {
		if (span_is_str(name, on_halt_names[i])) {
			*out = (enum description_on_halt)i;
			return true;
		}
	}
	return false;
}

const char *description_mode_name(enum description_mode mode)
{
	return (unsigned)mode < GL_COUNT(mode_names) ? mode_names[mode] : "unknown";
}

const char *description_on_halt_name(enum description_on_halt on_halt)
{
	return (unsigned)on_halt < GL_COUNT(on_halt_names) ? on_halt_names[on_halt] : "unknown";
}

static bool printable(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 0x20 || s.p[i] > 0x7e)
			return false;
	return true;
}

bool description_file_valid(struct span name)
{
	if (name.n == 0 || name.n > DESCRIPTION_MAX_FILE || name.p[0] == '.')
		return false;
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i];

		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
			return false;
	}
	return true;
}

bool description_cmdline_valid(enum role role, struct span cmdline)
{
	return cmdline.n <= (role == ROLE_KERNEL ? DESCRIPTION_MAX_KERNEL_CMDLINE : DESCRIPTION_MAX_CMDLINE) && printable(cmdline);
}

/* The component that begins at `at`, up to the next slash or the end. */
static struct span component(struct span path, size_t at)
{
	size_t n = 0;

	while (at + n < path.n && path.p[at + n] != '/')
		n++;
	return (struct span){ path.p + at, n };
}

bool description_digest_valid(struct span hex)
{
	for (size_t i = 0; i < hex.n; i++)
		if (hex_lower(hex.p[i]) < 0)
			return false;
	return hex.n == 64;
}

bool description_path_valid(struct span path)
{
	if (path.n < 2 || path.n > DESCRIPTION_MAX_PATH || path.p[0] != '/' || !printable(path))
		return false;
	for (size_t at = 1; at <= path.n;) {
		struct span c = component(path, at);

		if (c.n == 0 || span_is_str(c, ".") || span_is_str(c, ".."))
			return false;
		/* This name ends a cpio archive, so what follows would be lost. */
		if (at == 1 && span_is_str(c, "TRAILER!!!"))
			return false;
		at += c.n + 1;
	}
	return true;
}

bool description_paths_conflict(struct span a, struct span b)
{
	struct span shorter = a.n < b.n ? a : b;
	struct span longer = a.n < b.n ? b : a;

	return span_equal(shorter, (struct span){ longer.p, shorter.n }) && (longer.n == shorter.n || longer.p[shorter.n] == '/');
}

static const enum description_error modules_errors[MODULES_ERROR_COUNT] = {
	[MODULES_OK] = DESCRIPTION_OK,
	[MODULES_E_ROLE] = DESCRIPTION_E_ROLE,
	[MODULES_E_FIRST] = DESCRIPTION_E_FIRST,
	[MODULES_E_TWICE] = DESCRIPTION_E_TWICE,
	[MODULES_E_KERNEL] = DESCRIPTION_E_KERNEL,
	[MODULES_E_ORDER] = DESCRIPTION_E_ORDER,
	[MODULES_E_TOO_MANY] = DESCRIPTION_E_TOO_MANY,
};

const enum role description_txt_roles[DESCRIPTION_TXT_ROLES] = { ROLE_TBOOT, ROLE_SINIT, ROLE_LCP, ROLE_STAGE };

enum description_error description_take(struct modules_order *o, enum role role)
{
	for (size_t i = 0; i < DESCRIPTION_TXT_ROLES; i++)
		if (role == description_txt_roles[i])
			return DESCRIPTION_E_TXT;
	return modules_errors[modules_take(o, role)];
}

enum description_error description_take_end(const struct modules_order *o)
{
	return modules_errors[modules_end(o)];
}

bool description_has_cmdline(enum role role)
{
	return role == ROLE_HYPERVISOR || role == ROLE_KERNEL || role == ROLE_TBOOT || role == ROLE_STAGE;
}

bool description_has_digest(enum role role)
{
	return role == ROLE_TBOOT || role == ROLE_SINIT || role == ROLE_LCP;
}

struct span description_module_cmdline(const struct description_module *m)
{
	if ((unsigned)m->role >= ROLE_COUNT)
		return (struct span){ NULL, 0 };
	return role_table[m->role].member ? m->path : description_has_cmdline(m->role) ? m->cmdline : (struct span){ NULL, 0 };
}

static enum description_error check_module(const struct description_module *m)
{
	if (!description_file_valid(m->file))
		return DESCRIPTION_E_FILE;
	if (!description_has_cmdline(m->role) && m->cmdline.n != 0)
		return DESCRIPTION_E_FIELD;
	if (!description_cmdline_valid(m->role, m->cmdline))
		return DESCRIPTION_E_CMDLINE;
	if (m->sha256.n != 0 && !description_has_digest(m->role))
		return DESCRIPTION_E_FIELD;
	if (m->sha256.n != 0 && !description_digest_valid(m->sha256))
		return DESCRIPTION_E_DIGEST;
	if (!role_table[m->role].member)
		return m->path.n != 0 || m->mode != 0 ? DESCRIPTION_E_FIELD : DESCRIPTION_OK;
	if (!description_path_valid(m->path))
		return DESCRIPTION_E_PATH;
	return m->mode <= DESCRIPTION_MAX_FILE_MODE ? DESCRIPTION_OK : DESCRIPTION_E_FILE_MODE;
}

static enum description_error check_txt(const struct description *d)
{
	const struct description_module *const all[] = { &d->txt.tboot, &d->txt.sinit, &d->txt.lcp, &d->txt.stage };

	for (size_t i = 0; i < GL_COUNT(all); i++) {
		bool given = all[i]->file.n != 0;
		bool wanted = i == 0 || i == GL_COUNT(all) - 1;

		if (given ? d->mode != DESCRIPTION_TXT || all[i]->role != description_txt_roles[i] : d->mode == DESCRIPTION_TXT && wanted)
			return DESCRIPTION_E_TXT;
		if (given && check_module(all[i]))
			return check_module(all[i]);
	}
	return DESCRIPTION_OK;
}

bool description_rules_fit(
	const struct stage_rules *r, enum hypervisor hypervisor, enum description_on_halt on_halt, unsigned halt_delay, size_t module_count)
{
	static const enum stage_halt halts[DESCRIPTION_ON_HALT_COUNT] = {
		[DESCRIPTION_POWEROFF] = STAGE_POWEROFF,
		[DESCRIPTION_RETURN] = STAGE_REBOOT,
	};

	return r->hypervisor == hypervisor && r->halt == halts[on_halt] && r->halt_delay == halt_delay && r->module_count == module_count;
}

bool description_rules_fit_module(const struct stage_rules *r, size_t i, enum role role, uint32_t mode)
{
	return i < r->module_count && r->modules[i].role == role && r->modules[i].mode == mode;
}

static enum description_error check_head(const struct description *d)
{
	if ((unsigned)d->mode >= DESCRIPTION_MODE_COUNT)
		return DESCRIPTION_E_MODE;
	if (!description_file_valid(d->policy))
		return DESCRIPTION_E_FILE;
	if ((unsigned)d->on_halt >= DESCRIPTION_ON_HALT_COUNT)
		return DESCRIPTION_E_ON_HALT;
	if (d->halt_delay > DESCRIPTION_MAX_HALT_DELAY)
		return DESCRIPTION_E_HALT_DELAY;
	if ((unsigned)d->hypervisor >= HYPERVISOR_COUNT)
		return DESCRIPTION_E_KIND;
	if (d->module_count == 0)
		return DESCRIPTION_E_FIRST;
	if (d->module_count > DESCRIPTION_MAX_MODULES)
		return DESCRIPTION_E_TOO_MANY;
	return check_txt(d);
}

/* The rules on module `i` alone and on it and those before it. */
static enum description_error check_place(const struct description *d, size_t i, struct modules_order *order)
{
	const struct description_module *m = &d->modules[i];
	enum description_error error = description_take(order, m->role);

	if (!error)
		error = check_module(m);
	if (error || !role_table[m->role].member)
		return error;
	for (size_t j = 0; j < i; j++)
		if (role_table[d->modules[j].role].member && description_paths_conflict(d->modules[j].path, m->path))
			return DESCRIPTION_E_PATH_TAKEN;
	return DESCRIPTION_OK;
}

/* What can be said only when all modules are known; numbered as the stage, 0. */
static enum description_error check_whole(const struct description *d, const struct modules_order *order)
{
	enum description_error error = description_take_end(order);
	struct stage_rules rules;

	if (error || d->mode != DESCRIPTION_TXT)
		return error;
	if (stage_rules_parse(d->txt.stage.cmdline, &rules, NULL))
		return DESCRIPTION_E_RULES;
	if (!description_rules_fit(&rules, d->hypervisor, d->on_halt, d->halt_delay, d->module_count))
		return DESCRIPTION_E_RULES_DIFFER;
	for (size_t i = 0; i < d->module_count; i++)
		if (!description_rules_fit_module(&rules, i, d->modules[i].role, d->modules[i].mode))
			return DESCRIPTION_E_RULES_DIFFER;
	return DESCRIPTION_OK;
}

enum description_error description_validate(const struct description *d, size_t *module)
{
	struct modules_order order = { .hypervisor = d->hypervisor };
	enum description_error error = check_head(d);
	size_t number = 0;

	while (!error && number < d->module_count)
		error = check_place(d, number++, &order);
	if (!error) {
		number = 0;
		error = check_whole(d, &order);
	}
	if (error && module)
		*module = number;
	return error;
}
