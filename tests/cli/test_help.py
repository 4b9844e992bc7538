# SPDX-License-Identifier: BSD-3-Clause
"""--help, manual pages and bash completion name the same commands and options."""

import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
COMMANDS = ["build", "geo", "verify", "log"]


def text_of(*args):
    return subprocess.run([GEOLAUNCH, *args], capture_output=True, text=True, timeout=30, check=True).stdout


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
    missing = long_options(text_of(command, "--help")) - long_options(page.replace("*", " "))
    assert not missing


def test_exit_codes_in_manual():
    page = (TOP / "docs/man/geolaunch.1.scd").read_text()
    codes = re.findall(r"^ +(\d+)  (?:verify: ([a-z-]+)$)?", text_of("--help").split("exit codes:\n")[1], re.M)
    assert len(codes) == 12
    for code, verdict in codes:
        assert f"\n*{code}*\n" in page
        assert verdict in page


def test_complete_command(tmp_path):
    assert complete(tmp_path, "") == {*COMMANDS, "--help", "--version"}
    assert complete(tmp_path, "v") == {"verify"}


@pytest.mark.parametrize("command", COMMANDS)
def test_complete_options(tmp_path, command):
    offered = complete(tmp_path, command, "--")
    if command == "geo":
        offered = set().union(*(complete(tmp_path, "geo", action, "--") for action in ("define", "write", "read", "lock", "undefine")))
    assert offered == long_options(text_of(command, "--help"))


def test_complete_values(tmp_path):
    (tmp_path / "host.yaml").touch()
    (tmp_path / "other.txt").touch()
    (tmp_path / "out").mkdir()
    assert complete(tmp_path, "build", "") == {"host.yaml", "out"}
    assert complete(tmp_path, "build", "host.yaml", "-o", "") == {"out"}
    assert complete(tmp_path, "geo", "") == {"define", "write", "read", "lock", "undefine"}
    assert complete(tmp_path, "log", "--start", "") == {"ff", "00"}
    assert complete(tmp_path, "geo", "write", "--site", "") == set()
