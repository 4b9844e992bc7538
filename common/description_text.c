/* SPDX-License-Identifier: BSD-3-Clause */
#include "common/cursor.h"
#include "common/description_impl.h"

#define FORMAT_LINE "geolaunch 1"
#define END_LINE "end"

/* ---- reading ---- */

/* The text line by line. The first error sticks: later reads give empty values and keep it and its line. */
struct lines {
	struct span left;
	size_t number; /* of the line read last, from 1 */
	enum description_error error;
};

static void fail(struct lines *l, enum description_error error)
{
	if (!l->error)
		l->error = error;
}

static struct span next_line(struct lines *l)
{
	struct span line = { l->left.p, 0 };

	if (l->error)
		return (struct span){ NULL, 0 };
	l->number++;
	while (line.n < l->left.n && line.p[line.n] != '\n')
		line.n++;
	if (l->left.n == 0)
		fail(l, DESCRIPTION_E_END);
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < 0x20 || line.p[i] > 0x7e)
			fail(l, DESCRIPTION_E_CHARACTER);
	if (line.n == l->left.n)
		fail(l, DESCRIPTION_E_LINE_END);
	if (l->error)
		return (struct span){ NULL, 0 };
	l->left = (struct span){ line.p + line.n + 1, l->left.n - line.n - 1 };
	return line;
}

/* True if the line is the key alone or the key and a blank. */
static bool has_key(struct span line, struct span key)
{
	return line.n >= key.n && span_equal((struct span){ line.p, key.n }, key) && (line.n == key.n || line.p[key.n] == ' ');
}

/* The value of a line that must have this key. */
static struct span value_in(struct lines *l, struct span line, const char *name)
{
	struct span key = span_str(name);

	if (!has_key(line, key)) {
		fail(l, DESCRIPTION_E_KEY);
		return (struct span){ NULL, 0 };
	}
	if (line.n <= key.n + 1) {
		fail(l, DESCRIPTION_E_VALUE);
		return (struct span){ NULL, 0 };
	}
	return (struct span){ line.p + key.n + 1, line.n - key.n - 1 };
}

static struct span next_value(struct lines *l, const char *key)
{
	return value_in(l, next_line(l), key);
}

/* Whether the next line is this one, or has this key; nothing is read. */
static bool next_has_key(struct lines l, const char *key)
{
	return has_key(next_line(&l), span_str(key));
}

/* A number with exactly the digits that it is written with: no sign, no blanks, no leading zeros. */
static unsigned read_decimal(struct lines *l, struct span s, unsigned max, enum description_error error)
{
	unsigned v = 0;
	bool good = s.n > 0 && s.n <= 9 && (s.p[0] != '0' || s.n == 1);

	for (size_t i = 0; good && i < s.n; i++) {
		good = s.p[i] >= '0' && s.p[i] <= '9';
		v = v * 10 + (unsigned)(s.p[i] - '0');
	}
	if (good && v <= max)
		return v;
	fail(l, error);
	return 0;
}

static uint32_t read_file_mode(struct lines *l, struct span s)
{
	uint32_t v = 0;
	bool good = s.n == 4;

	for (size_t i = 0; good && i < s.n; i++) {
		good = s.p[i] >= '0' && s.p[i] <= '7';
		v = v << 3 | (uint32_t)(s.p[i] - '0');
	}
	if (good && v <= DESCRIPTION_MAX_FILE_MODE)
		return v;
	fail(l, DESCRIPTION_E_FILE_MODE);
	return 0;
}

static struct span read_file_name(struct lines *l, const char *key)
{
	struct span name = next_value(l, key);

	if (!description_file_valid(name))
		fail(l, DESCRIPTION_E_FILE);
	return name;
}

/* All that stands before the modules. */
struct head {
	enum description_mode mode;
	struct span policy;
	enum description_on_halt on_halt;
	unsigned halt_delay;
};

static struct head read_head(struct lines *l)
{
	struct head h = { .mode = DESCRIPTION_DIRECT, .on_halt = DESCRIPTION_POWEROFF };

	if (!span_is_str(next_line(l), FORMAT_LINE))
		fail(l, DESCRIPTION_E_FORMAT);
	if (!description_mode_by_name(next_value(l, "mode"), &h.mode))
		fail(l, DESCRIPTION_E_MODE);
	h.policy = read_file_name(l, "policy");
	if (!description_on_halt_by_name(next_value(l, "on-halt"), &h.on_halt))
		fail(l, DESCRIPTION_E_ON_HALT);
	h.halt_delay = read_decimal(l, next_value(l, "halt-delay"), DESCRIPTION_MAX_HALT_DELAY, DESCRIPTION_E_HALT_DELAY);
	return h;
}

