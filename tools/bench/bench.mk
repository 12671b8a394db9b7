# Speed and memory, also beside other libraries. Part of the Makefile at the top.

## make bench              speed and memory here, one thread and all, against PyTorch and ONNX Runtime where installed
bench: all
	@$(BUILD)/tapcut bench --threads 1
	@echo
	@$(BUILD)/tapcut bench --against torch
	@echo
	@$(BUILD)/tapcut bench --against onnxruntime

## make bench-onnxruntime  milliseconds per tap in turns with ONNX Runtime, which it installs (npm-onnxruntime)
bench-onnxruntime: all npm-onnxruntime
	@TAPCUT_NPM=$(NPM) $(BUILD)/tapcut bench --against onnxruntime

# ONNX Runtime for Node, against which ONNX files are tested and measured. Without the package's install script: the CPU
# library is in it. TAPCUT_NPM names another folder.
NPM ?= $(if $(TAPCUT_NPM),$(TAPCUT_NPM),$(PLAIN)/npm)
# One folder, one npm at a time: two at once break what the other one is writing.
npm_install = mkdir -p $(NPM) && $(if $(shell command -v flock),flock $(NPM)/lock) \
	npm install --ignore-scripts --no-audit --no-fund --prefix $(NPM)
npm-onnxruntime:
	@$(npm_install) onnxruntime-node@1.30

# For web-test, test_npm and bench-web, in the folder of npm-onnxruntime; all without install scripts.
npm-web:
	@$(npm_install) playwright-core@1.65 onnxruntime-web@1.30 typescript@5.9

## make bench-web          the network against ONNX Runtime's for the web (make npm-web), in Node and in Chromium
bench_objects = $(filter $(WEB_OBJECTS)/infer/% %/libc/zlib.o %/libc/no_files.o,\
		$(patsubst %.c,$(WEB_OBJECTS)/%.o,$(wasm_sources)))
bench-web: web $(BUILD)/bench-web/bench.wasm
	@node tools/bench/web/bench.mjs $(BUILD)/bench-web $(MODEL)
$(BUILD)/bench-web/bench.wasm: $(bench_objects) $(WEB_OBJECTS)/tools/bench/web/module.o
	@mkdir -p $(@D)
	$(call quiet,LINK)$(WASM_CC) $(WASM_LINK) -o $(new) $^ $(done)

.PHONY: bench bench-onnxruntime bench-web npm-onnxruntime npm-web
