/* Pictures in and out: every kind of file converts to what was asked, orientation follows the policy, and no damaged
 * file gets through or brings the program down. The test writes its own files, with the codecs directly where ours
 * writes no such kind. */
#include "data/image_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

#include "tests/support/test.h"

static const struct image_read_options as_rgb = {.channels = 3, .exif = EXIF_IGNORE};
static const struct image_read_options as_gray = {.channels = 1, .exif = EXIF_IGNORE};
static const struct image_read_options as_rgba = {.channels = 4, .exif = EXIF_IGNORE};

struct file {
	unsigned char *data;
	size_t size;
};

static uint32_t noise_state;

static uint32_t noise(void)
{
	noise_state = noise_state * 1664525u + 1013904223u;
	return noise_state >> 8;
}

/* Smooth in x and y, so that JPEG keeps it within a few steps. */
static struct image test_card(int w, int h, int channels)
{
	struct image image;
	ck_assert_int_eq(image_alloc(&image, w, h, channels), STATUS_OK);
	for (int y = 0; y < h; y++)
		for (int x = 0; x < w; x++)
			for (int c = 0; c < channels; c++)
				image.pixels[(y * w + x) * channels + c] =
					(uint8_t)(20 + 200 * (c % 2 ? y : x) / (c % 2 ? h : w) + 10 * c);
	return image;
}

static enum status read_file(struct file file, const struct image_read_options *options, struct image *image)
{
	return image_read_memory(file.data, file.size, "test.file", options, image);
}

/* The file must fail, leave nothing, and name itself. */
static void expect_refused(struct file file, enum status status)
{
	struct image image = {.width = 5};
	/* An exact copy on the heap: reading beyond the end shows under AddressSanitizer. */
	struct file copy = {malloc(file.size + !file.size), file.size};
	if (file.size)
		memcpy(copy.data, file.data, file.size);
	enum status got = read_file(copy, &as_rgb, &image);
	ck_assert_msg(got != STATUS_OK, "%zu bytes of damaged file were read", file.size);
	if (status != STATUS_OK)
		ck_assert_msg(got == status, "status %d: %s", got, status_message());
	ck_assert_msg(strstr(status_message(), "test.file"), "message without name: %s", status_message());
	ck_assert_ptr_null(image.pixels);
	ck_assert_int_eq(image.width, 0);
	free(copy.data);
}

static struct file encoded_png(const struct image *image)
{
	struct file file;
	ck_assert_int_eq(image_encode_png(image, &file.data, &file.size), STATUS_OK);
	return file;
}

/* A JPEG of a kind that image_write_jpeg does not write. */
struct jpeg_kind {
	J_COLOR_SPACE in, stored;
	bool adobe, progressive;
	int repeated_scans; /* > 0: two scans, for copying the last */
};

