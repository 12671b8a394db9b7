/* What photos bring along besides pixels: orientation in EXIF and XMP of both formats, colour profiles, oddities that
 * every viewer passes over, and formats that are named because they are not read. */
#include "data/image_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lcms2.h>
#include <zlib.h>

#include "tests/support/test.h"

struct file {
	unsigned char *data;
	size_t size;
};

/* `more` put into the file at `at`; the old file is freed. */
static struct file insert(struct file file, size_t at, const void *more, size_t size)
{
	struct file out = {malloc(file.size + size), file.size + size};
	memcpy(out.data, file.data, at);
	memcpy(out.data + at, more, size);
	memcpy(out.data + at + size, file.data + at, file.size - at);
	free(file.data);
	return out;
}

/* A PNG chunk behind IHDR; a JPEG marker behind SOI. */
static struct file with_chunk(struct file png, const char *type, const void *data, size_t size)
{
	enum { AFTER_HEADER = 33 };
	unsigned char *chunk = malloc(size + 12);
	const unsigned char length[4] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
					 (unsigned char)(size >> 8), (unsigned char)size};
	memcpy(chunk, length, 4);
	memcpy(chunk + 4, type, 4);
	memcpy(chunk + 8, data, size);
	uLong crc = crc32(crc32(0, NULL, 0), chunk + 4, (uInt)size + 4);
	for (int i = 0; i < 4; i++)
		chunk[8 + size + (size_t)i] = (unsigned char)(crc >> (24 - 8 * i));
	png = insert(png, AFTER_HEADER, chunk, size + 12);
	free(chunk);
	return png;
}

static struct file with_marker(struct file jpeg, int marker, const void *prefix, size_t prefix_size, const void *data,
			       size_t size)
{
	size_t length = 2 + prefix_size + size;
	unsigned char *bytes = malloc(length + 2);
	bytes[0] = 0xff;
	bytes[1] = (unsigned char)marker;
	bytes[2] = (unsigned char)(length >> 8);
	bytes[3] = (unsigned char)length;
	memcpy(bytes + 4, prefix, prefix_size);
	memcpy(bytes + 4 + prefix_size, data, size);
	jpeg = insert(jpeg, 2, bytes, length + 2);
	free(bytes);
	return jpeg;
}

/* w x h of one colour, with a white dot at the top left. */
static struct image plain(int w, int h, int r, int g, int b)
{
	struct image image;
	ck_assert_int_eq(image_alloc(&image, w, h, 3), STATUS_OK);
	for (int i = 0; i < w * h; i++) {
		uint8_t *p = image.pixels + 3 * i;
		bool dot = i % w < 16 && i / w < 16;
		p[0] = (uint8_t)(dot ? 255 : r);
		p[1] = (uint8_t)(dot ? 255 : g);
		p[2] = (uint8_t)(dot ? 255 : b);
	}
	return image;
}

static struct file as_png(struct image image)
{
	struct file file;
	ck_assert_int_eq(image_encode_png(&image, &file.data, &file.size), STATUS_OK);
	image_release(&image);
	return file;
}

static struct file as_jpeg(struct image image)
{
	struct file file;
	ck_assert_int_eq(image_encode_jpeg(&image, 95, &file.data, &file.size), STATUS_OK);
	image_release(&image);
	return file;
}

/* Reads and frees the file; facts may be NULL. */
static struct image read_as(struct file file, enum exif_policy exif, int channels, struct image_facts *facts)
{
	struct image image;
	struct image_read_options options = {.channels = channels, .exif = exif, .facts = facts};
	ck_assert_msg(image_read_memory(file.data, file.size, "test.file", &options, &image) == STATUS_OK, "%s",
		      status_message());
	free(file.data);
	return image;
}

/* --- orientation ---------------------------------------------------------- */

static const unsigned char tiff_6[] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0,
				       3,   0,   0, 0,  1, 0, 6, 0, 0, 0, 0, 0,    0};
static const char xmp_6[] = "<x:xmpmeta><rdf:Description tiff:Orientation=\"6\"/></x:xmpmeta>";
static const char xmp_8[] = "<x:xmpmeta><tiff:Orientation> 8 </tiff:Orientation></x:xmpmeta>";

static struct file with_xmp_chunk(struct file png, const char *xmp)
{
	char data[512] = "XML:com.adobe.xmp";
	size_t at = strlen(data) + 5; /* the key's end, no compression, no language, no translated key */
	memcpy(data + at, xmp, strlen(xmp));
	return with_chunk(png, "iTXt", data, at + strlen(xmp));
}