/* The paths of the modules so far. */
struct paths {
	struct span list[DESCRIPTION_MAX_MODULES];
	size_t count;
};

/* A path that must not conflict with one of an earlier module. */
static struct span read_path(struct lines *l, struct paths *taken)
{
	struct span path = next_value(l, "path");

	if (!l->error && !description_path_valid(path))
		fail(l, DESCRIPTION_E_PATH);
	if (!l->error && taken->count == DESCRIPTION_MAX_MODULES)
		fail(l, DESCRIPTION_E_TOO_MANY);
	if (l->error)
		return path;
	for (size_t i = 0; i < taken->count; i++)
		if (description_paths_conflict(taken->list[i], path))
			fail(l, DESCRIPTION_E_PATH_TAKEN);
	taken->list[taken->count++] = path;
	return path;
}

/* The lines of a module behind "module ROLE". */
static void read_fields(struct lines *l, struct paths *taken, struct description_module *m)
{
	m->file = read_file_name(l, "file");
	if (description_has_cmdline(m->role) && next_has_key(*l, "cmdline")) {
		m->cmdline = next_value(l, "cmdline");
		if (!description_cmdline_valid(m->role, m->cmdline))
			fail(l, DESCRIPTION_E_CMDLINE);
	}
	if (description_has_digest(m->role) && next_has_key(*l, "sha256")) {
		m->sha256 = next_value(l, "sha256");
		if (!description_digest_valid(m->sha256))
			fail(l, DESCRIPTION_E_DIGEST);
	}
	if (role_table[m->role].member) {
		m->path = read_path(l, taken);
		m->mode = read_file_mode(l, next_value(l, "mode"));
	}
}

static struct description_module read_module(struct lines *l, struct paths *taken, struct modules_order *order)
{
	struct description_module m = { .role = ROLE_FILE };

	if (!role_by_name(next_value(l, "module"), &m.role))
		fail(l, DESCRIPTION_E_ROLE);
	if (!l->error)
		fail(l, description_take(order, m.role));
	if (m.role == ROLE_HYPERVISOR && next_has_key(*l, "kind") &&
		(!hypervisor_by_name(next_value(l, "kind"), &order->hypervisor) || order->hypervisor != HYPERVISOR_XEN))
		fail(l, DESCRIPTION_E_KIND);
	read_fields(l, taken, &m);
	return m;
}

/* The stage's rules, and the line where they stand. */
struct staged {
	struct stage_rules rules;
	size_t line;
	bool differ;
};

static void read_txt_module(struct lines *l, enum role role, struct description_module *m)
{
	struct lines ahead = *l;

	if (!span_is_str(next_value(&ahead, "module"), role_table[role].name)) {
		if (role == ROLE_SINIT || role == ROLE_LCP)
			return;
		(void)next_line(l);
		fail(l, DESCRIPTION_E_TXT);
		return;
	}
	*l = ahead;
	m->role = role;
	read_fields(l, NULL, m);
}

/* The modules of txt mode that have no number. */
static void read_txt(struct lines *l, struct description_txt *txt, struct staged *staged)
{
	struct description_module *const all[DESCRIPTION_TXT_ROLES] = { &txt->tboot, &txt->sinit, &txt->lcp, &txt->stage };

	for (size_t i = 0; i < DESCRIPTION_TXT_ROLES; i++)
		read_txt_module(l, description_txt_roles[i], all[i]);
	staged->line = l->number;
	if (!l->error && stage_rules_parse(txt->stage.cmdline, &staged->rules, NULL))
		fail(l, DESCRIPTION_E_RULES);
}

static void check_end(struct lines *l, const struct modules_order *order)
{
	if (!span_is_str(next_line(l), END_LINE))
		fail(l, DESCRIPTION_E_KEY);
	if (!l->error)
		fail(l, description_take_end(order));
	if (!l->error && l->left.n != 0) {
		l->number++;
		fail(l, DESCRIPTION_E_TRAILING);
	}
}

