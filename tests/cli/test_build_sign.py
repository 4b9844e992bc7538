# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build --sign`: launch description and policy inside geolaunch.efi, one signature over all of it."""

import hashlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import time

import pytest

from build_model import GEOLAUNCH, BASE, Model, make_inputs, refused, to_yaml, variant
from txt_model import TxtModel, lcp_files, make_txt_inputs, txt_variant

TOP = pathlib.Path(__file__).resolve().parents[2]
EFI = os.environ.get("GEOLAUNCH_EFI", str(TOP / "build/efi/geolaunch.efi"))
COPIES = ("EFI/BOOT/BOOTX64.EFI", "EFI/geolaunch/geolaunch.efi")


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=60)


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """A key and its certificate, another certificate, and the key with a pass phrase."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("db", "other"):
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem", "-subj",
                f"/CN={name}", "-days", "3650")
    openssl("pkey", "-in", folder / "db.key", "-aes256", "-passout", "pass:secret words", "-out", folder / "locked.key")
    return folder


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    shutil.copy(EFI, tmp_path / "in/geolaunch.efi")
    yield tmp_path / "in"
    shutil.rmtree(tmp_path)


def build(inputs, manifest, *args, out="out", path=None):
    """Without a terminal: nobody can be asked for a pass phrase."""
    (inputs / "host.yaml").write_text(to_yaml(manifest) + "\n")
    environment = {**os.environ, "PATH": path} if path is not None else None
    return subprocess.run([GEOLAUNCH, "build", "host.yaml", "-o", out, "--efi", "geolaunch.efi", *map(str, args)], cwd=inputs, env=environment,
                          capture_output=True, text=True, timeout=60, start_new_session=True, stdin=subprocess.DEVNULL)


def with_key(keys, key="db.key", cert="db.pem"):
    return "--sign", keys / key, "--cert", keys / cert


class Pe:
    """The second opinion: PE/COFF specification, sections 3 and 4."""

    def __init__(self, data):
        self.data = data
        pe, = struct.unpack_from("<I", data, 0x3C)
        self.optional = pe + 24
        self.table = self.optional + struct.unpack_from("<H", data, pe + 20)[0]
        self.image_size, self.headers = struct.unpack_from("<II", data, self.optional + 56)
        self.checksum_at = self.optional + 64
        self.certificates = struct.unpack_from("<II", data, self.optional + 144)
        self.sections = {}
        for i in range(struct.unpack_from("<H", data, pe + 6)[0]):
            name, size, address, raw, at, _, _, _, kind = struct.unpack_from("<8sIIIIIIII", data, self.table + 40 * i)
            self.sections[name.rstrip(b"\0").decode()] = (size, address, raw, at, kind)

    def content(self, name):
        size, _, _, at, _ = self.sections[name]
        return self.data[at:at + size]


def verify(path, cert):
    return subprocess.run(["sbverify", "--cert", cert, path], capture_output=True, text=True, timeout=60).returncode == 0


def test_signed_build(inputs, keys):
    plain, signed = build(inputs, BASE, out="plain"), build(inputs, BASE, *with_key(keys), out="signed")
    assert (plain.returncode, signed.returncode, signed.stderr) == (0, 0, "")
    assert f"signed with {keys}/db.pem" in signed.stdout
    esp = inputs / "signed/esp"
    data = (esp / COPIES[1]).read_bytes()
    assert (esp / COPIES[0]).read_bytes() == data
    assert verify(esp / COPIES[1], keys / "db.pem") and not verify(esp / COPIES[1], keys / "other.pem")
    # the very bytes that are beside it, and those of the model
    model, pe = Model(BASE, inputs), Pe(data)
    assert pe.content(".launch") == model.description == (esp / "EFI/geolaunch/launch.conf").read_bytes()
    assert pe.content(".policy") == model.policy == (esp / "EFI/geolaunch/policy.vlp").read_bytes()
    # what is measured is the same, signed or not
    expected = [(inputs / d / "expected.json").read_bytes() for d in ("plain", "signed")]
    assert expected[0] == expected[1]
    # nothing but these files, and nothing of the key in them
    names = [sorted(str(p.relative_to(inputs / d)) for p in (inputs / d).rglob("*")) for d in ("plain", "signed")]
    assert names[0] == names[1]
    assert not list(inputs.glob("*.tmp-*"))


def test_program_is_the_same(inputs, keys):
    """Of the program only the headers know of the new sections; no byte lies where neither loader nor signature looks."""
    assert build(inputs, BASE, *with_key(keys)).returncode == 0
    old, new = Pe((inputs / "geolaunch.efi").read_bytes()), Pe((inputs / "out/esp" / COPIES[0]).read_bytes())
    assert list(new.sections) == [*old.sections, ".launch", ".policy"]
    for name, section in old.sections.items():
        assert new.sections[name] == section and new.content(name) == old.content(name)
    end, memory = new.headers, new.headers
    for size, address, raw, at, _ in new.sections.values():
        assert at == end and address >= memory and address % 0x1000 == 0
        end, memory = at + raw, address + max(size, raw)
    assert memory <= new.image_size < memory + 0x1000
    for name in (".launch", ".policy"):
        assert new.sections[name][4] == 0x40000040      # initialised data, readable
    # behind the sections: what lay behind them before, and the certificates
    tail = old.data[sum(old.sections[".dynsym"][2:4]):]
    at, size = new.certificates
    assert new.data[end:end + len(tail)] == tail and at >= end + len(tail) and at + size == len(new.data)
    listing = subprocess.run(["objdump", "-h", inputs / "out/esp" / COPIES[0]], capture_output=True, text=True, timeout=60, check=True).stdout
    assert " .launch " in listing and " .policy " in listing


def test_every_bit_counts(inputs, keys):
    """One bit changed in headers, program, description, policy: the signature is gone. Only the image's checksum is not covered by it."""
    assert build(inputs, BASE, *with_key(keys)).returncode == 0
    data = (inputs / "out/esp" / COPIES[0]).read_bytes()
    pe, rng = Pe(data), random.Random(7)
    places = [0, 0x3C, 0x60, pe.optional, pe.optional + 16, pe.optional + 60, pe.optional + 144, pe.table, pe.table + 39, pe.headers - 1]
    for name in (".launch", ".policy"):
        size, _, raw, at, _ = pe.sections[name]
        places += [at, at + size - 1, at + raw - 1]
    places += rng.sample(range(pe.headers, pe.certificates[0]), 30) + [len(data) - 0x60]
    spoilt = inputs / "spoilt.efi"
    for at in [None, pe.checksum_at, *places]:
        changed = bytearray(data)
        if at is not None:
            changed[at] ^= 1 << rng.randrange(8)
        spoilt.write_bytes(changed)
        assert verify(spoilt, keys / "db.pem") == (at is None or at == pe.checksum_at), at


