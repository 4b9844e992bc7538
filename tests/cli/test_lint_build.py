# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch lint` of builds that `geolaunch install` refuses."""

import subprocess

import pytest

from build_model import GEOLAUNCH
from test_lint import ESP, built, finding, inputs, lint, own  # noqa: F401  (fixtures are among them)


def into_a_file(path, content=b"x"):
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


# What is done to a build, part of what is said.
REFUSED = {
    "another default": (lambda b: into_a_file(b / "esp/EFI/BOOT/BOOTX64.EFI", (b / ESP / "geolaunch.efi").read_bytes() + b"x"), "not the same file as"),
    "another application": (lambda b: into_a_file(b / ESP / "geolaunch.efi", (b / ESP / "geolaunch.efi").read_bytes() + b"x"), "BOOTX64.EFI"),
    "a file in esp": (lambda b: into_a_file(b / "esp/notes.txt"), '"notes.txt" is nothing that geolaunch knows how to install'),
    "a folder in esp": (lambda b: into_a_file(b / "esp/loader/x"), '"loader" is nothing'),
    "a folder in EFI": (lambda b: into_a_file(b / "esp/EFI/debian/shimx64.efi"), '"debian" is nothing'),
    "a file in BOOT": (lambda b: into_a_file(b / "esp/EFI/BOOT/fbx64.efi"), '"fbx64.efi" is nothing'),
    "no application": (lambda b: [into_a_file(b / p, b"MZ") for p in ("esp/EFI/BOOT/BOOTX64.EFI", ESP + "/geolaunch.efi")], "no EFI application"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_install_refuses(own, tmp_path, name):
    """One error, with install's own words."""
    change, words = REFUSED[name]
    change(own)
    report = lint(own, code=20)
    assert [f["id"] for f in report["findings"]] == ["GL-BUILD-018"]
    (tmp_path / "esp").mkdir()
    done = subprocess.run([GEOLAUNCH, "install", own, "--esp", tmp_path / "esp", "--no-boot-entry"], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3 and words in done.stderr
    assert done.stderr.strip().removeprefix("geolaunch install: ") in finding(report, "GL-BUILD-018")["text"]
