# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build`: what it writes, what it predicts (recomputed here with hashlib alone), and how it refuses."""

import copy
import hashlib
import json
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
BANKS = ["sha1", "sha256", "sha384", "sha512"]
TPM_ALG = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}
POLICY_TYPE = {"nonfatal": 0, "continue": 1, "halt": 2}
MAX_VLP = 2124


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


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / "in"
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
    return folder


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


def variant(**changes):
    """BASE with top-level keys replaced, or removed if None."""
    m = copy.deepcopy(BASE)
    for key, value in changes.items():
        if value is None:
            m.pop(key, None)
        else:
            m[key] = value
    return m


def run(*args, cwd=None, env=None, **kwargs):
    environment = {k: v for k, v in os.environ.items() if k != "GEOLAUNCH_EFI"}
    environment.update(env or {})
    return subprocess.run([GEOLAUNCH, *map(str, args)], cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, **kwargs)


def build(inputs, manifest, *args, out="out"):
    text = manifest if isinstance(manifest, str) else to_yaml(manifest) + "\n"
    (inputs / "host.yaml").write_text(text)
    return run("build", "host.yaml", "-o", out, "--efi", "geolaunch.efi", *args, cwd=inputs)


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

    def __init__(self, manifest, folder):
        self.m = manifest
        self.folder = folder
        self.hash = manifest["policy"].get("hash", "sha256")
        self.banks = [b for b in BANKS if b in manifest.get("banks", BANKS)]
        self.modules = self.list_modules()
        self.description = self.describe()
        self.geo = self.geo_content()
        self.policy = self.make_policy()
        self.events = []
        self.pcrs = {b: {p: b"\xff" * hashlib.new(b).digest_size for p in range(17, 23)} for b in self.banks}
        self.launch()

    def list_modules(self):
        """role, name on the ESP, content, command line, PCR, lines of the description"""
        hv = self.m["hypervisor"]
        out = []

        def add(role, name, file, cmdline, pcr, lines):
            out.append((role, name, (self.folder / file).read_bytes(), cmdline.encode(), pcr, lines))

        cmdline = hv.get("cmdline", "")
        add("hypervisor", "linux", hv["file"], cmdline, hv.get("pcr", 19), [f"cmdline {cmdline}"] if cmdline else [])
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
            lines += [f"module {role}", f"file {name}", *more]
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

    def make_policy(self):
        entries = [struct.pack("<BBBIB", 0, 255, 0, 0, 0)]
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
        if self.geo is not None:
            geo = self.m["geo"]
            kind = "nv-raw" if geo.get("kind") == "nv_raw" else "nv"
            self.extend(geo.get("pcr", 22), 0x5A2, "EV_GEOLAUNCH_NV", f"{kind} 0x{geo.get('index', 0x01C10110):08x}", self.nv_digest)
        before = copy.deepcopy(self.pcrs)
        self.extend(17, 0x5A3, "EV_GEOLAUNCH_CLOSING", "closing", lambda b: h(b, *(before[b][p] for p in range(19, 23))))


