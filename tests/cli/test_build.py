# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch build`: what it writes, what it predicts, and that its output appears complete or not at all."""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from build_model import BANKS, BASE, GEOLAUNCH, Model, build, geo_tag, h, make_inputs, refused, run, to_yaml, variant


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    yield tmp_path / "in"
    # pytest keeps the folders of three runs; these are large
    shutil.rmtree(tmp_path)


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
    made = {out / "expected.json", out / "geo.bin", esp / "geolaunch/launch.conf", esp / "geolaunch/policy.vlp"}
    assert (out / "geo.bin").read_bytes() == geo_tag(BASE["geo"]["tag"])
    assert {p for p in out.rglob("*") if p.is_file()} == made | copies.keys()


def test_provenance(inputs):
    assert build(inputs, BASE).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert [(e["provenance"]["kind"], e["provenance"]["from"]) for e in events] == [
        ("computed", ["policy.vlp"]), ("computed", ["policy.vlp"]), ("computed", ["launch.conf"]),
        ("computed", ["vmlinuz", "cmdline: console=ttyS0 quiet"]), ("computed", ["initrd.img"]), ("computed", ["vmm", "path: /usr/bin/vmm"]),
        ("computed", ["vm.json", "path: /etc/vm/vm.json"]), ("computed", ["other", "path: /etc/vm/other"]), ("given", ["geo.tag"]),
        ("computed", ["PCR 19", "PCR 20", "PCR 21", "PCR 22"])]


def test_provenance_without_command_line(inputs):
    assert build(inputs, variant(hypervisor={**BASE["hypervisor"], "cmdline": ""})).returncode == 0
    events = json.loads((inputs / "out/expected.json").read_text())["events"]
    assert events[3]["provenance"] == {"kind": "computed", "from": ["vmlinuz"]}


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


@pytest.mark.parametrize("path, better", [
    ("/bin/vmm", "/usr/bin/vmm"), ("/sbin/x/y", "/usr/sbin/x/y"), ("/lib/vmm", "/usr/lib/vmm"), ("/lib32/a", "/usr/lib32/a"),
    ("/lib64/a", "/usr/lib64/a"), ("/libx32/a", "/usr/libx32/a"), ("/usr/bin/vmm", None), ("/libexec/vmm", None), ("/opt/bin/vmm", None),
])
def test_path_that_a_link_leads_to(inputs, path, better):
    """On an initrd with merged /usr the kernel would put a directory in the link's place."""
    manifest = variant(vmm={"file": "vmm", "path": path})
    plain, with_json = build(inputs, manifest), build(inputs, manifest, "--json", "--force")
    line = to_yaml(manifest).splitlines().index(f'  path: "{path}"') + 1
    warnings = json.loads(with_json.stdout)["warnings"]
    assert plain.returncode == with_json.returncode == 0 and plain.stderr == with_json.stderr
    assert plain.stderr == "".join(f"geolaunch build: warning: {w}\n" for w in warnings)
    if better is None:
        assert warnings == []
    else:
        assert len(warnings) == 1 and warnings[0].endswith(f': host.yaml:{line}: use "{better}"')


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
    # an empty one holds nothing to lose
    assert build(inputs, BASE, "--force", out="real").returncode == 0


def test_force_keeps_an_esp(inputs):
    """What `install --esp image/esp` makes, or a hand: a directory that no build made, though its names are those of a build."""
    (inputs / "image/esp/EFI").mkdir(parents=True)
    refused(build(inputs, BASE, "--force", out="image"), 2, 'it holds no "expected.json", so no build made it: image: --force')
    (inputs / "image/esp/EFI/BOOT").mkdir()
    (inputs / "image/esp/EFI/BOOT/BOOTX64.EFI").write_bytes(b"mine")
    refused(build(inputs, BASE, "--force", out="image"), 2, 'it holds no "expected.json"')
    assert (inputs / "image/esp/EFI/BOOT/BOOTX64.EFI").read_bytes() == b"mine"


