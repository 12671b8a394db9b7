/* See event_file.h. */
#include "train/record/event_file.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "core/bytes.h"

enum { MAX_TAG = 60, MAX_EVENT = 128 };

/* Bit by bit: a record has some forty bytes. */
uint32_t event_crc32c(const void *data, size_t size)
{
	const unsigned char *bytes = data;
	uint32_t crc = 0xffffffffu;
	for (size_t i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82f63b78u : 0);
	}
	return ~crc;
}

uint32_t event_masked_crc32c(const void *data, size_t size)
{
	uint32_t crc = event_crc32c(data, size);
	return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

/* --- protobuf ------------------------------------------------------------- */

struct message {
	unsigned char bytes[MAX_EVENT];
	size_t size;
};

static void add_varint(struct message *m, uint64_t number)
{
	for (; number >= 0x80; number >>= 7)
		m->bytes[m->size++] = (unsigned char)(number | 0x80);
	m->bytes[m->size++] = (unsigned char)number;
}

/* Wire types: 0 varint, 1 eight bytes, 2 bytes with their length, 5 four bytes. */
static void add_key(struct message *m, unsigned field, unsigned type)
{
	add_varint(m, field << 3 | type);
}

static void add_bytes(struct message *m, unsigned field, const void *bytes, size_t size)
{
	add_key(m, field, 2);
	add_varint(m, size);
	memcpy(m->bytes + m->size, bytes, size);
	m->size += size;
}

static void add_wall_time(struct message *m)
{
	struct timespec now;
	uint64_t bits;
	clock_gettime(CLOCK_REALTIME, &now);
	double seconds = (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
	memcpy(&bits, &seconds, sizeof bits);
	add_key(m, 1, 1);
	bytes_store(m->bytes + m->size, bits, 8);
	m->size += 8;
}

static void add_scalar(struct message *event, const char *tag, float number)
{
	struct message value = {.size = 0}, summary = {.size = 0};
	add_bytes(&value, 1, tag, strlen(tag));
	add_key(&value, 2, 5);
	bytes_store_float(value.bytes + value.size, number);
	value.size += 4;
	add_bytes(&summary, 1, value.bytes, value.size);
	add_bytes(event, 5, summary.bytes, summary.size);
}

/* --- records -------------------------------------------------------------- */

static enum status write_record(struct event_file *events, const struct message *m)
{
	unsigned char record[8 + 4 + MAX_EVENT + 4];
	bytes_store(record, m->size, 8);
	bytes_store(record + 8, event_masked_crc32c(record, 8), 4);
	memcpy(record + 12, m->bytes, m->size);
	bytes_store(record + 12 + m->size, event_masked_crc32c(m->bytes, m->size), 4);
	if (fwrite(record, 1, m->size + 16, events->file) != m->size + 16)
		return status_fail(STATUS_IO, "%s cannot be written", events->path);
	return STATUS_OK;
}

enum status event_file_open(struct event_file *events, const char *dir)
{
	static const char version[] = "brain.Event:2";
	struct message m = {.size = 0};
	*events = (struct event_file){.file = NULL};
	snprintf(events->path, sizeof events->path, "%.1050s/events.out.tfevents.tapcut", dir);
	if (!(events->file = fopen(events->path, "wb")))
		return status_fail(STATUS_IO, "%s cannot be opened for writing", events->path);
	add_wall_time(&m);
	add_bytes(&m, 3, version, sizeof version - 1);
	return write_record(events, &m);
}

enum status event_file_add(struct event_file *events, uint64_t step, const char *tag, double value)
{
	struct message m = {.size = 0};
	if (!events->file || !isfinite(value) || strlen(tag) > MAX_TAG)
		return STATUS_OK;
	add_wall_time(&m);
	add_key(&m, 2, 0);
	add_varint(&m, step);
	add_scalar(&m, tag, (float)value);
	return write_record(events, &m);
}

enum status event_file_flush(struct event_file *events)
{
	if (events->file && fflush(events->file) != 0)
		return status_fail(STATUS_IO, "%s cannot be written", events->path);
	return STATUS_OK;
}

void event_file_close(struct event_file *events)
{
	if (events->file)
		fclose(events->file);
	events->file = NULL;
}
