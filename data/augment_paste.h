/* Copy and paste: an object cut out of its photo and put onto another (Dwibedi, Misra & Hebert, "Cut, paste and learn",
 * ICCV 2017; Ghiasi et al., "Simple copy-paste", CVPR 2021). Private to data/augment*.c. */
#ifndef DATA_AUGMENT_PASTE_H
#define DATA_AUGMENT_PASTE_H

#include "data/augment_source.h"
#include "data/sample.h"

/* `sample` holds the crop of `front` with its truth. What is not the object becomes the crop of `back`, in which other
 * objects are those of its photo. The seam is feathered over about two pixels, just within the object so that nothing
 * of the old background shows, and the object's brightness moves half of the way to its new surroundings'. An object of
 * which less than `least` pixels would be left stays where it is. */
enum status augment_paste(const struct source *front, const struct crop *crop, const struct source *back,
			  const struct crop *back_crop, int least, struct sample *sample);

#endif
