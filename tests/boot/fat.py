# SPDX-License-Identifier: BSD-3-Clause
"""Reads FAT out of memory, as firmware would: what a power cut leaves need not be clean. Microsoft FAT specification 1.03."""
import struct

_FOLDER = 0x10
_LONG = 0x0F


class Unreadable(Exception):
    """A chain of clusters that leads nowhere, or round and round."""


class Fat:
    """`image` is a buffer that the caller may change; nothing is kept of it."""

    def __init__(self, image):
        self.image = image
        sector, self.per_cluster, reserved, fats, roots = struct.unpack_from("<HBHBH", image, 11)
        size, = struct.unpack_from("<H", image, 22)
        self.wide = size == 0           # FAT32
        if self.wide:
            size, = struct.unpack_from("<I", image, 36)
        # But for FAT32 the root folder is no cluster but a place of its own, in front of them.
        self.root = struct.unpack_from("<I", image, 44)[0] if self.wide else 0
        self.cluster = sector * self.per_cluster
        self.fat = reserved * sector
        self.fats = [self.fat + i * size * sector for i in range(fats)]
        self.roots = self.fat + fats * size * sector
        self.data = self.roots + roots * 32
        self.count = (len(image) - self.data) // self.cluster
        self.small = not self.wide and self.count < 4085        # FAT12

    def at(self, cluster):
        """Where a cluster lies in the image."""
        return self.data + (cluster - 2) * self.cluster

    def next(self, cluster):
        """The one behind it in its chain; None at the end."""
        if self.wide:
            found = struct.unpack_from("<I", self.image, self.fat + 4 * cluster)[0] & 0x0FFFFFFF
            return None if found >= 0x0FFFFFF8 else found
        if self.small:
            found = struct.unpack_from("<H", self.image, self.fat + cluster * 3 // 2)[0] >> (cluster & 1) * 4 & 0xFFF
            return None if found >= 0xFF8 else found
        found, = struct.unpack_from("<H", self.image, self.fat + 2 * cluster)
        return None if found >= 0xFFF8 else found

    def link(self, cluster, to):
        """Changes a chain, in all copies of the table. FAT12 only."""
        assert self.small
        for at in (fat + cluster * 3 // 2 for fat in self.fats):
            found, = struct.unpack_from("<H", self.image, at)
            found = found & 0x000F | to << 4 if cluster & 1 else found & 0xF000 | to
            struct.pack_into("<H", self.image, at, found)

    def clusters(self, cluster, size=None):
        """Of a chain; of a file as many as its size needs."""
        found = {}      # in their order
        while size is None or len(found) * self.cluster < size:
            if cluster is None:
                raise Unreadable("shorter than it says")
            if not 2 <= cluster < self.count + 2 or cluster in found:
                raise Unreadable(f"cluster {cluster}")
            found[cluster] = True
            cluster = self.next(cluster)
            if cluster is None and size is None:
                break
        return list(found)

    def chain(self, cluster, size=None):
        """The content of a chain; of a file as many bytes as it has."""
        out = b"".join(self.image[self.at(c):self.at(c) + self.cluster] for c in self.clusters(cluster, size))
        return out if size is None else out[:size]

    def _entries(self, cluster):
        """(name, place of the entry in the image) of a folder."""
        places = [(self.roots, self.data - self.roots)] if cluster == 0 else [(self.at(c), self.cluster) for c in self.clusters(cluster)]
        parts = {}
        for at in (at for start, size in places for at in range(start, start + size, 32)):
            entry = bytes(self.image[at:at + 32])
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
            yield name.lower(), at

    def _unpack(self, at):
        high, low, size = struct.unpack_from("<H4xHI", self.image, at + 20)
        return bool(self.image[at + 11] & _FOLDER), (high << 16 if self.wide else 0) | low, size

    def folder(self, cluster):
        """name in lower case: (is a folder, first cluster, size)"""
        return {name: self._unpack(at) for name, at in self._entries(cluster)}

    def entry(self, path):
        """Where the folder entry of a file or folder lies in the image; None if there is none."""
        cluster, at = self.root, None
        for name in path.lower().split("/"):
            if at is not None:
                is_folder, cluster, _ = self._unpack(at)
                if not is_folder:
                    return None
            at = dict(self._entries(cluster)).get(name)
            if at is None:
                return None
        return at

    def find(self, path):
        """(is a folder, first cluster, size), None if it is not there."""
        at = self.entry(path)
        return None if at is None else self._unpack(at)

    def read(self, path):
        """A file's content; None if it is not there."""
        found = self.find(path)
        if not found or found[0]:
            return None
        return self.chain(found[1], found[2]) if found[2] else b""
