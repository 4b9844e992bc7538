# SPDX-License-Identifier: BSD-3-Clause
"""--help, manual pages and bash completion name the same commands and options."""

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
COMMANDS = ["build", "install", "geo", "verify", "log", "vlp", "lcp", "acm", "txt", "provision", "lint", "fleet"]
# Commands whose first argument is an action, each with options of its own.
ACTIONS = {
    "geo": ["define", "write", "read", "lock", "undefine"],
    "acm": ["show"],
    "txt": ["decode-error", "heap"],
    "fleet": ["list", "show", "extract"],
    "lcp": ["mle-hash", "element", "list", "policy", "data", "sign", "verify", "show", "evaluate"],
    "vlp": ["create", "add", "del", "show", "check", "diff", "wrap", "unwrap"],
}


# Commands whose actions have a --help each.
OWN_HELP = ["lcp"]


def text_of(*args):
    return subprocess.run([GEOLAUNCH, *args], capture_output=True, text=True, timeout=30, check=True).stdout


def help_of(command):
    actions = ACTIONS[command] if command in OWN_HELP else []
    return "".join([text_of(command, "--help"), *(text_of(command, action, "--help") for action in actions)])


def long_options(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


def complete(folder, *words):
    """What Tab offers behind these words, the last of which is not finished."""
    script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _geolaunch; printf "%s\\n" "${COMPREPLY[@]}"'
    out = subprocess.run(["bash", "--norc", "-uec", script, "-", TOP / "docs/geolaunch.bash-completion", "geolaunch", *words], cwd=folder,
                         capture_output=True, text=True, timeout=30, check=True)
    assert out.stderr == ""
    return set(out.stdout.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_manual_page(command):
    page = (TOP / f"docs/man/geolaunch-{command}.1.scd").read_text().replace("\\-", "-")
    missing = long_options(help_of(command)) - long_options(page.replace("*", " "))
    assert not missing


def test_exit_codes_in_manual():
    page = (TOP / "docs/man/geolaunch.1.scd").read_text()
    codes = re.findall(r"^ +(\d+)  (?:verify: ([a-z-]+)$)?", text_of("--help").split("exit codes:\n")[1], re.M)
    assert len(codes) >= 13 and len(set(codes)) == len(codes)
    for code, verdict in codes:
        assert f"\n*{code}*\n" in page
        assert verdict in page


def test_complete_command(tmp_path):
    assert complete(tmp_path, "") == {*COMMANDS, "help", "--help", "--version"}
    assert complete(tmp_path, "help", "") == set(COMMANDS)
    assert complete(tmp_path, "help", "fleet", "") == set()
    assert complete(tmp_path, "ve") == {"verify"}


@pytest.mark.parametrize("command", COMMANDS)
def test_complete_options(tmp_path, command):
    offered = complete(tmp_path, command, "--")
    if command in ACTIONS:
        offered = set().union(*(complete(tmp_path, command, action, "--") for action in ACTIONS[command]))
    assert offered == long_options(help_of(command))


def test_complete_values(tmp_path):
    (tmp_path / "host.yaml").touch()
    (tmp_path / "other.txt").touch()
    (tmp_path / "out").mkdir()
    assert complete(tmp_path, "build", "") == {"host.yaml", "out"}
    assert complete(tmp_path, "build", "host.yaml", "-o", "") == {"out"}
    assert complete(tmp_path, "install", "") == complete(tmp_path, "install", "--esp", "") == {"out"}
    for command, actions in ACTIONS.items():
        assert complete(tmp_path, command, "") == set(actions)
    assert complete(tmp_path, "vlp", "create", "--type", "") == {"nonfatal", "continue", "halt"}
    assert complete(tmp_path, "log", "--start", "") == {"ff", "00"}
    assert complete(tmp_path, "lcp", "") == set(ACTIONS["lcp"])
    assert complete(tmp_path, "lcp", "element", "") == {"mle", "pconf", "sbios", "stm", "custom"}
    assert complete(tmp_path, "lcp", "list", "--version", "") == {"2.0", "2.1", "3.0"}
    assert complete(tmp_path, "lcp", "policy", "create", "--version", "") == {"3.0", "3.1", "3.2"}
    assert complete(tmp_path, "lcp", "show", "--type", "d") == {"data"}
    assert complete(tmp_path, "lcp", "sign", "") == {"host.yaml", "other.txt", "out"}
    assert complete(tmp_path, "geo", "write", "--site", "") == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command(command):
    assert text_of("help", command) == text_of(command, "--help")


def test_complete_more_values(tmp_path):
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet/hosts.jsonl").write_text('{"format":"geolaunch-fleet-1","count":2}\n{"name":"a1","x":1}\n{"name":"b1"}\n')
    for words in (["verify", "fleet"], ["provision", "fleet"]):
        assert complete(tmp_path, *words, "--host", "") == {"a1", "b1"}
    assert complete(tmp_path, "verify", "--host", "") == set()
    assert complete(tmp_path, "fleet", "show", "fleet", "b") == {"b1"}
    assert complete(tmp_path, "verify", "--require-banks", "sha2") == {"sha256"}
    assert "--drop-signature" not in complete(tmp_path, "lcp", "list", "create", "--")
    assert "--drop-signature" in complete(tmp_path, "lcp", "list", "add", "--")


@pytest.mark.parametrize("typed,offered", [
    ("device:/dev/tpm", {"/dev/tpm0", "/dev/tpmrm0"}), ("device:", {"/dev/tpm0", "/dev/tpmrm0"}), ("swt", {"swtpm:path="})])
def test_complete_behind_a_colon(tmp_path, typed, offered):
    """As bash calls it: words end at the characters of COMP_WORDBREAKS, the colon is one, and what is offered replaces the last of them."""
    words = ["geolaunch", "verify", "x.json", "--tcti", *re.findall(":|[^:]+", typed), *([""] if typed.endswith(":") else [])]
    script = 'source "$1"; COMP_LINE=$2; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _geolaunch; printf "%s\\n" "${COMPREPLY[@]}"'
    out = subprocess.run(["bash", "--norc", "-uec", script, "-", TOP / "docs/geolaunch.bash-completion",
                          f"geolaunch verify x.json --tcti {typed}", *words], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=True)
    assert (set(out.stdout.split()), out.stderr) == (offered, "")


def test_help_of_none():
    assert text_of("help") == text_of("--help")
    p = subprocess.run([GEOLAUNCH, "help", "biuld"], capture_output=True, text=True, timeout=30, check=False)
    assert p.returncode == 2 and "unknown command: biuld" in p.stderr
