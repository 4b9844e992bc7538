# SPDX-License-Identifier: BSD-3-Clause
"""A path is bytes, JSON is UTF-8: every report with --json has a path that is none as \\xHH, and is valid JSON."""

import json
import os
import shutil
import subprocess

import pytest

from build_model import GEOLAUNCH, TOP, make_inputs, to_yaml, variant

ODD = b"o\xffd\xc3\xa4\xe2\x82"
SHOWN = "o\\xffdä\\xe2\\x82"
HASH = "00" * 32


def call(folder, *args):
    p = subprocess.run([GEOLAUNCH, *args], cwd=folder, capture_output=True, timeout=60, check=False)
    return p.returncode, p.stdout, p.stderr


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    """Everything lies in a folder of that name."""
    top = tmp_path_factory.mktemp("bytes")
    make_inputs(top / "in")
    folder = os.path.join(os.fsencode(top), ODD)
    os.rename(top / "in", folder)
    with open(os.path.join(folder, b"host.yaml"), "w", encoding="ascii") as f:
        f.write(to_yaml(variant()) + "\n")
    with open(os.path.join(folder, b"hosts.csv"), "w", encoding="ascii") as f:
        f.write("name,country\na,DE\n")
    made = subprocess.run([TOP / "build/host/acm_tool", "sinit", "1"], capture_output=True, check=True, timeout=60).stdout
    with open(os.path.join(folder, b"sinit"), "wb") as f:
        f.write(made)
    for args in (["vlp", "create", "--type", "halt", ODD + b"/a.vlp"], ["vlp", "create", "--type", "continue", ODD + b"/b.vlp"],
                 ["lcp", "policy", "create", "--type", "any", "-o", ODD + b"/a.pol"],
                 ["build", ODD + b"/host.yaml", "-o", "built", "--efi", ODD + b"/geolaunch.efi"]):
        code, _, errors = call(top, *args)
        assert code == 0, errors
    yield top
    shutil.rmtree(os.fsencode(top))


# Arguments; ODD stands for the folder, in bytes. And whether the report must show it.
REPORTS = {
    "build": (["build", ODD + b"/host.yaml", "-o", ODD + b"/out", "--efi", ODD + b"/geolaunch.efi"], True),
    "fleet": (["build", ODD + b"/host.yaml", "--fleet", ODD + b"/hosts.csv", "-o", ODD + b"/fleet", "--efi", ODD + b"/geolaunch.efi"], True),
    "install": (["install", "--esp", ODD, "--no-boot-entry", "built"], True),
    "status": (["install", "--esp", ODD, "--status"], True),
    "acm": (["acm", "show", ODD + b"/sinit"], True),
    "lcp show": (["lcp", "show", ODD + b"/a.pol"], True),
    "lcp evaluate": (["lcp", "evaluate", "--po", ODD + b"/a.pol", "--mle", "sha256:" + HASH, "--sinit", ODD + b"/sinit"], False),
    "vlp show": (["vlp", "show", ODD + b"/a.vlp"], False),
    "vlp check": (["vlp", "check", ODD + b"/a.vlp"], False),
    "vlp diff": (["vlp", "diff", ODD + b"/a.vlp", ODD + b"/b.vlp"], True),
    "lint": (["lint", "built", "--sinit", ODD + b"/sinit", "--tboot-cmdline", ""], False),
}


@pytest.mark.parametrize("name", REPORTS)
def test_report(kit, name):
    args, shown = REPORTS[name]
    code, out, errors = call(kit, *args, "--json")
    assert code in (0, 3, 5, 6, 20) and out, errors
    report = out.decode()
    assert isinstance(json.loads(report), dict)
    assert not shown or SHOWN in json.dumps(json.loads(report), ensure_ascii=False).replace("\\\\", "\\")
