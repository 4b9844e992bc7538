#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of the codec fuzz targets anew: tests/fuzz/make_seeds.py [DIR], default tests/data/fuzz."""

import struct

from seed_files import write


def vlp(kind, alg, entries, version=2, control=1, reserved=0):
    out = struct.pack("<BBBIIB", version, kind, alg, control, reserved, len(entries))
    for module, pcr, hash_type, nv_index, hashes in entries:
        out += struct.pack("<BBBIB", module, pcr, hash_type, nv_index, len(hashes)) + b"".join(hashes)
    return out


def vlp_seeds():
    sizes = {"sha1": (4, 20), "sha256": (11, 32), "sha384": (12, 48), "sha512": (13, 64)}
    for kind, (name, (alg, size)) in enumerate(sizes.items()):
        yield name, vlp(kind % 3, alg, [
            (0, 255, 0, 0, []),
            (1, 19, 1, 0, [b"\x11" * size, b"\x22" * size]),
            (129, 21, 0, 0, []),
            (130, 22, 1, 0x01C10110, [b"\x33" * size]),
            (131, 22, 0, 0x01C10111, []),
        ])
    yield "tboot-default", vlp(0, 4, [(0, 255, 0, 0, []), (129, 19, 0, 0, []), (131, 22, 0, 0x40000010, [])])
    yield "largest", vlp(2, 13, [(n, 19, 1, 0, [bytes([n]) * 64] * 4) for n in range(8)])
    yield "too-large", vlp(2, 13, [(n, 19, 1, 0, [bytes([n]) * 64] * 4) for n in range(9)])
    yield "no-entries", vlp(0, 11, [])
    yield "any-first", vlp(2, 11, [(129, 19, 0, 0, []), (1, 19, 0, 0, [])])
    yield "twice", vlp(2, 11, [(1, 19, 0, 0, []), (1, 19, 0, 0, [])])
    yield "sm3", vlp(2, 0x12, [(0, 255, 0, 0, [])])
    yield "cut", vlp(1, 11, [(1, 19, 1, 0, [b"\x11" * 32])])[:-1]
    yield "trailing", vlp(1, 11, [(1, 19, 1, 0, [b"\x11" * 32])]) + b"\0"
    yield "header-only", vlp(1, 11, [])[:11]


def geo(country=b"DE", subdivision=b"HE", flags=1, latitude=501109000, longitude=86821000, site=b"FRA1"):
    return struct.pack("<4sHH2s4sHii40s", b"GEO1", 64, flags, country, subdivision, 0, latitude, longitude, site)


def geo_seeds():
    yield "germany", geo()
    yield "country-only", geo(b"IS", b"", 0, 0, 0, b"")
    yield "south-west", geo(b"CL", b"RM", 1, -334489000, -706693000, b"SCL2, hall 3")
    yield "long-site", geo(site=b"x" * 40)
    yield "lower-case", geo(country=b"de")
    yield "north-of-the-pole", geo(latitude=900000001)
    yield "flags", geo(flags=2)
    yield "cut", geo()[:-1]
    yield "foreign", b"\x30\x82\x01\x00" * 16
    yield "attributes-readable", struct.pack("<IQ", 0x22042002, 64)
    yield "attributes-all", struct.pack("<IQ", 0xFFFFFFFF, 4097)


DESCRIPTION = """geolaunch 1
mode direct
policy policy.vlp
on-halt poweroff
halt-delay 5
module hypervisor
file linux
cmdline console=ttyS0 root=/dev/vda1 quiet
module initrd
file initrd
module vmm
file vmm
path /usr/bin/qemu-system-x86_64
mode 0755
module file
file file-0
path /etc/vm/vm.json
mode 0644
module file
file file-1
path /etc/vm/disk
mode 0600
end
"""


def with_digests(text, roles):
    """The lines that a signed build adds."""
    modules = text.split("module ")
    for n, module in enumerate(modules):
        if module.split("\n")[0] in roles:
            modules[n] += "sha256 " + f"{n:x}edcba9876543210" * 4 + "\n"
    return "module ".join(modules)