static struct file encoded_jpeg(const struct image *image, struct jpeg_kind kind)
{
	static const jpeg_scan_info scans[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
	struct jpeg_compress_struct info;
	struct jpeg_error_mgr errors;
	struct file file = {0};
	unsigned long size = 0;
	info.err = jpeg_std_error(&errors);
	jpeg_create_compress(&info);
	jpeg_mem_dest(&info, &file.data, &size);
	info.image_width = (JDIMENSION)image->width;
	info.image_height = (JDIMENSION)image->height;
	info.input_components = image->channels;
	info.in_color_space = kind.in;
	jpeg_set_defaults(&info);
	jpeg_set_colorspace(&info, kind.stored);
	jpeg_set_quality(&info, 95, TRUE);
	if (!kind.adobe)
		info.write_Adobe_marker = FALSE;
	if (kind.progressive)
		jpeg_simple_progression(&info);
	if (kind.repeated_scans) {
		info.scan_info = scans;
		info.num_scans = 2;
	}
	jpeg_start_compress(&info, TRUE);
	while (info.next_scanline < info.image_height) {
		JSAMPROW row = image->pixels + (size_t)info.next_scanline * (size_t)(image->width * image->channels);
		jpeg_write_scanlines(&info, &row, 1);
	}
	jpeg_finish_compress(&info);
	jpeg_destroy_compress(&info);
	file.size = size;
	return file;
}

static const struct jpeg_kind plain_jpeg = {.in = JCS_RGB, .stored = JCS_YCbCr};

static void assert_near(const struct image *a, const struct image *b, int tolerance)
{
	ck_assert_int_eq(a->width, b->width);
	ck_assert_int_eq(a->height, b->height);
	ck_assert_int_eq(a->channels, b->channels);
	for (int i = 0; i < a->width * a->height * a->channels; i++)
		if (abs(a->pixels[i] - b->pixels[i]) > tolerance) /* assertions are slow */
			ck_abort_msg("sample %d: %d and %d", i, a->pixels[i], b->pixels[i]);
}

/* --- kinds of files ------------------------------------------------------- */

START_TEST(png_round_trip)
{
	static const int channels[] = {1, 3, 4};
	const char *dir = test_tmp_dir("image_io");
	char path[1200];
	snprintf(path, sizeof path, "%s/a.png", dir);
	noise_state = 1;
	for (int i = 0; i < 3; i++) {
		struct image image, back;
		ck_assert_int_eq(image_alloc(&image, 1 + 30 * i, 41, channels[i]), STATUS_OK);
		for (int p = 0; p < image.width * image.height * image.channels; p++)
			image.pixels[p] = (uint8_t)noise();
		struct image_read_options options = {.channels = channels[i], .exif = EXIF_APPLY};
		ck_assert_int_eq(image_write_png(path, &image), STATUS_OK);
		ck_assert_int_eq(image_read(path, &options, &back), STATUS_OK);
		assert_near(&image, &back, 0);
		image_release(&image), image_release(&back);
	}
}
END_TEST

START_TEST(jpeg_round_trip)
{
	const char *dir = test_tmp_dir("image_io");
	char path[1200];
	snprintf(path, sizeof path, "%s/a.jpg", dir);
	struct image image = test_card(200, 150, 3), gray = test_card(33, 65, 1), back, again;
	ck_assert_int_eq(image_write_jpeg(path, &image, 95, NULL), STATUS_OK);
	ck_assert_int_eq(image_read(path, &as_rgb, &back), STATUS_OK);
	assert_near(&image, &back, 8);
	ck_assert_int_eq(image_read(path, &as_rgba, &again), STATUS_OK);
	ck_assert_int_eq(again.channels, 4);
	ck_assert_int_eq(again.pixels[3], 255);
	ck_assert_int_eq(again.pixels[4 * 777 + 1], back.pixels[3 * 777 + 1]);
	image_release(&back), image_release(&again);
	/* Stored gray becomes three equal channels; gray asked of gray is the same numbers. */
	ck_assert_int_eq(image_write_jpeg(path, &gray, 95, NULL), STATUS_OK);
	ck_assert_int_eq(image_read(path, &as_gray, &again), STATUS_OK);
	assert_near(&gray, &again, 4);
	ck_assert_int_eq(image_read(path, &as_rgb, &back), STATUS_OK);
	ck_assert_int_eq(back.channels, 3);
	for (int i = 0; i < 33 * 65; i++)
		for (int c = 0; c < 3; c++)
			ck_assert_int_eq(back.pixels[3 * i + c], again.pixels[i]);
	image_release(&image), image_release(&gray), image_release(&back), image_release(&again);
}
END_TEST

START_TEST(jpeg_cmyk)
{
	struct image ink = test_card(64, 48, 4), expected, back;
	ck_assert_int_eq(image_alloc(&expected, 64, 48, 3), STATUS_OK);
	struct jpeg_kind kinds[] = {
		{.in = JCS_CMYK, .stored = JCS_CMYK},
		{.in = JCS_CMYK, .stored = JCS_CMYK, .adobe = true},
		{.in = JCS_CMYK, .stored = JCS_YCCK, .adobe = true},
	};
	for (int k = 0; k < 3; k++) {
		struct file file = encoded_jpeg(&ink, kinds[k]);
		for (int i = 0; i < 64 * 48; i++)
			for (int c = 0; c < 3; c++) {
				int light = ink.pixels[4 * i + c], black = ink.pixels[4 * i + 3];
				if (!kinds[k].adobe)
					light = 255 - light, black = 255 - black;
				expected.pixels[3 * i + c] = (uint8_t)((light * black + 127) / 255);
			}
		ck_assert_msg(read_file(file, &as_rgb, &back) == STATUS_OK, "%s", status_message());
		assert_near(&expected, &back, 8);
		image_release(&back);
		ck_assert_int_eq(read_file(file, &as_rgba, &back), STATUS_OK);
		ck_assert_int_eq(back.channels, 4);
		ck_assert_int_eq(back.pixels[7], 255);
		image_release(&back);
		ck_assert_int_eq(read_file(file, &as_gray, &back), STATUS_OK);
		image_release(&back);
		free(file.data);
	}
	image_release(&ink), image_release(&expected);
}
END_TEST

START_TEST(jpeg_progressive)
{
	struct image image = test_card(100, 60, 3), a, b;
	struct file baseline = encoded_jpeg(&image, plain_jpeg);
	struct file progressive =
		encoded_jpeg(&image, (struct jpeg_kind){.in = JCS_RGB, .stored = JCS_YCbCr, .progressive = true});
	ck_assert_int_eq(read_file(baseline, &as_rgb, &a), STATUS_OK);
	ck_assert_int_eq(read_file(progressive, &as_rgb, &b), STATUS_OK);
	assert_near(&a, &b, 0);
	image_release(&image), image_release(&a), image_release(&b);
	free(baseline.data), free(progressive.data);
}
END_TEST

/* Appends to a struct file; only for the png_kind writer. */
static void append(png_structp png, png_bytep data, size_t size)
{
	struct file *file = png_get_io_ptr(png);
	file->data = realloc(file->data, file->size + size);
	memcpy(file->data + file->size, data, size);
	file->size += size;
}

/* rows: the packed bytes of one row each, `stride` apart. */
static struct file encoded_png_kind(int w, int h, int depth, int type, bool interlace, bool transparent,
				    const uint8_t *rows, size_t stride)
{
	static png_color palette[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {10, 20, 30}};
	static png_byte alphas[2] = {255, 0};
	png_color_16 clear = {.gray = 1};
	struct file file = {0};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_set_write_fn(png, &file, append, NULL);
	png_set_IHDR(png, info, (png_uint_32)w, (png_uint_32)h, depth, type,
		     interlace ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
		     PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 4);
	if (transparent && type == PNG_COLOR_TYPE_PALETTE)
		png_set_tRNS(png, info, alphas, 2, NULL);
	else if (transparent)
		png_set_tRNS(png, info, NULL, 0, &clear);
	png_write_info(png, info);
	png_bytep pointers[64];
	for (int y = 0; y < h; y++)
		pointers[y] = (png_bytep)rows + (size_t)y * stride;
	png_write_image(png, pointers);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
	return file;
}

static void assert_pixel(struct file file, const struct image_read_options *options, int index, int a, int b, int c,
			 int d)
{
	int expected[4] = {a, b, c, d};
	struct image image;
	ck_assert_msg(read_file(file, options, &image) == STATUS_OK, "%s", status_message());
	ck_assert_int_eq(image.channels, options->channels);
	for (int i = 0; i < image.channels; i++)
		ck_assert_int_eq(image.pixels[index * image.channels + i], expected[i]);
	image_release(&image);
}

START_TEST(png_kinds)
{
	/* Palette of 2 bits: entries 0,1,2,3 in one byte. Entry 1 is transparent in the second file. */
	struct file file = encoded_png_kind(4, 1, 2, PNG_COLOR_TYPE_PALETTE, false, false, (uint8_t[]){0x1b}, 1);
	assert_pixel(file, &as_rgb, 1, 0, 255, 0, 0);
	assert_pixel(file, &as_rgba, 3, 10, 20, 30, 255);
	assert_pixel(file, &as_gray, 1, 150, 0, 0, 0);
	free(file.data);
	file = encoded_png_kind(4, 1, 2, PNG_COLOR_TYPE_PALETTE, false, true, (uint8_t[]){0x1b}, 1);
	assert_pixel(file, &as_rgb, 1, 255, 255, 255, 0);
	assert_pixel(file, &as_rgba, 1, 0, 255, 0, 0);
	assert_pixel(file, &as_rgb, 2, 0, 0, 255, 0);
	free(file.data);
	/* One bit of gray, interlaced; and with gray 1 = white declared transparent. */
	file = encoded_png_kind(8, 1, 1, PNG_COLOR_TYPE_GRAY, true, false, (uint8_t[]){0xa0}, 1);
	assert_pixel(file, &as_gray, 2, 255, 0, 0, 0);
	assert_pixel(file, &as_rgb, 1, 0, 0, 0, 0);
	free(file.data);
	file = encoded_png_kind(8, 1, 1, PNG_COLOR_TYPE_GRAY, false, true, (uint8_t[]){0xa0}, 1);
	assert_pixel(file, &as_rgba, 2, 255, 255, 255, 0);
	assert_pixel(file, &as_gray, 1, 0, 0, 0, 0);
	free(file.data);
	/* 16 bits, big-endian. */
	file = encoded_png_kind(1, 1, 16, PNG_COLOR_TYPE_RGB, false, false,
				(uint8_t[]){0xff, 0xff, 0x80, 0x00, 0x00, 0x00}, 6);
	assert_pixel(file, &as_rgb, 0, 255, 128, 0, 0);
	free(file.data);
	file = encoded_png_kind(1, 1, 16, PNG_COLOR_TYPE_GRAY_ALPHA, true, false, (uint8_t[]){0x40, 0x00, 0x80, 0x80},
				4);
	assert_pixel(file, &as_rgba, 0, 64, 64, 64, 128);
	assert_pixel(file, &as_rgb, 0, 159, 159, 159, 0);
	assert_pixel(file, &as_gray, 0, 159, 0, 0, 0);
	free(file.data);
}
END_TEST

START_TEST(png_interlaced_equals_plain)
{
	uint8_t rows[29 * 31 * 4];
	noise_state = 9;
	for (size_t i = 0; i < sizeof rows; i++)
		rows[i] = (uint8_t)noise();
	struct file a = encoded_png_kind(31, 29, 8, PNG_COLOR_TYPE_RGBA, false, false, rows, 31 * 4);
	struct file b = encoded_png_kind(31, 29, 8, PNG_COLOR_TYPE_RGBA, true, false, rows, 31 * 4);
	struct image x, y;
	ck_assert_int_eq(read_file(a, &as_rgba, &x), STATUS_OK);
	ck_assert_int_eq(read_file(b, &as_rgba, &y), STATUS_OK);
	ck_assert_mem_eq(x.pixels, rows, sizeof rows);
	assert_near(&x, &y, 0);
	image_release(&x), image_release(&y);
	free(a.data), free(b.data);
}
END_TEST

/* --- EXIF ----------------------------------------------------------------- */

/* A JPEG with an APP1 marker of one directory with two tags put behind its first two bytes. */
static struct file with_orientation(struct file jpeg, int value, bool big_endian)
{
	enum { SIZE = 44 };
	/* Marker and header, then a tag a row. */
	/* clang-format off */
	uint8_t little[SIZE] = {
		0xff, 0xe1, 0, SIZE - 2, 'E', 'x', 'i', 'f', 0, 0, 'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0,
		/* ImageWidth */ 0, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0,
		/* Orientation */ 0x12, 1, 3, 0, 1, 0, 0, 0, (uint8_t)value, 0, 0, 0};
	uint8_t big[SIZE] = {
		0xff, 0xe1, 0, SIZE - 2, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2,
		/* ImageWidth */ 1, 0, 0, 3, 0, 0, 0, 1, 0, 6, 0, 0,
		/* Orientation */ 1, 0x12, 0, 3, 0, 0, 0, 1, 0, (uint8_t)value, 0, 0};
	/* clang-format on */
	struct file out = {malloc(jpeg.size + SIZE), jpeg.size + SIZE};
	memcpy(out.data, jpeg.data, 2);
	memcpy(out.data + 2, big_endian ? big : little, SIZE);
	memcpy(out.data + 2 + SIZE, jpeg.data + 2, jpeg.size - 2);
	return out;
}

/* Quarters of 32 x 24: black, red / green, blue (as stored). */
static struct image quarters(void)
{
	struct image image;
	ck_assert_int_eq(image_alloc(&image, 64, 48, 3), STATUS_OK);
	for (int y = 0; y < 48; y++)
		for (int x = 0; x < 64; x++) {
			uint8_t *p = image.pixels + (y * 64 + x) * 3;
			memset(p, 0, 3);
			int quarter = 2 * (y >= 24) + (x >= 32);
			if (quarter)
				p[quarter - 1] = 255;
		}
	return image;
}

/* The four quarters as letters k r g b, in reading order. */
static void corners(const struct image *image, char text[5])
{
	for (int i = 0; i < 4; i++) {
		int x = image->width * (1 + 2 * (i % 2)) / 4, y = image->height * (1 + 2 * (i / 2)) / 4;
		const uint8_t *p = image->pixels + (y * image->width + x) * 3;
		text[i] = p[0] > 128 ? 'r' : p[1] > 128 ? 'g' : p[2] > 128 ? 'b' : 'k';
	}
	text[4] = 0;
}

START_TEST(exif_all_orientations)
{
	/* EXIF 2.3, 4.6.4: where the stored row 0 and column 0 are when displayed. 1 top-left, 2 top-right, 3
	 * bottom-right, 4 bottom-left, 5 left-top, 6 right-top, 7 right-bottom, 8 left-bottom. Stored: "krgb". */
	static const char *const displayed[] = {"krgb", "krgb", "rkbg", "bgrk", "gbkr",
						"kgrb", "gkbr", "brgk", "rbkg", "krgb"};
	struct image image = quarters(), back;
	struct file plain = encoded_jpeg(&image, plain_jpeg);
	struct image_read_options apply = {.channels = 3, .exif = EXIF_APPLY};
	for (int orientation = 0; orientation <= 9; orientation++)
		for (int big = 0; big < 2; big++) {
			char text[5];
			struct file file = with_orientation(plain, orientation, big);
			ck_assert_msg(read_file(file, &apply, &back) == STATUS_OK, "%s", status_message());
			bool swapped = orientation >= 5 && orientation <= 8;
			ck_assert_int_eq(back.width, swapped ? 48 : 64);
			ck_assert_int_eq(back.height, swapped ? 64 : 48);
			corners(&back, text);
			ck_assert_msg(strcmp(text, displayed[orientation]) == 0, "orientation %d: %s", orientation,
				      text);
			image_release(&back);
			ck_assert_int_eq(read_file(file, &as_rgb, &back), STATUS_OK);
			corners(&back, text);
			ck_assert_str_eq(text, "krgb");
			image_release(&back);
			free(file.data);
		}
	image_release(&image);
	free(plain.data);
}
END_TEST

START_TEST(exif_match)
{
	struct image image = quarters(), back;
	struct file plain = encoded_jpeg(&image, plain_jpeg), turned = with_orientation(plain, 6, false);
	struct file upside_down = with_orientation(plain, 3, true);
	struct image_read_options stored = {.channels = 3, .exif = EXIF_MATCH, .width = 64, .height = 48};
	struct image_read_options swapped = {.channels = 3, .exif = EXIF_MATCH, .width = 48, .height = 64};
	struct image_read_options other = {.channels = 3, .exif = EXIF_MATCH, .width = 65, .height = 48};
	ck_assert_int_eq(read_file(turned, &stored, &back), STATUS_OK);
	ck_assert_int_eq(back.width, 64);
	image_release(&back);
	ck_assert_int_eq(read_file(turned, &swapped, &back), STATUS_OK);
	ck_assert_int_eq(back.width, 48);
	image_release(&back);
	ck_assert_int_eq(read_file(plain, &stored, &back), STATUS_OK);
	image_release(&back);
	ck_assert_int_eq(read_file(plain, &swapped, &back), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "64 x 48"));
	ck_assert_int_eq(read_file(upside_down, &swapped, &back), STATUS_FORMAT);
	ck_assert_int_eq(read_file(turned, &other, &back), STATUS_FORMAT);
	image_release(&image);
	free(plain.data), free(turned.data), free(upside_down.data);
}
END_TEST

