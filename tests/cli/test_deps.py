# SPDX-License-Identifier: BSD-3-Clause
"""scripts/deps without network: what it accepts, what it refuses, and what it says."""
import os
import pathlib
import shutil
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
TARBALL = "tpm2-tss_4.1.3.orig.tar.gz"


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
    """A download folder that already has a kernel (a fake one)."""
    (tmp_path / "kernel/modules").mkdir(parents=True)
    (tmp_path / "kernel/vmlinuz").write_text("kernel")
    (tmp_path / "kernel/version").write_text("6.1.0-test\n")
    return tmp_path


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


def test_given_tree_needs_no_download(deps, tmp_path):
    tree = tmp_path / "tree"
    code, _, err = run(deps, TSS_SRC=str(tree))
    assert code == 1 and err.count("\n") == 1 and str(tree) in err
    (tree / "include/tss2").mkdir(parents=True)
    (tree / "include/tss2/tss2_sys.h").touch()
    (tree / "src/tss2-sys/api").mkdir(parents=True)
    (tree / "src/tss2-mu").mkdir()
    assert run(deps, TSS_SRC=str(tree)) == (0, "", "")


def test_check_reports_and_changes_nothing(deps):
    before = sorted(deps.rglob("*"))
    code, out, err = run(deps, "--check")
    assert code == 1 and "tpm2-tss" in out and err == ""
    assert sorted(deps.rglob("*")) == before


def test_usage():
    assert run("/nonexistent", "--nonsense")[0] == 2
