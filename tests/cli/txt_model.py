# SPDX-License-Identifier: BSD-3-Clause
"""Mode txt: inputs for `geolaunch build`, and what SINIT, tboot and stage measure, written down a second time with hashlib alone."""

import copy
import gzip
import hashlib
import os
import shutil
import struct
import subprocess

import pytest

from build_model import BANKS, BASE, TOP, Model, changed, h, make_inputs, noise, program

ACM_TOOL = os.environ.get("ACM_TOOL", str(TOP / "build/host/acm_tool"))
# those that acm_tool's module has
SINIT_BANKS = ["sha1", "sha256", "sha384"]
SENTER_EDX = 0
MLE_START, MLE_END, CMDLINE_START, CMDLINE_END = 0x1000, 0x5000, 0x4800, 0x4A00
MLE_UUID = struct.pack("<4I", 0x9082AC5A, 0x74A7476F, 0xA2555C0F, 0x42B651CB)
BIOS = "000000000101222007b000000200000000000000000000000400000000000000"
AUX = "01c10102000b620444080020" + "ef" * 32 + "0068"
PS = "01c10103000b6204040800000046"
# tboot 1.10.5's own, and what is left of them in OsSinitData with a module that has MONITOR wake-up and TCG logs
MLE_CAPABILITIES, CAPABILITIES = 0x627, 0x602


def tboot_image():
    """Memory of the smallest MLE that has all that is measured."""
    image = bytearray(noise("tboot", 0x6000))
    struct.pack_into("<16s9I", image, MLE_START + 0x40, MLE_UUID, 52, 0x20001, 0x10, 0, MLE_START, MLE_END, MLE_CAPABILITIES,
                     CMDLINE_START, CMDLINE_END)
    return image


def elf(image, machine=3):
    """A 32-bit ELF file of one segment."""
    head = struct.pack("<4s5B7xHHIIIIIHHHHHH", b"\x7fELF", 1, 1, 1, 0, 0, 2, machine, 1, 0x804000, 52, 0, 0, 52, 32, 1, 0, 0, 0)
    return head + struct.pack("<8I", 1, 0x1000, 0x804000, 0x804000, len(image), len(image), 5, 0x1000) + bytes(0x1000 - 84) + bytes(image)


def make_txt_inputs(folder):
    """What the manifests of mode txt and of Xen name beside the files of build_model."""
    (folder / "tboot.gz").write_bytes(gzip.compress(elf(tboot_image())))
    (folder / "xen.gz").write_bytes(gzip.compress(b"\x7fELF" + noise("xen", 1 << 20)))
    (folder / "dom0").write_bytes(program(True) + noise("dom0", 70001))
    (folder / "stage.elf").write_bytes(b"\x7fELF geolaunch-stage" + noise("stage", 70000))
    sinit = subprocess.run([ACM_TOOL, "sinit", "1"], capture_output=True, check=True, timeout=30).stdout
    (folder / "sinit.acm").write_bytes(sinit)
    (folder / "sinit0.acm").write_bytes(subprocess.run([ACM_TOOL, "sinit", "0"], capture_output=True, check=True, timeout=30).stdout)


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    make_txt_inputs(tmp_path / "in")
    yield tmp_path / "in"
    # pytest keeps the folders of three runs; these are large
    shutil.rmtree(tmp_path)


XEN = {"kind": "xen", "file": "xen.gz", "cmdline": "dom0_mem=512M", "kernel": {"file": "dom0", "cmdline": "console=hvc0"}, "initrd": "initrd.img"}
TXT = {
    **copy.deepcopy(BASE),
    "mode": "txt",
    "tboot": {"file": "tboot.gz", "cmdline": "logging=serial,memory"},
    "sinit": {"file": "sinit.acm"},
    "stage": {"file": "stage.elf"},
    "platform": {"bios_acm": BIOS, "scrtm": 1, "aux": "none", "ps": "none"},
}


def txt_variant(**changes):
    return changed(TXT, changes)


def le32(v):
    return struct.pack("<I", v)