/* EXIF that lies about its offsets and counts must neither crash nor turn the picture. */
START_TEST(exif_damaged)
{
	struct image image = quarters(), back;
	struct file plain = encoded_jpeg(&image, plain_jpeg);
	struct image_read_options apply = {.channels = 3, .exif = EXIF_APPLY};
	for (int at = 6; at < 46; at++)
		for (int value = 0; value < 256; value += 15) {
			struct file file = with_orientation(plain, 6, at % 2);
			file.data[at] = (uint8_t)value;
			if (read_file(file, &apply, &back) == STATUS_OK)
				image_release(&back);
			free(file.data);
		}
	image_release(&image);
	free(plain.data);
}
END_TEST

/* --- damage --------------------------------------------------------------- */

START_TEST(not_pictures)
{
	expect_refused((struct file){NULL, 0}, STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "empty"));
	expect_refused((struct file){(unsigned char *)"GIF89a..........", 16}, STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "GIF"));
	expect_refused((struct file){(unsigned char *)"0123456789abcdef", 16}, STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "neither"));
	expect_refused((struct file){(unsigned char *)"\xff\xd8\xff", 3}, STATUS_FORMAT);
	expect_refused((struct file){(unsigned char *)"\x89PNG\r\n\x1a\n", 8}, STATUS_FORMAT);

	char path[1200], dir[1100];
	struct image image;
	snprintf(dir, sizeof dir, "%s", test_tmp_dir("image_io"));
	ck_assert_int_ne(image_read(dir, &as_rgb, &image), STATUS_OK);
	ck_assert_ptr_nonnull(strstr(status_message(), dir));
	snprintf(path, sizeof path, "%s/missing.jpg", dir);
	ck_assert_int_eq(image_read(path, &as_rgb, &image), STATUS_IO);
	ck_assert_ptr_nonnull(strstr(status_message(), "missing.jpg"));
	snprintf(path, sizeof path, "%s/no/such/folder.png", dir);
	image = test_card(4, 4, 3);
	ck_assert_int_eq(image_write_png(path, &image), STATUS_IO);
	ck_assert_int_eq(image_write_jpeg(path, &image, 90, NULL), STATUS_IO);
	image_release(&image);
}
END_TEST

