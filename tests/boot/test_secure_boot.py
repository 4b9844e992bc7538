# SPDX-License-Identifier: BSD-3-Clause
"""
Secure Boot: one signature covers geolaunch.efi, launch description and policy, and through the policy's digests the kernel. The firmware
is OVMF with the snakeoil key of Debian's package as PK, KEK and db.
"""
import hashlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys

import pytest

import launch

sys.path.insert(0, os.path.join(launch.TOP, "qemu"))
from harness.esp import make_image  # noqa: E402  (the path comes first)
from tamper_host import Cache, Host  # noqa: E402
from tamper_txt_changes import launch_control  # noqa: E402

KEY = "/usr/share/ovmf/PkKek-1-snakeoil.key"
CERT = "/usr/share/ovmf/PkKek-1-snakeoil.pem"
APPLICATIONS = ("EFI/BOOT/BOOTX64.EFI", "EFI/geolaunch/geolaunch.efi")
INSIDE = "geolaunch: launch description and policy are those in geolaunch.efi"


def read(path):
    with open(path, "rb") as f:
        return f.read()


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    """The snakeoil key without its pass phrase."""
    path = str(tmp_path_factory.mktemp("key") / "key.pem")
    subprocess.run(["openssl", "pkey", "-in", KEY, "-passin", "pass:snakeoil", "-out", path], check=True, capture_output=True, timeout=30)
    return path


@pytest.fixture
def signed(a_launch, key):
    a_launch.build_options = ("--sign", key, "--cert", CERT)
    a_launch.manifest["policy"]["type"] = "halt"
    return a_launch


def run(one, *options, change=None):
    one.provision()
    one.build(*one.build_options)
    if change:
        change(os.path.join(one.built, "esp"))
    one.boot("--secure-boot", *options)
    return one


def expect_trusted(one):
    assert one.result["ended"] == "poweroff", one.serial[-3000:]
    assert one.verdict["verdicts"] == ["no-drtm"], one.verdict


class Layout:
    """Where the parts of a signed geolaunch.efi lie. Microsoft, PE format, "Optional header" and "Attribute certificate table"."""

    def __init__(self, data):
        self.pe, = struct.unpack_from("<I", data, 0x3C)
        self.optional = self.pe + 24
        self.checksum, self.directory = self.optional + 64, self.optional + 144
        self.certificates, self.certificates_size = struct.unpack_from("<II", data, self.directory)
        length, self.revision, self.kind = struct.unpack_from("<IHH", data, self.certificates)
        self.padding = self.certificates + length
        self.headers, self.sections = {}, {}        # name to place; to (place, size in memory, size in the file)
        table = self.optional + struct.unpack_from("<H", data, self.pe + 20)[0]
        for i in range(struct.unpack_from("<H", data, self.pe + 6)[0]):
            name, virtual, _, raw, at = struct.unpack_from("<8sIIII", data, table + 40 * i)
            name = name.rstrip(b"\0").decode()
            self.headers[name], self.sections[name] = table + 40 * i, (at, virtual, raw)

    def digested(self, data):
        """What the Authenticode digest is made of: neither checksum nor the directory entry of the certificates, nor these themselves."""
        return data[:self.checksum] + data[self.checksum + 4:self.directory] + data[self.directory + 8:self.certificates]


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


def covered(data):
    """One bit each in what the digest is made of, all over the file: name to bytes."""
    p = Layout(data)
    sections = p.sections
    launch_at, launch_size, launch_raw = sections[".launch"]
    policy_at, policy_size, policy_raw = sections[".policy"]
    assert launch_raw > launch_size and policy_raw > policy_size and sections[".reloc"][1] < sections[".reloc"][2]
    places = {
        "DOS header": 0x50, "time": p.pe + 8, "entry point": p.optional + 16, "size of the image": p.optional + 56,
        "directory entry of the relocations": p.optional + 152, "section name": p.headers[".text"],
        "size of a section": p.headers[".text"] + 8, "place of the policy in the file": p.headers[".policy"] + 20,
        "rights of a section": p.headers[".launch"] + 36, "code": sections[".text"][0] + sections[".text"][1] // 2,
        "relocations": sections[".reloc"][0] + 8, "behind the relocations": sections[".reloc"][0] + sections[".reloc"][2] - 1,
        "data": sections[".data"][0] + 0x100,
        "description": launch_at + launch_size // 2, "behind the description": launch_at + launch_raw - 1,
        "first of the policy": policy_at, "middle of the policy": policy_at + policy_size // 2,
        "last of the policy": policy_at + policy_size - 1, "behind the policy": policy_at + policy_raw - 1,
        "last before the certificates": p.certificates - 1,
    }
    bad = {name: flip(data, at) for name, at in places.items()}
    assert p.digested(data) not in map(p.digested, bad.values())
    return bad


