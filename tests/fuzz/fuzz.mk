# Fuzzing with libFuzzer (clang). Part of the Makefile at the top.

# The table of commands, which fuzz_options.c goes through, has the page in it.
$(BUILD)/tests/fuzz/test_fuzz_corpus: $(BUILD)/web_files.o

FUZZ         = $(PLAIN)/fuzz
FUZZ_TARGETS = $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
S           ?= 60

.PHONY: fuzz fuzz-programs

## make fuzz [T=rle] [S=60]  each target, or the one, for S seconds under clang's sanitizers; finds go to build/fuzz
# core's kernels, which read no files, are not instrumented: clang takes minutes for each. A find stays as
# build/fuzz/TARGET.found/crash-...; new inputs that reach further are collected beside it.
fuzz:
	@command -v clang >/dev/null || { echo "make fuzz needs clang (apt-get install clang)" >&2; exit 1; }
	@$(MAKE) --no-print-directory fuzz-programs BUILD=$(FUZZ) PLAIN=$(PLAIN) CC=clang \
		CFLAGS="-O1 -g1 -fno-omit-frame-pointer" \
		SANITIZE="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" T="$(T)" \
		$(foreach i,$(ISAS),ISA_FLAGS_$(i)="$(strip $(ISA_FLAGS_$(i)) -fno-sanitize=all)")
	@for t in $(or $(T),$(FUZZ_TARGETS)); do \
		mkdir -p $(FUZZ)/$$t.found $(FUZZ)/$$t.corpus; \
		$(FUZZ)/tests/fuzz/fuzz_$$t -max_total_time=$(S) -rss_limit_mb=4096 -timeout=20 -print_final_stats=1 \
			-artifact_prefix=$(FUZZ)/$$t.found/ $(FUZZ)/$$t.corpus tests/fuzz/corpus/$$t \
			>$(FUZZ)/$$t.log 2>&1 || failed="$$failed $$t"; \
		printf '%-12s %s\n' $$t "$$(sed -n 's/^stat::number_of_executed_units: */executions /p; \
			s/.* cov: \([0-9]*\) .*/\1/p' $(FUZZ)/$$t.log | tail -2 | paste -sd ' ')"; \
	done; [ -z "$$failed" ] || { echo "found something: $$failed (build/fuzz/TARGET.log)"; exit 1; }

fuzz-programs: $(patsubst %,$(BUILD)/tests/fuzz/fuzz_%,$(or $(T),$(FUZZ_TARGETS)))
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o $(BUILD)/web_files.o $(BUILD)/libtools.a $(ARCHIVES)
	$(call quiet,LINK)$(CC) $(ALLFLAGS) -fsanitize=fuzzer -o $(new) $(filter %.o,$^) $(BUILD)/libtools.a \
		$(ARCHIVES) $(LDLIBS) $(done)