NO_INITRD = {"kind": "linux", "file": "vmlinuz"}
GOOD = {
    "full": BASE,
    "nonfatal": variant(policy={"type": "nonfatal"}),
    "continue": variant(policy={"type": "continue", "hash": "sha384"}),
    "sha1": variant(policy={"type": "halt", "hash": "sha1"}),
    "sha512": variant(policy={"type": "halt", "hash": "sha512"}),
    "policy hash is no bank": variant(policy={"type": "halt", "hash": "sha512"}, banks=["sha384", "sha1"]),
    "one bank": variant(banks=["sha256"]),
    "kernel only": variant(hypervisor=NO_INITRD, vmm=None, files=None, geo=None, name=None),
    "empty cmdline": variant(hypervisor={**NO_INITRD, "cmdline": ""}, vmm=None, files=None),
    "no vmm": variant(vmm=None),
    "no files": variant(files=None),
    "empty list of files": variant(files=[]),
    "no geo": variant(geo=None),
    "halt": variant(on_halt="return", halt_delay=0),
    "halt delay": variant(halt_delay=300),
    "other PCRs": variant(hypervisor={**BASE["hypervisor"], "pcr": 18}, vmm={**BASE["vmm"], "pcr": 22}, geo={"file": "tag-32", "pcr": 17}),
    "longest cmdline": variant(hypervisor={**BASE["hypervisor"], "cmdline": "x" * 2047}),
    "tag, country only": variant(geo={"tag": {"country": "FR"}}),
    "tag, south and west": variant(geo={"tag": {"country": "AR", "latitude": -34.6036844, "longitude": -58.3815591}}),
    "tag, raw": variant(geo={"kind": "nv_raw", "tag": BASE["geo"]["tag"]}, policy={"type": "halt", "hash": "sha512"}),
    "measured only": variant(geo={"file": "tag-20", "verify": False, "index": 0x01800001}),
    **{f"nv {n}": variant(geo={"file": f"tag-{n}"}) for n in (1, 20, 64, 4096)},
    **{f"nv_raw {n} {a}": variant(geo={"kind": "nv_raw", "file": f"tag-{n}"}, policy={"type": "halt", "hash": a})
       for n, a in ((32, "sha256"), (32, "sha1"), (48, "sha384"), (48, "sha256"), (64, "sha512"))},
}


@pytest.mark.parametrize("name", GOOD)
def test_prediction(inputs, name):
    """Every byte of description and policy, every event and every final value, in every bank."""
    manifest = GOOD[name]
    result = build(inputs, manifest)
    assert (result.returncode, result.stderr) == (0, "")
    model = Model(manifest, inputs)
    esp = inputs / "out/esp/EFI/geolaunch"
    assert (esp / "launch.conf").read_bytes() == model.description
    assert (esp / "policy.vlp").read_bytes() == model.policy

    expected = json.loads((inputs / "out/expected.json").read_text())
    assert expected["banks"] == model.banks
    got = [(e["pcr"], e["type"], e["type_name"], e["name"], e["digests"]) for e in expected["events"]]
    assert got == model.events
    assert expected["pcrs"] == {b: {str(p): v.hex() for p, v in values.items()} for b, values in model.pcrs.items()}
    assert expected["name"] == manifest.get("name", "host")
    assert (expected["format"], expected["mode"], expected["drtm"]) == ("geolaunch-expected-1", "direct", False)
    assert expected["policy"] == {"type": manifest["policy"]["type"], "hash": model.hash}
    assert expected["country"] == manifest.get("geo", {}).get("tag", {}).get("country")


def test_tree(inputs):
    assert build(inputs, BASE).returncode == 0
    out = inputs / "out"
    esp = out / "esp/EFI"
    copies = {
        esp / "BOOT/BOOTX64.EFI": "geolaunch.efi", esp / "geolaunch/geolaunch.efi": "geolaunch.efi", esp / "geolaunch/linux": "vmlinuz",
        esp / "geolaunch/initrd": "initrd.img", esp / "geolaunch/vmm": "vmm", esp / "geolaunch/file-0": "vm.json",
        esp / "geolaunch/file-1": "other",
    }
    for copied, source in copies.items():
        assert copied.read_bytes() == (inputs / source).read_bytes()
    made = {out / "expected.json", esp / "geolaunch/launch.conf", esp / "geolaunch/policy.vlp"}
    assert {p for p in out.rglob("*") if p.is_file()} == made | copies.keys()


def test_provenance(inputs):
    assert build(inputs, BASE).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert [(e["provenance"]["kind"], e["provenance"]["from"]) for e in events] == [
        ("computed", ["policy.vlp"]), ("computed", ["policy.vlp"]), ("computed", ["launch.conf"]), ("computed", ["vmlinuz"]),
        ("computed", ["initrd.img"]), ("computed", ["vmm"]), ("computed", ["vm.json"]), ("computed", ["other"]), ("given", ["geo.tag"]),
        ("computed", ["PCR 19", "PCR 20", "PCR 21", "PCR 22"])]


def test_provenance_of_geo_file(inputs):
    assert build(inputs, variant(geo={"file": "tag-32"})).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert events[-2]["provenance"] == {"kind": "computed", "from": ["tag-32"]}


