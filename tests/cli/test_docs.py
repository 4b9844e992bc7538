# SPDX-License-Identifier: BSD-3-Clause
"""The commands that the documents show exist and do what is said: a document that has gone stale fails here."""
import os
import re
import shutil
import subprocess
import sys

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path.insert(0, os.path.join(TOP, "demo"))
import launch  # noqa: E402  (the path comes first)


def shown_commands(name):
    """Lines of indented blocks, without comments."""
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        for line in f:
            if line.startswith("    ") and line.strip():
                yield re.sub(r"\s+#.*$", "", line.strip())


def make_targets(name):
    for command in shown_commands(name):
        words = command.split()
        if words[:1] == ["make"]:
            yield from (w for w in words[1:] if "=" not in w and w != "make")


@pytest.mark.parametrize("name", ["README.md", "docs/HACKING.md"])
def test_make_targets_exist(name):
    targets = set(make_targets(name))
    assert targets
    for target in targets:
        p = subprocess.run(["make", "-n", target], cwd=TOP, capture_output=True, text=True, timeout=60, check=False)
        assert p.returncode == 0, f"{name}: make {target}: {p.stderr}"


@pytest.mark.parametrize("name", ["README.md", "docs/HACKING.md"])
def test_named_files_exist(name):
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        text = f.read()
    paths = set(re.findall(r"\]\(([^)#:]+)\)", text))
    base = os.path.dirname(os.path.join(TOP, name))
    for path in paths:
        assert os.path.exists(os.path.join(base, path)), f"{name} links to {path}"
    for path in set(re.findall(r"`((?:common|tpm|tboot-policy|geo|efi|cli|qemu|demo|tests|docs|scripts)/[\w./-]*\w)`", text)):
        assert os.path.exists(os.path.join(TOP, path)), f"{name} names {path}"


def man_page_commands(name):
    """Lines of the blocks of a manual page's EXAMPLES."""
    with open(os.path.join(TOP, name), encoding="utf-8") as f:
        examples = f.read().split("# EXAMPLES\n")[1].split("\n# ")[0]
    return [line for block in re.findall(r"```\n(.*?)```", examples, re.S) for line in block.splitlines()]


README_COMMANDS = ["build", "geo", "geo", "lint", "install", "verify", "log", "vlp", "lcp", "provision", "txt"]


@pytest.mark.parametrize("commands, wanted", [
    ([c for c in shown_commands("README.md") if c.startswith("geolaunch ")], README_COMMANDS),
    (man_page_commands("docs/man/geolaunch.1.scd"), ["build", "geo", "geo", "lint", "install", "verify"]),
], ids=["README", "geolaunch.1"])
def test_host_of_your_own(tmp_path, commands, wanted):
    """README, 'A host of your own', and the manual's examples, word by word, in front of a TPM of the harness: they end in a launch."""
    state = str(tmp_path / "tpm")
    launch.new_tpm(state, ("sha256",))
    for name, source in (("linux", os.path.join(launch.KERNEL, "vmlinuz")), ("vmm", launch.VMM),
                         ("vm.json", os.path.join(TOP, "demo/vm.json")), ("initrd", os.path.join(TOP, "demo/init"))):
        launch.place(str(tmp_path), name, source)
    for name in ("manifest.yaml", "host.yaml"):
        shutil.copy(os.path.join(TOP, "demo/manifest.yaml"), tmp_path / name)
    # build, geo define, geo write, lint; verify says what it finds on a TPM into which nothing was launched; log --live needs a booted host.
    seen = []
    with launch.tpm_server(state) as tcti:
        for command in commands:
            words = command.split()[1:]
            if words[0] == "log":
                words = [words[0], "--help"]
            elif words[0] == "install":
                # a tree instead of a mounted ESP has no partition that a boot entry could name
                os.makedirs(tmp_path / "esp")
                words[2:3] = [str(tmp_path / "esp"), "--removable"]
            elif words[0] == "lint":
                assert words[-2:] == ["--tcti", "device:/dev/tpmrm0"]
                words[-1] = tcti
            elif words[0] in ("geo", "verify", "provision"):
                words += ["--tcti", tcti]
            p = subprocess.run([launch.GEOLAUNCH, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
                               env={**os.environ, "GEOLAUNCH_EFI": launch.EFI})
            if words[0] == "verify":
                assert p.returncode >= 10, p.stdout + p.stderr
            else:
                assert p.returncode == 0, f"{command}: {p.stdout}{p.stderr}"
            if words[0] == "lint":
                said = " ".join(p.stdout.split())
                assert " 0 errors, " in said and "it is what the policy demands" in said and "the launch stops" not in said
            seen.append(words[0])
    assert seen == wanted