static void expect_turned(struct file file, int orientation)
{
	struct image_facts facts;
	struct image image = read_as(file, EXIF_APPLY, 3, &facts);
	ck_assert_int_eq(facts.orientation, orientation);
	ck_assert(facts.turned);
	ck_assert_int_eq(image.width, 48);
	ck_assert_int_eq(image.height, 64);
	/* The dot at the stored top left is displayed at the top right with 6, at the bottom left with 8. */
	int x = orientation == 6 ? 44 : 3, y = orientation == 6 ? 3 : 60;
	ck_assert_int_gt(image.pixels[3 * (y * 48 + x)], 200);
	ck_assert_int_lt(image.pixels[3 * (30 * 48 + 20)], 60);
	image_release(&image);
}

START_TEST(orientation_wherever_it_stands)
{
	static const char exif_head[6] = "Exif\0", xmp_head[] = "http://ns.adobe.com/xap/1.0/";
	struct image card = plain(64, 48, 20, 20, 20);
	struct file png[3], jpeg[3];
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(image_encode_png(&card, &png[i].data, &png[i].size), STATUS_OK);
		ck_assert_int_eq(image_encode_jpeg(&card, 95, &jpeg[i].data, &jpeg[i].size), STATUS_OK);
	}
	image_release(&card);
	expect_turned(with_chunk(png[0], "eXIf", tiff_6, sizeof tiff_6), 6);
	expect_turned(with_xmp_chunk(png[1], xmp_8), 8);
	expect_turned(with_chunk(with_xmp_chunk(png[2], xmp_8), "eXIf", tiff_6, sizeof tiff_6), 6);
	expect_turned(with_marker(jpeg[0], 0xe1, exif_head, sizeof exif_head, tiff_6, sizeof tiff_6), 6);
	expect_turned(with_marker(jpeg[1], 0xe1, xmp_head, sizeof xmp_head, xmp_6, strlen(xmp_6)), 6);
	expect_turned(with_marker(jpeg[2], 0xe1, xmp_head, sizeof xmp_head, xmp_8, strlen(xmp_8)), 8);
}
END_TEST

START_TEST(orientation_that_says_nothing)
{
	static const char *const odd[] = {"tiff:Orientation=\"9\"", "tiff:Orientation=\"60\"", "tiff:Orientation",
					  "tiff:Orientation=\""};
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct image_facts facts;
		struct file png = with_xmp_chunk(as_png(plain(64, 48, 20, 20, 20)), odd[i]);
		struct image image = read_as(png, EXIF_APPLY, 3, &facts);
		ck_assert_int_eq(facts.orientation, 1);
		ck_assert(!facts.turned);
		ck_assert_int_eq(image.width, 64);
		image_release(&image);
	}
}
END_TEST

/* --- colours -------------------------------------------------------------- */

/* Display P3 (SMPTE EG 432-1's primaries, D65, sRGB's curve), or sRGB itself. */
static struct file rgb_profile(bool p3)
{
	cmsCIExyY white = {0.3127, 0.3290, 1};
	cmsCIExyYTRIPLE p3_primaries = {{0.680, 0.320, 1}, {0.265, 0.690, 1}, {0.150, 0.060, 1}};
	cmsFloat64Number curve[] = {2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045};
	cmsToneCurve *tone = cmsBuildParametricToneCurve(NULL, 4, curve);
	cmsToneCurve *tones[] = {tone, tone, tone};
	cmsHPROFILE profile = p3 ? cmsCreateRGBProfile(&white, &p3_primaries, tones) : cmsCreate_sRGBProfile();
	cmsUInt32Number size = 0;
	cmsSaveProfileToMem(profile, NULL, &size);
	struct file file = {malloc(size), size};
	cmsSaveProfileToMem(profile, file.data, &size);
	cmsCloseProfile(profile);
	cmsFreeToneCurve(tone);
	return file;
}

static struct file with_profile(struct file file, bool png, struct file profile)
{
	static const char head[14] = "ICC_PROFILE\0\1\1";
	if (!png)
		return with_marker(file, 0xe2, head, sizeof head, profile.data, profile.size);
	unsigned char chunk[8192] = "p3\0"; /* name, its end, compression method 0 */
	uLongf packed = sizeof chunk - 4;
	ck_assert_int_eq(compress(chunk + 4, &packed, profile.data, profile.size), Z_OK);
	return with_chunk(file, "iCCP", chunk, 4 + packed);
}