class TxtModel(Model):
    """The numbered modules and the policy's entries for them are those of direct mode."""

    START = 0x00

    def __init__(self, manifest, folder):
        self.sinit = (folder / manifest["sinit"]["file"]).read_bytes() if "sinit" in manifest else None
        given = manifest["tboot"].get("cmdline", "")
        extpol = "extpol=" + manifest["policy"].get("hash", "sha256")
        self.tboot_line = given if "extpol=" in given else f"{given} {extpol}".strip()
        self.lcp = [(folder / manifest["lcp"][k]).read_bytes() for k in ("policy", "data")] if "lcp" in manifest else None
        self.alternatives = {}
        super().__init__(manifest, folder)

    def all_banks(self):
        return [b for b in SINIT_BANKS if b in self.m.get("banks", BANKS)]

    # -------- texts

    def rules(self):
        hv = self.m["hypervisor"]["kind"]
        words = []
        for role, _, _, _, _, lines in self.modules:
            mode = [line.split()[1] for line in lines if line.startswith("mode ")]
            words.append(role + (":" + mode[0] if mode else ""))
        nv = ""
        if self.geo is not None:
            geo = self.m["geo"]
            what = f"{self.hash},{self.nv_digest(self.hash).hex()}" if geo.get("verify", True) else "any"
            nv = f" nv=0x{geo.get('index', 0x01C10110):08x},{geo.get('kind', 'nv')},{geo.get('pcr', 22)},{what}"
        halt = "reboot" if self.m.get("on_halt") == "return" else "poweroff"
        return (f"geolaunch-stage 1 policy={self.m['policy']['type']} hypervisor={hv} modules={','.join(words)}{nv} "
                f"halt={halt},{self.m.get('halt_delay', 5)}" +
                (" efi=runtime" if self.m["hypervisor"].get("efi_runtime") else ""))

    def describe(self):
        self.geo = self.geo_content()
        lines = ["module tboot", "file tboot", f"cmdline {self.tboot_line}"]
        lines += ["module sinit", "file sinit"] if self.sinit else []
        lines += ["module lcp", "file lcp"] if self.lcp else []
        lines += ["module stage", "file stage", f"cmdline {self.rules()}"]
        direct = super().describe().decode()
        head, modules = direct.split("module hypervisor\n", 1)
        return (head.replace("mode direct", "mode txt") + "".join(line + "\n" for line in lines) + "module hypervisor\n" + modules).encode()

    def module_zero(self, bank):
        return self.module_digest(bank, (self.folder / self.m["stage"]["file"]).read_bytes(), self.rules().encode())

    def entry_zero(self):
        return struct.pack("<BBBIB", 0, 255, 1, 0, 1) + self.module_zero(self.hash)

    # -------- SINIT

    def mle_hash(self, bank):
        image = tboot_image()
        line = self.tboot_line.encode()
        image[CMDLINE_START:CMDLINE_END] = line + bytes(CMDLINE_END - CMDLINE_START - len(line))
        return h(bank, bytes(image[MLE_START:MLE_END]))

    def drtm(self):
        length, scratch = struct.unpack_from("<I", self.sinit, 4)[0], struct.unpack_from("<I", self.sinit, 124)[0]
        return hashlib.sha256(self.sinit[:128] + self.sinit[4 * (length + scratch):]).digest() + le32(SENTER_EDX)

    def nv_info(self, platform):
        out = b""
        for name in ("aux", "ps"):
            value = platform.get(name, "none")
            out += b"\0" if value == "none" else b"\1" + bytes.fromhex(value)
        if not self.lcp:
            return out + b"\0"
        index = 0x01400001 if self.m["sinit"]["file"] == "sinit0.acm" else 0x01C10106
        return out + b"\1" + struct.pack(">IHIHH", index, 0x000B, 0x2204000A, 0, len(self.lcp[0]))

    def lcp_values(self):
        """control, details, authorities"""
        if not self.lcp:
            return le32(0), b"\0", b"\0"
        policy, data = self.lcp
        # lists behind signature (32 bytes), reserved and count (4): version, algorithm, size, then one MLE element with one SHA-256 hash
        element = data[36 + 8:]
        return policy[22:26], element[12 + 6:12 + 6 + 32], hashlib.sha256(data[36:]).digest()

    def sinit_events(self):
        platform = self.m.get("platform", {})
        bios = platform["bios_acm"] if isinstance(platform["bios_acm"], list) else [platform["bios_acm"]]
        scrtm = [le32(platform["scrtm"])] if "scrtm" in platform else [le32(1), le32(0)]
        control, details, authorities = self.lcp_values()
        nv = self.nv_info(platform)
        return [
            (17, 0x402, "HASH_START", [self.drtm()]),
            (17, 0x40A, "BIOSAC_REG_DATA", [bytes.fromhex(b) for b in bios]),
            (17, 0x40B, "CPU_SCRTM_STAT", scrtm),
            (17, 0x40C, "LCP_CONTROL_HASH", [control]),
            (17, 0x412, "LCP_DETAILS_HASH", [details]),
            (17, 0x40E, "STM_HASH", [b"\0"]),
            (17, 0x40F, "OSSINITDATA_CAP_HASH", [le32(CAPABILITIES)]),
            (17, 0x404, "MLE_HASH", [None]),
            (17, 0x414, "NV_INFO_HASH", [nv]),
            (18, 0x410, "SINIT_PUBKEY_HASH", [self.sinit[128:128 + 256]]),
            (18, 0x40B, "CPU_SCRTM_STAT", scrtm),
            (18, 0x40F, "OSSINITDATA_CAP_HASH", [le32(CAPABILITIES)]),
            (18, 0x40C, "LCP_CONTROL_HASH", [control]),
            (18, 0x413, "LCP_AUTHORITIES_HASH", [authorities]),
            (18, 0x414, "NV_INFO_HASH", [nv]),
        ]

    # -------- events

    def add(self, pcr, kind, type_name, name, digest, banks):
        digests = {b: digest(b) for b in banks}
        self.events.append((pcr, kind, type_name, name, {b: d.hex() for b, d in digests.items()}))
        for b in banks:
            self.pcrs[b][pcr] = h(b, self.pcrs[b][pcr], digests[b])

    def launch(self):
        for pcr, kind, name, values in self.sinit_events():
            self.add(pcr, kind, "EVTYPE_" + name, name, lambda b, v=values[0]: self.mle_hash(b) if v is None else h(b, v), self.banks)
            if len(values) > 1:
                self.alternatives[len(self.events) - 1] = [{b: h(b, v).hex() for b in self.banks} for v in values[1:]]
        one = [self.hash]
        for pcr in (17, 18):
            self.add(pcr, 0x501, "TBOOT_MEASUREMENT", "policy", lambda b: h(b, struct.pack("<I", 1), h(b, self.policy)), one)
        self.add(17, 0x501, "TBOOT_MEASUREMENT", "module 0 stage stage", self.module_zero, one)
        for i, (role, name, content, cmdline, pcr, _) in enumerate(self.modules):
            self.add(pcr, 0x501, "TBOOT_MEASUREMENT", f"module {i + 1} {role} {name}",
                     lambda b, content=content, cmdline=cmdline: self.module_digest(b, content, cmdline), one)
        self.measure_rest()

    def log(self, pick=lambda values: values[0], before_tboot=False):
        """The log of such a host: SINIT's events, and tboot's unless `before_tboot`."""
        from launch_model import event2, spec_id
        out = spec_id(self.banks)
        for pcr, kind, _, values in self.sinit_events():
            value = pick(values)
            digests = {b: self.mle_hash(b) if value is None else h(b, value) for b in self.banks}
            out += event2(pcr, kind, digests, b"" if kind in (0x404, 0x410) else value)
        for pcr, kind, _, name, digests in self.events:
            if kind >= 0x500 and not before_tboot:
                out += event2(pcr, kind, {b: bytes.fromhex(d) for b, d in digests.items()}, b"" if kind == 0x501 else name.encode())
        return out


def lcp_files(folder, mle_hash, control=0):
    """An owner's policy with one unsigned list that allows one MLE: SDG appendix D."""
    element = struct.pack("<III", 12 + 6 + 32, 0x10, 0) + struct.pack("<BBHH", 0, 0, 0x0B, 1) + mle_hash
    block = struct.pack("<HHI", 0x0200, 0x0010, len(element)) + element
    data = b"Intel(R) TXT LCP_POLICY_DATA\0\0\0\0" + struct.pack("<3xB", 1) + block
    digest = hashlib.sha256(hashlib.sha256(block).digest()).digest()
    policy = struct.pack("<HHBB8HIBBHIHH", 0x0302, 0x0B, 0, 0, *[0] * 8, control, 0, 0, 0x8, 0x8, 0, 0) + digest
    (folder / "owner.pol").write_bytes(policy)
    (folder / "list.dat").write_bytes(data)
