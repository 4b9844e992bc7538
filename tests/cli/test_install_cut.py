# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch install` cut off at every call that changes something, and with every such call failing: what starts then?"""

import pytest

from install_world import kit, world  # noqa: F401 (fixtures)


def do(world, *args, **kwargs):
    """An action by its words: ("A",) installs, ("--rollback",) does that."""
    args = [world.builds[a] if a in world.builds else a for a in args]
    return world.run(*args, **kwargs)


def prepare(world, start, before):
    for i, args in enumerate(before):
        result = do(world, *args, *([f"--{start}"] if i == 0 else []))
        assert result.returncode == 0, result.stderr


# What was done before, what is cut off, what may start when it is cut off, what starts once it was done.
SCENES = {
    "first": ([], ("A",), [[], ["A"]], ["A"]),
    "second": ([("A",)], ("B",), [["A"], ["B", "A"]], ["B", "A"]),
    "third": ([("A",), ("B",)], ("C",), [["B", "A"], ["B"], ["C", "B"]], ["C", "B"]),
    "swap": ([("A",), ("B",)], ("A",), [["B", "A"], ["A", "B"]], ["A", "B"]),
    "rollback": ([("A",), ("B",)], ("--rollback",), [["B", "A"], ["A", "B"]], ["A", "B"]),
    "uninstall": ([("A",), ("B",)], ("--uninstall",), [["B", "A"], []], []),
}
STARTS = {"boot-entry": "entry", "removable": "removable"}
CASES = [(scene, start) for scene in SCENES for start in STARTS]
WAYS = ["kill", "torn", "eio", "full", "readonly"]


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("scene,start", CASES)
def test_cut(world, tmp_path, scene, start, how):
    before, action, allowed, after = SCENES[scene]
    prepare(world, start, before)
    (tmp_path / "saved").mkdir()
    world.save(tmp_path / "saved")
    # the first action of all must say how the host is started
    first = (f"--{start}",) if not before else ()
    done = do(world, *action, *first)
    assert done.returncode == 0
    final = world.state()
    count = len(world.calls())
    assert count > 4

    seen = []
    calls = world.calls()
    for at in range(1, count + 1):
        # only a write can be torn; a file system that turns read-only is the slowest way to fail, and much like the others
        if (how == "torn" and calls[at - 1][0] != "write") or (how == "readonly" and at % 3 != 1):
            continue
        world.restore(tmp_path / "saved")
        result = do(world, *action, *first, at=at, how=how)
        assert result.returncode in ((137,) if how in ("kill", "torn") else (0, 1)), result.stderr
        started = world.started(STARTS[start])
        assert started in allowed, (at, world.calls()[-3:])
        seen.append(started)
        if result.returncode == 1:
            assert result.stderr.count("\n") == 1, result.stderr
        # what was not done, or not said to be done, is done by doing it again
        if how in ("kill", "torn") or result.returncode == 1:
            again = do(world, *action, *first) if action != ("--rollback",) or started != after else do(world, "A")
            assert again.returncode == 0, (at, again.stderr)
        assert world.started(STARTS[start]) == after, at
        assert world.leftovers() == [], at
        assert {k: v for k, v in world.state().items() if "BootOrder" not in k and "/Boot0" not in k} == \
               {k: v for k, v in final.items() if "BootOrder" not in k and "/Boot0" not in k}, at
    # it goes from the old to the new once, never back
    if how in ("kill", "torn"):
        changes = [s for i, s in enumerate(seen) if i == 0 or s != seen[i - 1]]
        assert [allowed.index(s) for s in changes] == sorted(allowed.index(s) for s in changes)


@pytest.mark.parametrize("start", STARTS)
def test_failure_leaves_nothing(world, tmp_path, start):
    """Until the selection changes, a failure takes back what was begun."""
    prepare(world, start, [("A",), ("B",)])
    (tmp_path / "saved").mkdir()
    world.save(tmp_path / "saved")
    before = world.state()
    assert do(world, "C").returncode == 0
    calls = world.calls()
    select = next(i for i, (what, path) in enumerate(calls) if (what == "write" and "BootOrder" in path) or
                  (what == "rename" and path.endswith("slots.conf"))) + 1
    assert select > 20
    for how in ("eio", "full"):
        for at in range(1, select + 1):
            # the first call that this hits may come later than the selection
            if how == "full" and not any(what in ("create", "write", "mkdir") for what, _ in calls[at - 1:select]):
                continue
            world.restore(tmp_path / "saved")
            result = do(world, "C", at=at, how=how)
            assert result.returncode == 1
            state = world.state()
            if start == "boot-entry":
                # what libefivar leaves of a variable whose write failed
                state = {k: v for k, v in state.items() if v != b""}
            assert state == before, (how, at, calls[at - 1])


