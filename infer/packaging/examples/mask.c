/* mask MODEL.tapcut PHOTO.ppm MASK.pgm X,Y [X,Y ...] [-X,Y ...]
 *
 * Taps a photo and writes its mask (255 = object). A tap with a minus sign is on what is not the object. Photos are
 * binary PPM, 8 bits, so that no image library is needed.
 *
 *	cc mask.c $(pkg-config --cflags --libs tapcut) -o mask
 *	cc mask.c $(pkg-config --cflags --libs --static tapcut) -o mask        (with only libtapcut.a installed) */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <tapcut.h>

struct photo {
	int width, height;
	unsigned char *rgb; /* owned */
};

static int complain(const char *what, const char *why)
{
	fprintf(stderr, "mask: %s: %s\n", what, why);
	return 1;
}

/* The next number of a PPM header; '#' starts a comment. -1: there is none. */
static int header_number(FILE *in)
{
	int c, number;
	while ((c = getc(in)) == '#' || isspace(c))
		while (c == '#' && (number = getc(in)) != '\n' && number != EOF)
			;
	ungetc(c, in);
	return fscanf(in, "%9d", &number) == 1 ? number : -1;
}

static int read_ppm(const char *path, struct photo *photo)
{
	FILE *in = fopen(path, "rb");
	if (!in)
		return complain(path, "cannot be opened");
	int ppm = getc(in) == 'P' && getc(in) == '6';
	photo->width = ppm ? header_number(in) : -1;
	photo->height = ppm ? header_number(in) : -1;
	if (photo->width < 1 || photo->height < 1 || photo->width > 16384 || photo->height > 16384 ||
	    header_number(in) != 255) {
		fclose(in);
		return complain(path, "not a PPM photo of 8 bits a channel and sides of at most 16384");
	}
	getc(in); /* the one white space after the header */
	size_t bytes = 3 * (size_t)photo->width * (size_t)photo->height;
	photo->rgb = malloc(bytes);
	int whole = photo->rgb && fread(photo->rgb, 1, bytes, in) == bytes;
	fclose(in);
	return whole ? 0 : complain(path, "no memory, or the file is cut off");
}

static int write_pgm(const char *path, const unsigned char *mask, int width, int height)
{
	FILE *out = fopen(path, "wb");
	if (!out)
		return complain(path, "cannot be written");
	fprintf(out, "P5\n%d %d\n255\n", width, height);
	size_t bytes = (size_t)width * (size_t)height;
	int whole = fwrite(mask, 1, bytes, out) == bytes;
	return fclose(out) == 0 && whole ? 0 : complain(path, "cannot be written");
}

static int tap(struct tapcut_session *session, const char *text)
{
	int x, y, positive = text[0] != '-';
	if (sscanf(text + !positive, "%d,%d", &x, &y) != 2)
		return complain(text, "expected X,Y or -X,Y");
	if (tapcut_session_click(session, x, y, positive) != TAPCUT_OK)
		return complain(text, tapcut_session_message(session));
	return 0;
}

static int select_object(struct tapcut_session *session, const struct photo *photo, char **taps, const char *out)
{
	size_t width = (size_t)photo->width, height = (size_t)photo->height;
	if (tapcut_session_set_image(session, photo->rgb, photo->width, photo->height, 3 * width) != TAPCUT_OK)
		return complain("photo", tapcut_session_message(session));
	for (; *taps; taps++)
		if (tap(session, *taps))
			return 1;
	unsigned char *mask = malloc(width * height);
	if (!mask)
		return complain("mask", "no memory");
	int status = tapcut_session_mask(session, mask, width) ? complain("mask", tapcut_session_message(session)) : 0;
	if (!status)
		status = write_pgm(out, mask, photo->width, photo->height);
	free(mask);
	return status;
}

int main(int argc, char **argv)
{
	struct photo photo = {0, 0, NULL};
	struct tapcut_model *model = NULL;
	struct tapcut_session *session = NULL;
	char message[TAPCUT_MESSAGE_SIZE];
	if (argc < 5)
		return fprintf(stderr, "usage: mask MODEL.tapcut PHOTO.ppm MASK.pgm X,Y [X,Y ...] [-X,Y ...]\n"), 2;
	int failed = read_ppm(argv[2], &photo);
	if (!failed && tapcut_model_load_file(argv[1], &model, message) != TAPCUT_OK)
		failed = complain("model", message);
	if (!failed && tapcut_session_new(model, NULL, &session, message) != TAPCUT_OK)
		failed = complain("session", message);
	if (!failed)
		failed = select_object(session, &photo, argv + 4, argv[3]);
	tapcut_session_free(session);
	tapcut_model_free(model);
	free(photo.rgb);
	return failed;
}
