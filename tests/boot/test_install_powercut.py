# SPDX-License-Identifier: BSD-3-Clause
"""
`geolaunch install` on Linux's FAT, cut off at every write that reaches the disk: QEMU logs them, and what the disk holds after each is
read as firmware would. A disk may also lose what it was not told to flush: of what was written since, any part may be there.
"""
import hashlib
import os
import random
import re
import struct

import pytest

from fat import Fat, Unreadable
from install_guest import FIRST, SECTOR, Machine, mtools, reports

FLUSH, FUA, DISCARD = 1, 2, 4
LOSSES = 6      # ways to lose something, per flush


class LoggedMachine(Machine):
    def drive(self):
        # QEMU wants it to be there
        with open(os.path.join(self.work, "writes.log"), "wb"):
            pass
        return ["-blockdev", "driver=file,node-name=base,filename=" + self.disk,
                "-blockdev", "driver=file,node-name=writes,filename=" + os.path.join(self.work, "writes.log"),
                "-blockdev", "driver=blklogwrites,node-name=disk,file=base,log=writes,log-sector-size=512"]


def read_log(path):
    """(flags, offset, data) of every entry. Linux, Documentation/admin-guide/device-mapper/log-writes.rst."""
    with open(path, "rb") as f:
        magic, _, count, sector = struct.unpack("<QQQI", f.read(28))
        assert magic == 0x6A736677736872 and sector == SECTOR
        f.seek(sector)
        for _ in range(count):
            where, n, flags, _ = struct.unpack("<4Q", f.read(sector)[:32])
            if flags & DISCARD:
                continue
            yield flags, where * sector, f.read(n * sector)


def whole(fat, slot):
    """A slot with all that its list says, and the list that its name says."""
    folder = f"EFI/geolaunch/{slot}"
    text = fat.read(f"{folder}/SHA256SUMS")
    if text is None or hashlib.sha256(text).hexdigest()[:16] != slot:
        return False
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    listed = [re.fullmatch(r"([0-9a-f]{64})  (\S+)", line).groups() for line in lines]
    assert {"geolaunch.efi", "launch.conf", "policy.vlp"} <= {name for _, name in listed}
    return all(hashlib.sha256(fat.read(f"{folder}/{name}") or b"").hexdigest() == digest for digest, name in listed)


def started(image, applications):
    """Slots that BOOTX64.EFI would start, in order: () if there is none, or it cannot be loaded. One that is not whole is an error."""
    fat = Fat(image)
    try:
        application, text = fat.read("EFI/BOOT/BOOTX64.EFI"), fat.read("EFI/geolaunch/slots.conf")
    except Unreadable:
        return ()
    m = re.fullmatch(rb"geolaunch-slots 1\nstart removable\ncurrent ([0-9a-f]{16})\n(?:previous ([0-9a-f]{16})\n)?", text or b"")
    if application not in applications or not m:
        return ()
    slots = tuple(s.decode() for s in m.groups() if s)
    for slot in slots:
        assert whole(fat, slot), slot
    return slots


def put(image, writes):
    for offset, data in writes:
        image[offset:offset + len(data)] = data


@pytest.fixture
def machine(a_launch, inputs):
    one = LoggedMachine(a_launch.work, os.path.join(inputs, "initrd"))
    # nothing of this is booted, and there is much to read
    kernel = bytearray(9000)
    kernel[0:2], kernel[0x3C], kernel[0x80:0x86], kernel[0x202:0x206] = b"MZ", 0x80, b"PE\0\0\x64\x86", b"HdrS"
    os.unlink(os.path.join(one.work, "linux"))
    with open(os.path.join(one.work, "linux"), "wb") as f:
        f.write(kernel)
    a_launch.manifest["hypervisor"]["initrd"] = "vmm"
    del a_launch.manifest["vmm"]
    a_launch.manifest["files"] = [{"file": "vm.json", "path": "/etc/vm.json"}]
    for name in ("first", "second"):
        a_launch.manifest["hypervisor"]["cmdline"] = f"build={name}"
        one.build(name, a_launch.manifest)
    yield one
    os.unlink(one.disk)


def every_cut(machine, image, look):
    """
    What `look` sees in the image after each write; an error of its own is one of the test. Returns what it saw in turn, and how often it
    looked. It may see what was there at the last flush, too, or what is seen at the next one, if any part of what was written since is lost.
    """
    chance = random.Random(5)
    seen, epoch, cuts = [look(image)], [], 0
    flushed, at_flush = bytearray(image), seen[0]
    for flags, offset, data in read_log(os.path.join(machine.work, "writes.log")):
        offset -= FIRST * SECTOR
        if data and 0 <= offset < len(image):
            put(image, [(offset, data)])
            epoch.append((offset, data))
            now = look(image)
            cuts += 1
            if now != seen[-1]:
                seen.append(now)
        if not flags & (FLUSH | FUA) or not epoch:
            continue
        # Lost: any part of what was written since the last flush.
        for _ in range(LOSSES):
            there = [write for write in epoch if chance.random() < 0.5]
            before = [(offset, flushed[offset:offset + len(data)]) for offset, data in there]
            put(flushed, there)
            assert look(flushed) in (at_flush, seen[-1])
            put(flushed, reversed(before))
            cuts += 1
        put(flushed, epoch)
        at_flush, epoch = seen[-1], []
    return seen, cuts


def partition(machine):
    with open(machine.disk, "rb") as f:
        return bytearray(f.read()[FIRST * SECTOR:])


def test_power_cut(machine):
    image = partition(machine)
    serial = machine.run_installer("removable")
    done = reports(serial, "removable")
    assert [code for code, _, _ in done] == [0] * 4, serial
    a, b = done[0][1]["current"], done[1][1]["current"]
    applications = set()
    for name in ("first", "second"):
        with open(os.path.join(machine.work, name, "esp/EFI/geolaunch/geolaunch.efi"), "rb") as f:
            applications.add(f.read())
    seen, cuts = every_cut(machine, image, lambda disk: started(disk, applications))
    # from nothing to the first, to the second, and back: never anything else
    assert seen == [(), (a,), (b, a), (a, b)], seen
    assert cuts > 200


def test_power_cut_of_a_replaced_loader(machine):
    """The other boot loader is BOOTX64.EFI, or it is kept and ours starts: at any cut one of the two, and both files whole."""
    loader = random.Random(6).randbytes(50000)
    with open(os.path.join(machine.work, "loader"), "wb") as f:
        f.write(loader)
    mtools("mmd", "-i", machine.esp, "::/EFI", "::/EFI/BOOT")
    mtools("mcopy", "-i", machine.esp, os.path.join(machine.work, "loader"), "::/EFI/BOOT/BOOTX64.EFI")
    image = partition(machine)
    serial = machine.run_installer("forced")
    done = reports(serial, "forced")
    assert [code for code, _, _ in done] == [0, 0] and done[0][1]["kept"] and done[1][1]["restored"], serial
    with open(os.path.join(machine.work, "first/esp/EFI/geolaunch/geolaunch.efi"), "rb") as f:
        application = f.read()

    def starts(disk):
        fat = Fat(disk)
        default = fat.read("EFI/BOOT/BOOTX64.EFI")
        if default == loader:
            return "theirs"
        assert default == application and fat.read("EFI/BOOT/geolaunch.old") == loader
        assert started(disk, {application}) == (done[0][1]["current"],)
        return "ours"

    seen, cuts = every_cut(machine, image, starts)
    assert seen == ["theirs", "ours", "theirs"], seen
    assert cuts > 100 and Fat(image).read("EFI/BOOT/geolaunch.old") is None
