# SPDX-License-Identifier: BSD-3-Clause
#
# make            build everything            make demo     run the main job in QEMU (TAMPER=..., see README)
# make test       build and run all tests     make bench    print figures
# make deps       install what is missing     make install  DESTDIR= PREFIX=
# make fuzz       FUZZ_TIME=60 seconds a target              make reliability   docs/RELIABILITY.md from what the tests left
# make lint       LINT_JOBS=2 clang-tidy, cppcheck and others; part of make test
# make coverage   of the parsers by their fuzz corpora        make clean
# make sweep      every TPM fault with every TPM command, hours
#
# WERROR=1 makes warnings errors (CI). TSS_SRC=DIR takes a given tpm2-tss source tree.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:

PREFIX ?= /usr/local
DESTDIR ?=
CC ?= gcc
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
PYTHON ?= /usr/bin/python3
TSS_SRC ?= .deps/tpm2-tss-4.1.3
LTC_SRC ?= .deps/libtomcrypt-1.18.2
FUZZ_TIME ?= 60
JOBS ?= $(shell nproc)
B := build
# V=1 shows every command.
Q := $(if $(V),,@)
VERSION := 0.1.0
# 2026-11-22, the date in the manual pages: that of the version, not of the build.
VERSION_EPOCH := 1795305600

all: build-all

help:
	@sed -n '3,/^$$/s/^# \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

.PHONY: help all deps test demo bench sweep fuzz coverage lint install clean check-units check-asan check-fuzz check-python check-repro measurements lint-doc preflight-doc reliability

deps:
	@TSS_SRC='$(TSS_SRC)' scripts/deps

# The targets for people install first what is missing; the work is done by a second make, which then sees the fetched sources.
test demo bench sweep: deps
	@$(MAKE) --no-print-directory -j$(JOBS) build-all
	@$(MAKE) --no-print-directory -j$(JOBS) run-$@

# ---------------------------------------------------------------- flags

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla -Wconversion -Wno-sign-conversion \
	-Wpointer-arith -Wwrite-strings -Wcast-qual -Wformat=2 -Wdate-time $(if $(WERROR),-Werror)
# Paths of the build machine stay out of the objects.
REPRO := -ffile-prefix-map=$(CURDIR)=. -gno-record-gcc-switches
STD := -std=gnu11 $(WARN) $(REPRO) -I. -MMD -MP
HARDEN := -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE
HOST_DEFS := -D_GNU_SOURCE -DGEOLAUNCH_VERSION='"$(VERSION)"'
HOST_CFLAGS := $(STD) -O2 -g $(HARDEN) $(HOST_DEFS)
# What is sanitized, fuzzed or measured has the TPM library that geolaunch.efi and the stage have inside, not the distribution's.
TSS_DEFS := $(HOST_DEFS) -isystem $(TSS_SRC)/include
ASAN_CFLAGS := $(STD) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all $(TSS_DEFS)
FUZZ_CFLAGS := $(STD) -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all $(TSS_DEFS)
# clang's undefined-behaviour sanitizer sees some things that gcc's does not, an offset added to NULL for one.
COV_CFLAGS := $(STD) -O1 -g -fprofile-instr-generate -fcoverage-mapping -fsanitize=undefined -fno-sanitize-recover=all $(TSS_DEFS)
HOST_LIBS := -ltss2-sys -ltss2-mu -ltss2-tctildr -lyaml -ljansson -lcrypto -lz -lefiboot -lefivar
OTHER_LIBS := $(filter-out -ltss2-sys -ltss2-mu,$(HOST_LIBS))
GNU_EFI := -DGNU_EFI_USE_MS_ABI -fshort-wchar -isystem /usr/include/efi -isystem /usr/include/efi/x86_64

# Code in front of the operating system: no red zone (interrupts), no SSE state to speak of but what the compiler needs, position
# independent, every symbol hidden so that --gc-sections can drop what is not used.
FREE := -ffreestanding -fno-builtin -fno-stack-protector -fno-strict-aliasing -fcf-protection=none -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections -fvisibility=hidden
EFI_ONLY := -fpic -mno-red-zone -maccumulate-outgoing-args $(GNU_EFI)
EFI_CFLAGS := $(STD) -Os $(or $(EFI_DEBUG),-g0) $(FREE) $(EFI_ONLY) -DGEOLAUNCH_VERSION='"$(VERSION)"' -I$(TSS_SRC)/include
TSS_PATHS := -I$(TSS_SRC)/include/tss2 -I$(TSS_SRC)/include -I$(TSS_SRC)/src -I$(TSS_SRC)/src/tss2-sys
TSS_CFLAGS := -std=gnu11 -Os -g0 $(REPRO) $(FREE) -fpic -mno-red-zone -fshort-wchar -maccumulate-outgoing-args -DMAXLOGLEVEL=0 \
	$(TSS_PATHS)