def description_seeds():
    yield "full", DESCRIPTION.encode()
    yield "return", DESCRIPTION.replace("poweroff", "return").replace("delay 5", "delay 300").encode()
    yield "no-initrd", DESCRIPTION.replace("module initrd\nfile initrd\n", "").encode()
    yield "smallest", (DESCRIPTION[:DESCRIPTION.index("cmdline")] + "end\n").encode()
    yield "path-taken", DESCRIPTION.replace("/etc/vm/disk", "/etc/vm").encode()
    yield "path-dots", DESCRIPTION.replace("/etc/vm/disk", "/etc/../vm").encode()
    yield "carriage-returns", DESCRIPTION.replace("\n", "\r\n").encode()
    yield "initrd-late", DESCRIPTION.replace("module initrd\nfile initrd\n", "").replace(
        "end\n", "module initrd\nfile initrd\nend\n").encode()
    yield "many", (DESCRIPTION[:-4] + "".join(f"module file\nfile f\npath /m/{n}\nmode 0644\n" for n in range(130)) + "end\n").encode()
    yield "cut", DESCRIPTION[:-1].encode()
    yield "trailing", DESCRIPTION.encode() + b"end\n"
    xen = DESCRIPTION.replace("module hypervisor\n", "module hypervisor\nkind xen\n").replace(
        "module initrd\n", "module kernel\nfile kernel\ncmdline console=hvc0\nmodule initrd\n", 1)
    yield "xen", xen.encode()
    yield "xen-without-kernel", DESCRIPTION.replace("module hypervisor\n", "module hypervisor\nkind xen\n").encode()
    roles = ",".join(["hypervisor", "kernel", "initrd", "vmm:0755"] + ["file:" + line.split()[1] for line in
                     DESCRIPTION.split("module file\n", 1)[1].splitlines() if line.startswith("mode ")])
    rules = f"geolaunch-stage 1 policy=halt hypervisor=xen modules={roles} nv=0x01c10110,nv,22,any halt=poweroff,5"
    txt = xen.replace("mode direct", "mode txt").replace("module hypervisor\n", "module tboot\nfile tboot\ncmdline logging=serial\n"
        f"module sinit\nfile sinit\nmodule lcp\nfile lcp\nmodule stage\nfile stage\ncmdline {rules}\nmodule hypervisor\n", 1)
    yield "txt", txt.encode()
    yield "txt-digest", txt.replace("logging=serial\n", f"logging=serial\nsha256 {'0123456789abcdef' * 4}\n").encode()
    for name, roles in (("sinit", ["sinit"]), ("lcp", ["lcp"]), ("all", ["tboot", "sinit", "lcp"]), ("stage", ["stage"])):
        yield f"txt-digest-{name}", with_digests(txt, roles).encode()
    yield "txt-digest-upper", with_digests(txt, ["sinit"]).replace("sha256 2edc", "sha256 2EDC").encode()
    yield "txt-digest-short", with_digests(txt, ["lcp"]).replace("3210\nmodule", "321\nmodule").encode()
    yield "txt-no-sinit", txt.replace("module sinit\nfile sinit\n", "").encode()
    yield "txt-no-rules", txt.replace(f"cmdline {rules}\n", "").encode()
    yield "txt-empty-rules", txt.replace(f"cmdline {rules}\n", "cmdline \n").encode()
    yield "txt-bad-rules", txt.replace("geolaunch-stage 1", "geolaunch-stage 2").encode()
    yield "txt-other-rules", txt.replace("hypervisor,kernel,initrd", "hypervisor,kernel").encode()


def stage_rules_seeds():
    yield "empty", b""
    sha256 = "00112233445566778899aabbccddeeff" * 2
    head = "geolaunch-stage 1 policy="
    yield "smallest", f"{head}nonfatal hypervisor=linux modules=hypervisor halt=reboot,0".encode()
    yield "xen", (f"{head}halt hypervisor=xen modules=hypervisor,kernel,initrd,vmm:0755,file:0644 nv=0x01c10110,nv,22,sha256,{sha256} "
                  "halt=poweroff,5").encode()
    yield "started", (f"{head}continue hypervisor=linux modules=hypervisor,initrd,vmm:0755 nv=0x01c10110,nv_raw,22,any "
                      f"nv=0x01c10111,nv,21,sha1,{sha256[:40]} halt=poweroff,300 tboot=0x8c8000").encode()
    yield "no-address", f"{head}halt hypervisor=linux modules=hypervisor nv=0x01c10110,nv,22,sha256,{sha256},{sha256} halt=poweroff,5 tboot=0x".encode()
    yield "efi", f"{head}halt hypervisor=linux modules=hypervisor halt=poweroff,5 efi=runtime tboot=0x8c8000".encode()
    yield "no-kernel", f"{head}halt hypervisor=xen modules=hypervisor,initrd halt=poweroff,5".encode()
    yield "mode", f"{head}halt hypervisor=linux modules=hypervisor,vmm:755 halt=poweroff,5".encode()


