# SPDX-License-Identifier: BSD-3-Clause
"""QEMU: its command line, its streams, and how it ends."""
import json
import math
import os
import re
import selectors
import shutil
import signal
import socket
import time

from . import process
from .host import Report
from .process import HarnessError
from .serial import Lines

FIRMWARE = {
    "2m": ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    "4m": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    # Debian's ovmf, README.Debian: PK, KEK and db hold a key for tests, whose private half is in the package.
    "secure": ("/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"),
    # The same without protection of the variables by SMM: the TXT platform has its hands in the chipset.
    "secure-txt": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd"),
}
_SMM = ("-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1")
# Not bootindex 0, which QEMU itself takes for -kernel.
DISKS = {
    "virtio": "virtio-blk-pci,drive=esp,bootindex=1",
    "ahci": "ide-hd,bus=ide.0,drive=esp,bootindex=1",
    "nvme": "nvme,serial=esp,drive=esp,bootindex=1",
}
_GRACE_SECONDS = 3      # from the word that it ends to QEMU's end
_CHUNK = 65536
_ROOM = 8 << 20
_SO_SNDBUFFORCE = 32    # asm-generic/socket.h; Python has no name for it

_FIRST = "geolaunch "
_HALTED = re.compile(r"geolaunch: halted: (.*)")
# tboot 1.10.5 tboot/common/tboot.c shutdown_system(): the processor stops for good.
_TBOOT_HALTED = re.compile(r"TBOOT: shutdown_system\(\) called for shutdown_type: (TB_SHUTDOWN_HALT)")
_FIRMWARE_ALONE = ("UEFI Interactive Shell", "BdsDxe: No bootable option")
_QMP_READY = b'{"execute":"qmp_capabilities"}\n'


# A CPU of Intel's for tboot and Linux, without what TCG would warn of.
_TXT_CPU = "Skylake-Client,-pcid,-x2apic,-tsc-deadline,-hle,-invpcid,-rtm,-rdseed,-3dnowprefetch,-xsavec,+monitor"


def _firmware(options):
    """Name in FIRMWARE."""
    if options.secure_boot:
        return "secure-txt" if options.platform == "txt" else "secure"
    return options.ovmf


def command_line(options, image, tpm_socket, fds, txt=()):
    """
    QEMU's arguments; file names are relative to the private directory. image: as -drive's file=. fds: names of our streams to descriptors.
    txt: arguments for the TXT platform.
    """
    firmware = _firmware(options)
    code, _ = FIRMWARE[firmware]
    smm = firmware == "secure"
    argv = [
        "qemu-system-x86_64", "-machine", "q35,smm=on" if smm else "q35", *(_SMM if smm else ()), "-accel", "kvm" if options.kvm else "tcg",
        "-cpu", _TXT_CPU if txt else "max",
        "-m", str(options.memory), "-smp", str(options.cpus), "-nodefaults", "-display", "none",
        *([] if options.resets else ["-no-reboot"]), *txt,
        "-drive", f"if=pflash,format=raw,unit=0,readonly=on,file={code}",
        "-drive", "if=pflash,format=raw,unit=1,file=vars.fd",
        "-drive", f"file={image},format=raw,if=none,id=esp,cache=unsafe",
        "-device", DISKS[options.disk],
        "-chardev", f"socket,id=serial,fd={fds['serial']}", "-serial", "chardev:serial",
        # The third serial line (Linux: ttyS2), unknown to the firmware and therefore free of its console.
        "-chardev", f"socket,id=host,fd={fds['host']}", "-device", "isa-serial,iobase=0x3e8,irq=5,index=2,chardev=host",
        "-chardev", f"socket,id=qmp,fd={fds['qmp']}", "-mon", "chardev=qmp,mode=control",
    ]
    if tpm_socket:
        model = "tpm-crb" if options.tpm == "crb" else "tpm-tis"
        argv += ["-chardev", f"socket,id=tpm,path={tpm_socket}", "-tpmdev", "emulator,id=tpm0,chardev=tpm",
                 "-device", f"{model},tpmdev=tpm0"]
    return argv + options.qemu_arg


