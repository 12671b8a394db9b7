/* A main for a fuzz target without libFuzzer: runs it on the files of the command line, to look at a crash with any
 * compiler and debugger.
 *
 *	gcc -g -fsanitize=address,undefined -std=c11 -D_POSIX_C_SOURCE=200809L -I. \
 *		tests/fuzz/replay.c tests/fuzz/fuzz_rle.c \
 *		data/[a-z]*.c core/[a-z]*.c -lpng -ljpeg -lz -lm -ldl -pthread -o replay && ./replay FILE...
 *
 * To fuzz: make fuzz T=rle S=60 (fuzz.mk).
 *
 * What it finds goes to tests/fuzz/corpus/TARGET, made small (-minimize_crash=1), with the fix; make test replays the
 * corpus. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/atomic_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		char *data;
		size_t size;
		if (file_read(argv[i], (size_t)1 << 30, &data, &size) != STATUS_OK) {
			fprintf(stderr, "%s\n", status_message());
			return 1;
		}
		printf("%s\n", argv[i]);
		fflush(stdout);
		LLVMFuzzerTestOneInput((const uint8_t *)data, size);
		free(data);
	}
	return 0;
}