def test_summary(inputs, keys):
    result = build(inputs, BASE, "--json", *with_key(keys))
    efi = json.loads(result.stdout)["efi"]
    data = (inputs / "out/esp" / COPIES[0]).read_bytes()
    assert efi["digests"]["sha256"] == hashlib.sha256(data).hexdigest() and efi["size"] == len(data)
    assert efi["certificate"] == str(keys / "db.pem")
    assert "db.key" not in result.stdout
    assert json.loads(build(inputs, BASE, "--json", "--force").stdout)["efi"]["certificate"] is None


def signed_digest(path):
    """What sbsign itself wrote: the digest in SpcIndirectDataContent, of the PKCS #7 signature (WIN_CERTIFICATE, eight bytes, before it)."""
    data = path.read_bytes()
    at, size = Pe(data).certificates
    length, revision, kind = struct.unpack_from("<IHH", data, at)
    assert (revision, kind) == (0x200, 2) and length <= size
    text = subprocess.run(["openssl", "asn1parse", "-inform", "DER"], input=data[at + 8:at + length], capture_output=True, timeout=60,
                          check=True).stdout.decode()
    content = text[text.index("1.3.6.1.4.1.311.2.1.15"):]
    assert re.search(r"OBJECT +:(\S+)", content[content.index("SEQUENCE"):]).group(1) == "sha256"
    return re.search(r"OCTET STRING +\[HEX DUMP\]:([0-9A-F]{64})\n", content).group(1).lower()


