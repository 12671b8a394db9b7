/* A photo that is cut out or edited: its pixels as the network sees them, what it lets through, and what it says of
 * itself. */
#ifndef TOOLS_PHOTO_FILE_H
#define TOOLS_PHOTO_FILE_H

#include <stdbool.h>

#include "data/image.h"
#include "data/image_facts.h"

struct photo_file {
	struct image rgb;      /* turned upright, sRGB; where the photo is not opaque, laid on white */
	struct image straight; /* the colours that were laid on white; no pixels where the photo is opaque */
	struct image alpha;    /* 255: opaque; no pixels where the photo is opaque everywhere */
	struct image_metadata metadata;
	struct image_facts facts;
};

/* The caller releases it, also after a failure. */
enum status photo_file_read(const char *path, struct photo_file *photo);
void photo_file_release(struct photo_file *photo);

/* Says on standard output what the file that is made cannot hold: 16 bits, and, for a JPEG, transparency. */
void photo_file_tell_losses(const struct photo_file *photo, bool keeps_alpha);

/* The colours as the file has them: what is edited, and cut out, where the result keeps the photo's alpha. */
const struct image *photo_file_colours(const struct photo_file *photo);

/* The photo's name without folder and ending, then `ending`: "dir/a.b.jpg" and "-cutout.png" give "a.b-cutout.png". */
void photo_file_derive_name(const char *photo, const char *ending, char *name, size_t size);

/* All pictures of it become what lies in the box. */
void photo_file_crop(struct photo_file *photo, struct image_box box);

#endif