/* P3's (200,100,50) is sRGB's (215,93,31), computed apart from little-cms by the two matrices of CSS Color 4. */
static void expect_p3(struct file file, int tolerance)
{
	static const int expected[] = {215, 93, 31};
	struct image_facts facts;
	struct image image = read_as(file, EXIF_APPLY, 3, &facts);
	ck_assert(facts.profile_applied);
	for (int c = 0; c < 3; c++)
		ck_assert_int_le(abs(image.pixels[3 * (40 * 64 + 40) + c] - expected[c]), tolerance);
	image_release(&image);
}

START_TEST(profile_becomes_srgb)
{
	struct file p3 = rgb_profile(true);
	expect_p3(with_profile(as_png(plain(64, 48, 200, 100, 50)), true, p3), 1);
	expect_p3(with_profile(as_jpeg(plain(64, 48, 200, 100, 50)), false, p3), 4);
	/* With alpha asked for, it is there and whole; a mask of one channel knows no colours. */
	struct image_facts facts;
	struct image image =
		read_as(with_profile(as_png(plain(64, 48, 200, 100, 50)), true, p3), EXIF_APPLY, 4, &facts);
	ck_assert(facts.profile_applied);
	ck_assert_int_eq(image.pixels[4 * 1000 + 3], 255);
	image_release(&image);
	image = read_as(with_profile(as_png(plain(64, 48, 200, 100, 50)), true, p3), EXIF_APPLY, 1, &facts);
	ck_assert(!facts.profile_applied);
	image_release(&image);
	free(p3.data);
}
END_TEST

START_TEST(profile_of_srgb_changes_no_bit)
{
	struct file srgb = rgb_profile(false);
	for (int png = 0; png < 2; png++) {
		struct image_facts facts;
		struct image card = plain(64, 48, 200, 100, 50);
		struct file bare = png ? as_png(card) : as_jpeg(card);
		card = plain(64, 48, 200, 100, 50);
		struct file tagged = with_profile(png ? as_png(card) : as_jpeg(card), png, srgb);
		struct image a = read_as(bare, EXIF_APPLY, 3, NULL), b = read_as(tagged, EXIF_APPLY, 3, &facts);
		ck_assert(!facts.profile_applied);
		ck_assert_mem_eq(a.pixels, b.pixels, 64 * 48 * 3);
		image_release(&a), image_release(&b);
	}
	free(srgb.data);
}
END_TEST

/* Nonsense instead of a profile, and a profile cut off anywhere: a warning, and the pixels as they are. */
START_TEST(profile_that_is_damaged)
{
	struct file p3 = rgb_profile(true);
	for (size_t size = 1; size < p3.size; size += 7) {
		struct image_facts facts;
		struct file cut = {p3.data, size};
		struct file jpeg = with_profile(as_jpeg(plain(64, 48, 200, 100, 50)), false, cut);
		struct image image = read_as(jpeg, EXIF_APPLY, 3, &facts);
		ck_assert(facts.profile_applied || facts.warnings > 0);
		image_release(&image);
	}
	free(p3.data);
}
END_TEST

/* --- oddities ------------------------------------------------------------- */

static void expect_same_with_warning(struct file odd, const struct image *whole, const char *word)
{
	struct image_facts facts;
	struct image image = read_as(odd, EXIF_APPLY, 3, &facts);
	ck_assert_int_gt(facts.warnings, 0);
	ck_assert_msg(strstr(facts.warning, word), "no \"%s\" in \"%s\"", word, facts.warning);
	ck_assert_mem_eq(whole->pixels, image.pixels, (size_t)whole->width * (size_t)whole->height * 3);
	image_release(&image);
}

/* Where a marker of the given kind begins. */
static size_t find_marker(struct file jpeg, int marker)
{
	for (size_t i = 2; i + 1 < jpeg.size; i++)
		if (jpeg.data[i] == 0xff && jpeg.data[i + 1] == marker)
			return i;
	ck_abort_msg("no marker %02x", marker);
	return 0;
}

