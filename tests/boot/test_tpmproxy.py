# SPDX-License-Identifier: BSD-3-Clause
"""tpmproxy between a player of QEMU's part and the real swtpm."""
import hashlib
import json
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROXY = os.environ.get("GEOLAUNCH_TPMPROXY") or str(ROOT / "build/host/tpmproxy")
WAIT = 15       # seconds that anything may take here

GET_CAPABILITY, INIT, SHUTDOWN, SET_LOCALITY, CANCEL_TPM_CMD, STOP, SET_DATAFD, SET_BUFFERSIZE = 1, 2, 3, 5, 9, 14, 16, 17
EXTEND, PCR_READ, STARTUP, GET_RANDOM = 0x182, 0x17E, 0x144, 0x17B
SHA256 = 0x0B
DIGEST = b"\x11" * 32


def message(code, body=b"", sessions=False):
    return struct.pack(">HII", 0x8002 if sessions else 0x8001, 10 + len(body), code) + body


def extend_message(pcr, digest=DIGEST):
    auth = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
    return message(EXTEND, struct.pack(">I", pcr) + auth + struct.pack(">IH", 1, SHA256) + digest, sessions=True)


def read_message(pcr):
    return message(PCR_READ, struct.pack(">IHB", 1, SHA256, 3) + (1 << pcr).to_bytes(3, "little"))


def code_of(response):
    return struct.unpack(">I", response[6:10])[0]


def extended(*digests, start=b"\0" * 32):
    for d in digests:
        start = hashlib.sha256(start + d).digest()
    return start.hex()