# ---------------------------------------------------------------- sources

PURE := $(wildcard common/*.c tboot-policy/*.c geo/*.c lcp/*.c boot/*.c txt/*.c efi/core/*.c tpm/*.c)
LIB := $(PURE) stage/measure.c $(wildcard stage/core/*.c lcp/host/*.c tpm/host/*.c)
EFI_APP := $(wildcard efi/*.c tpm/efi/*.c)
STAGE := $(filter-out common/hash_openssl.c,$(wildcard stage/*.c stage/core/*.c common/*.c common/free/*.c boot/*.c txt/*.c tboot-policy/*.c tpm/*.c))
CLI := $(filter-out $(wildcard cli/gen_*.c),$(wildcard cli/*.c))
PROXY := $(wildcard qemu/proxy/*.c)
TXT := $(wildcard qemu/txt/*.c)
UNIT := $(wildcard tests/unit/test_*.c)
UNIT_HELP := $(filter-out $(UNIT) tests/unit/%_tool.c,$(wildcard tests/unit/*.c))
FUZZ := $(wildcard tests/fuzz/fuzz_*.c)
TSS := $(wildcard $(TSS_SRC)/src/tss2-sys/*.c $(TSS_SRC)/src/tss2-sys/api/*.c $(TSS_SRC)/src/tss2-mu/*.c)
# The compression functions of SHA-1 and SHA-2: OpenSSL's assembler out of the distribution's static library (docs/HASHING.md).
LIBCRYPTO := $(firstword $(wildcard /usr/lib/x86_64-linux-gnu/libcrypto.a) /usr/lib/x86_64-linux-gnu/libcrypto.a)
SHA_OBJS := $(addprefix $(B)/sha/libcrypto-lib-,sha1-x86_64.o sha256-x86_64.o sha512-x86_64.o)

.PHONY: build-all
build-all: $(B)/host/geolaunch $(B)/efi/geolaunch.efi $(B)/stage/geolaunch-stage.elf $(B)/host/tpmproxy $(B)/host/txtplatform $(B)/man.stamp

$(SHA_OBJS) &: $(LIBCRYPTO)
	@mkdir -p $(B)/sha
	$(Q)cd $(B)/sha && ar x $(LIBCRYPTO) $(notdir $(SHA_OBJS)) && touch $(notdir $(SHA_OBJS))

# ---------------------------------------------------------------- host

# $(1) variant, $(2) compiler, $(3) flags, $(4) link flags, $(5) libraries, $(6) archive of the TPM library
# Of several patterns that match make takes the one with the shortest stem, so the special folders below win over %.o.
define host_variant
$(B)/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) -c -o $$@ $$<
$(B)/$(1)/efi/%.o: efi/%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/tpm/efi/%.o: tpm/efi/%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/efi/core/%.o: efi/core/%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) -c -o $$@ $$<
$(B)/$(1)/tests/unit/test_efi_%.o: tests/unit/test_efi_%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/tests/unit/fake_ef%.o: tests/unit/fake_ef%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/tests/unit/test_tpm_tcg%.o: tests/unit/test_tpm_tcg%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/tests/fuzz/fuzz_efi_%.o: tests/fuzz/fuzz_efi_%.c Makefile
	@mkdir -p $$(@D)
	@echo '  CC    $$@'
	$(Q)$(2) $(3) $(GNU_EFI) -c -o $$@ $$<
$(B)/$(1)/libgeolaunch.a: $(LIB:%.c=$(B)/$(1)/%.o) $(SHA_OBJS)
	@rm -f $$@; ar rcsD $$@ $$^
$(B)/$(1)/libcli.a: $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out cli/main.c,$(CLI)))
	@rm -f $$@; ar rcsD $$@ $$^
$(B)/$(1)/libproxy.a: $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out qemu/proxy/main.c,$(PROXY)))
	@rm -f $$@; ar rcsD $$@ $$^
$(B)/$(1)/libtxt.a: $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out qemu/txt/main.c,$(TXT)))
	@rm -f $$@; ar rcsD $$@ $$^
# efi/main.c is the application's entry; all else of efi/ runs on the host in front of a fake system table
$(B)/$(1)/libefi.a: $(patsubst %.c,$(B)/$(1)/%.o,$(filter-out efi/main.c efi/relocate.c,$(EFI_APP)))
	@rm -f $$@; ar rcsD $$@ $$^
$(B)/$(1)/libhelp.a: $(UNIT_HELP:%.c=$(B)/$(1)/%.o)
	@rm -f $$@; ar rcsD $$@ $$^
$(B)/$(1)/geolaunch: $(B)/$(1)/cli/main.o $(B)/$(1)/libcli.a $(B)/$(1)/libgeolaunch.a $(6)
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^ $(5)
$(B)/$(1)/tpmproxy: $(B)/$(1)/qemu/proxy/main.o $(B)/$(1)/libproxy.a $(B)/$(1)/libgeolaunch.a
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^ -ljansson
$(B)/$(1)/txtplatform: $(B)/$(1)/qemu/txt/main.o $(B)/$(1)/libtxt.a $(B)/$(1)/libproxy.a $(B)/$(1)/libgeolaunch.a $(6)
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^ -lcapstone $(5)
$(B)/$(1)/gen_lint: $(B)/$(1)/cli/gen_lint.o $(B)/$(1)/libcli.a $(B)/$(1)/libgeolaunch.a $(6)
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^ $(5)
$(B)/$(1)/gen_preflight: $(B)/$(1)/cli/gen_preflight.o $(B)/$(1)/libgeolaunch.a
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^
$(B)/$(1)/gen_measurements: $(B)/$(1)/cli/gen_measurements.o $(B)/$(1)/libgeolaunch.a
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^
$(B)/$(1)/unit/%: $(B)/$(1)/tests/unit/%.o $(B)/$(1)/libhelp.a $(B)/$(1)/libefi.a \
		$(B)/$(1)/libcli.a $(B)/$(1)/libtxt.a $(B)/$(1)/libproxy.a $(B)/$(1)/libgeolaunch.a $(6)
	@mkdir -p $$(@D)
	@echo '  LD    $$@'
	$(Q)$(2) $(4) -o $$@ $$^ -lcmocka -lcapstone $(5)
$(B)/$(1)/tss/%.o: $(TSS_SRC)/src/%.c Makefile
	@mkdir -p $$(@D)
	@$(2) $(3) -w -DMAXLOGLEVEL=0 $(TSS_PATHS) -c -o $$@ $$<
$(B)/$(1)/libtss2.a: $(TSS:$(TSS_SRC)/src/%.c=$(B)/$(1)/tss/%.o)
	@test -n '$(TSS)' || { echo "make: no tpm2-tss source in $(TSS_SRC): run 'make deps', or give TSS_SRC=DIR" >&2; exit 1; }
	@rm -f $$@; ar rcsD $$@ $$^
endef
# Flags hold commas, which would end an argument of call: they go through variables.
HOST_LDFLAGS := -pie -Wl,-z,relro,-z,now
ASAN_LDFLAGS := -fsanitize=address,undefined
$(eval $(call host_variant,host,$$(CC),$$(HOST_CFLAGS),$$(HOST_LDFLAGS),$(HOST_LIBS),))
$(eval $(call host_variant,asan,$$(CC),$$(ASAN_CFLAGS),$$(ASAN_LDFLAGS),$(OTHER_LIBS),$(B)/asan/libtss2.a))
$(eval $(call host_variant,fuzz,$$(CLANG),$$(FUZZ_CFLAGS),$$(ASAN_LDFLAGS),$(OTHER_LIBS),$(B)/fuzz/libtss2.a))
COV_LDFLAGS := -fprofile-instr-generate -fsanitize=undefined
$(eval $(call host_variant,cov,$$(CLANG),$$(COV_CFLAGS),$$(COV_LDFLAGS),$(OTHER_LIBS),$(B)/cov/libtss2.a))

.PRECIOUS: $(B)/host/%.o $(B)/asan/%.o $(B)/asan32/%.o $(B)/fuzz/%.o $(B)/cov/%.o $(B)/efi/%.o $(B)/tss/%.o $(B)/stage/%.o

# ---------------------------------------------------------------- EFI application

EFI_OBJS := $(PURE:%.c=$(B)/efi/%.o) $(B)/efi/common/free/libc.o $(EFI_APP:%.c=$(B)/efi/%.o) $(B)/efi/efi/handoff.o

$(B)/efi/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(CC) $(EFI_CFLAGS) -c -o $@ $<

$(B)/efi/efi/handoff.o: efi/handoff.S efi/core/handoff_layout.h Makefile
	@mkdir -p $(@D)
	@echo '  AS    $@'
	$(Q)$(CC) $(REPRO) -I. -c -o $@ $<

$(B)/tss/%.o: $(TSS_SRC)/src/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(TSS_CFLAGS) -c -o $@ $<
$(B)/efi/libtss2.a: $(TSS:$(TSS_SRC)/src/%.c=$(B)/tss/%.o)
	@test -n '$(TSS)' || { echo "make: no tpm2-tss source in $(TSS_SRC): run 'make deps', or give TSS_SRC=DIR" >&2; exit 1; }
	@rm -f $@; ar rcsD $@ $^

$(B)/efi/geolaunch.so: $(EFI_OBJS) $(SHA_OBJS) $(B)/efi/libtss2.a efi/efi.lds efi/symbols.map
	@echo '  LD    $@'
	$(Q)ld -nostdlib -znocombreloc -shared -Bsymbolic --gc-sections --version-script=efi/symbols.map --no-undefined --warn-common \
		--fatal-warnings --build-id=none -z noexecstack -z pack-relative-relocs -T efi/efi.lds /usr/lib/crt0-efi-x86_64.o $(EFI_OBJS) $(SHA_OBJS) \
		$(B)/efi/libtss2.a -L/usr/lib -lgnuefi -o $@

$(B)/efi/geolaunch.efi: $(B)/efi/geolaunch.so scripts/check-pe
	@echo '  PE    $@'
	$(Q)objcopy --strip-all -j .text -j .sdata -j .data -j .dynamic -j .dynsym -j .rel -j .rela -j '.rel.*' -j '.rela.*' -j .relr.dyn -j .reloc \
		--target efi-app-x86_64 --subsystem=10 $< $@
	$(Q)truncate -s %8 $@ # as a signer would, so that the digest for db and dbx is one and the same for all
	$(Q)scripts/check-pe $@

# ---------------------------------------------------------------- stage

# i386 without an operating system: no MMX, SSE or x87 state is set up, so the compiler may use none.
STAGE_ARCH := -m32 -march=i686 -mgeneral-regs-only -fno-pic -fno-pie
STAGE_CFLAGS := $(STD) -Os -g0 $(FREE) $(STAGE_ARCH) -DGEOLAUNCH_VERSION='"$(VERSION)"' -I$(TSS_SRC)/include
STAGE_TSS_CFLAGS := $(filter-out -fpic -mno-red-zone -fshort-wchar -maccumulate-outgoing-args,$(TSS_CFLAGS)) $(STAGE_ARCH)
STAGE_OBJS := $(B)/stage/stage/entry.o $(STAGE:%.c=$(B)/stage/%.o)
# SHA-1 and SHA-2 in C, small rather than fast: it hashes PCR values and NV contents (docs/HASHING.md).
LTC := $(addprefix $(B)/stage/ltc/hashes/,sha1.o sha2/sha256.o sha2/sha512.o)
LTC_DEFS := -DLTC_SOURCE -DLTC_NOTHING -DLTC_SHA1 -DLTC_SHA256 -DLTC_SHA512 -DLTC_SMALL_CODE -DLTC_NO_TEST -DLTC_NO_FILE -DARGTYPE=4 \
	-isystem $(LTC_SRC)/src/headers

$(B)/stage/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(CC) $(STAGE_CFLAGS) $(if $(filter stage/hash_blocks.c,$<),$(LTC_DEFS)) -c -o $@ $<
$(B)/stage/ltc/%.o: $(LTC_SRC)/src/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -Os -g0 $(REPRO) $(FREE) $(STAGE_ARCH) $(LTC_DEFS) -c -o $@ $<
$(B)/stage/stage/entry.o: stage/entry.S Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(REPRO) -m32 -c -o $@ $<
$(B)/stage/tss/%.o: $(TSS_SRC)/src/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(STAGE_TSS_CFLAGS) -c -o $@ $<
$(B)/stage/libtss2.a: $(TSS:$(TSS_SRC)/src/%.c=$(B)/stage/tss/%.o)
	@rm -f $@; ar rcsD $@ $^
$(B)/stage/geolaunch-stage.elf: $(STAGE_OBJS) $(LTC) $(B)/stage/libtss2.a stage/stage.lds scripts/check-stage
	@echo '  LD    $@'
	$(Q)ld -m elf_i386 -static -nostdlib --gc-sections --build-id=none -z noexecstack -z max-page-size=64 --fatal-warnings --strip-all -T stage/stage.lds \
		$(STAGE_OBJS) $(LTC) $(B)/stage/libtss2.a $$($(CC) -m32 -print-libgcc-file-name) -o $@
	$(Q)scripts/check-stage $@

# ---------------------------------------------------------------- documents

MAN := $(patsubst docs/man/%.scd,$(B)/man/%,$(wildcard docs/man/*.scd))
$(B)/man/%: docs/man/%.scd
	@mkdir -p $(@D)
	$(Q)SOURCE_DATE_EPOCH=$(VERSION_EPOCH) scdoc < $< > $@
$(B)/man.stamp: $(MAN)
	@mkdir -p $(@D) && touch $@

measurements: $(B)/host/gen_measurements
	$< > docs/MEASUREMENTS.md

preflight-doc: $(B)/host/gen_preflight
	$< > docs/PREFLIGHT.md

lint-doc: $(B)/host/gen_lint
	$< > docs/LINT.md

# ---------------------------------------------------------------- tests

# Lines of figures, one file a kind of test: what docs/RELIABILITY.md is written from.
RESULTS := $(CURDIR)/$(B)/results
UNIT_RUN := $(UNIT:tests/unit/%.c=%)
.PHONY: run-test $(UNIT_RUN:%=unit-host-%) $(UNIT_RUN:%=unit-asan-%)

# A test by hand: make unit-asan-test_hash
$(UNIT_RUN:%=unit-host-%): unit-host-%: $(B)/host/unit/%
	@scripts/run-unit $<
$(UNIT_RUN:%=unit-asan-%): unit-asan-%: $(B)/asan/unit/%
	@scripts/run-unit $<
check-units: $(UNIT_RUN:%=unit-host-%)
check-asan: $(UNIT_RUN:%=unit-asan-%) $(B)/asan/geolaunch

FUZZ_RUN := $(FUZZ:tests/fuzz/%.c=%)
.PHONY: $(FUZZ_RUN:%=replay-%) $(FUZZ_RUN:%=fuzz-%) $(FUZZ_RUN:%=pick-%)
# variant, folder of the programs, its main() if libFuzzer brings none, linker and its options
define fuzz_programs
$(B)/$(1)/$(2)/%: $(B)/$(1)/tests/fuzz/%.o $(3:%=$(B)/$(1)/tests/fuzz/%.o) \
		$(B)/$(1)/libefi.a $(B)/$(1)/libcli.a $(B)/$(1)/libtxt.a $(B)/$(1)/libproxy.a $(B)/$(1)/libgeolaunch.a $(B)/$(1)/libtss2.a
	@mkdir -p $$(@D)
	$$(Q)$(4) -o $$@ $$^ -lcapstone $$(OTHER_LIBS)
endef
FUZZ_LDFLAGS := -fsanitize=fuzzer,address,undefined
$(eval $(call fuzz_programs,asan,fuzz,replay_main,$$(CC) $$(ASAN_LDFLAGS)))
$(eval $(call fuzz_programs,fuzz,fuzz,,$$(CLANG) $$(FUZZ_LDFLAGS)))
$(eval $(call fuzz_programs,cov,fuzz,replay_main,$$(CLANG) $$(COV_LDFLAGS)))
$(eval $(call fuzz_programs,cov,pick,pick_main,$$(CLANG) $$(COV_LDFLAGS)))
# Every corpus is replayed with gcc's sanitizers in make test; fuzzing itself needs clang's libFuzzer.
$(FUZZ_RUN:%=replay-%): replay-%: $(B)/asan/fuzz/%
	@$< $(wildcard tests/data/fuzz/$*/*) > $<.log 2>&1 || { tail -n 40 $<.log; echo "failed; by hand: $< tests/data/fuzz/$*/*" >&2; exit 1; }
