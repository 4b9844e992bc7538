# SPDX-License-Identifier: BSD-3-Clause
"""Inputs for `geolaunch build`, and its rules written down a second time with hashlib alone."""

import copy
import gzip
import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
BANKS = ["sha1", "sha256", "sha384", "sha512"]
TPM_ALG = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
POLICY_TYPE = {"nonfatal": 0, "continue": 1, "halt": 2}


# ---------------------------------------------------------------- inputs


def program(kernel):
    """The start of an EFI program, as far as anybody looks at it; a kernel has a setup header as well."""
    head = bytearray(0x400)
    head[0:2] = b"MZ"
    struct.pack_into("<I", head, 0x3C, 0x80)
    head[0x80:0x86] = b"PE\0\0\x64\x86"
    if kernel:
        head[0x202:0x206] = b"HdrS"
    return bytes(head)


def noise(seed, size):
    return hashlib.shake_128(seed.encode()).digest(size)


def make_inputs(folder):
    """Every file that the manifests of these tests name."""
    folder.mkdir()
    # sizes on both sides of the 1 MiB pieces
    (folder / "vmlinuz").write_bytes(program(True) + noise("kernel", 3 * (1 << 20) + 17))
    (folder / "initrd.img").write_bytes(noise("initrd", 1 << 20))
    (folder / "vmm").write_bytes(noise("vmm", 2 * (1 << 20) - 1))
    (folder / "vm.json").write_bytes(b"{}\n")
    (folder / "other").write_bytes(noise("other", 127))
    (folder / "geolaunch.efi").write_bytes(program(False) + noise("efi", 5000))
    for size in (1, 20, 31, 32, 33, 48, 64, 65, 4096, 4097):
        (folder / f"tag-{size}").write_bytes(noise("tag", size))
    (folder / "empty").write_bytes(b"")


def scalar(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, (int, float)) else json.dumps(value)


def to_yaml(node, indent=0):
    """Block style. Keys and values here are plain enough for it."""
    out = []
    for key, value in node.items():
        pad = " " * indent
        if isinstance(value, dict):
            out += [f"{pad}{key}:", to_yaml(value, indent + 2)]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            out.append(f"{pad}{key}:")
            for item in value:
                lines = to_yaml(item, indent + 4).split("\n")
                lines[0] = " " * (indent + 2) + "- " + lines[0].lstrip()
                out += lines
        elif isinstance(value, list):
            out.append(f"{pad}{key}: [{', '.join(map(str, value))}]")
        else:
            out.append(f"{pad}{key}: {scalar(value)}")
    return "\n".join(out)


BASE = {
    "version": 1,
    "name": "demo",
    "mode": "direct",
    "policy": {"type": "halt", "hash": "sha256"},
    "hypervisor": {"kind": "linux", "file": "vmlinuz", "cmdline": "console=ttyS0 quiet", "initrd": "initrd.img"},
    "vmm": {"file": "vmm", "path": "/usr/bin/vmm"},
    "files": [{"file": "vm.json", "path": "/etc/vm/vm.json", "mode": 600}, {"file": "other", "path": "/etc/vm/other"}],
    "geo": {"tag": {"country": "DE", "subdivision": "HE", "site": "FRA1", "latitude": 50.1109, "longitude": 8.6821}},
}


def changed(base, changes):
    """A manifest with top-level keys replaced, or removed if None."""
    m = copy.deepcopy(base)
    for key, value in changes.items():
        if value is None:
            m.pop(key, None)
        else:
            m[key] = value
    return m


def variant(**changes):
    return changed(BASE, changes)


