# SPDX-License-Identifier: BSD-3-Clause
"""How `geolaunch` refuses: one line, the documented exit code, nothing written."""

import shutil
import subprocess

import pytest

import lcp_model
from build_model import BASE, build, make_inputs, program, refused, run, to_yaml, variant

MAX_VLP = 2124


@pytest.fixture
def inputs(tmp_path):
    make_inputs(tmp_path / "in")
    yield tmp_path / "in"
    # pytest keeps the folders of three runs; these are large
    shutil.rmtree(tmp_path)


HEAD = "version: 1\nmode: direct\npolicy: {type: halt}\n"
HV = "hypervisor: {kind: linux, file: vmlinuz, initrd: initrd.img}\n"
TXT_HEAD = "version: 1\nmode: txt\npolicy: {type: halt}\n"
TB = "tboot: {file: t}\nsinit: {file: s}\n"
PF = f"platform: {{bios_acm: '{'00' * 32}'}}\n"

# name: (manifest, words of the message). The marker @ stands at the start of the line that must be named.
BAD = {
    "unknown key": (HEAD + HV + "@hypervizor: 1\n", 'unknown key "hypervizor" in the manifest'),
    "unknown key below": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  foo: 1\n", 'unknown key "foo" in hypervisor'),
    "unknown key in a file": (HEAD + HV + "files:\n  - file: vm.json\n    path: /a\n@    owner: root\n", 'unknown key "owner"'),
    "unknown key in the tag": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    city: X\n", 'unknown key "city" in tag'),
    "merge key": (HEAD + HV + "@<<: {name: x}\n", 'unknown key "<<"'),
    "key twice": (HEAD + HV + "name: a\n@name: b\n", 'key "name" is given twice'),
    "key twice below": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  file: other\n", 'key "file" is given twice in hypervisor'),
    "file not there": (HEAD + HV + "files:\n@  - file: nowhere\n    path: /a\n", 'cannot use "nowhere" (No such file or directory)'),
    "kernel not there": (HEAD + "hypervisor:\n  kind: linux\n@  file: nowhere\n", 'cannot use "nowhere"'),
    "initrd not there": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  initrd: nowhere\n", 'cannot use "nowhere"'),
    "geo file not there": (HEAD + HV + "geo:\n@  file: nowhere\n", 'cannot use "nowhere"'),
    "file is a directory": (HEAD + HV + "vmm:\n@  file: .\n  path: /a\n", "not a regular file"),
    "file is a device": (HEAD + HV + "vmm:\n@  file: /dev/zero\n  path: /a\n", "not a regular file"),
    "empty file": (HEAD + HV + "vmm:\n@  file: empty\n  path: /a\n", "the file is empty"),
    "empty geo file": (HEAD + HV + "geo:\n@  file: empty\n", "the file is empty"),
    "path twice": (HEAD + HV + "vmm: {file: vmm, path: /a/b}\nfiles:\n  - file: vm.json\n@    path: /a/b\n", 'path "/a/b" is given twice, also on line 5'),
    "path below a file": (HEAD + HV + "vmm: {file: vmm, path: /a}\nfiles:\n  - file: vm.json\n@    path: /a/b\n", "cannot both be files"),
    "path above a file": (HEAD + HV + "vmm: {file: vmm, path: /a/b}\nfiles:\n  - file: vm.json\n@    path: /a\n", "cannot both be files"),
    **{f"path {p}": (HEAD + HV + f"vmm:\n  file: vmm\n@  path: {p}\n", "is not absolute and normalised")
       for p in ("a/b", "/", "//a", "/a/", "/a//b", "/a/./b", "/../a", "/a/..", "/TRAILER!!!")},
    "path too long": (HEAD + HV + f"vmm:\n  file: vmm\n@  path: /{'a' * 255}\n", "at most 255"),
    **{f"pcr {p}": (HEAD + HV + f"vmm:\n  file: vmm\n  path: /a\n@  pcr: {p}\n", f"PCR {p} cannot hold") for p in (0, 16, 23, 24, 255)},
    "pcr no number": (HEAD + HV + "vmm:\n  file: vmm\n  path: /a\n@  pcr: x\n", '"pcr" is no number'),
    "pcr negative": (HEAD + HV + "vmm:\n  file: vmm\n  path: /a\n@  pcr: -1\n", '"pcr" is no number'),
    "pcr quoted": (HEAD + HV + 'vmm:\n  file: vmm\n  path: /a\n@  pcr: "20"\n', '"pcr" is text'),
    "pcr of hypervisor": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  pcr: 14\n", "PCR 14 cannot hold"),
    "pcr of geo": (HEAD + HV + "geo:\n  file: tag-32\n@  pcr: 23\n", "PCR 23 cannot hold"),
    "version 2": ("@version: 2\nmode: direct\npolicy: {type: halt}\n" + HV, '"version" is out of range: 2'),
    "version huge": ("@version: 99999999999999999999\nmode: direct\npolicy: {type: halt}\n" + HV, '"version" is no number'),
    "no version": ("@mode: direct\npolicy: {type: halt}\n" + HV, 'the manifest has no "version"'),
    "no policy": ("@version: 1\nmode: direct\n" + HV, 'the manifest has no "policy"'),
    "no hypervisor": ("@version: 1\nmode: direct\npolicy: {type: halt}\n", 'the manifest has no "hypervisor"'),
    "no path": (HEAD + HV + "vmm:\n@  file: vmm\n", 'vmm has no "path"'),
    "mode unknown": ("version: 1\n@mode: tct\npolicy: {type: halt}\n" + HV, '"mode" cannot be "tct"'),
    "txt without tboot": ("version: 1\n@mode: txt\npolicy: {type: halt}\n" + HV, 'mode txt without "tboot"'),
    **{f"{key} in direct": (HEAD + HV + f"{key}:\n@  {value}\n", f'"{key}" has no place in mode direct')
       for key, value in (("tboot", "file: t"), ("sinit", "file: t"), ("stage", "file: t"), ("platform", "scrtm: 1"))},
    "lcp in direct": (HEAD + HV + "lcp:\n@  data: a\n  policy: b\n", '"lcp" has no place in mode direct'),
    "txt without sinit": ("version: 1\n@mode: txt\npolicy: {type: halt}\n" + HV + "tboot: {file: t}\n", "which SINIT module will measure"),
    "txt without platform": ("version: 1\n@mode: txt\npolicy: {type: halt}\n" + HV + TB, "of the BIOS ACM"),
    "txt without bios_acm": (TXT_HEAD + HV + TB + "platform:\n@  scrtm: 1\n", "of the BIOS ACM"),
    "banks without the policy's hash": (TXT_HEAD + HV + TB + PF + "banks:\n@  - sha1\n", '"banks" lacks sha256'),
    **{f"tboot {line}": (TXT_HEAD + HV + f"sinit: {{file: s}}\ntboot:\n  file: t\n@  cmdline: {line}\n" + PF, words) for line, words in (
        ("extpol=sha1", "extpol=sha1 in tboot's cmdline does not go with the policy, whose hash is sha256"),
        ("e=agile", "extpol=agile in tboot's cmdline"), ("extpol=embedded", "extpol=embedded in tboot's"),
        ("force_tpm2_legacy_log=true", "force_tpm2_legacy_log"), ("call_racm=check", "call_racm"))},
    "tboot cmdline": (TXT_HEAD + HV + 'sinit: {file: s}\ntboot:\n  file: t\n@  cmdline: "a\\tb"\n' + PF, '"cmdline" holds the byte 0x09'),
    "tboot key": (TXT_HEAD + HV + "sinit: {file: s}\ntboot:\n  file: t\n@  pcr: 17\n" + PF, 'unknown key "pcr" in tboot'),
    "sinit key": (TXT_HEAD + HV + "tboot: {file: t}\nsinit:\n@  cmdline: x\n" + PF, 'unknown key "cmdline" in sinit'),
    "lcp without policy": (TXT_HEAD + HV + TB + PF + "lcp:\n@  data: x\n", 'lcp has no "policy"'),
    "lcp without data": (TXT_HEAD + HV + TB + PF + "lcp:\n@  policy: x\n", 'lcp has no "data"'),
    "platform key": (TXT_HEAD + HV + TB + "platform:\n@  cpu: 1\n", 'unknown key "cpu" in platform'),
    "bios_acm short": (TXT_HEAD + HV + TB + "platform:\n@  bios_acm: 0011\n", '"bios_acm" cannot be "0011"'),
    "bios_acm twice": (TXT_HEAD + HV + TB + f"platform:\n  bios_acm:\n    - '{'00' * 32}'\n@    - '{'00' * 32}'\n", "a value twice"),
    "bios_acm empty": (TXT_HEAD + HV + TB + "platform:\n@  bios_acm: []\n", '"bios_acm" is empty'),
    "bios_acm too many": (TXT_HEAD + HV + TB + "platform:\n  bios_acm:\n" + "".join(f"{'@' if i == 8 else ''}    - '{i:02d}{'00' * 31}'\n"
                          for i in range(9)), "more than 8 values"),
    "log empty": (TXT_HEAD + HV + TB + "platform:\n@  log: []\n", '"log" is empty'),
    "scrtm": (TXT_HEAD + HV + TB + "platform:\n@  scrtm: yes\n", '"scrtm" is no number'),
    **{f"aux {v[:9]}": (TXT_HEAD + HV + TB + f"platform:\n@  aux: '{v}'\n", '"aux" cannot be')
       for v in ("any", "01c10102", "01c10102000b62044408ffff0068", "00" * 80)},
    "stage not there": (TXT_HEAD + HV + TB + PF + "stage:\n@  file: nowhere\n", 'cannot use "nowhere"'),
    "stage of others": (TXT_HEAD + HV + TB + PF + "stage:\n@  file: /bin/true\n", '"/bin/true" is not geolaunch\'s stage'),
    "stage no ELF": (TXT_HEAD + HV + TB + PF + "stage:\n@  file: vm.json\n", '"vm.json" is no ELF file'),
    "tboot no ELF": (TXT_HEAD + HV + "sinit: {file: s}\nstage: {file: stage.elf}\ntboot:\n@  file: vm.json\n" + PF, '"vm.json" is no ELF file'),
    "sinit not there": (TXT_HEAD + HV + "tboot: {file: kernel.elf}\nstage: {file: stage.elf}\nsinit:\n@  file: nowhere\n" + PF, 'cannot use "nowhere"'),
    "sinit no module": (TXT_HEAD + HV + "tboot: {file: kernel.elf}\nstage: {file: stage.elf}\nsinit:\n@  file: other\n" + PF, '"other" is none'),
    "tboot without MLE header": (TXT_HEAD + HV + "stage: {file: stage.elf}\nsinit: {file: sinit.acm}\ntboot:\n@  file: kernel.elf\n" + PF,
                                 '"kernel.elf" is no tboot'),
    "lcp data not there": (TXT_HEAD + HV + "tboot: {file: kernel.elf}\nstage: {file: stage.elf}\nsinit: {file: sinit.acm}\n" + PF +
                           "lcp:\n  policy: other\n@  data: nowhere\n", 'cannot use "nowhere"'),
    "too many modules for tboot": (TXT_HEAD + HV + TB + PF + "files:\n" + "".join(
        f"{'@' if i == 27 else ''}  - {{file: vm.json, path: /{i}}}\n" for i in range(28)), "more than 29 modules, which is all that tboot measures"),
    "xen without kernel": (HEAD + "hypervisor:\n@  kind: xen\n  file: vmlinuz\n", 'hypervisor of kind xen has no "kernel"'),
    "linux with kernel": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n  kernel:\n@    file: vmlinuz\n", "is itself the kernel"),
    "efi_runtime in direct mode": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  efi_runtime: true\n", "no place in mode direct"),
    "efi_runtime of xen": (HEAD + "hypervisor:\n  kind: xen\n  file: kernel.elf\n  kernel: {file: vmlinuz}\n@  efi_runtime: true\n",
                           "never gets EFI's runtime services"),
    "efi_runtime no boolean": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  efi_runtime: 1\n", '"efi_runtime" cannot be "1"'),
    "xen no ELF": (HEAD + "hypervisor:\n  kind: xen\n@  file: vm.json\n  kernel: {file: vmlinuz}\n", '"vm.json" is no ELF file'),
    "dom0 no kernel": (HEAD + "hypervisor:\n  kind: xen\n  file: kernel.elf\n  kernel:\n@    file: vm.json\n", '"vm.json" is no Linux kernel'),
    "dom0 with initrd=": (HEAD + "hypervisor:\n  kind: xen\n  file: kernel.elf\n  kernel:\n    file: vmlinuz\n@    cmdline: initrd=x\n",
                          "that nobody measures"),
    "xen: unknown key in kernel": (HEAD + "hypervisor:\n  kind: xen\n  file: kernel.elf\n  kernel:\n    file: vmlinuz\n@    pcr: 19\n",
                                   'unknown key "pcr" in kernel'),
    "policy type": ("version: 1\nmode: direct\npolicy:\n@  type: stop\n" + HV, '"type" cannot be "stop"'),
    "policy hash": ("version: 1\nmode: direct\npolicy:\n  type: halt\n@  hash: md5\n" + HV, '"hash" cannot be "md5"'),
    "policy is text": ("version: 1\nmode: direct\n@policy: halt\n" + HV, "policy is no mapping"),
    "hypervisor kind": (HEAD + "hypervisor:\n@  kind: kvm\n  file: vmlinuz\n", '"kind" cannot be "kvm"'),
    "name too long": (HEAD + HV + f"@name: {'n' * 65}\n", '"name" has 65 characters, at most 64'),
    "name empty": (HEAD + HV + '@name: ""\n', '"name" is empty'),
    "name forgotten": (HEAD + HV + "@name:\n", '"name" has no value'),
    "name null": (HEAD + HV + "@name: null\n", '"name" has no value'),
    "name is a list": (HEAD + HV + "@name: [a]\n", '"name" is no single value'),
    "name not ASCII": (HEAD + HV + "@name: Köln\n", '"name" holds the byte 0xc3'),
    "name with an escape": (HEAD + HV + '@name: "a\\x1b[2J"\n', '"name" holds the byte 0x1b'),
    "name with NUL": (HEAD + HV + '@name: "a\\0b"\n', '"name" holds a NUL'),
    "key is a list": (HEAD + HV + "@? [a]\n: 1\n", '"key" is no single value'),
    "tagged value": (HEAD + HV + "@name: !!binary aGFsbG8=\n", "a YAML tag"),
    "tagged mapping": (HEAD + "@hypervisor: !hv {kind: linux, file: vmlinuz}\n", "a YAML tag"),
    "second document": (HEAD + HV + "---\n@name: x\n", "a second YAML document"),
    "cmdline too long": (HEAD + f"hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: {'x' * 2048}\n", "at most 2047"),
    "kernel cmdline too long": (HEAD + f"hypervisor:\n  kind: xen\n  file: kernel.elf\n  kernel:\n    file: vmlinuz\n@    cmdline: {'x' * 1024}\n", "at most 1023"),
    "cmdline with a line feed": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: |\n    a\n", '"cmdline" holds the byte 0x0a'),
    "cmdline with initrd=": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: quiet initrd=x\n", "that nobody measures"),
    "cmdline with initrdmem=": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: initrdmem=1M,1M\n", "that nobody measures"),
    "cmdline with noinitrd": (HEAD + "hypervisor:\n  kind: linux\n  file: vmlinuz\n@  cmdline: quiet noinitrd\n", "leaves out what is measured"),
    "vmm without initrd": (HEAD + "hypervisor: {kind: linux, file: vmlinuz}\nvmm:\n@  file: vmm\n  path: /a\n", "the hypervisor has none"),
    "files without initrd": (HEAD + "hypervisor: {kind: linux, file: vmlinuz}\nfiles:\n@  - file: vmm\n    path: /a\n", "the hypervisor has none"),
    **{f"mode {m}": (HEAD + HV + f"vmm:\n  file: vmm\n  path: /a\n@  mode: {m}\n", f'"mode" cannot be "{m}"')
       for m in ("0888", "4755", "rwx", "07", "00755", "-644")},
    "banks empty": (HEAD + HV + "@banks: []\n", '"banks" is empty'),
    "banks twice": (HEAD + HV + "banks:\n  - sha1\n@  - sha1\n", "bank sha1 is given twice"),
    "banks unknown": (HEAD + HV + "banks:\n  - sha1\n@  - sm3_256\n", '"banks" cannot be "sm3_256"'),
    "banks no list": (HEAD + HV + "@banks: sha1\n", '"banks" is no list'),
    "files no list": (HEAD + HV + "@files: {file: a, path: /a}\n", '"files" is no list'),
    "files of text": (HEAD + HV + "files:\n@  - vm.json\n", "an entry of files is no mapping"),
    "on_halt": (HEAD + HV + "@on_halt: reboot\n", '"on_halt" cannot be "reboot"'),
    "halt_delay": (HEAD + HV + "@halt_delay: 301\n", '"halt_delay" is out of range'),
    **{f"geo index of SINIT or tboot {i:#x}": (TXT_HEAD + HV + TB + f"geo:\n  file: tag-32\n@  index: {i:#x}\n", "that SINIT and tboot use themselves") for i in
       (0x01c10131, 0x01c10132, 0x01c10106, 0x01c10102, 0x01c10103, 0x01200001, 0x01200002, 0x01400001, 0x01800001, 0x01800003)},
    "geo of TPM 1.2": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x40000010\n", "one of TPM 1.2"),
    "geo no NV index": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x81000001\n", "is no NV index"),
    "geo index too large": (HEAD + HV + "geo:\n  file: tag-32\n@  index: 0x101c10110\n", '"index" is out of range'),
    "geo kind": (HEAD + HV + "geo:\n  file: tag-32\n@  kind: raw\n", '"kind" cannot be "raw"'),
    "geo verify": (HEAD + HV + "geo:\n  file: tag-32\n@  verify: yes\n", '"verify" cannot be "yes"'),
    "geo both": (HEAD + HV + "geo:\n@  file: tag-32\n  tag: {country: DE}\n", 'both "file" and "tag"'),
    "geo neither": (HEAD + HV + "geo:\n@  verify: true\n", 'neither "file" nor "tag"'),
    "geo too large": (HEAD + HV + "geo:\n@  file: tag-4097\n", "larger than 4096 bytes"),
    **{f"geo raw {n}": (HEAD + HV + f"geo:\n  kind: nv_raw\n@  file: tag-{n}\n", f"has {n} bytes, but nv_raw") for n in (1, 20, 31, 33, 65)},
    "tag without country": (HEAD + HV + "geo:\n  tag:\n@    site: FRA1\n", 'tag has no "country"'),
    "tag country": (HEAD + HV + "geo:\n  tag:\n@    country: de\n", '"country" cannot be "de": '),
    "tag country too long": (HEAD + HV + "geo:\n  tag:\n@    country: Germany\n", '"country" cannot be "Germany": '),
    "tag subdivision": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    subdivision: DE-HE\n", '"subdivision" cannot be "DE-HE": '),
    "tag subdivision too long": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    subdivision: HESSE\n", '"subdivision" cannot be "HESSE": '),
    "tag site too long": (HEAD + HV + f"geo:\n  tag:\n    country: DE\n@    site: {'s' * 41}\n", "at most 40"),
    "tag latitude alone": (HEAD + HV + "geo:\n  tag:\n@    country: DE\n    latitude: 1\n", "only one of latitude and longitude"),
    "tag latitude": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    latitude: 90.0000001\n    longitude: 1\n", '"latitude" cannot be'),
    "tag longitude": (HEAD + HV + "geo:\n  tag:\n    country: DE\n    latitude: 1\n@    longitude: -180.1\n", '"longitude" cannot be'),
    "tag too precise": (HEAD + HV + "geo:\n  tag:\n    country: DE\n@    latitude: 1.00000001\n    longitude: 1\n", '"latitude" cannot be'),
    "kernel is a gzip": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.gz\n", "compressed with gzip"),
    "kernel is an ELF": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.elf\n", "is an ELF file"),
    "kernel is text": (HEAD + "hypervisor:\n  kind: linux\n@  file: vm.json\n", "is no Linux kernel"),
    "kernel is no Linux": (HEAD + "hypervisor:\n  kind: linux\n@  file: geolaunch.efi\n", "an EFI program, but no Linux kernel"),
    "kernel without stub": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.nostub\n", "is no Linux kernel with an EFI stub"),
    "kernel for another machine": (HEAD + "hypervisor:\n  kind: linux\n@  file: kernel.arm64\n", "is no Linux kernel with an EFI stub for x86-64"),
    "no YAML": (HEAD + "hypervisor: {kind: linux\n@", "not YAML"),
    "a tab": (HEAD + "hypervisor:\n@\tkind: linux\n", "not YAML (a tab): "),
    "empty manifest": ("@", "the file has no content"),
    "manifest of text": ("@hello\n", "the manifest is no mapping"),
    "manifest is a list": ("@- 1\n", "the manifest is no mapping"),
    "alias to itself": (HEAD + HV + "@files: &f\n  - *f\n", "an entry of files is no mapping"),
    "policy too large": ("version: 1\nmode: direct\npolicy:\n@  type: halt\n  hash: sha512\n" + HV + "files:\n" + "".join(
        f"  - {{file: vm.json, path: /{i}}}\n" for i in range(40)), "the policy is larger than 2124 bytes"),
    "too many modules": ("version: 1\nmode: direct\npolicy: {type: halt, hash: sha1}\n" + HV + "files:\n" + "".join(
        f"{'@' if i == 125 else ''}  - {{file: vm.json, path: /{i}}}\n" for i in range(126)), "more than 127 modules"),
}