# The stage is an i386 program: the targets of what it has inside once more, with its size_t, its hashes and its TPM library. Those that need more
# than the C library cannot be: i386 versions of other libraries are no part of this distribution.
FUZZ32 := $(addprefix fuzz_,bzimage cpio description elf eventlog multiboot2_header multiboot2_info pecoff stage_heaplog stage_plan \
	stage_power stage_rules tpm_response vlp)
LIB32 := $(filter-out common/hash_openssl.c efi/core/%,$(PURE)) stage/measure.c stage/hash_blocks.c $(wildcard stage/core/*.c) \
	qemu/txt/image.c tpm/host/nv_admin.c
ASAN32_CFLAGS := -m32 $(ASAN_CFLAGS)
$(B)/asan32/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC    $@'
	$(Q)$(CC) $(ASAN32_CFLAGS) $(if $(filter stage/hash_blocks.c,$<),$(LTC_DEFS)) -c -o $@ $<
$(B)/asan32/tss/%.o: $(TSS_SRC)/src/%.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(ASAN32_CFLAGS) -w -DMAXLOGLEVEL=0 $(TSS_PATHS) -c -o $@ $<
$(B)/asan32/lib.a: $(LIB32:%.c=$(B)/asan32/%.o) $(LTC) $(TSS:$(TSS_SRC)/src/%.c=$(B)/asan32/tss/%.o)
	@rm -f $@; ar rcsD $@ $^
$(B)/asan32/fuzz/%: $(B)/asan32/tests/fuzz/%.o $(B)/asan32/tests/fuzz/replay_main.o $(B)/asan32/lib.a
	@mkdir -p $(@D)
	$(Q)$(CC) -m32 -no-pie $(ASAN_LDFLAGS) -o $@ $^
.PHONY: $(FUZZ32:%=replay32-%)
$(FUZZ32:%=replay32-%): replay32-%: $(B)/asan32/fuzz/%
	@$< $(wildcard tests/data/fuzz/$*/*) > $<.log 2>&1 || { tail -n 40 $<.log; echo "failed; by hand: $< tests/data/fuzz/$*/*" >&2; exit 1; }
