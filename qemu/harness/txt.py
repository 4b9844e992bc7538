# SPDX-License-Identifier: BSD-3-Clause
"""The TXT platform of a run: shared memory, txtplatform, and what it reports. And what the TPM's NV holds before the boot."""
import json
import os
import re
import socket
import time

from . import process
from .process import HarnessError, UsageError

_REGISTERS_SIZE = 128 << 10
_AREA_SIZE = 4 << 20
_HEAP_SIZE = 1 << 20     # txtplatform's default, at the area's start
_END_SECONDS = 15
_START_SECONDS = 20
_TOOL_SECONDS = 30
_POLL_SECONDS = 0.002
# A function of a slot without function 0: neither firmware nor operating system sees the devices.
_SLOT = "1e"
_INDEX = re.compile(r"nv-0x[0-9a-fA-F]{8}\Z")
_ATTRIBUTES = "ownerwrite|ownerread|authread|policywrite|no_da"

KEYS = ("senter", "txt_errorcode", "rule", "why", "drtm", "mle_hash", "secrets", "txt_resets", "resets", "launches", "sexits", "joined",
        "stops", "entry_s", "handling_s", "senter_s")


def find_program(script):
    """txtplatform: $GEOLAUNCH_TXTPLATFORM, or the one that the build makes."""
    given = os.environ.get("GEOLAUNCH_TXTPLATFORM")
    root = os.path.dirname(os.path.dirname(script))
    path = os.path.abspath(given or os.path.join(root, "build", "host", "txtplatform"))
    if not os.access(path, os.X_OK):
        raise HarnessError(f"no txtplatform at {path}: build it with make, or set GEOLAUNCH_TXTPLATFORM")
    return path


def find_mle(options):
    """The MLE that a boot loader on the ESP loads: --mle, or the only file of the name tboot.gz."""
    if options.mle:
        return os.path.abspath(options.mle)
    found = [os.path.join(folder, name) for folder, _, names in os.walk(options.esp, followlinks=True) for name in names
             if name.lower() == "tboot.gz"]
    if len(found) != 1:
        raise UsageError(f"--esp {options.esp}: {len(found)} files of the name tboot.gz there; name the MLE by --mle")
    return os.path.abspath(found[0])


class Txt:
    """txtplatform beside QEMU. Sockets and files have names relative to the run's private directory."""

    def __init__(self, options, work, logs, program, command_socket):
        self._options = options
        self._work = work
        self._log = os.path.join(logs, "txtplatform.log")
        self._program = program
        self._command = command_socket
        self._json = os.path.join(work, "txt.json")
        self.mle = find_mle(options)
        self.child = None

    def qemu_arguments(self):
        """What QEMU must be given besides its usual arguments."""
        for name, size in (("txt-registers", _REGISTERS_SIZE), ("txt-area", _AREA_SIZE)):
            with open(os.path.join(self._work, name), "wb") as f:
                f.truncate(size)
        return [
            "-S", "-device", "intel-iommu", "-global", "ICH9-LPC.disable_s3=1",
            "-chardev", "socket,id=txtgdb,path=txt-gdb.sock,server=on,wait=off", "-gdb", "chardev:txtgdb",
            "-chardev", "socket,id=txtqmp,path=txt-qmp.sock,server=on,wait=off", "-mon", "chardev=txtqmp,mode=control",
            "-object", f"memory-backend-file,id=txtregisters,mem-path=txt-registers,size={_REGISTERS_SIZE},share=on",
            "-device", f"ivshmem-plain,memdev=txtregisters,addr={_SLOT}.1",
            "-object", f"memory-backend-file,id=txtarea,mem-path=txt-area,size={_AREA_SIZE},share=on",
            "-device", f"ivshmem-plain,memdev=txtarea,addr={_SLOT}.2",
        ]

    def start(self):
        """QEMU has been started, and stands: txtplatform makes it go."""
        o = self._options
        argv = [self._program, "--gdb", "txt-gdb.sock", "--qmp", "txt-qmp.sock", "--registers", "txt-registers", "--area", "txt-area",
                "--mle", self.mle, "--index-set", str(o.index_set), "--json", self._json]
        if o.tpm != "none":
            argv += ["--tpm-command", self._command]
        if o.sinit:
            argv += ["--sinit", os.path.abspath(o.sinit)]
        self.child = process.start(argv + o.txt_arg, self._work, self._log)

    def failure(self):
        """One line if it ended in an error; None if it runs or ended well."""
        if self.child is None or not self.child.poll():
            return None
        text = process.last_line(self._log)
        return text.removeprefix("txtplatform: ") or f"txtplatform ended with status {self.child.returncode}"

    def collect(self):
        """To be called once QEMU has ended: what it reports."""
        try:
            self.child.wait(_END_SECONDS)
        except process.subprocess.TimeoutExpired:
            process.end(self.child, _END_SECONDS)
        try:
            with open(self._json, encoding="utf-8") as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    def keep_heap(self, folder):
        """The TXT heap as the guest left it, with the event log; its path, None if there is none."""
        path = os.path.join(folder, "txt-heap.bin")
        try:
            with open(os.path.join(self._work, "txt-area"), "rb") as area, open(path, "wb") as out:
                out.write(area.read(_HEAP_SIZE))
        except FileNotFoundError:
            return None
        return path

    def end(self):
        if self.child:
            process.end(self.child, _END_SECONDS)