def cpio(initrd, *members):
    out = struct.pack("<H", initrd)
    for path, mode, size, shift in members:
        out += struct.pack("<HBHB", mode, shift, size, len(path)) + path
    return out


def cpio_seeds():
    yield "usual", cpio(13, (b"/usr/bin/qemu", 0o755, 4000, 0), (b"/etc/vm/vm.json", 0o644, 3, 0), (b"/etc/vm/disk", 0o600, 0, 0))
    yield "no-initrd", cpio(0, (b"/a", 0o644, 1, 0))
    yield "no-members", cpio(700)
    yield "deep", cpio(4, (b"/a/b/c/d/e/f/g", 0o444, 5, 0), (b"/a/b/c/x", 0o444, 5, 0), (b"/a/bc/d", 0o444, 5, 0))
    yield "large", cpio(1, (b"/a", 0o644, 0xFFFF, 16))
    yield "too-large", cpio(1, (b"/a", 0o644, 1, 32))
    yield "taken", cpio(1, (b"/a/b", 0o644, 1, 0), (b"/a", 0o644, 1, 0))
    yield "trailer", cpio(1, (b"/TRAILER!!!/x", 0o644, 1, 0))
    yield "directory-bits", cpio(1, (b"/a", 0o40755, 1, 0))


def tpm_answer(parameters, session=False, code=0, tag=None):
    """A TPM 2.0 response."""
    if session:
        parameters = struct.pack(">I", len(parameters)) + parameters + bytes([0, 0, 1, 0, 0])
    return struct.pack(">HII", tag or (0x8002 if session else 0x8001), 10 + len(parameters), code) + parameters


def tpm_banks(*algs, select=b"\xff\xff\xff"):
    return tpm_answer(struct.pack(">BII", 0, 5, len(algs)) + b"".join(struct.pack(">HB", a, len(select)) + select for a in algs))


def tpm_pcrs(*banks):
    """PCR_Read: (algorithm, digest size, three selection bytes) per bank."""
    digests = [bytes([alg]) * size for alg, size, select in banks for _ in range(bin(int.from_bytes(select, "big")).count("1"))]
    return tpm_answer(struct.pack(">II", 7, len(banks)) + b"".join(struct.pack(">HB", a, 3) + s for a, _, s in banks)
                      + struct.pack(">I", len(digests)) + b"".join(struct.pack(">H", len(d)) + d for d in digests))


def tpm_public(index=0x01C10110, size=100, policy=b""):
    return tpm_answer(struct.pack(">HIHIH", 14 + len(policy), index, 11, 0x00040004, len(policy)) + policy
                      + struct.pack(">HHH", size, 34, 11) + bytes(32))


def tpm_nv(size):
    return tpm_answer(struct.pack(">H", size) + bytes(range(size)), session=True)


def tpm_register_reads(crb, responses):
    """The values that a register device gives, in the order in which the driver reads."""
    def word(*values):
        return b"".join(struct.pack("<I", v) for v in values)

    if crb:
        buffer = word(0xF80, 0xFED42080, 0)
        held = word(0x8A, 1)
        out = word(0x6011, 0x11014, 0x81) + word(0x83) + held
        for r in responses:
            out += held + word(0, 0, 2, 0, 0) + buffer + word(0, 0) + buffer + r[:10] + buffer + r[10:] + word(2)
        return out
    ready, more, enough, full = 0x04004040, 0x04004088, 0x04004080, 0x04004090
    out = word(0x2100, 0x30000697) + b"\xa1" + word(0x11014) + b"\x81\xa1"
    for r in responses:
        out += b"\xa1" + word(ready, ready, more, more, enough, full)
        for piece in (r[:10], r[10:]):
            if piece[:-1]:
                out += word(full) + piece[:-1]
            if piece:
                out += word(full) + piece[-1:]
        out += word(enough)
    return out


