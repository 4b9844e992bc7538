# SPDX-License-Identifier: BSD-3-Clause
"""
A disk for nbdkit's python plugin that does not keep its word: `nbdkit python lying_disk.py folder=DIR`. In DIR
  first, second   images of one size: a sector that was given `lie` times from the first is given from the second after that
  counts          a byte for every sector: how often it was read (255: that or more)
  plan.json       lie; fail: {sector: "error" | "stall"}
"""
import errno
import json
import mmap
import pathlib
import threading

import nbdkit

API_VERSION = 2
SECTOR = 512
_NEXT = bytes([*range(1, 256), 255])
_disk = {}


def config(key, value):
    if key != "folder":
        raise RuntimeError(f"unknown parameter {key}")
    _disk["folder"] = pathlib.Path(value)


def _map(name, access):
    with (_disk["folder"] / name).open("r+b") as f:
        return mmap.mmap(f.fileno(), 0, access=access)


def get_ready():
    plan = json.loads((_disk["folder"] / "plan.json").read_text("ascii"))
    _disk.update(lie=plan["lie"], fail={int(k): v for k, v in plan["fail"].items()}, first=_map("first", mmap.ACCESS_READ),
                 second=_map("second", mmap.ACCESS_READ), counts=_map("counts", mmap.ACCESS_WRITE))


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):     # pylint: disable=redefined-builtin
    return 1


def get_size(_):
    return len(_disk["first"])


def block_size(_):
    return SECTOR, 4096, 0xFFFFFFFF


def pread(_, buf, offset, _flags):
    size = len(buf)
    begin, end = offset // SECTOR, (offset + size + SECTOR - 1) // SECTOR
    for sector, how in _disk["fail"].items():
        if begin <= sector < end and how == "stall":
            threading.Event().wait()
        elif begin <= sector < end:
            nbdkit.set_error(errno.EIO)
            raise RuntimeError("a bad sector")
    seen = _disk["counts"][begin:end]
    _disk["counts"][begin:end] = seen.translate(_NEXT)
    buf[:] = _disk["first"][offset:offset + size]
    if max(seen) < _disk["lie"]:
        return
    for i, times in enumerate(seen):
        if times >= _disk["lie"]:
            at = max(offset, (begin + i) * SECTOR)
            to = min(offset + size, (begin + i + 1) * SECTOR)
            buf[at - offset:to - offset] = _disk["second"][at:to]


def pwrite(_, _buf, _offset, _flags):
    nbdkit.set_error(errno.EIO)
    raise RuntimeError("nobody should write here")