def explain(report):
    """The records of a report as lines for people."""
    for r in report["trace"]:
        verdict = {"pass": "ok", "fail": "FAIL"}.get(r["verdict"], "")
        source = f" [{r['source']}{'; deduced' if r['deduced'] else ''}]" if r["source"] else ""
        yield f"{r['who']:<8} {verdict:<4} {r['rule']}: {r['detail']}{source}"


# ---- the TPM's NV ----

def check_provision(folder):
    """The files nv-0xINDEX of the directory; an error if there is nothing that can be provisioned."""
    names = sorted(n for n in os.listdir(folder) if _INDEX.match(n))
    if not names and not os.path.exists(os.path.join(folder, "expected.json")):
        raise UsageError(f"--provision {folder}: neither files nv-0xINDEX nor an output of 'geolaunch build' there")
    return names


def _listens(folder, name):
    """A socket's name is there before it listens. By way of /proc, as the length of a path is limited."""
    here = os.open(folder, os.O_PATH)
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"/proc/self/fd/{here}/{name}")
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    finally:
        os.close(here)
    return True


def provision(options, work, logs, state, script):
    """Writes NV indices of the TPM in `state` before the boot."""
    folder = os.path.abspath(options.provision)
    names = check_provision(folder)
    log = os.path.join(logs, "provision.log")
    swtpm = process.start(["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--server", "type=unixio,path=nv.sock",
                           "--ctrl", "type=unixio,path=nv.sock.ctrl", "--flags", "not-need-init,startup-clear"],
                          work, os.path.join(logs, "provision-swtpm.log"))
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not (os.path.exists(os.path.join(work, "nv.sock.ctrl")) and _listens(work, "nv.sock")):
            if swtpm.poll() is not None or time.monotonic() > deadline:
                raise HarnessError("swtpm does not start for --provision")
            time.sleep(_POLL_SECONDS)
        tool = ["-T", "swtpm:path=nv.sock"]
        for name in names:
            _write_index(folder, name, tool, work, log)
        if os.path.exists(os.path.join(folder, "expected.json")):
            _run(_provision_command(options, folder, script), work, log)
        _run(["tpm2_shutdown", *tool, "--clear"], work, log)
    finally:
        process.end(swtpm, _END_SECONDS)


def _provision_command(options, folder, script):
    """What 'geolaunch build' left there, and what tboot needs besides, into the indices of the SINIT module."""
    geolaunch = os.environ.get("GEOLAUNCH") or os.path.join(os.path.dirname(os.path.dirname(script)), "build/host/geolaunch")
    # Of a build for direct mode the policy has to be named: here it is for tboot.
    argv = [os.path.abspath(geolaunch), "provision", folder, "--tcti", "swtpm:path=nv.sock", "--error-index", "--vlp",
            os.path.join(folder, "esp/EFI/geolaunch/policy.vlp")]
    return argv + (["--sinit", os.path.abspath(options.sinit)] if options.sinit else ["--index-set", str(options.index_set)])


def _write_index(folder, name, tool, work, log):
    path = os.path.join(folder, name)
    index = name.removeprefix("nv-")
    attributes = _ATTRIBUTES
    if os.path.exists(path + ".attributes"):
        with open(path + ".attributes", encoding="ascii") as f:
            attributes = f.read().strip()
    define = ["tpm2_nvdefine", *tool, "-C", "o", "-s", str(os.path.getsize(path)), "-a", attributes]
    if os.path.exists(path + ".policy"):
        define += ["-L", path + ".policy"]
    _run([*define, index], work, log)
    if os.path.getsize(path):
        _run(["tpm2_nvwrite", *tool, "-C", "o", "-i", path, index], work, log)


def _run(argv, work, log):
    process.finish(process.start(argv, work, log), _TOOL_SECONDS, log)
