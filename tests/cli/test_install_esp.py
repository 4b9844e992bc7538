# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch install`: what it puts where. test_install_refusals.py has what it refuses; test_install_cut.py cuts it off at every write."""

import json
import shutil
import subprocess

import pytest

from build_model import refused
from install_world import OTHER_PARTITION, PARTITION, file_path, kit, load_option, ok, tree, world  # noqa: F401 (fixtures)


# ---------------------------------------------------------------- boot entries


def test_first(world):
    out = ok(world.install("A"))
    assert "installed, 8 files" in out and "Boot0000" in out and "previous  none" in out
    assert world.started_by_entries() == ["A"]
    assert world.record() == ("entry", world.slots["A"], None)
    assert world.entry(0)[0] == f"geolaunch host_A {world.slots['A'][:8]}"
    assert not (world.esp / "EFI/BOOT").exists()
    assert world.leftovers() == []


def test_second_and_third(world):
    ok(world.install("A"))
    ok(world.install("B"))
    assert world.started_by_entries() == ["B", "A"]
    assert world.record() == ("entry", world.slots["B"], world.slots["A"])
    ok(world.install("C"))
    assert world.started_by_entries() == ["C", "B"]
    assert len(world.entries()) == 2 and world.leftovers() == []
    assert not (world.home / world.slots["A"]).exists()


@pytest.mark.parametrize("start", ["--boot-entry", "--removable", "--no-boot-entry"])
def test_same_twice(world, start):
    ok(world.install("A"))
    assert world.install("B", start).returncode == 0
    before = world.state()
    result = world.install("B")
    assert result.returncode == 0 and "installed already" in result.stdout
    assert world.calls() == [] or all(what == "sync" for what, _ in world.calls())
    assert world.state() == before


def test_downgrade_is_swap(world):
    ok(world.install("A"))
    ok(world.install("B"))
    ok(world.install("A"))
    assert world.started_by_entries() == ["A", "B"]
    assert not [path for what, path in world.calls() if what == "create" and world.slots["A"] in path]


def test_sha256sum_reads_the_list(world):
    ok(world.install("A"))
    folder = world.home / world.slots["A"]
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True, timeout=60)


def test_other_entries_are_kept(world):
    other = load_option(OTHER_PARTITION + file_path("0123456789abcdef"), "other disk")
    shell = load_option(b"\x04\x06\x14\x00" + bytes(16) + b"\x7f\xff\x04\x00", "Shell")
    near = load_option(PARTITION + file_path("0123456789abcdeg"), "no slot")
    world.set_variable("Boot0000", other)
    world.set_variable("Boot0002", shell)
    world.set_variable("Boot0003", near)
    world.set_order(2, 0, 3)
    ok(world.install("A"))
    assert world.order() == [1, 2, 0, 3]
    # somebody wants the shell first: we stay where we are put
    world.set_order(2, 1, 0, 3)
    ok(world.install("B"))
    assert world.order() == [2, 4, 1, 0, 3]
    ok(world.run("--rollback"))
    assert world.order() == [2, 1, 4, 0, 3]
    ok(world.run("--uninstall"))
    assert world.order() == [2, 0, 3]
    assert world.entries() == [0, 2, 3]
    assert [world.variable(f"Boot000{i}") for i in (0, 2, 3)] == [other, shell, near]


def test_number_is_free(world):
    """Numbers count whatever is behind them; so does the empty shell that a killed writer leaves in efivarfs."""
    for i in range(3):
        world.set_variable(f"Boot000{i}", b"\xff" * i)
    (world.vars / "Boot0003-8be4df61-93ca-11d2-aa0d-00e098032b8c").write_bytes(b"")
    ok(world.install("A"))
    assert world.order() == [4]


@pytest.mark.parametrize("junk", [b"", b"\1\0\0\0", b"\1\0\0\0\xff\xff", b"\1\0\0\0\x04\0a\0b", b"\1\0\0\0\x04\0\0\0\x04\x04\0\0",
                                  b"\1\0\0\0\x2e\0\0\0" + PARTITION + b"\x04\x04\xff\xff", load_option(PARTITION, "no file")],
                         ids=range(7))
