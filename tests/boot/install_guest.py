# SPDX-License-Identifier: BSD-3-Clause
"""A machine of its own for tests of `geolaunch install`: a GPT disk with an ESP, and a guest that runs the command on it."""
import json
import os
import shutil
import struct
import subprocess
import uuid
import zlib

import launch

SECTOR = 512
SIZE = 256 << 20
FIRST = 2048                                            # of the ESP, in sectors
LAST = SIZE // SECTOR - 2048
FIRMWARE = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
MODULES = ["fs/nls/nls_cp437", "fs/nls/nls_ascii", "fs/fat/fat", "fs/fat/vfat", "fs/efivarfs/efivarfs"]

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for m in nls_cp437 nls_ascii fat vfat efivarfs; do insmod /modules/$m.ko 2>/dev/null; done
mount -t efivarfs efivarfs /sys/firmware/efi/efivars || echo "HOST no efivarfs"
i=0
while [ ! -b /dev/nvme0n1p1 ] && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
mkdir -p /esp
mount -t vfat /dev/nvme0n1p1 /esp || echo "HOST no ESP"
build=$(sed 's/.*build=\\([a-z]*\\).*/\\1/' /proc/cmdline)
run() { geolaunch install --esp /esp --json "$@" >/out 2>/err; echo "HOST $build $? $(tr -d '\\n' </out) $(cat /err)"; }
case $build in
installer) run /esp/builds/first; run /esp/builds/second; run --status ;;
removable) run --removable /esp/builds/first; run /esp/builds/second; run --rollback; run --status ;;
forced) run --removable --force /esp/builds/first; run --uninstall ;;
second) run --status; run --rollback; run --status ;;
first) run --status; run --uninstall; run --status; echo "HOST left: $(cd /esp && find . -path ./builds -prune -o -print | tr '\\n' ' ')" ;;
esac
umount /esp || echo "HOST cannot unmount"
if [ "$build" = second ]; then reboot -f; else poweroff -f; fi
"""


def make_gpt(path):
    """One partition, the ESP. UEFI 2.10, 5.3."""
    kind = uuid.UUID("C12A7328-F81F-11D2-BA4B-00A0C93EC93B").bytes_le
    entry = struct.pack("<16s16sQQQ72s", kind, uuid.uuid4().bytes_le, FIRST, LAST, 0, "ESP".encode("utf-16-le"))
    entries = entry + bytes(128 * 128 - len(entry))
    disk = uuid.uuid4().bytes_le
    end = SIZE // SECTOR - 1

    def header(own, other, where):
        fields = [b"EFI PART", 0x10000, 92, 0, 0, own, other, 34, end - 33, disk, where, 128, 128, zlib.crc32(entries)]
        head = struct.pack("<8sIIIIQQQQ16sQIII", *fields)
        fields[3] = zlib.crc32(head)
        return struct.pack("<8sIIIIQQQQ16sQIII", *fields).ljust(SECTOR, b"\0")

    mbr = bytes(446) + struct.pack("<B3sB3sII", 0, b"\0\2\0", 0xEE, b"\xff\xff\xff", 1, end) + bytes(48) + b"\x55\xaa"
    with open(path, "wb") as f:
        f.truncate(SIZE)
        f.write(mbr + header(1, end, 2) + entries)
        f.seek((end - 32) * SECTOR)
        f.write(entries + header(end, 1, end - 32))


def mtools(*argv):
    subprocess.run(["env", "MTOOLSRC=/dev/null", "MTOOLS_SKIP_CHECK=1", *argv], check=True, capture_output=True, timeout=120)


def make_initrd(work, base):
    """The demo host's, and behind it an init of ours and file systems."""
    extra = os.path.join(work, "extra")
    os.makedirs(os.path.join(extra, "modules"))
    with open(os.path.join(extra, "init"), "w", encoding="ascii") as f:
        f.write(INIT)
    os.chmod(os.path.join(extra, "init"), 0o755)
    for name in MODULES:
        shutil.copy(os.path.join(launch.KERNEL, "modules/kernel", f"{name}.ko"), os.path.join(extra, "modules"))
    names = "".join(f"{n}\0" for n in ["init", "modules", *(f"modules/{os.path.basename(n)}.ko" for n in MODULES)])
    cpio = subprocess.run(["cpio", "--null", "--create", "--format=newc", "--quiet"], cwd=extra, input=names.encode(), check=True,
                          capture_output=True, timeout=60).stdout
    out = os.path.join(work, "initrd")
    if os.path.lexists(out):
        os.unlink(out)                                  # a link to the common one
    with open(base, "rb") as f, open(out, "wb") as g:
        data = f.read()
        g.write(data + bytes(-len(data) % 4) + cpio)
    return out


class Machine:
    """With an empty ESP, but for a folder `builds`."""

    def __init__(self, work, base):
        self.work = work
        self.disk = os.path.join(work, "disk.img")
        self.esp = f"{self.disk}@@{FIRST * SECTOR}"
        self.initrd = make_initrd(work, base)
        shutil.copy(FIRMWARE[1], os.path.join(work, "vars.fd"))
        make_gpt(self.disk)
        mtools("mformat", "-i", self.esp, "-F", "-T", str(LAST - FIRST + 1), "-c", "1", "-h", "64", "-s", "32", "-v", "ESP", "::")
        mtools("mmd", "-i", self.esp, "::/builds")

    def build(self, name, manifest):
        path = os.path.join(self.work, f"{name}.yaml")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(manifest, f)
        launch.build(path, os.path.join(self.work, name))
        mtools("mcopy", "-i", self.esp, "-s", "-Q", os.path.join(self.work, name), "::/builds/")

    def drive(self):
        return ["-drive", f"file={self.disk},format=raw,if=none,id=disk,cache=unsafe"]

    def run_installer(self, what):
        """The guest, started with no help of the disk."""
        return self.run(what, "-kernel", os.path.join(launch.KERNEL, "vmlinuz"), "-initrd", self.initrd, "-append",
                        f"console=ttyS0 loglevel=3 panic=-1 build={what}")

    def run(self, name, *more):
        """Until it powers off; the console's text."""
        serial = os.path.join(self.work, f"{name}.serial")
        argv = ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-cpu", "qemu64", "-m", "768", "-nodefaults",
                "-display", "none", "-serial", f"file:{serial}", "-no-user-config",
                "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE[0]}",
                "-drive", f"if=pflash,format=raw,unit=1,file={self.work}/vars.fd",
                *self.drive(), "-device", "nvme,drive=disk,serial=esp", *more]
        p = subprocess.run(argv, timeout=240, capture_output=True, text=True)
        assert p.returncode == 0, p.stderr
        with open(serial, encoding="utf-8", errors="replace") as f:
            return f.read()


def reports(serial, build):
    """What the guest's runs of the command said: code, JSON, stderr."""
    out = []
    for line in serial.replace("\r", "").split("\n"):
        if f"HOST {build} " in line:
            _, _, rest = line.partition(f"HOST {build} ")
            code, _, rest = rest.partition(" ")
            value, end = json.JSONDecoder().raw_decode(rest) if rest.startswith("{") else (None, 0)
            out.append((int(code), value, rest[end:].strip()))
    return out
