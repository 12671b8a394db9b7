# tapcut: one make for the whole tree, not recursive; `make help` lists the targets. The default builds build/tapcut.
# Outputs go to build/ (BUILD=... to choose another folder). A file dropped into a folder is built; nothing is listed.
# Parts: infer/packaging/install.mk (the libraries and make install), tests/ports/ports.mk (the same bytes everywhere),
# infer/packaging/gimp/gimp.mk (the plug-in), tools/web/web.mk (the page), tools/bench/bench.mk (speed).

.DEFAULT_GOAL := all
BUILD   ?= build
ifneq ($(words $(BUILD)),1)
$(error BUILD: expected a folder whose name has no space (GNU make cannot have targets there), found "$(BUILD)")
endif
# What is never built with a sanitizer lies here: in a build with one (make asan) this is the folder of the other build.
PLAIN   := $(BUILD)
# One job per processor unless -j says otherwise; V=1 shows the commands.
ifeq ($(MAKELEVEL)$(filter -j% --jobs%,$(MAKEFLAGS)),0)
MAKEFLAGS += --jobs=$(shell nproc 2>/dev/null || echo 1)
endif
quiet    = $(if $(V),,@printf '  %-4s %s\n' $(1) $@;)
quoted   = '$(subst ','\'',$(1))'
# A file gets a name of its process's own until it is whole: two makes at once in one folder never see half of one.
new      = $@.$$$$
done     = && mv -f $(new) $@ || { rm -rf $(new)*; exit 1; }

asked_CC := $(if $(filter default,$(origin CC)),,$(call quoted,$(CC)))

# The compiler and the libraries of this machine (tools/configure.sh). What they are is part of every record below.
ifneq ($(filter-out help clean deps demo test,$(or $(MAKECMDGOALS),all)),)
$(shell CC=$(asked_CC) tools/configure.sh write $(BUILD)/config.mk)
include $(BUILD)/config.mk
endif
ifeq ($(origin CC),default) # make predefines cc
CC       = $(or $(CONFIG_CC),gcc)
endif
CSTD     = -std=c11 -D_POSIX_C_SOURCE=200809L
# No contraction and no fast-math: a + b * c must mean the same on every machine (core/README.md).
FPFLAGS  = -ffp-contract=off -fno-math-errno -fno-trapping-math
WARN     = -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wvla \
	   -Werror=implicit-function-declaration -Werror=int-conversion -Werror=incompatible-pointer-types
CFLAGS  ?= -O3 -g
ALLFLAGS = $(CSTD) $(CFLAGS) $(FPFLAGS) $(WARN) $(SANITIZE) -I. $(CONFIG_CFLAGS) -pthread
LDLIBS   = $(CONFIG_LIBS) -lm -ldl -pthread

# Layers, lowest last, in link order: tools -> train -> convert, data -> core, infer.
LAYERS = train convert data core infer
tool_sources  = $(wildcard tools/*.c tools/bench/*.c)
other_sources = %.inc.c core/kernels/% infer/packaging/examples/% core/examples/% train/ranks_mpi.c
layer_sources = $(filter-out $(other_sources),$(wildcard $(1)/*.c $(1)/*/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(1))

# Kernels are compiled once per instruction set and chosen at run time (core/kernels/README.md).
ISAS     = generic $(if $(findstring x86_64,$(CONFIG_MACHINE)),avx2 avx512)
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
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -o $(new) $(filter %.o,$^) $(ARCHIVES) $(LDLIBS) $(done)

$(BUILD)/mpi/tapcut: $(call objects,$(tool_sources) train/ranks_mpi.c) $(BUILD)/web_files.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(MPICC) $(ALLFLAGS) -o $(new) $(filter %.o,$^) $(ARCHIVES) $(LDLIBS) $(done)

define archive_rule
$(BUILD)/lib$(1).a: $(call objects,$(call layer_sources,$(1))) $(if $(filter core,$(1)),$(kernel_objects))
	$$(call quiet,AR)$$(AR) rcs $$(new) $$^ $$(done)
endef
$(foreach l,$(LAYERS),$(eval $(call archive_rule,$(l))))