def tpm_response_seeds():
    def talk(choice, *responses):
        return bytes([choice]) + b"".join(struct.pack("<H", len(r)) + r for r in responses)

    limit = tpm_answer(struct.pack(">BIIII", 0, 6, 1, 0x12C, 64))
    all_17 = b"\0\0\x7e"
    sha256 = tpm_pcrs((11, 32, all_17))
    extended = tpm_answer(b"", session=True)
    rest = [tpm_public(), tpm_nv(64), tpm_nv(36), extended]
    start = [tpm_banks(11), limit]
    four = [tpm_pcrs((4, 20, all_17), (11, 32, b"\0\0\x06")), tpm_pcrs((11, 32, b"\0\0\x78"), (12, 48, b"\0\0\x1e")),
            tpm_pcrs((12, 48, b"\0\0\x60"), (13, 64, all_17))]
    yield "whole", talk(0, *start, sha256, *rest)
    yield "four-banks", talk(1, *four, *rest)
    yield "partial-bank", talk(0, tpm_banks(11, select=b"\xff\xff\x0f"), limit, *rest)
    yield "unknown-bank", talk(0, tpm_banks(11, 18), limit, sha256, *rest)
    yield "tpm12", talk(0, tpm_answer(b"", code=0x1E, tag=0xC4))
    yield "retry", talk(1, tpm_answer(b"", code=0x922), tpm_answer(b"", code=0x90A), *four)
    yield "refused", talk(1, tpm_answer(b"", code=0x907), tpm_answer(b"", code=0x18B), tpm_answer(b"", code=0x14A), tpm_answer(b"", code=0x922))
    yield "cut", talk(1, four[0][:-1], four[0][:30], extended[:10])
    yield "policy", talk(1, *four, tpm_public(policy=bytes(32)), *rest[1:])
    done = tpm_answer(b"", session=True)
    for name, size, parts in (("owner", 100, (64, 36)), ("owner-by-index", 66, (64, 2)), ("owner-policy", 65, (64, 1)), ("owner-empty", 0, (0,))):
        yield name, talk(0xFC, *[
            r for _ in range(2) for r in (*four, tpm_public(size=size), *map(tpm_nv, parts), extended,
                                          *[done] * (1 + len(parts)), *map(tpm_nv, parts), *map(tpm_nv, parts), done, done)
        ]).replace(b"\xfc", b"\xfc" + struct.pack("<IHBBB", 0x01C10110, size, 17, 5, 24), 1)
    yield "fifo", b"\x02" + tpm_register_reads(False, [*start, sha256, *rest])
    yield "crb", b"\x03" + tpm_register_reads(True, [*start, sha256, *rest])


def efi_tcg2_seeds():
    """Firmware that passes on what the responses of a TPM are."""
    def firmware(*responses, status=0, present=1, command=4096, response=4096):
        return struct.pack("<BBHH", status, present, command, response) + b"".join(struct.pack("<H", n or len(r)) + r for r, n in responses)

    start = [tpm_banks(11), tpm_answer(struct.pack(">BIIII", 0, 6, 1, 0x12C, 64))]
    rest = [tpm_pcrs((11, 32, b"\0\0\x7e")), tpm_public(), tpm_nv(64), tpm_nv(36), tpm_answer(b"", session=True)]
    whole = [(r, 0) for r in start + rest]
    yield "whole", firmware(*whole)
    yield "small", firmware(*whole, command=3968, response=200)
    yield "no-tpm", firmware(*whole, present=0)
    yield "refused", firmware(*whole, status=3)
    yield "no-room", firmware(*whole, response=9)
    yield "no-commands", firmware(*whole, command=12)
    yield "fails", firmware(whole[0], (b"", 0x8000), *whole[1:])
    yield "stale", firmware(whole[0], (b"\x80\1\0\0\0\x30" + bytes(4), 0), *whole)
    yield "longer-than-written", firmware((b"\x80\1\0\0\x0f\0" + bytes(4), 0), *whole)
    yield "short", firmware((b"\x80\1\0\0\0\x0a", 0), (b"\x80", 0), *whole)
    yield "long", firmware((b"\x80\1\0\0\x10\1" + bytes(4), 0), *whole)


