# tapcut: one file, not recursive. Targets: make, make MPI=1, make test, make demo, make asan, make suitcase,
# make check-headers, make check-layers, make repro, make bench, make deps, make install, make uninstall, make size,
# make aarch64, make same-bytes.
# Outputs go to build/ (BUILD=... to choose another folder). A file dropped into a folder is built; nothing is listed by hand.

BUILD   ?= build
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
LDLIBS   = -lopenblas -lcjson -lpng -ljpeg -lz -lm -pthread

# Layers, lowest last, in link order: tools -> train -> convert, data -> core, infer.
LAYERS = train convert data core infer
tool_sources  = $(wildcard tools/*.c tools/bench/*.c)
layer_sources = $(filter-out %.inc.c core/kernels/% infer/packaging/examples/% train/ranks_mpi.c,$(wildcard $(1)/*.c $(1)/*/*.c))
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


$(BUILD)/tests/%: $(BUILD)/tests/%.o $(SUPPORT) $(ARCHIVES)
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -o $@ $(filter %.o,$^) $(ARCHIVES) -lcheck -lsubunit -lrt $(LDLIBS)

.SECONDARY:
-include $(shell test -d $(BUILD) && find $(BUILD) -name '*.d')
ifneq ($(SANITIZE),)
-include $(shell test -d build/lib && find build/lib -name '*.d')
endif

# make test T=conv2d runs the test programs whose path contains "conv2d".
# The page is built for it where that can be done.
test: deps
	@$(if $(and $(have_wasm),$(or $(if $(T),,all),$(findstring web,$(T)))),$(MAKE) --no-print-directory web)
	@$(MAKE) --no-print-directory test-built
test-built: $(BUILD)/tapcut $(if $(have_mpi),$(BUILD)/mpi/tapcut) $(if $(T),$(foreach t,$(TESTS),$(if $(findstring $(T),$(t)),$(t))),$(TESTS))
	@BUILD=$(BUILD) WEB=$(WEB) LIB=$(LIB) PORTS=$(PORTS) CC="$(CC)" tests/run.sh $(filter $(BUILD)/tests/%,$^)

# The same under AddressSanitizer and UndefinedBehaviorSanitizer.
asan:
	@$(MAKE) --no-print-directory test-built BUILD=build/asan CFLAGS="-O1 -g -fno-omit-frame-pointer" \
		SANITIZE="-fsanitize=address,undefined -fno-sanitize-recover=all" T="$(T)"

