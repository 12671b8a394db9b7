/* JPEG in and out through libjpeg-turbo, which reports errors by longjmp, wants sizes checked by the caller and decodes
 * damaged files with a shrug. All state is in a struct, because locals that change between setjmp and longjmp are lost.
 *
 * The library's warnings are of two kinds. Those that leave every pixel as the encoder meant it (stray bytes between
 * markers, an odd JFIF version, a missing end marker) are counted, as every viewer shows such photos without a word.
 * Those after which pixels are made up (a bad Huffman code, data that end before the last row) are errors. */
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

#include "data/codecs/codecs.h"

enum {
	/* A progressive JPEG of 500 empty scans costs minutes (vendor's advice: cap them). Encoders write about 10. */
	JPEG_MAX_SCANS = 120,
	/* A Huffman-coded block of 64 pixels takes at least one bit: fewer bytes than pixels / 512 cannot be the
	 * whole picture. */
	JPEG_MAX_PIXELS_PER_BYTE = 512,
	XMP_MARKER = JPEG_APP0 + 1,
	ICC_MARKER = JPEG_APP0 + 2,
	/* What a segment holds beside its own length. */
	JPEG_SEGMENT = 65533,
	/* density_unit of a JFIF segment. */
	JFIF_INCH = 1,
	JFIF_CENTIMETRE = 2,
};

/* --- in ------------------------------------------------------------------- */

struct jpeg_errors {
	struct jpeg_error_mgr manager; /* first: the library's pointer is ours */
	jmp_buf escape;
	const char *name;
	enum status status;
	struct image_facts *facts; /* where harmless warnings are counted; NULL when writing */
	bool ended_early;          /* the file stopped before its end marker */
};

static void jpeg_fail(j_common_ptr info)
{
	struct jpeg_errors *errors = (struct jpeg_errors *)info->err;
	char text[JMSG_LENGTH_MAX];
	errors->manager.format_message(info, text);
	enum status code = errors->manager.msg_code == JERR_OUT_OF_MEMORY ? STATUS_NO_MEMORY : STATUS_FORMAT;
	errors->status = status_fail(code, "%s: JPEG: %s", errors->name, text);
	longjmp(errors->escape, 1);
}

/* Whether every pixel is as the encoder meant it although the library warns. JWRN_JPEG_EOF alone is harmless: where
 * the missing bytes held pixels, JWRN_HIT_MARKER follows, or jpeg_check_end finds the gap. */
static bool warning_is_harmless(int code)
{
	return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_JPEG_EOF ||
	       code == JWRN_ADOBE_XFORM || code == JWRN_BOGUS_ICC || code == JWRN_NOT_SEQUENTIAL;
}

/* Warnings have level -1; traces (level >= 0) are dropped. */
static void jpeg_message(j_common_ptr info, int level)
{
	struct jpeg_errors *errors = (struct jpeg_errors *)info->err;
	char text[JMSG_LENGTH_MAX];
	if (level >= 0)
		return;
	if (!errors->facts || !warning_is_harmless(errors->manager.msg_code))
		jpeg_fail(info);
	errors->ended_early |= errors->manager.msg_code == JWRN_JPEG_EOF;
	errors->manager.format_message(info, text);
	facts_warn(errors->facts, text);
}

static void jpeg_errors_init(struct jpeg_errors *errors, const char *name)
{
	jpeg_std_error(&errors->manager);
	errors->manager.error_exit = jpeg_fail;
	errors->manager.emit_message = jpeg_message;
	errors->name = name;
	errors->status = STATUS_OK;
}

struct jpeg_reader {
	struct jpeg_decompress_struct info;
	struct jpeg_errors errors;
	struct jpeg_progress_mgr progress;
	size_t size;
	int channels;
	bool component_seen[MAX_COMPONENTS];
	struct decoded *decoded;
};