def efitools_digest(path):
    done = subprocess.run(["hash-to-efi-sig-list", path, path.with_suffix(".esl")], capture_output=True, text=True, timeout=60, check=True)
    return re.search(r"HASH IS ([0-9a-f]{64})\n", done.stdout).group(1)


@pytest.mark.parametrize("more", (0, 8, 4096))
def test_authenticode_digest(inputs, keys, more):
    """The one that firmware looks up in dbx: as the signature and efitools have it, in both forms of the summary, signed or not."""
    with open(inputs / "geolaunch.efi", "ab") as f:
        f.write(os.urandom(more))
    seen = {}
    for name, options in (("plain", ()), ("signed", with_key(keys))):
        as_json, text = build(inputs, BASE, "--json", *options, out=name), build(inputs, BASE, *options, out=name + "-text")
        assert (as_json.returncode, text.returncode) == (0, 0)
        efi = json.loads(as_json.stdout)["efi"]
        path = inputs / name / "esp" / COPIES[0]
        assert efi["authenticode"] == {"sha256": efitools_digest(path)} and efi["authenticode"] != efi["digests"]
        assert f"geolaunch.efi: Authenticode digest, sha256: {efi['authenticode']['sha256']}\n" in text.stdout
        seen[name] = efi["authenticode"]["sha256"]
    # two signatures at two times: other files with the same digest, which is another than that of the program alone
    assert seen["signed"] == signed_digest(inputs / "signed/esp" / COPIES[0]) == efitools_digest(inputs / "signed-text/esp" / COPIES[1])
    assert seen["plain"] != seen["signed"]


def test_no_authenticode_digest(inputs):
    """An unsigned build does not care what the program looks like inside; then there is no digest, and the summary says why."""
    data = bytearray((inputs / "geolaunch.efi").read_bytes())
    gap(data, Pe(bytes(data)))
    (inputs / "geolaunch.efi").write_bytes(data)
    as_json, text = build(inputs, BASE, "--json"), build(inputs, BASE, "--force")
    assert (as_json.returncode, text.returncode) == (0, 0) and json.loads(as_json.stdout)["efi"]["authenticode"] is None
    assert "geolaunch.efi: no Authenticode digest: the PE file has bytes between its sections" in text.stdout


# kind of key: (what makes it, how the warning says it; None: no warning)
KINDS = {
    "rsa 2048": (("rsa:2048",), None),
    "rsa 2056": (("rsa:2056",), "RSA, 2056 bits"),
    "rsa 3072": (("rsa:3072",), "RSA, 3072 bits"),
    "ec": (("ec", "-pkeyopt", "ec_paramgen_curve:P-256"), "EC, 256 bits"),
}


def make_key(inputs, how):
    openssl("req", "-x509", "-newkey", *how, "-nodes", "-keyout", inputs / "k.key", "-out", inputs / "k.pem", "-subj", "/CN=k")
    return "--sign", "k.key", "--cert", "k.pem"


@pytest.mark.parametrize("kind", KINDS)
def test_keys_that_firmware_need_not_know(inputs, kind):
    how, words = KINDS[kind]
    options = make_key(inputs, how)
    result = build(inputs, BASE, "--json", *options)
    line = words and f"not every firmware believes a signature by such a key ({words}): k.pem: use RSA with 2048 bits, or try it there"
    assert result.returncode == 0 and result.stderr == (f"geolaunch build: warning: {line}\n" if words else "")
    assert json.loads(result.stdout)["warnings"] == ([line] if words else [])
    assert verify(inputs / "out/esp" / COPIES[0], inputs / "k.pem")


