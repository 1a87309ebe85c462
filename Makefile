# wgmesh: one file, no recursion.
#
#   make              build/wgmesh
#   make quick        the fast unit tests, before every commit
#   make check        every test; the last line is "N passed, N failed, N skipped"
#   make coverage     what the tests run through, by room
#   make demo         the main job on local lab hosts (root)
#   make bench        speed, measured side by side (root)
#   make fuzz CC=clang
#   make lint         layers, headers that stand alone, what runs on hosts,
#                     clang-tidy if there
#   make install      DESTDIR and PREFIX are honoured
#
# Variables: CC, CFLAGS, SAN=address,undefined or SAN=thread, WERROR=1, V=1.

VERSION := 0.1.0
PREFIX ?= /usr/local
CC := $(if $(filter default,$(origin CC)),gcc,$(CC))
SAN ?=
COV ?=
V ?=
WERROR ?=
Q := $(if $(V),,@)

variant := $(notdir $(CC))$(if $(filter thread,$(SAN)),-thread,$(if \
	$(SAN),-san))$(if $(COV),-cov)
# The plain gcc build is the one that people use: build/wgmesh.
B := build$(if $(filter-out gcc,$(variant)),/$(variant))

folders := base vault state acl render ssh
lib_src := $(sort $(shell find $(folders) -name '*.c'))
cmd_src := $(wildcard cmd/*.c)
unit_src := $(wildcard tests/unit/test_*.c)
fuzz_src := $(wildcard tests/fuzz/fuzz_*.c)
headers := $(sort $(shell find $(folders) cmd -name '*.h'))

libraries := libssh libcrypto json-c yaml-0.1 libgit2
warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wwrite-strings -Wpointer-arith -Wvla -Wundef \
	-Wformat=2 -Wimplicit-fallthrough $(if $(WERROR),-Werror)
harden := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -O1,$(if $(COV),--coverage -O0 -Wno-format-truncation, \
	-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 \
	-fstack-protector-strong -fstack-clash-protection))
CPPFLAGS_ALL := -I. -D_GNU_SOURCE -DWGMESH_VERSION='"$(VERSION)"' \
	-include base/banned.h $(CPPFLAGS)
CFLAGS_ALL := -std=gnu11 -g -fPIE -pthread $(warnings) $(harden) \
	$(shell pkg-config --cflags $(libraries)) $(CFLAGS)
LDFLAGS_ALL := -pie -pthread -Wl,-z,relro,-z,now \
	$(if $(SAN),-fsanitize=$(SAN)) $(if $(COV),--coverage) $(LDFLAGS)
LIBS := $(shell pkg-config --libs $(libraries))

# What runs on hosts, as it is embedded: see render/host/texts.h.
host_texts := $(sort $(wildcard render/host/*.sh render/host/*.awk))
made_src := $(B)/made/render/host/texts.c

obj = $(patsubst %.c,$(B)/obj/%.o,$(patsubst $(B)/made/%,%,$(1)))
lib := $(B)/libwgmesh.a
units := $(patsubst tests/unit/%.c,$(B)/unit/%,$(unit_src))
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(fuzz_src))

# Objects of tests stay, so that a second run builds nothing.
.SECONDARY:
.PHONY: all units replays quick check coverage demo bench fuzz lint headers layers host-texts install clean FORCE
all: $(B)/wgmesh

$(B)/wgmesh: $(call obj,$(cmd_src)) $(lib)
	$(if $(V),,@echo "  LINK $@")
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(lib): $(call obj,$(lib_src) $(made_src))
	$(Q)rm -f $@ && ar rcs $@ $^

define compile
	$(if $(V),,@echo "  CC   $<")
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
endef
$(B)/obj/%.o: %.c $(B)/flags
	$(compile)

$(B)/obj/%.o: $(B)/made/%.c $(B)/flags
	$(compile)

# Each file as a C string, without comments, indentation and empty lines.
$(made_src): $(host_texts) Makefile
	@mkdir -p $(@D)
	$(Q){ echo '#include "render/host/texts.h"'; \
	for file in $(host_texts); do \
		echo "const char $$(basename $$file | tr . _)[] ="; \
		sed -e 's/^[ \t]*//; /^#/d; /^$$/d' \
			-e 's/[\\"]/\\&/g; s/.*/"&\\n"/' $$file || exit 1; \
		echo ';'; \
	done; } >$@.new && mv $@.new $@

# Changed flags rebuild everything.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL)' | cmp -s - $@ || \
		echo '$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL)' > $@

# ---- tests ----

units: $(units) $(B)/memscan
$(B)/memscan: $(B)/obj/tests/tools/memscan.o $(lib)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)
# The commands without their main().
$(B)/unit/test_guard: $(call obj,$(filter-out cmd/main.c,$(cmd_src)))
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(lib)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.o,$^) \
		$(lib) $(LIBS) $(shell pkg-config --libs cmocka)

# Fuzz targets with a plain main() that replays the corpus...
replays: $(fuzzers)
$(B)/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/obj/tests/fuzz/replay.o $(lib)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

# ... and the same with clang's libFuzzer: make fuzz CC=clang FUZZ_SECONDS=60
FUZZ_SECONDS ?= 30
fuzz: $(made_src)
	$(Q)CC='$(CC)' CPPFLAGS='$(CPPFLAGS_ALL)' LIBS='$(LIBS)' \
		SECONDS_EACH=$(FUZZ_SECONDS) sh tests/fuzz/run.sh $(lib_src) $(made_src)

slow_units := $(shell sed -n 's/^\(test_[a-z_]*\).*/\1/p' tests/unit/slow.txt)
quick: all $(filter-out $(addprefix $(B)/unit/,$(slow_units)),$(units))
	$(Q)sh tests/check.sh quick

check:
	$(Q)sh tests/check.sh

demo:
	$(Q)sh samples/demo.sh

coverage:
	$(Q)sh tests/coverage.sh

bench: all
	$(Q)bash tests/bench/run.sh

# ---- rules of the house ----

lint: layers headers host-texts
	$(Q)command -v clang-tidy >/dev/null || { echo "lint: no clang-tidy"; exit 0; }; \
	clang-tidy --quiet $(lib_src) $(cmd_src) -- $(CPPFLAGS_ALL) $(CFLAGS_ALL)

layers:
	$(Q)sh tests/layers.sh

host-texts:
	$(Q)sh tests/host_texts.sh

headers: $(patsubst %.h,$(B)/headers/%.ok,$(headers))
$(B)/headers/%.ok: %.h $(B)/flags
	@mkdir -p $(@D)
	$(Q)echo '#include "$<"' | $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) \
		-fsyntax-only -x c - && touch $@

# ---- the rest ----

install: all
	install -D -m 755 $(B)/wgmesh $(DESTDIR)$(PREFIX)/bin/wgmesh
	for page in docs/man/*.1; do install -D -m 644 "$$page" \
		"$(DESTDIR)$(PREFIX)/share/man/man1/$${page##*/}" || exit 1; done

clean:
	rm -rf build

-include $(wildcard $(B)/obj/*/*.d $(B)/obj/*/*/*.d)