check-fuzz: $(FUZZ_RUN:%=replay-%) $(FUZZ32:%=replay32-%)
$(FUZZ_RUN:%=fuzz-%): fuzz-%: $(B)/fuzz/fuzz/%
	@GEOLAUNCH_RESULTS=$(RESULTS) scripts/fuzz $< $(FUZZ_TIME) $(B)/corpus/$* tests/data/fuzz/$*
fuzz: deps
	@$(MAKE) --no-print-directory $(FUZZ_RUN:%=fuzz-%)
# Adds to a target's corpus what its fuzzing found (build/corpus) and what runs through lines that nothing else does.
$(FUZZ_RUN:%=pick-%): pick-%: $(B)/cov/pick/%
	@scripts/fuzz-pick $< $(B)/corpus/$* tests/data/fuzz/$*
# Which lines of each parser its corpus alone runs through; exit 1 unless it is over 90 % of each. tests/fuzz/parsers.csv says what belongs to what.
coverage: $(FUZZ_RUN:%=$(B)/cov/fuzz/%)
	@GEOLAUNCH_RESULTS=$(RESULTS) scripts/coverage $(B)/cov/fuzz

TBOOT_DIR ?= $(CURDIR)/.deps/tboot
PYTEST := GEOLAUNCH=$(CURDIR)/$(B)/host/geolaunch GEOLAUNCH_EFI=$(CURDIR)/$(B)/efi/geolaunch.efi \
	GEOLAUNCH_STAGE=$(CURDIR)/$(B)/stage/geolaunch-stage.elf GEOLAUNCH_STOP=$(CURDIR)/$(B)/stop TBOOT_DIR=$(TBOOT_DIR) \
	GEOLAUNCH_RESULTS=$(RESULTS) $(PYTHON) -m pytest -q -p no:cacheprovider --basetemp $(B)/pytest -n $(JOBS)