# What somebody added to a build.
ADDED = {
    "esp/EFI/ubuntu": lambda out: ((out / "esp/EFI/ubuntu").mkdir(), (out / "esp/EFI/ubuntu/grub.cfg").write_text("menu")),
    "esp/loader.conf": lambda out: (out / "esp/loader.conf").write_text(""),
    "esp/EFI/BOOT/grubx64.efi": lambda out: (out / "esp/EFI/BOOT/grubx64.efi").write_text(""),
    # of `geolaunch install`
    "esp/EFI/geolaunch/slots.conf": lambda out: (out / "esp/EFI/geolaunch/slots.conf").write_text(""),
    "esp/EFI/geolaunch/0123456789abcdef": lambda out: (out / "esp/EFI/geolaunch/0123456789abcdef").mkdir(),
    # names of ours
    "esp/EFI/geolaunch/stage": lambda out: (out / "esp/EFI/geolaunch/stage").mkdir(),
    "esp/EFI/geolaunch/file-": lambda out: (out / "esp/EFI/geolaunch/file-").write_text(""),
    "esp/EFI/geolaunch/file-0x": lambda out: (out / "esp/EFI/geolaunch/file-0x").write_text(""),
    "esp/efi": lambda out: (out / "esp/efi").mkdir(),
    "geo.bin/letters": lambda out: ((out / "geo.bin").unlink(), (out / "geo.bin").mkdir(), (out / "geo.bin/letters").write_text("")),
    "lcp.pol": lambda out: (out / "lcp.pol").symlink_to("geo.bin"),
    "esp/EFI": lambda out: ((out / "esp/EFI").rename(out.parent / "EFI"), (out / "esp/EFI").symlink_to("../../EFI")),
}


@pytest.mark.parametrize("name", ADDED)
def test_force_keeps_what_was_added(inputs, name):
    assert build(inputs, BASE).returncode == 0
    ADDED[name](inputs / "out")
    before = contents(inputs / "out")
    refused(build(inputs, BASE, "--force"), 2, f'it holds "{name.removesuffix("/letters")}", which no build made: out: --force')
    assert contents(inputs / "out") == before


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
        assert "standard output" in result.stderr and result.stderr.endswith(": out was made\n")


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal(inputs, sig):
    """Ends as the signal would have ended it, and leaves nothing behind."""
    with open(inputs / "huge", "wb") as f:
        f.truncate((1 << 32) - 1)
    manifest = variant(vmm={"file": "huge", "path": "/huge"})
    (inputs / "host.yaml").write_text(to_yaml(manifest))
    before = sorted(p.name for p in inputs.iterdir())
    # Whoever runs the tests in the background may have given us SIGINT ignored; the command would rightly go on ignoring it.
    process = subprocess.Popen([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi"], cwd=inputs,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               preexec_fn=lambda: signal.signal(sig, signal.SIG_DFL))
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


def test_progress(inputs):
    """On a terminal a file that takes over a second says how far it is; a quick one says nothing."""
    with open(inputs / "huge", "wb") as f:
        f.truncate((1 << 32) - 1)
    (inputs / "host.yaml").write_text(to_yaml(variant(vmm={"file": "huge", "path": "/huge"})))
    ours, theirs = pty.openpty()
    process = subprocess.Popen([GEOLAUNCH, "build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi"], cwd=inputs,
                               stdout=subprocess.DEVNULL, stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        deadline = time.monotonic() + 30
        while b"% of 4.0 GiB" not in shown:
            assert select.select([ours], [], [], deadline - time.monotonic())[0]
            shown += os.read(ours, 1000)
        process.terminate()
        assert process.wait(timeout=30) == -signal.SIGTERM
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    assert re.fullmatch(rb"(\rhuge +\d+% of 4.0 GiB)+", shown)


def test_too_large_for_fat(inputs):
    with open(inputs / "huge", "wb") as f:
        f.truncate(1 << 32)
    refused(build(inputs, variant(vmm={"file": "huge", "path": "/huge"})), 3, "larger than a FAT file system can hold")


def test_no_folder_to_build_in(inputs):
    refused(build(inputs, BASE, out="nodir/o"), 1, "cannot make: nodir/o: nodir: No such file or directory: make it first")
    refused(build(inputs, BASE, out="vmm/o"), 1, "Not a directory")
    assert not (inputs / "nodir").exists()
