#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""Plays QEMU and its guest for test_harness.py: takes the streams that qemu/run passes and follows $FAKE_QEMU.

A line is a step: serial TEXT | host TEXT | event REASON | err TEXT | exit N | sleep; then it exits with 0.
"""
import json
import os
import re
import signal
import socket
import sys

STREAMS = {name: int(fd) for name, fd in re.findall(r"socket,id=(\w+),fd=(\d+)", " ".join(sys.argv))}


def send(name, text):
    socket.socket(fileno=os.dup(STREAMS[name])).sendall(text.encode())


def main():
    # A QEMU whose guest's TPM command hangs does not end when asked to.
    if os.environ.get("FAKE_QEMU_STUBBORN"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    send("qmp", '{"QMP": {}}\r\n{"return": {}}\r\n')
    for step in os.environ["FAKE_QEMU"].splitlines():
        word, _, text = step.strip().partition(" ")
        if word == "serial" or word == "host":
            send(word, text.encode().decode("unicode_escape") + "\r\n")
        elif word == "event":
            send("qmp", json.dumps({"event": "SHUTDOWN", "data": {"guest": True, "reason": text}}) + "\r\n")
        elif word == "err":
            print(text, file=sys.stderr, flush=True)
        elif word == "exit":
            sys.exit(int(text))
        elif word == "sleep":
            while True:
                signal.pause()


main()