@pytest.mark.parametrize("how", (("rsa:2047",), ("rsa:1024",), ("rsa-pss", "-pkeyopt", "rsa_keygen_bits:1024")))
def test_keys_that_are_too_short(inputs, how):
    options = make_key(inputs, how)
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    result = build(inputs, BASE, *options)
    refused(result, 3, " bits is too short for RSA, and firmware does not believe it: k.pem: use one of 2048 bits")
    expect_nothing(inputs, before)


@pytest.mark.parametrize("kind, more", [("ed25519", ()), ("ed448", ()), ("rsa-pss", ("-pkeyopt", "rsa_keygen_bits:2048"))])
def test_kinds_of_key_that_cannot_sign(inputs, kind, more):
    options = make_key(inputs, (kind, *more))
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    refused(build(inputs, BASE, *options), 3, f"a key of the kind {kind.upper()}: k.pem: use RSA with 2048 bits")
    expect_nothing(inputs, before)


def test_nobody_looks_at_dates(inputs):
    """A certificate that ended yesterday."""
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", inputs / "k.key", "-out", inputs / "k.csr", "-subj", "/CN=k")
    openssl("x509", "-req", "-in", inputs / "k.csr", "-signkey", inputs / "k.key", "-days", "-1", "-out", inputs / "k.pem")
    result = build(inputs, BASE, "--sign", "k.key", "--cert", "k.pem")
    assert (result.returncode, result.stderr) == (0, "") and verify(inputs / "out/esp" / COPIES[0], inputs / "k.pem")