/* A JPEG without its end marker has every pixel and is read as the whole file is; whatever is shorter is refused. */
static void expect_whole(struct file file, const struct image *whole)
{
	struct image image;
	ck_assert_msg(read_file(file, &as_rgb, &image) == STATUS_OK, "%s", status_message());
	assert_near(whole, &image, 0);
	image_release(&image);
}

START_TEST(truncated_at_every_length)
{
	enum { END_MARKER = 2, JPEG_FILES = 2 };
	struct image image = test_card(40, 30, 3);
	struct file files[] = {
		encoded_jpeg(&image, plain_jpeg),
		encoded_jpeg(&image, (struct jpeg_kind){.in = JCS_RGB, .stored = JCS_YCbCr, .progressive = true}),
		encoded_png(&image),
		encoded_png_kind(40, 10, 8, PNG_COLOR_TYPE_RGB, true, false, image.pixels, 120),
	};
	for (int i = 0; i < 4; i++) {
		struct image back;
		ck_assert_msg(read_file(files[i], &as_rgb, &back) == STATUS_OK, "%s", status_message());
		size_t pixels_end = files[i].size - (i < JPEG_FILES ? END_MARKER : 0);
		for (size_t size = 0; size < pixels_end; size++)
			expect_refused((struct file){files[i].data, size}, STATUS_FORMAT);
		for (size_t size = pixels_end; size < files[i].size; size++)
			expect_whole((struct file){files[i].data, size}, &back);
		image_release(&back);
		free(files[i].data);
	}
	image_release(&image);
}
END_TEST