run-test:
	@$(MAKE) --no-print-directory lint
	@rm -f $(RESULTS)/unit.jsonl $(RESULTS)/sweep.jsonl
	@GEOLAUNCH_RESULTS=$(RESULTS) $(MAKE) --no-print-directory WERROR=1 check-units check-asan check-fuzz check-repro $(B)/unit-tools.stamp
	@$(MAKE) --no-print-directory run-pytest
	@echo "all tests passed"

$(B)/host/lcp_tool: $(B)/host/tests/unit/lcp_tool.o $(B)/host/libgeolaunch.a
	$(Q)$(CC) -pie -o $@ $^
$(B)/host/acm_tool: $(B)/host/tests/unit/acm_tool.o $(B)/host/libgeolaunch.a
	$(Q)$(CC) -pie -o $@ $^
# The stage's hash objects in a program that this machine can run.
$(B)/stage/hash_tool: tests/unit/stage_hash_tool.c $(addprefix $(B)/stage/,common/hash.o common/alg.o stage/hash_blocks.o) $(LTC)
	$(Q)$(CC) $(STD) -m32 -no-pie -O1 -o $@ $(filter %.c %.o,$^)
$(B)/unit-tools.stamp: $(B)/stage/hash_tool $(B)/host/lcp_tool $(B)/host/acm_tool $(B)/host/gen_measurements $(B)/host/gen_lint $(B)/host/gen_preflight
	@touch $@

