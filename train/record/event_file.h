/* Scalars for TensorBoard: an event file beside the log, with "train.tensorboard": true.
 *
 * A record is the length of its data (8 bytes), a masked CRC-32C of these 8, the data, a masked CRC-32C of the data;
 * the data are a protobuf Event: wall_time, step, and either file_version "brain.Event:2" or a Summary of one Value,
 * tag and simple_value. Numbers lowest byte first. Sources: tensorflow/core/lib/io/record_writer.h and
 * tensorflow/core/util/event.proto. */
#ifndef TRAIN_EVENT_FILE_H
#define TRAIN_EVENT_FILE_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

struct event_file {
	FILE *file; /* NULL: none is written */
	char path[1100];
};

/* DIR/events.out.tfevents.tapcut, anew: who goes on with a run writes again what its log holds. */
enum status event_file_open(struct event_file *events, const char *dir);
/* One scalar; one that is not finite is left out. Nothing where no file is open. */
enum status event_file_add(struct event_file *events, uint64_t step, const char *tag, double value);
/* To the file what is not there yet, so that TensorBoard sees it. */
enum status event_file_flush(struct event_file *events);
/* Allowed twice, and on what is zeroed. */
void event_file_close(struct event_file *events);

/* CRC-32C (Castagnoli), and as records have it: turned right by 15 bits, plus 0xa282ead8. */
uint32_t event_crc32c(const void *data, size_t size);
uint32_t event_masked_crc32c(const void *data, size_t size);

#endif