def not_covered(data):
    """The same for what the digest leaves out, but without which the firmware does not come to a signature that fits."""
    p = Layout(data)
    places = {
        "place of the certificates": p.directory, "size of the certificates": p.directory + 4, "length of the certificate": p.certificates,
        "type of the certificate": p.certificates + 6, "certificate": p.certificates + 0x20, "signature": p.padding - 0x40,
    }
    bad = {name: flip(data, at) for name, at in places.items()} | {"one byte more": data + b"\0"}
    assert set(map(p.digested, bad.values())) == {p.digested(data)}
    return bad


def meaningless(data):
    """
    What the digest leaves out and OVMF does not mind: checksum, revision of the certificate, and what lies behind the signature in the
    certificate's place, which may be as large as you like. All at once, so none of it is looked at.
    """
    p, more = Layout(data), 4096
    assert p.padding < p.certificates + p.certificates_size == len(data) and p.revision == 0x200
    out = bytearray(data + more * b"\xa5")
    for at in (*range(p.checksum, p.checksum + 4), p.certificates + 4, p.certificates + 5, *range(p.padding, len(data))):
        out[at] ^= 0xFF
    struct.pack_into("<I", out, p.directory + 4, p.certificates_size + more)
    struct.pack_into("<I", out, p.certificates, p.padding - p.certificates + more)
    assert p.digested(bytes(out)) == p.digested(data)
    return bytes(out)


def sign(plain, key, cert, out):
    subprocess.run(["sbsign", "--key", key, "--cert", cert, "--output", out, plain], check=True, capture_output=True, timeout=60)
    with open(out, "rb") as f:
        return f.read()


def place(number):
    """Of a disk: PCI device and function. Number 0 is that of the harness, which takes what is free."""
    return 0x10 + (number - 1) // 8, (number - 1) % 8


def disk(work, number, tree):
    """QEMU's arguments for a disk with this tree, tried after those before it."""
    image = os.path.join(work, f"disk{number}.img")
    device, function = place(number)
    make_image(tree, image, work)
    return [f"--qemu-arg={a}" for a in (
        "-drive", f"file={image},format=raw,if=none,id=d{number},cache=unsafe",
        "-device", f"virtio-blk-pci,drive=d{number},bootindex={number + 1},addr={device:#x}.{function},multifunction=on")]


def tried(serial):
    """What the firmware says of each disk, in its order: (boot option, PCI device, function), None or why it was refused."""
    said = re.compile(r"BdsDxe: (loading|failed to load) (Boot[0-9A-F]{4}) .* from PciRoot\(0x0\)/Pci\(0x([0-9A-F]+),0x([0-9A-F]+)\)"
                      r"(?:: (.*))?")
    out = {}
    for what, option, device, function, why in (m.groups() for m in map(said.search, serial.splitlines()) if m):
        key = option, int(device, 16), int(function, 16)
        assert (key in out) is (what != "loading"), (what, key)
        out[key] = why.strip() if why else None
    return out


def application(work, name, data, built):
    """A tree with this geolaunch.efi and the texts of the build, but no modules: nothing of it gets far."""
    tree = os.path.join(work, name.replace(" ", "-"))
    os.makedirs(os.path.join(tree, "EFI/BOOT"))
    os.makedirs(os.path.join(tree, "EFI/geolaunch"))
    with open(os.path.join(tree, "EFI/BOOT/BOOTX64.EFI"), "wb") as f:
        f.write(data)
    for text in ("launch.conf", "policy.vlp"):
        shutil.copy(os.path.join(built, "esp/EFI/geolaunch", text), os.path.join(tree, "EFI/geolaunch", text))
    return tree


