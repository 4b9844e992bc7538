# SPDX-License-Identifier: BSD-3-Clause
"""The house in order: who may include whom, how long a file may be, what no file may hold."""
import ast
import fnmatch
import pathlib
import re
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import worktree  # noqa: E402  (the path comes first)

# Folder -> folders whose headers it may include, besides its own. docs/HACKING.md, "The house".
MAY_USE = {
    "common": set(),
    "common/free": set(),
    "tpm": {"common"},
    "tpm/efi": {"common", "tpm"},
    "tpm/host": {"common", "tpm"},
    "tboot-policy": {"common"},
    "geo": {"common"},
    "lcp": {"common"},
    "lcp/host": {"common", "lcp"},
    "boot": {"common"},
    "txt": {"common", "lcp"},
    "efi/core": {"common", "tboot-policy", "geo", "lcp", "boot", "txt"},
    "efi": {"common", "tpm", "tpm/efi", "tboot-policy", "geo", "lcp", "boot", "txt", "efi/core"},
    "stage/core": {"common", "tboot-policy", "geo", "boot", "txt"},
    "stage": {"common", "tpm", "tboot-policy", "geo", "boot", "txt", "stage/core"},
    "cli": {"common", "tpm", "tpm/host", "tboot-policy", "geo", "lcp", "lcp/host", "boot", "txt"},
    "qemu/proxy": {"common"},
    "qemu/txt": {"common", "tpm", "tpm/host", "lcp", "lcp/host", "boot", "txt", "qemu/proxy"},
}

# "About 500 lines": longer than this needs a reason, which stands here.
MAX_LINES = 560
LONG = {
    "tests/unit/test_lint_rules.c": "one table of mistakes, a row for each rule of lint",
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)


def tracked(*patterns):
    """Files of the tree; a pattern without a folder is for all of them."""
    found = [TOP / n for n in worktree.files() if any(fnmatch.fnmatchcase(n, p) for p in patterns)]
    assert found
    return found


def sources():
    # gen_*.c print documents from the tables of other rooms; they are not shipped.
    return [p for p in tracked("*.c", "*.h") if p.relative_to(TOP).parts[0] != "tests" and not p.name.startswith("gen_")]


def test_every_folder_with_sources_has_its_rule():
    assert {str(p.parent.relative_to(TOP)) for p in sources()} == set(MAY_USE)


@pytest.mark.parametrize("folder", sorted(MAY_USE))
def test_includes_stay_within_the_house_rules(folder):
    wrong = []
    for path in sources():
        if str(path.parent.relative_to(TOP)) != folder:
            continue
        for name in INCLUDE.findall(path.read_text()):
            target = str(pathlib.PurePath(name).parent) if "/" in name else folder
            assert (TOP / target / pathlib.PurePath(name).name).is_file() or target.startswith("tss2"), f"{path}: no {name}"
            if target != folder and target not in MAY_USE[folder]:
                wrong.append(f"{path.relative_to(TOP)} includes {name}")
    assert not wrong, "\n".join(wrong)


def test_no_folders_in_a_circle():
    """The rules themselves: what is used never uses back."""
    def reach(folder, seen):
        for n in MAY_USE[folder]:
            if n not in seen:
                seen.add(n)
                reach(n, seen)
        return seen

    for folder in MAY_USE:
        assert folder not in reach(folder, set()), folder


def test_no_file_is_long_without_a_reason():
    kinds = {".c", ".h", ".py", ".S", ""}
    long = {}
    for path in tracked("*.c", "*.h", "*.S", "*.py", "scripts/*", "demo/*", "qemu/*"):
        if path.suffix in kinds:
            lines = path.read_bytes().count(b"\n")
            if lines > MAX_LINES:
                long[str(path.relative_to(TOP))] = lines
    assert {p: n for p, n in long.items() if p not in LONG} == {}
    assert set(LONG) <= set(long), "a reason for a file that is not long any more"


def test_every_source_file_says_its_licence():
    for path in tracked("*.c", "*.h", "*.S", "*.py"):
        assert "SPDX-License-Identifier: BSD-3-Clause" in "\n".join(path.read_text().split("\n")[:3]), path


def test_text_files_are_tidy():
    for path in tracked("*.c", "*.h", "*.S", "*.py", "*.md", "*.scd", "Makefile"):
        for number, line in enumerate(path.read_text().split("\n"), 1):
            where = f"{path.relative_to(TOP)}:{number}"
            assert line == line.rstrip(), f"{where}: blanks at the end"
            assert path.suffix in (".md", ".scd") or len(line.expandtabs(8)) <= 200, f"{where}: {len(line.expandtabs(8))} columns"


def calls_of(tree, module, names):
    """Keywords of each call of one of these functions of a module's, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names and \
                getattr(node.func.value, "id", None) == module:
            yield node.lineno, {k.arg for k in node.keywords}


def test_nobody_waits_for_a_program_for_ever():
    python = [p for p in tracked("*.py", "demo/run", "qemu/run", "scripts/*") if p.suffix == ".py" or b"python3" in p.read_bytes()[:30]]
    found = [(path, line, given) for path in python
             for line, given in calls_of(ast.parse(path.read_text()), "subprocess", ("run", "call", "check_call", "check_output"))]
    assert len(found) > 50
    # None: a dictionary of more keywords, which is not looked into.
    assert [f"{path.relative_to(TOP)}:{line}" for path, line, given in found if not given & {"timeout", None}] == []
