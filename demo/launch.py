# SPDX-License-Identifier: BSD-3-Clause
"""Steps of a launch in the harness, for demo/run and the boot tests: provision a TPM, build, tamper, boot, verify."""
import contextlib
import glob
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
GEOLAUNCH = os.environ.get("GEOLAUNCH", os.path.join(TOP, "build/host/geolaunch"))
EFI = os.environ.get("GEOLAUNCH_EFI", os.path.join(TOP, "build/efi/geolaunch.efi"))
KERNEL = os.path.join(TOP, ".deps/kernel")
# Debian's cloud kernel is built without CONFIG_XEN_DOM0: under Xen it finds neither TPM nor console.
KERNEL_DOM0 = os.path.join(TOP, ".deps/kernel-dom0")
TXTPLATFORM = os.environ.get("GEOLAUNCH_TXTPLATFORM", os.path.join(TOP, "build/host/txtplatform"))
STAGE = os.environ.get("GEOLAUNCH_STAGE", os.path.join(TOP, "build/stage/geolaunch-stage.elf"))
TBOOT = os.path.join(os.environ.get("TBOOT_DIR", os.path.join(TOP, ".deps/tboot")), "boot/tboot.gz")
VMM = "/usr/bin/qemu-system-x86_64"
ALL_BANKS = ("sha1", "sha256", "sha384", "sha512")
GERMANY = ("--country", "DE", "--subdivision", "HE", "--site", "FRA1", "--latitude", "50.1109", "--longitude", "8.6821")
FRANCE = ("--country", "FR", "--subdivision", "IDF", "--site", "PAR1", "--latitude", "48.8566", "--longitude", "2.3522")

MODES = ("txt", "direct")
HYPERVISORS = ("linux", "xen")
TAMPER_CASES = ("hypervisor", "kernel", "vmm", "geo", "policy", "cmdline")      # kernel: with Xen only


class LaunchError(Exception):
    """A step that must work did not; the text says which and why."""


def geolaunch(*args, check=True, **kwargs):
    """Runs the host command. Returns the completed process; its stderr is the reason if it fails."""
    p = subprocess.run([GEOLAUNCH, *map(str, args)], capture_output=True, text=True, timeout=120, check=False, **kwargs)
    if check and p.returncode:
        raise LaunchError(f"geolaunch {' '.join(map(str, args))}: exit {p.returncode}: {p.stderr.strip()}")
    return p


# ---------------------------------------------------------------- TPM


def new_tpm(state, banks=ALL_BANKS):
    """A fresh swtpm state with these PCR banks active."""
    shutil.rmtree(state, ignore_errors=True)
    os.makedirs(state)
    p = subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", state, "--overwrite", "--pcr-banks", ",".join(banks)],
                       capture_output=True, text=True, timeout=60, check=False)
    if p.returncode:
        raise LaunchError(f"swtpm_setup: {(p.stdout + p.stderr).strip().splitlines()[-1]}")


@contextlib.contextmanager
def tpm_server(state):
    """swtpm on that state for the host command; gives the TCTI string."""
    with tempfile.TemporaryDirectory(prefix="glt-") as work:
        sock = os.path.join(work, "s")      # the TCTI wants the control socket at <socket>.ctrl
        argv = ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={state}", "--server", f"type=unixio,path={sock}",
                "--ctrl", f"type=unixio,path={sock}.ctrl", "--flags", "not-need-init,startup-clear"]
        p = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            _wait(lambda: os.path.exists(sock + ".ctrl") and _listens(sock), p, 10)
            yield f"swtpm:path={sock}"
            subprocess.run(["tpm2_shutdown", "-c"], env={**os.environ, "TPM2TOOLS_TCTI": f"swtpm:path={sock}"},
                           capture_output=True, timeout=20, check=False)
        finally:
            p.terminate()
            try:
                p.wait(10)
            except subprocess.TimeoutExpired:
                p.kill()
                p.wait()
            p.stderr.close()


