# SPDX-License-Identifier: BSD-3-Clause
"""An ESP and firmware variables for `geolaunch install`, and what firmware would make of them, written down a second time."""

import functools
import hashlib
import os
import re
import shutil
import struct
import subprocess

import pytest

from build_model import GEOLAUNCH, TOP, build, noise, program, variant

GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
ATTRIBUTES = 7
# of install_shim.c
PARTITION = struct.pack("<BBHIQQ16sBB", 4, 1, 42, 1, 2048, 2048, b"\x47" * 16, 2, 2)
OTHER_PARTITION = struct.pack("<BBHIQQ16sBB", 4, 1, 42, 2, 2048, 2048, b"\x48" * 16, 2, 2)


def make_shim(folder):
    out = folder / "shim.so"
    subprocess.run(["gcc", "-D_GNU_SOURCE", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-O1", "-fPIC", "-shared", "-o", str(out),
                    str(TOP / "tests/cli/install_shim.c"), "-ldl"], check=True, timeout=60)
    return out


def make_builds(folder):
    """Four builds that share no file but the smallest."""
    folder.mkdir()
    out = {}
    for name in "ABCD":
        inputs = folder / f"in-{name}"
        inputs.mkdir()
        (inputs / "vmlinuz").write_bytes(program(True) + noise("kernel" + name, 3000))
        (inputs / "initrd.img").write_bytes(noise("initrd" + name, 1000))
        (inputs / "vmm").write_bytes(noise("vmm" + name, 500))
        (inputs / "vm.json").write_bytes(b"{}\n")
        (inputs / "other").write_bytes(noise("other", 127))
        (inputs / "geolaunch.efi").write_bytes(program(False) + noise("efi" + name, 700))
        result = build(inputs, variant(name=f"host {name}"))
        assert result.returncode == 0, result.stderr
        out[name] = inputs / "out"
    return out


