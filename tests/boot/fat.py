# SPDX-License-Identifier: BSD-3-Clause
"""Reads FAT32 out of memory, as firmware would: what a power cut leaves need not be clean. Microsoft FAT specification 1.03."""
import struct

_FOLDER = 0x10
_LONG = 0x0F
_END = 0x0FFFFFF8


class Unreadable(Exception):
    """A chain of clusters that leads nowhere, or round and round."""


class Fat:
    """`image` is a buffer that the caller may change; nothing is kept of it."""

    def __init__(self, image):
        self.image = image
        sector, self.per_cluster, reserved, fats = struct.unpack_from("<HBHB", image, 11)
        size, = struct.unpack_from("<I", image, 36)
        self.root, = struct.unpack_from("<I", image, 44)
        self.cluster = sector * self.per_cluster
        self.fat = reserved * sector
        self.data = self.fat + fats * size * sector
        self.count = (len(image) - self.data) // self.cluster

    def chain(self, cluster, size=None):
        """The content of a chain; of a file as many bytes as it has."""
        out, seen = bytearray(), set()
        while size is None or len(out) < size:
            if not 2 <= cluster < self.count + 2 or cluster in seen:
                raise Unreadable(f"cluster {cluster}")
            seen.add(cluster)
            at = self.data + (cluster - 2) * self.cluster
            out += self.image[at:at + self.cluster]
            cluster = struct.unpack_from("<I", self.image, self.fat + 4 * cluster)[0] & 0x0FFFFFFF
            if cluster >= _END:
                break
        if size is not None and len(out) < size:
            raise Unreadable("shorter than it says")
        return bytes(out if size is None else out[:size])

    def folder(self, cluster):
        """name in lower case: (is a folder, first cluster, size)"""
        out, parts = {}, {}
        data = self.chain(cluster)
        for at in range(0, len(data), 32):
            entry = data[at:at + 32]
            if entry[0] == 0:
                break
            if entry[0] == 0xE5:
                parts = {}
                continue
            if entry[11] == _LONG:
                parts[entry[0] & 0x3F] = entry[1:11] + entry[14:26] + entry[28:32]
                continue
            name = b"".join(parts[k] for k in sorted(parts)).decode("utf-16-le", "replace").split("\0")[0]
            if not name:
                name, end = entry[:8].decode("latin-1").rstrip(), entry[8:11].decode("latin-1").rstrip()
                name += "." + end if end else ""
            parts = {}
            high, low, size = struct.unpack_from("<H4xHI", entry, 20)
            out[name.lower()] = (bool(entry[11] & _FOLDER), high << 16 | low, size)
        return out

    def read(self, path):
        """A file's content; None if it is not there."""
        *folders, name = path.lower().split("/")
        cluster = self.root
        for f in folders:
            found = self.folder(cluster).get(f)
            if not found or not found[0]:
                return None
            cluster = found[1]
        found = self.folder(cluster).get(name)
        if not found or found[0]:
            return None
        return self.chain(found[1], found[2]) if found[2] else b""
