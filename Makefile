# tapcut: one make for the whole tree, not recursive; `make help` lists the targets. The default builds build/tapcut.
# Outputs go to build/ (BUILD=... to choose another folder). A file dropped into a folder is built; nothing is listed by hand.
# Parts: infer/packaging/install.mk (the libraries and make install), tests/ports/ports.mk (the same bytes everywhere),
# tools/web/web.mk (the page), tools/bench/bench.mk (speed).

.DEFAULT_GOAL := all
BUILD   ?= build
# What is never built with a sanitizer lies here: in a build with one (make asan) this is the folder of the other build.
PLAIN   ?= $(BUILD)
# One job per processor unless -j says otherwise; V=1 shows the commands.
ifeq (,$(filter -j% --jobs%,$(MAKEFLAGS)))
MAKEFLAGS += --jobs=$(shell nproc 2>/dev/null || echo 1)
endif
quiet    = $(if $(V),,@printf '  %-4s %s\n' $(1) $@;)
ifeq ($(origin CC),default) # make predefines cc
CC       = gcc
endif
CSTD     = -std=c11 -D_POSIX_C_SOURCE=200809L
# No contraction and no fast-math: a + b * c must mean the same on every machine (core/README.md).
FPFLAGS  = -ffp-contract=off -fno-math-errno -fno-trapping-math
WARN     = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla
CFLAGS  ?= -O3 -g
ALLFLAGS = $(CSTD) $(CFLAGS) $(FPFLAGS) $(WARN) $(SANITIZE) -I. -pthread
# SQLite where its header is: a sweep's report has a database then (train/sweep/sqlite.c).
have_sqlite := $(shell echo '\#include <sqlite3.h>' | $(CC) -E -xc - >/dev/null 2>&1 && echo yes)
LDLIBS   = $(if $(have_sqlite),-lsqlite3) -lcjson -llcms2 -lpng -ljpeg -lz -lm -ldl -pthread