def test_country_from_file(inputs):
    """A file that holds a record of ours tells its country like a tag in the manifest."""
    (inputs / "record").write_bytes(geo_tag({"country": "CH"}))
    assert build(inputs, variant(geo={"file": "record"})).returncode == 0
    assert json.loads((inputs / "out/expected.json").read_text())["country"] == "CH"


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_deterministic(inputs, tmp_path):
    """Neither the place nor the time nor the way it is called changes a byte."""
    assert build(inputs, BASE).returncode == 0
    other = tmp_path / "elsewhere"
    other.mkdir()
    for f in inputs.iterdir():
        if f.is_file():
            (other / f.name).write_bytes(f.read_bytes())
            os.utime(other / f.name, (1, 1))
    result = run("build", "--json", "-o", other / "result/", other / "host.yaml", "--efi", other / "geolaunch.efi", cwd="/",
                 env={"TZ": "Asia/Tokyo", "LC_ALL": "C"})
    assert result.returncode == 0
    assert contents(inputs / "out") == contents(other / "result")


def test_key_order(inputs):
    assert build(inputs, BASE).returncode == 0
    top = json.loads((inputs / "out/expected.json").read_text(), object_pairs_hook=list)
    assert [k for k, _ in top] == ["format", "name", "mode", "drtm", "country", "policy", "banks", "events", "pcrs"]
    event = dict(top)["events"][0]
    assert [k for k, _ in event] == ["pcr", "type", "type_name", "name", "digests", "provenance"]
    assert [k for k, _ in dict(event)["digests"]] == BANKS


