# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch install`: what it refuses, before it writes anything; builds of every kind; space and signals."""

import fcntl
import json
import os
import shutil
import signal
import subprocess

import pytest

from build_model import GEOLAUNCH, build, make_inputs, refused, run, variant
from install_world import GUID, kit, ok, tree, world  # noqa: F401 (fixtures)
from txt_model import XEN, TxtModel, lcp_files, make_txt_inputs, txt_variant


@pytest.fixture
def damaged(tmp_path, kit):
    """A copy of build A to do harm to."""
    copy = tmp_path / "damaged"
    shutil.copytree(kit[1]["A"], copy)
    return copy


# ---------------------------------------------------------------- refusals: nothing is written


def edit(name, change):
    def damage(build):
        path = build / name
        path.write_bytes(change(path.read_bytes()))
    return damage


def remove(name):
    return lambda build: (build / name).unlink()


def add(name, content=b"x"):
    def damage(build):
        (build / name).parent.mkdir(exist_ok=True)
        (build / name).write_bytes(content)
    return damage


def flip(data):
    return data[:-1] + bytes([data[-1] ^ 1])


def other_launch(build):
    """Another hypervisor's command line: description and policy changed together, expected.json not."""
    path = build / "esp/EFI/geolaunch/launch.conf"
    path.write_bytes(path.read_bytes().replace(b"quiet", b"debug"))


H = "esp/EFI/geolaunch/"
BAD_BUILDS = {
    "no expected.json": (remove("expected.json"), "expected.json"),
    "expected.json of nonsense": (edit("expected.json", lambda d: b"{}"), "expected.json"),
    "kernel": (edit(H + "linux", flip), "expected.json does not expect this file to be measured: "),
    "initrd": (edit(H + "initrd", flip), "expected.json does not expect this file to be measured"),
    "vmm": (edit(H + "vmm", flip), "expected.json does not expect this file to be measured"),
    "file": (edit(H + "file-1", flip), "expected.json does not expect this file to be measured"),
    "swapped": (lambda b: (b / H / "vmm").write_bytes((b / H / "initrd").read_bytes()), "expected.json does not expect this file"),
    "policy": (edit(H + "policy.vlp", flip), "expected.json does not expect this policy"),
    "policy of nonsense": (edit(H + "policy.vlp", lambda d: d[:-1]), "this is no launch policy"),
    "policy too large": (edit(H + "policy.vlp", lambda d: d * 50), "too large"),
    "description": (other_launch, "expected.json does not expect this file"),
    "description of nonsense": (edit(H + "launch.conf", lambda d: d + b"x"), ": something follows the line \"end\": "),
    "description for Windows": (edit(H + "launch.conf", lambda d: d.replace(b"\n", b"\r\n")), "line 1: the line holds something else than printable"),
    "no description": (remove(H + "launch.conf"), "no such file"),
    "no policy": (remove(H + "policy.vlp"), "no such file"),
    "no kernel": (remove(H + "linux"), "launch.conf names this file, but it is not there"),
    "no application": (remove(H + "geolaunch.efi"), "no such file"),
    "application is none": (edit(H + "geolaunch.efi", lambda d: b"x"), "no EFI application"),
    "other default": (edit("esp/EFI/BOOT/BOOTX64.EFI", flip), "not the same file"),
    "no default": (remove("esp/EFI/BOOT/BOOTX64.EFI"), "no such file"),
    "empty file": (edit(H + "linux", lambda d: b""), "the file is empty"),
    "file of no slot": (add(H + "a b"), "cannot be a file of a slot"),
    "list": (add(H + "sha256sums"), "cannot be a file of a slot"),
    "temporary": (add(H + "GEOLAUNCH.NEW"), "cannot be a file of a slot"),
    "same on FAT": (add(H + "LINUX"), "cannot be a file of a slot"),
    "file of a build before": (add(H + "file-1.bak"), "launch.conf does not name it: "),
    "file of the next number": (add(H + "file-3"), "esp/EFI/geolaunch/file-3: remove it, or run 'geolaunch build' again"),
    "hidden file": (add(H + ".config"), "cannot be a file of a slot"),
    "folder": (add(H + "more/x"), "not a regular file"),
    "other folder": (add("esp/EFI/more/x"), "is nothing that geolaunch knows how to install"),
    "beside EFI": (add("esp/startup.nsh"), "is nothing that geolaunch knows how to install"),
    "beside BOOTX64": (add("esp/EFI/BOOT/grub.cfg"), "is nothing that geolaunch knows how to install"),
    "no esp": (lambda b: shutil.rmtree(b / "esp"), "name a directory that 'geolaunch build' made"),
    "link": (lambda b: ((b / H / "vmm").unlink(), (b / H / "vmm").symlink_to("initrd")),
             "a link, and not a regular file: "),
    "fifo": (lambda b: ((b / H / "vmm").unlink(), os.mkfifo(b / H / "vmm")), "not a regular file"),
}


