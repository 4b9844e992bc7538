#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the seeds of the stage's fuzz targets anew: tests/fuzz/make_stage_seeds.py [DIR], default tests/data/fuzz."""
import struct

from seed_files import write

BYTES = 0x310000        # fuzz_stage_plan.c: STAGE_BYTES
HEAP = 0x1000           # fuzz_stage_heaplog.c


def tag(kind, content):
    body = struct.pack("<II", kind, 8 + len(content)) + content
    return body + bytes(-len(body) % 8)


def information(line, modules, mmap, extra=b""):
    body = tag(1, line.encode() + b" tboot=0x110000\0")
    for start, size, string in modules:
        body += tag(3, struct.pack("<II", start, start + size) + string.encode() + b"\0")
    body += tag(4, struct.pack("<II", 640, 3072))
    body += tag(6, struct.pack("<II", 24, 0) + b"".join(struct.pack("<QQII", a, b - a, kind, 0) for a, b, kind in mmap))
    body += extra + tag(0, b"")
    return struct.pack("<II", 8 + len(body), 0) + body


MMAP = [(0, 0x9F000, 1), (0x9F000, 0xA0000, 2), (0x100000, 0x140000, 5), (0x140000, 0x400000, 1)]


def bzimage(init_size=0x8000):
    k = bytearray(2048 + 512)
    for at, form, value in ((0x1F1, "B", 3), (0x1F4, "<I", 512 // 16), (0x1FE, "<H", 0xAA55), (0x200, "<H", 0x6AEB),
                            (0x206, "<H", 0x20F), (0x211, "B", 1), (0x214, "<I", 0x100000), (0x22C, "<I", 0x7FFFFFFF),
                            (0x230, "<I", 0x1000), (0x234, "B", 1), (0x235, "B", 12), (0x236, "<H", 0x7F), (0x238, "<I", 2047),
                            (0x258, "<Q", 0x200000), (0x260, "<I", init_size)):
        struct.pack_into(form, k, at, value)
    k[0x202:0x206] = b"HdrS"
    return bytes(k)


def xen(link=0x200000):
    x = bytearray(1024)
    struct.pack_into("<16sHHIIIIIHHHHHH", x, 0, b"\x7fELF\1\1\1", 2, 3, 1, link, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    struct.pack_into("<8I", x, 52, 1, 0, link, link, 1024, 0x3000, 7, 0x40)
    tags = struct.pack("<HHIII", 1, 0, 16, 4, 6) + struct.pack("<HHI", 6, 0, 8)
    tags += struct.pack("<HHIIIII", 10, 1, 24, 0x200000, 0xFFFFFFFF, 0x10000, 2) + struct.pack("<HHI", 0, 0, 8)
    head = struct.pack("<III", 0xE85250D6, 0, 16 + len(tags))
    x[256:272 + len(tags)] = head + struct.pack("<I", -sum(struct.unpack("<III", head)) & 0xFFFFFFFF) + tags
    return bytes(x)


def lay_out(images):
    """Modules behind each other at pages, and the bytes that hold them."""
    modules, data = [], b""
    for image, string in images:
        data += bytes(-len(data) % 4096)
        modules.append((BYTES + len(data), len(image), string))
        data += image
    return modules, data


def efi():
    entries = [(0, 0x9F, 7), (0x100000, 0x200, 7), (0x300000, 0x100, 2)]
    return tag(12, struct.pack("<Q", 0x310100)) + tag(17, struct.pack("<II", 48, 1) + b"".join(
        struct.pack("<IIQQQQQ", kind, 0, base, 0, pages, 15, 0) for base, pages, kind in entries))


def framebuffer(address=0xA0000, kind=1, pitch=4096, bits=32):
    return tag(8, struct.pack("<QIIIBBH6B", address, pitch, 1024, 16, bits, kind, 0, 16, 8, 8, 8, 0, 8))


def rsdp():
    return tag(15, b"RSD PTR \0BOCHS \2" + struct.pack("<IIQI", 0, 36, 0x310000, 0))


def plan(line, images, mmap=None, extra=b""):
    modules, data = lay_out(images)
    info = information(line, modules, mmap or MMAP, extra)
    return struct.pack("<H", len(info)) + info + data


def plan_seeds():
    head, end = "geolaunch-stage 1 policy=halt hypervisor=", " nv=0x01c10110,nv,22,any halt=poweroff,5"
    full = [(bzimage(), "quiet"), (b"initrd", ""), (b"vmm" * 99, "/usr/bin/vmm"), (b"conf", "/etc/vm.json")]
    yield "linux", plan(head + "linux modules=hypervisor" + end, [full[0]])
    yield "linux-efi", plan(head + "linux modules=hypervisor,initrd,vmm:0755,file:0644" + end, full, extra=efi() + rsdp())
    yield "linux-efi-runtime", plan(head + "linux modules=hypervisor" + end + " efi=runtime", [full[0]], extra=efi() + rsdp())
    yield "linux-initrd", plan(head + "linux modules=hypervisor,initrd" + end, full[:2])
    yield "linux-taken", plan(head + "linux modules=hypervisor" + end, [full[0]], [*MMAP, (0x201000, 0x202000, 2)])
    yield "linux-large", plan(head + "linux modules=hypervisor" + end, [(bzimage(0x4000000), "")])
    first = head + "linux modules=hypervisor" + end
    screen_map = [*MMAP, (0x80000000, 0x90000000, 2)]
    yield "linux-screen", plan(first, [full[0]], screen_map, framebuffer(0x80000000) + efi())
    yield "linux-screen-in-ram", plan(first, [full[0]], MMAP, framebuffer(0x200000))
    yield "linux-screen-text", plan(first, [full[0]], MMAP, framebuffer(0xB8000, 2))
    yield "linux-screen-wraps", plan(first, [full[0]], MMAP, framebuffer(0xFFFFFFFFFFFFF000))
    yield "linux-joined-map", plan(first, [full[0]], [(0, 0x8000, 1), (0x8000, 0x9F000, 1), *MMAP[1:], (0x400000, 0x500000, 2), (0x500000, 0x600000, 2)])
    yield "linux-long-map", plan(first, [full[0]], MMAP + [(0x10000000 + i * 0x2000, 0x10001000 + i * 0x2000, 2) for i in range(130)])
    yield "linux-cmdline", plan(first, [(bzimage(), "x" * 2048)])
    # As much memory as is needed, and a page less: then nothing of what must stay may be taken for it.
    tight = [(0x200000, 0x208000, 1), (0x300000, 0x301000, 1), (BYTES, BYTES + 0x1000, 1), (0x320000, 0x321000, 1)]
    yield "linux-just-enough", plan(first, [full[0]], [*tight, (0x330000, 0x331000, 1)])
    yield "linux-too-little", plan(first, [full[0]], tight)
    yield "linux-bad-image", plan(first, [(b"no kernel", "")])
    yield "linux-module-in-tboot", struct.pack("<H", len(information(first, [(0x100000, 4096, "")], MMAP))) + information(first, [(0x100000, 4096, "")], MMAP)
    yield "linux-info-module", plan(first, [full[0]]).replace(struct.pack("<II", BYTES, BYTES + len(bzimage())), struct.pack("<II", 0x300000, 0x301000))
    yield "many-modules", plan(first, [full[0]] + [(b"x", "")] * 32)
    yield "small-module", plan(first, [(b"", "")])
    yield "no-memory-map", plan(first, [full[0]], [(0, 0x1000, 2)])
    yield "efi-32", plan(first, [full[0]], MMAP, tag(11, struct.pack("<I", 0x310100)) + rsdp())
    both = [(xen(), "console=com1"), (bytes(5000), "console=hvc0"), *full[1:]]
    yield "xen", plan(head + "xen modules=hypervisor,kernel,initrd,vmm:0755,file:0644" + end, both, extra=rsdp())
    yield "xen-relocated", plan(head + "xen modules=hypervisor,kernel" + end, [(xen(0x100000), ""), both[1]], extra=efi() + rsdp())
    yield "xen-no-rsdp", plan(head + "xen modules=hypervisor,kernel" + end, both[:2])
    yield "module-missing", plan(head + "linux modules=hypervisor,initrd" + end, [full[0]])
    yield "rules", plan(head + "linux modules=hypervisor" + end + " ", [full[0]])
    good = plan(head + "linux modules=hypervisor" + end, [full[0]])
    yield "cut", good[:100]


def event2(pcr, kind, digests, data):
    out = struct.pack("<III", pcr, kind, len(digests))
    for alg, digest in digests:
        out += struct.pack("<H", alg) + digest
    return out + struct.pack("<I", len(data)) + data


def heap(log_size=2048, algs=((4, 20), (11, 32)), version=7):
    spec = b"Spec ID Event03\0" + struct.pack("<IBBBBI", 0, 0, 2, 0, 2, len(algs)) + b"".join(struct.pack("<HH", *a) for a in algs) + b"\0"
    log = struct.pack("<II20xI", 0, 3, len(spec)) + spec
    log += event2(17, 0x402, [(a, bytes(n)) for a, n in algs], b"x") + event2(17, 0x501, [(11, b"\1" * 32)], b"")
    tables = struct.pack("<Q", 24) + bytes(16) + struct.pack("<Q", 16) + bytes(8)
    os_sinit = struct.pack("<II", version, 0) + bytes(84)
    os_sinit += struct.pack("<IIQIII", 8, 28, HEAP + 1024, log_size, 0, len(log)) + struct.pack("<II", 0, 8)
    tables += struct.pack("<Q", 8 + len(os_sinit)) + os_sinit + struct.pack("<Q", 16) + bytes(8)
    out = tables + bytes(1024 - len(tables)) + log
    return out + bytes(1024 + log_size - len(out))


def heap_seeds():
    yield "good", heap()
    yield "all-banks", heap(algs=((4, 20), (11, 32), (12, 48), (13, 64)))
    yield "full", heap(log_size=300)
    yield "one-more", heap(log_size=400)
    yield "version-5", heap(version=5)
    yield "cut", heap()[:500]


def main():
    for target, seeds in (("stage_plan", plan_seeds()), ("stage_heaplog", heap_seeds())):
        write(target, seeds)


main()
