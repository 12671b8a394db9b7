/* How a dataset is made: a builder takes photos, categories and annotations as a reader of annotations hands them out,
 * judges each object once by a filter, and keeps what passes; then it sorts, drops photos without objects and computes
 * the digest. Memory is that of the photos and of the kept objects' runs. For data/dataset_open.c. */
#ifndef DATA_DATASET_BUILDER_H
#define DATA_DATASET_BUILDER_H

#include "core/status.h"
#include "data/coco.h"
#include "data/dataset.h"

struct dataset_builder;

/* Returned, dataset_builder_free frees; NULL when memory is out. `dataset` (zeroed; filled on the way) and `path` (for
 * messages) are borrowed, the filter's names too; `filter` NULL takes all. */
struct dataset_builder *dataset_builder_new(struct dataset *dataset, const char *path,
					    const struct dataset_filter *filter);
void dataset_builder_free(struct dataset_builder *builder);

/* Either this: takes records. The photos lie in the first of the `count` folders that holds any of them, else none
 * is found; the dataset's image_dir becomes that folder, or the first. After the last record call
 * dataset_builder_finish. */
enum status dataset_builder_begin(struct dataset_builder *builder, const char *const *folders, int count,
				  struct coco_visitor *visitor);
/* Or this: the dataset is filled already and sorted (it was made with some filter, which `filter` now narrows). */
enum status dataset_builder_narrow(struct dataset_builder *builder);

/* Sorts and completes the dataset. */
enum status dataset_builder_finish(struct dataset_builder *builder);

#endif