def receive(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise EOFError(f"{len(data)} of {n} bytes")
        data += part
    return data


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(WAIT)
    s.connect(os.path.relpath(path))        # the address of a unix socket is short, tmp_path may not be
    return s


@pytest.fixture(scope="session")
def fresh_state(tmp_path_factory):
    path = tmp_path_factory.mktemp("state")
    subprocess.run(["swtpm_setup", "--tpm2", "--tpmstate", path, "--overwrite", "--pcr-banks", "sha1,sha256"],
                   check=True, capture_output=True, timeout=60)
    return path


class Stack:
    """swtpm, the proxy, and QEMU's part."""

    def __init__(self, path, state):
        self.path = path
        self.control = self.data = None
        self.procs = []
        tpm = path / "tpm"
        tpm.mkdir()
        for f in state.iterdir():
            if not f.name.startswith("."):
                (tpm / f.name).write_bytes(f.read_bytes())
        self.swtpm = self.spawn("swtpm", "socket", "--tpm2", "--tpmstate", "dir=tpm", "--ctrl", "type=unixio,path=swtpm.sock",
                                "--terminate")

    def spawn(self, *argv):
        out = open(self.path / f"{Path(argv[0]).name}.log", "wb")
        p = subprocess.Popen(argv, cwd=self.path, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        out.close()
        self.procs.append(p)
        return p

    def proxy(self, *options):
        self.p = self.spawn(PROXY, "--listen", "proxy.sock", "--swtpm", "swtpm.sock", "--pcrs", "pcrs.json", "--trace", "trace",
                            "--command", "command.sock", *options)
        deadline = time.monotonic() + WAIT
        while not (self.path / "proxy.sock").exists():
            assert self.p.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.005)
        self.control = connect(self.path / "proxy.sock")
        return self

    def log(self):
        return (self.path / "tpmproxy.log").read_text()

    def ask(self, command, body=b"", answer=4, fds=()):
        socket.send_fds(self.control, [struct.pack(">I", command) + body], list(fds))
        return receive(self.control, answer)

    def attach(self):
        """SET_DATAFD as QEMU does it."""
        self.data, theirs = socket.socketpair()
        self.data.settimeout(WAIT)
        with theirs:
            assert self.ask(SET_DATAFD, fds=[theirs.fileno()]) == b"\0\0\0\0"

    def start(self, *options):
        """Up to a TPM that has been started, by three commands on the control channel and one of the guest."""
        self.proxy(*options).attach()
        self.init()
        return self

    def init(self):
        assert self.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
        assert code_of(self.tpm(message(STARTUP, b"\0\0"))) == 0

    def locality(self, n):
        assert self.ask(SET_LOCALITY, bytes([n, 0, 0, 0])) == b"\0\0\0\0"

    def response(self):
        head = receive(self.data, 10)
        return head + receive(self.data, struct.unpack(">I", head[2:6])[0] - 10)

    def tpm(self, command):
        self.data.sendall(command)
        return self.response()

    def extend(self, pcr, digest=DIGEST):
        return code_of(self.tpm(extend_message(pcr, digest)))

    def line(self, text):
        with connect(self.path / "command.sock") as s:
            s.sendall(text.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                part = s.recv(65536)
                assert part, "no answer"
                answer += part
            return answer.decode().rstrip("\n")

    def shutdown(self):
        """As QEMU ends; returns the proxy's exit status."""
        assert self.ask(SHUTDOWN) == b"\0\0\0\0"
        return self.hang_up()

    def hang_up(self):
        for s in (self.control, self.data):
            if s:
                s.close()
        return self.p.wait(WAIT)

    def pcrs(self):
        return json.loads((self.path / "pcrs.json").read_text())

    def trace(self):
        return [json.loads(line) for line in (self.path / "trace").read_text().splitlines()]

    def end(self):
        for s in (self.control, self.data):
            if s:
                s.close()
        for p in reversed(self.procs):
            if p.poll() is None:
                p.kill()
            p.wait(WAIT)


@pytest.fixture
def stack(tmp_path, fresh_state):
    s = Stack(tmp_path, fresh_state)
    yield s
    s.end()


def test_pcrs_and_trace(stack):
    stack.start()
    assert stack.extend(16) == 0
    stack.locality(2)
    assert stack.extend(17) == 0
    stack.locality(0)
    assert stack.extend(17) == 0x907
    assert stack.shutdown() == 0

    pcrs = stack.pcrs()
    assert set(pcrs["pcrs"]) == {"sha1", "sha256"}
    assert all(set(bank) == {str(i) for i in range(24)} for bank in pcrs["pcrs"].values())
    assert pcrs["pcrs"]["sha256"]["16"] == extended(DIGEST)
    assert pcrs["pcrs"]["sha256"]["17"] == extended(DIGEST, start=b"\xff" * 32)
    assert pcrs["pcrs"]["sha256"]["18"] == "ff" * 32
    assert pcrs["pcrs"]["sha1"]["22"] == "ff" * 20
    assert pcrs["when"] == "shutdown" and pcrs["commands"] == 4

    trace = stack.trace()
    assert [(t["seq"], t["name"], t["locality"], t["rc"]) for t in trace] == [
        (1, "Startup", 0, "0x00000000"), (2, "PCR_Extend", 0, "0x00000000"), (3, "PCR_Extend", 2, "0x00000000"),
        (4, "PCR_Extend", 0, "0x00000907")]
    assert trace[1]["command"] == extend_message(16).hex()
    assert trace[3]["response"] == "80010000000a00000907"
    assert all(t["command_size"] == len(t["command"]) // 2 and t["response_size"] == len(t["response"]) // 2 for t in trace)
    assert not (stack.path / "proxy.sock").exists()


def test_control_in_pieces_and_at_once(stack):
    stack.proxy()
    for byte in struct.pack(">II", SET_BUFFERSIZE, 0):
        stack.control.sendall(bytes([byte]))
    assert receive(stack.control, 16)[:4] == b"\0\0\0\0"
    stack.control.sendall(struct.pack(">I", GET_CAPABILITY) + struct.pack(">II", SET_BUFFERSIZE, 3000) + struct.pack(">I", STOP))
    answer = receive(stack.control, 8 + 16 + 4)
    assert int.from_bytes(answer[:8], "big") & 0xFFF
    assert struct.unpack(">I", answer[12:16])[0] == 3000
    stack.attach()
    stack.init()
    assert stack.shutdown() == 0


def test_tpm_command_in_pieces(stack):
    stack.start()
    for byte in extend_message(16):
        stack.data.sendall(bytes([byte]))
    assert code_of(stack.response()) == 0
    # Two at once are answered one after the other.
    stack.data.sendall(extend_message(16) + message(GET_RANDOM, b"\0\4"))
    assert code_of(stack.response()) == 0
    assert len(stack.response()) == 16
    assert stack.shutdown() == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST, DIGEST)


def test_before_init_nothing_counts(stack):
    stack.proxy("--fault", "*=rc:0x101").attach()
    assert code_of(stack.tpm(message(GET_RANDOM, b"\0\4"))) != 0       # swtpm's own refusal
    assert stack.trace()[0]["seq"] == 0 and "fault" not in stack.trace()[0]
    assert stack.line("count") == "0"
    assert stack.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
    assert code_of(stack.tpm(message(STARTUP, b"\0\0"))) == 0x101
    assert stack.line("count") == "1"


@pytest.mark.parametrize("action, size, code", [
    ("rc:0x922", 10, 0x922), ("short", 10, 0), ("garbage", 64, 0), ("long", 4096, 0)])
def test_fault_answers(stack, action, size, code):
    stack.start("--fault", f"PCR_Extend#2={action}")
    assert stack.extend(16) == 0
    response = stack.tpm(extend_message(16))
    assert len(response) == size and code_of(response) == code
    assert stack.extend(16) == 0
    assert stack.shutdown() == 0
    # The TPM was not asked.
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST, DIGEST)
    assert [t.get("fault") for t in stack.trace()] == [None, None, action.split(":")[0], None]


def test_fault_long_follows_the_interface(stack):
    stack.proxy("--fault", "GetRandom=long").attach()
    stack.ask(SET_BUFFERSIZE, struct.pack(">I", 3968), answer=16)
    stack.init()
    assert len(stack.tpm(message(GET_RANDOM, b"\0\4"))) == 3968


def test_fault_huge(stack):
    stack.start("--fault", "PCR_Extend=huge")
    stack.data.sendall(extend_message(16))
    assert receive(stack.data, 10) == bytes.fromhex("8002ffffffff00000000")
    assert stack.shutdown() == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == "00" * 32


def test_fault_drop(stack):
    stack.start("--fault", "0x182@0=drop")
    stack.data.sendall(extend_message(16))
    assert stack.data.recv(1) == b""
    assert stack.shutdown() == 0        # the control channel lives, and the PCRs can be read
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == "00" * 32
    assert stack.trace()[-1]["fault"] == "drop" and stack.trace()[-1]["rc"] is None


def send_in_vain(stack):
    """An extend that the proxy has got, and has not answered."""
    stack.data.sendall(extend_message(16))
    end = time.monotonic() + WAIT
    while stack.line("count") != "2":
        assert time.monotonic() < end, "the proxy does not count what it got"
    stack.data.setblocking(False)
    with pytest.raises(BlockingIOError):
        stack.data.recv(1)
    stack.data.settimeout(WAIT)


def test_fault_silent(stack):
    stack.start("--fault", "PCR_Extend#1=silent")
    send_in_vain(stack)
    assert stack.extend(16) == 0
    assert stack.shutdown() == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST)