START_TEST(jpeg_oddities_that_cost_no_pixel)
{
	struct image_facts facts;
	struct image whole = read_as(as_jpeg(plain(64, 48, 30, 60, 90)), EXIF_APPLY, 3, &facts);
	ck_assert_int_eq(facts.warnings, 0);
	struct file stray = as_jpeg(plain(64, 48, 30, 60, 90));
	stray = insert(stray, find_marker(stray, 0xdb), "stray", 5);
	expect_same_with_warning(stray, &whole, "extraneous");
	struct file before_end = as_jpeg(plain(64, 48, 30, 60, 90));
	before_end = insert(before_end, before_end.size - 2, "forty bytes that nobody asked for, behind", 40);
	expect_same_with_warning(before_end, &whole, "extraneous");
	struct file version = as_jpeg(plain(64, 48, 30, 60, 90));
	version.data[find_marker(version, 0xe0) + 9] = 2; /* JFIF version 2.x */
	expect_same_with_warning(version, &whole, "revision");
	struct file endless = as_jpeg(plain(64, 48, 30, 60, 90));
	endless.size -= 2;
	expect_same_with_warning(endless, &whole, "end of JPEG");
	image_release(&whole);
}
END_TEST

START_TEST(png_oddities_that_cost_no_pixel)
{
	struct image whole = plain(64, 48, 30, 60, 90);
	struct file png = with_chunk(as_png(plain(64, 48, 30, 60, 90)), "tEXt", "Comment\0hello", 13);
	png.data[33 + 8 + 10] ^= 1; /* the comment's checksum is wrong now */
	expect_same_with_warning(png, &whole, "CRC");
	image_release(&whole);
}
END_TEST

/* A cutout means its alpha, whatever colours lie under it; a picture without alpha its brightness. */
START_TEST(masks_are_alpha_or_brightness)
{
	static const uint8_t alphas[] = {0, 255, 90, 128};
	char path[700];
	struct image cutout, mask;
	snprintf(path, sizeof path, "%s/cutout.png", test_tmp_dir("mask_in"));
	ck_assert_int_eq(image_alloc(&cutout, 2, 2, 4), STATUS_OK);
	for (int i = 0; i < 4; i++) {
		memset(cutout.pixels + 4 * i, i % 2 ? 255 : 0, 3);
		cutout.pixels[4 * i + 3] = alphas[i];
	}
	ck_assert_int_eq(image_write_png(path, &cutout), STATUS_OK);
	ck_assert_int_eq(image_read_mask(path, &mask), STATUS_OK);
	ck_assert_int_eq(mask.channels, 1);
	ck_assert_mem_eq(mask.pixels, alphas, 4);
	image_release(&mask);
	cutout.channels = 1;
	memcpy(cutout.pixels, alphas, 4);
	ck_assert_int_eq(image_write_png(path, &cutout), STATUS_OK);
	ck_assert_int_eq(image_read_mask(path, &mask), STATUS_OK);
	ck_assert_mem_eq(mask.pixels, alphas, 4);
	image_release(&mask), image_release(&cutout);
}
END_TEST

START_TEST(formats_that_are_named)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *name;
	} kinds[] = {
		{"\0\0\0\x1c"
		 "ftypheic\0\0\0\0",
		 16, "HEIC"},
		{"\0\0\0\x1c"
		 "ftypavif\0\0\0\0",
		 16, "AVIF"},
		{"GIF89a..........", 16, "GIF"},
		{"II*\0............", 16, "TIFF"},
		{"MM\0*............", 16, "TIFF"},
		{"BM..............", 16, "BMP"},
		{"<!DOCTYPE html>.", 16, "HTML"},
		{"version https://git-lfs.github.com/spec/v1", 40, "Git LFS"},
	};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		struct image image;
		struct image_read_options options = {.channels = 3, .exif = EXIF_APPLY};
		ck_assert_int_eq(image_read_memory(kinds[i].bytes, kinds[i].size, "x.jpg", &options, &image),
				 STATUS_FORMAT);
		ck_assert_msg(strstr(status_message(), kinds[i].name), "%s: %s", kinds[i].name, status_message());
		ck_assert_ptr_nonnull(strstr(status_message(), "x.jpg: this is"));
	}
}
END_TEST

/* --- WebP ----------------------------------------------------------------- */

#ifdef HAVE_WEBP
#include <webp/encode.h>

/* A picture without loss; `alpha`: with an alpha channel. */
static struct file as_webp(int channels)
{
	struct image image;
	uint8_t *data = NULL;
	ck_assert_int_eq(image_alloc(&image, 64, 48, channels), STATUS_OK);
	for (int i = 0; i < 64 * 48; i++)
		for (int c = 0; c < channels; c++)
			image.pixels[channels * i + c] =
				(uint8_t)(i % 64 < 8 && i / 64 < 8 && c != 3 ? 250 : 10 + 20 * c);
	size_t size = channels == 4 ? WebPEncodeLosslessRGBA(image.pixels, 64, 48, 64 * 4, &data)
				    : WebPEncodeLosslessRGB(image.pixels, 64, 48, 64 * 3, &data);
	struct file file = {malloc(size), size};
	memcpy(file.data, data, size);
	WebPFree(data);
	image_release(&image);
	return file;
}

