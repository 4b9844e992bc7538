# SPDX-License-Identifier: BSD-3-Clause
"""What the TXT boot tests stand on: an ESP with GRUB, Debian's tboot and kernel, and a guest that tells its PCRs."""
import fcntl
import hashlib
import json
import os
import shutil
import struct
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
DEPS = os.path.join(TOP, ".deps")
GRUB_TOOLS, GRUB_EFI = os.path.join(DEPS, "grub-tools"), os.path.join(DEPS, "grub-efi/usr/lib/grub/x86_64-efi")
TBOOT = os.path.join(os.environ.get("TBOOT_DIR", os.path.join(DEPS, "tboot")), "boot/tboot.gz")
KERNEL = os.path.join(DEPS, "kernel/vmlinuz")
GEOLAUNCH = os.environ.get("GEOLAUNCH", os.path.join(TOP, "build/host/geolaunch"))
INPUTS = os.path.join(TOP, "build/txt-inputs")
MODULES = "fat part_gpt part_msdos search search_fs_file configfile normal multiboot2 serial gzio echo relocator"

HEAP_BASE = 0xC8000000
ALGS = {"sha1": 4, "sha256": 0xB, "sha384": 0xC, "sha512": 0xD}
SIZES = {4: 20, 0xB: 32, 0xC: 48, 0xD: 64}

# logging: the serial console only. min_ram: low memory above OVMF's small reserved parts is not thrown away.
TBOOT_LINE = "logging=serial loglvl=all ap_wake_mwait=true min_ram=0x2000000"
# What the TXT platform's BIOS ACM has left.
BIOS = "000000000101222007b000000200000000000000000000000400000000000000"
# no_timer_check: on a busy host the kernel takes the emulated timer for broken and panics (interrupt remapping).
LINUX_LINE = "console=ttyS0 loglevel=4 panic=-1 intel_iommu=on no_timer_check"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc p /proc; mount -t sysfs s /sys; mount -t devtmpfs d /dev
echo "geolaunch-host: init=yes" >/dev/ttyS2
for b in sha1 sha256 sha384 sha512; do
  for i in 17 18 19 20 21 22; do
    f=/sys/class/tpm/tpm0/pcr-$b/$i
    [ -e $f ] && echo "geolaunch-host: $b.$i=$(cat $f)" >/dev/ttyS2
  done
done
for f in /usr/bin/vmm /etc/vm/vm.json; do
  [ -e $f ] && echo "geolaunch-host: file.$(basename $f)=$(stat -c %a $f):$(sha256sum $f | cut -d' ' -f1)" >/dev/ttyS2
