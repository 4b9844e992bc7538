#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes those seeds of fuzz_verify whose log only makes the TPM's values: tests/fuzz/make_verify_seeds.py [DIR], default tests/data/fuzz."""
import hashlib
import struct

from seed_files import write

FROM_LOG, DRTM, OTHER_START, NO_LOG, ALTERNATIVES = 1, 2, 4, 8, 16
USUAL = [(17, "policy"), (18, "policy"), (17, "module 0 description launch.conf"), (19, "module 1 hypervisor linux"), (19, "module 2 initrd initrd"),
         (20, "module 3 vmm vmm"), (22, "nv 0x01c10110")]


def event(pcr, name):
    digests = b"".join(struct.pack("<H", alg) + hashlib.new(how, name.encode()).digest() for alg, how in ((4, "sha1"), (11, "sha256")))
    return struct.pack("<III", pcr, 0x5A1, 2) + digests + struct.pack("<I", len(name)) + name.encode()


def log(events):
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, 2) + struct.pack("<4H", 4, 20, 11, 32) + b"\0"
    return struct.pack("<II20xI", 0, 3, len(spec)) + spec + b"".join(event(*e) for e in events)


def with_cap(at, why, goes_on=False):
    """The usual launch with a cap in place of its event number `at`; a halt caps all."""
    cap = f"cap {why}"
    if goes_on:
        return USUAL[:at] + [(USUAL[at][0], cap)] + USUAL[at + 1:]
    return USUAL[:at] + [(USUAL[at][0], cap)] + [(pcr, cap) for pcr in range(17, 23)]


def seeds():
    for name, events in (("all", USUAL), ("none", []), ("halt-first", with_cap(0, "policy-missing")), ("halt-module", with_cap(4, "module-mismatch")),
                         ("halt-missing", with_cap(3, "module-missing")), ("halt-nv", with_cap(6, "nv-missing")), ("halt-nv-differs", with_cap(6, "nv-mismatch")),
                         ("halt-preflight", [(pcr, "cap preflight") for pcr in range(17, 23)]), ("on-module", with_cap(3, "module-mismatch", True)),
                         ("on-missing", with_cap(5, "module-missing", True)), ("on-nv", with_cap(6, "nv-missing", True)),
                         ("on-description", with_cap(2, "module-mismatch", True)), ("more", USUAL + [(21, "more")]), ("other", [(pcr, "x") for pcr in range(17, 23)]),
                         ("other-policy", [(17, "x"), (18, "x"), *USUAL[2:]]), ("cut", USUAL[:4])):
        for flags, also in ((0, ""), (DRTM, "-drtm"), (OTHER_START, "-from-zero"), (DRTM | OTHER_START, "-from-ff")):
            yield f"values-{name}{also}", bytes([FROM_LOG | NO_LOG | flags]) + log(events)
    for n in range(8):
        yield f"alternative-{n}", bytes([ALTERNATIVES | DRTM | NO_LOG | n << 5])
    yield "alternative-by-log", bytes([ALTERNATIVES | FROM_LOG]) + log([(17, "policy, number 2"), (18, "policy, number 2"), *USUAL[2:6], (22, "x")])


def main():
    write("verify", seeds())


if __name__ == "__main__":
    main()
