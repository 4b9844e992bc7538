# SPDX-License-Identifier: BSD-3-Clause
"""scripts/deps without network: what it accepts, what it refuses, and what it says."""
import os
import pathlib
import shutil
import subprocess

import oracles
import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TARBALL = "tpm2-tss_4.1.3.orig.tar.gz"
# Folder: package, a file that shows that it is there.
UNPACKED = {"tboot": ("tboot", "usr/sbin/tb_polgen"), "xen": ("xen-hypervisor-4.17-amd64", "boot/xen-4.17-amd64.gz"),
            "grub-tools": ("grub-common", "usr/bin/grub-mkimage"),
            "grub-efi": ("grub-efi-amd64-bin", "usr/lib/grub/x86_64-efi/multiboot2.mod")}


def start(deps, *args, **env):
    # A dead proxy: whoever asks the network in these tests fails at once.
    env = {**os.environ, "DEPS_DIR": str(deps), "TSS_SRC": "", "http_proxy": "http://127.0.0.1:9",
           "https_proxy": "http://127.0.0.1:9", **env}
    return subprocess.Popen([TOP / "scripts/deps", *args], env=env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(deps, *args, **env):
    process = start(deps, *args, **env)
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


@pytest.fixture
def deps(tmp_path):
    """A download folder that already has all but the tpm2-tss source (not the real things)."""
    for name in ("kernel/vmlinuz", "kernel/version", "kernel/modules/x", "kernel-dom0/vmlinuz", "kernel-dom0/version",
                 "kernel-dom0/modules/x", "libtomcrypt-1.18.2/src/headers/tomcrypt.h", *(f"{folder}/{part}" for folder, (_, part) in UNPACKED.items()),
                 *(f"{folder}/package" for folder in UNPACKED)):
        path = tmp_path / "deps" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("not real")
    (tmp_path / "deps/libtomcrypt-1.18.2/.sha256").write_text("fec310cb440232e9a75da7ef1b2350e6d29e7808a8f6ff2f4158ae2ec0ff3670\n")
    return tmp_path / "deps"


@pytest.fixture
def apt_get(tmp_path):
    """An apt-get whose mirror has small packages of our own making, and which writes down what it was asked."""
    folder = tmp_path / "fake"
    for package, part in UNPACKED.values():
        control = folder / package / "DEBIAN/control"
        control.parent.mkdir(parents=True)
        control.write_text(f"Package: {package}\nVersion: 1.2-3\nArchitecture: amd64\nMaintainer: nobody\nDescription: fake\n")
        (control.parent / "postinst").write_text("#!/bin/sh\nexit 99\n")
        (control.parent / "postinst").chmod(0o755)
        target = folder / package / part
        target.parent.mkdir(parents=True)
        target.write_text(f"content of {package}")
    (folder / "bin").mkdir()
    script = folder / "bin/apt-get"
    script.write_text(f"""#!/bin/sh
echo "$*" >>{folder}/asked
while [ "$1" != download ]; do shift || exit 100; [ $# -gt 0 ] || exit 100; done
shift
for p; do dpkg-deb -Znone --root-owner-group -b {folder}/$p ${{p}}_1.2-3_amd64.deb >/dev/null || exit 1; done
""")
    script.chmod(0o755)
    return folder


@pytest.fixture
def tarball():
    path = TOP / ".deps" / TARBALL
    if not path.exists():
        pytest.skip("no tpm2-tss tarball in .deps (TSS_SRC in use)")
    return path


def test_tarball_with_the_pinned_hash_is_unpacked_without_network(deps, tarball):
    shutil.copy(tarball, deps)
    (deps / "tmp.killed").mkdir()
    assert run(deps)[0] == 0
    assert (deps / "tpm2-tss-4.1.3/include/tss2/tss2_sys.h").exists()
    assert not list(deps.glob("tmp.*"))
    assert run(deps) == (0, "", "")
    assert run(deps, "--check") == (0, "", "")


def test_changed_tarball_is_refused(deps, tarball):
    data = bytearray(tarball.read_bytes())
    data[len(data) // 2] ^= 1
    (deps / TARBALL).write_bytes(data)
    code, _, err = run(deps)
    assert code == 1
    assert err.count("\n") == 1 and TARBALL in err and "sha256" in err and "remove it" in err
    assert not (deps / "tpm2-tss-4.1.3").exists()
    assert not list(deps.glob("tmp.*"))


def test_two_at_once(deps, tarball):
    shutil.copy(tarball, deps)
    both = [start(deps), start(deps)]
    for process in both:
        process.communicate(timeout=120)
    assert [process.returncode for process in both] == [0, 0]
    assert run(deps, "--check") == (0, "", "")


@pytest.fixture
def tree(tmp_path):
    """What passes as a source tree of tpm2-tss."""
    tree = tmp_path / "tree"
    (tree / "include/tss2").mkdir(parents=True)
    (tree / "include/tss2/tss2_sys.h").touch()
    (tree / "src/tss2-sys/api").mkdir(parents=True)
    (tree / "src/tss2-mu").mkdir()
    return tree


def test_given_tree_needs_no_download(deps, tree, tmp_path):
    wrong = tmp_path / "nowhere"
    code, _, err = run(deps, TSS_SRC=str(wrong))
    assert code == 1 and err.count("\n") == 1 and str(wrong) in err
    assert run(deps, TSS_SRC=str(tree)) == (0, "", "")


@pytest.mark.parametrize("missing", [["tboot"], ["xen"], ["tboot", "xen"]], ids="+".join)
def test_tboot_and_xen_are_unpacked_not_installed(deps, tree, apt_get, missing):
    """Installing them would change this machine's boot menu."""
    for folder in missing:
        (deps / folder / UNPACKED[folder][1]).unlink()
    code, out, _ = run(deps, "--check", TSS_SRC=str(tree))
    assert code == 1 and all(f"missing: {UNPACKED[f][0]} in {deps / f}" in out for f in missing)
    path = f"{apt_get / 'bin'}:{os.environ['PATH']}"
    assert run(deps, TSS_SRC=str(tree), PATH=path)[::2] == (0, "")
    for folder in missing:
        package, part = UNPACKED[folder]
        assert (deps / folder / part).read_text() == f"content of {package}"
        assert (deps / folder / "package").read_text() == f"Package: {package}\nVersion: 1.2-3\n"
        assert not (deps / folder / "DEBIAN").exists()
    asked = (apt_get / "asked").read_text().splitlines()
    assert len(asked) == 1 and " download " in asked[0]
    # there now: nobody is asked again
    assert run(deps, TSS_SRC=str(tree), PATH=path) == (0, "", "")
    assert len((apt_get / "asked").read_text().splitlines()) == 1
    assert not list(deps.glob("tmp.*"))


def test_package_without_what_it_is_wanted_for(deps, tree, apt_get):
    """An old folder stays as it is."""
    (apt_get / "tboot/usr/sbin/tb_polgen").unlink()
    (deps / "tboot/package").unlink()
    code, _, err = run(deps, TSS_SRC=str(tree), PATH=f"{apt_get / 'bin'}:{os.environ['PATH']}")
    assert code == 1 and err.count("\n") == 1 and "usr/sbin/tb_polgen" in err
    assert (deps / "tboot/usr/sbin/tb_polgen").read_text() == "not real"
    assert not list(deps.glob("tmp.*"))


def test_no_mirror(deps, tree, apt_get):
    """The lists are fetched anew once, then there is one line."""
    shutil.rmtree(apt_get / "xen-hypervisor-4.17-amd64")
    (deps / "xen/package").unlink()
    # as root, or by a sudo that is none
    (apt_get / "bin/sudo").write_text('#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    (apt_get / "bin/sudo").chmod(0o755)
    code, _, err = run(deps, TSS_SRC=str(tree), PATH=f"{apt_get / 'bin'}:{os.environ['PATH']}")
    assert code == 1 and err.count("\n") == 1 and "cannot fetch xen-hypervisor-4.17-amd64" in err
    asked = [line.split() for line in (apt_get / "asked").read_text().splitlines()]
    assert ["download" in words for words in asked] == [True, False, True] and asked[1][-1] == "update"


def test_tools_of_tboot_run_here():
    """Not installed, so no package manager has looked after their libraries."""
    for name in ("tb_polgen", "lcp2_crtpol", "lcp2_crtpolelt", "lcp2_crtpollist", "lcp2_mlehash", "txt-acminfo", "txt-stat"):
        p = subprocess.run(["ldd", oracles.tool(name)], capture_output=True, text=True, timeout=30, check=True)
        assert "libc.so" in p.stdout and "not found" not in p.stdout
    assert pathlib.Path(oracles.tboot_gz()).read_bytes()[:2] == b"\x1f\x8b"


def test_check_reports_and_changes_nothing(deps):
    before = sorted(deps.rglob("*"))
    code, out, err = run(deps, "--check")
    assert code == 1 and "tpm2-tss" in out and err == ""
    assert sorted(deps.rglob("*")) == before


def test_usage():
    assert run("/nonexistent", "--nonsense")[0] == 2
