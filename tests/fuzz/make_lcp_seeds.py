#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of the launch control policy fuzz targets anew: tests/fuzz/make_lcp_seeds.py [DIR], default tests/data/fuzz."""

import struct

from seed_files import write

SHA1, SHA256, SHA384, SHA512, NULL, SM3 = 4, 11, 12, 13, 16, 18
RSASSA, RSAPSS, ECDSA, SM2 = 0x14, 0x16, 0x18, 0x1B
SIZES = {SHA1: 20, SHA256: 32, SHA384: 48, SHA512: 64, SM3: 32}
UUID = bytes.fromhex("410693c3cbe3404fd79127f8b9e25c86")
VLP = struct.pack("<BBBIIB", 2, 2, SHA256, 1, 0, 2) + struct.pack("<BBBIB", 0, 255, 0, 0, 0) + struct.pack("<BBBIB", 129, 19, 0, 0, 0)


def policy(version=0x0302, alg=SHA256, kind=0, aux=0):
    head = struct.pack("<HHBB8HIBBHIHH", version, alg, kind, 3, *range(8), 2, 9, 0, 0x48, 0x80, aux, 0)
    return head + b"\xd1" * SIZES[alg]


def old_policy(version=0x0204):
    return struct.pack("<HBBBB8HIBBHI", version, 0, 1, 3, 0, *range(8), 2, 255, 0, 0, 0) + b"\xd1" * 20


def policy_seeds():
    for alg in SIZES:
        yield f"alg-{alg}", policy(alg=alg)
    yield "3.0", policy(0x0300, aux=8)
    yield "3.1-any", policy(0x0301, kind=1, aux=8)
    yield "2.4", old_policy()
    yield "2.0", old_policy(0x0200)
    yield "1.0", old_policy(0x0100)
    yield "cut", policy()[:-1]
    yield "trailing", policy() + b"\0"


def uuid_seeds():
    """For fuzz_lcp_data, which reads a UUID's text at the beginning of the input, too."""
    yield "uuid", b"c3930641-e3cb-4f40-d791-27f8b9e25c86"
    yield "uuid-upper-case", b"C3930641-E3CB-4F40-D791-27F8B9E25C86 and more"
    yield "uuid-no-digit", b"c3930641-e3cb-4f40-d791-27f8b9e25c8g"
    yield "uuid-no-dash", b"c3930641+e3cb-4f40-d791-27f8b9e25c86"


def element(kind, body, control=1):
    return struct.pack("<III", 12 + len(body), kind, control) + body


def hashes(alg, count):
    return b"".join(bytes([0x40 + i]) * SIZES[alg] for i in range(count))


def quote_info(alg, select=b"\x41\0\0"):
    return struct.pack(">IHB", 1, alg, len(select)) + select + struct.pack(">H", SIZES[alg]) + hashes(alg, 1)


def element_table():
    yield "mle", element(0x00, struct.pack("<BBH", 3, 0, 2) + hashes(SHA1, 2))
    yield "pconf", element(0x01, struct.pack("<H", 2) + 2 * (struct.pack(">HBB", 1, 0x81, 0x1F) + hashes(SHA1, 1)))
    yield "pconf-tboot", element(0x01, struct.pack("<H", 1) + struct.pack("<HBB", 1, 0x81, 0x1F) + hashes(SHA1, 1))
    yield "sbios", element(0x02, bytes(4) + hashes(SHA1, 1) + struct.pack("<HH", 0, 2) + hashes(SHA1, 2))
    yield "custom", element(0x03, UUID + VLP)
    yield "stm", element(0x04, struct.pack("<BBH", 0, 0, 1) + hashes(SHA1, 1))
    yield "mle2", element(0x10, struct.pack("<BBHH", 3, 0, SHA256, 2) + hashes(SHA256, 2))
    yield "mle2-sm3", element(0x10, struct.pack("<BBHH", 3, 0, SM3, 1) + hashes(SM3, 1))
    yield "pconf2", element(0x11, struct.pack("<HH", SHA256, 2) + quote_info(SHA256) + quote_info(SHA256, b"\x80"))
    yield "sbios2", element(0x12, struct.pack("<HH", SHA384, 0) + hashes(SHA384, 1) + struct.pack("<HH", 0, 1) + hashes(SHA384, 1))
    yield "custom2", element(0x13, UUID + VLP)
    yield "stm2", element(0x14, struct.pack("<HH", SHA512, 1) + hashes(SHA512, 1))
    yield "unknown", element(0x99, b"body")