# In the hypervisor's place: stops at once, so that a boot test needs no operating system. -other: to be told from it.
STOP := $(addprefix $(B)/stop/,linux linux-other xen.elf xen-other.elf)
STOP_CFLAGS := $(STD) -Os -g0 $(FREE) -fpie -mno-red-zone -mgeneral-regs-only $(GNU_EFI)
STOP_NAME = -DSTOP_NAME='"$(if $(findstring -other,$@),other,stop)"'
$(B)/stop/linux.o $(B)/stop/linux-other.o: tests/boot/stop/stop.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(STOP_CFLAGS) $(STOP_NAME) -DSTOP_LINUX -c -o $@ $<
$(B)/stop/xen.o $(B)/stop/xen-other.o: tests/boot/stop/stop.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(STOP_CFLAGS) $(STOP_NAME) -c -o $@ $<
# The 32-bit entries are programs of their own, as no 64-bit object can hold their code.
STOP_32 := $(addprefix $(B)/stop/,linux32 linux-other32 xen32 xen-other32)
$(STOP_32:=.o): $(B)/stop/%.o: tests/boot/stop/linux32.c tests/boot/stop/xen32.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(STD) -Os -g0 $(FREE) $(STAGE_ARCH) -fpie $(STOP_NAME) -c -o $@ tests/boot/stop/$(subst -other,,$*).c
$(STOP_32:=.bin): %.bin: %.o tests/boot/stop/flat32.lds
	$(Q)ld -m elf_i386 -nostdlib --build-id=none -z noexecstack --no-warn-rwx-segments -T tests/boot/stop/flat32.lds -o $@.elf $<
	$(Q)objcopy -O binary $@.elf $@