def test_entries_of_nonsense(world, junk):
    world.set_variable("Boot0000", junk)
    world.set_order(0)
    ok(world.install("A"))
    assert world.order() == [1, 0] and (world.vars / "Boot0000-8be4df61-93ca-11d2-aa0d-00e098032b8c").read_bytes()[4:] == junk


def test_entry_of_ours_is_found_in_any_case(world):
    ok(world.install("A"))
    label, path, _ = world.entry(0)
    text = path[46:-4].decode("utf-16-le").upper().encode("utf-16-le")
    world.set_variable("Boot0000", load_option(path[:46] + text + path[-4:], label, attributes=0, data=b"quiet"))
    ok(world.install("A"))
    assert world.order() == [0] and world.started_by_entries() == ["A"]


def test_second_entry_of_a_slot_goes(world):
    ok(world.install("A"))
    world.set_variable("Boot0007", world.variable("Boot0000"))
    world.set_order(7, 0)
    ok(world.install("A"))
    assert world.order() == [7] and world.entries() == [7]


def test_order_of_nonsense(world):
    world.set_variable("BootOrder", b"abc")
    before = world.state()
    refused(world.install("A"), 3, "BootOrder")
    assert world.state() == before


def test_firmware_was_told_otherwise(world):
    """Whoever put the previous build first in BootOrder made it the current one."""
    ok(world.install("A"))
    ok(world.install("B"))
    world.set_order(0, 1)
    assert world.started_by_entries() == ["A", "B"]
    ok(world.install("C"))
    assert world.started_by_entries() == ["C", "A"]


def test_entries_are_gone(world):
    """Firmware settings were reset."""
    ok(world.install("A"))
    ok(world.install("B"))
    for p in world.vars.iterdir():
        p.unlink()
    status = world.run("--status")
    assert status.returncode == 5 and "NOT IN ORDER" in status.stdout
    ok(world.install("B"))
    assert world.started_by_entries() == ["B", "A"]


# ---------------------------------------------------------------- removable


KEPT_PATH = "\\EFI\\BOOT\\geolaunch.old"