def tpmproxy_seeds():
    def words(*values):
        return b"".join(struct.pack(">I", v) for v in values)

    def pieces(*parts):
        return b"".join(struct.pack("<H", len(p)) + p for p in parts)

    def pcrs(alg, size, select):
        return tpm_pcrs((alg, size, select))

    start = words(1) + words(5, 0x02000000) + words(17, 4096) + words(2, 0)
    yield "qemu", b"\0" + start + words(4) + words(11, 0) + words(14) + words(3)
    yield "hash", b"\0" + words(6) + words(7, 5) + b"hello" + words(8)
    yield "state", b"\0" + words(13, 1, 1, 7) + b"volatil" + words(12, 1, 1, 0) + words(18, 1, 0, 0, 0)
    yield "unknown-command", b"\0" + words(0x14)
    yield "too-much", b"\0" + words(7, 0xFFFFFFFF)
    yield "capability", b"\x01\x00" + words(0, 0x7FFF)
    yield "blob", b"\x01\x0b" + words(0, 1, 3, 3) + b"abc"
    yield "blob-refused", b"\x01\x0b" + words(9)
    yield "info", b"\x01\x11" + words(0, 2, 2) + b"{}"
    both = tpm_banks(4, 11)
    low, high = b"\xff\0\0", b"\0\xff\xff"
    yield "two-banks", b"\x02" + pieces(both, pcrs(4, 20, low), pcrs(4, 20, high), pcrs(11, 32, low), pcrs(11, 32, high))
    yield "unknown-bank", b"\x02" + pieces(tpm_banks(18, 12), pcrs(12, 48, b"\xff\xff\xff"))
    yield "twice", b"\x02" + pieces(tpm_banks(11), pcrs(11, 32, low), pcrs(11, 32, low))
    yield "wrong-size", b"\x02" + pieces(tpm_banks(11), pcrs(11, 20, low))
    yield "refused", b"\x02" + pieces(both, tpm_answer(b"", code=0x922))
    yield "tpm12", b"\x02" + pieces(tpm_answer(b"", code=0x1E, tag=0xC4), *[tpm_answer(bytes(20), tag=0xC4)] * 24)
    extend = struct.pack(">HII", 0x8002, 12, 0x182) + b"xx"
    for name, rule in (("rc", b"PCR_Extend@2#3=rc:0x922"), ("any", b"*=huge"), ("long", b"0x182=long"), ("no-rule", b"Extend=rc:0"),
                       ("reply", b"PCR_Extend=reply:00fe"), ("reply-odd", b"*=reply:00f"), ("reply-no-hex", b"*=reply:0X"),
                       ("reply-too-long", b"*=reply:" + b"00" * 65)):
        yield f"fault-{name}", b"\x03" + pieces(rule) + extend * 4 + extend[:11]


ACM_LAYOUTS = {0: (161, 64, 143), 0x30000: (224, 96, 208), 0x40000: (928, 96, 896)}
ACM_UUID = struct.pack("<IHHH", 0x7FC03AAA, 0x46A7, 0x18DB, 0xAC2E) + bytes.fromhex("698f8d417f5a")


