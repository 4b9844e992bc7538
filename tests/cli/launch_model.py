# SPDX-License-Identifier: BSD-3-Clause
"""Launches made up for the tests of `verify` and `log`: expected measurements, PCR values and event logs, by hashlib alone."""

import hashlib
import json
import struct

BANKS = ["sha1", "sha256", "sha384", "sha512"]
TPM_ALG = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
POLICY, MODULE, NV, CLOSING, CAP = 0x5A0, 0x5A1, 0x5A2, 0x5A3, 0x5A4
TYPE_NAMES = {
    POLICY: "EV_GEOLAUNCH_POLICY",
    MODULE: "EV_GEOLAUNCH_MODULE",
    NV: "EV_GEOLAUNCH_NV",
    CLOSING: "EV_GEOLAUNCH_CLOSING",
    CAP: "EV_GEOLAUNCH_CAP",
}

# pcr, type, name, what is hashed
GOOD = [
    (17, POLICY, "policy", b"the policy"),
    (18, POLICY, "policy", b"the policy"),
    (17, MODULE, "module 0 description launch.conf", b"geolaunch 1"),
    (19, MODULE, "module 1 hypervisor linux", b"MZ"),
    (19, MODULE, "module 2 initrd initrd", b"070701"),
    (20, MODULE, "module 3 vmm vmm", b"qemu"),
    (21, MODULE, "module 4 file file-0", b"{}"),
    (22, NV, "nv 0x01c10110", b"DE"),
    (17, CLOSING, "closing", b""),
]


def digest(bank, data):
    return hashlib.new(bank, data).digest()


def change(name, content, steps=None):
    """The steps with other content behind one name."""
    return [(p, t, n, content if n == name else c) for p, t, n, c in steps or GOOD]


def halt_after(steps, reason):
    """A launch that is stopped: all of PCR 17-22 capped."""
    return steps + [(pcr, CAP, f"cap {reason}", b"") for pcr in range(17, 23)]


class Launch:
    """Runs the steps in front of computed PCRs."""

    def __init__(self, steps=None, banks=None, drtm=False):
        self.banks = banks or BANKS
        start = 0x00 if drtm else 0xFF
        self.drtm = drtm
        self.pcrs = {b: {p: bytes([start]) * hashlib.new(b).digest_size for p in range(17, 23)} for b in self.banks}
        self.events = []
        for pcr, kind, name, content in steps if steps is not None else GOOD:
            digests = {b: self.measure(b, kind, name, content) for b in self.banks}
            for b in self.banks:
                self.pcrs[b][pcr] = digest(b, self.pcrs[b][pcr] + digests[b])
            self.events.append((pcr, kind, name, digests))

    def measure(self, bank, kind, name, content):
        if kind == CLOSING:
            return digest(bank, b"".join(self.pcrs[bank][p] for p in range(19, 23)))
        if kind == CAP:
            return digest(bank, b" ".join(name.encode().split(b" ")[:2]))
        return digest(bank, content)

    def expected(self):
        return {
            "format": "geolaunch-expected-1",
            "name": "model",
            "mode": "txt" if self.drtm else "direct",
            "drtm": self.drtm,
            "country": "DE",
            "policy": {"type": "halt", "hash": "sha256"},
            "banks": self.banks,
            "events": [
                {
                    "pcr": pcr,
                    "type": kind,
                    "type_name": TYPE_NAMES[kind],
                    "name": name,
                    "digests": {b: d.hex() for b, d in digests.items()},
                    "provenance": {"kind": "computed", "from": ["the model"]},
                }
                for pcr, kind, name, digests in self.events
            ],
            "pcrs": self.pcrs_hex(),
        }

    def pcrs_hex(self):
        return {b: {str(p): v.hex() for p, v in values.items()} for b, values in self.pcrs.items()}

    def pcrs_json(self):
        return json.dumps({"pcrs": self.pcrs_hex()})

    def pcrs_text(self):
        """As tpm2_pcrread prints them."""
        lines = []
        for b, values in self.pcrs.items():
            lines.append(f"  {b}:")
            lines += [f"    {p:<2}: 0x{v.hex().upper()}" for p, v in values.items()]
        return "\n".join(lines) + "\n"

    def log(self):
        return crypto_agile(self.events, self.banks)


def spec_id(banks):
    """TCG_EfiSpecIDEvent in a TCG_PCR_EVENT."""
    data = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(banks))
    for b in banks:
        data += struct.pack("<HH", TPM_ALG[b], hashlib.new(b).digest_size)
    data += b"\0"
    return struct.pack("<II20sI", 0, 3, bytes(20), len(data)) + data


def event2(pcr, kind, digests, data):
    """TCG_PCR_EVENT2."""
    out = struct.pack("<III", pcr, kind, len(digests))
    for b, d in digests.items():
        out += struct.pack("<H", TPM_ALG[b]) + d
    return out + struct.pack("<I", len(data)) + data


def event1(pcr, kind, sha1, data):
    """TCG_PCR_EVENT."""
    return struct.pack("<II20sI", pcr, kind, sha1, len(data)) + data


def crypto_agile(events, banks):
    return spec_id(banks) + b"".join(event2(p, t, d, n.encode()) for p, t, n, d in events)