static void jpeg_scan_progress(j_common_ptr common)
{
	j_decompress_ptr info = (j_decompress_ptr)common;
	struct jpeg_errors *errors = (struct jpeg_errors *)info->err;
	struct jpeg_reader *reader = info->client_data;
	for (int i = 0; i < info->comps_in_scan; i++)
		reader->component_seen[info->cur_comp_info[i]->component_index] = true;
	if (info->input_scan_number <= JPEG_MAX_SCANS)
		return;
	errors->status = status_fail(STATUS_LIMIT, "%s: JPEG: more than %d scans", errors->name, JPEG_MAX_SCANS);
	longjmp(errors->escape, 1);
}

static const char exif_name[6] = "Exif\0"; /* how the segment begins that EXIF lies in */

/* EXIF says it, else XMP. The first EXIF is kept. */
static enum status jpeg_find_orientation(const struct jpeg_reader *reader)
{
	static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
	struct image_metadata *metadata = &reader->decoded->metadata;
	int from_exif = 0, from_xmp = 0;
	for (const struct jpeg_marker_struct *m = reader->info.marker_list; m; m = m->next) {
		if (m->marker != XMP_MARKER)
			continue;
		size_t size = m->data_length - sizeof exif_name;
		if (m->data_length >= sizeof exif_name && memcmp(m->data, exif_name, sizeof exif_name) == 0) {
			if (!from_exif)
				from_exif = tiff_orientation(m->data + sizeof exif_name, size);
			if (!metadata->exif)
				TRY(exif_keep(reader->decoded, m->data + sizeof exif_name, size, reader->errors.name));
		} else if (!from_xmp && m->data_length >= sizeof xmp && memcmp(m->data, xmp, sizeof xmp) == 0)
			from_xmp = xmp_orientation(m->data + sizeof xmp, m->data_length - sizeof xmp);
	}
	reader->decoded->orientation = from_exif ? from_exif : from_xmp ? from_xmp : 1;
	return STATUS_OK;
}

/* JFIF's resolution, in pixels per metre. */
static void jpeg_find_resolution(struct jpeg_reader *reader)
{
	const struct jpeg_decompress_struct *info = &reader->info;
	double metre = info->density_unit == JFIF_INCH ? 1 / 0.0254 : info->density_unit == JFIF_CENTIMETRE ? 100 : 0;
	reader->decoded->metadata.per_metre_x = (uint32_t)(info->X_density * metre + 0.5);
	reader->decoded->metadata.per_metre_y = (uint32_t)(info->Y_density * metre + 0.5);
}

static void jpeg_find_profile(struct jpeg_reader *reader)
{
	JOCTET *data;
	unsigned size;
	if (!jpeg_read_icc_profile(&reader->info, &data, &size))
		return;
	reader->decoded->profile = data;
	reader->decoded->profile_size = size;
}

/* Asks the library for the channels wanted; CMYK and YCCK it can only give as CMYK. */
static void jpeg_choose_output(struct jpeg_reader *reader)
{
	struct jpeg_decompress_struct *info = &reader->info;
	info->dct_method = JDCT_ISLOW; /* the only one that is the same on every machine */
	if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK) {
		info->out_color_space = JCS_CMYK;
		reader->decoded->native = info->saw_Adobe_marker ? NATIVE_CMYK_INVERTED : NATIVE_CMYK;
	} else if (reader->channels == 1) {
		info->out_color_space = JCS_GRAYSCALE;
		reader->decoded->native = NATIVE_GRAY;
	} else {
		info->out_color_space = reader->channels == 4 ? JCS_EXT_RGBA : JCS_RGB;
		reader->decoded->native = reader->channels == 4 ? NATIVE_RGBA : NATIVE_RGB;
	}
}

static enum status jpeg_check_header(const struct jpeg_reader *reader)
{
	const struct jpeg_decompress_struct *info = &reader->info;
	TRY(check_declared_size(reader->errors.name, info->image_width, info->image_height));
	uint64_t pixels = (uint64_t)info->image_width * info->image_height;
	if (!info->arith_code && pixels / JPEG_MAX_PIXELS_PER_BYTE > reader->size)
		return status_fail(STATUS_FORMAT, "%s: JPEG: %zu bytes cannot hold %u x %u pixels", reader->errors.name,
				   reader->size, info->image_width, info->image_height);
	return STATUS_OK;
}