/* The same in the extended form (RFC 9649, section 2.7), with one more chunk behind the picture. */
static struct file with_webp_chunk(struct file file, const char name[5], const void *bytes, size_t size)
{
	size_t padded = size + size % 2, whole = file.size + 18 + 8 + padded;
	unsigned char *data = calloc(1, whole);
	memcpy(data, file.data, 12);
	memcpy(data + 12, "VP8X\x0a\0\0\0", 8);
	data[20] = memcmp(name, "EXIF", 4) == 0 ? 0x08 : memcmp(name, "ICCP", 4) == 0 ? 0x20 : 0x04;
	data[24] = 63;
	data[27] = 47;
	unsigned char *at = data + 30;
	memcpy(at, file.data + 12, file.size - 12);
	at += file.size - 12;
	memcpy(at, name, 4);
	at[4] = (unsigned char)size;
	at[5] = (unsigned char)(size >> 8);
	memcpy(at + 8, bytes, size);
	size_t riff = whole - 8;
	data[4] = (unsigned char)riff;
	data[5] = (unsigned char)(riff >> 8);
	free(file.data);
	return (struct file){data, whole};
}

START_TEST(webp_photos)
{
	struct image_facts facts;
	struct image image = read_as(as_webp(3), EXIF_APPLY, 3, &facts);
	ck_assert(image.width == 64 && image.height == 48 && !facts.alpha);
	ck_assert(image.pixels[0] == 250 && image.pixels[3 * 40 + 2] == 50);
	image_release(&image);
	image = read_as(as_webp(4), EXIF_APPLY, 4, &facts);
	ck_assert(facts.alpha);
	ck_assert_int_eq(image.pixels[3], 70);
	image_release(&image);
	expect_turned(with_webp_chunk(as_webp(3), "EXIF", tiff_6, sizeof tiff_6), 6);
	expect_turned(with_webp_chunk(as_webp(3), "XMP ", xmp_8, strlen(xmp_8)), 8);
}
END_TEST

/* Cut anywhere it is refused with a message that names it, and no byte behind the end is read. */
START_TEST(webp_that_ends_early)
{
	struct file whole = with_webp_chunk(as_webp(4), "EXIF", tiff_6, sizeof tiff_6);
	struct image_read_options options = {.channels = 3, .exif = EXIF_APPLY};
	size_t picture = whole.size - 8 - sizeof tiff_6;
	for (size_t size = 12; size < picture - 1; size += 3) {
		unsigned char *part = malloc(size);
		struct image image;
		memcpy(part, whole.data, size);
		ck_assert_msg(image_read_memory(part, size, "x.webp", &options, &image) != STATUS_OK, "%zu bytes",
			      size);
		ck_assert_ptr_nonnull(strstr(status_message(), "x.webp: "));
		free(part);
	}
	free(whole.data);
}
END_TEST
#else
START_TEST(webp_photos)
{
	struct image image;
	struct image_read_options options = {.channels = 3, .exif = EXIF_APPLY};
	ck_assert_int_eq(image_read_memory("RIFF\0\0\0\0WEBPVP8 ", 16, "x", &options, &image), STATUS_FORMAT);
	ck_assert_ptr_nonnull(strstr(status_message(), "this is WebP"));
}
END_TEST
#endif

static Suite *make_suite(void)
{
	Suite *suite = suite_create("image_facts");
	TCase *facts = tcase_create("facts");
	tcase_add_test(facts, orientation_wherever_it_stands);
	tcase_add_test(facts, orientation_that_says_nothing);
	tcase_add_test(facts, profile_becomes_srgb);
	tcase_add_test(facts, profile_of_srgb_changes_no_bit);
	tcase_add_test(facts, profile_that_is_damaged);
	tcase_add_test(facts, jpeg_oddities_that_cost_no_pixel);
	tcase_add_test(facts, png_oddities_that_cost_no_pixel);
	tcase_add_test(facts, masks_are_alpha_or_brightness);
	tcase_add_test(facts, formats_that_are_named);
	tcase_add_test(facts, webp_photos);
#ifdef HAVE_WEBP
	tcase_add_test(facts, webp_that_ends_early);
#endif
	suite_add_tcase(suite, facts);
	return suite;
}

TEST_MAIN(make_suite)