/* Checksums cover every byte of a PNG: not one may be wrong. */
START_TEST(png_with_a_byte_flipped)
{
	struct image image = test_card(12, 9, 3);
	struct file file = encoded_png(&image);
	for (size_t at = 0; at < file.size; at++)
		for (int bit = 0; bit < 8; bit++) {
			file.data[at] ^= (unsigned char)(1 << bit);
			expect_refused(file, STATUS_OK);
			file.data[at] ^= (unsigned char)(1 << bit);
		}
	image_release(&image);
	free(file.data);
}
END_TEST

START_TEST(jpeg_with_bytes_changed)
{
	struct image image = test_card(40, 30, 3), back;
	for (int progressive = 0; progressive < 2; progressive++) {
		struct jpeg_kind kind = {.in = JCS_RGB, .stored = JCS_YCbCr, .progressive = progressive};
		struct file file = encoded_jpeg(&image, kind);
		noise_state = 11;
		for (int round = 0; round < 1500; round++) {
			struct file copy = {malloc(file.size), file.size};
			memcpy(copy.data, file.data, file.size);
			for (uint32_t n = 1 + noise() % 3; n--;)
				copy.data[noise() % file.size] = (unsigned char)noise();
			if (read_file(copy, &as_rgb, &back) == STATUS_OK) {
				ck_assert_ptr_nonnull(back.pixels);
				image_release(&back);
			}
			free(copy.data);
		}
		free(file.data);
	}
	image_release(&image);
}
END_TEST