def test_signed_build_boots(signed):
    """
    A kernel without a signature of its own, and files on the disk that say something else: neither matters. Nor do the bytes of
    geolaunch.efi that mean nothing: all of them are others, and the firmware starts it as the same program, in PCR 4, too.
    """
    signed_bytes = []

    def change(esp):
        for name in ("launch.conf", "policy.vlp"):
            path = os.path.join(esp, "EFI/geolaunch", name)
            data = read(path)
            with open(path, "wb") as f:
                f.write(data.replace(b"loglevel=3", b"loglevel=7").replace(b"halt-delay 0", b"halt-delay 9") if name == "launch.conf" else b"")
        for name in APPLICATIONS:
            good = read(os.path.join(esp, name))
            signed_bytes.append(Layout(good).digested(good))
            with open(os.path.join(esp, name), "wb") as f:
                f.write(meaningless(good))
    one = run(signed, change=change)
    expect_trusted(one)
    assert one.serial.count(INSIDE) == 1
    # TCG PC Client Platform Firmware Profile 1.05, 3.3.4.5. OVMF does not measure a kernel that its own check would have refused.
    value = bytes(32)
    for event in (b"Calling EFI Application from Boot Option", bytes(4), signed_bytes[0]):
        value = hashlib.sha256(value + hashlib.sha256(event).digest()).digest()
    assert one.result["pcrs"]["sha256"]["4"].lower() == value.hex()


def test_firmware_refuses_what_is_not_signed(signed, key, tmp_path):
    """
    Many disks, one boot: the firmware tries one after the other. One changed bit in what the signature covers or in what leads to the
    signature, no signature, somebody else's: none of them runs. The last one is signed and runs, but has no description inside: it
    refuses the one beside it.
    """
    other_key, other_cert = str(tmp_path / "other.key"), str(tmp_path / "other.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", other_key, "-out", other_cert, "-subj", "/CN=other",
                    "-days", "3650"], check=True, capture_output=True, timeout=60)
    signed.provision()
    signed.build(*signed.build_options)
    good = read(os.path.join(signed.built, "esp", APPLICATIONS[0]))
    bad = covered(good) | not_covered(good) | {
        "no signature": read(launch.EFI), "another key": sign(launch.EFI, other_key, other_cert, str(tmp_path / "other.efi"))}
    last = sign(launch.EFI, key, CERT, str(tmp_path / "signed.efi"))
    disks = [*bad.items(), ("signed without description", last)]
    options = []
    for number, (name, data) in enumerate(disks[1:], 1):
        options += disk(str(tmp_path), number, application(str(tmp_path), name, data, signed.built))
    for path in APPLICATIONS:       # of the first disk
        with open(os.path.join(signed.built, "esp", path), "wb") as f:
            f.write(disks[0][1])
    signed.boot("--secure-boot", *options)
    said = tried(signed.serial)
    where = [next(iter(said))[1:], *map(place, range(1, len(disks)))]
    outcome = {key[1:]: why for key, why in said.items()}
    expected = dict.fromkeys(bad, "Access Denied") | {disks[-1][0]: None}
    assert {name: outcome.get(at, "not tried") for (name, _), at in zip(disks, where)} == expected, signed.serial
    # In the order of the disks, each by a boot option of its own.
    assert [key[1:] for key in said] == where and len({option for option, *_ in said}) == len(disks), signed.serial
    assert signed.serial.count("geolaunch 0.") == 1 and INSIDE not in signed.serial
    assert signed.result["halt"].startswith("description-unsigned"), signed.result["halt"]
    # capped: nobody takes this for a launch
    assert signed.code == 16 and signed.verdict["verdicts"][-1] == "capped", signed.verdict


def test_changed_kernel_does_not_start_whatever_the_policy(signed):
    """nonfatal lets a launch go on whose kernel is another one; Secure Boot does not."""
    def change(esp):
        path = os.path.join(esp, "EFI/geolaunch/linux")
        with open(path, "r+b") as f:
            f.seek(-100, os.SEEK_END)
            byte = f.read(1)
            f.seek(-100, os.SEEK_END)
            f.write(bytes([byte[0] ^ 1]))
    signed.manifest["policy"]["type"] = "nonfatal"
    one = run(signed, change=change)
    assert one.result["halt"].startswith("start-failed"), one.serial[-3000:]
    assert "does not accept the hypervisor image" in one.serial and one.code == 16


# ---------------------------------------------------------------- with a hypervisor that stops at once


@pytest.fixture
def a_host(tmp_path, key):
    """Makes a host with a signed build, see tamper_host.py."""
    def make(mode, hypervisor, policy, change=None):
        h = Host(Cache(tmp_path / "cache"), tmp_path, mode, hypervisor, policy)
        h.build_options, h.options = ("--sign", key, "--cert", CERT), ["--secure-boot"]
        h.make()
        if change:
            change(h)
        h.boot()
        return h
    os.makedirs(tmp_path / "cache")
    return make


