# SPDX-License-Identifier: BSD-3-Clause
"""What tpmproxy's trace says of the commands that a TPM got."""
import json
import struct

from tamper_model import digest_values


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
