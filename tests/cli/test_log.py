# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch log`: every format, the live log, and logs that are broken."""

import hashlib
import json
import os
import struct
import subprocess
from pathlib import Path

import pytest

import launch_model as model

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
REAL_TXT = TOP / "tests/data/real-txt/txt-logs.bin"
VARIABLE = "sys/firmware/efi/efivars/GeolaunchEventLog-7a1b6f3e-52c4-4d0e-9b57-3c1fd2a08e64"


def run(*args):
    return subprocess.run([GEOLAUNCH, "log", *map(str, args)], capture_output=True, text=True, timeout=60)


def one_line(done, code):
    assert done.returncode == code, done
    assert done.stderr.startswith("geolaunch log: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def decode(*args):
    done = run(*args, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("banks", [["sha256"], ["sha1", "sha256"], model.BANKS])
def test_own_log(tmp_path, banks):
    launch = model.Launch(banks=banks)
    (tmp_path / "log").write_bytes(launch.log() + bytes(777))
    out = decode(tmp_path / "log")
    assert out["format"] == "tcg-crypto-agile"
    assert out["events"][0]["type_name"] == "EV_NO_ACTION" and out["events"][0]["digests"] == {}
    assert [(e["pcr"], e["type"], e["type_name"], e["text"], e["data"], e["digests"]) for e in out["events"][1:]] == [
        (pcr, kind, model.TYPE_NAMES[kind], name, name.encode().hex(), {b: d.hex() for b, d in digests.items()})
        for pcr, kind, name, digests in launch.events
    ]
    assert out["replay"] == launch.pcrs_hex()


def test_text(tmp_path):
    launch = model.Launch(banks=["sha256"])
    (tmp_path / "log").write_bytes(launch.log())
    done = run(tmp_path / "log", "--full")
    assert done.returncode == 0
    assert 'PCR 19  EV_GEOLAUNCH_MODULE  "module 1 hypervisor linux"' in done.stdout
    for pcr, value in launch.pcrs["sha256"].items():
        assert f"    {pcr}: {value.hex()}\n" in done.stdout


def test_start(tmp_path):
    """Found out from the events; --start overrides it."""
    direct, drtm = model.Launch(banks=["sha1"]), model.Launch(banks=["sha1"], drtm=True)
    (tmp_path / "log").write_bytes(direct.log())
    assert decode(tmp_path / "log", "--start", "ff")["replay"] == direct.pcrs_hex()
    # The closing event differs: it is a hash of PCR values. The others are the same.
    same = {p: v for p, v in drtm.pcrs_hex()["sha1"].items() if p != "17"}
    replay = decode(tmp_path / "log", "--start", "00")["replay"]["sha1"]
    assert {p: v for p, v in replay.items() if p != "17"} == same
    # One of TXT's own events says that a dynamic launch reset the PCRs.
    (tmp_path / "txt").write_bytes(drtm.log() + model.event2(17, 0x404, {"sha1": bytes(20)}, b""))
    replay = decode(tmp_path / "txt")["replay"]["sha1"]
    assert {p: v for p, v in replay.items() if p != "17"} == same
    assert "ff or 00" in one_line(run(tmp_path / "log", "--start", "1"), 2)


def test_real_txt():
    """A log from real hardware: SINIT's digests are those of its data, and the replay is the one that hashlib makes."""
    out = decode(REAL_TXT)
    assert [e["type_name"] for e in out["events"] if e["pcr"] == 17 and e["type"] != 3] == [
        "EVTYPE_HASH_START", "EVTYPE_BIOSAC_REG_DATA", "EVTYPE_CPU_SCRTM_STAT", "EVTYPE_LCP_CONTROL_HASH", "EVTYPE_LCP_DETAILS_HASH",
        "EVTYPE_STM_HASH", "EVTYPE_OSSINITDATA_CAP_HASH", "EVTYPE_MLE_HASH", "EVTYPE_NV_INFO_HASH",
        "TBOOT_MEASUREMENT", "TBOOT_MEASUREMENT", "TBOOT_MEASUREMENT",
    ]
    values = {17: bytes(32), 18: bytes(32)}
    checked = 0
    for e in out["events"][1:]:
        data = bytes.fromhex(e["data"])
        values[e["pcr"]] = hashlib.sha256(values[e["pcr"]] + bytes.fromhex(e["digests"]["sha256"])).digest()
        # The data of HASH_START are the digest of SINIT and flags.
        if data and e["type"] != 0x402:
            assert e["digests"] == {b: model.digest(b, data).hex() for b in e["digests"]}
            checked += 1
    assert checked == 12
    assert out["replay"]["sha256"] == {str(pcr): v.hex() for pcr, v in values.items()}
    # tboot measured into the SHA-256 bank only: the other one has SINIT's events alone.
    sha1 = {17: bytes(20), 18: bytes(20)}
    for e in out["events"][1:]:
        assert ("sha1" in e["digests"]) == (e["type"] != 0x501)
        if e["type"] != 0x501:
            sha1[e["pcr"]] = hashlib.sha1(sha1[e["pcr"]] + bytes.fromhex(e["digests"]["sha1"])).digest()
    assert out["replay"]["sha1"] == {str(pcr): v.hex() for pcr, v in sha1.items()}


def test_tboots_digests_of_no_bank(tmp_path):
    """extpol=agile: a digest for each algorithm that tboot knows, in a log whose banks are fewer. Other authors may not."""
    spec = model.event1(0, 3, bytes(20), b"Spec ID Event03\0" + struct.pack("<IBBBBIHHB", 0, 0, 2, 0, 2, 1, 0x0B, 32, 0))
    for kind, good in ((0x501, True), (0x402, False)):
        event = struct.pack("<IIIH20sH32sI", 17, kind, 2, 4, b"\x11" * 20, 0x0B, b"\x22" * 32, 0)
        (tmp_path / "log").write_bytes(spec + event)
        p = subprocess.run([GEOLAUNCH, "log", "--json", str(tmp_path / "log")], capture_output=True, text=True, timeout=60, check=False)
        assert (p.returncode == 0) == good, p.stderr
        if good:
            out = json.loads(p.stdout)
            assert out["events"][1]["digests"] == {"sha256": "22" * 32}
            assert out["replay"] == {"sha256": {"17": hashlib.sha256(bytes(32) + b"\x22" * 32).hexdigest()}}


def test_real_txt_before_tboot(tmp_path):
    """The same log up to SINIT's last event, where both banks are complete."""
    whole = REAL_TXT.read_bytes()
    # 3 + 1 of tboot's events come last: pcr, type 0x501, one SHA-256 digest, no data
    first = whole.index(struct.pack("<IIIH", 17, 0x501, 1, 0x0B))
    (tmp_path / "log").write_bytes(whole[:first])
    assert set(decode(tmp_path / "log")["replay"]["sha1"]) == {"17", "18"}


def test_sha1_only(tmp_path):
    digests = [hashlib.sha1(bytes([i])).digest() for i in range(3)]
    (tmp_path / "log").write_bytes(b"".join(model.event1(0, 8, d, b"\xff\x00") for d in digests))
    out = decode(tmp_path / "log")
    assert out["format"] == "tcg-sha1"
    assert [e["text"] for e in out["events"]] == [None] * 3
    value = bytes(20)
    for d in digests:
        value = hashlib.sha1(value + d).digest()
    assert out["replay"] == {"sha1": {"0": value.hex()}}


def test_txt_container(tmp_path):
    events = model.event1(17, 0x402, b"\x11" * 20, b"abc") + model.event1(18, 0x410, b"\x22" * 20, b"")
    # signature, reserved, container version, event version, size, offsets of the first event and of the next one to come
    head = struct.pack("<20s12sBBBBIII", b"TXT Event Container\0", b"", 1, 0, 1, 0, 4096, 48, 48 + len(events))
    (tmp_path / "log").write_bytes((head + events).ljust(4096, b"\0"))
    out = decode(tmp_path / "log")
    assert out["format"] == "txt-container"
    assert [e["type_name"] for e in out["events"]] == ["EVTYPE_HASH_START", "EVTYPE_SINIT_PUBKEY_HASH"]
    assert out["replay"] == {"sha1": {"17": hashlib.sha1(bytes(20) + b"\x11" * 20).hexdigest(), "18": hashlib.sha1(bytes(20) + b"\x22" * 20).hexdigest()}}


def test_startup_locality(tmp_path):
    d = hashlib.sha256(b"x").digest()
    log = model.spec_id(["sha256"]) + model.event2(0, 3, {"sha256": bytes(32)}, b"StartupLocality\0\x03") + model.event2(0, 8, {"sha256": d}, b"")
    (tmp_path / "log").write_bytes(log)
    assert decode(tmp_path / "log")["replay"]["sha256"]["0"] == hashlib.sha256(bytes(31) + b"\x03" + d).hexdigest()


def put(root, name, data):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(data)


def test_live(tmp_path):
    """Ours first, then TXT's, then the firmware's with a note."""
    assert "no event log" in one_line(run("--live", "--root", tmp_path), 1)
    firmware, txt, ours = (model.Launch(steps=s).log() for s in (model.GOOD[:1], model.GOOD[:2], model.GOOD))
    put(tmp_path, "sys/kernel/security/tpm0/binary_bios_measurements", firmware)
    done = run("--live", "--root", tmp_path, "--json")
    assert done.returncode == 0 and len(json.loads(done.stdout)["events"]) == 2
    assert "note: no log of a measured launch" in done.stderr
    put(tmp_path, "sys/kernel/security/slaunch/eventlog", txt)
    done = run("--live", "--root", tmp_path, "--json")
    assert len(json.loads(done.stdout)["events"]) == 3 and done.stderr == ""
    # attributes BOOTSERVICE_ACCESS | RUNTIME_ACCESS in front
    put(tmp_path, VARIABLE, struct.pack("<I", 6) + ours)
    done = run("--live", "--root", tmp_path, "--json", "--raw-out", tmp_path / "raw")
    assert len(json.loads(done.stdout)["events"]) == 1 + len(model.GOOD) and done.stderr == ""
    assert (tmp_path / "raw").read_bytes() == ours
    assert one_line(run("--live", "--root", tmp_path, "--raw-out", tmp_path / "raw"), 2)
    put(tmp_path, VARIABLE, b"\x06\0")
    assert "too short" in one_line(run("--live", "--root", tmp_path), 3)


def test_raw_out_loses_no_file(tmp_path):
    """One that exists is replaced with --force only; the log may even be the same file then."""
    log = model.Launch().log()
    for name, content in (("log", log), ("manifest.yaml", b"version: 1\n")):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("log", "manifest.yaml", "link"):
        want = f"geolaunch log: file exists: {tmp_path}/{name}: replace it with --force, or name another\n"
        assert one_line(run(tmp_path / "log", "--raw-out", tmp_path / name), 2) == want
    assert (tmp_path / "manifest.yaml").read_bytes() == b"version: 1\n" and not (tmp_path / "nowhere").exists()
    for name in ("manifest.yaml", "new", "log", "link"):
        assert run(tmp_path / "log", "--raw-out", tmp_path / name, "--force").returncode == 0
        assert (tmp_path / name).read_bytes() == log
    assert "no regular file" in one_line(run(tmp_path / "log", "--raw-out", "/dev/null", "--force"), 2)
    assert "--force is for --raw-out only" in one_line(run(tmp_path / "log", "--force"), 2)


def test_malformed(tmp_path):
    """What is there is shown, and one line says where it breaks off."""
    launch = model.Launch(banks=["sha256"])
    whole = launch.log()
    tail = len(model.event2(*launch.events[-1][:2], launch.events[-1][3], b"closing"))
    (tmp_path / "cut").write_bytes(whole[:-3])
    done = run(tmp_path / "cut", "--json")
    line = one_line(done, 3)
    assert f"{tmp_path}/cut: byte {len(whole) - len('closing') - 4}: " in line
    out = json.loads(done.stdout)
    assert len(out["events"]) == len(launch.events) and "error" in out
    done = run(tmp_path / "cut")
    assert done.returncode == 3 and done.stdout.count("EV_GEOLAUNCH_") == len(launch.events) - 1
    # a bank that the log's first event does not name
    (tmp_path / "alien").write_bytes(whole[:-tail] + model.event2(17, model.CLOSING, {"sha512": bytes(64)}, b""))
    assert f"byte {len(whole) - tail + 12}: a digest of an algorithm" in one_line(run(tmp_path / "alien"), 3)


def test_terminal_is_safe(tmp_path):
    steps = [(19, model.MODULE, "module 1 \x1b]0;evil\x07", b"x")]
    (tmp_path / "log").write_bytes(model.Launch(steps=steps, banks=["sha1"]).log())
    done = run(tmp_path / "log")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout
    assert decode(tmp_path / "log")["events"][1]["text"] is None


def test_errors(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "text").write_text("hello\n")
    assert "no log" in one_line(run(tmp_path / "empty"), 3)
    assert "no event log" in one_line(run(tmp_path / "text"), 3)
    assert "missing" in one_line(run(tmp_path / "missing"), 1)
    assert "--live" in one_line(run(), 2)
    assert "--live" in one_line(run("a", "b"), 2)
    assert "--live" in one_line(run("--live", "a"), 2)
    assert "--nonsense" in one_line(run("--nonsense"), 2)
    assert run("--help").returncode == 0