# Layers, lowest last, in link order: tools -> train -> convert, data -> core, infer.
LAYERS = train convert data core infer
tool_sources  = $(wildcard tools/*.c tools/bench/*.c)
layer_sources = $(filter-out %.inc.c core/kernels/% infer/packaging/examples/% core/examples/% train/ranks_mpi.c,$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# Kernels are compiled once per instruction set and chosen at run time (core/kernels/README.md).
ISAS     = generic $(if $(findstring x86_64,$(shell $(CC) -dumpmachine)),avx2 avx512)
ISA_FLAGS_avx2   = -mavx2 -mfma
ISA_FLAGS_avx512 = -mavx2 -mfma -mavx512f -mavx512vl -mavx512dq -mavx512bw -mprefer-vector-width=512
kernel_objects = $(foreach i,$(ISAS),$(patsubst %.c,$(BUILD)/%.$(i).o,$(wildcard core/kernels/*.c)))

ARCHIVES = $(foreach l,$(LAYERS),$(BUILD)/lib$(l).a)
TESTS    = $(sort $(patsubst tests/%.c,$(BUILD)/tests/%,$(shell find tests -name 'test_*.c')))
SUPPORT  = $(call objects,$(wildcard tests/support/*.c))

# make MPI=1: build/mpi/tapcut too, whose processes train together (train/ranks.h). The same objects but for one:
# train/ranks_mpi.o, linked before the archive, takes the place of its ranks_alone.o.
MPICC    = OMPI_CC="$(CC)" MPICH_CC="$(CC)" mpicc
have_mpi = $(if $(SANITIZE),,$(shell command -v mpicc 2>/dev/null))

## make [MPI=1] [V=1]      build/tapcut; MPI=1: build/mpi/tapcut too; V=1 shows the commands
all: $(BUILD)/tapcut $(if $(MPI),$(BUILD)/mpi/tapcut)

$(BUILD)/tapcut: $(call objects,$(tool_sources)) $(BUILD)/web_files.o $(ARCHIVES)
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) $(LDLIBS)

$(BUILD)/mpi/tapcut: $(call objects,$(tool_sources) train/ranks_mpi.c) $(BUILD)/web_files.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(MPICC) $(ALLFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) $(LDLIBS)

define archive_rule
$(BUILD)/lib$(1).a: $(call objects,$(call layer_sources,$(1))) $(if $(filter core,$(1)),$(kernel_objects))
	@mkdir -p $$(@D) && rm -f $$@
	$$(call quiet,AR)$$(AR) rcs $$@ $$^
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

# The assembler takes in the files of the page, which no .d file names.
$(BUILD)/train/sweep/page.o: $(wildcard train/sweep/page/*)

# -MMD -MP: the compiler writes which headers an object was made from, and a phony target for each so that deleting one is no error.
$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/train/ranks_mpi.o: train/ranks_mpi.c Makefile
	@mkdir -p $(@D)
	@command -v mpicc >/dev/null || { echo "MPI=1 needs mpicc: make deps MPI=1 installs Open MPI" >&2; exit 1; }
	$(call quiet,CC)$(MPICC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

define kernel_rule
$(BUILD)/core/kernels/%.$(1).o: core/kernels/%.c Makefile
	@mkdir -p $$(@D)
	$$(call quiet,CC)$$(CC) $$(ALLFLAGS) $$(ISA_FLAGS_$(1)) -DKERNEL_ISA=$(1) -MMD -MP -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call kernel_rule,$(i))))

# The program's own parts, for their tests: everything of tools but main.
$(BUILD)/libtools.a: $(filter-out $(BUILD)/tools/tapcut.o,$(call objects,$(tool_sources)))
	@mkdir -p $(@D) && rm -f $@
	$(call quiet,AR)$(AR) rcs $@ $^

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(BUILD)/libtools.a $(ARCHIVES)
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -o $@ $(filter %.o,$^) $(BUILD)/libtools.a $(ARCHIVES) -lcheck -lsubunit -lrt $(LDLIBS)

.SECONDARY:
-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
ifneq ($(PLAIN),$(BUILD))
-include $(shell test -d $(PLAIN)/lib && find $(PLAIN)/lib -name '*.d')
endif

# --- test and check ----------------------------------------------------------------------------------------------------

## make test [T=conv2d]    all tests, or the test programs whose path contains "conv2d"; installs what is missing
# The page is built for it where that can be done.
test: deps
	@$(if $(and $(have_wasm),$(or $(if $(T),,all),$(findstring web,$(T)))),$(MAKE) --no-print-directory web)
	@$(MAKE) --no-print-directory test-built
## make test-built [T=]    the same, and installs nothing
chosen_tests = $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$(t)),$(t))),$(TESTS))
test-built: $(BUILD)/tapcut $(if $(have_mpi),$(BUILD)/mpi/tapcut) $(chosen_tests)
	@BUILD=$(BUILD) PLAIN=$(PLAIN) WEB=$(WEB) PORTS=$(PORTS) TAPCUT_NPM=$(NPM) CC="$(CC)" tests/run.sh $(filter $(BUILD)/tests/%,$^)

## make asan [T=]          the tests under AddressSanitizer and UndefinedBehaviorSanitizer
asan:
	@$(MAKE) --no-print-directory test-built BUILD=$(BUILD)/asan PLAIN=$(BUILD) CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" T="$(T)"

## make repro              one SHA-256 of the weights for every instruction set, number of threads and ranks, through kill -9
repro: all $(if $(have_mpi),$(BUILD)/mpi/tapcut)
	@TAPCUT=$(BUILD)/tapcut MPI_TAPCUT=$(BUILD)/mpi/tapcut REPRO=$(BUILD)/repro tools/repro.sh

## make suitcase           infer/ alone, copied to an empty folder, compiles with a C compiler and zlib
# The program that is built with it is the example of infer/README.md.
suitcase:
	@rm -rf $(BUILD)/suitcase && mkdir -p $(BUILD)/suitcase && cp -r infer $(BUILD)/suitcase/tapcut
	@sed -n '/^```c$$/,/^```$$/p' infer/README.md | sed '/^```/d' >$(BUILD)/suitcase/example.c
	@cd $(BUILD)/suitcase && $(CC) -std=c11 -O2 $(WARN) -Werror -c tapcut/*/*.c && $(AR) rcs libtapcut.a *.o
	@cd $(BUILD)/suitcase && $(CC) -std=c11 -O2 $(WARN) -Werror -Itapcut -o example example.c libtapcut.a -lz -lm
	@echo "suitcase: infer/ compiles alone: $$(size -t $(BUILD)/suitcase/libtapcut.a | awk 'END { print $$1 }') bytes of code"

## make check-headers      each header compiles alone
headers = find core data train infer convert tools tests -name '*.h' \
	! -name op_list.h ! -name kernel_list.h ! -path core/kernels/kernel.h
check-headers:
	@for h in $$($(headers)); do \
		echo "#include \"$$h\"" | $(CC) $(CSTD) $(WARN) -I. -fsyntax-only -xc - || exit 1; done; echo "check-headers: ok"

## make check-layers       includes point one way; each outside library is known to one file
# infer includes nothing of ours, core itself, the others downwards.
may_include = if grep -rnE '^\#include "[a-z_]+/' $(1) | grep -vE '\#include "($(2))/'; then exit 1; fi
check-layers:
	@$(call may_include,infer,infer)
	@$(call may_include,core,core)
	@$(call may_include,data,data|core|infer)
	@$(call may_include,convert,convert|core|infer)
	@$(call may_include,train,train|data|convert|core|infer)
	@if grep -rlE '<(cblas|dlfcn|png|jpeglib|cjson/cJSON|mpi|sqlite3)\.h>' $(LAYERS) tools | \
		grep -vE '^(core/blas|data/codecs/(jpeg|png|profile)|train/config/json|train/ranks_mpi|train/sweep/sqlite)\.c$$'; then exit 1; fi
	@echo "check-layers: ok"

# --- the rest ----------------------------------------------------------------------------------------------------------

## make deps [MPI=1]       installs what the build and the tests need, where it is missing (Debian, Ubuntu)
deps:
	@MPI=$(MPI) tools/install-deps.sh

## make demo               deps, build, and two minutes of training on generated scenes
demo: deps
	@$(MAKE) --no-print-directory all
	@tools/demo.sh

## make clean              removes build/
clean:
	rm -rf $(BUILD)

## make help               this list
help:
	@sed -n 's/^## /  /p' $(filter-out %.d,$(MAKEFILE_LIST))

include infer/packaging/install.mk tests/ports/ports.mk tools/web/web.mk tools/bench/bench.mk tools/tools.mk

.PHONY: all test test-built asan repro suitcase check-headers check-layers deps demo clean help
