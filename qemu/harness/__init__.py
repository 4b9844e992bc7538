# SPDX-License-Identifier: BSD-3-Clause
"""The boot harness behind qemu/run.

main     one run from options to result and exit code
options  command line
esp      a directory as a FAT image
tpm      TPM state, swtpm, proxy
txt      the TXT platform, TPM NV before the boot
vm       QEMU: command line, streams, how it ends
serial   console bytes to lines
host     what the booted host reports
process  children that cannot outlive the run
"""
