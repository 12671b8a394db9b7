/* An index: a dataset as its filter left it, in one binary file that opens in a fraction of the time the JSON takes.
 * It is made by `tapcut data JSON --index FILE` and named wherever an instances JSON may be named (dataset_open tells
 * them apart); a filter given then applies to what the index holds. It records the JSON's path, size and time, and
 * refuses to open when that file is there but has changed. The photo folder is looked for from the index's own
 * folder first, so that both may be moved together.
 *
 * Layout, little-endian; a text is u32 length and bytes:
 *	"TAPINDX3" ("TAPINDX2", of earlier versions, has no way to the photo folder, "TAPINDX1" no sources either)
 *	text JSON path, u64 size, i64 seconds, u32 nanoseconds
 *	text photo folder, text way to it from the index's folder
 *	u32 x 10 skip counters in the order of struct dataset_skips, text first reason; 32 bytes digest
 *	u32 categories, u32 photos, u32 objects, u32 sources
 *	categories: i32 id, text name
 *	sources: text name
 *	photos: i64 id, u32 width, u32 height, u32 objects, text file name; ids ascend
 *	objects, those of the first photo first: i64 id, i32 category, u32 source (0: none), text RLE string
 *	u32 CRC-32 of all before it */
#ifndef DATA_INDEX_H
#define DATA_INDEX_H

#include <stdbool.h>

#include "data/dataset.h"

/* True if the file begins as an index does. */
bool index_is_one(const char *path);
/* `json_path`: what `dataset` was opened from. */
enum status index_write(const struct dataset *dataset, const char *json_path, const char *path);
/* Everything in the file is checked before it is believed. On failure *dataset is zeroed. */
enum status index_read(struct dataset *dataset, const char *path);
enum status index_read_memory(struct dataset *dataset, const void *data, size_t size, const char *name);

#endif