$(B)/stop/head-linux.o $(B)/stop/head-linux-other.o: $(B)/stop/head-%.o: tests/boot/stop/linux.S $(B)/stop/%32.bin Makefile
	$(Q)$(CC) $(REPRO) -DLINUX32='"$(B)/stop/$*32.bin"' -c -o $@ $<
$(B)/stop/head-xen.o $(B)/stop/head-xen-other.o: $(B)/stop/head-%.o: tests/boot/stop/xen.S $(B)/stop/%32.bin Makefile
	$(Q)$(CC) $(REPRO) -DXEN32='"$(B)/stop/$*32.bin"' -c -o $@ $<
$(B)/stop/linux $(B)/stop/linux-other: $(B)/stop/%: $(B)/stop/head-%.o $(B)/stop/%.o tests/boot/stop/linux.lds
	@echo '  LD    $@'
	$(Q)ld -nostdlib --build-id=none -T tests/boot/stop/linux.lds -o $@ $(filter %.o,$^)
$(B)/stop/xen.elf $(B)/stop/xen-other.elf: $(B)/stop/%.elf: $(B)/stop/head-%.o $(B)/stop/%.o
	@echo '  LD    $@'
	$(Q)ld -nostdlib --build-id=none -static -z noexecstack -e start32 -Ttext=0x201000 --section-start=.multiboot=0x200000 -o $@ $^

.PHONY: run-pytest
run-pytest: $(B)/unit-tools.stamp $(STOP)
	@mkdir -p $(RESULTS) && rm -f $(foreach k,tamper disk,$(RESULTS)/$(k).jsonl) $(RESULTS)/pytest.xml
	@touch $(RESULTS)/sweep.jsonl && sed -i '/-core/!d' $(RESULTS)/sweep.jsonl # those of the unit tests stay
	@scripts/results-machine > $(RESULTS)/machine.jsonl
	$(PYTEST) --junitxml $(RESULTS)/pytest.xml tests/cli tests/boot