@pytest.mark.parametrize("scene,start", CASES)
def test_order_of_syncs(world, scene, start):
    """A power cut also loses what was not brought to disk: nothing is selected before it is, nothing removed before that is."""
    before, action, _, _ = SCENES[scene]
    prepare(world, start, before)
    assert do(world, *action, *((f"--{start}",) if not before else ())).returncode == 0
    dirty, placed = set(), set()
    chosen = None
    fresh = False           # geolaunch.new was seen written: what the shim does not see would not be dirty
    home = str(world.home)
    for what, path in world.calls():
        folder = path.rsplit("/", 1)[0]
        if path.startswith(str(world.vars)):
            # the firmware's own affair; but what it leads to must be there
            if what == "write" and "BootOrder" in path:
                assert not dirty, dirty
            continue
        if what == "sync":
            dirty.discard(path)
            continue
        if what == "rename" and path.endswith("slots.conf"):
            # only the folder's entry for the temporary file itself
            assert dirty <= {home}, dirty
            chosen = path
        if what == "rename":
            # FAT: the name alone goes with the folder; where the content is goes with the file
            assert f"{folder}/geolaunch.new" not in dirty and fresh
            fresh = False
            placed.add(path.rsplit("/", 1)[1])
            dirty.add(path)
        if what == "unlink" and action != ("--uninstall",) and path.endswith("geolaunch.efi") and chosen:
            assert home not in dirty
        if what == "write":
            dirty.add(path)
            fresh = path.endswith("/geolaunch.new")
        else:
            dirty.add(folder)
        if what in ("unlink", "rmdir"):
            dirty.discard(path)
    assert not dirty, dirty
    if scene in ("first", "second", "third"):
        assert placed >= {p.name for slot in world.home.iterdir() if slot.is_dir() for p in slot.iterdir()}


@pytest.mark.parametrize("start", STARTS)
def test_cut_twice(world, tmp_path, start):
    """Cut off, and the next one cut off as well: every seventh of each."""
    prepare(world, start, [("A",), ("B",)])
    (tmp_path / "saved").mkdir()
    world.save(tmp_path / "saved")
    assert do(world, "C").returncode == 0
    count = len(world.calls())
    for first in range(3, count, 7):
        for second in range(5, count, 7):
            world.restore(tmp_path / "saved")
            assert do(world, "C", at=first, how="kill").returncode == 137
            do(world, "D", at=second, how="kill")
            started = world.started(STARTS[start])
            assert started and started[0] in "BCD"
            assert do(world, "D").returncode == 0
            assert world.started(STARTS[start])[0] == "D" and len(world.started(STARTS[start])) == 2
            assert world.leftovers() == []


LOADER = b"another boot loader" * 1000


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("action", ["install", "uninstall"])
def test_replaced_loader(world, tmp_path, action, how):
    """Whenever it is cut off, the other boot loader is there, whole, and a whole one starts; doing it again ends as if nothing had been."""
    boot = world.esp / "EFI/BOOT"
    boot.mkdir(parents=True)
    (boot / "BOOTX64.EFI").write_bytes(LOADER)
    args = ("A", "--removable", "--force")
    if action == "uninstall":
        assert do(world, *args).returncode == 0
        args = ("--uninstall",)
    (tmp_path / "saved").mkdir()
    world.save(tmp_path / "saved")
    before = world.state()
    assert do(world, *args).returncode == 0
    final, calls = world.state(), world.calls()
    assert (boot / "geolaunch.old").exists() == (action == "install")
    for at in range(1, len(calls) + 1):
        if how == "torn" and calls[at - 1][0] != "write":
            continue
        world.restore(tmp_path / "saved")
        result = do(world, *args, at=at, how=how)
        assert result.returncode in ((137,) if how in ("kill", "torn") else (0, 1)), result.stderr
        default = (boot / "BOOTX64.EFI").read_bytes()
        if default != LOADER:
            assert (boot / "geolaunch.old").read_bytes() == LOADER, (at, calls[at - 1])
            assert world.started_by_default() == ["A"]
        if how == "eio" and action == "install" and default == LOADER and not (world.home / "slots.conf").exists():
            assert world.state() == before, (at, calls[at - 1])
        assert do(world, *args).returncode == 0
        assert world.state() == final, (at, calls[at - 1])


@pytest.mark.parametrize("start", STARTS)
def test_first_failure_leaves_nothing(world, start):
    """Not even the folders."""
    assert do(world, "A", f"--{start}").returncode == 0
    calls = world.calls()
    select = next(i for i, (what, path) in enumerate(calls) if (what == "write" and "BootOrder" in path) or
                  (what == "rename" and path.endswith("slots.conf")))
    assert do(world, "--uninstall").returncode == 0
    (world.esp / "EFI").rmdir()
    (world.esp.parent / "saved").mkdir()
    world.save(world.esp.parent / "saved")
    for at in range(1, select + 1):
        world.restore(world.esp.parent / "saved")
        assert do(world, "A", f"--{start}", at=at, how="eio").returncode == 1
        assert not list(world.esp.rglob("*")), (at, calls[at - 1])
