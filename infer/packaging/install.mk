# The library for apps, its installation and its size (infer/README.md). Part of the Makefile at the top.

PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBDIR     ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR    ?= $(PREFIX)/share/tapcut
MANDIR     ?= $(PREFIX)/share/man
BASHDIR    ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR     ?= $(PREFIX)/share/zsh/site-functions
LIB_CFLAGS ?= -Os
VERSION    := $(shell sed -n 's/^\#define TAPCUT_VERSION "\(.*\)"/\1/p' infer/tapcut.h)
# Before version 1 the second number changes with the binary interface, as the first does from then on.
numbers    := $(subst ., ,$(VERSION))
SONAME     := libtapcut.so.$(firstword $(numbers))$(if $(filter 0,$(firstword $(numbers))),.$(word 2,$(numbers)))
SHARED     := libtapcut.so.$(VERSION)
# Never with a sanitizer: the asan build's tests install the plain library. Position independent, for the shared library
# and for shared libraries that take in the static one. Few symbols, relocations and sections.
LIB         = $(PLAIN)/lib
LIB_FLAGS   = $(CSTD) $(LIB_CFLAGS) $(FPFLAGS) $(WARN) -DNDEBUG -fPIC -fvisibility=hidden -pthread \
	-fno-asynchronous-unwind-tables -fno-ident -fno-merge-constants -fno-jump-tables -fno-caller-saves \
	-falign-functions=1 -falign-jumps=1
lib_objects = $(patsubst infer/%.c,$(LIB)/objects/%.o,$(call layer_sources,infer))
lib_headers = $(wildcard infer/tapcut*.h)

.PHONY: lib install install-lib uninstall size wheel

## make lib                libtapcut.a and libtapcut.so, in build/lib
lib: $(LIB)/libtapcut.a $(LIB)/$(SHARED)

# Small, but for what a tap's and a photo's time goes through (measured): there it is 1.2 to 2 times as fast.
# Vectors without a second loop for the last pixels and a first one up to a boundary: 1 kB less, the same time.
LIB_VECTOR  = -ftree-vectorize -falign-loops=1 --param=vect-epilogues-nomask=0 \
	      --param=vect-max-peeling-for-alignment=0
LIB_FAST    = image/resize kernels/upsample kernels/max_pool2d edit/focus
LIB_QUICK   = kernels/product_avx512 kernels/product_avx2 kernels/conv2d_u8_vnni \
	      kernels/max_pool2d_u8 kernels/upsample_u8 kernels/add_u8 image/guided # vectors written out
$(foreach f,$(LIB_FAST),$(LIB)/objects/$(f).o): private LIB_CFLAGS += -O2 $(LIB_VECTOR)
$(foreach f,$(LIB_QUICK),$(LIB)/objects/$(f).o): private LIB_CFLAGS += -O2
$(foreach f,image/guided edit/focus,$(LIB)/objects/$(f).o): private LIB_CFLAGS += -fno-tree-pre

$(LIB)/flags: FORCE
	@tools/record.sh $@ '$(CONFIG_COMPILER)' \
		$(call quoted,$(CC) $(LIB_FLAGS) $(LIB_FAST) $(LIB_VECTOR) $(LIB_QUICK))
$(LIB)/objects/%.o: infer/%.c $(LIB)/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(CC) $(LIB_FLAGS) $(compile)

# One object, so that the internals are hidden in the static library too and take no symbols.
$(LIB)/libtapcut.a: $(lib_objects)
	$(call quiet,AR)mkdir $(new).dir && $(CC) -r -nostdlib -o $(new).dir/tapcut.o $^ && \
		objcopy --localize-hidden $(new).dir/tapcut.o && $(AR) rcs $(new) $(new).dir/tapcut.o && \
		rm -r $(new).dir $(done)

$(LIB)/$(SHARED): $(lib_objects)
	$(call quiet,LINK)$(CC) $(LIB_FLAGS) -shared -Wl,-soname,$(SONAME) -Wl,--no-undefined -o $(new) $^ \
		-lz -lm $(done)

$(BUILD)/tests/ports/test_install $(BUILD)/tests/ports/test_python: | $(LIB)/libtapcut.a $(LIB)/$(SHARED)

## make install            program, libtapcut, libtapcut-core: PREFIX=/usr/local DESTDIR= BINDIR= LIBDIR= and so on
## make install-lib        libtapcut alone, for apps: needs a C compiler and zlib
## make uninstall          removes what they install; with the same folders
# install.sh has the list. Folders reach it through the environment, so that they may have spaces.
$(foreach v,PREFIX BINDIR LIBDIR INCLUDEDIR DATADIR MANDIR BASHDIR ZSHDIR DESTDIR,\
	$(eval install uninstall install-lib: export $(v) = $(value $(v))))
install_files = BUILD=$(BUILD) LIB=$(LIB) VERSION=$(VERSION) SONAME=$(SONAME) SHARED=$(SHARED) \
		infer/packaging/install.sh
install: all lib
	@$(install_files) install program inference core_library
install-lib: lib
	@$(install_files) install inference
uninstall:
	@$(install_files) uninstall program inference core_library

## make wheel              the Python package, build/python/tapcut-VERSION-...whl: needs python3, no network
WHEEL_PYTHON ?= python3
wheel: $(LIB)/$(SHARED)
	@mkdir -p $(BUILD)/python && cp $(LIB)/$(SHARED) $(BUILD)/python/libtapcut.so && \
		strip --strip-unneeded $(BUILD)/python/libtapcut.so
	@$(WHEEL_PYTHON) infer/packaging/python/build_wheel.py $(BUILD)/python/libtapcut.so infer/models/base.tapcut \
		$(VERSION) LICENSE $(BUILD)/python

## make size               bytes of what an app carries; the libraries stripped
size: lib
	@strip --strip-unneeded -o $(LIB)/stripped.a $(LIB)/libtapcut.a
	@strip --strip-unneeded -o $(LIB)/stripped.so $(LIB)/$(SHARED)
	@for f in $(LIB)/stripped.a $(LIB)/stripped.so $(wildcard infer/models/*.tapcut $(BUILD)/web/*.wasm); do \
		case $$f in *.a) name=libtapcut.a ;; *.so) name=libtapcut.so ;; *) name=$${f##*/} ;; esac; \
		printf '%9d  %s\n' $$(wc -c <$$f) $$name; done