def run(*args, cwd=None, env=None, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k != "GEOLAUNCH_EFI"}
    environment.update(env or {})
    return subprocess.run([GEOLAUNCH, *map(str, args)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, **kwargs)


def build(inputs, manifest, *args, out="out"):
    text = manifest if isinstance(manifest, str) else to_yaml(manifest) + "\n"
    (inputs / "host.yaml").write_text(text)
    return run("build", "host.yaml", "-o", out, "--efi", "geolaunch.efi", *args, cwd=inputs)


def refused(result, code, words):
    assert result.returncode == code
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""


# ---------------------------------------------------------------- an independent model


def h(bank, *parts):
    return hashlib.new(bank, b"".join(parts)).digest()


def geo_tag(tag):
    coordinates = "latitude" in tag
    degrees = [round(tag.get(k, 0) * 10**7) for k in ("latitude", "longitude")]
    return struct.pack(
        "<4sHH2s4sHii40s", b"GEO1", 64, int(coordinates), tag["country"].encode(), tag.get("subdivision", "").encode(), 0,
        *degrees, tag.get("site", "").encode())


class Model:
    """The rules, written down a second time: launch description, policy, events, PCRs."""

    START = 0xFF

    def __init__(self, manifest, folder):
        self.m = manifest
        self.folder = folder
        self.hash = manifest["policy"].get("hash", "sha256")
        self.banks = self.all_banks()
        self.modules = self.list_modules()
        self.description = self.describe()
        self.geo = self.geo_content()
        self.policy = self.make_policy()
        self.events = []
        self.pcrs = {b: {p: bytes([self.START]) * hashlib.new(b).digest_size for p in range(17, 23)} for b in self.banks}
        self.launch()

    def all_banks(self):
        return [b for b in BANKS if b in self.m.get("banks", BANKS)]

    def list_modules(self):
        """role, name on the ESP, content, command line, PCR, lines of the description"""
        hv = self.m["hypervisor"]
        out = []

        def add(role, name, file, cmdline, pcr, lines):
            content = (self.folder / file).read_bytes()
            if name == "xen" and content[:2] == b"\x1f\x8b":
                content = gzip.decompress(content)
            out.append((role, name, content, cmdline.encode(), pcr, lines))

        def add_program(role, name, given):
            cmdline = given.get("cmdline", "")
            add(role, name, given["file"], cmdline, hv.get("pcr", 19), [f"cmdline {cmdline}"] if cmdline else [])

        add_program("hypervisor", hv["kind"], hv)
        if "kernel" in hv:
            add_program("kernel", "kernel", hv["kernel"])
        if "initrd" in hv:
            add("initrd", "initrd", hv["initrd"], "", hv.get("pcr", 19), [])
        members = [("vmm", "vmm", self.m["vmm"], 755, 20)] if "vmm" in self.m else []
        members += [("file", f"file-{i}", f, 644, 21) for i, f in enumerate(self.m.get("files", []))]
        for role, name, f, mode, pcr in members:
            add(role, name, f["file"], f["path"], f.get("pcr", pcr), [f"path {f['path']}", f"mode {f.get('mode', mode):04d}"])
        return out

    def describe(self):
        lines = ["geolaunch 1", "mode direct", "policy policy.vlp", f"on-halt {self.m.get('on_halt', 'poweroff')}",
                 f"halt-delay {self.m.get('halt_delay', 5)}"]
        for role, name, _, _, _, more in self.modules:
            lines += [f"module {role}", *(["kind xen"] if name == "xen" else []), f"file {name}", *more]
        return "".join(line + "\n" for line in [*lines, "end"]).encode()

    def geo_content(self):
        geo = self.m.get("geo")
        if geo is None:
            return None
        return geo_tag(geo["tag"]) if "tag" in geo else (self.folder / geo["file"]).read_bytes()

    def nv_digest(self, bank):
        if self.m["geo"].get("kind") == "nv_raw" and len(self.geo) == hashlib.new(bank).digest_size:
            return self.geo
        return h(bank, self.geo)

    @staticmethod
    def module_digest(bank, content, cmdline):
        return h(bank, h(bank, cmdline), h(bank, content))

    def entry_zero(self):
        return struct.pack("<BBBIB", 0, 255, 0, 0, 0)

    def make_policy(self):
        entries = [self.entry_zero()]
        for i, (_, _, content, cmdline, pcr, _) in enumerate(self.modules):
            entries.append(struct.pack("<BBBIB", i + 1, pcr, 1, 0, 1) + self.module_digest(self.hash, content, cmdline))
        if self.geo is not None:
            geo = self.m["geo"]
            verify = geo.get("verify", True)
            entries.append(struct.pack("<BBBIB", 131 if geo.get("kind") == "nv_raw" else 130, geo.get("pcr", 22), int(verify),
                                       geo.get("index", 0x01C10110), int(verify)) + (self.nv_digest(self.hash) if verify else b""))
        head = struct.pack("<BBBIIB", 2, POLICY_TYPE[self.m["policy"]["type"]], TPM_ALG[self.hash], 1, 0, len(entries))
        return head + b"".join(entries)

    def extend(self, pcr, kind, type_name, name, digest):
        digests = {b: digest(b) for b in self.banks}
        self.events.append((pcr, kind, type_name, name, {b: d.hex() for b, d in digests.items()}))
        for b in self.banks:
            self.pcrs[b][pcr] = h(b, self.pcrs[b][pcr], digests[b])

    def launch(self):
        for pcr in (17, 18):
            self.extend(pcr, 0x5A0, "EV_GEOLAUNCH_POLICY", "policy", lambda b: h(b, struct.pack("<I", 1), h(b, self.policy)))
        self.extend(17, 0x5A1, "EV_GEOLAUNCH_MODULE", "module 0 description launch.conf",
                    lambda b: self.module_digest(b, self.description, b""))
        for i, (role, name, content, cmdline, pcr, _) in enumerate(self.modules):
            self.extend(pcr, 0x5A1, "EV_GEOLAUNCH_MODULE", f"module {i + 1} {role} {name}",
                        lambda b, content=content, cmdline=cmdline: self.module_digest(b, content, cmdline))
        self.measure_rest()

    def measure_rest(self):
        """Geo tag and closing event."""
        if self.geo is not None:
            geo = self.m["geo"]
            kind = "nv-raw" if geo.get("kind") == "nv_raw" else "nv"
            self.extend(geo.get("pcr", 22), 0x5A2, "EV_GEOLAUNCH_NV", f"{kind} 0x{geo.get('index', 0x01C10110):08x}", self.nv_digest)
        before = copy.deepcopy(self.pcrs)
        self.extend(17, 0x5A3, "EV_GEOLAUNCH_CLOSING", "closing", lambda b: h(b, *(before[b][p] for p in range(19, 23))))