def tree(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@functools.lru_cache(maxsize=None)
def slot_name(build_dir):
    """README of the format: the list's own SHA-256."""
    files = tree(build_dir / "esp/EFI/geolaunch")
    return hashlib.sha256(slot_list(build_dir, files)).hexdigest()[:16]


def slot_list(build_dir, files):
    name = re.search(r'"name": "([^"]*)"', (build_dir / "expected.json").read_text()).group(1)
    lines = [f"# geolaunch 1 {re.sub('[^A-Za-z0-9._-]', '_', name)}\n"]
    lines += [f"{hashlib.sha256(files[n]).hexdigest()}  {n}\n" for n in sorted(files)]
    return "".join(lines).encode()


def file_path(slot):
    text = f"\\EFI\\geolaunch\\{slot}\\geolaunch.efi\0".encode("utf-16-le")
    return struct.pack("<BBH", 4, 4, 4 + len(text)) + text + b"\x7f\xff\x04\x00"


def load_option(path, label, attributes=1, data=b""):
    return struct.pack("<IH", attributes, len(path)) + (label + "\0").encode("utf-16-le") + path + data


class World:
    def __init__(self, folder, shim, builds):
        self.folder = folder
        self.shim = shim
        self.builds = builds
        self.slots = {name: slot_name(d) for name, d in builds.items()}
        self.names = {slot: name for name, slot in self.slots.items()}
        self.esp = folder / "esp"
        self.vars = folder / "vars"
        self.log = folder / "log"
        self.esp.mkdir(parents=True)
        self.vars.mkdir()
        self.fat = True

    # ---- running

    def run(self, *args, at=None, how=None, free=None, log=False, no_vars=False):
        env = {**os.environ, "LD_PRELOAD": str(self.shim), "GL_SHIM_ROOTS": f"{self.esp}:{self.vars}", "GL_SHIM_VARS": str(self.vars),
               "EFIVARFS_PATH": f"{self.vars}/" if not no_vars else f"{self.folder}/none/"}
        if self.fat:
            env["GL_SHIM_FAT"] = "1"
        if at is not None:
            env.update(GL_SHIM_AT=str(at), GL_SHIM_HOW=how)
        if free is not None:
            env["GL_SHIM_FREE"] = str(free)
        self.log.unlink(missing_ok=True)
        env["GL_SHIM_LOG"] = str(self.log)
        return subprocess.run([GEOLAUNCH, "install", "--esp", str(self.esp), *map(str, args)], env=env, capture_output=True, text=True,
                              timeout=60)

    def install(self, name, *args, **kwargs):
        return self.run(*args, self.builds[name], **kwargs)

    def calls(self):
        """What the last run did: (what, path) in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [tuple(line.split(" ", 2)[1:]) for line in lines]

    # ---- state

    def save(self, folder):
        shutil.copytree(self.esp, folder / "esp", symlinks=True)
        shutil.copytree(self.vars, folder / "vars")

    def restore(self, folder):
        for d in (self.esp, self.vars):
            shutil.rmtree(d)
        shutil.copytree(folder / "esp", self.esp, symlinks=True)
        shutil.copytree(folder / "vars", self.vars)

    def state(self):
        """Everything that is there, to compare."""
        out = {}
        for top in (self.esp, self.vars):
            for p in sorted(top.rglob("*")):
                out[str(p.relative_to(self.folder))] = p.read_bytes() if p.is_file() else None
        return out

    @property
    def home(self):
        return self.esp / "EFI/geolaunch"

    # ---- firmware variables

    def variable(self, name):
        path = self.vars / f"{name}-{GUID}"
        if not path.exists() or path.stat().st_size < 5:
            return None
        data = path.read_bytes()
        assert struct.unpack("<I", data[:4])[0] == ATTRIBUTES
        return data[4:]

    def set_variable(self, name, data):
        (self.vars / f"{name}-{GUID}").write_bytes(struct.pack("<I", ATTRIBUTES) + data)

    def order(self):
        data = self.variable("BootOrder") or b""
        return list(struct.unpack(f"<{len(data) // 2}H", data))

    def set_order(self, *numbers):
        self.set_variable("BootOrder", struct.pack(f"<{len(numbers)}H", *numbers))

    def entry(self, number):
        """label and path of a load option"""
        data = self.variable(f"Boot{number:04X}")
        if data is None:
            return None
        attributes, size = struct.unpack("<IH", data[:6])
        end = next(i for i in range(6, len(data), 2) if data[i:i + 2] == b"\0\0")
        return data[6:end].decode("utf-16-le"), data[end + 2:end + 2 + size], attributes

    def entries(self):
        return sorted(int(p.name[4:8], 16) for p in self.vars.glob(f"Boot[0-9A-F][0-9A-F][0-9A-F][0-9A-F]-{GUID}") if p.stat().st_size > 4)

    # ---- what starts

    def complete(self, slot):
        """The build that a slot holds, if all of it is there; None if not."""
        folder = self.home / slot
        name = self.names.get(slot)
        if name is None or not folder.is_dir():
            return None
        wanted = tree(self.builds[name] / "esp/EFI/geolaunch")
        have = tree(folder)
        wanted["SHA256SUMS"] = slot_list(self.builds[name], wanted)
        return name if all(have.get(n) == content for n, content in wanted.items()) else None

    def started_by_entries(self):
        """Builds in the order in which the firmware tries them. An entry of ours that leads to less than a whole build is an error."""
        out = []
        for number in self.order():
            entry = self.entry(number)
            assert entry is not None, f"BootOrder names Boot{number:04X}, which is not there"
            path = entry[1]
            if not path.startswith(PARTITION + b"\x04\x04"):
                continue
            slot = re.search(rb"geolaunch\\([0-9a-f]{16})", path[42:].replace(b"\0", b"")).group(1).decode()
            assert path == PARTITION + file_path(slot) and entry[2] == 1
            name = self.complete(slot)
            assert name, f"Boot{number:04X} leads to a slot that is not complete: {slot}"
            out.append(name)
        return out

    def record(self):
        path = self.home / "slots.conf"
        if not path.exists():
            return None
        text = path.read_text()
        m = re.fullmatch(r"geolaunch-slots 1\nstart (entry|removable|none)\ncurrent ([0-9a-f]{16})\n(?:previous ([0-9a-f]{16})\n)?", text)
        assert m, text
        return m.groups()

    def started_by_default(self):
        """The same for BOOTX64.EFI and slots.conf."""
        path = self.esp / "EFI/BOOT/BOOTX64.EFI"
        if not path.exists() or self.record() is None:
            return []
        applications = [(d / "esp/EFI/geolaunch/geolaunch.efi").read_bytes() for d in self.builds.values()]
        assert path.read_bytes() in applications
        out = []
        for slot in self.record()[1:]:
            if slot:
                assert self.complete(slot), f"slots.conf leads to a slot that is not complete: {slot}"
                out.append(self.complete(slot))
        return out

    def started(self, start):
        return self.started_by_entries() if start == "entry" else self.started_by_default()

    def leftovers(self):
        """Names of ours on the ESP that nothing needs."""
        record = self.record()
        wanted = {"slots.conf", *(s for s in record[1:] if s)} if record else set()
        out = [p.name for p in self.home.iterdir() if p.name not in wanted] if self.home.exists() else []
        return out + [str(p) for p in self.esp.rglob("geolaunch.new")]


def ok(result):
    assert result.returncode == 0 and result.stderr == "", (result.returncode, result.stderr)
    return result.stdout


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kit")
    yield make_shim(folder), make_builds(folder / "builds")
    shutil.rmtree(folder)


@pytest.fixture
def world(tmp_path, kit):
    yield World(tmp_path / "world", *kit)
    shutil.rmtree(tmp_path)
