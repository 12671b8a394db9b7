/* DIR/photos.csv: index, SHA-256 and name of each photo that a run was trained on, written with each checkpoint and
 * read when the run goes on. */
#ifndef TRAIN_PHOTO_RECORD_H
#define TRAIN_PHOTO_RECORD_H

#include "data/dataset.h"
#include "data/photo_digests.h"

/* Written atomically. */
enum status photo_record_write(const struct photo_digests *digests, const struct dataset *dataset, const char *dir);
/* A folder without the file (a run of an older version) is no failure; nothing is expected then. */
enum status photo_record_read(struct photo_digests *digests, const struct dataset *dataset, const char *dir);

#endif
