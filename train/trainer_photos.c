/* The photos of a run with several ranks: each has read those of its own slots. */
#include <stdlib.h>

#include "train/trainer_parts.h"

/* What a rank tells rank 0 of a photo. */
struct seen_photo {
	uint8_t used, digest[32];
};

static enum status receive_photos(struct trainer *trainer, struct seen_photo *seen)
{
	size_t bytes = (size_t)trainer->train.photo_count * sizeof *seen;
	enum status status = STATUS_OK;
	for (int rank = 1; rank < trainer->ranks->count; rank++) {
		trainer->ranks->receive(trainer->ranks, rank, seen, bytes);
		for (int i = 0; i < trainer->train.photo_count && status == STATUS_OK; i++)
			if (seen[i].used && !photo_digests_expect(trainer->photos, i, seen[i].digest))
				status = status_fail(STATUS_FORMAT,
						     "photo %s is another file on rank %d than on a rank before it",
						     trainer->train.photos[i].file_name, rank);
	}
	return status;
}

/* Each rank has read the photos of its own slots. Rank 0 notes them all, and finds one that is not the same for all. */
enum status trainer_share_photos(struct trainer *trainer)
{
	int count = trainer->train.photo_count;
	if (trainer->ranks->count == 1)
		return STATUS_OK;
	struct seen_photo *seen = calloc((size_t)count + 1, sizeof *seen);
	TRY(ranks_agree(trainer->ranks, seen ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "no memory for photos")));
	enum status status = STATUS_OK;
	for (int i = 0; i < count && !trainer_leads(trainer); i++)
		seen[i].used = photo_digests_get(trainer->photos, i, seen[i].digest);
	if (trainer_leads(trainer))
		status = receive_photos(trainer, seen);
	else
		trainer->ranks->send(trainer->ranks, 0, seen, (size_t)count * sizeof *seen);
	free(seen);
	return ranks_agree(trainer->ranks, status);
}

/* Rank 0 has all photos' digests but has not read those of other ranks: are they the files that it would read? */
enum status trainer_check_foreign_photos(struct trainer *trainer)
{
	uint8_t digest[32];
	for (int i = 0; i < trainer->train.photo_count && trainer->ranks->count > 1; i++)
		if (photo_digests_get(trainer->photos, i, digest) && !photo_digests_was_read(trainer->photos, i))
			TRY(dataset_check_photo(&trainer->train, i));
	return STATUS_OK;
}