# Proof that infer/ stands alone: copied to an empty folder, it compiles with a C compiler and zlib.
# The program that is built with it is the example of infer/README.md.
suitcase:
	@rm -rf $(BUILD)/suitcase && mkdir -p $(BUILD)/suitcase && cp -r infer $(BUILD)/suitcase/tapcut
	@sed -n '/^```c$$/,/^```$$/p' infer/README.md | sed '/^```/d' >$(BUILD)/suitcase/example.c
	@cd $(BUILD)/suitcase && $(CC) -std=c11 -O2 $(WARN) -Werror -c tapcut/*/*.c && $(AR) rcs libtapcut.a *.o
	@cd $(BUILD)/suitcase && $(CC) -std=c11 -O2 $(WARN) -Werror -Itapcut -o example example.c libtapcut.a -lz -lm
	@echo "suitcase: infer/ compiles alone: $$(size -t $(BUILD)/suitcase/libtapcut.a | awk 'END { print $$1 }') bytes of code"

# Each header compiles alone.
check-headers:
	@for h in $$(find core data train infer convert tools tests -name '*.h' ! -name 'op_list.h' ! -name 'kernel_list.h' ! -path core/kernels/kernel.h); do \
		echo "#include \"$$h\"" | $(CC) $(CSTD) $(WARN) -I. -fsyntax-only -xc - || exit 1; done; echo "check-headers: ok"

# Each folder includes only what it may: infer nothing of ours, core itself, the others downwards. Each outside library is known
# to one file.
may_include = if grep -rnE '^\#include "[a-z_]+/' $(1) | grep -vE '\#include "($(2))/'; then exit 1; fi
check-layers:
	@$(call may_include,infer,infer)
	@$(call may_include,core,core)
	@$(call may_include,data,data|core|infer)
	@$(call may_include,convert,convert|core|infer)
	@$(call may_include,train,train|data|convert|core|infer)
	@if grep -rlE '<(cblas|png|jpeglib|cjson/cJSON|mpi)\.h>' $(LAYERS) tools | \
		grep -vE '^(core/blas|data/image_io|train/config/json|train/ranks_mpi)\.c$$'; then exit 1; fi
	@echo "check-layers: ok"

# --- the library for apps: make install PREFIX= DESTDIR= (infer/README.md) ---------------------------------------------

PREFIX     ?= /usr/local
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share/tapcut
LIB_CFLAGS ?= -Os
VERSION    := $(shell sed -n 's/^\#define TAPCUT_VERSION "\(.*\)"/\1/p' infer/tapcut.h)
SONAME     := libtapcut.so.$(firstword $(subst ., ,$(VERSION)))
SHARED     := libtapcut.so.$(VERSION)
# Never with a sanitizer: the asan build's tests install the plain library. Position independent, for the shared library and
# for shared libraries that take in the static one.
LIB         = $(if $(SANITIZE),build,$(BUILD))/lib
LIB_FLAGS   = $(CSTD) $(LIB_CFLAGS) $(FPFLAGS) $(WARN) -DNDEBUG -fPIC -fvisibility=hidden -pthread \
	-fno-asynchronous-unwind-tables -fno-ident -fno-merge-constants -fno-jump-tables # few symbols, relocations and sections
lib_objects = $(patsubst infer/%.c,$(LIB)/objects/%.o,$(call layer_sources,infer))
lib_headers = $(wildcard infer/tapcut*.h)

.PHONY: lib install uninstall size aarch64 same-bytes endurance
lib: $(LIB)/libtapcut.a $(LIB)/$(SHARED)

$(LIB)/objects/%.o: infer/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(LIB_FLAGS) -MMD -MP -c -o $@ $<

# Small, but for what a tap's and a photo's time goes through (measured): there it is 1.2 to 2 times as fast.
LIB_FAST    = image/resize kernels/upsample kernels/max_pool2d edit/focus
LIB_QUICK   = kernels/product_avx512 kernels/product_avx2 kernels/conv2d_u8_vnni \
	      kernels/max_pool2d_u8 kernels/upsample_u8 kernels/add_u8 image/guided # vectors written out
$(foreach f,$(LIB_FAST),$(LIB)/objects/$(f).o): LIB_CFLAGS += -O2 -ftree-vectorize
$(foreach f,$(LIB_QUICK),$(LIB)/objects/$(f).o): LIB_CFLAGS += -O2

# One object, so that the internals are hidden in the static library too and take no symbols.
$(LIB)/libtapcut.a: $(lib_objects)
	@rm -f $@
	$(call quiet,AR)$(CC) -r -nostdlib -o $(LIB)/tapcut.o $^ && objcopy --localize-hidden $(LIB)/tapcut.o && $(AR) rcs $@ $(LIB)/tapcut.o

$(LIB)/$(SHARED): $(lib_objects)
	$(call quiet,LINK)$(CC) $(LIB_FLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined -o $@ $^ -lz -lm

$(BUILD)/tests/ports/test_install: | $(LIB)/libtapcut.a $(LIB)/$(SHARED)

relative = $(shell realpath -m --relative-to=$(1) $(2))
install: lib
	@mkdir -p $(addprefix $(DESTDIR),$(INCLUDEDIR) $(DATADIR) $(LIBDIR)/pkgconfig $(LIBDIR)/cmake/tapcut)
	@install -m 644 $(lib_headers) $(DESTDIR)$(INCLUDEDIR)
	@install -m 644 infer/models/*.tapcut $(DESTDIR)$(DATADIR)
	@install -m 644 $(LIB)/libtapcut.a $(DESTDIR)$(LIBDIR)
	@install -m 755 $(LIB)/$(SHARED) $(DESTDIR)$(LIBDIR)
	@ln -sf $(SHARED) $(DESTDIR)$(LIBDIR)/$(SONAME) && ln -sf $(SONAME) $(DESTDIR)$(LIBDIR)/libtapcut.so
	@for f in tapcut.pc tapcut-config.cmake tapcut-config-version.cmake; do \
		case $$f in *.pc) folder=pkgconfig ;; *) folder=cmake/tapcut ;; esac; \
		sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@SONAME@|$(SONAME)|' -e 's|@SHARED@|$(SHARED)|' \
		    -e 's|@LIBDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(LIBDIR))|' \
		    -e 's|@INCLUDEDIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(INCLUDEDIR))|' \
		    -e 's|@DATADIR@|$(patsubst $(PREFIX)/%,$${prefix}/%,$(DATADIR))|' \
		    -e 's|@TO_INCLUDE@|$(call relative,$(LIBDIR)/cmake/tapcut,$(INCLUDEDIR))|' \
		    -e 's|@TO_DATA@|$(call relative,$(LIBDIR)/cmake/tapcut,$(DATADIR))|' \
		    infer/packaging/$$f.in >$(DESTDIR)$(LIBDIR)/$$folder/$$f || exit 1; done
	@echo "installed tapcut $(VERSION) in $(DESTDIR)$(PREFIX)"

uninstall:
	@rm -f $(addprefix $(DESTDIR)$(INCLUDEDIR)/,$(notdir $(lib_headers))) $(DESTDIR)$(LIBDIR)/pkgconfig/tapcut.pc \
		$(addprefix $(DESTDIR)$(LIBDIR)/,libtapcut.a libtapcut.so $(SONAME) $(SHARED))
	@rm -rf $(DESTDIR)$(DATADIR) $(DESTDIR)$(LIBDIR)/cmake/tapcut

# --- the same bytes everywhere (tests/ports/test_same_bytes.c) ----------------------------------------------------------

# tests/ports/mask_program.c with the library, for each compiler and processor that there is a compiler for.
PORTS       = $(dir $(LIB))ports
AARCH64     = aarch64-linux-gnu-
PORT_FLAGS  = $(CSTD) -O2 $(FPFLAGS) $(WARN) -I. -Iinfer -Wl,--wrap=infer_isa_best
# Where there is no zlib, the page's stand-in for it, which cannot unpack: the tests give the program an unpacked model.
NO_ZLIB     = tools/web/wasm/libc
have        = $(shell command -v $(1) 2>/dev/null)
no_zlib     = $(and $(wildcard $(NO_ZLIB)/zlib.c),$(call have,$(1)))
mask_programs = $(PORTS)/native/mask_program $(if $(call have,clang),$(PORTS)/clang/mask_program) \
	$(if $(call no_zlib,$(AARCH64)gcc),$(PORTS)/aarch64/mask_program) \
	$(if $(and $(call no_zlib,clang),$(wildcard /usr/include/wasm32-wasi)),$(PORTS)/wasm/mask_program)
lib_sources = $(call layer_sources,infer)
lib_parts   = $(lib_sources) $(wildcard infer/*.h infer/*/*.h infer/*/*.inc)

$(PORTS)/native/mask_program: tests/ports/mask_program.c $(lib_objects)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(PORT_FLAGS) -o $@ $^ -lz -lm -pthread

$(PORTS)/clang/mask_program: tests/ports/mask_program.c $(lib_parts) Makefile
	@mkdir -p $(@D)
	$(call quiet,LINK)clang $(PORT_FLAGS) -o $@ $(filter %.c,$^) -lz -lm -pthread

$(PORTS)/aarch64/objects/%.o: infer/%.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC)$(AARCH64)gcc $(LIB_FLAGS) -I$(NO_ZLIB) -MMD -MP -c -o $@ $<

$(PORTS)/aarch64/libtapcut.a: $(patsubst infer/%.c,$(PORTS)/aarch64/objects/%.o,$(lib_sources))
	@rm -f $@
	$(call quiet,AR)$(AARCH64)ar rcs $@ $^

$(PORTS)/aarch64/mask_program: tests/ports/mask_program.c $(PORTS)/aarch64/libtapcut.a $(NO_ZLIB)/zlib.c
	$(call quiet,LINK)$(AARCH64)gcc $(PORT_FLAGS) -I$(NO_ZLIB) -static -o $@ $^ -lm -pthread

$(PORTS)/wasm/mask_program: tests/ports/mask_program.c $(lib_parts) $(NO_ZLIB)/zlib.c Makefile
	@mkdir -p $(@D)
	$(call quiet,LINK)clang --target=wasm32-wasi $(PORT_FLAGS) -I$(NO_ZLIB) -msimd128 -DTAPCUT_NO_THREADS \
		 -Wl,-z,stack-size=1048576 -o $@ $(filter %.c,$^) -lm

$(BUILD)/tests/ports/test_same_bytes: | $(mask_programs)

aarch64: $(PORTS)/aarch64/mask_program

# The whole table at the model's own size, emulated processors and a browser too: minutes.
same-bytes: $(BUILD)/tests/ports/test_same_bytes
	@BUILD=$(BUILD) PORTS=$(PORTS) SAME_BYTES=all $<

# --- allocations (tests/ports/counted.h) --------------------------------------------------------------------------------

COUNTED_WRAPS = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc aligned_alloc free fopen fclose pthread_create pthread_join uncompress2)
comma := ,
$(BUILD)/tests/ports/test_allocations $(BUILD)/tests/ports/test_endurance: private LDLIBS += $(COUNTED_WRAPS)

# 100,000 taps of the real model, without an allocation.
endurance: $(BUILD)/tests/ports/test_endurance
	@ENDURANCE=1 $<

# Bytes of what an app carries; the libraries stripped.
size: lib
	@cp $(LIB)/libtapcut.a $(LIB)/stripped.a && strip --strip-unneeded $(LIB)/stripped.a
	@cp $(LIB)/$(SHARED) $(LIB)/stripped.so && strip --strip-unneeded $(LIB)/stripped.so
	@for f in $(LIB)/stripped.a $(LIB)/stripped.so $(wildcard infer/models/*.tapcut $(BUILD)/web/*.wasm); do \
		case $$f in *.a) name=libtapcut.a ;; *.so) name=libtapcut.so ;; *) name=$${f##*/} ;; esac; \
		printf '%9d  %s\n' $$(wc -c <$$f) $$name; done

