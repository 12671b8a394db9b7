/* The object on a transparent background, as a PNG file. */
#ifndef TOOLS_CUTOUT_FILE_H
#define TOOLS_CUTOUT_FILE_H

#include <stdbool.h>

#include "tools/photo_file.h"

/* Photo and alpha of one size. The colours of soft edges are the object's own; `premultiplied`: times alpha. What the
 * photo itself lets through stays so, and its EXIF and resolution go with it. Made row by row, so that it takes little
 * memory beside the file's own bytes. */
enum status cutout_file_write(const char *path, const struct photo_file *photo, const struct image *alpha,
			      bool premultiplied);

#endif
