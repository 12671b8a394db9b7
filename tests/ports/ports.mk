# The same bytes everywhere (tests/ports/test_same_bytes.c). Part of the Makefile at the top.

# tests/ports/mask_program.c with the library, for each compiler and processor that there is a compiler for.
PORTS       = $(PLAIN)/ports
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

# Each compiler's version is part of its record.
ports_record = @tools/record.sh $@ "$$($(1) --version | sed -n 1p)" $(call quoted,$(PORT_FLAGS) $(LIB_FLAGS))
$(PORTS)/clang/flags: FORCE
	$(call ports_record,clang)
$(PORTS)/aarch64/flags: FORCE
	$(call ports_record,$(AARCH64)gcc)

$(PORTS)/native/mask_program: tests/ports/mask_program.c $(lib_objects)
	@mkdir -p $(@D)
	$(call quiet,LINK)$(CC) $(PORT_FLAGS) -o $(new) $^ -lz -lm -pthread $(done)

$(PORTS)/clang/mask_program: tests/ports/mask_program.c $(lib_parts) $(PORTS)/clang/flags
	@mkdir -p $(@D)
	$(call quiet,LINK)clang $(PORT_FLAGS) -o $(new) $(filter %.c,$^) -lz -lm -pthread $(done)

$(PORTS)/aarch64/objects/%.o: infer/%.c $(PORTS)/aarch64/flags
	@mkdir -p $(@D)
	$(call quiet,CC)$(AARCH64)gcc $(LIB_FLAGS) -I$(NO_ZLIB) $(compile)

$(PORTS)/aarch64/libtapcut.a: $(patsubst infer/%.c,$(PORTS)/aarch64/objects/%.o,$(lib_sources))
	$(call quiet,AR)$(AARCH64)ar rcs $(new) $^ $(done)

$(PORTS)/aarch64/mask_program: tests/ports/mask_program.c $(PORTS)/aarch64/libtapcut.a $(NO_ZLIB)/zlib.c
	$(call quiet,LINK)$(AARCH64)gcc $(PORT_FLAGS) -I$(NO_ZLIB) -static -o $(new) $^ -lm -pthread $(done)

$(PORTS)/wasm/mask_program: tests/ports/mask_program.c $(lib_parts) $(NO_ZLIB)/zlib.c $(PORTS)/clang/flags
	@mkdir -p $(@D)
	$(call quiet,LINK)clang --target=wasm32-wasi $(PORT_FLAGS) -I$(NO_ZLIB) -msimd128 -DTAPCUT_NO_THREADS \
		 -Wl,-z,stack-size=1048576 -o $(new) $(filter %.c,$^) -lm $(done)

$(BUILD)/tests/ports/test_same_bytes: | $(mask_programs)
$(BUILD)/tests/ports/test_npm: | $(PORTS)/native/mask_program

## make aarch64            the program of make same-bytes for 64-bit ARM, with a cross compiler
aarch64: $(PORTS)/aarch64/mask_program

## make same-bytes         the whole table of masks: every compiler and processor, emulated too: minutes
same-bytes: $(BUILD)/tests/ports/test_same_bytes
	@BUILD=$(BUILD) PORTS=$(PORTS) SAME_BYTES=all $<

# --- allocations (tests/ports/counted.h) ----------------------------------------------------------------------------

comma := ,
COUNTED_WRAPS = $(addprefix -Wl$(comma)--wrap=,malloc calloc realloc aligned_alloc free fopen fclose pthread_create \
		pthread_join uncompress2)
$(BUILD)/tests/ports/test_allocations $(BUILD)/tests/ports/test_endurance: private LDLIBS += $(COUNTED_WRAPS)

## make endurance          100,000 taps of the real model, without an allocation
endurance: $(BUILD)/tests/ports/test_endurance
	@ENDURANCE=1 $<

.PHONY: aarch64 same-bytes endurance