/* Reads the whole text; fills `out` if it is not NULL. */
static void walk(struct lines *l, struct description *out)
{
	struct modules_order order = { .hypervisor = HYPERVISOR_LINUX };
	struct head head = read_head(l);
	struct description_txt txt = { .tboot.role = ROLE_DESCRIPTION };
	struct staged staged = { .line = 0 };
	struct paths taken = { .count = 0 };

	if (head.mode == DESCRIPTION_TXT)
		read_txt(l, &txt, &staged);
	do {
		struct description_module m = read_module(l, &taken, &order);

		if (l->error)
			break;
		staged.differ |= staged.line != 0 && !description_rules_fit_module(&staged.rules, order.count - 1, m.role, m.mode);
		if (out)
			out->modules[order.count - 1] = m;
	} while (!next_has_key(*l, END_LINE));
	check_end(l, &order);
	if (!l->error && staged.line != 0 &&
		(staged.differ || !description_rules_fit(&staged.rules, order.hypervisor, head.on_halt, head.halt_delay, order.count))) {
		l->number = staged.line;
		fail(l, DESCRIPTION_E_RULES_DIFFER);
	}
	if (!out || l->error)
		return;
	out->mode = head.mode;
	out->policy = head.policy;
	out->on_halt = head.on_halt;
	out->halt_delay = head.halt_delay;
	out->hypervisor = order.hypervisor;
	out->txt = txt;
	out->module_count = order.count;
}

enum description_error description_parse(struct span text, struct description *out, size_t *line)
{
	struct lines check = { .left = text }, read = check;

	if (text.n > DESCRIPTION_MAX_SIZE)
		check.error = DESCRIPTION_E_SIZE;
	else
		walk(&check, NULL);
	if (check.error) {
		if (line)
			*line = check.number ? check.number : 1;
		return check.error;
	}
	/* The same text again, so nothing can fail now and `out` is written only on success. */
	walk(&read, out);
	return read.error;
}

/* ---- writing ---- */

/* What can be written can be read: the longest description stays below the limit. The last number has room for all keys. */
static_assert(DESCRIPTION_MAX_MODULES * (DESCRIPTION_MAX_FILE + DESCRIPTION_MAX_PATH + 64) +
			      4 * (DESCRIPTION_MAX_FILE + DESCRIPTION_MAX_CMDLINE) + 512 <
		      DESCRIPTION_MAX_SIZE,
	"DESCRIPTION_MAX_SIZE");

static void put_line(struct wr *w, const char *key, struct span value)
{
	wr_bytes(w, span_str(key));
	wr_u8(w, ' ');
	wr_bytes(w, value);
	wr_u8(w, '\n');
}

static void put_word(struct wr *w, const char *key, const char *value)
{
	put_line(w, key, span_str(value));
}

static void put_decimal(struct wr *w, const char *key, unsigned v)
{
	char digits[11];
	struct text t = TEXT_OF(digits);

	text_u64(&t, v);
	put_word(w, key, digits);
}

static void put_file_mode(struct wr *w, uint32_t mode)
{
	uint8_t digits[4];

	for (unsigned i = 0; i < sizeof(digits); i++)
		digits[i] = (uint8_t)('0' + (mode >> 3 * (sizeof(digits) - 1 - i) & 7));
	put_line(w, "mode", SPAN_OF(digits));
}

static void put_module(struct wr *w, const struct description_module *m, enum hypervisor hypervisor)
{
	put_word(w, "module", role_table[m->role].name);
	if (m->role == ROLE_HYPERVISOR && hypervisor != HYPERVISOR_LINUX)
		put_word(w, "kind", hypervisor_name(hypervisor));
	put_line(w, "file", m->file);
	if (m->cmdline.n != 0)
		put_line(w, "cmdline", m->cmdline);
	if (m->sha256.n != 0)
		put_line(w, "sha256", m->sha256);
	if (role_table[m->role].member) {
		put_line(w, "path", m->path);
		put_file_mode(w, m->mode);
	}
}

enum description_error description_write(const struct description *d, struct mspan buf, size_t *n)
{
	const struct description_module *const txt[DESCRIPTION_TXT_ROLES] = { &d->txt.tboot, &d->txt.sinit, &d->txt.lcp, &d->txt.stage };
	struct wr w = buf.p ? wr_init(buf) : wr_measure();
	enum description_error error = description_validate(d, NULL);

	if (error)
		return error;
	wr_bytes(&w, SPAN_LITERAL(FORMAT_LINE "\n"));
	put_word(&w, "mode", description_mode_name(d->mode));
	put_line(&w, "policy", d->policy);
	put_word(&w, "on-halt", description_on_halt_name(d->on_halt));
	put_decimal(&w, "halt-delay", d->halt_delay);
	for (size_t i = 0; i < DESCRIPTION_TXT_ROLES; i++)
		if (txt[i]->file.n != 0)
			put_module(&w, txt[i], d->hypervisor);
	for (size_t i = 0; i < d->module_count; i++)
		put_module(&w, &d->modules[i], d->hypervisor);
	wr_bytes(&w, SPAN_LITERAL(END_LINE "\n"));
	if (w.bad)
		return DESCRIPTION_E_BUFFER;
	*n = w.off;
	return DESCRIPTION_OK;
}
