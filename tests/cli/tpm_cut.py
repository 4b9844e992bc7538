# SPDX-License-Identifier: BSD-3-Clause
"""Stands between a command and swtpm, and kills the command at a chosen TPM command: before it is passed on, or after it was answered."""

import select
import socket
import struct
import subprocess
import tempfile
import threading
from pathlib import Path


def _receive(s, n):
    data = b""
    while len(data) < n:
        piece = s.recv(n - len(data))
        if not piece:
            return None
        data += piece
    return data


def _message(s):
    """A TPM command or response: its size is in bytes 2 to 5."""
    head = _receive(s, 10)
    rest = head and _receive(s, struct.unpack(">I", head[2:6])[0] - 10)
    return None if rest is None else head + rest


class Cut:
    """run() gives the exit code and the number of TPM commands seen; at=None lets all pass."""

    def __init__(self, tpm):
        self.tpm = tpm

    def run(self, argv, at=None, answered=False):
        with tempfile.TemporaryDirectory(prefix="gl-cut-") as folder:
            path = Path(folder) / "s"
            servers = []
            for name in (str(path), f"{path}.ctrl"):
                s = socket.socket(socket.AF_UNIX)
                s.bind(name)
                s.listen()
                servers.append(s)
            self.count, self.at, self.answered = 0, at, answered
            self.process = subprocess.Popen([*argv, "--tcti", f"swtpm:path={path}"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            stop = threading.Event()
            threads = [threading.Thread(target=self._serve, args=(servers[0], self._data, stop)),
                       threading.Thread(target=self._serve, args=(servers[1], self._control, stop))]
            for t in threads:
                t.start()
            try:
                self.out, self.err = self.process.communicate(timeout=60)
            finally:
                self.process.kill()
                stop.set()
                for t in threads:
                    t.join(20)
                for s in servers:
                    s.close()
            return self.process.returncode, self.count

    def _serve(self, server, handle, stop):
        while not stop.is_set():
            if select.select([server], [], [], 0.02)[0]:
                client, _ = server.accept()
                with client:
                    client.settimeout(20)
                    handle(client)

    def _data(self, client):
        with socket.socket(socket.AF_UNIX) as upstream:
            upstream.settimeout(20)
            upstream.connect(str(self.tpm.socket))
            while (command := _message(client)) is not None:
                self.count += 1
                if self.count == self.at and not self.answered:
                    return self._kill()
                upstream.sendall(command)
                answer = _message(upstream)
                if self.count == self.at:
                    return self._kill()
                client.sendall(answer)

    def _control(self, client):
        """One short request and one short answer a connection; both ends close it then."""
        with socket.socket(socket.AF_UNIX) as upstream:
            upstream.settimeout(20)
            upstream.connect(f"{self.tpm.socket}.ctrl")
            while True:
                for s in select.select([client, upstream], [], [], 20)[0]:
                    data = s.recv(4096)
                    if not data:
                        return
                    (upstream if s is client else client).sendall(data)

    def _kill(self):
        self.process.kill()
        self.process.wait()
