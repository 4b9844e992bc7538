# SPDX-License-Identifier: BSD-3-Clause
"""
The tamper matrix in mode txt: a launch as `geolaunch build` and `geolaunch provision` made it, one thing changed behind the policy's back.
Each cell says what stops it (pre-flight, SINIT, tboot, the stage, nobody), and what `geolaunch verify` must make of it.
"""
import json
import os
import shutil
import subprocess
from collections import namedtuple

import pytest

import launch
from test_txt_predict import BANKS, Host, lcp_files
from txt_boot import GEOLAUNCH, boot
from txt_chain import GEO_INDEX

INDEX, VLP_INDEX = f"0x{GEO_INDEX:08x}", "0x01c10131"
HYPERVISOR, INITRD, VMM, EXTRA = "module 1 hypervisor linux", "module 2 initrd initrd", "module 3 vmm vmm", "module 4 file file-0"
STAGE, GEO = "module 0 stage stage", f"nv {INDEX}"
# Refused by pre-flight or for launch.conf, PCR 17-22 as without a launch; machine reset by SINIT.
FF, INVALID, RESET = "preflight: ", "description-invalid: ", "reset"


class Tampered(Host):
    """A host with a VM manager, one more file, and a TPM that lasts."""

    def __init__(self, work, policy, control=False):
        changes = {"lcp": {"data": "list.dat", "policy": "owner.pol"}} if control else {}
        super().__init__(work, policy={"type": policy, "hash": "sha256"}, files=[{"file": "vm.json", "path": "/etc/vm/vm.json"}], **changes)
        self.write("vm.json", b'{"vm": 1}\n')
        self.state, self.options = self.path("tpm"), []
        # What is loaded, and not what went into the build.
        self.sinit, self.tboot = self.path("sinit.acm"), self.on_esp("tboot")
        if control:
            line = self.manifest["tboot"]["cmdline"] + " extpol=sha256"
            self.allow(subprocess.run([GEOLAUNCH, "lcp", "mle-hash", "--alg", "sha256", "--cmdline", line, self.manifest["tboot"]["file"]],
                                      capture_output=True, text=True, check=True, timeout=60).stdout.strip())
        self.expected = self.build()

    def allow(self, mle):
        lcp_files(self, mle)

    def provision(self):
        launch.new_tpm(self.state, BANKS)
        lcp = ["--lcp", self.path("owner.pol")] if "lcp" in self.manifest else []
        with launch.tpm_server(self.state) as tcti:
            launch.geolaunch("provision", self.path("out"), "--tcti", tcti, "--sinit", self.path("sinit.acm"), "--error-index", *lcp)

    def on_esp(self, name):
        return self.path("out/esp/EFI/geolaunch", name)

    def read(self, path):
        with open(self.path(path), "rb") as f:
            return f.read()

    def write(self, path, data):
        with open(self.path(path), "wb") as f:
            f.write(data)

    def change(self, name, old, new):
        """Of a file on the ESP. The replaced text must be there once."""
        data = self.read(self.on_esp(name))
        assert data.count(old) == 1, (name, old, data.count(old))
        self.write(self.on_esp(name), data.replace(old, new))

    def flip(self, name, offset):
        data = bytearray(self.read(self.on_esp(name)))
        data[offset] ^= 1
        self.write(self.on_esp(name), data)

    def tpm2(self, *commands):
        with launch.tpm_server(self.state) as tcti:
            for argv in commands:
                subprocess.run(argv, env={**os.environ, "TPM2TOOLS_TCTI": tcti}, check=True, capture_output=True, timeout=30)

    def redefine(self, attributes):
        """The geo index again, with the same content."""
        content = self.read("out/geo.bin")
        self.write("content", content)
        self.tpm2(["tpm2_nvundefine", INDEX, "-C", "o"],
                  ["tpm2_nvdefine", INDEX, "-C", "o", "-s", str(len(content)), "-a", attributes],
                  ["tpm2_nvwrite", INDEX, "-C", "o", "-i", self.path("content")])

    def start(self, disk=None):
        return boot(self.work, disk or self.path("out/esp"), "--tpm-state", self.state, "--sinit", self.sinit, "--mle", self.tboot,
                    *self.options, disk=disk is not None)

    def judge(self, r):
        """As the host saw its TPM and its log; of a launch that was stopped what is left."""
        pcrs = {"pcrs": {b: {str(i): v for i, v in r.guest_pcrs(b).items()} for b in BANKS}} if "done" in r["facts"] else {"pcrs": r["pcrs"]}
        self.write("pcrs.json", json.dumps(pcrs).encode())
        args = [GEOLAUNCH, "verify", self.path("out/expected.json"), "--pcrs", self.path("pcrs.json"), "--json"]
        if r["senter"] == "launched":
            self.write("launch.log", r.log())
            args += ["--log", self.path("launch.log")]
        p = subprocess.run(args, capture_output=True, text=True, timeout=60, check=False)
        return p.returncode, json.loads(p.stdout)