def test_fault_hang(stack):
    """No answer until the guest ends the command; the TPM works then, and has not seen it."""
    stack.start("--fault", "PCR_Extend#1=hang")
    send_in_vain(stack)
    assert stack.ask(CANCEL_TPM_CMD) == b"\0\0\0\0"
    assert code_of(stack.response()) == 0x909
    # Once: a second one ends nothing.
    assert stack.ask(CANCEL_TPM_CMD) == b"\0\0\0\0"
    assert stack.extend(16) == 0
    assert stack.shutdown() == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST)


def test_pcrs_at_disconnect(stack):
    stack.start()
    assert stack.extend(16) == 0
    assert stack.hang_up() == 0
    assert stack.pcrs()["when"] == "disconnect"
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST)


def test_pcrs_at_disconnect_with_a_command_under_way(stack):
    stack.start()
    stack.data.sendall(extend_message(16))
    assert stack.hang_up() == 0
    # Whether the extend still came through is the race that it is; the values are whole either way.
    assert stack.pcrs()["pcrs"]["sha256"]["16"] in ("00" * 32, extended(DIGEST))


def test_pcrs_before_a_reset(stack):
    stack.start()
    assert stack.extend(16) == 0
    assert stack.ask(STOP) == b"\0\0\0\0"
    assert stack.pcrs()["when"] == "reset"
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == extended(DIGEST)
    # A TPM that was not started up again has no values: those from before the reset stay.
    assert stack.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
    assert stack.shutdown() == 0
    assert stack.pcrs()["when"] == "reset"


def test_pcrs_of_a_tpm_that_was_never_started_up(stack):
    stack.proxy().attach()
    assert stack.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
    assert stack.shutdown() == 0
    assert stack.pcrs() == {"pcrs": {}, "when": "shutdown", "commands": 0, "error": "GetCapability answers 0x00000100"}


def test_sigterm_still_writes_pcrs(stack):
    stack.start()
    stack.p.send_signal(signal.SIGTERM)
    assert stack.p.wait(WAIT) == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == "00" * 32


def test_commands(stack):
    stack.proxy()
    assert json.loads(stack.line("pcrs")) == {"pcrs": {}, "when": "command", "commands": 0, "error": "the TPM is not running"}
    assert stack.line("hash 00") == "error the TPM is not running"
    stack.attach()
    stack.init()
    assert stack.extend(16) == 0
    assert stack.line("count") == "2"
    pcrs = json.loads(stack.line("pcrs"))
    assert pcrs["pcrs"]["sha256"]["16"] == extended(DIGEST) and pcrs["when"] == "command"
    assert len(stack.trace()) == 2      # reading them left no trace
    for bad in ("", "Pcrs", "pcrs now", "hash", "hash 0", "hash 0g", "hash  00", "x" * 5000):
        assert stack.line(bad).startswith("error "), bad
    assert stack.shutdown() == 0


def test_command_line_too_long(stack):
    stack.start()
    with connect(stack.path / "command.sock") as s:
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            for _ in range(64):
                s.sendall(b"0" * 65536)
    assert stack.line("count") == "1"
    assert stack.shutdown() == 0


