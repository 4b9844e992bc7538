#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""
Stands for tpmproxy (GEOLAUNCH_TPMPROXY) in a run of the TXT platform: passes all on to the real one ($REAL_PROXY), and kills the harness's
child $VICTIM when the command socket sees TPM command number $KILL_AT of SENTER: in the middle of it, at the same place in each run.
"""
import ctypes
import os
import signal
import socket
import sys

PR_SET_PDEATHSIG = 1


def child_of(parent, name):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                stat = f.read()
        except OSError:
            continue
        if int(stat.rsplit(")", 1)[1].split()[1]) == parent and stat.split("(", 1)[1].startswith(name[:15]):
            return int(pid)
    raise SystemExit(f"no child {name}")


def lines(stream):
    data = b""
    while True:
        more = stream.recv(65536)
        if not more:
            return
        data += more
        while b"\n" in data:
            line, data = data.split(b"\n", 1)
            yield line + b"\n"


def relay(listener, path, harness):
    """One client, as the platform is."""
    client, _ = listener.accept()
    real = socket.socket(socket.AF_UNIX)
    real.connect(path)
    answers = lines(real)
    seen = 0
    for line in lines(client):
        seen += line.startswith(b"tpm 3 ")
        if seen == int(os.environ["KILL_AT"]):
            os.kill(child_of(harness, os.environ["VICTIM"]), signal.SIGKILL)
            seen += 1
        real.sendall(line)
        answer = next(answers, None)
        if answer is None:
            return
        client.sendall(answer)


def main():
    """This process becomes the real proxy; a child of it, which dies with it, sits at the command socket."""
    argv, harness = sys.argv[1:], os.getppid()
    at = argv.index("--command") + 1
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(argv[at])
    listener.listen()
    argv[at] += ".real"
    if os.fork():
        listener.close()
        os.execv(os.environ["REAL_PROXY"], [os.environ["REAL_PROXY"], *argv])
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    try:
        relay(listener, argv[at], harness)
    except OSError:
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