# ---- what is changed ----

def hypervisor(h):
    h.flip("linux", -16)        # behind the last section: it still runs


def initrd(h):
    h.flip("initrd", 29)        # the owner of the first folder


def vmm(h):
    h.flip("vmm", 4096)


def extra(h):
    h.write(h.on_esp("file-0"), b'{"vm": 2}\n')


def order(h):
    """VM manager and file change places, and the stage's rules do not."""
    swap(h)


def order_and_rules(h):
    """The same, and the stage's rules agree."""
    swap(h)
    h.change("launch.conf", b"vmm:0755,file:0644", b"file:0644,vmm:0755")


def swap(h):
    text = h.read(h.on_esp("launch.conf"))
    head, rest = text.split(b"module vmm\n")
    first, second = rest.split(b"module file\n")
    h.write(h.on_esp("launch.conf"), head + b"module file\n" + second.replace(b"end\n", b"") + b"module vmm\n" + first + b"end\n")


def tboot_byte(h):
    """In a text that tboot would print if it had nothing to start."""
    text = b"no SINIT AC module found\n"
    h.change("tboot", text, text.upper()[:-1] + b"\n")


def tboot_line(h):
    h.change("launch.conf", b"min_ram=0x2000000", b"min_ram=0x2100000")


def other_sinit(h):
    """The same module with another date."""
    data = bytearray(h.read("sinit.acm"))
    assert data[20:24] != b"\x01\x01\x25\x20"
    data[20:24] = b"\x01\x01\x25\x20"
    h.write("other.acm", data)
    h.sinit = h.path("other.acm")


def sinit_of_esp(h):
    other_sinit(h)
    shutil.copy(h.sinit, h.on_esp("sinit"))
    h.options.append("--txt-arg=--loader-sinit")


def stage_byte(h):
    """In a text of the stage's."""
    h.change("stage", b"the event log is full", b"the event log is FULL")


def stage_rules(h):
    """The stage would go on where the build's does not, or the other way round."""
    h.change("launch.conf", f" policy={h.manifest['policy']['type']} ".encode(), b" policy=continue ")


def stage_halt(h):
    """The stage would wait longer than launch.conf says."""
    h.change("launch.conf", b"halt=poweroff,0", b"halt=poweroff,1")


def any_hypervisor(h):
    """The build's policy, but module 1 may be anything: header 12, module 0's entry 8 + 32, then mod_num, pcr, hash_type, nv_index, num_hashes."""
    policy = bytearray(h.read(h.on_esp("policy.vlp")))
    at = 12 + 8 + 32
    assert policy[2] == 0xB and policy[at] == 1 and policy[at + 2] == 1 and policy[at + 7] == 1
    policy[at + 2] = policy[at + 7] = 0
    del policy[at + 8:at + 8 + 32]
    return bytes(policy)


def vlp_of_esp(h):
    h.write(h.on_esp("policy.vlp"), any_hypervisor(h))


def vlp_of_tpm(h):
    """The right one but for its type: lax instead of strict, and the other way round."""
    policy = bytearray(h.read(h.on_esp("policy.vlp")))
    policy[1] = {2: 0, 0: 2}[policy[1]]
    write_vlp(h, policy)