done
echo "geolaunch-host: cpus=$(grep -c ^processor /proc/cpuinfo)" >/dev/ttyS2
[ -d /sys/firmware/efi ] && echo "geolaunch-host: efi=yes" >/dev/ttyS2
[ -e /sys/firmware/acpi/tables/DSDT ] && echo "geolaunch-host: acpi=yes" >/dev/ttyS2
dmesg | grep -q "tboot: found shared page" && echo "geolaunch-host: tboot=yes" >/dev/ttyS2
echo "geolaunch-host: done=yes" >/dev/ttyS2
poweroff -f
"""


def _initrd(path):
    root = path + ".root"
    shutil.rmtree(root, ignore_errors=True)
    for name in ("bin", "proc", "sys", "dev"):
        os.makedirs(os.path.join(root, name))
    shutil.copy("/bin/busybox", os.path.join(root, "bin/busybox"))
    with open(os.path.join(root, "init"), "w", encoding="ascii") as f:
        f.write(INIT)
    os.chmod(os.path.join(root, "init"), 0o755)
    names = subprocess.run(["find", "."], cwd=root, check=True, capture_output=True, timeout=60).stdout
    with open(path + ".new", "wb") as f:
        subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=f, check=True, timeout=60)
    shutil.rmtree(root)
    os.rename(path + ".new", path)


def _grub(path):
    """GRUB that reads \\boot\\txt.cfg."""
    early = path + ".cfg"
    with open(early, "w", encoding="ascii") as f:
        f.write("search --no-floppy --set=root --file /boot/txt.cfg\nconfigfile /boot/txt.cfg\n")
    subprocess.run([os.path.join(GRUB_TOOLS, "usr/bin/grub-mkimage"), "-d", GRUB_EFI, "-O", "x86_64-efi", "-p", "/boot", "-c", early,
                    "-o", path + ".new", *MODULES.split()], check=True, capture_output=True, timeout=60)
    os.rename(path + ".new", path)


def inputs():
    """Folder with grub.efi and initrd, made by the first worker that wants them."""
    os.makedirs(INPUTS, exist_ok=True)
    with open(os.path.join(INPUTS, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for name, make in (("grub.efi", _grub), ("initrd", _initrd)):
            path = os.path.join(INPUTS, name)
            if not os.path.exists(path) or os.path.getmtime(path) < os.path.getmtime(__file__):
                make(path)
    return INPUTS


def make_esp(folder, modules, tboot_line=TBOOT_LINE, mle=TBOOT):
    """An ESP tree whose GRUB starts the MLE with these modules: (name, path of the file, command line)."""
    boot = os.path.join(folder, "boot")
    os.makedirs(os.path.join(folder, "EFI/BOOT"))
    os.makedirs(boot)
    shutil.copy(os.path.join(inputs(), "grub.efi"), os.path.join(folder, "EFI/BOOT/BOOTX64.EFI"))
    os.symlink(mle, os.path.join(boot, "tboot.gz"))
    lines = ["serial --unit=0", "terminal_output serial", f"multiboot2 /boot/tboot.gz {tboot_line}"]
    for name, path, line in modules:
        os.symlink(os.path.abspath(path), os.path.join(boot, name))
        lines.append(f"module2 /boot/{name} {line}".rstrip())
    with open(os.path.join(boot, "txt.cfg"), "w", encoding="ascii") as f:
        f.write("\n".join([*lines, "boot", ""]))
    return folder


def linux():
    """The usual modules."""
    return [("vmlinuz", KERNEL, LINUX_LINE), ("initrd", os.path.join(inputs(), "initrd"), "")]


class Result(dict):
    """qemu/run's result and what belongs to it."""

    def serial_text(self):
        with open(self["serial"], encoding="utf-8", errors="replace") as f:
            return f.read()

    def guest_pcrs(self, bank):
        """PCR 17-22 as the guest's Linux told them."""
        return {i: self["facts"][f"{bank}.{i}"].lower() for i in range(17, 23)}

    def failed_rules(self):
        with open(self["explain"], encoding="utf-8") as f:
            return [line.split(":", 1)[0].split()[-1] for line in f if " FAIL " in line]

    def _log_elements(self):
        """The heap, and the extended elements of OsSinitData: type to content."""
        with open(self["heap"], "rb") as f:
            heap = f.read()
        at = 0
        for _ in range(2):
            at += struct.unpack_from("<Q", heap, at)[0]
        at += 8 + 92
        found = {}
        while struct.unpack_from("<I", heap, at)[0]:
            kind, size = struct.unpack_from("<II", heap, at)
            found[kind] = heap[at + 8:at + size]
            at += size
        return heap, found

    def log(self):
        """The crypto-agile event log out of the heap (OsSinitData, element 8)."""
        heap, elements = self._log_elements()
        where, _, first, end = struct.unpack("<QIII", elements[8])
        assert first == 0 and 7 not in elements
        return heap[where - HEAP_BASE:where - HEAP_BASE + end]

    def logs_per_algorithm(self):
        """
        The older logs (element 7) of the TPM's banks: algorithm to [(pcr, type, digest, data)], without the record that begins them. tboot
        makes logs for banks, too, that the TPM does not have: SINIT leaves them empty, and they are left out here.
        """
        heap, elements = self._log_elements()
        assert 8 not in elements
        logs = {}
        for i in range(struct.unpack_from("<I", elements[7])[0]):
            alg, _, where, _, first, end = struct.unpack_from("<HHQIII", elements[7], 4 + 24 * i)
            if alg not in [ALGS[bank] for bank in self["pcrs"]]:
                continue
            log = heap[where - HEAP_BASE + first:where - HEAP_BASE + end]
            at, logs[alg] = 0, []
            if alg != 4:
                assert struct.unpack_from("<II", log) == (0, 3) and log[32:48] == b"FRMT ID EVENT00\0"
                assert struct.unpack_from("<II", log, 52) == ({0xB: 2, 0xC: 3, 0xD: 4}[alg], SIZES[alg])
                at = 60
            while at < len(log):
                pcr, kind = struct.unpack_from("<II", log, at)
                digest = log[at + 8:at + 8 + SIZES[alg]]
                at += 8 + SIZES[alg]
                n = struct.unpack_from("<I", log, at)[0]
                logs[alg].append((pcr, kind, digest, log[at + 4:at + 4 + n]))
                at += 4 + n
            assert at == len(log)
        return logs

    def replayed(self):
        """PCR 17-22 by the log, in the shape of result["pcrs"]: in each bank the events whose author extended it."""
        log = events(self.log())
        return {bank: _replay([(pcr, digests.get(ALGS[bank])) for pcr, _, digests, _ in log], bank) for bank in self["pcrs"]}

    def replayed_per_algorithm(self):
        """The same by the older logs."""
        logs = self.logs_per_algorithm()
        return {bank: _replay([(pcr, digest) for pcr, _, digest, _ in logs[ALGS[bank]]], bank) for bank in self["pcrs"]}

    def dynamic_pcrs(self):
        """PCR 17-22 as they were in the TPM when the machine ended."""
        return {bank: {str(i): pcrs[str(i)].lower() for i in range(17, 23)} for bank, pcrs in self["pcrs"].items()}


