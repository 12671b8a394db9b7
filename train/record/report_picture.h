/* A sample for the report, and its three pictures as data URIs. */
#ifndef TRAIN_REPORT_PICTURE_H
#define TRAIN_REPORT_PICTURE_H

#include <stdint.h>

#include "core/text.h"
#include "data/click.h"
#include "data/image.h"

struct report_sample {
	char name[96];
	struct image photo;   /* RGB; borrowed */
	const uint8_t *pred;  /* photo's size; non-zero = object; borrowed */
	const uint8_t *truth; /* photo's size; TRUTH_* of data/robot.h; borrowed */
	struct click_list clicks;
	float iou;
};

enum report_picture_kind {
	PICTURE_CLICKS,     /* the photo with its clicks: green on the object, red off it */
	PICTURE_PREDICTION, /* the predicted mask tinted, with its outline */
	PICTURE_ERRORS,     /* missed pixels red, wrongly taken ones blue, ignored ones gray */
	PICTURE_KINDS,
};

/* Adds "data:image/png;base64,...". Large photos are reduced. */
enum status report_picture_add(struct text *html, const struct report_sample *sample, enum report_picture_kind kind);

#endif
