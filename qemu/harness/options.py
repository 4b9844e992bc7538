# SPDX-License-Identifier: BSD-3-Clause
"""The command line of qemu/run."""
import argparse
import os
import shlex
import sys

from .tpm import BANKS
from .vm import DISKS

EXIT_CODES = {"poweroff": 0, "error": 1, "usage": 2, "halt": 10, "reset": 11, "timeout": 12, "firmware": 13}

_DESCRIPTION = """\
Boots an ESP tree in QEMU (q35, OVMF) with swtpm behind tpmproxy, and reports how it ended, PCR 0-23 of all
active banks, and what the booted host told. Needs no root. Leaves no process and, unless something went
wrong, no file behind.
"""

_EPILOG = """\
how a run ends                                                                 exit status
  poweroff   the guest powered off                                                       0
  error      the harness, QEMU or the TPM failed                                         1
  usage      the options cannot be followed                                              2
  halt       geolaunch.efi stopped: serial line "geolaunch: halted: REASON";            10
             --platform txt: or tboot did, "tboot: TB_SHUTDOWN_HALT"
  reset      the guest reset or triple-faulted                                          11
  timeout    none of these within --timeout, or no word for --quiet                     12
  firmware   the firmware ended in its shell or found nothing to boot                   13
  SIGTERM, SIGINT, SIGHUP: everything is cleaned up, status 128 + signal

result (JSON, one object)
  ended, seconds, first_line_s (from QEMU's start to the first "geolaunch " on serial), firmware_s (to the
  first byte), marks {text: seconds}, setup_s (to QEMU's start), pcrs {bank: {"0": hex, ...}}, log (base64:
  the event log that the host sent as blob "eventlog"), facts {}, blobs {name: path}, halt (the reason),
  serial, trace (paths or null), qemu_exit, repeat, notes []

with --platform txt also (see txtplatform(1))
  senter (launched, refused, reset, not-reached), txt_errorcode, rule and why (of the last failure), mle_hash,
  drtm, secrets, txt_resets, resets, launches, sexits, joined, stops, entry_s, handling_s, senter_s,
  explain and (with --keep) heap (paths)
  A TXT reset ends the run as any reset does.

what the host may send on the third serial line (0x3e8, Linux ttyS2)
  geolaunch-host: KEY=VALUE
  geolaunch-host: begin NAME base64 / lines / geolaunch-host: end NAME

fault rules (--fault, first match acts): CC[@LOCALITY][#N]=ACTION, see tpmproxy --help
  --fault PCR_Extend@2#3=rc:0x907   --fault NV_Read=drop   --fault '*#40=silent'

environment
  GEOLAUNCH_TPMPROXY  the proxy (default: build/host/tpmproxy of this tree)
  GEOLAUNCH_TXTPLATFORM  the same for txtplatform
  GEOLAUNCH_CACHE     directory that keeps fresh TPM states, one per bank set: saves 0.6 s per run
  TMPDIR              where the private directory is made
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        print(f"qemu/run: {message}; see qemu/run --help", file=sys.stderr)
        sys.exit(EXIT_CODES["usage"])


def _banks(text):
    names = text.split(",")
    for name in names:
        if name not in BANKS:
            raise argparse.ArgumentTypeError(f"unknown bank {name!r} (known: {', '.join(BANKS)})")
    return [b for b in BANKS if b in names]


def _number(low, high):
    def convert(text):
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low} to {high}")
        return int(text)
    return convert


def _seconds(text):
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time in seconds")
    return value


def _parser():
    p = _Parser(prog="qemu/run", description=_DESCRIPTION, epilog=_EPILOG, allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--esp", metavar="DIR", help="tree that becomes the EFI system partition")
    p.add_argument("--esp-nbd", metavar="SOCKET", help="instead of --esp: the NBD server on this Unix socket is the disk")
    p.add_argument("--disk", choices=list(DISKS), default="virtio", help="how the firmware sees the disk (default virtio)")
    p.add_argument("--json", metavar="OUT", help="write the result there (replaced by rename) instead of to stdout")
    p.add_argument("--keep", metavar="DIR", help="keep all logs there, whatever happens")
    p.add_argument("--timeout", type=_seconds, default=120, metavar="S", help="seconds for the guest (default 120)")
    p.add_argument("--quiet", type=_seconds, metavar="S", help="end the run, as by --timeout, when the console said nothing for so long")
    p.add_argument("--halt-grace", type=_number(0, 600), default=3, metavar="S",
                   help="seconds in which a host that said that it halted may power itself off (default 3)")
    p.add_argument("--tpm", choices=["tis", "crb", "none", "1.2"], default="tis",
                   help="TPM 2.0 by TIS (default) or CRB, none, or TPM 1.2")
    p.add_argument("--banks", type=_banks, metavar="LIST",
                   help="active PCR banks of a fresh TPM, with commas: sha1, sha256, sha384, sha512 (default sha256)")
    p.add_argument("--tpm-state", metavar="DIR", help="start from this swtpm state; it is copied, not changed")
    p.add_argument("--tpm-state-rw", action="store_true", help="work on the --tpm-state directory itself")
    p.add_argument("--mark", action="append", default=[], metavar="TEXT",
                   help="tell in the result when TEXT first stood on a serial line, may be repeated")
    p.add_argument("--tpm-trace", metavar="FILE", help="one JSON line per TPM command")
    p.add_argument("--fault", action="append", default=[], metavar="RULE", help="answer a TPM command in the TPM's place")
    p.add_argument("--memory", type=_number(128, 65536), default=1024, metavar="MB", help="default 1024")
    p.add_argument("--cpus", type=_number(1, 64), default=1, metavar="N", help="default 1")
    p.add_argument("--ovmf", choices=["2m", "4m"], default="2m", help="OVMF build; 4m takes seconds longer (default 2m)")
    p.add_argument("--secure-boot", action="store_true",
                   help="Secure Boot is on and believes the snakeoil key of package ovmf alone (OVMF 4m; with --platform txt without SMM)")
    p.add_argument("--resets", type=_number(0, 100), default=0, metavar="N", help="let the guest reset N times before the run ends (default 0)")
    p.add_argument("--platform", choices=["pc", "txt"], default="pc", help="txt: QEMU is an Intel TXT platform (TCG only)")
    t = p.add_argument_group("with --platform txt")
    t.add_argument("--mle", metavar="FILE", help="the MLE that the boot loader loads (default: the only tboot.gz in the ESP tree)")
    t.add_argument("--sinit", metavar="FILE", help="SINIT module, which the platform is made to fit (default: one is made)")
    t.add_argument("--index-set", type=_number(0, 1), default=1, metavar="N",
                   help="TPM NV indices: 0 0x01200001.., 1 0x01c10131.. (default 1)")
    t.add_argument("--provision", metavar="DIR",
                   help="write NV indices before the boot: files nv-0xINDEX, or the output of 'geolaunch build' (its policy, geo tag, "
                        "launch control policy lcp.pol, and tboot's error index)")
    t.add_argument("--explain", action="store_true", help="print every decision of the platform with its rule to standard error")
    t.add_argument("--txt-arg", action="append", default=[], metavar="ARG", help="one more argument for txtplatform, may be repeated")
    p.add_argument("--kvm", action=argparse.BooleanOptionalAction, default=False, help="use KVM (default: TCG)")
    p.add_argument("--qemu-arg", action="append", default=[], metavar="ARG",
                   help="one more QEMU argument (--qemu-arg=-s), may be repeated; file names in it must be absolute")
    return p


def parse(argv):
    """Returns the options, or ends with one line and status 2."""
    p = _parser()
    o = p.parse_args(argv)
    if o.tpm == "none":
        for name in ("banks", "tpm_state", "tpm_trace", "fault"):
            if getattr(o, name):
                p.error(f"--{name.replace('_', '-')} makes no sense with --tpm none")
    if o.banks and o.tpm == "1.2":
        p.error("--banks makes no sense with --tpm 1.2: it has SHA-1 only")
    if o.banks and o.tpm_state:
        p.error("--banks is for a fresh TPM; the state in --tpm-state has its own banks")
    if o.tpm_state_rw and not o.tpm_state:
        p.error("--tpm-state-rw needs --tpm-state")
    if o.platform == "txt":
        if o.kvm:
            p.error("--platform txt works without KVM only")
    else:
        for name in ("mle", "sinit", "provision", "explain", "txt_arg"):
            if getattr(o, name):
                p.error(f"--{name.replace('_', '-')} needs --platform txt")
    for name in ("mle", "sinit"):
        value = getattr(o, name)
        if value and not os.path.isfile(value):
            p.error(f"--{name} {value}: no such file")
    if o.provision and o.tpm not in ("tis", "crb"):
        p.error("--provision needs a TPM 2.0")
    if o.provision and not os.path.isdir(o.provision):
        p.error(f"--provision {o.provision}: not a directory")
    if (o.esp is None) == (o.esp_nbd is None):
        p.error("give either --esp or --esp-nbd")
    if o.esp and not os.path.isdir(o.esp):
        p.error(f"--esp {o.esp}: not a directory")
    if o.esp_nbd:
        if not os.path.exists(o.esp_nbd):
            p.error(f"--esp-nbd {o.esp_nbd}: no such socket")
        if o.platform == "txt" and not o.mle:
            p.error("--esp-nbd with --platform txt needs --mle")
        o.esp_nbd = os.path.abspath(o.esp_nbd)
    for name in ("json", "tpm_trace"):
        value = getattr(o, name)
        if value and not os.path.isdir(os.path.dirname(os.path.abspath(value))):
            p.error(f"--{name.replace('_', '-')} {value}: its directory does not exist")
    o.banks = o.banks or ["sha256"]
    return o


def repeat_line(argv, script):
    """One shell line that does this run again."""
    words = [f"{name}={shlex.quote(os.environ[name])}" for name in ("GEOLAUNCH_TPMPROXY", "GEOLAUNCH_TXTPLATFORM", "GEOLAUNCH_CACHE")
             if os.environ.get(name)]
    return " ".join([f"cd {shlex.quote(os.getcwd())} &&", *words, shlex.join([script, *argv])])