static void put_u32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* Sets the size in a PNG's header and mends the checksum. */
static void set_png_size(struct file png, uint32_t w, uint32_t h)
{
	put_u32(png.data + 16, w);
	put_u32(png.data + 20, h);
	put_u32(png.data + 29, (uint32_t)crc32(0, png.data + 12, 17));
}

static void set_jpeg_size(struct file jpeg, unsigned w, unsigned h)
{
	for (size_t at = 2; at + 9 < jpeg.size; at += 2 + (size_t)(jpeg.data[at + 2] << 8 | jpeg.data[at + 3]))
		if (jpeg.data[at + 1] == 0xc0) {
			jpeg.data[at + 5] = (unsigned char)(h >> 8);
			jpeg.data[at + 6] = (unsigned char)h;
			jpeg.data[at + 7] = (unsigned char)(w >> 8);
			jpeg.data[at + 8] = (unsigned char)w;
			return;
		}
	ck_abort_msg("no start of frame");
}

START_TEST(bombs)
{
	struct image image = test_card(40, 30, 3);
	struct file png = encoded_png(&image), jpeg = encoded_jpeg(&image, plain_jpeg);
	clock_t start = clock();
	set_png_size(png, 1000000, 1000000);
	expect_refused(png, STATUS_LIMIT);
	ck_assert_ptr_nonnull(strstr(status_message(), "1000000 x 1000000"));
	set_png_size(png, 16384, 16384);
	expect_refused(png, STATUS_LIMIT);
	set_png_size(png, 10000, 10000);
	expect_refused(png, STATUS_FORMAT);
	set_png_size(png, 0, 30);
	expect_refused(png, STATUS_FORMAT);
	set_png_size(png, 0xffffffffu, 0xffffffffu);
	expect_refused(png, STATUS_LIMIT);
	set_jpeg_size(jpeg, 65500, 65500);
	expect_refused(jpeg, STATUS_LIMIT);
	set_jpeg_size(jpeg, 10000, 9999);
	expect_refused(jpeg, STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "cannot hold"));
	set_jpeg_size(jpeg, 40, 0);
	expect_refused(jpeg, STATUS_FORMAT);
	ck_assert_double_lt((double)(clock() - start) / CLOCKS_PER_SEC, 0.5);
	image_release(&image);
	free(png.data), free(jpeg.data);
}
END_TEST

