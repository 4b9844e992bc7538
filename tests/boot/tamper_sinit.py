# SPDX-License-Identifier: BSD-3-Clause
"""
What SINIT and the processor measure before tboot, from the files: the second part of docs/MEASUREMENTS.md written down once more. Nothing
in here is taken from the launch's own log. tboot's pages are hashed by its own tool.
"""
import hashlib
import os
import struct
import subprocess

import txt_boot

MLE_TOOL = os.path.join(txt_boot.DEPS, "tboot/usr/sbin/lcp2_mlehash")
SCRTM = struct.pack("<I", 1)                # of the emulated platform
CAPABILITIES = struct.pack("<I", 0x602)     # what tboot 1.10.5 asks for
NOT_THERE = b"\0"
# TPMS_NV_PUBLIC of the owner's policy as `geolaunch provision` defines it, without the policy's digest: ownerwrite, policywrite, authread,
# no_da, and written.
OWNER_INDEX = struct.pack(">IHIHH", 0x01C10106, 0xB, 0x2204000A, 0, 70)
# Names of the events that a change makes different from the prediction. In every other cell none is.
CHANGED = {
    "tboot-byte": {"MLE_HASH"}, "tboot-line": {"MLE_HASH"}, "sinit-of-bios": {"HASH_START"}, "sinit-of-esp": {"HASH_START"},
    "sinit-bit": {"HASH_START"},
}


def h(bank, data):
    return hashlib.new(bank, data).digest()


def drtm_data(acm, edx=0):
    """SHA-256 of the module without key, signature and scratch area; and EDX of GETSEC[SENTER]. Fields count in 4 bytes."""
    header, scratch = struct.unpack_from("<I", acm, 4)[0], struct.unpack_from("<I", acm, 124)[0]
    return hashlib.sha256(acm[:128] + acm[4 * (header + scratch):]).digest() + struct.pack("<I", edx)


def public_key(acm):
    return acm[128:128 + 4 * struct.unpack_from("<I", acm, 120)[0]]


_mle_digests = {}


def mle_digest(host, bank):
    """Of tboot on the ESP with the command line that launch.conf has for it."""
    blocks = host.read(host.esp("launch.conf")).decode().split("module ")
    line, = [row.split(" ", 1)[1] for b in blocks if b.startswith("tboot\n") for row in b.split("\n") if row.startswith("cmdline ")]
    key = (bank, line, hashlib.sha256(host.read(host.esp("tboot"))).digest())
    if key not in _mle_digests:
        argv = [MLE_TOOL, "--create", "--alg", bank, "--cmdline", line, host.esp("tboot")]
        _mle_digests[key] = bytes.fromhex(subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60).stdout)
    return _mle_digests[key]


def module(host):
    """The firmware's SINIT module, or where it has none, the one on the ESP."""
    return host.read(host.esp("sinit") if "--txt-arg=--loader-sinit" in host.options else host.sinit)


def events(host, banks):
    """In their order: (name, PCR, event type, {bank: digest})."""
    acm = module(host)
    owner = host.read("built/owner.pol") if host.lcp else None
    control = owner[22:26] if owner else bytes(4)       # PolicyControl
    details = host.read("built/mle.elt")[-32:] if owner else b"\0"      # the element's only digest
    authorities = hashlib.sha256(host.read("built/list.lst")).digest() if owner else b"\0"
    nv_info = NOT_THERE * 2 + (b"\1" + OWNER_INDEX if owner else NOT_THERE)
    measured = [
        ("HASH_START", 17, 0x402, drtm_data(acm)), ("BIOSAC_REG_DATA", 17, 0x40A, bytes.fromhex(txt_boot.BIOS)),
        ("CPU_SCRTM_STAT", 17, 0x40B, SCRTM), ("LCP_CONTROL_HASH", 17, 0x40C, control), ("LCP_DETAILS_HASH", 17, 0x412, details),
        ("STM_HASH", 17, 0x40E, b"\0"), ("OSSINITDATA_CAP_HASH", 17, 0x40F, CAPABILITIES), ("MLE_HASH", 17, 0x404, None),
        ("NV_INFO_HASH", 17, 0x414, nv_info), ("SINIT_PUBKEY_HASH", 18, 0x410, public_key(acm)), ("CPU_SCRTM_STAT", 18, 0x40B, SCRTM),
        ("OSSINITDATA_CAP_HASH", 18, 0x40F, CAPABILITIES), ("LCP_CONTROL_HASH", 18, 0x40C, control),
        ("LCP_AUTHORITIES_HASH", 18, 0x413, authorities), ("NV_INFO_HASH", 18, 0x414, nv_info),
    ]
    return [(name, pcr, kind, {b: mle_digest(host, b) if data is None else h(b, data) for b in banks}) for name, pcr, kind, data in measured]


def given_up(host, banks):
    """
    What is extended by a SINIT that refuses the launch: the processor's own event, and 1 as a number in the log's byte order to PCR 17 and 18,
    so that nobody can use them.
    """
    one = {b: b"\1".ljust(hashlib.new(b).digest_size, b"\0") for b in banks}
    return [("HASH_START", 17, 0x402, {b: h(b, drtm_data(module(host))) for b in banks}), ("cap", 17, None, one), ("cap", 18, None, one)]


def predicted(host):
    """The same by the build: expected.json."""
    return [(e["name"], e["pcr"], e["type"], {b: bytes.fromhex(d) for b, d in e["digests"].items()})
            for e in host.expected["events"] if 0x400 <= e["type"] < 0x500]


def logged(replayed):
    """SINIT's events in a log: PCR, type and digests; a log has no names."""
    return [(pcr, kind, digests) for pcr, kind, digests, _ in replayed if 0x400 <= kind < 0x500]


def check_prediction(change, measured, foretold):
    """What SINIT measured is what the build said, in the banks that both know; but for the events that the change is about."""
    assert [e[:3] for e in measured] == [e[:3] for e in foretold]
    both = set(measured[0][3]) & set(foretold[0][3])
    assert both
    differ = {m[0] for m, f in zip(measured, foretold) if any(m[3][b] != f[3][b] for b in both)}
    assert differ == CHANGED.get(change, set()), (change, differ)