# Every command of a launch with every fault of the TPM, in process and in machines (make test: each at least once).
.PHONY: run-sweep
SWEEP_UNITS := $(B)/host/unit/test_efi_sweep $(B)/host/unit/test_stage_sweep
run-sweep: $(B)/unit-tools.stamp $(STOP) $(SWEEP_UNITS)
	@mkdir -p $(RESULTS) && rm -f $(addprefix $(RESULTS)/,sweep.jsonl pytest.xml)
	@for u in $(SWEEP_UNITS); do GEOLAUNCH_RESULTS=$(RESULTS) $$u > $$u.log 2>&1 || { tail -n 40 $$u.log; exit 1; }; done
	GEOLAUNCH_SWEEP=full $(PYTEST) tests/boot/test_tpm_sweep.py

# docs/RELIABILITY.md from what the last `make test` (and fuzz, sweep, coverage) left in build/results.
reliability:
	scripts/reliability record $(RESULTS) tests/data/results
	scripts/reliability print tests/data/results > docs/RELIABILITY.md.new && mv docs/RELIABILITY.md.new docs/RELIABILITY.md

# Builds twice from nothing, in folders of different names, and compares what is shipped.
check-repro:
	@scripts/check-repro '$(TSS_SRC)' '$(LTC_SRC)'

# ---------------------------------------------------------------- lint

LINT_JOBS ?= $(JOBS)
lint: $(B)/compile_commands.json
	@scripts/lint $< -j $(LINT_JOBS)

# Every source once, in the first of host, EFI and stage that has it, with those of gcc's flags that clang knows. Editors read it, too.
HOSTED := $(LIB) $(CLI) $(wildcard cli/gen_*.c) $(PROXY) $(TXT)
COMMA := ,
define NEWLINE


endef
NOT_CLANG := -MMD -MP -gno-record-gcc-switches -maccumulate-outgoing-args -ffile-prefix-map=%
# $(1) files, $(2) flags
compile_commands = $(foreach f,$(1),{ "directory": "$(CURDIR)"$(COMMA) "file": "$(f)"$(COMMA) "command": "$(CLANG) \
	$(subst ",\",$(subst -I$(TSS_SRC),-isystem $(TSS_SRC),$(filter-out $(NOT_CLANG),$(2)))) -c $(f)" })
.PHONY: $(B)/compile_commands.json
$(B)/compile_commands.json:
	@mkdir -p $(@D)
	$(file >$@,[$(subst } {,}$(COMMA)$(NEWLINE){, \
		$(call compile_commands,$(HOSTED) $(UNIT) $(UNIT_HELP),$(HOST_CFLAGS)) \
		$(call compile_commands,$(EFI_APP),$(EFI_CFLAGS)) \
		$(call compile_commands,$(filter-out $(HOSTED),$(STAGE)),$(STAGE_CFLAGS) $(LTC_DEFS)))])

# ---------------------------------------------------------------- demo, figures

.PHONY: run-demo run-bench
run-demo:
	@demo/run

$(B)/host/hash_bench: $(B)/host/tests/bench/hash_bench.o $(B)/host/libgeolaunch.a
	$(Q)$(CC) -pie -o $@ $^ $(HOST_LIBS)
run-bench: $(B)/host/hash_bench
	@tests/bench/run

# ---------------------------------------------------------------- install

# As they lie here, so that links among them hold.
DOCS := README.md $(wildcard docs/*.md) $(wildcard demo/*.yaml)
install: build-all
	for p in geolaunch tpmproxy txtplatform; do install -D -m 755 $(B)/host/$$p $(DESTDIR)$(PREFIX)/bin/$$p; done
	install -D -m 644 $(B)/efi/geolaunch.efi $(DESTDIR)$(PREFIX)/lib/geolaunch/geolaunch.efi
	install -D -m 644 $(B)/stage/geolaunch-stage.elf $(DESTDIR)$(PREFIX)/lib/geolaunch/geolaunch-stage.elf
	install -D -m 644 docs/geolaunch.bash-completion $(DESTDIR)$(PREFIX)/share/bash-completion/completions/geolaunch
	for d in $(DOCS); do install -D -m 644 $$d $(DESTDIR)$(PREFIX)/share/doc/geolaunch/$$d; done
	for m in $(MAN); do install -D -m 644 $$m $(DESTDIR)$(PREFIX)/share/man/man$${m##*.}/$${m##*/}; done

clean:
	rm -rf $(B)

-include $(shell find $(wildcard $(B)/host $(B)/asan $(B)/asan32 $(B)/fuzz $(B)/cov $(B)/efi $(B)/stage $(B)/stop) -name '*.d' -type f 2>/dev/null)