@pytest.mark.parametrize("name", BAD)
def test_refusal(inputs, name):
    """One line that names the place, the documented exit code, and nothing written."""
    kernel = bytearray(program(True))
    (inputs / "kernel.gz").write_bytes(b"\x1f\x8b\x08" + bytes(100))
    (inputs / "kernel.elf").write_bytes(b"\x7fELF" + bytes(100))
    (inputs / "stage.elf").write_bytes(b"\x7fELF geolaunch-stage")
    if "sinit.acm" in BAD[name][0]:
        (inputs / "sinit.acm").write_bytes(subprocess.run([lcp_model.ACM_TOOL, "sinit", "1"], capture_output=True, check=True, timeout=30).stdout)
    (inputs / "kernel.nostub").write_bytes(bytes(2) + kernel[2:])
    kernel[0x84:0x86] = b"\x64\xaa"
    (inputs / "kernel.arm64").write_bytes(kernel)
    text, words = BAD[name]
    line = text[: text.index("@")].count("\n") + 1
    (inputs / "host.yaml").write_text("")
    before = sorted(p.name for p in inputs.iterdir())
    result = build(inputs, text.replace("@", ""))
    assert result.returncode == 3
    assert result.stdout == ""
    assert result.stderr.startswith("geolaunch build: ") and result.stderr.count("\n") == 1 and result.stderr.endswith("\n")
    assert words in result.stderr
    assert f": host.yaml:{line}: " in result.stderr
    assert len(result.stderr.split(f": host.yaml:{line}: ")[1]) > 4  # what to do
    assert sorted(p.name for p in inputs.iterdir()) == before