NO_CERTIFICATE = {"blank": " ", "cut": "-----BEGIN CERTIFICATE-----\n", "large": "x" * ((1 << 20) + 1),
                  "empty structure": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"}


@pytest.mark.parametrize("name", NO_CERTIFICATE)
def test_certificates_that_are_none(inputs, keys, name):
    (inputs / "k.pem").write_text(NO_CERTIFICATE[name])
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    refused(build(inputs, BASE, "--sign", keys / "db.key", "--cert", "k.pem"), 3, "k.pem: ")
    expect_nothing(inputs, before)


def test_files_without_entry_are_named_by_their_digests(inputs, keys):
    """The policy has no entry for tboot, SINIT and launch control data, so a signed description has their digests; nothing else of it changes."""
    make_txt_inputs(inputs)
    manifest = txt_variant()
    lcp_files(inputs, TxtModel(manifest, inputs).mle_hash("sha256"))
    manifest["lcp"] = {"data": "list.dat", "policy": "owner.pol"}
    assert build(inputs, manifest, *with_key(keys)).returncode == 0
    folder = inputs / "out/esp/EFI/geolaunch"
    wanted = b""
    for module in TxtModel(manifest, inputs).description.split(b"module "):
        role = module.split(b"\n")[0].decode()
        wanted += b"module " * bool(wanted) + module
        if role in ("tboot", "sinit", "lcp"):
            wanted += f"sha256 {hashlib.sha256((folder / role).read_bytes()).hexdigest()}\n".encode()
    assert wanted.count(b"\nsha256 ") == 3
    assert (folder / "launch.conf").read_bytes() == wanted
    assert Pe((folder / "geolaunch.efi").read_bytes()).content(".launch") == wanted


def test_install_wants_the_same_inside_and_outside(inputs, keys):
    assert build(inputs, BASE, *with_key(keys)).returncode == 0
    esp = inputs / "mounted"
    esp.mkdir()
    install = [GEOLAUNCH, "install", "--esp", esp, "--no-boot-entry", inputs / "out"]
    # another signed geolaunch.efi, of a build with another command line
    other = variant(hypervisor={**BASE["hypervisor"], "cmdline": "other"})
    assert build(inputs, other, *with_key(keys), out="second").returncode == 0
    for name in COPIES:
        shutil.copy(inputs / "out/esp" / name, inputs / "kept.efi")
        shutil.copy(inputs / "second/esp" / name, inputs / "out/esp" / name)
    result = subprocess.run(install, capture_output=True, text=True, timeout=60)
    refused(result, 3, "the launch description in it is not that of launch.conf")
    for name in COPIES:
        shutil.copy(inputs / "kept.efi", inputs / "out/esp" / name)
    assert subprocess.run(install, capture_output=True, text=True, timeout=60).returncode == 0


def test_lint_looks_inside(inputs, keys):
    """What is inside counts at boot, so lint must not take the files' word for it."""
    assert build(inputs, BASE, *with_key(keys)).returncode == 0
    assert build(inputs, variant(policy={**BASE["policy"], "type": "nonfatal"}), *with_key(keys), out="second").returncode == 0
    plain = (inputs / "geolaunch.efi").read_bytes()
    own, other = ((inputs / d / "esp/EFI/geolaunch/geolaunch.efi") for d in ("out", "second"))
    kept = own.read_bytes()
    damaged = bytearray(kept)
    pe = Pe(kept)
    damaged[pe.table + 40 * list(pe.sections).index(".policy") + 1] ^= 1      # its name
    changed = variant(hypervisor={**BASE["hypervisor"], "cmdline": "other"})
    assert build(inputs, changed, *with_key(keys), out="third").returncode == 0
    third = (inputs / "third/esp/EFI/geolaunch/geolaunch.efi").read_bytes()
    for data, words in ((kept, None), (plain, None), (other.read_bytes(), "The policy in it is not policy.vlp."),
                        (third, "The launch description in it is not launch.conf."), (bytes(damaged), "Its sections are damaged")):
        for path in (own, inputs / "out/esp/EFI/BOOT/BOOTX64.EFI"):
            path.write_bytes(data)
        done = subprocess.run([GEOLAUNCH, "lint", inputs / "out", "--json"], capture_output=True, text=True, timeout=60)
        found = [f["text"] for f in json.loads(done.stdout)["findings"] if f["id"] == "GL-BUILD-013"]
        assert (done.returncode, len(found)) == ((20, 1) if words else (0, 0)), done
        assert not words or words in found[0]
        inside = "obeys the policy in it, the same as policy.vlp" in done.stdout
        assert inside == (data == kept) and ("does not go by these files" in done.stdout) == bool(words)


# ---------------------------------------------------------------- refusals


def expect_nothing(inputs, before):
    assert sorted(p.name for p in inputs.iterdir()) == before


# name: (options, exit code, words)
BAD = {
    "no certificate": (("--sign", "db.key"), 2, "--sign and --cert go together"),
    "no key": (("--cert", "db.pem"), 2, "--sign and --cert go together"),
    "key not there": (("--sign", "nowhere.key", "--cert", "db.pem"), 1, "nowhere.key: name the key with --sign"),
    "certificate not there": (("--sign", "db.key", "--cert", "nowhere.pem"), 1, "nowhere.pem: name the key's certificate with --cert"),
    "key is no key": (("--sign", "db.pem", "--cert", "db.pem"), 3, "sbsign failed (Can't load key from file 'db.pem')"),
    "certificate is none": (("--sign", "db.key", "--cert", "db.key"), 3, "this is no certificate, or one with an unknown key: db.key: name"),
    "do not belong together": (("--sign", "db.key", "--cert", "other.pem"), 3, "sbsign failed (error in key/certificate chain)"),
    "pass phrase wanted": (("--sign", "locked.key", "--cert", "db.pem"), 3, "sbsign failed (Can't load key from file 'locked.key')"),
    "fleet": (("--sign", "db.key", "--cert", "db.pem", "--fleet", "hosts.csv"), 2, "--sign is for one host"),
}


@pytest.mark.parametrize("name", BAD)
def test_refusal(inputs, keys, name):
    options, code, words = BAD[name]
    for path in keys.iterdir():
        shutil.copy(path, inputs / path.name)
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    refused(build(inputs, BASE, *options), code, words)
    expect_nothing(inputs, before)


def test_sbsign_is_not_there(inputs, keys):
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    refused(build(inputs, BASE, *with_key(keys), path="/nowhere"), 1, "no such program: sbsign: install the package sbsigntool")
    expect_nothing(inputs, before)
    # nobody needs it for an unsigned build
    assert build(inputs, BASE, path="/nowhere").returncode == 0


def test_policy_with_sha1(inputs, keys):
    result = build(inputs, variant(policy={"type": "halt", "hash": "sha1"}), *with_key(keys))
    refused(result, 3, "a signature cannot vouch for what is named by SHA-1: host.yaml:5: use sha256 or longer")


def no_room(data, pe):
    data[pe.table + 40 * len(pe.sections)] = 1


def gap(data, pe):
    at = pe.table + 40 * (len(pe.sections) - 1) + 20
    struct.pack_into("<I", data, at, struct.unpack_from("<I", data, at)[0] + 0x200)


def no_program(data, pe):
    data[pe.optional] = 0


@pytest.mark.parametrize("spoil, why", [(no_room, "no room for further sections"), (gap, "bytes between its sections"),
                                        (no_program, "no PE32+ image")])
def test_geolaunch_efi_cannot_take_them(inputs, keys, spoil, why):
    data = bytearray((inputs / "geolaunch.efi").read_bytes())
    spoil(data, Pe(bytes(data)))
    (inputs / "geolaunch.efi").write_bytes(data)
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    result = build(inputs, BASE, *with_key(keys))
    refused(result, 3, "launch description and policy cannot be put into it (")
    assert why in result.stderr and result.stderr.endswith("): geolaunch.efi: name geolaunch.efi as it was built\n")
    expect_nothing(inputs, before)


def test_signed_already(inputs, keys):
    assert build(inputs, BASE, *with_key(keys)).returncode == 0
    shutil.copy(inputs / "out/esp" / COPIES[0], inputs / "geolaunch.efi")
    refused(build(inputs, BASE, *with_key(keys), out="more"), 3, "the PE image is signed already")


@pytest.mark.parametrize("sbsign, words", [
    ("exit 0", "cannot use"), ("kill -9 $$", "sbsign failed (exit status -1)"), ("head -c 100000 /dev/zero | tr '\\0' x; exit 3", "sbsign failed (xxxx"),
])
def test_sbsign_misbehaves(inputs, keys, tmp_path, sbsign, words):
    """It says yes and writes nothing, is killed, or writes more than anybody wants to read: one line in any case."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sbsign").write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\n{sbsign}\n')
    (tmp_path / "bin/sbsign").chmod(0o755)
    (inputs / "host.yaml").touch()
    before = sorted(p.name for p in inputs.iterdir())
    result = build(inputs, BASE, *with_key(keys), path=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert result.returncode == 3 and result.stderr.count("\n") == 1 and result.stdout == ""
    assert words in result.stderr or "sbverify failed" in result.stderr
    expect_nothing(inputs, before)


def test_interrupted_while_signing(inputs, keys, tmp_path):
    """sbsign waits, for a token perhaps. A signal ends it, and the build, which leaves nothing."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/sbsign").write_text(f'#!/bin/sh\n[ "$1" = --version ] && exit 0\necho $$ > {tmp_path}/pid.tmp\nmv {tmp_path}/pid.tmp '
                                         f'{tmp_path}/pid\nexec sleep 600\n')
    (tmp_path / "bin/sbsign").chmod(0o755)
    (inputs / "host.yaml").write_text(to_yaml(BASE) + "\n")
    before = sorted(p.name for p in inputs.iterdir())
    process = subprocess.Popen([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", *map(str, with_key(keys))], cwd=inputs,
                               env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, preexec_fn=lambda: signal.signal(signal.SIGTERM, signal.SIG_DFL))
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / "pid").exists():
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.005)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    expect_nothing(inputs, before)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