ELEMENTS = dict(element_table())


def element_seeds():
    yield from ELEMENTS.items()
    yield "all", b"".join(ELEMENTS.values())
    yield "size-zero", struct.pack("<III", 0, 0x10, 0)
    yield "size-huge", struct.pack("<III", 0xFFFFFFFF, 0x10, 0)
    yield "count-huge", element(0x10, struct.pack("<BBHH", 3, 0, SHA512, 0xFFFF))
    yield "selections", element(0x11, struct.pack("<HH", SHA256, 1) + struct.pack(">I", 0xFFFFFFFF))


def numbers(seed, bits, count):
    return bytes((seed + i) % 256 for i in range(bits // 8 * count))


def old_list(version, sig_alg=NULL, bits=0, elements=b""):
    old = version < 0x0200
    if old:
        head = struct.pack("<HBB", version, 0, int(sig_alg != NULL))
    else:
        head = struct.pack("<HH", version, sig_alg)
    out = head + struct.pack("<I", len(elements)) + elements
    if sig_alg == NULL:
        return out
    out += struct.pack("<HH", 5, bits // 8)
    if sig_alg == RSASSA:
        return out + numbers(1, bits, 1) + numbers(7, bits, 1)
    return out + bytes(4) + numbers(1, bits, 2) + numbers(7, bits, 2)


def new_list(scheme=NULL, bits=0, alg=SHA256, elements=b""):
    if scheme == NULL:
        return struct.pack("<HHI", 0x0300, 0, len(elements)) + elements
    out = struct.pack("<HHI", 0x0300, 8 + len(elements) + 2, len(elements)) + elements + struct.pack("<H", 5)
    rsa = scheme in (RSASSA, RSAPSS)
    count = 1 if rsa else 2
    out += struct.pack("<BHBH", 16, 1 if rsa else 0x23, 16, bits) + (struct.pack("<I", 65537) if rsa else b"")
    return out + numbers(1, bits, count) + struct.pack("<HBHH", scheme, 16, bits, alg) + numbers(7, bits, count)


TWO = ELEMENTS["mle2"] + ELEMENTS["custom2"]
OLD = ELEMENTS["mle"] + ELEMENTS["custom"]


def list_table():
    yield "1.0", old_list(0x0100, elements=OLD)
    yield "1.0-rsa", old_list(0x0100, RSASSA, 2048, OLD)
    yield "2.0", old_list(0x0200, elements=b"".join(ELEMENTS.values()))
    yield "2.0-rsa", old_list(0x0200, RSASSA, 2048, TWO)
    yield "2.1-rsa3072", old_list(0x0201, RSASSA, 3072, TWO)
    yield "2.1-p256", old_list(0x0201, ECDSA, 256, TWO)
    yield "2.1-p384", old_list(0x0201, ECDSA, 384, TWO)
    yield "2.1-sm2", old_list(0x0201, SM2, 256, TWO)
    yield "3.0", new_list(elements=TWO)
    yield "3.0-rsassa", new_list(RSASSA, 2048, SHA256, TWO)
    yield "3.0-rsapss", new_list(RSAPSS, 3072, SHA384, TWO)
    yield "3.0-p256", new_list(ECDSA, 256, SHA256, TWO)
    yield "3.0-p384", new_list(ECDSA, 384, SHA384, TWO)
    yield "3.0-sm2", new_list(SM2, 256, SM3, TWO)


LISTS = dict(list_table())


def list_seeds():
    yield from LISTS.items()
    yield "2.0-to-sign", LISTS["2.0-rsa"][:-256]
    yield "2.1-to-sign", LISTS["2.1-p384"][:-96]
    yield "empty", old_list(0x0200)
    yield "tiny-key", old_list(0x0200, RSASSA, 8)
    yield "3.0-tiny-key", new_list(ECDSA, 8)
    yield "cut", LISTS["3.0-p256"][:-1]


def data(*lists):
    return b"Intel(R) TXT LCP_POLICY_DATA".ljust(35, b"\0") + bytes([len(lists)]) + b"".join(lists)


def data_seeds():
    yield from uuid_seeds()
    for name, one in LISTS.items():
        yield name, data(one)
    yield "eight", data(*[old_list(0x0200, elements=ELEMENTS["stm2"])] * 8)
    yield "nine", data(*[old_list(0x0200)] * 9)
    yield "none", data()
    yield "mixed", data(LISTS["1.0-rsa"], LISTS["2.1-p256"], LISTS["3.0-rsapss"])
    yield "to-sign", data(LISTS["2.1-p256"][:-64], LISTS["2.0"])


def mle_header(start, end, cmdline):
    uuid = bytes.fromhex("5aac82906f47a7740f5c55a2cb51b642")
    return uuid + struct.pack("<9I", 52, 0x20001, 16, 0, start, end, 0x627, *cmdline)


def mle(wide=False, segments=((0x800000, 0x600, 0x400),), header=0x40, start=0x10, end=0x500, cmdline=(0x200, 0x300), text=b"\x07logging"):
    word, head, entry = ("Q", 64, 56) if wide else ("I", 52, 32)
    out = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    out += struct.pack(f"<HHI3{word}", 2, 62 if wide else 3, 1, segments[0][0], head, 0)
    out = (out + struct.pack("<IHHH", 0, head, entry, len(segments))).ljust(head, b"\0")
    image = bytearray(i * 7 % 251 for i in range(max(a + f for a, _, f in segments) - segments[0][0]))
    image[header:header + 52] = mle_header(start, end, cmdline)
    at = head + entry * len(segments)
    for address, memory, file in segments:
        if wide:
            out += struct.pack("<II6Q", 1, 7, at, address, address, file, memory, 16)
        else:
            out += struct.pack("<8I", 1, at, address, address, file, memory, 7, 16)
        at += file
    for address, _, file in segments:
        out += image[address - segments[0][0]:][:file]
    return text + out


def mle_seeds():
    yield "plain", mle()
    yield "wide", mle(wide=True)
    yield "none", mle(text=b"\xff")
    yield "empty", mle(text=b"\0")
    yield "two", mle(segments=((0x1000, 0x100, 0x100), (0x1200, 0x600, 0x300)), cmdline=(0xF0, 0x240))
    yield "across", mle(segments=((0x1000, 0x48, 0x48), (0x1048, 0x600, 0x300)))
    yield "around", mle(start=0x210, end=0x280)
    yield "outside", mle(end=0x601)
    yield "overlap", mle(segments=((0x1000, 0x100, 0x100), (0x10FF, 0x600, 0x300)))
    yield "huge", mle(segments=((0x1000, 0x50000000, 0x400),))


SEEDS = {
    "fuzz_lcp_policy": policy_seeds,
    "fuzz_lcp_element": element_seeds,
    "fuzz_lcp_list": list_seeds,
    "fuzz_lcp_data": data_seeds,
    "fuzz_lcp_mle": mle_seeds,
}


def main():
    for target, seeds in SEEDS.items():
        write(target.removeprefix("fuzz_"), seeds())


if __name__ == "__main__":
    main()