START_TEST(too_many_scans)
{
	struct image gray = test_card(256, 256, 1), back;
	struct jpeg_kind kind = {.in = JCS_GRAYSCALE, .stored = JCS_GRAYSCALE, .repeated_scans = 1};
	struct file file = encoded_jpeg(&gray, kind);
	size_t last = 0, end = file.size - 2;
	for (size_t at = 2; at + 1 < file.size; at++)
		if (file.data[at] == 0xff && file.data[at + 1] == 0xda)
			last = at;
	size_t scan = end - last;
	for (int copies = 1; copies <= 500; copies += 499) {
		struct file many = {malloc(last + scan * (size_t)copies + 2), last + scan * (size_t)copies + 2};
		memcpy(many.data, file.data, last);
		for (int i = 0; i < copies; i++)
			memcpy(many.data + last + scan * (size_t)i, file.data + last, scan);
		memcpy(many.data + many.size - 2, "\xff\xd9", 2);
		if (copies > 1) {
			expect_refused(many, STATUS_LIMIT);
		} else {
			ck_assert_int_eq(read_file(many, &as_gray, &back), STATUS_OK);
			image_release(&back);
		}
		free(many.data);
	}
	image_release(&gray);
	free(file.data);
}
END_TEST

static Suite *make_suite(void)
{
	Suite *suite = suite_create("image_io");
	TCase *kinds = tcase_create("kinds");
	tcase_set_timeout(kinds, 60);
	tcase_add_test(kinds, png_round_trip);
	tcase_add_test(kinds, jpeg_round_trip);
	tcase_add_test(kinds, jpeg_cmyk);
	tcase_add_test(kinds, jpeg_progressive);
	tcase_add_test(kinds, png_kinds);
	tcase_add_test(kinds, png_interlaced_equals_plain);
	suite_add_tcase(suite, kinds);
	TCase *exif = tcase_create("exif");
	tcase_set_timeout(exif, 60);
	tcase_add_test(exif, exif_all_orientations);
	tcase_add_test(exif, exif_match);
	tcase_add_test(exif, exif_damaged);
	suite_add_tcase(suite, exif);
	TCase *damage = tcase_create("damage");
	tcase_set_timeout(damage, 60);
	tcase_add_test(damage, not_pictures);
	tcase_add_test(damage, truncated_at_every_length);
	tcase_add_test(damage, png_with_a_byte_flipped);
	tcase_add_test(damage, jpeg_with_bytes_changed);
	tcase_add_test(damage, bombs);
	tcase_add_test(damage, too_many_scans);
	suite_add_tcase(suite, damage);
	return suite;
}

TEST_MAIN(make_suite)
