# SPDX-License-Identifier: BSD-3-Clause
"""
`geolaunch install` with nothing doubled: Linux's FAT and efivarfs, libefiboot on a GPT disk, OVMF's variables. A guest installs two
builds on its own ESP; the firmware then starts what was chosen, the second one, which goes back to the first, which removes itself.
"""
import os
import shutil
import subprocess

import pytest

from install_guest import FIRST, SECTOR, Machine, reports


@pytest.fixture
def machine(a_launch, inputs):
    one = Machine(a_launch.work, os.path.join(inputs, "initrd"))
    a_launch.manifest["policy"]["type"] = "nonfatal"    # there is no TPM
    for name in ("first", "second"):
        a_launch.manifest["hypervisor"]["cmdline"] = f"console=ttyS0 loglevel=3 panic=-1 build={name}"
        one.build(name, a_launch.manifest)
    yield one
    os.unlink(one.disk)


def test_boot_entries(machine):
    serial = machine.run_installer("installer")
    first, second, status = reports(serial, "installer")
    assert (first[0], second[0], status[0]) == (0, 0, 0) and not first[2] + second[2] + status[2], serial
    a, b = first[1]["current"], second[1]["current"]
    assert status[1]["healthy"] and (status[1]["current"], status[1]["previous"]) == (b, a)

    # Nothing but OVMF and its variables from here on: the second build, which rolls back and reboots into the first.
    serial = machine.run("boot")
    assert "HOST no" not in serial and "HOST cannot" not in serial
    status, back, again = reports(serial, "second")
    assert (status[0], back[0], again[0]) == (0, 0, 0), serial
    assert status[1]["healthy"] and again[1]["healthy"]
    assert (back[1]["current"], back[1]["previous"]) == (a, b)
    status, away, none = reports(serial, "first")
    assert (status[0], away[0], none[0]) == (0, 0, 5), serial
    assert status[1]["healthy"] and status[1]["current"] == a
    assert {s["boot_entry"] for s in status[1]["slots"]} == {first[1]["boot_entry"], second[1]["boot_entry"]}
    assert sorted(away[1]["removed"]) == sorted([a, b])
    left = serial.split("HOST left: ")[1].split("\n")[0].split()
    assert left == [".", "./EFI"]
    # the file system is none the worse for it
    with open(machine.disk, "rb") as f, open(os.path.join(machine.work, "esp.img"), "wb") as g:
        f.seek(FIRST * SECTOR)
        shutil.copyfileobj(f, g)
    check = subprocess.run(["fsck.vfat", "-n", os.path.join(machine.work, "esp.img")], capture_output=True, text=True, timeout=60)
    assert check.returncode == 0, check.stdout