def _replay(extends, bank):
    values = {str(i): bytes(hashlib.new(bank).digest_size) for i in range(17, 23)}
    for pcr, digest in extends:
        if digest is not None:
            values[str(pcr)] = hashlib.new(bank, values[str(pcr)] + digest).digest()
    return {i: v.hex() for i, v in values.items()}


def boot(work, esp, *options, disk=False):
    """One run. The result is returned whatever becomes of it. disk: `esp` is the socket of an NBD server."""
    out, keep = os.path.join(work, "result.json"), os.path.join(work, "logs")
    os.makedirs(keep, exist_ok=True)
    p = subprocess.run([os.path.join(TOP, "qemu/run"), "--platform", "txt", "--esp-nbd" if disk else "--esp", esp, "--json", out, "--keep", keep,
                        "--timeout", "240", *options], capture_output=True, text=True, timeout=300, check=False)
    assert os.path.exists(out), p.stderr
    result = load(out)
    result["status"], result["stderr"] = p.returncode, p.stderr
    return result


def load(path):
    with open(path, encoding="utf-8") as f:
        return Result(json.load(f))


def replay(work, log, bank):
    """PCR 17 and 18 from the log, by the product's own decoder."""
    path = os.path.join(work, "log.bin")
    with open(path, "wb") as f:
        f.write(log)
    p = subprocess.run([GEOLAUNCH, "log", path, "--start", "00", "--json"], capture_output=True, text=True, timeout=30, check=True)
    return json.loads(p.stdout)


def events(log):
    """A second, independent decoder: (pcr, type, {algorithm: digest}, data) of a crypto-agile log without its first event."""
    at = struct.unpack_from("<I", log, 28)[0] + 32
    found = []
    while at < len(log):
        pcr, kind, count = struct.unpack_from("<III", log, at)
        at += 12
        digests = {}
        for _ in range(count):
            alg = struct.unpack_from("<H", log, at)[0]
            digests[alg] = log[at + 2:at + 2 + SIZES[alg]]
            at += 2 + SIZES[alg]
        n = struct.unpack_from("<I", log, at)[0]
        found.append((pcr, kind, digests, log[at + 4:at + 4 + n]))
        at += 4 + n
    return found


def extend_all(log, pcr, alg, name):
    value = bytes(hashlib.new(name).digest_size)
    for which, _, digests, _ in events(log):
        if which == pcr:
            value = hashlib.new(name, value + digests[alg]).digest()
    return value.hex()


def allow_mle(folder, mle=None):
    """Makes list.dat and owner.pol: the owner allows just this MLE, by default Debian's tboot with the usual line. Returns its hash."""
    def lcp(*args):
        return subprocess.run([GEOLAUNCH, "lcp", *args], cwd=folder, check=True, capture_output=True, text=True, timeout=60).stdout.strip()
    mle = mle or lcp("mle-hash", "--alg", "sha256", "--cmdline", TBOOT_LINE + " extpol=sha256", TBOOT)
    lcp("element", "mle", "--alg", "sha256", "--hash", mle, "--force", "-o", "mle.elt")
    lcp("list", "create", "--version", "2.1", "--force", "-o", "list.lst", "mle.elt")
    lcp("data", "create", "--force", "-o", "list.dat", "list.lst")
    lcp("policy", "create", "--type", "list", "--force", "-o", "owner.pol", "--data", "list.dat")
    return mle
