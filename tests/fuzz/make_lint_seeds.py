#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of fuzz_lint anew: tests/fuzz/make_lint_seeds.py [DIR], default tests/data/fuzz. What each byte means: fuzz_lint.c."""
import hashlib
import struct

import make_lcp_seeds as lcp
from make_seeds import acm, geo, vlp
from seed_files import write

# flags
TXT, MODULE, TPM, LINE, PCRS, OWNER_OPEN, UNKNOWN_BANKS, SIGNED_BADLY = (1 << n for n in range(8))
MLE_FAILED, NO_MLE, HAS_VERSION, HAS_COUNTRY, NO_DESCRIPTION = 8, 16, 32, 64, 128
DIDVID, CPU, PLATFORM_ID, FUSING, PRODUCTION = (1 << n for n in range(5))
# kinds of expected events, whose digest
POLICY, DESCRIPTION, HYPERVISOR, INITRD, NV, NV_RAW, CLOSING, TBOOT_POLICY, TBOOT_MODULE, HASH_START, MLE_HASH, OTHER = range(12)
OF_NAME, OF_POLICY, OF_MODULE, OF_NV = (0xF0 | n for n in range(4))
# which index
VLP_0, VLP_1, PO_0, PO_1, PS_0, PS_1, ERROR_0, ERROR_1, GEO, TPM12 = range(10)
# attributes
USUAL = 0x22040006          # written, no_da, authread, ownerwrite, authwrite
PPWRITE, LOCKED, AUTHREAD, NO_DA, PLATFORM, STCLEAR, WRITTEN = 1, 1 << 11, 1 << 18, 1 << 25, 1 << 30, 1 << 27, 1 << 29
NOT_TRIED, OK, PASSWORD, LOCKOUT, FAILED = range(5)

LAUNCH_POLICY = vlp(1, 11, [(0, 19, 0, 0, []), (1, 19, 1, 0, [hashlib.sha256(b"linux").digest()]), (2, 20, 0, 0, []), (130, 22, 0, 0x01C10110, [])])
EVENTS = [(POLICY, 17, OF_POLICY), (POLICY, 18, OF_POLICY), (DESCRIPTION, 17, OF_NAME), (HYPERVISOR, 19, OF_MODULE), (NV, 22, OF_NV), (CLOSING, 17, OF_NAME)]
RULES = b"geolaunch-stage 1 policy=continue hypervisor=linux modules=hypervisor nv=0x01c10110,nv,22,any halt=poweroff,5"
FITS = struct.pack("<BHHHIQ", DIDVID | CPU | PLATFORM_ID | FUSING | PRODUCTION | 1 << 6, 0x8086, 0xB001, 1, 0x906E3, 0)


def piece(data):
    return struct.pack("<H", len(data)) + data


def index(which, content=b"", attributes=USUAL, read=OK, policy=b"", number=None):
    return bytes([which]) + (b"" if number is None else struct.pack("<I", number)) + struct.pack("<IB", attributes, read) + piece(policy) + piece(content)


def host(flags=MODULE | TPM, more=0, platform=FITS, version=10, banks=2, pcr=0, line=b"logging=serial min_ram=0x2000000", policy=LAUNCH_POLICY, rules=RULES,
         sinit=b"", po=b"", ps=b"", po_data=b"", ps_data=b"", events=EVENTS, nv=None):
    nv = [index(GEO, geo()), index(VLP_1, policy)] if nv is None else nv
    out = bytes([flags, more]) + platform + bytes([version, banks, pcr])
    out += b"".join(piece(x) for x in (line, policy, rules, sinit, po, ps, po_data, ps_data))
    return out + piece(b"".join(bytes([kind, pcr - 17, what]) for kind, pcr, what in events)) + b"".join(nv)


def naming(*lists):
    digests = [hashlib.sha256(x).digest() for x in lists]
    return lcp.policy(0x0300)[:-32] + (digests[0] if len(digests) == 1 else hashlib.sha256(b"".join(digests)).digest())