@pytest.mark.parametrize("case", BAD_BUILDS)
def test_bad_build(world, damaged, case):
    damage, words = BAD_BUILDS[case]
    damage(damaged)
    ok(world.install("B"))
    before = world.state()
    result = world.run(damaged)
    refused(result, 3, words)
    assert world.state() == before and world.calls() == []


def test_expected_of_another_build(world, damaged):
    (damaged / "expected.json").write_bytes((world.builds["B"] / "expected.json").read_bytes())
    refused(world.run(damaged), 3, "expected.json does not expect this file")


def test_module_only_expected(world, damaged):
    """A file less in the description, and its event still expected: description and policy agree, expected.json does not."""
    v = json.loads((damaged / "expected.json").read_text())
    names = [e["name"] for e in v["events"]]
    assert names.count("module 5 file file-1") == 1
    v["events"].append(dict(v["events"][names.index("module 5 file file-1")]))
    (damaged / "expected.json").write_text(json.dumps(v))
    assert world.run(damaged).returncode == 3


# ---------------------------------------------------------------- Xen, mode txt


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    make_txt_inputs(tmp_path / "in")
    return tmp_path / "in"


def made(inputs, manifest):
    result = build(inputs, manifest)
    assert result.returncode == 0, result.stderr
    return inputs / "out"


def installed(world, out):
    """Everything that the build's folder holds, whatever it is."""
    slot = json.loads(ok(world.run("--json", out)))["current"]
    have = tree(world.home / slot)
    have.pop("SHA256SUMS")
    assert have == tree(out / "esp/EFI/geolaunch")
    return set(have)


def test_xen(world, inputs):
    assert {"xen", "kernel"} < installed(world, made(inputs, variant(hypervisor=XEN)))


def test_txt(world, inputs):
    lcp_files(inputs, TxtModel(txt_variant(), inputs).mle_hash("sha256"))
    manifests = [txt_variant(), txt_variant(hypervisor=XEN), txt_variant(lcp={"policy": "owner.pol", "data": "list.dat"})]
    for i, manifest in enumerate(manifests):
        names = installed(world, made(inputs, manifest))
        assert {"tboot", "sinit", "stage"} < names and ("lcp" in names) == (i == 2)
        shutil.rmtree(inputs / "out")


