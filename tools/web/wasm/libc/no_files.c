/* The C library's printing functions can write to files; the inference library only ever prints to memory
 * (snprintf), but the linker cannot know. These take the place of the imports that writing would need, so that the
 * module needs none. */
#include <stdint.h>

enum { BAD_FILE = 8 };

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t file);
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t file, int64_t offset, int32_t whence, int32_t result);
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t file, int32_t pieces, int32_t count, int32_t result);

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t file)
{
	(void)file;
	return BAD_FILE;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t file, int64_t offset, int32_t whence, int32_t result)
{
	(void)file, (void)offset, (void)whence, (void)result;
	return BAD_FILE;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t file, int32_t pieces, int32_t count, int32_t result)
{
	(void)file, (void)pieces, (void)count, (void)result;
	return BAD_FILE;
}