def _listens(sock):
    """Its name alone does not tell: between bind() and listen() it is there, and connections are refused."""
    with socket.socket(socket.AF_UNIX) as s:
        try:
            s.connect(sock)
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _wait(condition, process, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None:
            raise LaunchError(f"{process.args[0]} ended: {process.stderr.read().decode(errors='replace').strip()}")
        if time.monotonic() > end:
            raise LaunchError(f"{process.args[0]} is not ready after {seconds} s")
        time.sleep(0.005)   # the poll interval; the condition is what is waited for


def write_geo(state, tag=GERMANY, size=64):
    """Defines the geo NV index if needed and writes a tag: options of `geolaunch geo write`."""
    with tpm_server(state) as tcti:
        geolaunch("geo", "define", "--tcti", tcti, "--size", size)
        geolaunch("geo", "write", "--tcti", tcti, *tag)


def provision(state, built, sinit):
    """Policy, geo tag and tboot's index of a built launch, in the index set of the SINIT module; returns what was said."""
    with tpm_server(state) as tcti:
        return geolaunch("provision", built, "--tcti", tcti, "--sinit", sinit, "--error-index").stdout


# ---------------------------------------------------------------- build


def place(work, name, source):
    """Puts an input beside the manifest by a link: large files need no copy."""
    target = os.path.join(work, name)
    if os.path.lexists(target):
        os.unlink(target)
    os.symlink(os.path.abspath(source), target)


def xen_image():
    """Debian's Xen, gzip'ed."""
    found = sorted(glob.glob(os.path.join(TOP, ".deps/xen/boot/xen-*.gz")))
    if len(found) != 1:
        raise LaunchError(f"{len(found)} files .deps/xen/boot/xen-*.gz instead of one: run 'make deps'")
    return found[0]


def make_sinit(out):
    """The module of the emulated TXT platform."""
    p = subprocess.run([TXTPLATFORM, "--make-sinit", out], capture_output=True, text=True, timeout=60, check=False)
    if p.returncode:
        raise LaunchError(p.stderr.strip())


def make_initramfs(out, kernel=KERNEL):
    p = subprocess.run([os.path.join(TOP, "demo/initramfs"), GEOLAUNCH, kernel, out], capture_output=True, text=True,
                       timeout=120, check=False)
    if p.returncode:
        raise LaunchError(f"demo/initramfs: {p.stderr.strip()}")


def build(manifest, out, *options):
    """`geolaunch build`; returns what it printed."""
    return geolaunch("build", manifest, "-o", out, "--efi", EFI, "--force", *options).stdout


# ---------------------------------------------------------------- tamper


def _flip(path, offset):
    with open(path, "r+b") as f:
        f.seek(offset, os.SEEK_SET if offset >= 0 else os.SEEK_END)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 1]))


def tamper(kind, built, state, sinit=None):
    """Changes one input behind the policy's back, on the ESP or in the TPM. sinit: mode txt, where the policy that counts is in the TPM."""
    folder = os.path.join(built, "esp/EFI/geolaunch")
    xen = os.path.exists(os.path.join(folder, "xen"))
    if kind == "hypervisor":
        _flip(os.path.join(folder, "xen" if xen else "linux"), -16)     # behind the last section: it would still run
    elif kind == "kernel":
        if not xen:
            raise LaunchError("tamper case 'kernel': the kernel is the hypervisor: use hypervisor, or Xen")
        _flip(os.path.join(folder, "kernel"), -16)
    elif kind == "vmm":
        _flip(os.path.join(folder, "vmm"), 4096)
    elif kind == "geo":
        write_geo(state, FRANCE)
    elif kind == "policy":
        # The hypervisor's entry becomes "any". Header 12; an entry: mod_num, pcr, hash_type, nv_index, num_hashes, the hashes.
        path = os.path.join(folder, "policy.vlp")
        with open(path, "rb") as f:
            policy = bytearray(f.read())
        hash_size = {4: 20, 0x0B: 32, 0x0C: 48, 0x0D: 64}[policy[2]]
        at = 12 + 8 + policy[12 + 7] * hash_size
        if policy[at] != 1 or policy[at + 7] != 1:
            raise LaunchError(f"{path}: not the policy layout that the tamper case knows")
        policy[at + 2] = 0
        policy[at + 7] = 0
        del policy[at + 8:at + 8 + hash_size]
        _replace(path, bytes(policy))
        if sinit:
            with tpm_server(state) as tcti:
                geolaunch("provision", "--vlp", path, "--tcti", tcti, "--sinit", sinit, "--replace")
    elif kind == "cmdline":
        path = os.path.join(folder, "launch.conf")
        with open(path, "rb") as f:
            text = f.read()
        _replace(path, text.replace(b"\ncmdline ", b"\ncmdline init=/bin/sh ", 1))
    else:
        raise LaunchError(f"unknown tamper case '{kind}': use one of {', '.join(TAMPER_CASES)}")


