# SPDX-License-Identifier: BSD-3-Clause
"""What the command writes, cut off at every call, and at a power cut: the old is there or the new one, and all of it."""

import os
import shutil
import subprocess

import pytest

from build_model import GEOLAUNCH, build, make_inputs, variant
from install_world import make_shim

# What is run twice, with other arguments the second time; what it writes.
ACTIONS = {
    "file": (["vlp", "create", "--type", "halt", "out"], ["vlp", "create", "--force", "--type", "continue", "out"]),
    "tree": (["build", "a.yaml", "-o", "out", "--efi", "geolaunch.efi"], ["build", "b.yaml", "-o", "out", "--efi", "geolaunch.efi", "--force"]),
}
CASES = [(what, again) for what in ACTIONS for again in (False, True)]


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kit")
    shim = make_shim(folder)
    make_inputs(folder / "in")
    for name in "ab":
        assert build(folder / "in", variant(name=name)).returncode == 0
        shutil.rmtree(folder / "in/out")
        (folder / "in/host.yaml").rename(folder / f"in/{name}.yaml")
    yield shim, folder / "in"
    shutil.rmtree(folder)


class Disk:
    """The folder of outputs, beside links to the inputs."""

    def __init__(self, shim, inputs, folder):
        self.shim, self.folder, self.log = shim, folder / "disk", folder / "log"
        self.folder.mkdir()
        self.inputs = {p.name for p in inputs.iterdir()}
        for p in inputs.iterdir():
            (self.folder / p.name).symlink_to(p)

    def run(self, args, at=0, how="kill"):
        self.log.unlink(missing_ok=True)
        env = {**os.environ, "LD_PRELOAD": str(self.shim), "GL_SHIM_ROOTS": str(self.folder), "GL_SHIM_LOG": str(self.log),
               "GL_SHIM_AT": str(at), "GL_SHIM_HOW": how}
        return subprocess.run([GEOLAUNCH, *args], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60)

    def calls(self):
        return [tuple(line.split(" ", 2)[1:]) for line in self.log.read_text().splitlines()]

    def content(self, name="out"):
        top = self.folder / name
        if top.is_dir():
            return {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()}
        return top.read_bytes() if top.exists() else None

    def clear(self, keep=()):
        for p in self.folder.iterdir():
            if p.name not in self.inputs and p.name not in keep:
                shutil.rmtree(p) if p.is_dir() else p.unlink()

    def others(self):
        return {p.name for p in self.folder.iterdir()} - self.inputs - {"out"}


@pytest.fixture
def disk(kit, tmp_path):
    yield Disk(*kit, tmp_path)
    shutil.rmtree(tmp_path)


def prepare(disk, what, again):
    """Leaves what was there before, returns the arguments."""
    disk.clear()
    if again:
        assert disk.run(ACTIONS[what][0]).returncode == 0
    return ACTIONS[what][again]


@pytest.mark.parametrize("what,again", CASES)
def test_order(disk, what, again):
    """All of it to disk, the name, the same to disk again (FAT keeps size and place with the name), the folder; then only the old one goes."""
    args = prepare(disk, what, again)
    assert disk.run(args).returncode == 0
    out, top = str(disk.folder / "out"), str(disk.folder)
    calls = disk.calls()
    at = [i for i, (call, _) in enumerate(calls) if call in ("rename", "exchange")]
    assert len(at) == 1 and calls[at[0]] == ("exchange" if again and what == "tree" else "rename", out)
    before, after = calls[:at[0]], calls[at[0] + 1:]
    assert after[:2] == [("sync", out), ("sync", top)]
    assert {call for call, _ in after[2:]} == ({"unlink", "rmdir"} if again and what == "tree" else set())
    dirty = set()
    for call, path in before:
        assert call in ("create", "mkdir", "write", "sync"), (call, path)
        if call == "sync":
            dirty.discard(path)
        else:
            dirty |= {path} if call == "write" else {path.rsplit("/", 1)[0]}
    # the temporary one is as good as not there
    assert dirty == {top}
    assert any(call == "write" for call, _ in before)


@pytest.mark.parametrize("how", ["kill", "eio", "full"])
@pytest.mark.parametrize("what,again", CASES)
def test_cut(disk, what, again, how):
    args = prepare(disk, what, again)
    old = disk.content()
    assert disk.run(args).returncode == 0
    new, calls = disk.content(), disk.calls()
    assert old != new
    moved = [call in ("rename", "exchange") for call, _ in calls].index(True) + 1
    # a full disk stops nothing but what takes space
    last = moved if how != "full" else max(i for i, (call, _) in enumerate(calls, 1) if call in ("create", "mkdir", "write"))
    for at in range(1, len(calls) + 1):
        if what == "tree" and at < moved - 3 and at % 5:
            continue
        args = prepare(disk, what, again)
        result = disk.run(args, at, how)
        assert disk.content() == (old if at <= last else new), (at, calls[at - 1])
        if how == "kill":
            assert result.returncode == 137
            continue
        # what fails says so in a line; nothing is left but what the line names
        assert result.stderr.count("\n") <= 1, result.stderr
        good = at > last if how == "full" else calls[at - 1][0] in ("unlink", "rmdir")
        assert result.returncode == (0 if good else 1), (at, calls[at - 1], result.stderr)
        assert all(name in result.stderr for name in disk.others()), (at, disk.others(), result.stderr)


def test_unsure(disk):
    """In place, but not surely on disk: what was there before is kept, and named."""
    args = prepare(disk, "tree", True)
    old = disk.content()
    assert disk.run(args).returncode == 0
    new, calls = disk.content(), disk.calls()
    moved = [call for call, _ in calls].index("exchange") + 1
    for at in (moved + 1, moved + 2):
        result = disk.run(prepare(disk, "tree", True), at, "eio")
        (other,) = disk.others()
        assert result.returncode == 1 and result.stderr.endswith(f": the one before is out{other.removeprefix('out')}\n"), result.stderr
        assert disk.content(other) == old and disk.content() == new
