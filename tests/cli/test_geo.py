# SPDX-License-Identifier: BSD-3-Clause
"""`geolaunch geo` against a real swtpm: what it makes is read back by tpm2-tools, and what tpm2-tools make it explains."""

import contextlib
import hashlib
import json
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import termios
import time
from decimal import Decimal
from pathlib import Path

import pytest

from swtpm import Swtpm

TOP = Path(__file__).resolve().parents[2]
GEOLAUNCH = os.environ.get("GEOLAUNCH", str(TOP / "build/host/geolaunch"))
INDEX = "0x01c10110"
# TPMA_NV: OWNERWRITE, WRITEDEFINE, AUTHREAD, NO_DA
ATTRIBUTES = 1 << 1 | 1 << 13 | 1 << 18 | 1 << 25
WRITTEN, WRITELOCKED = 1 << 29, 1 << 11
GERMANY = ["--country", "DE", "--subdivision", "HE", "--site", "FRA1", "--latitude", "50.1109", "--longitude", "8.6821"]


@pytest.fixture
def tpm():
    t = Swtpm()
    yield t
    t.close()


def geo(tpm, *args, **more):
    tcti = ["--tcti", tpm.tcti] if tpm else []
    return subprocess.run([GEOLAUNCH, "geo", *map(str, args), *tcti], capture_output=True, text=True, timeout=60, **more)


def ok(tpm, *args):
    done = geo(tpm, *args)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout


def changed(tpm, *args):
    return json.loads(ok(tpm, *args, "--json"))["changed"]


def view(tpm, *args):
    return json.loads(ok(tpm, "read", "--json", *args))