def copy_firmware(options, work):
    """Puts a private copy of the firmware's variables into `work`."""
    code, variables = FIRMWARE[_firmware(options)]
    for path in (code, variables):
        if not os.path.exists(path):
            raise HarnessError(f"{path} is not there (package ovmf)")
    shutil.copyfile(variables, os.path.join(work, "vars.fd"))


def stream():
    """
    A pair of connected sockets, ours and QEMU's. QEMU's serial line writes byte by byte and drops what finds no room after a few tries
    (hw/char/serial.c, MAX_XMIT_RETRY). Each byte takes as much room as hundreds, so by default 278 of them fit: on a busy machine too few.
    """
    ours, theirs = socket.socketpair()
    for option in (socket.SO_SNDBUF, _SO_SNDBUFFORCE):
        try:
            theirs.setsockopt(socket.SOL_SOCKET, option, _ROOM)
        except OSError:
            pass        # only root gets more than net.core.wmem_max
    return ours, theirs


class Vm:
    """One run of QEMU. After run(): ended, halt, first_line_s, exit, report, note."""

    def __init__(self, options, work, logs, tpm, txt=None):
        self._options = options
        self._txt = txt
        self._resets = 0
        self._work = work
        self._logs = logs
        self._tpm = tpm
        self._ours = {}
        self._files = {}
        self._selector = selectors.DefaultSelector()
        self._lines = {"serial": Lines(), "host": Lines()}
        self._qmp = b""
        self._shutdown = None
        self._verdict = None
        self._kill_at = None
        self._child = None
        self._exited = False
        self._log = os.path.join(logs, "qemu.log")
        self.start_time = None
        self._heard = None
        self.firmware_s = None
        self.first_line_s = None
        self.marks = {text: None for text in options.mark}
        self.halt = None
        self.ended = None
        self.exit = None
        self.note = None
        self.report = Report()

    def run(self, image, deadline):
        """Starts QEMU, follows it to its end, and ends it if need be. `deadline` is on time.monotonic()."""
        for name in ("serial.raw", "serial.log", "host.out"):
            self._files[name] = open(os.path.join(self._logs, name), "wb", buffering=0)
        theirs = {}
        for name in ("serial", "host", "qmp"):
            self._ours[name], theirs[name] = stream()
            self._ours[name].setblocking(False)
            self._selector.register(self._ours[name], selectors.EVENT_READ, getattr(self, f"_on_{name}"))
        self._ours["qmp"].send(_QMP_READY)      # now, while nobody can have closed the other end
        fds = {name: s.fileno() for name, s in theirs.items()}
        argv = command_line(self._options, image, self._tpm.socket if self._tpm else None, fds,
                            self._txt.qemu_arguments() if self._txt else ())
        self.start_time = time.monotonic()
        self._child = process.start(argv, self._work, self._log, tuple(fds.values()))
        for s in theirs.values():
            s.close()
        self._watch(self._child, self._on_exit)
        if self._tpm:
            self._tpm.check()
            for child in self._tpm.children.values():
                self._watch(child, self._on_tpm_exit)
        if self._txt:
            self._txt.start()
            self._watch(self._txt.child, self._on_txt_exit)
        self._follow(deadline)
        process.end(self._child, _GRACE_SECONDS, ask=self._shutdown is None)
        self._drain()
        self.exit = self._child.returncode
        self.report.close()
        self.ended = self._conclude()

    def _watch(self, child, what):
        self._selector.register(os.pidfd_open(child.pid), selectors.EVENT_READ, what)

    def _follow(self, deadline):
        while not self._exited and self._verdict is None:
            until = min(deadline, self._kill_at or deadline, self._quiet_at())
            for key, _ in self._selector.select(max(0, until - time.monotonic())):
                key.data(key)
            now = time.monotonic()
            if self._kill_at and now >= self._kill_at:
                return
            if now >= min(deadline, self._quiet_at()):
                self._verdict = "timeout"

    def _quiet_at(self):
        """When the console will have been quiet for too long; it has been heard once, as the firmware may take its time."""
        return self._heard + self._options.quiet if self._options.quiet and self._heard else math.inf

    def _drain(self):
        """QEMU is gone: takes what it left in the streams."""
        for name, stream in self._ours.items():
            if stream.fileno() >= 0:
                stream.setblocking(False)
                while stream.fileno() >= 0 and self._take(name):
                    pass
        self._serial_lines([line for line in [self._lines["serial"].rest()] if line])
        self.report.line(self._lines["host"].rest())

    def _conclude(self):
        if self.halt is not None:
            return "halt"
        if self._verdict:
            return self._verdict
        if self._shutdown == "guest-shutdown":
            return "poweroff"
        if self._shutdown in ("guest-reset", "guest-panic", "host-qmp-system-reset"):
            return "reset"
        if self._exited and self.exit < 0:
            # What the others say then only follows from it.
            self.note = f"QEMU died by {signal.Signals(-self.exit).name}"
            return "error"
        failure = (self._tpm.failure() if self._tpm else None) or (self._txt.failure() if self._txt else None)
        self.note = failure or process.last_line(self._log) or f"QEMU ended with status {self.exit}"
        return "error"

    def _grace(self, seconds=_GRACE_SECONDS):
        if self._kill_at is None:
            self._kill_at = time.monotonic() + seconds

    def _take(self, name):
        """Receives once from a stream and handles the bytes; False if there is nothing more."""
        stream = self._ours[name]
        try:
            data = stream.recv(_CHUNK)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            data = b""
        if not data:
            try:
                self._selector.unregister(stream)
            except KeyError:
                pass
            stream.close()
            return False
        getattr(self, f"_{name}_bytes")(data)
        return True

    def _on_serial(self, _):
        self._take("serial")

    def _on_host(self, _):
        self._take("host")

    def _on_qmp(self, _):
        self._take("qmp")

    def _on_exit(self, key):
        self._selector.unregister(key.fd)
        os.close(key.fd)
        self._exited = True

    def _on_tpm_exit(self, key):
        """swtpm and the proxy end when QEMU does. If QEMU does not follow, the TPM is gone under a running guest."""
        self._selector.unregister(key.fd)
        os.close(key.fd)
        self._grace()

    def _on_txt_exit(self, key):
        """txtplatform ends when QEMU does, or fails: then there is no platform any more."""
        self._selector.unregister(key.fd)
        os.close(key.fd)
        self._grace()

    def _serial_bytes(self, data):
        self._heard = time.monotonic()
        now = self._heard - self.start_time
        if self.firmware_s is None:
            self.firmware_s = round(now, 3)
        self._files["serial.raw"].write(data)
        lines = self._lines["serial"].feed(data)
        # Marks need no whole line: what the firmware writes last may never end in one.
        for line in lines + [self._lines["serial"].rest()]:
            if self.first_line_s is None and _FIRST in line:
                self.first_line_s = round(now, 3)
            self._mark(line, now)
            if any(mark in line for mark in _FIRMWARE_ALONE) and self._verdict is None:
                self._verdict = "firmware"
        self._serial_lines(lines)

    def _mark(self, line, now):
        for text, seen in self.marks.items():
            if seen is None and text in line:
                self.marks[text] = round(now, 3)

    def _serial_lines(self, lines):
        for line in lines:
            self._files["serial.log"].write(line.encode() + b"\n")
            halted = _HALTED.search(line)
            tboot = self._txt and _TBOOT_HALTED.search(line)
            if (halted or tboot) and self.halt is None:
                self.halt = halted.group(1) if halted else f"tboot: {tboot.group(1)}"
                self._grace(self._options.halt_grace)

    def _host_bytes(self, data):
        now = time.monotonic() - self.start_time
        self._files["host.out"].write(data)
        for line in self._lines["host"].feed(data):
            self._mark(line, now)
            self.report.line(line)

    def _qmp_bytes(self, data):
        *lines, self._qmp = (self._qmp + data).split(b"\n")
        for line in lines:
            try:
                message = json.loads(line)
            except ValueError:
                continue
            if message.get("event") == "SHUTDOWN":
                self._shutdown = message.get("data", {}).get("reason", "unknown")
                self._grace()
            elif message.get("event") == "RESET":
                self._resets += 1
                if self._resets > self._options.resets and self._verdict is None:
                    self._verdict = "reset"

    def end(self):
        """Ends QEMU if it runs and closes what is open."""
        if self._child:
            process.end(self._child, _GRACE_SECONDS)
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, int):
                os.close(key.fileobj)
        self._selector.close()
        for thing in (*self._ours.values(), *self._files.values()):
            thing.close()
