/* Records of simulated first clicks: a set of objects expanded to many interactions, as Deep Interactive Object
 * Selection was trained (Xu, Price, Cohen, Yang & Huang, CVPR 2016): each object several times, by its three strategies
 * in turn. Training here draws its clicks anew for each sample (data/sampler.h); records are for other programs, and to
 * look at. */
#ifndef TOOLS_DATA_RECORDS_H
#define TOOLS_DATA_RECORDS_H

#include "data/dataset.h"
#include "data/sampler.h"

struct data_records {
	int count;                            /* how many in all: record i is of object i % objects */
	uint64_t seed;                        /* the same seed, the same records */
	const struct sampler_config *sampler; /* "dios": its strategies in turn; else that sampler */
	/* Filled in: */
	double positive, negative; /* clicks of a record, on average */
};

/* One JSON object a line, an object's records one after the other: its annotation's id, photo, strategy, and the clicks
 * in pixels of the photo. The file appears whole or not at all; its bytes do not depend on the processors. */
enum status data_records_write(const struct dataset *dataset, struct data_records *records, const char *path);

#endif