@pytest.mark.parametrize("name", ["tboot", "sinit", "stage", "lcp", "kernel", "xen", "initrd", "vmm"])
def test_txt_spoiled(world, inputs, name):
    lcp_files(inputs, TxtModel(txt_variant(), inputs).mle_hash("sha256"))
    out = made(inputs, txt_variant(hypervisor=XEN, lcp={"policy": "owner.pol", "data": "list.dat"}))
    path = out / H / name
    data = bytearray(path.read_bytes())
    # inside what is measured of each: of tboot that is not the whole file
    data[-100 if len(data) > 200 and name != "tboot" else len(data) // 2] ^= 1
    path.write_bytes(data)
    refused(world.run(out), 3, f"{H}{name}")
    assert world.calls() == []


def test_txt_other_rules(world, inputs):
    """The stage's rules are its command line."""
    out = made(inputs, txt_variant())
    path = out / H / "launch.conf"
    path.write_bytes(path.read_bytes().replace(b"0x01c10110", b"0x01c10111"))
    refused(world.run(out), 3, f"{H}stage")
    path.write_bytes(path.read_bytes().replace(b"0x01c10111", b"0x01c10110").replace(b"logging=serial,memory", b"logging=serial,vga"))
    refused(world.run(out), 3, f"{H}tboot")


USAGE = [
    ([], "no EFI system partition"), (["--esp"], "--esp"), (["--esp", ""], "no EFI system partition"), (["--esp", "E"], "no build"),
    (["--esp", "E", "a", "b"], "more than one build"), (["--esp", "E", "--rollback", "a"], "not to be installed"),
    (["--esp", "E", "--rollback", "--uninstall"], "one of --rollback"), (["--esp", "E", "--status", "--force"], "--force is for installing"),
    (["--esp", "E", "--removable", "--boot-entry", "a"], "one of --boot-entry, --removable and --no-boot-entry at a time"), (["--wrong"], "--wrong"), (["-x"], "-x"),
]


@pytest.mark.parametrize("args,words", USAGE)
def test_usage(args, words):
    refused(run("install", *args), 2, words)


def test_esp_is_none(world):
    world.esp.rmdir()
    refused(world.install("A"), 1, "No such file")
    world.esp.write_bytes(b"")
    refused(world.install("A"), 2, "Not a directory")


def test_esp_is_no_fat(world):
    world.fat = False
    refused(world.install("A"), 2, "this is no FAT file system")
    assert world.state() == {}


def test_no_variables(world):
    refused(world.install("A", no_vars=True), 1, "no UEFI variables")
    assert world.state() == {}


def test_nothing_to_roll_back(world):
    """Said of an ESP before anything about how the host is started."""
    world.fat = False
    refused(world.run("--rollback", no_vars=True), 3, f"there is no previous build: {world.esp}: install one")
    assert world.state() == {}
    ok(world.install("A", "--removable", no_vars=True))
    refused(world.run("--rollback", "--boot-entry", no_vars=True), 3, "there is no previous build")
    ok(world.install("B", no_vars=True))
    refused(world.run("--rollback", "--boot-entry", no_vars=True), 1, "no UEFI variables")


@pytest.mark.parametrize("before", [[], ["A"], ["A", "B"]])
@pytest.mark.parametrize("action", ["install", "rollback", "uninstall"])
def test_read_only(world, before, action):
    """Named as such, and not by the first file that cannot be made or removed."""
    for name in before:
        ok(world.install(name, "--removable"))
    state = world.state()
    result = world.run(*(["--removable", world.builds["C"]] if action == "install" else [f"--{action}"]), at=1, how="readonly")
    if action == "uninstall" and not before:
        ok(result)
    elif action == "rollback" and len(before) < 2:
        refused(result, 3, "there is no previous build")
    else:
        refused(result, 1, "the EFI system partition is mounted read-only: ")
        assert str(world.esp) in result.stderr and "geolaunch.new" not in result.stderr and "remount" in result.stderr
    assert world.state() == state


@pytest.mark.parametrize("name", ["EFI", "EFI/geolaunch", "EFI/BOOT"])
def test_link_in_place_of_folder(world, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    (world.esp / name).parent.mkdir(exist_ok=True)
    (world.esp / name).symlink_to(tmp_path / "elsewhere")
    result = world.install("A", "--removable")
    assert result.returncode == 1 and "cannot open as a folder" in result.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_second_one_waits_not(world):
    fd = os.open(world.esp, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    refused(world.install("A"), 1, "another 'geolaunch install' is at work")
    os.close(fd)
    ok(world.install("A"))


# ---------------------------------------------------------------- space


SPACE = 10 * 4096 + 256 * 1024


def test_no_room(world):
    refused(world.install("A", free=SPACE // 2), 1, "no room")
    assert world.state() == {}
    (world.esp / "EFI").mkdir()
    refused(world.install("A", "--removable", free=SPACE // 2), 1, "no room")
    assert list(world.esp.rglob("*")) == [world.esp / "EFI"]
    ok(world.install("A", free=SPACE))


def test_room_for_two_only(world):
    """The previous build makes room if that is enough, and only then."""
    ok(world.install("A"))
    ok(world.install("B"))
    refused(world.install("C", free=100000), 1, "no room")
    assert world.started_by_entries() == ["B", "A"]
    result = world.install("C", free=SPACE - 5 * 4096)
    assert result.returncode == 0 and "the previous build was removed before" in result.stderr
    assert world.started_by_entries() == ["C", "B"] and world.leftovers() == []


def test_no_room_from_what_an_entry_starts(world):
    """A boot entry that we are to leave alone keeps its build: no room is to be had from it, so nothing is begun."""
    ok(world.install("A"))
    ok(world.install("B"))
    before = world.state()
    for start in ("--removable", "--no-boot-entry"):
        refused(world.install("C", start, "--force", free=SPACE - 5 * 4096), 1, "no room")
        assert world.state() == before
    ok(world.run("--status"))


@pytest.mark.parametrize("old,new", [("removable", "boot-entry"), ("no-boot-entry", "removable"), ("removable", "no-boot-entry"),
                                     ("boot-entry", "removable"), ("boot-entry", "boot-entry")])
def test_room_was_made_and_the_copy_fails(world, tmp_path, old, new):
    """The previous build is gone, as the warning says; how the host is started is what it was, and so is what starts."""
    ok(world.install("A", f"--{old}"))
    ok(world.install("B"))
    if old != new and old == "boot-entry":
        # an entry that is gone starts nothing
        (world.vars / f"Boot0000-{GUID}").unlink()
        world.set_order(1)
    start, order = world.record()[0], world.order()
    (tmp_path / "saved").mkdir()
    world.save(tmp_path / "saved")
    assert world.install("C", f"--{new}", free=SPACE - 5 * 4096).returncode == 0
    copied = next(i for i, (what, path) in enumerate(world.calls(), 1) if what == "create" and world.slots["C"] in path)
    world.restore(tmp_path / "saved")
    result = world.install("C", f"--{new}", free=SPACE - 5 * 4096, at=copied, how="full")
    assert result.returncode == 1 and "the previous build was removed before" in result.stderr, result.stderr
    assert world.record() == (start, world.slots["B"], None)
    assert world.order() == [n for n in order if n == 1] and world.leftovers() == []
    assert ok(world.run("--status")).splitlines()[-1].startswith("in order")


def interrupted_once(world, at):
    # held back: it ends the command all the same, which then lives to tell
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    try:
        result = world.install("C", free=SPACE - 5 * 4096, at=at, how="term")
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
    assert result.returncode == 1 and "the previous build was removed before" in result.stderr
    assert "interrupted: " in result.stderr and "nothing was" not in result.stderr, result.stderr
    assert world.started_by_entries() == ["B"] and world.leftovers() == []


def test_interrupted_after_room_was_made(world, tmp_path):
    """By then something was changed: the text says no other."""
    ok(world.install("A"))
    ok(world.install("B"))
    world.save(tmp_path / "saved")
    assert world.install("C", free=SPACE - 5 * 4096).returncode == 0
    calls = [i for i, (what, path) in enumerate(world.calls(), 1) if what == "write" and world.slots["C"] in path]
    for at in calls[1], calls[-1]:
        world.restore(tmp_path / "saved")
        interrupted_once(world, at)


# ---------------------------------------------------------------- signals


def test_signal(world, kit):
    """A signal ends it cleanly: what was begun is taken back."""
    ok(world.install("A"))
    before = world.state()
    big = world.folder / "big"
    shutil.copytree(kit[1]["B"], big)
    env = {**os.environ, "LD_PRELOAD": str(world.shim), "GL_SHIM_ROOTS": f"{world.esp}", "GL_SHIM_VARS": str(world.vars), "GL_SHIM_FAT": "1",
           "EFIVARFS_PATH": f"{world.vars}/"}
    # held back from the start: it is pending before the first file is copied
    code = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM]); os.kill(os.getpid(), signal.SIGTERM); " \
           "os.execv(sys.argv[1], sys.argv[1:])"
    result = subprocess.run(["/usr/bin/python3", "-c", code, GEOLAUNCH, "install", "--esp", str(world.esp), str(big)], env=env,
                            capture_output=True, text=True, timeout=60)
    assert "interrupted" in result.stderr and result.returncode == 1
    assert world.state() == before


def test_swapped_directories(world):
    build = world.builds["A"]
    before = world.state()
    refused(world.run("--removable", build / "esp"), 3, "this is the tree of an EFI system partition, and no build")
    refused(run("install", "--esp", str(build), "--removable", str(world.esp)), 2, "this is a build, and no EFI system partition")
    assert world.state() == before


@pytest.mark.parametrize("inside", ["esp", "esp/", "esp/EFI", "esp/EFI/geolaunch", "esp/../esp", "more/esp", "link", "relative"])
def test_esp_in_a_build(world, tmp_path, monkeypatch, inside):
    """What is installed from, or another build, is no place to install to, whatever the path is."""
    build = tmp_path / "A"
    shutil.copytree(world.builds["A"], build)
    (tmp_path / "link").symlink_to(build / "esp")
    monkeypatch.chdir(build / "esp")
    if inside == "more/esp":
        (build / inside).mkdir(parents=True)
    esp = {"link": str(tmp_path / "link"), "relative": "."}.get(inside, f"{build}/{inside}")
    before = {p: p.read_bytes() for p in build.rglob("*") if p.is_file()}
    for args in (["--removable", build], ["--removable", world.builds["B"]], ["--uninstall"], ["--rollback", "--removable"]):
        refused(run("install", "--esp", esp, *map(str, args)), 2, f"this is a folder of a build, and no EFI system partition: {esp}: ")
    assert {p: p.read_bytes() for p in build.rglob("*") if p.is_file()} == before


def test_esp_in_what_is_to_be_installed(world, tmp_path):
    """Also where it is no build, for want of its expected.json, and in the output for a fleet."""
    build = tmp_path / "A"
    shutil.copytree(world.builds["A"], build)
    (build / "expected.json").unlink()
    refused(run("install", "--esp", str(build / "esp"), "--removable", str(build)), 2, "this is a folder of a build")
    (tmp_path / "fleet").mkdir()
    (tmp_path / "fleet/hosts.jsonl").write_text("")
    build.rename(tmp_path / "fleet/common")
    refused(run("install", "--esp", str(tmp_path / "fleet/common/esp"), "--removable", str(world.builds["B"])), 2, "this is a folder of a build")