def one_line(done, code):
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("geolaunch geo: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


def tag(country="DE", subdivision="HE", site="FRA1", latitude=501109000, longitude=86821000):
    """The record of geo/geo.h, by struct alone."""
    flags = 0 if latitude is None else 1
    return struct.pack("<4sHH2s4sHii40s", b"GEO1", 64, flags, country.encode(), subdivision.encode(), 0, latitude or 0,
                       longitude if flags else 0, site.encode())


# ---------------------------------------------------------------- the life of an index


def test_life(tpm):
    assert "not defined: 'geolaunch geo define'" in one_line(geo(tpm, "read"), 3)
    assert "not defined" in one_line(geo(tpm, "write", *GERMANY), 3)
    assert "not defined" in one_line(geo(tpm, "lock"), 3)

    assert changed(tpm, "define") is True
    assert changed(tpm, "define") is False
    v = view(tpm)
    assert (v["index"], v["size"], v["attributes"], v["content"], v["tag"], v["boot_readable"]) == (INDEX, 64, ATTRIBUTES, None, None, False)
    assert "nothing was written to it yet" in v["boot"]
    assert "never written" in one_line(geo(tpm, "lock"), 3)

    assert changed(tpm, "write", *GERMANY) is True
    assert changed(tpm, "write", *GERMANY) is False
    assert tpm.tool("tpm2_nvread", INDEX).stdout == tag()
    v = view(tpm)
    assert v["attributes"] == ATTRIBUTES | WRITTEN and v["attribute_names"] == "ownerwrite|writedefine|authread|no_da|written"
    assert bytes.fromhex(v["content"]) == tag()
    assert v["tag"] == {"country": "DE", "subdivision": "HE", "site": "FRA1", "latitude": 50.1109, "longitude": 8.6821}
    assert v["boot_readable"] is True and v["boot"] == "the boot chain can read it"
    text = ok(tpm, "read")
    for part in ("0x01c10110", "ownerwrite|writedefine|authread|no_da|written", tag().hex()[:64], "DE-HE", "FRA1", "50.1109000", "8.6821000",
                 "the boot chain can read it"):
        assert part in text

    # Defined before, used since: still the same index to `define`.
    assert changed(tpm, "define") is False
    assert changed(tpm, "write", "--country", "FR") is True
    assert view(tpm)["tag"] == {"country": "FR", "subdivision": "", "site": ""}
    assert tpm.tool("tpm2_nvread", INDEX).stdout == tag("FR", "", "", None)

    assert changed(tpm, "lock") is True
    assert changed(tpm, "lock") is False
    assert view(tpm)["attributes"] == ATTRIBUTES | WRITTEN | WRITELOCKED
    assert "is locked" in one_line(geo(tpm, "write", *GERMANY), 3)
    assert changed(tpm, "write", "--country", "FR") is False
    # The lock outlives a reset of the TPM.
    tpm.restart()
    assert tpm.tool("tpm2_nvwrite", INDEX, "-C", "o", "-i", "-", data=tag(), ok=False).returncode != 0
    assert view(tpm)["tag"]["country"] == "FR"

    assert changed(tpm, "undefine") is True
    assert changed(tpm, "undefine") is False
    assert b"1c10110" not in tpm.tool("tpm2_getcap", "handles-nv-index").stdout.lower()


@pytest.mark.parametrize("args, words", [
    (["--country", "Germany"], "--country Germany: give two capital letters of ISO 3166-1, such as DE"),
    (["--country", "de"], "--country de: give two capital letters of ISO 3166-1, such as DE"),
    (["--country", ""], "--country : give two capital letters"),
    (["--country", "DE", "--subdivision", "DE-HE"], "--subdivision DE-HE: give the part behind the hyphen: HE"),
    (["--country", "DE", "--subdivision", "Hesse"], "--subdivision Hesse: give up to three capital letters or digits"),
])
def test_places_as_people_write_them(args, words):
    assert words in one_line(geo(None, "write", *args), 3)


@pytest.mark.parametrize("country, words", [
    ("UK", "is no country of ISO 3166-1; GB is meant?"), ("EL", "is no country of ISO 3166-1; GR is meant?"), ("ZY", "is no country of ISO 3166-1"),
    ("ZZ", "is a code for private use"), ("XK", "is a code for private use"), ("GB", None),
])
def test_countries_that_do_not_exist(tpm, tmp_path, country, words):
    """Written, and told; as options and as a file."""
    ok(tpm, "define")
    (tmp_path / "tag").write_bytes(tag(country))
    for args in (["--country", country], ["--file", tmp_path / "tag"]):
        done = geo(tpm, "write", *args)
        assert done.returncode == 0
        assert (done.stderr == "") if words is None else (
            done.stderr.startswith(f'geolaunch geo: warning: the country "{country}" ') and words in done.stderr and done.stderr.count("\n") == 1)
    assert view(tpm)["tag"]["country"] == country


def test_other_content_and_index(tpm, tmp_path):
    """Any bytes can be measured; 0x0180xxxx works as well; sizes above one NV buffer."""
    content = hashlib.shake_128(b"x").digest(1500)
    (tmp_path / "content").write_bytes(content)
    where = ["--index", "0x01800100"]
    assert changed(tpm, "define", *where, "--size", "1500")
    assert "'geolaunch geo define --index 0x01800101' makes it\n" in one_line(geo(tpm, "read", "--index", "0x1800101"), 3)
    line = one_line(geo(tpm, "define", *where), 3)
    assert "is there already, but otherwise: 1500 bytes" in line and line.endswith("; 'geolaunch geo undefine --index 0x01800100' removes it\n")
    line = one_line(geo(tpm, "write", *where, *GERMANY), 3)
    assert "64 bytes" in line
    assert line.endswith("'geolaunch geo undefine --index 0x01800100', then 'geolaunch geo define --index 0x01800100 --size 64'\n")
    assert "'geolaunch geo write --index 0x01800100' first\n" in one_line(geo(tpm, "lock", *where), 3)
    assert changed(tpm, "write", *where, "--file", tmp_path / "content")
    assert not changed(tpm, "write", *where, "--file", tmp_path / "content")
    v = view(tpm, *where)
    assert bytes.fromhex(v["content"]) == content and v["tag"] is None and v["boot_readable"]
    (tmp_path / "content").write_bytes(content[:-1])
    assert "has 1499 bytes" in one_line(geo(tpm, "write", *where, "--file", tmp_path / "content"), 3)
    assert ok(tpm, "lock", *where).endswith("; 'geolaunch geo undefine --index 0x01800100' is the only way back\n")
    (tmp_path / "content").write_bytes(content[::-1])
    line = one_line(geo(tpm, "write", *where, "--file", tmp_path / "content"), 3)
    assert line.endswith("'geolaunch geo undefine --index 0x01800100', then define it anew\n")


@pytest.mark.parametrize("index", ["0x01c10131", "0x01c10106", "0x01c10132", "0x01200001", "0x01c10102"])
def test_index_of_others(tpm, index):
    """What SINIT and tboot use may be looked at, no more."""
    tpm.tool("tpm2_nvdefine", index, "-C", "o", "-s", "64", "-a", "ownerwrite|authread|authwrite|no_da")
    tpm.tool("tpm2_nvwrite", index, "-C", "o", "-i", "-", data=bytes(64))
    before = view(tpm, "--index", index)
    for action in (["define"], ["write", *GERMANY], ["lock"], ["undefine"]):
        line = one_line(geo(tpm, *action, "--index", index), 2)
        assert "SINIT and tboot use this NV index themselves" in line and "'geolaunch provision'" in line
    assert view(tpm, "--index", index) == before
    tpm.tool("tpm2_nvundefine", index, "-C", "o")


def test_broken_tag_is_not_ours(tpm):
    """Content that only looks like a tag is shown as bytes."""
    ok(tpm, "define")
    for broken in (b"GEO1" + bytes(60), tag("de"), tag()[:24] + b"\x1b" * 40):
        tpm.tool("tpm2_nvwrite", INDEX, "-C", "o", "-i", "-", data=broken)
        v = view(tpm)
        assert v["tag"] is None and bytes.fromhex(v["content"]) == broken
        assert "\x1b" not in ok(tpm, "read")


# ---------------------------------------------------------------- will the boot chain be able to read it?


def define(tpm, attributes, *args, write="o", size=64):
    tpm.tool("tpm2_nvdefine", INDEX, "-s", str(size), "-a", attributes, *args)
    if write:
        tpm.tool("tpm2_nvwrite", INDEX, "-C", write, "-i", "-", data=tag())


def test_boot_authread_no_da(tpm):
    define(tpm, "authread|ownerwrite|no_da", "-C", "o")
    v = view(tpm)
    assert v["boot_readable"] and v["boot"] == "the boot chain can read it"


def test_boot_authread_da(tpm):
    define(tpm, "authread|authwrite|ownerwrite", "-C", "o")
    v = view(tpm)
    assert v["boot_readable"] and "but not while the TPM is in dictionary-attack lockout" in v["boot"] and "no_da" in v["boot"]
    # The first use after a reset is answered with RC_RETRY.
    tpm.restart()
    assert view(tpm)["boot_readable"]


def test_boot_password(tpm):
    define(tpm, "authread|ownerwrite|no_da", "-C", "o", "-p", "pw")
    v = view(tpm)
    assert not v["boot_readable"] and "it has a password" in v["boot"] and v["content"] is None


def test_boot_lockout(tpm):
    """In dictionary-attack lockout only no_da helps."""
    define(tpm, "authread|ownerwrite", "-C", "o")
    tpm.tool("tpm2_dictionarylockout", "--setup-parameters", "--max-tries=1", "--recovery-time=1000", "--lockout-recovery-time=1000")
    tpm.tool("tpm2_nvdefine", "0x01c10111", "-C", "o", "-s", "8", "-a", "authread|authwrite|ownerwrite", "-p", "pw")
    tpm.tool("tpm2_nvread", "0x01c10111", "-P", "wrong", ok=False)
    v = view(tpm)
    assert not v["boot_readable"] and "lockout" in v["boot"] and "TPM_RC_LOCKOUT" in v["boot"]
    ok(tpm, "undefine")
    define(tpm, "authread|ownerwrite|no_da", "-C", "o")
    assert view(tpm)["boot_readable"]


def test_boot_ownerread(tpm):
    define(tpm, "ownerread|ownerwrite", "-C", "o")
    v = view(tpm)
    assert not v["boot_readable"] and "authread" in v["boot"]
    assert bytes.fromhex(v["content"]) == tag() and v["tag"]["country"] == "DE"


def test_boot_ppread(tpm):
    define(tpm, "ppread|ownerwrite", "-C", "o")
    v = view(tpm)
    assert not v["boot_readable"] and "authread" in v["boot"] and v["content"] is None
    assert "not readable from here" in ok(tpm, "read")


def test_boot_policyread(tpm, tmp_path):
    policy = tmp_path / "policy"
    tpm.tool("tpm2_startauthsession", "-S", tmp_path / "session")
    tpm.tool("tpm2_policycommandcode", "-S", tmp_path / "session", "-L", policy, "TPM2_CC_NV_Read")
    define(tpm, "policyread|ownerwrite", "-C", "o", "-L", policy)
    v = view(tpm)
    assert not v["boot_readable"] and "authread" in v["boot"] and v["policy"] == policy.read_bytes().hex()
    assert policy.read_bytes().hex() in ok(tpm, "read")
    assert "is there already, but otherwise" in one_line(geo(tpm, "define"), 3)


def test_boot_platform_created(tpm):
    define(tpm, "platformcreate|ppwrite|authread|no_da", "-C", "p", write="p")
    v = view(tpm)
    assert v["boot_readable"] and v["tag"]["country"] == "DE"
    assert "only it can remove it" in one_line(geo(tpm, "undefine"), 3)
    assert "neither by the owner" in one_line(geo(tpm, "write", "--country", "FR"), 3)


def test_boot_never_written(tpm):
    define(tpm, "authread|ownerwrite|no_da", "-C", "o", write=None)
    v = view(tpm)
    assert not v["boot_readable"] and "nothing was written" in v["boot"]


def test_boot_read_locked(tpm):
    define(tpm, "authread|ownerwrite|no_da|read_stclear", "-C", "o")
    tpm.tool("tpm2_nvreadlock", INDEX)
    v = view(tpm)
    assert not v["boot_readable"] and "locked against reading" in v["boot"]


def test_cannot_lock_without_writedefine(tpm):
    define(tpm, "authread|ownerwrite|no_da", "-C", "o")
    assert "without writedefine" in one_line(geo(tpm, "lock"), 3)


def test_lock_until_reset(tpm):
    """Of an index with write_stclear only: told when it is locked, and when it was; and it is as told."""
    def lock():
        return json.loads(ok(tpm, "lock", "--json"))

    define(tpm, "authread|ownerwrite|no_da|write_stclear", "-C", "o")
    tpm.tool("tpm2_nvwrite", INDEX, "-C", "o", "-i", "-", data=tag())
    assert lock() == {"index": INDEX, "action": "lock", "changed": True, "until_reset": True}
    assert lock() == {"index": INDEX, "action": "lock", "changed": False, "until_reset": True}
    text = ok(tpm, "lock")
    assert "is locked already, but only until the TPM's next reset" in text and text.count("\n") == 1
    tpm.restart()
    text = ok(tpm, "lock")
    assert f"NV index {INDEX} locked, but only until the TPM's next reset" in text and "can no longer" not in text
    assert text.count("\n") == 1

    ok(tpm, "undefine")
    define(tpm, "authread|ownerwrite|no_da|write_stclear|writedefine", "-C", "o")
    tpm.tool("tpm2_nvwrite", INDEX, "-C", "o", "-i", "-", data=tag())
    assert lock() == {"index": INDEX, "action": "lock", "changed": True, "until_reset": False}
    tpm.restart()
    assert lock() == {"index": INDEX, "action": "lock", "changed": False, "until_reset": False}
    assert set(json.loads(ok(tpm, "undefine", "--json"))) == {"index", "action", "changed"}


# ---------------------------------------------------------------- owner password


def test_owner_password(tpm, tmp_path):
    tpm.tool("tpm2_changeauth", "-c", "owner", "s3cret")
    secret = tmp_path / "auth"
    line = one_line(geo(tpm, "define"), 4)
    assert "TPM_RC_BAD_AUTH" in line and "--owner-auth" in line and "line end" in line
    secret.write_text("wrong")
    assert "TPM_RC_BAD_AUTH" in one_line(geo(tpm, "define", "--owner-auth", secret), 4)
    for text in ("s3cret", "s3cret\n", "s3cret\r\n"):
        secret.write_text(text)
        assert changed(tpm, "define", "--owner-auth", secret) and changed(tpm, "undefine", "--owner-auth", secret)
    assert changed(tpm, "define", "--owner-auth", secret)
    assert "TPM_RC_BAD_AUTH" in one_line(geo(tpm, "write", *GERMANY), 4)
    assert changed(tpm, "write", *GERMANY, "--owner-auth", secret)
    assert view(tpm)["boot_readable"]
    assert "TPM_RC_BAD_AUTH" in one_line(geo(tpm, "lock"), 4)
    assert changed(tpm, "lock", "--owner-auth", secret)
    # From standard input, when it is no terminal.
    done = geo(tpm, "undefine", "--owner-auth", "-", input="s3cret\nrest\n")
    assert done.returncode == 0 and done.stdout == f"NV index {INDEX} undefined\n"


def test_owner_password_file_errors(tmp_path):
    secret = tmp_path / "auth"
    assert "No such file" in one_line(geo(None, "define", "--owner-auth", secret), 1)
    secret.write_text("a\nb\n")
    assert "more than one line" in one_line(geo(None, "define", "--owner-auth", secret), 3)
    secret.write_text("x" * 65)
    assert "at most 64 bytes" in one_line(geo(None, "define", "--owner-auth", secret), 3)


@pytest.mark.parametrize("password", ["s3cret\r", "x" * 64])
def test_owner_password_to_the_last_byte(tpm, tmp_path, password):
    """Only before a line feed is a carriage return part of the line end."""
    tpm.tool("tpm2_changeauth", "-c", "owner", "hex:" + password.encode().hex())
    secret = tmp_path / "auth"
    for end in ("", "\r\n"):
        secret.write_bytes((password + end).encode())
        assert changed(tpm, "define", "--owner-auth", secret) and changed(tpm, "undefine", "--owner-auth", secret)


def read_until(fd, part, deadline=20):
    seen = b""
    end = time.monotonic() + deadline
    while part not in seen:
        ready, _, _ = select.select([fd], [], [], max(0, end - time.monotonic()))
        assert ready, f"nothing more after {seen!r}"
        seen += os.read(fd, 1024)
    return seen


def test_prompt_without_echo(tpm):
    tpm.tool("tpm2_changeauth", "-c", "owner", "s3cret")
    master, slave = pty.openpty()
    try:
        p = subprocess.Popen([GEOLAUNCH, "geo", "define", "--owner-auth", "-", "--tcti", tpm.tcti], stdin=slave, stdout=slave, stderr=slave)
        read_until(master, b"owner password: ")
        assert not termios.tcgetattr(slave)[3] & termios.ECHO
        os.write(master, b"s3cret\n")
        assert b"s3cret" not in read_until(master, b"defined")
        assert p.wait(20) == 0
        assert termios.tcgetattr(slave)[3] & termios.ECHO
    finally:
        os.close(master)
        os.close(slave)


@contextlib.contextmanager
def at_prompt(sig):
    """
    A process that waits at the prompt, and both ends of its terminal: in a process group of its own that a signal may stop, with the
    signal as a terminal has it and no core.
    """
    def prepare():
        os.setpgid(0, 0)
        signal.signal(sig, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    master, slave = pty.openpty()
    p = subprocess.Popen([GEOLAUNCH, "geo", "define", "--owner-auth", "-"], stdin=slave, stdout=slave, stderr=slave, preexec_fn=prepare)
    try:
        yield p, master, slave
    finally:
        p.kill()
        p.wait()
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_prompt_interrupted(sig):
    """Echo is back on after a signal, and the signal is not lost."""
    with at_prompt(sig) as (p, master, slave):
        read_until(master, b"owner password: ")
        p.send_signal(sig)
        assert p.wait(20) == -sig
        assert termios.tcgetattr(slave)[3] & termios.ECHO


def test_prompt_stopped():
    """Echo is on while the process is stopped; afterwards the question is asked anew."""
    with at_prompt(signal.SIGTSTP) as (p, master, slave):
        for _ in range(2):
            read_until(master, b"owner password: ")
            assert not termios.tcgetattr(slave)[3] & termios.ECHO
            os.write(master, b"half of a pass")
            p.send_signal(signal.SIGTSTP)
            end = time.monotonic() + 20
            while (done := os.waitpid(p.pid, os.WUNTRACED | os.WNOHANG))[0] == 0:
                assert time.monotonic() < end
                time.sleep(0.01)
            assert os.WIFSTOPPED(done[1])
            assert termios.tcgetattr(slave)[3] & termios.ECHO
            p.send_signal(signal.SIGCONT)
        read_until(master, b"owner password: ")
        p.send_signal(signal.SIGTERM)
        assert p.wait(20) == -signal.SIGTERM
        assert termios.tcgetattr(slave)[3] & termios.ECHO


# ---------------------------------------------------------------- coordinates


@pytest.mark.parametrize("latitude, longitude", [("50.1", "8.2"), ("-0.0000001", "0.3"), ("89.9999999", "-179.9999999"), ("-33", "151.2092955")])
def test_coordinates_come_back(tpm, latitude, longitude):
    """What is read is what was written, digit by digit, and can be written again."""
    changed(tpm, "define")
    changed(tpm, "write", "--country", "DE", "--latitude", latitude, "--longitude", longitude)
    v = json.loads(ok(tpm, "read", "--json"), parse_float=str)["tag"]
    assert Decimal(v["latitude"]) == Decimal(latitude) and Decimal(v["longitude"]) == Decimal(longitude)
    assert "e" in v["latitude"] or not changed(tpm, "write", "--country", "DE", "--latitude", v["latitude"], "--longitude", v["longitude"])


# ---------------------------------------------------------------- wrong usage, wrong input


@pytest.mark.parametrize("args, code, part", [
    (["define", "--index", "0x40000010"], 2, "TPM 1.2"),
    (["define", "--index", "0x40000010"], 2, "permanent handles"),
    (["read", "--index", "0x81000001"], 2, "0x01000000-0x01ffffff"),
    (["read", "--index", "nonsense"], 2, "not a number"),
    (["read", "--index", "0x1ffffffff"], 2, "not a number"),
    (["define", "--size", "0"], 2, "1 to 4096"),
    (["define", "--size", "4097"], 2, "1 to 4096"),
    (["write", "--size", "64", "--country", "DE"], 2, "--size is for"),
    (["read", "--country", "DE"], 2, "for 'geo write' only"),
    (["write"], 2, "nothing to write"),
    (["write", "--site", "FRA1"], 2, "nothing to write"),
    (["write", "--file", "x", "--country", "DE"], 2, "not both"),
    (["write", "--country", "DE", "--latitude", "1"], 2, "belong together"),
    (["write", "--country", "DE", "--latitude", "90.1", "--longitude", "0"], 3, "--latitude 90.1"),
    (["write", "--country", "DE", "--latitude", "1", "--longitude", "0.12345678"], 3, "--longitude 0.12345678"),
    (["write", "--country", "D"], 3, "two capital letters"),
    (["write", "--country", "DEU"], 3, "--country DEU: give two capital letters"),
    (["write", "--country", "de"], 3, "two capital letters"),
    (["write", "--country", "DE", "--subdivision", "HESSE"], 3, "--subdivision HESSE: give up to three"),
    (["write", "--country", "DE", "--site", "x" * 41], 3, "longer than 40"),
    (["write", "--country", "DE", "--site", "Köln"], 3, "site"),
    (["write", "--file", "/nonexistent"], 1, "/nonexistent"),
    (["erase"], 2, "erase: not one of"),
    ([], 2, "say one of"),
    (["read", "write"], 2, 'read takes options only, not "write"'),
    (["write", "DE"], 2, 'write takes options only, not "DE": --country names the place'),
    (["read", "--owner-auth"], 2, "--owner-auth"),
    (["read", "--password", "x"], 2, "--password"),
    (["read", "--tcti", "nonsense:x"], 4, "nonsense:x"),
    (["read", "--tcti", "swtpm:path=/nonexistent"], 4, "no TPM at"),
])
def test_refused(args, code, part):
    assert part in one_line(geo(None, *args), code)


def test_help():
    done = geo(None, "--help")
    assert done.returncode == 0 and "undefine" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())