def _replace(path, data):
    with open(path + ".new", "wb") as f:
        f.write(data)
    os.rename(path + ".new", path)


# ---------------------------------------------------------------- boot and verify


def boot(built, out, *options, state=None, timeout=240, disk=None):
    """qemu/run on the built tree, or on the disk behind an NBD socket; returns its result. How it ended is for the caller to judge."""
    esp = ["--esp-nbd", disk] if disk else ["--esp", os.path.join(built, "esp")]
    argv = [os.path.join(TOP, "qemu/run"), *esp, "--json", out, "--timeout", str(timeout), *options]
    if state:
        argv += ["--tpm-state", state]
    p = subprocess.run(argv, capture_output=True, text=True, timeout=timeout + 120, check=False)
    if not os.path.exists(out):
        raise LaunchError(f"qemu/run: exit {p.returncode}: {p.stderr.strip()}")
    with open(out, encoding="utf-8") as f:
        return json.load(f)


def txt_options(built, sinit):
    """What `boot` needs besides for a launch in mode txt."""
    return ["--platform", "txt", "--sinit", sinit, "--mle", os.path.join(built, "esp/EFI/geolaunch/tboot")]


def prediction_for_host(built):
    """What `boot` needs besides for a host that is to judge itself: demo/init finds the prediction in QEMU's fw_cfg, not measured."""
    path = os.path.abspath(os.path.join(built, "expected.json")).replace(",", ",,")
    return ["--qemu-arg=-fw_cfg", f"--qemu-arg=name=opt/geolaunch/expected.json,file={path}"]


def host_verdict(result):
    """What `geolaunch verify` said on the host itself: (exit code, its JSON); None if the host told none."""
    if "verify" not in result["facts"]:
        return None
    with open(result["blobs"]["verify"], encoding="utf-8") as f:
        return int(result["facts"]["verify"]), json.load(f)


def host_pcrs(result, path):
    """
    PCR 17-22 as the host itself read them, as a file for `geolaunch verify`: tboot caps them at the end, so those of the run are none of
    a launch in mode txt. None if the host told none.
    """
    pcrs = {bank: {str(i): result["facts"][f"{bank}.{i}"].lower() for i in range(17, 23)} for bank in ALL_BANKS
            if all(f"{bank}.{i}" in result["facts"] for i in range(17, 23))}
    if not pcrs:
        return None
    with open(path, "w", encoding="ascii") as f:
        json.dump({"pcrs": pcrs}, f)
    return path


def save_log(result, path):
    """The event log as the host saw it, as a file; None if it told none."""
    import base64
    if not result["log"]:
        return None
    with open(path, "wb") as f:
        f.write(base64.b64decode(result["log"]))
    return path


def verify(built, result_file, log, *options):
    """`geolaunch verify` on a run; returns (exit code, its JSON, its text)."""
    args = ["verify", os.path.join(built, "expected.json"), "--pcrs", result_file]
    if log:
        args += ["--log", log]
    text = geolaunch(*args, *options, check=False)
    p = geolaunch(*args, "--json", check=False)
    if p.returncode in (1, 2, 3, 4):
        raise LaunchError(f"geolaunch verify: exit {p.returncode}: {p.stderr.strip()}")
    return p.returncode, json.loads(p.stdout), text.stdout