def about(h):
    return h.result["ended"], h.result["halt"], h.result["facts"].get("program"), h.findings(), h.serial[-3000:]


def test_xen(a_host):
    """An ELF image that no firmware could verify: the signed policy names it and its kernel."""
    h = a_host("direct", "xen", "halt")
    assert h.result["facts"].get("started") == "xen-efi", about(h)
    assert h.verify()[0] == 10 and h.verify()[1]["verdicts"] == ["no-drtm"]


def test_txt(a_host):
    """Through tboot and stage, which the firmware never sees: trusted, and as predicted."""
    h = a_host("txt", "linux", "halt")
    assert h.result["facts"].get("started") == "linux-32", about(h)
    code, v = h.verify()
    assert (code, v["verdicts"]) == (0, ["trusted"]), v
    assert h.serial.count(INSIDE) == 1


def test_txt_with_other_programs(a_host):
    """nonfatal would let them go on, and SENTER would measure them; but they would have run."""
    def change(h):
        for name in ("tboot", "stage", "linux"):
            h.flip(name, -1)
    h = a_host("txt", "linux", "nonfatal", change)
    assert h.result["halt"].startswith("preflight") and h.result["senter"] == "not-reached", about(h)
    assert "program" not in h.result["facts"] and "TBOOT:" not in h.serial
    said = re.findall(r"^geolaunch: pre-flight (tboot-differs|secure-boot): .*\((\w+), file", h.serial, re.M)
    assert said == [("tboot-differs", "tboot"), ("secure-boot", "stage"), ("secure-boot", "hypervisor")], about(h)
    code, v = h.verify()
    assert (code, v["verdicts"], v["agree"]) == (10, ["no-drtm"], False), about(h)


@pytest.mark.parametrize("name", ["sinit", "lcp"])
def test_txt_with_other_launch_control(tmp_path, key, name):
    """tboot reads both before SENTER, and believes their lengths: bytes that nobody signed must not get there."""
    os.makedirs(tmp_path / "cache")
    h = Host(Cache(tmp_path / "cache"), tmp_path, "txt", "linux", "nonfatal")
    h.build_options, h.options = ("--sign", key, "--cert", CERT), ["--secure-boot"]
    launch_control(h)
    h.make()
    h.flip(name, -1)
    h.boot()
    assert h.result["halt"].startswith("preflight") and "TBOOT:" not in h.serial, about(h)
    assert h.serial.count("geolaunch: pre-flight file-differs: ") == 1 and f"({name}, file {name})" in h.serial, about(h)


def test_each_slot_has_its_own_signature(a_host, tmp_path):
    """Installed twice. BOOTX64.EFI leads to the current build; with one bit of it changed, the firmware refuses it and the previous one starts."""
    def change(h):
        esp = str(tmp_path / "mounted/esp")     # not beside files of a build, of which it would be taken for a folder
        os.makedirs(esp)
        launch.geolaunch("install", "--esp", esp, "--removable", h.path("built"))
        second = dict(h.manifest, hypervisor=dict(h.manifest["hypervisor"], cmdline="second"))
        with open(h.path("second.yaml"), "w", encoding="ascii") as f:
            json.dump(second, f)
        for name in os.listdir(h.path("built")):
            if not os.path.exists(h.path(name)) and os.path.isfile(h.path("built", name)):
                os.link(h.path("built", name), h.path(name))
        launch.build(h.path("second.yaml"), h.path("second"), *h.build_options)
        current = json.loads(launch.geolaunch("install", "--esp", esp, "--json", h.path("second")).stdout)["current"]
        path = os.path.join(esp, "EFI/geolaunch", current, "geolaunch.efi")
        with open(path, "rb") as f:
            data = f.read()
        with open(path, "wb") as f:
            f.write(flip(data, len(data) // 2))
        shutil.rmtree(h.path("built/esp"))
        os.rename(esp, h.path("built/esp"))
    h = a_host("direct", "linux", "halt", change)
    assert "the current build cannot be loaded" in h.serial and ", the previous one" in h.serial, about(h)
    assert h.result["facts"].get("cmdline") == "console=ttyS0 quiet", about(h)
    assert h.verify()[0] == 10 and h.verify()[1]["verdicts"] == ["no-drtm"]