def test_hold_and_release(stack):
    stack.start()
    assert stack.line("hold") == "ok"
    stack.data.sendall(extend_message(16))
    assert json.loads(stack.line("pcrs"))["pcrs"]["sha256"]["16"] == "00" * 32
    assert stack.line("count") == "1"
    assert stack.line("release") == "ok"
    assert code_of(stack.response()) == 0
    assert json.loads(stack.line("pcrs"))["pcrs"]["sha256"]["16"] == extended(DIGEST)
    assert stack.shutdown() == 0


@pytest.mark.parametrize("size", [1, 4096, 4097, 10000])
def test_hash_is_a_dynamic_launch(stack, size):
    data = bytes(i % 251 for i in range(size))
    stack.start()
    stack.locality(2)
    assert stack.line("hash " + data.hex()) == "ok"
    assert stack.extend(22) == 0        # QEMU's locality is as it was
    assert stack.shutdown() == 0
    bank = stack.pcrs()["pcrs"]["sha256"]
    assert bank["17"] == extended(hashlib.sha256(data).digest())
    assert [bank[str(i)] for i in range(18, 22)] == ["00" * 32] * 4
    assert bank["22"] == extended(DIGEST)


def test_hash_is_never_interrupted(stack):
    """The guest extends all the time; each launch must come through (unheld, a good quarter of them is lost)."""
    stack.start()
    stack.locality(2)
    pending = False
    for i in range(20):
        data = bytes([i]) * 5000
        if not pending:
            stack.data.sendall(extend_message(16))
        assert stack.line("hash " + data.hex()) == "ok"
        pcrs = json.loads(stack.line("pcrs"))["pcrs"]["sha256"]
        assert pcrs["17"] == extended(hashlib.sha256(data).digest()), i
        assert code_of(stack.response()) == 0
    assert stack.shutdown() == 0


@pytest.mark.parametrize("sent", [
    struct.pack(">I", 0), struct.pack(">I", 0x14), b"\xff" * 4, struct.pack(">II", 7, 0xFFFFFFFF), b"HTTP/1.1"])
def test_hostile_control(stack, sent):
    stack.proxy()
    stack.control.sendall(sent)
    assert stack.control.recv(1) == b""
    assert stack.p.wait(WAIT) == 1
    assert len(stack.log().splitlines()) == 1


@pytest.mark.parametrize("size", [0, 9, 8193, 0xFFFFFFFF])
def test_hostile_tpm_command_size(stack, size):
    stack.start()
    stack.data.sendall(struct.pack(">HII", 0x8001, size, EXTEND) + b"x" * 20)
    assert stack.data.recv(1) == b""
    assert stack.shutdown() == 0
    assert stack.pcrs()["pcrs"]["sha256"]["16"] == "00" * 32


def test_datafd_without_a_descriptor(stack):
    stack.proxy()
    assert stack.ask(SET_DATAFD) == b"\0\0\0\3"
    stack.attach()
    stack.init()
    assert stack.shutdown() == 0


def test_descriptors_do_not_pile_up(stack):
    stack.start()

    def count():
        return len(os.listdir(f"/proc/{stack.p.pid}/fd"))
    # One may wait for the SET_DATAFD that it could belong to.
    with open("/dev/null", "rb") as f:
        stack.ask(GET_CAPABILITY, answer=8, fds=[f.fileno()] * 5)
        before = count()
        for _ in range(10):
            stack.ask(GET_CAPABILITY, answer=8, fds=[f.fileno()] * 5)
    assert count() == before
    assert stack.shutdown() == 0


def test_swtpm_dies(stack):
    stack.start()
    stack.swtpm.kill()
    assert stack.p.wait(WAIT) == 1
    assert "swtpm" in stack.log() and len(stack.log().splitlines()) == 1


def test_trace_cannot_be_written(stack):
    stack.proxy("--trace", "/dev/full").attach()
    assert stack.ask(INIT, b"\0\0\0\0") == b"\0\0\0\0"
    stack.data.sendall(message(STARTUP, b"\0\0"))
    assert stack.p.wait(WAIT) == 1
    assert stack.log().startswith("tpmproxy: cannot write")


@pytest.mark.parametrize("options", [
    [], ["--listen", "a"], ["--listen", "a", "--swtpm", "b", "c"], ["--listen", "a", "--swtpm", "b", "--fault", "PCR_Extend=no"],
    ["--nothing"]])
def test_usage(options, tmp_path):
    r = subprocess.run([PROXY, *options], cwd=tmp_path, capture_output=True, text=True, timeout=WAIT)
    assert r.returncode == 2 and r.stdout == ""
    assert len(r.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_socket_path_too_long(stack):
    p = stack.spawn(PROXY, "--listen", "x" * 120, "--swtpm", "swtpm.sock")
    assert p.wait(WAIT) == 1
    assert "File name too long" in stack.log()