def put_foreign(world, content=b"shim"):
    (world.esp / "EFI/BOOT").mkdir(parents=True, exist_ok=True)
    (world.esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(content)


def kept(world):
    return (world.esp / "EFI/BOOT/geolaunch.old").read_bytes()


def test_removable(world):
    world.fat = False
    out = ok(world.install("A", "--removable", no_vars=True))
    assert "through \\EFI\\BOOT\\BOOTX64.EFI" in out
    assert world.started_by_default() == ["A"]
    ok(world.install("B", no_vars=True))
    assert world.started_by_default() == ["B", "A"]
    ok(world.run("--rollback", no_vars=True))
    assert world.started_by_default() == ["A", "B"]
    assert (world.esp / "EFI/BOOT/BOOTX64.EFI").read_bytes() == (world.home / world.slots["A"] / "geolaunch.efi").read_bytes()
    assert world.entries() == [] and list(world.vars.iterdir()) == []


@pytest.mark.parametrize("one", ["--boot-entry", "--removable", "--no-boot-entry"])
@pytest.mark.parametrize("other", ["--boot-entry", "--removable", "--no-boot-entry"])
def test_one_start_only(world, one, other):
    """Which of two would be obeyed is not to be guessed; twice the same is the same."""
    before = world.state()
    if one == other:
        ok(world.install("A", one, other))
        return
    for args in ([world.builds["A"]], ["--rollback"], ["--uninstall"]):
        refused(world.run(one, other, *args), 2, "one of --boot-entry, --removable and --no-boot-entry at a time")
    assert world.state() == before


def test_foreign_default(world):
    (world.esp / "EFI/BOOT").mkdir(parents=True)
    (world.esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"shim")
    before = world.state()
    refused(world.install("A", "--removable"), 2, "--force replaces it")
    assert world.state() == before
    ok(world.install("A"))
    ok(world.install("A", "--no-boot-entry"))
    assert (world.esp / "EFI/BOOT/BOOTX64.EFI").read_bytes() == b"shim"


def test_foreign_default_by_force(world):
    """It is kept as long as we are in its place, whatever is installed meanwhile, and put back when we go."""
    put_foreign(world)
    out = ok(world.install("A", "--removable", "--force"))
    assert world.started_by_default() == ["A"] and kept(world) == b"shim"
    assert "kept      \\EFI\\BOOT\\geolaunch.old" in out
    ok(world.install("B"))
    ok(world.install("C", "--force"))
    ok(world.run("--rollback"))
    assert world.started_by_default() == ["B", "C"] and kept(world) == b"shim"
    assert "kept      " in ok(world.run("--status")) and json.loads(ok(world.run("--status", "--json")))["kept"] == KEPT_PATH
    out = ok(world.run("--uninstall"))
    assert "put back  \\EFI\\BOOT\\BOOTX64.EFI" in out
    assert tree(world.esp / "EFI/BOOT") == {"BOOTX64.EFI": b"shim"} and not world.home.exists()


def test_no_second_loader_is_kept(world):
    put_foreign(world)
    ok(world.install("A", "--removable", "--force"))
    put_foreign(world, b"another")
    before = world.state()
    refused(world.install("B"), 2, "--force replaces it, and keeps it")
    refused(world.run("--rollback"), 3, "there is no previous build")
    refused(world.install("B", "--force"), 2, "an older one is kept beside it")
    assert world.state() == before
    result = world.run("--uninstall")
    assert result.returncode == 0 and "stays as" in result.stderr
    assert tree(world.esp / "EFI/BOOT") == {"BOOTX64.EFI": b"another", "geolaunch.old": b"shim"}


def test_rollback_leaves_other_default(world):
    ok(world.install("A", "--removable"))
    ok(world.install("B"))
    put_foreign(world)
    before = world.state()
    refused(world.run("--rollback"), 2, "another boot loader is there")
    assert world.state() == before


@pytest.mark.parametrize("name", ["A", "B"])
def test_a_geolaunch_of_lost_slots_is_not_kept(world, name):
    """What it starts stands in every geolaunch.efi, so one is known whose slot is gone; what it replaced stays kept, and is put back."""
    put_foreign(world)
    ok(world.install("A", "--removable", "--force"))
    shutil.rmtree(world.home)
    put_foreign(world, b"MZ\\EFI\\geolaunch\\0123456789abcdef\\geolaunch.efi\0")
    refused(world.install(name, "--removable"), 2, "--force")
    ok(world.install(name, "--removable", "--force"))
    assert world.started_by_default() == [name] and kept(world) == b"shim"
    shutil.rmtree(world.home)
    put_foreign(world, b"MZ\\EFI\\geolaunch\\0123456789abcdef\\geolaunch.efi\0")
    ok(world.run("--uninstall"))
    assert tree(world.esp / "EFI/BOOT") == {"BOOTX64.EFI": b"shim"}


def test_copied_by_hand_before(world):
    """The build's folder as it is, copied as the manual of `build` said: its BOOTX64.EFI is ours, its files stay what they are."""
    shutil.copytree(world.builds["A"] / "esp", world.esp, dirs_exist_ok=True)
    flat = {n: c for n, c in tree(world.builds["A"] / "esp/EFI/geolaunch").items()}
    ok(world.install("B", "--removable"))
    assert world.started_by_default() == ["B"]
    assert {n: (world.home / n).read_bytes() for n in flat} == flat


def test_folders_in_other_cases(world):
    (world.esp / "efi/Boot").mkdir(parents=True)
    ok(world.install("A", "--removable"))
    assert sorted(p.name for p in world.esp.iterdir()) == ["efi"]
    assert sorted(p.name for p in (world.esp / "efi").iterdir()) == ["Boot", "geolaunch"]
    assert [p.name for p in (world.esp / "efi/Boot").iterdir()] == ["BOOTX64.EFI"]


def test_changes_of_start(world):
    ok(world.install("A"))
    result = world.install("B", "--removable")
    assert result.returncode == 0 and "Boot0000 still starts another build" in result.stderr and result.stderr.count("\n") == 1
    assert world.started_by_default() == ["B", "A"] and world.started_by_entries() == ["A"]
    # a boot entry that we were told to leave alone keeps its build
    result = world.install("C")
    assert result.returncode == 0 and "Boot0000 still starts another build" in result.stderr and result.stderr.count("\n") == 1
    assert world.started_by_default() == ["C", "B"] and world.started_by_entries() == ["A"]
    ok(world.install("C", "--boot-entry"))
    assert world.started_by_entries()[0] == "C"
    # BOOTX64.EFI is ours and keeps step
    ok(world.install("D"))
    assert world.started_by_default()[0] == "D" and world.started_by_entries()[0] == "D"
    assert (world.esp / "EFI/BOOT/BOOTX64.EFI").read_bytes() == (world.home / world.slots["D"] / "geolaunch.efi").read_bytes()
    ok(world.run("--uninstall"))
    assert list(world.esp.rglob("*")) == [world.esp / "EFI"] and world.entries() == []


def tells_other(world, result, number, name, chosen):
    """The report says what the firmware starts, which is not what was chosen."""
    assert result.returncode in (0, 5) and result.stderr.count("\n") == 1, result
    assert f"warning: Boot{number:04X} still starts another build, which is kept: {world.home}/{world.slots[name]}: " in result.stderr
    assert f"starts    \\EFI\\geolaunch\\{world.slots[name]}\\geolaunch.efi, boot entry Boot{number:04X}\n" in result.stdout
    assert f"chosen    \\EFI\\geolaunch\\{world.slots[chosen]}\\" in result.stdout
    status = world.run("--status")
    assert status.returncode == 5 and status.stderr == result.stderr
    assert status.stdout.endswith("\nNOT IN ORDER: a boot entry starts another build: remove the entry, or install with --boot-entry\n")
    status = world.run("--status", "--json")
    assert status.returncode == 5 and json.loads(status.stdout)["healthy"] is False


@pytest.mark.parametrize("folder,name", [("EFI/boot", "bootx64.efi"), ("efi/Boot", "BootX64.efi")])
def test_default_in_other_cases(world, folder, name):
    """On FAT they are one name; where they are two, it is found all the same, and no second one is made."""
    world.fat = False
    boot = world.esp / folder
    boot.mkdir(parents=True)
    (boot / name).write_bytes(b"shim")
    (boot / "GEOLAUNCH.NEW").write_bytes(b"cut off")
    before = world.state()
    refused(world.install("A", "--removable", no_vars=True), 2, "--force replaces it")
    assert world.state() == before
    ok(world.install("A", "--removable", "--force", no_vars=True))
    (application,) = world.esp.rglob("geolaunch.efi")
    assert tree(boot) == {name: application.read_bytes(), "geolaunch.old": b"shim"}
    (boot / "geolaunch.old").rename(boot / "GEOLAUNCH.OLD")
    ok(world.install("B", no_vars=True))
    assert "kept      " in ok(world.run("--status", no_vars=True))
    ok(world.run("--uninstall", no_vars=True))
    assert tree(boot) == {name: b"shim"} and list(boot.parent.iterdir()) == [boot]


def test_folder_in_other_case_goes(world):
    (world.esp / "EFI/boot").mkdir(parents=True)
    ok(world.install("A", "--removable"))
    ok(world.run("--uninstall"))
    assert list(world.esp.rglob("*")) == [world.esp / "EFI"]


def test_entry_comes_before_removable(world):
    """BOOTX64.EFI is tried after all of BootOrder; entries of others do not count, wherever they stand."""
    world.set_variable("Boot0000", load_option(OTHER_PARTITION + file_path("0123456789abcdef"), "debian"))
    world.set_order(0)
    ok(world.install("A", "--removable"))
    assert ok(world.run("--status")).endswith("\nin order; there is no build to roll back to\n")
    ok(world.install("A", "--boot-entry"))
    world.set_order(0, 1)
    ok(world.install("A", "--removable"))
    ok(world.run("--status"))
    tells_other(world, world.install("B"), 1, "A", "B")
    ok(world.run("--rollback"))
    ok(world.run("--status"))
    tells_other(world, world.run("--rollback"), 1, "A", "B")
    # an entry that BootOrder does not name starts by itself nothing
    world.set_order(0)
    ok(world.run("--status"))
    world.set_order(0, 1)
    ok(world.install("B", "--boot-entry"))
    ok(world.run("--status"))
    assert world.started_by_entries() == ["B", "A"]


def test_entry_comes_before_boot_manager(world):
    """What our entries behind the boot manager lead to is its affair."""
    world.set_variable("Boot0000", load_option(OTHER_PARTITION + file_path("0123456789abcdef"), "manager"))
    world.set_order(0)
    ok(world.install("A"))
    assert world.order() == [1, 0]
    tells_other(world, world.install("B", "--no-boot-entry"), 1, "A", "B")
    world.set_order(0, 1)
    ok(world.install("B"))
    ok(world.run("--status"))


# ---------------------------------------------------------------- rollback


@pytest.mark.parametrize("start", ["--boot-entry", "--removable"])
def test_rollback(world, start):
    which = start.removeprefix("--boot-").removeprefix("--")
    ok(world.install("A", start))
    refused(world.run("--rollback"), 3, "there is no previous build")
    ok(world.install("B"))
    assert "rolled back" in ok(world.run("--rollback"))
    assert world.started(which) == ["A", "B"]
    ok(world.run("--rollback"))
    assert world.started(which) == ["B", "A"]
    ok(world.run("--rollback"))
    ok(world.install("C"))
    assert world.started(which) == ["C", "A"]


def test_rollback_to_damage(world):
    ok(world.install("A"))
    ok(world.install("B"))
    (world.home / world.slots["A"] / "linux").write_bytes(b"x")
    before = world.state()
    refused(world.run("--rollback"), 3, "the previous build is damaged")
    assert world.state() == before
    shutil.rmtree(world.home / world.slots["A"])
    refused(world.run("--rollback"), 3, "there is no previous build")


# ---------------------------------------------------------------- damage on the ESP


def test_current_is_mended(world):
    ok(world.install("A"))
    ok(world.install("B"))
    folder = world.home / world.slots["B"]
    (folder / "linux").write_bytes(b"x")
    (folder / "vmm").unlink()
    status = world.run("--status")
    assert status.returncode == 5 and "NOT COMPLETE: linux" in status.stdout
    ok(world.install("B"))
    assert world.started_by_entries() == ["B", "A"]
    assert {path.rsplit("/", 1)[1] for what, path in world.calls() if what == "rename"} == {"linux", "vmm"}


def test_previous_is_mended(world):
    ok(world.install("A"))
    ok(world.install("B"))
    (world.home / world.slots["A"] / "linux").write_bytes(b"x")
    ok(world.install("A"))
    assert world.started_by_entries() == ["A", "B"]


@pytest.mark.parametrize("text", ["", "geolaunch-slots 1\n", "geolaunch-slots 2\nstart entry\ncurrent 0123456789abcdef\n", "x" * 4000,
                                  "geolaunch-slots 1\nstart entry\ncurrent 0123456789abcdef\nprevious 0123456789abcdef\n",
                                  "geolaunch-slots 1\nstart entry\ncurrent ../../../../../x\n"])
def test_record_of_nonsense(world, text):
    ok(world.install("A"))
    (world.home / "slots.conf").write_text(text)
    before = world.state()
    refused(world.install("B"), 3, "slots.conf")
    refused(world.run("--uninstall"), 3, "slots.conf")
    assert world.state() == before


def test_foreign_files_stay(world):
    foreign = {"notes.txt": b"mine", "0123456789abcdef/linux": b"not a slot", "0123456789abcde/x": b"y"}
    for name, content in foreign.items():
        (world.home / name).parent.mkdir(parents=True, exist_ok=True)
        (world.home / name).write_bytes(content)
    (world.home / "fedcba9876543210").write_bytes(b"a file")
    (world.home / "feedfeedfeedfeed").mkdir()
    (world.home / "feedfeedfeedfeed/SHA256SUMS").write_bytes(b"of something else\n")
    for name in "ABC":
        ok(world.install(name))
    (world.home / world.slots["B"] / "extra").write_bytes(b"in a slot")
    result = world.install("D")
    assert result.returncode == 0
    result = world.install("A")
    assert result.returncode == 0
    result = world.run("--uninstall")
    assert result.returncode == 0 and "stays" in result.stderr
    assert {n: (world.home / n).read_bytes() for n in foreign} == foreign
    assert (world.home / "fedcba9876543210").read_bytes() == b"a file"
    assert (world.home / "feedfeedfeedfeed/SHA256SUMS").exists()
    assert (world.home / world.slots["B"] / "extra").read_bytes() == b"in a slot"
    assert world.entries() == [] and world.order() == []


def test_slot_that_is_not_ours(world):
    (world.home / world.slots["A"]).mkdir(parents=True)
    (world.home / world.slots["A"] / "linux").write_bytes(b"x")
    before = world.state()
    refused(world.install("A"), 3, "not what its name says")
    assert world.state() == before


def test_leftovers_go(world):
    ok(world.install("A"))
    ok(world.install("B"))
    begun = world.home / world.slots["C"]
    begun.mkdir()
    (begun / "geolaunch.new").write_bytes(b"x")
    (world.home / "geolaunch.new").write_bytes(b"x")
    ok(world.install("B"))
    assert world.leftovers() == [] and world.started_by_entries() == ["B", "A"]


# ---------------------------------------------------------------- uninstall, status


@pytest.mark.parametrize("start", ["--boot-entry", "--removable", "--no-boot-entry"])
def test_uninstall(world, start):
    ok(world.install("A", start))
    ok(world.install("B"))
    out = ok(world.run("--uninstall"))
    assert "removed" in out
    assert list(world.esp.rglob("*")) == [world.esp / "EFI"]
    assert world.entries() == [] and world.order() == []
    assert "nothing is installed" in ok(world.run("--uninstall"))
    assert "nothing is installed" in ok(world.run("--uninstall", no_vars=True))


def test_uninstall_without_variables(world):
    ok(world.install("A"))
    before = world.state()
    refused(world.run("--uninstall", no_vars=True), 1, "no UEFI variables")
    assert world.state() == before
    ok(world.run("--uninstall", "--no-boot-entry", no_vars=True))
    assert not world.home.exists() and world.entries() == [0]


def test_uninstall_leaves_other_default(world):
    (world.esp / "EFI/BOOT").mkdir(parents=True)
    (world.esp / "EFI/BOOT/BOOTX64.EFI").write_bytes(b"shim")
    ok(world.install("A"))
    ok(world.run("--uninstall"))
    assert (world.esp / "EFI/BOOT/BOOTX64.EFI").read_bytes() == b"shim"


def test_status(world):
    result = world.run("--status")
    assert result.returncode == 5 and result.stdout == "nothing is installed\n"
    assert json.loads(world.run("--status", "--json").stdout)["start"] is None
    ok(world.install("A"))
    assert ok(world.run("--status")).endswith("\nin order; there is no build to roll back to\n")
    assert json.loads(ok(world.run("--status", "--json")))["rollback"] == "none"
    ok(world.install("B"))
    before = world.state()
    out = ok(world.run("--status"))
    assert out.count("complete") == 2 and out.endswith("in order\n")
    v = json.loads(ok(world.run("--status", "--json")))
    assert v["healthy"] and v["rollback"] == "possible" and v["current"] == world.slots["B"] and v["start"] == "entry" and v["boot_entry"] == "Boot0001"
    assert {s["slot"]: (s["name"], s["complete"], s["boot_entry"]) for s in v["slots"]} == {
        world.slots["A"]: ("host_A", True, "Boot0000"), world.slots["B"]: ("host_B", True, "Boot0001")}
    assert world.state() == before and world.calls() == []


def test_status_of_rollback(world):
    """What --rollback would refuse is said before it is needed; the host starts all the same."""
    ok(world.install("A"))
    ok(world.install("B"))
    (world.home / world.slots["A"] / "linux").write_bytes(b"x")
    out = ok(world.run("--status"))
    assert "NOT COMPLETE: linux" in out and out.splitlines()[-1].startswith("current build in order; rollback not possible: ")
    v = json.loads(ok(world.run("--status", "--json")))
    assert v["healthy"] and v["rollback"] == "damaged"
    shutil.rmtree(world.home / world.slots["A"])
    assert ok(world.run("--status")).endswith("current build in order; rollback not possible: the previous build is gone\n")
    assert json.loads(ok(world.run("--status", "--json")))["rollback"] == "gone"


def test_json(world):
    v = json.loads(ok(world.install("A", "--json")))
    assert v == {"action": "install", "esp": str(world.esp), "start": "entry", "current": world.slots["A"], "previous": None,
                 "application": f"\\EFI\\geolaunch\\{world.slots['A']}\\geolaunch.efi", "boot_entry": "Boot0000", "removable": False, "kept": None,
                 "restored": False, "changed": True, "files": 8, "bytes_written": sum(map(len, tree(world.builds["A"] / "esp/EFI/geolaunch").values())),
                 "removed": [], "warnings": []}
    ok(world.install("B"))
    v = json.loads(ok(world.install("C", "--json")))
    assert v["removed"] == [world.slots["A"]] and v["previous"] == world.slots["B"]