/* A file without its end marker may lack whole scans, of which the library says nothing: a component that no scan
 * brought, coefficients that were never refined to their last bit, or, with arithmetic coding, anything at all. */
static bool jpeg_is_whole(const struct jpeg_reader *reader)
{
	const struct jpeg_decompress_struct *info = &reader->info;
	bool whole = !info->arith_code;
	for (int c = 0; c < info->num_components && whole; c++) {
		whole = reader->component_seen[c];
		for (int k = 0; info->progressive_mode && info->coef_bits && k < DCTSIZE2; k++)
			whole = whole && info->coef_bits[c][k] == 0;
	}
	return whole;
}

static enum status jpeg_read_rows(struct jpeg_reader *reader)
{
	struct jpeg_decompress_struct *info = &reader->info;
	struct decoded *decoded = reader->decoded;
	size_t stride = (size_t)info->output_width * (size_t)native_channels[decoded->native];
	decoded->pixels = malloc(stride * info->output_height);
	if (!decoded->pixels)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for %u x %u pixels", reader->errors.name,
				   info->output_width, info->output_height);
	while (info->output_scanline < info->output_height) {
		JSAMPROW row = decoded->pixels + stride * info->output_scanline;
		jpeg_read_scanlines(info, &row, 1);
	}
	return STATUS_OK;
}

static enum status jpeg_read_all(struct jpeg_reader *reader, const void *data)
{
	struct jpeg_decompress_struct *info = &reader->info;
	if (setjmp(reader->errors.escape))
		return reader->errors.status;
	jpeg_create_decompress(info);
	info->client_data = reader;
	info->progress = &reader->progress;
	jpeg_mem_src(info, data, reader->size);
	jpeg_save_markers(info, XMP_MARKER, 0xffff);
	jpeg_save_markers(info, ICC_MARKER, 0xffff);
	jpeg_read_header(info, TRUE);
	TRY(jpeg_check_header(reader));
	TRY(jpeg_find_orientation(reader));
	jpeg_find_resolution(reader);
	jpeg_find_profile(reader);
	jpeg_choose_output(reader);
	jpeg_start_decompress(info);
	TRY(jpeg_read_rows(reader));
	bool whole = jpeg_is_whole(reader); /* asked now: the library forgets when it finishes */
	jpeg_finish_decompress(info); /* reads up to the end marker, where a file that ends early still may warn */
	return whole || !reader->errors.ended_early
		       ? STATUS_OK
		       : status_fail(STATUS_FORMAT, "%s: JPEG: the file ends before the picture is complete",
				     reader->errors.name);
}

enum status jpeg_decode(const void *data, size_t size, const char *name, int channels, struct decoded *decoded)
{
	struct jpeg_reader reader = {.size = size, .channels = channels, .decoded = decoded};
	jpeg_errors_init(&reader.errors, name);
	reader.errors.facts = &decoded->facts;
	reader.info.err = &reader.errors.manager;
	reader.progress.progress_monitor = jpeg_scan_progress;
	enum status status = jpeg_read_all(&reader, data);
	decoded->width = (int)reader.info.image_width;
	decoded->height = (int)reader.info.image_height;
	jpeg_destroy_decompress(&reader.info);
	return status;
}

/* --- out ------------------------------------------------------------------ */

struct jpeg_writer {
	struct jpeg_compress_struct info;
	struct jpeg_errors errors;
	struct jpeg_destination_mgr destination;
	struct bytes *bytes;
};

enum { JPEG_CHUNK = 16384 };

/* Our own destination, because jpeg_mem_dest loses its buffer when an allocation fails. The library fills a chunk at
 * the end of `bytes`; `info.client_data` leads back to the writer. */