# --- the web page (tools/web/README.md) --------------------------------------------------------------------------------

# make wasm: the inference library for a browser. make web: the page, in build/web and in build/tapcut, which then serves it.
# Never with a sanitizer; with clang and wasi-libc only, which is why make alone does not ask for it.
WEB        = $(if $(SANITIZE),build,$(BUILD))/web
WEB_OBJECTS = $(WEB)-objects
WASM_CC    = $(shell command -v clang || command -v clang-19 || command -v clang-16 || command -v clang-14)
WASM_FLAGS = --target=wasm32-wasi -std=c11 $(WASM_O) -msimd128 $(FPFLAGS) $(WARN) -DTAPCUT_NO_THREADS -Itools/web/wasm/libc -I.
WASM_LINK  = --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,-z,stack-size=1048576 -Wl,--stack-first
have_wasm  = $(and $(wildcard /usr/lib/wasm32-wasi/libc.a /usr/lib/*/wasm32-wasi/libc.a),$(WASM_CC))
wasm_sources = $(call layer_sources,infer) $(wildcard tools/web/wasm/*.c tools/web/wasm/libc/*.c)
page_sources = $(wildcard tools/web/*.html tools/web/*.css tools/web/*.js tools/web/*.svg tools/web/*.webmanifest tools/web/examples/*)
page_files = $(patsubst tools/web/%,$(WEB)/%,$(page_sources)) $(WEB)/tapcut.wasm $(WEB)/model.tapcut

wasm: $(WEB)/tapcut.wasm
	@echo "wasm: $$(wc -c <$<) bytes, $$(gzip -9c $< | wc -c) packed"
web: $(page_files) $(if $(shell command -v node),$(WEB)/tapcut.html)
	@$(MAKE) --no-print-directory all
	@echo "web: $(WEB)/index.html, or build/tapcut serve"

# The page and its module in Node and in Chromium, where these are installed.
web-test: web
	@$(MAKE) --no-print-directory test-built T=tests/web
# For web-test and bench-web, in the folder of npm-onnxruntime; both without install scripts.
npm-web:
	@mkdir -p $(NPM) && npm install --ignore-scripts --no-audit --no-fund --prefix $(NPM) playwright-core@1.65 onnxruntime-web@1.30

# The network against ONNX Runtime's for the web, one thread, in Node and in Chromium.
bench_objects = $(filter $(WEB_OBJECTS)/infer/% %/libc/zlib.o %/libc/no_files.o,$(patsubst %.c,$(WEB_OBJECTS)/%.o,$(wasm_sources)))
bench-web: web $(BUILD)/bench-web/bench.wasm
	@node tools/bench/web/bench.mjs $(BUILD)/bench-web $(MODEL)
$(BUILD)/bench-web/bench.wasm: $(bench_objects) $(WEB_OBJECTS)/tools/bench/web/module.o
	@mkdir -p $(@D)
	$(call quiet,LINK)$(WASM_CC) $(WASM_LINK) -o $@ $^

# All of it in one file, where there is Node to put it together.
$(WEB)/tapcut.html: tools/web/inline.mjs $(page_files)
	$(call quiet,PAGE)node $< $(WEB) >$@

$(WEB)/tapcut.wasm: $(patsubst %.c,$(WEB_OBJECTS)/%.o,$(wasm_sources))
	@mkdir -p $(@D)
	$(call quiet,LINK)$(WASM_CC) $(WASM_LINK) -o $@ $^
$(WEB_OBJECTS)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@test -n "$(have_wasm)" || { echo "the web page needs clang, lld, wasi-libc and libclang-rt-14-dev-wasm32" >&2; exit 1; }
	$(call quiet,WASM)$(WASM_CC) $(WASM_FLAGS) -MMD -MP -c -o $@ $<
# Small, but for what time is spent in.
WASM_O = -Os
$(WEB_OBJECTS)/infer/kernels/%.o: WASM_O = -O3
$(WEB_OBJECTS)/infer/edit/%.o $(WEB_OBJECTS)/tools/web/wasm/%.o: WASM_O = -O2
$(WEB)/model.tapcut: infer/models/base.tapcut
	@mkdir -p $(@D) && cp $< $@
$(WEB)/%: tools/web/%
	@mkdir -p $(@D) && cp $< $@

# The page in the program: where it has been built, else an empty list. Written anew only where it changes.
served = $(if $(wildcard $(WEB)/tapcut.wasm),$(page_files))
$(BUILD)/web_files.c: FORCE
	@mkdir -p $(@D)
	@tools/web/embed.sh $(WEB) $(served) >$@.new && if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi
$(BUILD)/web_files.o: $(BUILD)/web_files.c $(served) Makefile
	$(call quiet,CC)$(CC) $(ALLFLAGS) -c -o $@ $<
FORCE:
.PHONY: wasm web web-test bench-web npm-web FORCE

deps:
	@MPI=$(MPI) tools/install-deps.sh

demo: deps
	@$(MAKE) --no-print-directory all
	@tools/demo.sh

# One SHA-256 whatever the instruction set, the number of threads and of ranks, and through kill -9.
repro: all $(if $(have_mpi),$(BUILD)/mpi/tapcut)
	@TAPCUT=$(BUILD)/tapcut MPI_TAPCUT=$(BUILD)/mpi/tapcut REPRO=$(BUILD)/repro tools/repro.sh

# Speed and memory on this machine, one thread and all of them, and against PyTorch and ONNX Runtime where these are installed.
bench: all
	@$(BUILD)/tapcut bench --threads 1
	@echo
	@$(BUILD)/tapcut bench --against torch
	@echo
	@$(BUILD)/tapcut bench --against onnxruntime

# Milliseconds per tap in turns with ONNX Runtime.
bench-onnxruntime: all npm-onnxruntime
	@TAPCUT_NPM=$(NPM) $(BUILD)/tapcut bench --against onnxruntime

# ONNX Runtime for Node, against which ONNX files are tested and measured. Without the package's install script: the CPU
# library is in it. TAPCUT_NPM names another folder.
NPM ?= $(if $(TAPCUT_NPM),$(TAPCUT_NPM),build/npm)
npm-onnxruntime:
	@mkdir -p $(NPM) && npm install --ignore-scripts --no-audit --no-fund --prefix $(NPM) onnxruntime-node@1.30

clean:
	rm -rf $(BUILD)

.PHONY: all test test-built asan suitcase check-headers check-layers deps demo repro bench bench-onnxruntime npm-onnxruntime clean