# The assembler takes in the files of the page, which no .d file names.
$(BUILD)/train/sweep/page.o: $(wildcard train/sweep/page/*)

# How objects are compiled, recorded: they are made anew when the compiler, a library or a flag is another one.
needs    = $(if $(1),CC=$(call quoted,$(CC)) tools/configure.sh missing >&2; \
	   echo "tapcut cannot be built without these: make deps" >&2; exit 1)
$(BUILD)/flags: FORCE
	@$(call needs,$(CONFIG_MISSING))
	@tools/record.sh $@ $(call quoted,$(CONFIG_COMPILER)) $(call quoted,$(CC) $(ALLFLAGS)) \
		'$(CONFIG_HEADERS)' '$(foreach i,$(ISAS),$(ISA_FLAGS_$(i)))'
$(BUILD)/tests/flags: FORCE
	@$(call needs,$(filter missing,$(CONFIG_TEST_LIBS)))
	@tools/record.sh $@ '$(CONFIG_TEST_CFLAGS)'

# -MMD -MP: the compiler writes which headers an object was made from, and a phony target for each so that deleting one
# is no error.
compile  = -MMD -MP -MT $@ -MF $(new).dep -c -o $(new) $< && mv -f $(new).dep $(@:.o=.d) $(done)
$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALLFLAGS) $(compile)

$(BUILD)/tests/%.o: tests/%.c $(BUILD)/flags $(BUILD)/tests/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(ALLFLAGS) $(CONFIG_TEST_CFLAGS) $(compile)

$(BUILD)/train/ranks_mpi.o: train/ranks_mpi.c $(BUILD)/flags
	@mkdir -p $(@D)
	@command -v mpicc >/dev/null || { echo "MPI=1 needs mpicc: make deps MPI=1 installs Open MPI" >&2; exit 1; }
	$(call quiet,CC)$(MPICC) $(ALLFLAGS) $(compile)

define kernel_rule
$(BUILD)/core/kernels/%.$(1).o: core/kernels/%.c $(BUILD)/flags
	@mkdir -p $$(@D)
	$$(call quiet,CC)$$(CC) $$(ALLFLAGS) $$(ISA_FLAGS_$(1)) -DKERNEL_ISA=$(1) $$(compile)
endef
$(foreach i,$(ISAS),$(eval $(call kernel_rule,$(i))))

# The program's own parts, for their tests: everything of tools but main.
$(BUILD)/libtools.a: $(filter-out $(BUILD)/tools/tapcut.o,$(call objects,$(tool_sources)))
	$(call quiet,AR)$(AR) rcs $(new) $^ $(done)

$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(BUILD)/libtools.a $(ARCHIVES)
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -o $(new) $(filter %.o,$^) $(BUILD)/libtools.a $(ARCHIVES) \
		$(CONFIG_TEST_LIBS) $(LDLIBS) $(done)

FORCE:
.SECONDARY:
-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
ifneq ($(PLAIN),$(BUILD))
-include $(shell test -d $(PLAIN)/lib && find $(PLAIN)/lib -name '*.d')
endif

# --- test and check -------------------------------------------------------------------------------------------------

## make test [T=conv2d]    all tests, or the test programs whose path contains "conv2d"; installs what is missing
# The page is built for it where that can be done.
test: deps
	@$(if $(and $(have_wasm),$(or $(if $(T),,all),$(findstring web,$(T)))),$(MAKE) --no-print-directory web)
	@$(MAKE) --no-print-directory test-built
## make test-built [T=]    the same, and installs nothing
chosen_tests = $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$(t)),$(t))),$(filter-out $(LEAVE_OUT),$(TESTS)))
test-built: $(BUILD)/tapcut $(if $(have_mpi),$(BUILD)/mpi/tapcut) $(chosen_tests)
	@BUILD=$(BUILD) PLAIN=$(PLAIN) WEB=$(WEB) PORTS=$(PORTS) TAPCUT_NPM=$(NPM) CC="$(CC)" \
		tests/run.sh $(filter $(BUILD)/tests/%,$^)

## make asan [T=]          the tests under AddressSanitizer and UndefinedBehaviorSanitizer
# Without T all but those that train again and again through the program, or install things: minutes each, and the code
# that they run is run by the others too.
slow_in_asan = $(BUILD)/tests/setup/% $(foreach t,gimp install jni npm python,$(BUILD)/tests/ports/test_$t) \
	$(foreach t,activation reproduce runs sweep train usage,$(BUILD)/tests/cli/test_$t)
asan:
	@$(MAKE) --no-print-directory test-built BUILD=$(BUILD)/asan PLAIN=$(BUILD) \
		CFLAGS="-O1 -g1 -fno-omit-frame-pointer" T="$(T)" \
		LEAVE_OUT="$(slow_in_asan:$(BUILD)/%=$(BUILD)/asan/%)" \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all"

## make mutants [M=word]   puts plausible bugs in, one at a time: do the tests notice? M: only those with the word
mutants:
	@MUTANTS=$(BUILD)/mutants/main tests/mutants/run.sh

## make repro-sweep        one table and SHA-256 per trial of a sweep, killed ten times, 1 to 3 workers and Slurm
repro-sweep: all
	@TAPCUT=$(BUILD)/tapcut REPRO=$(BUILD)/repro-sweep tools/repro_sweep.sh

## make repro              one SHA-256 of weights for all instruction sets, threads and ranks, and through kill -9
repro: all $(if $(have_mpi),$(BUILD)/mpi/tapcut)
	@TAPCUT=$(BUILD)/tapcut MPI_TAPCUT=$(BUILD)/mpi/tapcut REPRO=$(BUILD)/repro tools/repro.sh

## make suitcase           infer/ alone, copied to an empty folder, compiles with a C compiler and zlib
# The program that is built with it is the example of infer/README.md.
suitcase:
	@mkdir -p $(BUILD) && d=$$(mktemp -d $(BUILD)/suitcase.XXXXXX) && trap "rm -rf \"$$PWD/$$d\"" EXIT && \
	cp -r infer $$d/tapcut && \
	sed -n '/^```c$$/,/^```$$/p' infer/README.md | sed '/^```/d' >$$d/example.c && cd $$d && \
	$(CC) -std=c11 -O2 $(WARN) -Werror -c tapcut/*/*.c && $(AR) rcs libtapcut.a *.o && \
	$(CC) -std=c11 -O2 $(WARN) -Werror -Itapcut -o example example.c libtapcut.a -lz -lm && \
	echo "suitcase: infer/ compiles alone: $$(size -t libtapcut.a | awk 'END { print $$1 }') bytes of code"

## make check-headers      each header compiles alone
headers = find core data train infer convert tools tests -name '*.h' \
	! -name '*_list.h' ! -path core/kernels/kernel.h
check-headers:
	@for h in $$($(headers)); do \
		echo "#include \"$$h\"" | $(CC) $(CSTD) $(WARN) -I. -fsyntax-only -xc - || exit 1; done
	@echo "check-headers: ok"

## make check-layers       includes point one way and in no circle; each outside library is known to one file
# infer includes nothing of ours, core itself, the others downwards.
may_include = if grep -rnE '^\#include "[a-z_]+/' $(1) | grep -vE '\#include "($(2))/'; then exit 1; fi
outside_headers = cblas|dlfcn|png|jpeglib|lcms2|webp/[a-z]+|cjson/cJSON|mpi|sqlite3
outside_files   = core/blas|data/codecs/(jpeg|png|profile|webp)|train/(config/json|ranks_mpi|sweep/sqlite)
check-layers:
	@$(call may_include,infer,infer)
	@$(call may_include,core,core)
	@$(call may_include,data,data|core|infer)
	@$(call may_include,convert,convert|core|infer)
	@$(call may_include,train,train|data|convert|core|infer)
	@if grep -rlE --include='*.[ch]' '<($(outside_headers))\.h>' $(LAYERS) tools | \
		grep -vE '^($(outside_files))\.c$$'; then exit 1; fi
	@tools/check_circles.sh >/dev/null
	@echo "check-layers: ok"

## make check-style        layout by clang-format 14, lines up to 120 columns, functions up to 40 lines
check-style:
	@tools/check_style.sh

# --- the rest -------------------------------------------------------------------------------------------------------

## make deps [MPI=1]       installs what the build and the tests need, where it is missing (Debian, Ubuntu)
deps:
	@MPI='$(MPI)' CC=$(asked_CC) tools/install-deps.sh

## make reproduce          trains a tiny network again from its committed manifest and compares the bytes
reproduce: all
	@test -f $(BUILD)/reproduce/scenes/instances.json || \
		$(BUILD)/tapcut scenes --out $(BUILD)/reproduce/scenes --count 24 --seed 3 --width 160 --height 120
	$(BUILD)/tapcut reproduce tests/golden/tiny_manifest.json \
		--set data.train=$(BUILD)/reproduce/scenes/instances.json

## make demo               deps, build, and two minutes of training on generated scenes
demo:
	@CC=$(asked_CC) tools/install-deps.sh build
	@$(MAKE) --no-print-directory all
	@TAPCUT=$(BUILD)/tapcut DEMO='$(or $(DEMO),$(if $(filter build,$(BUILD)),demo,$(BUILD)/demo))' tools/demo.sh

## make clean              removes build/
clean:
	rm -rf $(BUILD)

## make help               this list
help:
	@sed -n 's/^## /  /p' $(filter-out %.d,$(MAKEFILE_LIST))

include infer/packaging/install.mk infer/packaging/gimp/gimp.mk tests/ports/ports.mk tests/fuzz/fuzz.mk \
	tools/web/web.mk tools/bench/bench.mk tools/tools.mk

.PHONY: FORCE all test test-built asan mutants repro repro-sweep reproduce suitcase check-headers check-layers
.PHONY: check-style deps demo clean help