def acm(header=0, info=5, chipsets=1, processors=1, algs=(4, 11), scratch=None, capabilities=0x227, date=0x20220101, nv_set=1, family=8):
    """A module as small as it can be: header, keys of FF, info table, lists."""
    length, key, usual = ACM_LAYOUTS[header]
    scratch = usual if scratch is None else scratch
    table = (length + scratch) * 4
    chipset_list = struct.pack("<I", chipsets) + b"".join(struct.pack("<IHHHHI", n % 2, 0x8086, 0xB001 + n, 1, 0xFF00, 0) for n in range(chipsets))
    processor_list = struct.pack("<I", processors) + b"".join(struct.pack("<IIQQ", 0x906E0, 0xFFF3FF0, 0, 0) for _ in range(processors))
    tpm_list = struct.pack("<IH", 3 | family << 2 | nv_set << 6, len(algs)) + b"".join(struct.pack("<H", a) for a in algs)
    offsets = [table + 48, table + 48 + len(chipset_list), table + 48 + len(chipset_list) + len(processor_list)]
    lists = chipset_list + processor_list + tpm_list
    if info >= 9:
        offsets = [0, 0, 0]
        lists = b"".join(name[::-1] + struct.pack("<II", 12 + len(body), 1) + body for name, body in (
            (b"CS1L", chipset_list), (b"VERL", b"xy"), (b"CPUL", processor_list), (b"CS2L", chipset_list), (b"TPML", tpm_list), (b"NULL", b"")))
    out = struct.pack("<HHIIHHIII", 2, 0, length, header, 0xB001, 0, 0x8086, date, 0) + struct.pack("<HH8I", 0, 0, 0, 0, 0x1F, 0, 8, 0x500, 0, 0)
    out = out[:56].ljust(120, b"\0") + struct.pack("<II", key, scratch)
    out = out.ljust(length * 4, b"\xff").ljust(table, b"\0")
    out += ACM_UUID + struct.pack("<BBHIIIIB3sII", 1, info, 48, offsets[0], 7, 0x20000, capabilities, 16, b"\1\0\0", offsets[1], offsets[2]) + lists
    out += bytes(-len(out) % 64)
    return out[:24] + struct.pack("<I", len(out) // 4) + out[28:]


def acm_seeds():
    for info in (3, 4, 5, 7, 9):
        yield f"info-{info}", acm(info=info)
    yield "header-3", acm(0x30000, 7, 3, 6, (4, 11, 12, 22), capabilities=0x77E)
    yield "header-4", acm(0x40000, 9, scratch=0)
    yield "no-entries", acm(chipsets=0, processors=0, algs=())
    yield "unknown-header", acm()[:8] + b"\4\0\5\0" + acm()[12:]
    yield "cut", acm()[:-4]
    yield "no-end", acm(info=9).replace(b"LLUN", b"LLUM")


def fleet_table_seeds():
    yield "tags", b"name,country,subdivision,site,latitude,longitude\nb,DE,HE,FRA1,50.1109,8.6821\na,AR,,,-34.6036844,-58.3815591\n"
    yield "quotes", b'site,name,country\r\n"hall ""3"", a",x.y-z_0,SE\r\n,A,IS'
    yield "content", b"content,name\n" + b"00fF" * 16 + b",a\n41,b\n"
    yield "names", b"name\nb\na\nA0\n"
    yield "twice", b"name\nhost\nother\nHOST\n"
    yield "empty-line", b"name\na\n\n"
    yield "open", b'name,country\na,"DE\n'


def fleet_record(name=b"host", banks=("sha1", "sha256", "sha384", "sha512"), content=None, country=b'"DE"'):
    sizes = {"sha1": 20, "sha256": 32, "sha384": 48, "sha512": 64}
    values = ",".join('"%s":{%s}' % (b, ",".join(f'"{p}":"{bytes([p] * sizes[b]).hex()}"' for p in range(17, 23))) for b in banks)
    index = b"null" if content is None else b'"%s"' % content.hex().encode()
    policy = vlp(2, 11, [(0, 255, 0, 0, []), (130, 22, 1, 0x01C10110, [b"\x33" * 32])])
    return b'{"name":"%s","country":%s,"geo":%s,"policy":"%s","pcrs":{%s}}' % (name, country, index, policy.hex().encode(), values.encode())


def fleet_record_seeds():
    yield "tag", fleet_record(content=geo())
    yield "content", fleet_record(content=b"x" * 20, country=b"null")
    yield "no-geo", fleet_record(country=b"null")
    yield "sha256", b"\x02" + fleet_record(banks=["sha256"], content=geo())
    yield "other-country", fleet_record(content=geo(), country=b'"FR"')
    yield "name", fleet_record(name=b"..", content=geo())
    yield "header", b'{"format":"geolaunch-fleet-1","count":100000}'


def client(**change):
    """A module for clients, of which the platform of fuzz_preflight is one."""
    return acm(capabilities=0x267, **change)


def preflight(flags=0x1D, banks=3, vendor=(0x756E6547, 0x49656E69, 0x6C65746E), signature=0x906E3, features=0x60, control=0xFF07, platform=0,
              capabilities=0x1FD, didvid=0x1B0018086, sts=0, fsbif=0xFFFFFFFF, qpiif=0x9D003000, ests=0, errorcode=0,
              sinit_range=(0xC8200000, 0x100000), heap_range=(0xC8000000, 0x100000), line=b"logging=serial ap_wake_mwait=true min_ram=0x2000000",
              policy=None, heap=None, area=b"", sinit=None, lcp=b"", nv=None):
    """The host of tests/unit/preflight_host.c: a launch works on it."""
    def piece(data):
        return struct.pack("<H", len(data)) + data

    policy = vlp(1, 11, [(0, 19, 0, 0, []), (130, 22, 0, 0x01C10110, [])]) if policy is None else policy
    heap = struct.pack("<QIIQQIII", 66, 6, 0, 0, 0, 1, 0, 2) + struct.pack("<IIHHHII", 1, 14, 2, 1, 0, 0, 8) if heap is None else heap
    sinit = client() if sinit is None else sinit
    nv = [(0x01C10131, 0, 0x22040006, policy), (0x01C10110, 0, 0x22040006, geo())] if nv is None else nv
    out = struct.pack("<BB", flags, banks) + struct.pack("<3I", *vendor) + struct.pack("<IIQQI", signature, features, control, platform, capabilities)
    out += struct.pack("<QQIIBI", didvid, sts, fsbif, qpiif, ests, errorcode) + struct.pack("<4Q", *sinit_range, *heap_range)
    out += b"".join(piece(x) for x in (line, policy, heap, area, sinit, lcp))
    return out + b"".join(struct.pack("<IBI", index, state, attributes) + piece(content) for index, state, attributes, content in nv)


def preflight_seeds():
    policy = vlp(1, 11, [(0, 19, 0, 0, []), (130, 22, 0, 0x01C10110, [])])
    other = vlp(2, 11, [(0, 19, 0, 0, []), (130, 22, 1, 0x01C10110, [b"\x33" * 32])])
    lcp = b"Intel(R) TXT LCP_POLICY_DATA\0\0\0\0" + bytes(3) + b"\0"
    heap = struct.pack("<QIIQQIII", 66, 6, 0, 0, 0, 1, 0, 2) + struct.pack("<IIHHHII", 1, 14, 2, 1, 0, 0, 8)
    in_bios = client(date=0x20230101)
    vlp_set, owner = (0x01C10131, 0x01200001), (0x01C10106, 0x01400001)
    heap_of_bios = heap.replace(struct.pack("<QII", 66, 6, 0), struct.pack("<QII", 66, 6, len(in_bios)))
    changes = {
        "good": {}, "not-intel": {"vendor": (0x68747541, 0x69746E65, 0x444D4163)}, "no-smx": {"features": 0x20},
        "no-vmx": {"features": 0x40}, "no-lock": {"control": 0}, "no-vmx-in-smx": {"control": 0xFF05},
        "no-vmx-control": {"control": 0xFF01}, "software-error": {"errorcode": 0x80000007}, "sinit-error": {"errorcode": 0xC0003C91},
        "no-senter": {"control": 3}, "old-bios": {"sinit": client(), "area": in_bios[:200]}, "no-chipset": {"didvid": 0xFFFFFFFFFFFFFFFF},
        "no-getsec": {"flags": 0x0D}, "getsec-without-senter": {"capabilities": 1}, "reset": {"ests": 1}, "wake-error": {"ests": 64},
        "running": {"sts": 1}, "error": {"errorcode": 0xC0000001}, "error-of-software": {"errorcode": 0x80008001},
        "no-heap": {"heap_range": (0, 0)}, "heap-cut": {"heap": b"\x20\0\0\0\0\0\0\0"},
        "heap-old": {"heap": heap.replace(b"\6\0\0\0", b"\1\0\0\0", 1)}, "heap-none": {"heap": b""},
        "heap-high": {"heap_range": (1 << 40, 0x100000)}, "no-sinit-area": {"sinit_range": (0, 0)}, "acpi-broken": {"flags": 0x9D},
        "acpi-no-rsdp": {"flags": 0x5D}, "acpi-no-dmar": {"flags": 0xDD}, "no-sinit": {"flags": 0x1C, "sinit": b""},
        "sinit-missing": {"sinit": b""}, "sinit-invalid": {"sinit": b"x" * 200}, "sinit-debug": {"qpiif": 0x1D003000},
        "sinit-other-chipset": {"didvid": 0x1B0028086}, "sinit-other-cpu": {"signature": 0x50651},
        "sinit-large": {"sinit_range": (0xC8200000, 16)}, "sinit-no-tpm": {"sinit": client(algs=())},
        "sinit-tpm12": {"sinit": client(family=1)},
        "sinit-of-bios": {"area": in_bios, "heap": heap_of_bios},
        "sinit-of-bios-only": {"flags": 0x1C, "sinit": b"", "area": in_bios, "heap": heap_of_bios},
        "sinit-of-bios-cut": {"area": in_bios[:-8], "heap": heap_of_bios},
        "server": {"heap": heap.replace(struct.pack("<III", 1, 0, 2), struct.pack("<III", 1, 0, 4))},
        "set-0": {"sinit": client(nv_set=0), "nv": [(vlp_set[1], 0, 0x22040006, policy), (owner[1], 0, 0x22040006, b"x" * 60)]},
        "set-unknown": {"sinit": client(nv_set=3)}, "no-tpm": {"flags": 0x19}, "no-banks": {"banks": 0}, "other-bank": {"banks": 4},
        "vlp-missing": {"nv": []}, "vlp-unreadable": {"nv": [(vlp_set[0], 2, 0x40, policy)]},
        "vlp-error": {"nv": [(vlp_set[0], 3, 0x22040006, policy)]}, "vlp-firmware": {"nv": [(vlp_set[0], 0, 0x22040007, policy)]},
        "vlp-invalid": {"nv": [(vlp_set[0], 0, 0x22040006, b"x" * 40)]}, "vlp-differs": {"nv": [(vlp_set[0], 0, 0x22040006, other)]},
        "vlp-other-set": {"nv": [(vlp_set[1], 0, 0x22040006, other)]},
        "vlp-in-lcp": {"flags": 0x1F, "nv": [], "lcp": lcp + bytes.fromhex("410693c3cbe3404fd79127f8b9e25c86") + policy},
        "vlp-in-lcp-cut": {"flags": 0x1F, "nv": [], "lcp": lcp + bytes.fromhex("410693c3cbe3404fd79127f8b9e25c86") + policy[:-1]},
        "lcp-short": {"flags": 0x1F, "lcp": lcp[:20]},
        "lcp": {"flags": 0x1F, "lcp": lcp, "nv": [(vlp_set[0], 0, 0x22040006, policy), (owner[0], 0, 0x22040006, b"\0\3\x0b\0" + bytes(66))]},
        "lcp-list": {"flags": 0x1F, "lcp": lcp, "nv": [(vlp_set[0], 0, 0x22040006, policy), (owner[0], 0, 0x22040006, lcp_policy())]},
        "lcp-no-data": {"nv": [(vlp_set[0], 0, 0x22040006, policy), (owner[0], 0, 0x22040006, lcp_policy())]},
        "lcp-any": {"nv": [(vlp_set[0], 0, 0x22040006, policy), (owner[0], 0, 0x22040006, lcp_policy(1))]},
        "lcp-unreadable": {"flags": 0x1F, "lcp": lcp, "nv": [(owner[0], 1, 0, b"")]},
        "lcp-error": {"flags": 0x1F, "lcp": lcp, "nv": [(owner[0], 3, 0, b"x")]}, "lcp-missing": {"flags": 0x1F},
        "lcp-no-signature": {"flags": 0x1F, "lcp": b"x" * 40}, "geo-missing": {"nv": [(vlp_set[0], 0, 0x22040006, policy)]},
        "geo-unreadable": {"nv": [(0x01C10110, 2, 0x40, b"")]}, "geo-error": {"nv": [(0x01C10110, 3, 0x22040006, b"x")]},
        "geo-large": {"nv": [(0x01C10110, 0, 0x22040006, bytes(4200))]}, "geo-differs": {"policy": other},
        "line": {"line": b"extpol=sha1 call_racm=true"}, "line-known": {"line": b"extpol=agile pcr_map=legacy min_ram=1"},
        "files-unreadable": {"flags": 0x3F, "lcp": lcp}, "policy-broken": {"policy": other[:-1]}, "line-broken": {"line": b"logging=\xff"},
        "line-heap": {"line": b"logging=none loglvl=none ignore_prev_err=false"},
    }
    for name, change in changes.items():
        yield name, preflight(**change)


def lcp_policy(kind=0):
    return struct.pack("<HHBB8HIBBHIHH", 0x0302, 11, kind, 3, *[0] * 8, 0, 9, 0, 8, 8, 0, 0) + b"\xd1" * 32


def main():
    for name, seeds in [("vlp", vlp_seeds), ("geo", geo_seeds), ("description", description_seeds),
                        ("stage_rules", stage_rules_seeds), ("cpio", cpio_seeds),
                        ("tpm_response", tpm_response_seeds), ("efi_tcg2", efi_tcg2_seeds), ("tpmproxy", tpmproxy_seeds), ("acm", acm_seeds),
                        ("fleet_table", fleet_table_seeds), ("fleet_record", fleet_record_seeds), ("preflight", preflight_seeds)]:
        write(name, seeds())


if __name__ == "__main__":
    main()
