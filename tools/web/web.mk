# The web page (tools/web/README.md). Part of the Makefile at the top.

# Never with a sanitizer; with clang and wasi-libc only, which is why make alone does not ask for it.
WEB        = $(PLAIN)/web
WEB_OBJECTS = $(WEB)-objects
WASM_CC    = $(shell command -v clang || command -v clang-19 || command -v clang-16 || command -v clang-14)
WASM_FLAGS = --target=wasm32-wasi -std=c11 $(WASM_O) -msimd128 $(FPFLAGS) $(WARN) -DTAPCUT_NO_THREADS \
	     -Itools/web/wasm/libc -I.
WASM_LINK  = --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,-z,stack-size=1048576 -Wl,--stack-first
have_wasm  = $(and $(wildcard /usr/lib/wasm32-wasi/libc.a /usr/lib/*/wasm32-wasi/libc.a),$(WASM_CC))
wasm_sources = $(call layer_sources,infer) $(wildcard tools/web/wasm/*.c tools/web/wasm/libc/*.c)
page_sources = $(wildcard $(addprefix tools/web/,*.html *.css *.js *.svg *.webmanifest examples/*))
page_files = $(patsubst tools/web/%,$(WEB)/%,$(page_sources)) $(WEB)/tapcut.wasm $(WEB)/model.tapcut

## make wasm               the inference library for a browser
wasm: $(WEB)/tapcut.wasm
	@echo "wasm: $$(wc -c <$<) bytes, $$(gzip -9c $< | wc -c) packed"
## make web                the page, in build/web and in build/tapcut, which then serves it
web: $(page_files) $(if $(shell command -v node),$(WEB)/tapcut.html)
	@$(MAKE) --no-print-directory all
	@echo "web: $(WEB)/index.html, or build/tapcut serve"

## make web-test           the page and its module in Node and in Chromium, where these are installed
web-test: web
	@$(MAKE) --no-print-directory test-built T=tests/web

## make npm-package        the engine for apps, build/npm-package/tapcut-VERSION.tgz: needs Node with npm, no network
npm-package: $(WEB)/tapcut.wasm
	@node infer/packaging/npm/build_package.mjs $< infer/models/base.tapcut $(VERSION) LICENSE $(PLAIN)/npm-package

# All of it in one file, where there is Node to put it together.
$(WEB)/tapcut.html: tools/web/inline.mjs $(page_files)
	$(call quiet,PAGE)node $< $(WEB) >$(new) $(done)

$(WEB)/tapcut.wasm: $(patsubst %.c,$(WEB_OBJECTS)/%.o,$(wasm_sources))
	@mkdir -p $(@D)
	$(call quiet,LINK)$(WASM_CC) $(WASM_LINK) -o $(new) $^ $(done)
$(WEB_OBJECTS)/flags: FORCE
	@test -n "$(have_wasm)" || \
		{ echo "the web page needs clang, lld, wasi-libc and libclang-rt-14-dev-wasm32" >&2; exit 1; }
	@tools/record.sh $@ "$$($(WASM_CC) --version | sed -n 1p)" $(call quoted,$(WASM_CC) $(WASM_FLAGS))
$(WEB_OBJECTS)/%.o: %.c $(WEB_OBJECTS)/flags
	@mkdir -p $(@D)
	$(call quiet,WASM)$(WASM_CC) $(WASM_FLAGS) $(compile)
# Small, but for what time is spent in.
WASM_O = -Os
$(WEB_OBJECTS)/infer/kernels/%.o: private WASM_O = -O3
$(WEB_OBJECTS)/infer/edit/%.o $(WEB_OBJECTS)/tools/web/wasm/%.o: private WASM_O = -O2
$(WEB)/model.tapcut: infer/models/base.tapcut
	@mkdir -p $(@D) && cp $< $(new) $(done)
$(WEB)/%: tools/web/%
	@mkdir -p $(@D) && cp $< $(new) $(done)

# The page in the program: where it has been built, else an empty list. Written anew only where it changes.
served = $(if $(wildcard $(WEB)/tapcut.wasm),$(page_files))
$(BUILD)/web_files.c: FORCE
	@mkdir -p $(@D)
	@tools/web/embed.sh $(WEB) $(served) >$(new) && if cmp -s $(new) $@; then rm $(new); else mv -f $(new) $@; fi
$(BUILD)/web_files.o: $(BUILD)/web_files.c $(served) $(BUILD)/flags
	$(call quiet,CC)$(CC) $(ALLFLAGS) $(compile)
.PHONY: wasm web web-test npm-package