def test_largest_policy(inputs):
    """At the limit of what tboot's NV buffer takes: 52 entries of SHA-256 fit, one more does not."""
    def many(n):
        return variant(vmm=None, geo=None, files=[{"file": "vm.json", "path": f"/{i}"} for i in range(n)])

    fitting = (MAX_VLP - 12 - 8) // (8 + 32) - 2
    assert build(inputs, many(fitting)).returncode == 0
    assert MAX_VLP - 40 < len((inputs / "out/esp/EFI/geolaunch/policy.vlp").read_bytes()) <= MAX_VLP
    assert build(inputs, many(fitting + 1), out="more").returncode == 3
    assert not (inputs / "more").exists()


def test_manifest_not_there(inputs):
    refused(run("build", "nowhere.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs), 1, "cannot open: nowhere.yaml")


def test_manifest_too_large(inputs):
    refused(build(inputs, "#" * ((1 << 20) + 1)), 3, "file is larger than 1048576 bytes: host.yaml")


def test_not_utf8(inputs):
    (inputs / "host.yaml").write_bytes(b"name: \xff\n")
    refused(run("build", "host.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs), 3, "not YAML")


def test_efi_not_there(inputs):
    (inputs / "host.yaml").write_text(to_yaml(BASE))
    refused(run("build", "host.yaml", "-o", "out", "--efi", "nowhere.efi", cwd=inputs), 1, "nowhere.efi: name geolaunch.efi with --efi")
    refused(run("build", "host.yaml", "-o", "out", "--efi", "vm.json", cwd=inputs), 3, "no EFI application")
    assert not (inputs / "out").exists()


def test_efi_from_environment(inputs):
    (inputs / "host.yaml").write_text(to_yaml(BASE))
    assert run("build", "host.yaml", "-o", "out", cwd=inputs, env={"GEOLAUNCH_EFI": str(inputs / "geolaunch.efi")}).returncode == 0
    refused(run("build", "host.yaml", "-o", "more", cwd=inputs, env={"GEOLAUNCH_EFI": "nowhere.efi"}), 1, "nowhere.efi")
    # --efi wins
    assert run("build", "host.yaml", "-o", "more", "--efi", "geolaunch.efi", cwd=inputs, env={"GEOLAUNCH_EFI": "nowhere.efi"}).returncode == 0


# ---------------------------------------------------------------- the command itself


def test_help():
    for args in (("--help",), ("-h",), ("help",)):
        result = run(*args)
        assert result.returncode == 0 and result.stderr == ""
        for command in ("build", "geo", "verify", "log"):
            assert f"\n  {command} " in result.stdout
    result = run("build", "--help")
    assert result.returncode == 0 and "usage: geolaunch build" in result.stdout


def test_version():
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("geolaunch ")


@pytest.mark.parametrize("args, words", [
    ((), "no command given"),
    (("bild",), "unknown command: bild"),
    (("build",), "no manifest"),
    (("build", "a", "b", "-o", "x"), "more than one manifest"),
    (("build", "a"), "no output directory"),
    (("build", "a", "-o", ""), "no output directory"),
    (("build", "a", "-o"), "option needs a value: -o"),
    (("build", "a", "-x"), "unknown or wrong option: -x"),
    (("build", "a", "--foo"), "unknown or wrong option: --foo"),
    (("build", "a", "--json=1"), "unknown or wrong option: --json=1"),
    (("build", "a", "--efi"), "option needs a value: --efi"),
    (("build", "a\x1b[2J", "b"), "more than one manifest"),
])
def test_usage(args, words):
    result = run(*args)
    refused(result, 2, words)
    assert "--help'" in result.stderr


def test_terminal_is_safe(inputs):
    """A name with control characters is shown without them."""
    result = run("build", "a\x1b[2J\n.yaml", "-o", "out", "--efi", "geolaunch.efi", cwd=inputs)
    refused(result, 1, "cannot open: a?[2J?.yaml")
