/* See file_kind.h. */
#include "convert/file_kind.h"

#include <stdio.h>
#include <string.h>

#define TORCH_ADVICE                                                                                                 \
	"safetensors.torch.save_file(torch.load(FILE, map_location=\"cpu\"), \"NAME.safetensors\") in Python makes " \
	"what can be read here"

enum { START_SIZE = 32 }; /* more than the longest of the magics below */

static const struct magic {
	const char *bytes;
	size_t length;
	enum file_kind kind;
	const char *description;
} magics[] = {
	{"TAPCKPT1", 8, FILE_CHECKPOINT,
	 "a checkpoint: tapcut export CHECKPOINT -o FILE makes a weights file or safetensors of it"},
	{"\x89TAPCUT\n", 8, FILE_WEIGHTS, "a weights file (.tapcut)"},
	{"PK\x03\x04", 4, FILE_TORCH, "a zip archive, as PyTorch writes .pth files: " TORCH_ADVICE},
	{"\x80\x02", 2, FILE_TORCH, "a Python pickle, as PyTorch wrote .pth files before 1.6: " TORCH_ADVICE},
	{"TAPINDX", 7, FILE_OTHER, "an index of a data set"},
	{"\x1f\x8b", 2, FILE_OTHER, "compressed by gzip: unpack it first"},
	{"<!DOCTYPE", 9, FILE_OTHER, "a web page: perhaps the download was a login or error page"},
	{"<html", 5, FILE_OTHER, "a web page: perhaps the download was a login or error page"},
	{"version https://git-lfs", 23, FILE_OTHER, "a pointer of Git LFS: git lfs pull fetches the file itself"},
	{"\x89HDF\r\n", 6, FILE_OTHER, "an HDF5 file"},
	{"\x93NUMPY", 6, FILE_OTHER, "a NumPy array"},
	{"\x89PNG", 4, FILE_OTHER, "a PNG picture"},
	{"\xff\xd8\xff", 3, FILE_OTHER, "a JPEG picture"},
	{"{", 1, FILE_OTHER, "a JSON text"},
};

static const struct magic *find(const void *data, size_t size)
{
	for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
		if (size >= magics[i].length && memcmp(data, magics[i].bytes, magics[i].length) == 0)
			return &magics[i];
	return NULL;
}

enum file_kind file_kind_of(const void *data, size_t size)
{
	const struct magic *magic = find(data, size);
	return magic ? magic->kind : FILE_UNKNOWN;
}

const char *file_kind_describe(const void *data, size_t size)
{
	const struct magic *magic = find(data, size);
	return magic ? magic->description : NULL;
}

static size_t read_start(const char *path, char start[START_SIZE])
{
	FILE *file = fopen(path, "rb");
	size_t got = file ? fread(start, 1, START_SIZE, file) : 0;
	if (file)
		fclose(file);
	return got;
}

enum file_kind file_kind_of_path(const char *path)
{
	char start[START_SIZE];
	return file_kind_of(start, read_start(path, start));
}

enum status file_kind_expect(const char *path, enum file_kind kind, const char *what)
{
	char start[START_SIZE];
	const struct magic *magic = find(start, read_start(path, start));
	if (!magic || magic->kind == kind)
		return STATUS_OK;
	return status_fail(STATUS_FORMAT, "%s: expected %s; this is %s", path, what, magic->description);
}