static void jpeg_open_chunk(j_compress_ptr info)
{
	struct jpeg_writer *writer = info->client_data;
	if (!bytes_reserve(writer->bytes, JPEG_CHUNK))
		ERREXIT1(info, JERR_OUT_OF_MEMORY, 0);
	info->dest->next_output_byte = writer->bytes->data + writer->bytes->size;
	info->dest->free_in_buffer = JPEG_CHUNK;
}

static boolean jpeg_next_chunk(j_compress_ptr info)
{
	((struct jpeg_writer *)info->client_data)->bytes->size += JPEG_CHUNK;
	jpeg_open_chunk(info);
	return TRUE;
}

static void jpeg_close_chunk(j_compress_ptr info)
{
	((struct jpeg_writer *)info->client_data)->bytes->size += JPEG_CHUNK - info->dest->free_in_buffer;
}

/* EXIF has a segment for itself; one that does not fit is left out. */
static void jpeg_write_exif(j_compress_ptr info, const struct image_metadata *metadata)
{
	size_t size = sizeof exif_name + metadata->exif_size;
	if (!metadata->exif || size > JPEG_SEGMENT)
		return;
	jpeg_write_m_header(info, XMP_MARKER, (unsigned)size);
	for (size_t i = 0; i < sizeof exif_name; i++)
		jpeg_write_m_byte(info, exif_name[i]);
	for (size_t i = 0; i < metadata->exif_size; i++)
		jpeg_write_m_byte(info, metadata->exif[i]);
}

static void jpeg_set_resolution(j_compress_ptr info, const struct image_metadata *metadata)
{
	double x = metadata->per_metre_x * 0.0254 + 0.5, y = metadata->per_metre_y * 0.0254 + 0.5;
	if (x < 1 || y < 1 || x >= 65536 || y >= 65536)
		return;
	info->density_unit = JFIF_INCH;
	info->X_density = (UINT16)x;
	info->Y_density = (UINT16)y;
}

static enum status jpeg_write_pixels(struct jpeg_writer *writer, const struct image *image, int quality,
				     const struct image_metadata *metadata)
{
	struct jpeg_compress_struct *info = &writer->info;
	if (setjmp(writer->errors.escape))
		return writer->errors.status;
	jpeg_create_compress(info);
	info->client_data = writer;
	info->dest = &writer->destination;
	info->image_width = (JDIMENSION)image->width;
	info->image_height = (JDIMENSION)image->height;
	info->input_components = image->channels;
	info->in_color_space = image->channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
	jpeg_set_defaults(info);
	jpeg_set_quality(info, quality, TRUE);
	info->dct_method = JDCT_ISLOW;
	if (metadata)
		jpeg_set_resolution(info, metadata);
	jpeg_start_compress(info, TRUE);
	if (metadata)
		jpeg_write_exif(info, metadata);
	size_t stride = (size_t)image->width * (size_t)image->channels;
	while (info->next_scanline < info->image_height) {
		JSAMPROW row = image->pixels + stride * info->next_scanline;
		jpeg_write_scanlines(info, &row, 1);
	}
	jpeg_finish_compress(info);
	return STATUS_OK;
}

enum status jpeg_encode(const struct image *image, int quality, const struct image_metadata *metadata, const char *name,
			struct bytes *bytes)
{
	if (image->channels != 1 && image->channels != 3)
		return status_fail(STATUS_FORMAT, "%s: JPEG: %d channels, expected 1 or 3", name, image->channels);
	struct jpeg_writer writer = {.bytes = bytes};
	jpeg_errors_init(&writer.errors, name);
	writer.info.err = &writer.errors.manager;
	writer.destination.init_destination = jpeg_open_chunk;
	writer.destination.empty_output_buffer = jpeg_next_chunk;
	writer.destination.term_destination = jpeg_close_chunk;
	enum status status = jpeg_write_pixels(&writer, image, quality, metadata);
	jpeg_destroy_compress(&writer.info);
	return status;
}
