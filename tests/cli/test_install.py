# SPDX-License-Identifier: BSD-3-Clause
"""`make install` into a staging folder, what is installed there, and `make clean`."""

import json
import os
import pathlib
import re
import subprocess
import sys

import pytest
from build_model import BASE, make_inputs, to_yaml

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "scripts"))
import worktree  # noqa: E402  (the path comes first)

BUILT = [TOP / "build/host/geolaunch", TOP / "build/efi/geolaunch.efi"]
# `make test` runs us: its flags and its job server are not for these.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "GEOLAUNCH_EFI", "DESTDIR", "PREFIX")}


def make(top, *args):
    p = subprocess.run(["make", "-C", top, *args], env=ENVIRONMENT, capture_output=True, text=True, timeout=300, check=False)
    assert p.returncode == 0, p.stdout + p.stderr


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


def manual_pages():
    return {p.stem for p in (TOP / "docs/man").glob("*.scd")}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("install") / "root"
    make(TOP, "install", f"DESTDIR={root}", "PREFIX=/usr")
    return root


def test_what_is_installed(root):
    assert files(root) == {
        "usr/bin/geolaunch", "usr/bin/tpmproxy", "usr/bin/txtplatform", "usr/lib/geolaunch/geolaunch.efi",
        "usr/lib/geolaunch/geolaunch-stage.elf", "usr/share/bash-completion/completions/geolaunch",
        "usr/share/doc/geolaunch/README.md",
        *(f"usr/share/doc/geolaunch/docs/{name}.md" for name in (
            "HACKING", "HASHING", "MEASUREMENTS", "LINT", "LCP-EVALUATION", "TXT-RULES", "PREFLIGHT", "REAL-HARDWARE", "RELIABILITY",
            "THREAT-MODEL")),
        *(f"usr/share/doc/geolaunch/demo/manifest{name}.yaml" for name in ("", "-xen", "-txt", "-txt-xen")),
        *(f"usr/share/man/man{page[-1]}/{page}" for page in manual_pages())}
    for name in files(root):
        assert (root / name).stat().st_mode & 0o7777 == (0o755 if name.startswith("usr/bin/") else 0o644), name
    assert (root / "usr/bin/geolaunch").read_bytes() == BUILT[0].read_bytes()
    assert (root / "usr/lib/geolaunch/geolaunch.efi").read_bytes() == BUILT[1].read_bytes()


def test_prefix_changes_no_build_and_all_goes_below_destdir(root, tmp_path):
    """A prefix that could be written to: what forgets DESTDIR lands there."""
    make(TOP, "build-all")
    before = [(p.stat().st_mtime_ns, p.read_bytes()) for p in BUILT]
    prefix = tmp_path / "prefix"
    make(TOP, "install", f"DESTDIR={tmp_path}/root", f"PREFIX={prefix}")
    assert [(p.stat().st_mtime_ns, p.read_bytes()) for p in BUILT] == before
    assert [p.name for p in tmp_path.iterdir()] == ["root"]
    assert files(tmp_path / f"root{prefix}") == files(root / "usr")
    assert len(files(tmp_path / "root")) == len(files(root))


def test_installed_command_finds_its_efi_application(root, tmp_path):
    """Wherever the folders were moved to, geolaunch.efi lies beside the command."""
    make_inputs(tmp_path / "in")
    (tmp_path / "in/host.yaml").write_text(to_yaml(BASE) + "\n")
    p = subprocess.run([root / "usr/bin/geolaunch", "build", "host.yaml", "-o", "out", "--json"], cwd=tmp_path / "in", env=ENVIRONMENT,
                       capture_output=True, text=True, timeout=60, check=False)
    assert (p.returncode, p.stderr) == (0, "")
    installed = root / "usr/lib/geolaunch/geolaunch.efi"
    assert pathlib.Path(json.loads(p.stdout)["efi"]["from"]).resolve() == installed
    assert (tmp_path / "in/out/esp/EFI/BOOT/BOOTX64.EFI").read_bytes() == installed.read_bytes()


def test_installed_manual_pages(root):
    for page in manual_pages():
        text = (root / f"usr/share/man/man{page[-1]}/{page}").read_text()
        title = [line for line in text.splitlines() if line.startswith(".TH ")]
        name, section = page.rsplit(".", 1)
        assert len(title) == 1 and title[0].startswith(f'.TH "{name.upper()}" "{section}"'), page
        assert ".SH NAME" in text and f"\n{name} - " in text, page


def test_links_of_installed_documents(root):
    folder = root / "usr/share/doc/geolaunch"
    links = [(p, link) for p in folder.rglob("*.md") for link in re.findall(r"\]\(([^)#:]+)\)", p.read_text(encoding="utf-8"))]
    assert len(links) > 8
    assert [(str(p), link) for p, link in links if not (p.parent / link).exists()] == []
    # what README names in its text
    assert (folder / "demo/manifest.yaml").exists()


def test_installed_completion(root):
    script = root / "usr/share/bash-completion/completions/geolaunch"
    subprocess.run(["bash", "-n", script], check=True, timeout=30)
    p = subprocess.run(["bash", "--norc", "-euc", f"source {script}; complete -p geolaunch"], capture_output=True, text=True, timeout=30,
                       check=False)
    assert p.returncode == 0 and p.stdout.endswith(" geolaunch\n"), p.stderr


def test_clean_removes_only_what_make_made(tmp_path):
    for name in worktree.files():
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((TOP / name).read_bytes())
    for name in ("notes.txt", "cli/mine.c", "cli/mine.o", ".deps/kernel/vmlinuz", "builds/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = files(tmp_path)
    for name in ("build/host/cli/main.o", "build/demo/result.json", "build/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("made")
    make(tmp_path, "clean")
    assert not (tmp_path / "build").exists()
    assert files(tmp_path) == before
    make(tmp_path, "clean")
