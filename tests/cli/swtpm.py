# SPDX-License-Identifier: BSD-3-Clause
"""A software TPM of its own per test, reached over unix sockets."""

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

ALG = {"sha1": 0x04, "sha256": 0x0B, "sha384": 0x0C, "sha512": 0x0D}


class Swtpm:
    def __init__(self):
        # Paths of unix sockets are short: not below pytest's temporary directory.
        self.dir = Path(tempfile.mkdtemp(prefix="gl-swtpm-"))
        self.socket = self.dir / "s"
        self.tcti = f"swtpm:path={self.socket}"
        self.process = None
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.dir}", "--server", f"type=unixio,path={self.socket}",
             "--ctrl", f"type=unixio,path={self.socket}.ctrl", "--flags", "not-need-init,startup-clear"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while subprocess.run(["swtpm_ioctl", "--unix", f"{self.socket}.ctrl", "-c"], capture_output=True, timeout=20).returncode != 0:
            assert self.process.poll() is None, "swtpm ended"
            assert time.monotonic() < deadline, "swtpm does not answer"
            time.sleep(0.02)

    def ioctl(self, *args):
        subprocess.run(["swtpm_ioctl", "--unix", f"{self.socket}.ctrl", *args], check=True, capture_output=True, timeout=20)

    def command(self, data, locality=0):
        """One TPM command at a locality; the tools' own TCTI can do 0 only."""
        self.ioctl("-l", str(locality))
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(20)
            s.connect(str(self.socket))
            s.sendall(data)
            answer = b""
            while len(answer) < 10 or len(answer) < struct.unpack(">I", answer[2:6])[0]:
                piece = s.recv(4096)
                assert piece, "swtpm hung up"
                answer += piece
        return answer

    def extend(self, pcr, digests):
        """TPM2_PCR_Extend at locality 2 with an empty password session."""
        session = struct.pack(">IIHBH", 9, 0x40000009, 0, 0, 0)
        values = struct.pack(">I", len(digests)) + b"".join(struct.pack(">H", ALG[b]) + d for b, d in digests.items())
        body = struct.pack(">I", pcr) + session + values
        answer = self.command(struct.pack(">HII", 0x8002, 10 + len(body), 0x182) + body, locality=2)
        assert answer[6:10] == bytes(4), answer.hex()

    def restart(self):
        """Power off and on: Startup(CLEAR) with the same state."""
        self.tool("tpm2_shutdown", "-c")
        self.stop()
        self.start()

    def tool(self, *args, ok=True, data=None):
        env = dict(os.environ, TPM2TOOLS_TCTI=self.tcti)
        done = subprocess.run(args, env=env, input=data, capture_output=True, timeout=60)
        if ok:
            assert done.returncode == 0, done.stderr.decode()
        return done

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)