def vlp_of_tpm_any(h):
    """Shorter, so that old bytes are behind it."""
    write_vlp(h, any_hypervisor(h).ljust(len(h.read(h.on_esp("policy.vlp"))), b"\0"))


def write_vlp(h, policy):
    h.write("policy", policy)
    h.tpm2(["tpm2_nvwrite", VLP_INDEX, "-C", "o", "-i", h.path("policy")])


def launch_control(h):
    """The owner's policy in the TPM and its data on the ESP are for another tboot."""
    h.allow("11" * 32)
    shutil.copy(h.path("list.dat"), h.on_esp("lcp"))
    h.tpm2(["tpm2_nvwrite", "0x01c10106", "-C", "o", "-i", h.path("owner.pol")])


def geo_missing(h):
    h.tpm2(["tpm2_nvundefine", INDEX, "-C", "o"])


def geo_content(h):
    h.write("content", h.read("out/geo.bin").replace(b"DE", b"FR", 1))
    assert h.read("content") != h.read("out/geo.bin")
    h.tpm2(["tpm2_nvwrite", INDEX, "-C", "o", "-i", h.path("content")])


def geo_owner_only(h):
    h.redefine("ownerread|ownerwrite")


def geo_everybody_writes(h):
    h.redefine("ownerread|ownerwrite|authread|authwrite")


# found: pre-flight's findings. ended: how the run ends. first: the event that verify must name, None where there is no log, or nothing differs.
Cell = namedtuple("Cell", "change policy found ended first verdicts code")
# Nothing was launched; and nothing was measured after a launch.
UNLAUNCHED = {"no-drtm"}
UNMEASURED = {"policy-mismatch", "module-mismatch", "geo-missing"}
MODULE, POLICY = {"module-mismatch"}, {"policy-mismatch"}


def refused(change, *found):
    """By pre-flight, under a policy of type halt: SENTER is not reached."""
    return Cell(change, "halt", list(found), FF, None, UNLAUNCHED, 10)


def invalid(change):
    """launch.conf contradicts itself: refused before pre-flight, under every policy."""
    return Cell(change, "nonfatal", [], INVALID, None, UNLAUNCHED, 10)


def goes_on(change, policy, found, first, verdicts, code):
    return Cell(change, policy, found, "poweroff", first, verdicts, code)


CELLS = [
    refused(hypervisor, "module-differs"),
    goes_on(hypervisor, "nonfatal", ["module-differs"], HYPERVISOR, MODULE, 13),
    refused(initrd, "module-differs"),
    goes_on(initrd, "nonfatal", ["module-differs"], INITRD, MODULE, 13),
    goes_on(vmm, "nonfatal", ["module-differs"], VMM, MODULE, 13),
    goes_on(extra, "nonfatal", ["module-differs"], EXTRA, MODULE, 13),
    invalid(order),
    refused(order_and_rules, "module-differs"),
    goes_on(order_and_rules, "nonfatal", ["module-differs"], STAGE, MODULE, 13),
    # Pre-flight cannot know what tboot's text or SINIT should be, as no policy in the TPM says it.
    goes_on(tboot_byte, "halt", [], "MLE_HASH", MODULE, 13),
    goes_on(tboot_line, "halt", [], "MLE_HASH", MODULE, 13),
    goes_on(other_sinit, "halt", ["sinit-bios-note"], "HASH_START", MODULE, 13),
    goes_on(sinit_of_esp, "halt", [], "HASH_START", MODULE, 13),
    refused(stage_byte, "module-differs"),
    goes_on(stage_byte, "nonfatal", ["module-differs"], STAGE, MODULE, 13),
    refused(stage_rules, "module-differs"),
    goes_on(stage_rules, "nonfatal", ["module-differs"], STAGE, MODULE, 13),
    invalid(stage_halt),
    # The one on the ESP is for comparison only: nobody obeys it, and nobody measures it.
    refused(vlp_of_esp, "vlp-differs"),
    goes_on(vlp_of_esp, "nonfatal", ["vlp-differs"], None, {"trusted"}, 0),
    # The one in the TPM counts, also for what may go on.
    goes_on(vlp_of_tpm, "halt", ["vlp-differs"], "policy", POLICY, 14),
    Cell(vlp_of_tpm, "nonfatal", ["vlp-differs"], FF, None, UNLAUNCHED, 10),
    goes_on(vlp_of_tpm_any, "nonfatal", ["vlp-invalid"], "policy", POLICY, 14),
    # SENTER did take place: PCR 17-22 begin as after a launch.
    Cell(launch_control, "halt", [], RESET, None, UNMEASURED, 14),
    refused(geo_missing, "geo-missing"),
    goes_on(geo_missing, "nonfatal", ["geo-missing"], GEO, {"geo-missing", "capped"}, 16),
    refused(geo_content, "geo-differs"),
    goes_on(geo_content, "nonfatal", ["geo-differs"], GEO, {"geo-mismatch"}, 12),
    refused(geo_owner_only, "geo-unreadable"),
    goes_on(geo_owner_only, "nonfatal", ["geo-unreadable"], GEO, {"geo-mismatch", "capped"}, 16),
    # What is measured is the content, and that is right; who may write there is for `geolaunch provision --check`.
    goes_on(geo_everybody_writes, "halt", [], None, {"trusted"}, 0),
]


