# SPDX-License-Identifier: BSD-3-Clause
"""What tpmproxy's trace says of the commands that a TPM got, and what PCR 17-22 are by it."""
import hashlib
import json
import struct

from tamper_model import digest_values

DYNAMIC = [str(p) for p in range(17, 23)]


def trace_of(path):
    """One object a command."""
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def extend_of(command):
    """PCR and digests of a TPM2_PCR_Extend (TPM 2.0 Library part 3, 22.2): header 10, handle 4, authorization area."""
    pcr, authorization = struct.unpack_from(">II", command, 10)
    off = 18 + authorization
    count, = struct.unpack_from(">I", command, off)
    digests, off = digest_values(command, off + 4, count, ">")
    assert off == len(command)
    return pcr, digests


def extends_of(trace):
    """The extends of PCR 17-22 that the TPM executed: (locality, PCR, {bank: digest})."""
    found = []
    for e in trace:
        if e["rc"] != "0x00000000" or "fault" in e or e["name"] not in ("PCR_Extend", "PCR_Event", "PCR_Reset"):
            continue
        command = bytes.fromhex(e["command"])
        if 17 <= struct.unpack_from(">I", command, 10)[0] <= 22:
            assert e["name"] == "PCR_Extend", e
            found.append((e["locality"], *extend_of(command)))
    return found


def replay(extends, banks, start):
    """PCR 17-22 in hexadecimal. start: the byte that fills them at first."""
    values = {b: {p: bytes([start]) * hashlib.new(b).digest_size for p in DYNAMIC} for b in banks}
    for _, pcr, digests in extends:
        for bank in set(digests) & set(values):
            values[bank][str(pcr)] = hashlib.new(bank, values[bank][str(pcr)] + digests[bank]).digest()
    return {b: {p: v.hex() for p, v in pcrs.items()} for b, pcrs in values.items()}