def seeds():
    for name, line in (("version", b"v1.11.0"), ("version-two", b"1.10"), ("version-large", b"1.256.0"), ("version-four", b"1.2.3.4"), ("version-text", b"1.2x"),
                       ("options", b"ignore_prev_err=false call_racm=check pcr_map=legacy min_ram=0x100 extpol=embedded"),
                       ("long-word", b"extpol=" + b"x" * 200), ("unknown", b"noextpol=1 logging serial= =x"),
                       ("agile", b"extpol=agile force_tpm2_legacy_log=true"), ("sha512", b"extpol=sha512"), ("measure-nv", b"measure_nv=true min_ram=0")):
        yield name, host(TXT | MODULE | TPM | LINE, line=line, version=11, policy=b"", nv=[], events=[])
        yield f"{name}-old", host(TXT | MODULE | TPM | LINE, HAS_VERSION, line=line, version=9)
    txt, client = TXT | MODULE | TPM | LINE | PCRS, acm(capabilities=0x267)
    mle, pconf = lcp.new_list(elements=lcp.TWO), lcp.new_list(elements=lcp.ELEMENTS["pconf2"])
    yield "direct", host()
    yield "direct-no-tpm", host(MODULE)
    yield "direct-other-policy", host(policy=vlp(2, 11, [(1, 19, 1, 0, [b"\1" * 32])]), nv=[])
    yield "direct-file-missing", host(TPM)
    yield "others", host(banks=2 | 128)
    yield "no-description", host(more=NO_DESCRIPTION)
    yield "no-description-line", host(more=NO_DESCRIPTION | 2, version=3)
    yield "txt-no-description", host(TXT | MODULE | TPM, NO_DESCRIPTION, version=0)
    for name, wanted, there in (("place", geo(), geo(b"FR")), ("subdivision", geo(), geo(subdivision=b"BY")), ("site", geo(), geo(site=b"x")),
                                ("coordinates", geo(), geo(latitude=1)), ("foreign", b"x" * 64, geo()), ("same", geo(), geo()), ("unreadable", geo(), b"x")):
        yield f"geo-{name}", host(nv=[b"\xfe" + piece(wanted), index(GEO, there)], events=[(NV, 22, OF_NAME)])
    yield "direct-banks-more", host(events=[(POLICY, 17, OF_NAME & 0x1F), (POLICY, 18, OF_NAME)], banks=12)
    yield "direct-nv-differs", host(policy=vlp(0, 11, [(0, 19, 0, 0, []), (1, 255, 0, 0, []), (2, 20, 0, 0, []), (131, 255, 1, 0x01C10110, [b"\3" * 32])]))
    yield "direct-nv-unreadable", host(nv=[index(GEO, geo(), USUAL & ~AUTHREAD, NOT_TRIED)])
    yield "direct-nv-not-tried", host(nv=[index(GEO, geo(), USUAL, NOT_TRIED)])
    yield "txt-no-sinit", host(TXT | MODULE, sinit=b"")
    for n in range(1, 5):
        yield f"embedded-{n}", host(more=n)
    yield "country", host(more=HAS_COUNTRY, nv=[index(VLP_1, LAUNCH_POLICY), index(GEO, geo(b"FR"))])
    yield "banks", host(TPM | MODULE | UNKNOWN_BANKS | OWNER_OPEN, banks=13)
    yield "txt", host(txt, sinit=client)
    yield "txt-no-mle", host(txt, NO_MLE, sinit=client, events=[*EVENTS, (MLE_HASH, 17, OF_NAME), (HASH_START, 17, OF_NAME), (OTHER, 18, OF_NAME)])
    yield "txt-mle-failed", host(txt, MLE_FAILED, sinit=client, events=[(TBOOT_POLICY, 17, OF_POLICY), (TBOOT_MODULE, 19, OF_NAME), (OTHER, 17 + 128, OF_NAME)])
    yield "txt-other-rules", host(txt, rules=RULES.replace(b"policy=continue", b"policy=halt efi=runtime").replace(b"nv,22", b"nv,21"), sinit=client)
    yield "txt-efi", host(txt, rules=RULES + b" efi=runtime")
    yield "txt-no-rules", host(txt, rules=b"")
    yield "txt-two-rules", host(txt, rules=RULES.replace(b" halt", b" nv=0x01c10111,nv_raw,21,any halt"))
    for name, given in (("set-0", {"nv_set": 0}), ("reserved-bit", {"nv_set": 3}), ("algs", {"algs": ()}), ("sha384", {"algs": (12,)}), ("tpm12", {"family": 1}),
                        ("no-log", {"capabilities": 0x67}), ("lists", {"info": 9}), ("old", {"info": 3}), ("server", {"capabilities": 0x227})):
        yield f"sinit-{name}", host(txt, sinit=acm(**{"capabilities": 0x267, **given}))
    yield "sinit-no-kind", host(txt, sinit=client.replace(struct.pack("<BBH", 1, 5, 48), struct.pack("<BBH", 0, 5, 48)))
    yield "sinit-debug", host(txt, sinit=client[:14] + b"\0\x80" + client[16:])
    yield "sinit-unsigned-kind", host(txt, sinit=client[:14] + b"\0\x40" + client[16:])
    yield "sinit-other-platform", host(txt, platform=FITS[:1] + b"\0" * 18, sinit=client)
    po = [index(VLP_1, LAUNCH_POLICY), index(GEO, geo())]
    for name, given in (("any", {"po": lcp.policy(0x0300, kind=1)}), ("list", {"po": naming(mle), "po_data": lcp.data(mle)}),
                        ("pconf", {"po": naming(pconf), "po_data": lcp.data(pconf)}), ("no-data", {"po": naming(mle)}),
                        ("digest", {"po": naming(mle), "po_data": lcp.data(pconf)}),
                        ("supplier", {"ps": naming(mle), "ps_data": lcp.data(mle)}), ("supplier-left-out", {"ps": naming(mle)}),
                        ("two", {"po": naming(pconf, mle), "po_data": lcp.data(pconf, mle), "ps": lcp.policy(0x0300, kind=1)}),
                        ("old", {"po": lcp.old_policy(), "po_data": lcp.data(lcp.LISTS["2.0-rsa"])}),
                        ("signed", {"po": naming(lcp.LISTS["3.0-p256"]), "po_data": lcp.data(lcp.LISTS["3.0-p256"])}),
                        ("damaged", {"po": naming(mle)[:30], "po_data": lcp.data(mle)[:60]})):
        yield f"lcp-{name}", host(txt, sinit=client, nv=po, **given)
        yield f"lcp-{name}-nv", host(txt | SIGNED_BADLY, sinit=client, po_data=given.get("po_data", b""), ps_data=given.get("ps_data", b""),
                                     nv=[*po, index(PO_1, given.get("po", b"x")), index(PS_1, given.get("ps", b"x"))])
    yield "custom-vlp", host(txt, sinit=client, po=lcp.policy(0x0300, kind=1), po_data=lcp.data(lcp.new_list(elements=lcp.element(0x13, lcp.UUID + LAUNCH_POLICY))), nv=[])
    for name, attributes, read in (("ppwrite", USUAL | PPWRITE, OK), ("password", USUAL, PASSWORD), ("lockout", USUAL & ~NO_DA, LOCKOUT), ("failed", USUAL, FAILED),
                                   ("not-tried", USUAL, NOT_TRIED), ("no-authread", USUAL & ~AUTHREAD, NOT_TRIED), ("locked", USUAL | LOCKED | 1 << 13, OK),
                                   ("unwritten", USUAL & ~WRITTEN, NOT_TRIED), ("stclear", USUAL | STCLEAR, OK), ("platform", USUAL | PLATFORM, OK),
                                   ("owner-only", USUAL & ~4, OK), ("read-locked", USUAL | 1 << 28, NOT_TRIED)):
        indices = [(VLP_1, LAUNCH_POLICY), (PO_1, lcp.policy(0x0300, kind=1)), (GEO, geo()), (ERROR_1, bytes(8))]
        yield f"nv-{name}", host(txt | OWNER_OPEN, sinit=client, nv=[index(which, content, attributes, read, bytes(32)) for which, content in indices])
    yield "nv-both-sets", host(txt, nv=[index(which, LAUNCH_POLICY) for which in (VLP_0, VLP_1)] + [index(which, lcp.policy()) for which in (PO_0, PO_1)])
    yield "nv-other-set", host(txt, sinit=client, nv=[index(VLP_0, LAUNCH_POLICY), index(PO_0, lcp.policy()), index(ERROR_0, b"x")])
    yield "nv-malformed", host(txt, sinit=client, nv=[index(VLP_1, lcp.policy()), index(ERROR_1, b"x", USUAL & ~4)])
    yield "nv-other-policy", host(txt, sinit=client, nv=[index(VLP_1, vlp(2, 11, [(1, 19, 0, 0, [])]) + bytes(2000))])
    yield "nv-tpm12", host(policy=vlp(1, 11, [(130, 22, 0, 0x40000010, []), (131, 22, 0, 0x01C10110, [])]), nv=[index(TPM12, geo()), index(GEO, geo())])
    yield "nv-large", host(nv=[index(GEO, bytes(4100)), index(255, b"x", number=0x01C10111)])
    yield "nv-empty", host(nv=[index(GEO, b"")])


def main():
    write("lint", seeds())


if __name__ == "__main__":
    main()