def findings(r):
    """Each once, in their order."""
    names = [line.split()[2].rstrip(":") for line in r.serial_text().splitlines()
             if line.startswith("geolaunch: pre-flight ") and not line.startswith(("geolaunch: pre-flight passed", "geolaunch: pre-flight: "))]
    return list(dict.fromkeys(names))


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: f"{c.change.__name__}-{c.policy}")
def test_tampering(tmp_path, cell):
    h = Tampered(tmp_path, cell.policy, control=cell.change is launch_control)
    h.provision()
    cell.change(h)
    r = h.start()
    code, v = h.judge(r)
    about = (r["ended"], r.get("senter"), findings(r), v["first_difference"], v["verdicts"], code, v["explanation"], r["notes"])
    assert findings(r) == cell.found, about
    if cell.ended == "poweroff":
        assert r["ended"] == "poweroff" and r["senter"] == "launched" and r["facts"].get("done") == "yes", about
    elif cell.ended == RESET:
        assert r["ended"] == "reset" and r["senter"] == "reset" and "measured launch succeeded" not in r.serial_text(), about
    else:
        assert r["ended"] == "halt" and r["halt"].startswith(cell.ended) and r["senter"] == "not-reached", about
        assert {r["pcrs"][b][str(i)] for b in BANKS for i in range(17, 23)} == {"ff" * n for n in (20, 32, 48)}, about
    named = v["first_difference"] and v["first_difference"]["name"]
    assert (named, set(v["verdicts"]), code) == (cell.first, cell.verdicts, cell.code), about
    assert v["agree"] is (cell.verdicts == {"trusted"}), about


def test_every_change_is_in_the_table():
    """A launch with nothing changed is trusted, so none of the cells above is right by accident: test_txt_predict.py says so."""
    changes = {c.change for c in CELLS}
    assert len({(c.change, c.policy) for c in CELLS}) == len(CELLS) and len(changes) >= 16


@pytest.mark.parametrize("rule", ["PCR_Extend@2#8=rc:0x101", "PCR_Extend@2#9=rc:0x101", "NV_Read@2#2=rc:0x101"])
def test_tpm_fails_in_the_stage(tmp_path, rule):
    """tboot extends seven times, so the eighth extend at locality 2 is the geo tag's and the ninth the closing event's."""
    h = Tampered(tmp_path, "halt")
    h.provision()
    h.options += ["--fault", rule]
    r = h.start()
    code, v = h.judge(r)
    about = (r["ended"], r.get("senter"), v["first_difference"], v["verdicts"], code, v["explanation"], r["notes"], r["facts"])
    assert r["senter"] == "launched" and r["ended"] == "poweroff" and r["facts"] == {} and "geolaunch-stage: halted" in r.serial_text(), about
    assert "trusted" not in v["verdicts"] and v["agree"] is False and "capped" in v["verdicts"] and code == 16, about
