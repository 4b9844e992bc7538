# SPDX-License-Identifier: BSD-3-Clause
"""An ESP on a disk that lies, fails or stalls: nbdkit with lying_disk.py, for qemu/run --esp-nbd."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import launch
from fat import Fat

sys.path.insert(0, os.path.join(launch.TOP, "qemu"))
from harness.esp import content_size  # noqa: E402  (the path comes first)

SECTOR = 512
# The firmware's FAT driver (edk2) reads folders, small files and the edges of large ones by pages, of 8 KiB on FAT12, and may read a page
# anew for the next file on it. No page of this disk belongs to two files.
CLUSTER = 16384
START_SECONDS = 20
END_SECONDS = 5


class BadDisk:
    """The tree of an ESP as a disk. Say what is wrong with it, then use it as a context: it is there as `socket`."""

    def __init__(self, tree):
        self.work = tempfile.mkdtemp(prefix="gld-")     # short, as names of sockets must be
        self.socket = os.path.join(self.work, "s")
        self._make_image(tree)
        with open(self._path("first"), "rb") as f:
            self.first = bytearray(f.read())
        self.second = None      # from other(): what later reads find
        self.lie = 1            # so many reads are answered by `first`
        self.fail = {}
        self.fat = Fat(self.first)
        self._server = None

    def _path(self, name):
        return os.path.join(self.work, name)

    def _make_image(self, tree):
        # At most 4084 clusters: FAT12.
        size = content_size(tree) + 64 * CLUSTER + CLUSTER * sum(len(folders) + len(names) for _, folders, names in os.walk(tree))
        assert size < 4000 * CLUSTER
        with open(self._path("first"), "wb") as f:
            f.truncate(size)
        tools = ["env", "MTOOLSRC=/dev/null", f"HOME={self.work}", "MTOOLS_SKIP_CHECK=1", "LC_ALL=C.UTF-8"]
        # A root folder of one cluster.
        make = ["mformat", "-i", self._path("first"), "-T", str(size // SECTOR), "-c", str(CLUSTER // SECTOR), "-r", str(CLUSTER // SECTOR),
                "-h", "64", "-s", "32", "::"]
        copy = ["mcopy", "-i", self._path("first"), "-s", "-Q", *(os.path.join(tree, name) for name in sorted(os.listdir(tree))), "::/"]
        for argv in (make, copy):
            subprocess.run(tools + argv, check=True, capture_output=True, timeout=60)

    def _clusters(self, path):
        """Where the clusters of a file lie on the disk."""
        _, cluster, size = self.fat.find(path)
        return [self.fat.at(c) for c in self.fat.clusters(cluster, size)]

    def size(self, path):
        return self.fat.find(path)[2]

    def entry(self, path):
        """Where the size in a file's folder entry lies."""
        return self.fat.entry(path) + 28

    def _sectors(self, path):
        """Of the content of a file."""
        all_of_them = [at // SECTOR + i for at in self._clusters(path) for i in range(CLUSTER // SECTOR)]
        return all_of_them[:-(-self.size(path) // SECTOR)]

    def other(self, path, content):
        """What the second read of a file gives; as long as the first."""
        assert len(content) == self.size(path) and content != self.fat.read(path), path
        for i, at in enumerate(self._clusters(path)):
            self.later(at, content[i * CLUSTER:(i + 1) * CLUSTER])

    def later(self, at, data):
        """The same for a place on the disk."""
        if self.second is None:
            self.second = bytearray(self.first)
        self.second[at:at + len(data)] = data

    def middle(self, path, how):
        """A sector in the middle of a file that cannot be read: "error" or "stall"."""
        sectors = self._sectors(path)
        self.fail[sectors[len(sectors) // 2]] = how

    def _counts(self, sectors):
        with open(self._path("counts"), "rb") as f:
            counts = f.read()
        return [counts[sector] for sector in sectors]

    def counts(self, path):
        """How often each sector of a file's content was read."""
        return self._counts(self._sectors(path))

    def count(self, at):
        """How often the sector with this place on the disk was read."""
        return self._counts([at // SECTOR])[0]

    def __enter__(self):
        plan = json.dumps({"lie": self.lie, "fail": self.fail}).encode()
        for name, data in (("first", self.first), ("second", self.second or self.first), ("plan.json", plan),
                           ("counts", bytes(len(self.first) // SECTOR))):
            with open(self._path(name), "wb") as f:
                f.write(data)
        with open(self._path("log"), "wb") as log:
            self._server = subprocess.Popen(
                ["nbdkit", "-f", "--exit-with-parent", "-U", self.socket, "-P", self._path("pid"), "python",
                 os.path.join(os.path.dirname(os.path.realpath(__file__)), "lying_disk.py"), f"folder={self.work}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + START_SECONDS
        # The process number is written when the socket is there.
        while not os.path.exists(self._path("pid")):
            if self._server.poll() is not None or time.monotonic() > end:
                with open(self._path("log"), encoding="utf-8", errors="replace") as f:
                    text = f.read()
                raise AssertionError(f"nbdkit does not start: {text}")
            time.sleep(0.01)    # the poll interval; the condition is what is waited for
        return self

    def __exit__(self, *_):
        """Only the server goes: the counts are still of interest."""
        # A read that stalls for ever would keep it from an end of its own.
        self._server.terminate()
        try:
            self._server.wait(END_SECONDS if "stall" not in self.fail.values() else 0)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()

    def close(self):
        if self._server and self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        shutil.rmtree(self.work)