def test_json_summary(inputs):
    result = build(inputs, BASE, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    summary = json.loads(result.stdout)
    model = Model(BASE, inputs)
    assert summary["pcrs"] == json.loads((inputs / "out/expected.json").read_text())["pcrs"]
    assert summary["country"] == "DE" and summary["drtm"] is False and summary["policy"]["size"] == len(model.policy)
    assert [(m["number"], m["role"], m["file"], m["from"], m["pcr"]) for m in summary["modules"]] == [
        (0, "description", "launch.conf", None, 17), (1, "hypervisor", "linux", "vmlinuz", 19), (2, "initrd", "initrd", "initrd.img", 19),
        (3, "vmm", "vmm", "vmm", 20), (4, "file", "file-0", "vm.json", 21), (5, "file", "file-1", "other", 21)]
    assert [m["digests"]["sha256"] for m in summary["modules"]] == [d["sha256"] for _, kind, _, _, d in model.events if kind == 0x5A1]
    assert summary["geo"]["content"] == model.geo.hex()
    assert summary["efi"]["digests"]["sha256"] == h("sha256", (inputs / "geolaunch.efi").read_bytes()).hex()


def test_summary(inputs):
    result = build(inputs, BASE)
    model = Model(BASE, inputs)
    for pcr in range(17, 23):
        assert f"PCR {pcr}  {model.pcrs['sha256'][pcr].hex()}\n" in result.stdout
    for _, kind, _, name, digests in model.events:
        if kind == 0x5A1:
            assert digests["sha256"][:16] in result.stdout and name.split()[-1] in result.stdout
    assert "country DE" in result.stdout and "no D-RTM" in result.stdout


def test_summary_if_policy_hash_is_no_bank(inputs):
    manifest = variant(banks=["sha512", "sha384"])
    result = build(inputs, manifest)
    assert result.returncode == 0
    assert f"PCR 17  {Model(manifest, inputs).pcrs['sha384'][17].hex()}\n" in result.stdout


# ---------------------------------------------------------------- refusals


HEAD = "version: 1\nmode: direct\npolicy: {type: halt}\n"
HV = "hypervisor: {kind: linux, file: vmlinuz, initrd: initrd.img}\n"

# name: (manifest, words of the message). The marker @ stands at the start of the line that must be named.
BAD = {
    "unknown key": (HEAD + HV + "@hypervizor: 1\n", 'unknown key "hypervizor" in the manifest'),
    "unknown key below": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  foo: 1\n", 'unknown key "foo" in hypervisor'),
    "unknown key in a file": (HEAD + HV + "files:\n  - file: vm.json\n    path: /a\n@    owner: root\n", 'unknown key "owner"'),
    "unknown key in the tag": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    city: X\n", 'unknown key "city" in tag'),
    "merge key": (HEAD + HV + "@<<: {name: x}\n", 'unknown key "<<"'),
    "key twice": (HEAD + HV + "name: a\n@name: b\n", 'key "name" is given twice'),
    "key twice below": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  file: other\n", 'key "file" is given twice in hypervisor'),
    "file not there": (HEAD + HV + "files:\n@  - file: nowhere\n    path: /a\n", 'cannot use "nowhere" (No such file or directory)'),
    "kernel not there": (HEAD + "hypervisor:\n  kind: linux\n@  file: nowhere\n", 'cannot use "nowhere"'),
    "initrd not there": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  initrd: nowhere\n", 'cannot use "nowhere"'),
    "geo file not there": (HEAD + HV + "geo:\n@  file: nowhere\n", 'cannot use "nowhere"'),
    "file is a directory": (HEAD + HV + "vmm:\n@  file: .\n  path: /a\n", "not a regular file"),
    "file is a device": (HEAD + HV + "vmm:\n@  file: /dev/zero\n  path: /a\n", "not a regular file"),
    "empty file": (HEAD + HV + "vmm:\n@  file: empty\n  path: /a\n", "the file is empty"),
    "empty geo file": (HEAD + HV + "geo:\n@  file: empty\n", "the file is empty"),
    "path twice": (HEAD + HV + "vmm: {file: vmm, path: /a/b}\nfiles:\n  - file: vm.json\n@    path: /a/b\n", 'path "/a/b" is given twice, also on line 5'),
    "path below a file": (HEAD + HV + "vmm: {file: vmm, path: /a}\nfiles:\n  - file: vm.json\n@    path: /a/b\n", "cannot both be files"),
    "path above a file": (HEAD + HV + "vmm: {file: vmm, path: /a/b}\nfiles:\n  - file: vm.json\n@    path: /a\n", "cannot both be files"),
    **{f"path {p}": (HEAD + HV + f"vmm:\n  file: vmm\n@  path: {p}\n", "is not absolute and normalised")
       for p in ("a/b", "/", "//a", "/a/", "/a//b", "/a/./b", "/../a", "/a/..", "/TRAILER!!!")},
    "path too long": (HEAD + HV + f"vmm:\n  file: vmm\n@  path: /{'a' * 255}\n", "at most 255"),
    **{f"pcr {p}": (HEAD + HV + f"vmm:\n  file: vmm\n  path: /a\n@  pcr: {p}\n", f"PCR {p} cannot hold") for p in (0, 16, 23, 24, 255)},
    "pcr no number": (HEAD + HV + "vmm:\n  file: vmm\n  path: /a\n@  pcr: x\n", '"pcr" is no number'),
    "pcr negative": (HEAD + HV + "vmm:\n  file: vmm\n  path: /a\n@  pcr: -1\n", '"pcr" is no number'),
    "pcr quoted": (HEAD + HV + 'vmm:\n  file: vmm\n  path: /a\n@  pcr: "20"\n', '"pcr" is text'),
    "pcr of hypervisor": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  pcr: 14\n", "PCR 14 cannot hold"),
    "pcr of geo": (HEAD + HV + "geo:\n  file: tag-32\n@  pcr: 23\n", "PCR 23 cannot hold"),
    "version 2": ("@version: 2\nmode: direct\npolicy: {type: halt}\n" + HV, '"version" is out of range: 2'),
    "version huge": ("@version: 99999999999999999999\nmode: direct\npolicy: {type: halt}\n" + HV, '"version" is no number'),
    "no version": ("@mode: direct\npolicy: {type: halt}\n" + HV, 'the manifest has no "version"'),
    "no policy": ("@version: 1\nmode: direct\n" + HV, 'the manifest has no "policy"'),
    "no hypervisor": ("@version: 1\nmode: direct\npolicy: {type: halt}\n", 'the manifest has no "hypervisor"'),
    "no path": (HEAD + HV + "vmm:\n@  file: vmm\n", 'vmm has no "path"'),
    "mode txt": ("version: 1\n@mode: txt\npolicy: {type: halt}\n" + HV, '"mode" cannot be "txt"'),
    "policy type": ("version: 1\nmode: direct\npolicy:\n@  type: stop\n" + HV, '"type" cannot be "stop"'),
    "policy hash": ("version: 1\nmode: direct\npolicy:\n  type: halt\n@  hash: md5\n" + HV, '"hash" cannot be "md5"'),
    "policy is text": ("version: 1\nmode: direct\n@policy: halt\n" + HV, "policy is no mapping"),
    "hypervisor kind": (HEAD + "hypervisor:\n@  kind: xen\n  file: vmlinuz\n", '"kind" cannot be "xen"'),
    "name too long": (HEAD + HV + f"@name: {'n' * 65}\n", '"name" has 65 characters, at most 64'),
    "name empty": (HEAD + HV + '@name: ""\n', '"name" is empty'),
    "name forgotten": (HEAD + HV + "@name:\n", '"name" has no value'),
    "name null": (HEAD + HV + "@name: null\n", '"name" has no value'),
    "name is a list": (HEAD + HV + "@name: [a]\n", '"name" is no single value'),
    "name not ASCII": (HEAD + HV + "@name: Köln\n", '"name" holds the byte 0xc3'),
    "name with an escape": (HEAD + HV + '@name: "a\\x1b[2J"\n', '"name" holds the byte 0x1b'),
    "name with NUL": (HEAD + HV + '@name: "a\\0b"\n', '"name" holds a NUL'),
    "key is a list": (HEAD + HV + "@? [a]\n: 1\n", '"key" is no single value'),
    "tagged value": (HEAD + HV + "@name: !!binary aGFsbG8=\n", "a YAML tag"),
    "tagged mapping": (HEAD + "@hypervisor: !hv {kind: linux, file: vmlinuz}\n", "a YAML tag"),
    "second document": (HEAD + HV + "---\n@name: x\n", "a second YAML document"),
    "cmdline too long": (HEAD + f"hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: {'x' * 2048}\n", "at most 2047"),
    "cmdline with a line feed": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: |\n    a\n", '"cmdline" holds the byte 0x0a'),
    "cmdline with initrd=": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: quiet initrd=x\n", "that nobody measures"),
    "vmm without initrd": (HEAD + "hypervisor: {kind: linux, file: vmlinuz}\nvmm:\n@  file: vmm\n  path: /a\n", "the hypervisor has none"),
    "files without initrd": (HEAD + "hypervisor: {kind: linux, file: vmlinuz}\nfiles:\n@  - file: vmm\n    path: /a\n", "the hypervisor has none"),
    **{f"mode {m}": (HEAD + HV + f"vmm:\n  file: vmm\n  path: /a\n@  mode: {m}\n", f'"mode" cannot be "{m}"')
       for m in ("0888", "4755", "rwx", "07", "00755", "-644")},
    "banks empty": (HEAD + HV + "@banks: []\n", '"banks" is empty'),
    "banks twice": (HEAD + HV + "banks:\n  - sha1\n@  - sha1\n", "bank sha1 is given twice"),
    "banks unknown": (HEAD + HV + "banks:\n  - sha1\n@  - sm3_256\n", '"banks" cannot be "sm3_256"'),
    "banks no list": (HEAD + HV + "@banks: sha1\n", '"banks" is no list'),
    "files no list": (HEAD + HV + "@files: {file: a, path: /a}\n", '"files" is no list'),
    "files of text": (HEAD + HV + "files:\n@  - vm.json\n", "an entry of files is no mapping"),
    "on_halt": (HEAD + HV + "@on_halt: reboot\n", '"on_halt" cannot be "reboot"'),
    "halt_delay": (HEAD + HV + "@halt_delay: 301\n", '"halt_delay" is out of range'),
    "geo of TPM 1.2": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x40000010\n", "one of TPM 1.2"),
    "geo no NV index": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x81000001\n", "is no NV index"),
    "geo index too large": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x101c10110\n", '"index" is out of range'),
    "geo kind": (HEAD + HV + "geo:\n  file: tag-32\n@  kind: raw\n", '"kind" cannot be "raw"'),
    "geo verify": (HEAD + HV + "geo:\n  file: tag-32\n@  verify: yes\n", '"verify" cannot be "yes"'),
    "geo both": (HEAD + HV + "geo:\n@  file: tag-32\n  tag: {country: DE}\n", 'both "file" and "tag"'),
    "geo neither": (HEAD + HV + "geo:\n@  verify: true\n", 'neither "file" nor "tag"'),
    "geo too large": (HEAD + HV + "geo:\n@  file: tag-4097\n", "larger than 4096 bytes"),
    **{f"geo raw {n}": (HEAD + HV + f"geo:\n  kind: nv_raw\n@  file: tag-{n}\n", f"has {n} bytes, but nv_raw") for n in (1, 20, 31, 33, 65)},
    "tag without country": (HEAD + HV + "geo:\n  tag:\n@    site: FRA1\n", 'tag has no "country"'),
    "tag country": (HEAD + HV + "geo:\n  tag:\n@    country: de\n", "tag is wrong"),
    "tag country too long": (HEAD + HV + "geo:\n  tag:\n@    country: DEU\n", "at most 2"),
    "tag site too long": (HEAD + HV + f"geo:\n  tag:\n    country: DE\n@    site: {'s' * 41}\n", "at most 40"),
    "tag latitude alone": (HEAD + HV + "geo:\n  tag:\n@    country: DE\n    latitude: 1\n", "only one of latitude and longitude"),
    "tag latitude": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    latitude: 90.0000001\n    longitude: 1\n", '"latitude" cannot be'),
    "tag longitude": (HEAD + HV + "geo:\n  tag:\n    country: DE\n    latitude: 1\n@    longitude: -180.1\n", '"longitude" cannot be'),
    "tag too precise": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    latitude: 1.00000001\n    longitude: 1\n", '"latitude" cannot be'),
    "kernel is a gzip": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.gz\n", "compressed with gzip"),
    "kernel is an ELF": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.elf\n", "is an ELF file"),
    "kernel is text": (HEAD + "hypervisor:\n  kind: linux\n@  file: vm.json\n", "is no Linux kernel"),
    "kernel is no Linux": (HEAD + "hypervisor:\n  kind: linux\n@  file: geolaunch.efi\n", "an EFI program, but no Linux kernel"),
    "kernel without stub": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.nostub\n", "is no Linux kernel with an EFI stub"),
    "kernel for another machine": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.arm64\n", "is no Linux kernel with an EFI stub for x86-64"),
    "no YAML": (HEAD + "hypervisor: {kind: linux\n@", "not YAML"),
    "a tab": (HEAD + "hypervisor:\n@\tkind: linux\n", "not YAML"),
    "empty manifest": ("@", "the file has no content"),
    "manifest of text": ("@hello\n", "the manifest is no mapping"),
    "manifest is a list": ("@- 1\n", "the manifest is no mapping"),
    "alias to itself": (HEAD + HV + "@files: &f\n  - *f\n", "an entry of files is no mapping"),
    "policy too large": ("version: 1\nmode: direct\npolicy:\n@  type: halt\n  hash: sha512\n" + HV + "files:\n" + "".join(
        f"  - {{file: vm.json, path: /{i}}}\n" for i in range(40)), "the policy is larger than 2124 bytes"),
    "too many modules": ("version: 1\nmode: direct\npolicy: {type: halt, hash: sha1}\n" + HV + "files:\n" + "".join(
        f"{'@' if i == 125 else ''}  - {{file: vm.json, path: /{i}}}\n" for i in range(126)), "more than 127 modules"),
}


@pytest.mark.parametrize("name", BAD)
def test_refusal(inputs, name):
    """One line that names the place, the documented exit code, and nothing written."""
    kernel = bytearray(program(True))
    (inputs / "kernel.gz").write_bytes(b"\x1f\x8b\x08" + bytes(100))
    (inputs / "kernel.elf").write_bytes(b"\x7fELF" + bytes(100))
    (inputs / "kernel.nostub").write_bytes(bytes(2) + kernel[2:])
    kernel[0x84:0x86] = b"\x64\xaa"
    (inputs / "kernel.arm64").write_bytes(kernel)
    text, words = BAD[name]
    line = text[: text.index("@")].count("\n") + 1
    (inputs / "host.yaml").write_text("")
    before = sorted(p.name for p in inputs.iterdir())
    result = build(inputs, text.replace("@", ""))
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.startswith("geolaunch build: ") and result.stderr.count("\n") == 1 and result.stderr.endswith("\n")
    assert words in result.stderr
    assert f": host.yaml:{line}: " in result.stderr
    assert len(result.stderr.split(f": host.yaml:{line}: ")[1]) > 4  # what to do
    assert sorted(p.name for p in inputs.iterdir()) == before


def test_largest_policy(inputs):
    """At the limit of what tboot's NV buffer takes: 52 entries of SHA-256 fit, one more does not."""
    def many(n):
        return variant(vmm=None, geo=None, files=[{"file": "vm.json", "path": f"/{i}"} for i in range(n)])

    fitting = (MAX_VLP - 12 - 8) // (8 + 32) - 2
    assert build(inputs, many(fitting)).returncode == 0
    assert MAX_VLP - 40 < len((inputs / "out/esp/EFI/geolaunch/policy.vlp").read_bytes()) <= MAX_VLP
    assert build(inputs, many(fitting + 1), out="more").returncode == 3
    assert not (inputs / "more").exists()


def refused(result, code, words):
    assert result.returncode == code
    assert words in result.stderr and result.stderr.count("\n") == 1
    assert result.stdout == ""


def test_manifest_not_there(inputs):
    refused(run("build", "nowhere.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs), 1, "cannot open: nowhere.yaml")


def test_manifest_too_large(inputs):
    refused(build(inputs, "#" * ((1 << 20) + 1)), 3, "file is larger than 1048576 bytes: host.yaml")


def test_not_utf8(inputs):
    (inputs / "host.yaml").write_bytes(b"name: \xff\n")
    refused(run("build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs), 3, "not YAML")


def test_efi_not_there(inputs):
    (inputs / "host.yaml").write_text(to_yaml(BASE))
    refused(run("build", "host.yaml", "-o", "out", "--efi", "nowhere.efi", cwd=inputs), 3, "nowhere.efi: name geolaunch.efi with --efi")
    refused(run("build", "host.yaml", "-o", "out", "--efi", "vm.json", cwd=inputs), 3, "no EFI application")
    assert not (inputs / "out").exists()


def test_efi_from_environment(inputs):
    (inputs / "host.yaml").write_text(to_yaml(BASE))
    assert run("build", "host.yaml", "-o", "out", cwd=inputs, env={"GEOLAUNCH_EFI": str(inputs / "geolaunch.efi")}).returncode == 0
    refused(run("build", "host.yaml", "-o", "more", cwd=inputs, env={"GEOLAUNCH_EFI": "nowhere.efi"}), 3, "nowhere.efi")
    # --efi wins
    assert run("build", "host.yaml", "-o", "more", "--efi", "geolaunch.efi", cwd=inputs, env={"GEOLAUNCH_EFI": "nowhere.efi"}).returncode == 0


# ---------------------------------------------------------------- all or nothing


def test_output_exists(inputs):
    (inputs / "out").mkdir()
    refused(build(inputs, BASE), 2, "it exists already: out")
    assert list((inputs / "out").iterdir()) == []


def test_force_replaces(inputs):
    assert build(inputs, BASE).returncode == 0
    before = contents(inputs / "out")
    other = variant(name="other", vmm=None)
    refused(build(inputs, other), 2, "it exists already")
    assert contents(inputs / "out") == before
    names = sorted(p.name for p in inputs.iterdir())
    assert build(inputs, other, "--force").returncode == 0
    assert json.loads((inputs / "out/expected.json").read_text())["name"] == "other"
    assert not (inputs / "out/esp/EFI/geolaunch/vmm").exists()
    assert sorted(p.name for p in inputs.iterdir()) == names


def test_force_without_an_old_one(inputs):
    assert build(inputs, BASE, "--force").returncode == 0


def test_force_keeps_the_old_one_on_failure(inputs):
    assert build(inputs, BASE).returncode == 0
    before = contents(inputs / "out")
    assert build(inputs, variant(vmm={"file": "nowhere", "path": "/a"}), "--force").returncode == 3
    assert contents(inputs / "out") == before


def test_force_replaces_nothing_else(inputs):
    (inputs / "home").mkdir()
    (inputs / "home/letters").write_text("dear")
    refused(build(inputs, BASE, "--force", out="home"), 2, 'it holds "letters", which no build made: home')
    assert (inputs / "home/letters").read_text() == "dear"
    refused(build(inputs, BASE, "--force", out="vm.json"), 2, "it is no directory: vm.json")
    (inputs / "real").mkdir()
    (inputs / "link").symlink_to("real")
    refused(build(inputs, BASE, "--force", out="link"), 2, "it is no directory: link")


@pytest.mark.parametrize("out", [".", "..", "/", "x/..", "x/."])
def test_output_without_a_name(inputs, out):
    (inputs / "x").mkdir()
    refused(build(inputs, BASE, "--force", out=out), 2, "this cannot be made")


def test_output_below_nothing(inputs):
    refused(build(inputs, BASE, out="nowhere/out"), 1, "nowhere/out")


def test_full_output(inputs):
    (inputs / "host.yaml").write_text(to_yaml(BASE))
    for option in ("--json", "--force"):
        with open("/dev/full", "w") as full:
            result = subprocess.run([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", "--force", option], cwd=inputs,
                                    stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        assert result.returncode == 1
        assert "standard output" in result.stderr


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal(inputs, sig):
    """Ends as the signal would have ended it, and leaves nothing behind."""
    with open(inputs / "huge", "wb") as f:
        f.truncate((1 << 32) - 1)
    manifest = variant(vmm={"file": "huge", "path": "/huge"})
    (inputs / "host.yaml").write_text(to_yaml(manifest))
    before = sorted(p.name for p in inputs.iterdir())
    process = subprocess.Popen([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi"], cwd=inputs,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 30
        while not list(inputs.glob("out.tmp-*/esp/EFI/geolaunch/vmm")):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(sig)
        assert process.wait(timeout=30) == -sig
    finally:
        process.kill()
        process.wait()
    assert sorted(p.name for p in inputs.iterdir()) == before


def test_too_large_for_fat(inputs):
    with open(inputs / "huge", "wb") as f:
        f.truncate(1 << 32)
    refused(build(inputs, variant(vmm={"file": "huge", "path": "/huge"})), 3, "larger than a FAT file system can hold")


# ---------------------------------------------------------------- the command itself


def test_help():
    for args in (("--help",), ("-h",), ("help",)):
        result = run(*args)
        assert result.returncode == 0 and result.stderr == ""
        for command in ("build", "geo", "verify", "log"):
            assert f"\n  {command} " in result.stdout
    result = run("build", "--help")
    assert result.returncode == 0 and "usage: geolaunch build" in result.stdout


def test_version():
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("geolaunch ")


@pytest.mark.parametrize("args, words", [
    ((), "no command given"),
    (("bild",), "unknown command: bild"),
    (("build",), "no manifest"),
    (("build", "a", "b", "-o", "x"), "more than one manifest"),
    (("build", "a"), "no output directory"),
    (("build", "a", "-o", ""), "no output directory"),
    (("build", "a", "-o"), "option needs a value: -o"),
    (("build", "a", "-x"), "unknown or wrong option: -x"),
    (("build", "a", "--foo"), "unknown or wrong option: --foo"),
    (("build", "a", "--json=1"), "unknown or wrong option: --json=1"),
    (("build", "a", "--efi"), "option needs a value: --efi"),
    (("build", "a\x1b[2J", "b"), "more than one manifest"),
])
def test_usage(args, words):
    result = run(*args)
    refused(result, 2, words)
    assert "--help'" in result.stderr


def test_terminal_is_safe(inputs):
    """A name with control characters is shown without them."""
    result = run("build", "a\x1b[2J\n.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs)
    refused(result, 1, "cannot open: a?[2J?.yaml")
