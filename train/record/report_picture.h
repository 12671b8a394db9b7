/* The three pictures of a sample in the report, as data URIs. Internal to train/record/report.c. */
#ifndef TRAIN_REPORT_PICTURE_H
#define TRAIN_REPORT_PICTURE_H

#include "train/record/report.h"
#include "core/text.h"

enum report_picture_kind {
	PICTURE_CLICKS,     /* the photo with its clicks: green on the object, red off it */
	PICTURE_PREDICTION, /* the predicted mask tinted, with its outline */
	PICTURE_ERRORS,     /* missed pixels red, wrongly taken ones blue, ignored ones gray */
	PICTURE_KINDS,
};

/* Adds "data:image/png;base64,...". Large photos are reduced. */
enum status report_picture_add(struct text *html, const struct report_sample *sample, enum report_picture_kind kind);

#endif
