/* Colours as the photo's profile means them. The network, the page and the written files all speak sRGB, so a photo
 * in another space (Display P3 of a phone, Adobe RGB, a scanner's, CMYK for print) is converted once, when it is
 * read, with relative colorimetric intent, as browsers do. The only file that knows little-cms. */
#include <stdlib.h>
#include <string.h>

#include <lcms2.h>

#include "data/codecs/codecs.h"

enum { PROFILE_MAX = 4 * 1024 * 1024 };

static void no_log(cmsContext context, cmsUInt32Number code, const char *text)
{
	(void)context, (void)code, (void)text;
}

struct conversion {
	cmsContext context;
	cmsHPROFILE from, srgb;
	cmsHTRANSFORM transform;
};

static void conversion_release(struct conversion *c)
{
	if (c->transform)
		cmsDeleteTransform(c->transform);
	if (c->from)
		cmsCloseProfile(c->from);
	if (c->srgb)
		cmsCloseProfile(c->srgb);
	if (c->context)
		cmsDeleteContext(c->context);
}

/* How little-cms names the layout of `native` under a profile for `space`; 0: they do not belong together. Gray
 * goes through a table of its 256 values (gray_to_srgb). */
static cmsUInt32Number layout_of(enum native native, cmsColorSpaceSignature space)
{
	if (space == cmsSigRgbData && native == NATIVE_RGB)
		return TYPE_RGB_8;
	if (space == cmsSigRgbData && native == NATIVE_RGBA)
		return TYPE_RGBA_8;
	if (space == cmsSigCmykData && native == NATIVE_CMYK)
		return TYPE_CMYK_8;
	if (space == cmsSigCmykData && native == NATIVE_CMYK_INVERTED)
		return TYPE_CMYK_8_REV;
	return space == cmsSigGrayData && native <= NATIVE_RGBA ? TYPE_GRAY_8 : 0;
}

static bool conversion_open(struct conversion *c, const struct decoded *d)
{
	c->context = cmsCreateContext(NULL, NULL);
	if (!c->context)
		return false;
	cmsSetLogErrorHandlerTHR(c->context, no_log);
	c->from = cmsOpenProfileFromMemTHR(c->context, d->profile, (cmsUInt32Number)d->profile_size);
	c->srgb = cmsCreate_sRGBProfileTHR(c->context);
	cmsUInt32Number layout = c->from ? layout_of(d->native, cmsGetColorSpace(c->from)) : 0;
	if (!layout || !c->srgb)
		return false;
	c->transform = cmsCreateTransformTHR(c->context, c->from, layout, c->srgb,
					     layout == TYPE_RGBA_8 ? TYPE_RGBA_8 : TYPE_RGB_8,
					     INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE | cmsFLAGS_COPY_ALPHA);
	return c->transform != NULL;
}

/* Whether a lattice of colours comes out as it went in, but for rounding. */
static bool is_srgb(const struct conversion *c, enum native native)
{
	enum { SIDE = 9, COUNT = SIDE * SIDE * SIDE };
	uint8_t in[COUNT][4], out[COUNT][4];
	int step = native_channels[native];
	if (native != NATIVE_RGB && native != NATIVE_RGBA)
		return false;
	for (int i = 0; i < COUNT; i++) {
		uint8_t *p = &in[0][0] + i * step;
		p[0] = (uint8_t)(i % SIDE * 255 / (SIDE - 1));
		p[1] = (uint8_t)(i / SIDE % SIDE * 255 / (SIDE - 1));
		p[2] = (uint8_t)(i / SIDE / SIDE * 255 / (SIDE - 1));
		if (step == 4)
			p[3] = 255;
	}
	cmsDoTransform(c->transform, in, out, COUNT);
	for (int i = 0; i < COUNT * step; i++)
		if (abs((&in[0][0])[i] - (&out[0][0])[i]) > 1)
			return false;
	return true;
}

/* A gray profile is a curve: what each of the 256 grays is in sRGB. */
static void gray_to_srgb(const struct conversion *c, struct decoded *d)
{
	uint8_t gray[256], srgb[256][3];
	size_t count = (size_t)d->width * (size_t)d->height;
	int step = native_channels[d->native], colours = step - (d->native == NATIVE_GRAY_ALPHA || step == 4);
	for (int i = 0; i < 256; i++)
		gray[i] = (uint8_t)i;
	cmsDoTransform(c->transform, gray, srgb, 256);
	for (uint8_t *p = d->pixels; count--; p += step)
		for (int i = 0; i < colours; i++)
			p[i] = srgb[p[i]][1];
}

/* A row at a time through a buffer, because the rows of CMYK become shorter. */
static enum status rows_to_srgb(const struct conversion *c, struct decoded *d, const char *name)
{
	size_t in_stride = (size_t)d->width * (size_t)native_channels[d->native];
	enum native becomes = d->native == NATIVE_RGBA ? NATIVE_RGBA : NATIVE_RGB;
	size_t out_stride = (size_t)d->width * (size_t)native_channels[becomes];
	uint8_t *row = malloc(out_stride);
	if (!row)
		return status_fail(STATUS_NO_MEMORY, "%s: no memory for a row of %zu bytes", name, out_stride);
	for (int y = 0; y < d->height; y++) {
		cmsDoTransform(c->transform, d->pixels + (size_t)y * in_stride, row, (cmsUInt32Number)d->width);
		memcpy(d->pixels + (size_t)y * out_stride, row, out_stride);
	}
	free(row);
	d->native = becomes;
	return STATUS_OK;
}

enum status profile_to_srgb(struct decoded *decoded, const char *name)
{
	struct conversion c = {0};
	enum status status = STATUS_OK;
	if (!decoded->profile)
		return STATUS_OK;
	if (decoded->profile_size > PROFILE_MAX || !conversion_open(&c, decoded)) {
		facts_warn(&decoded->facts, "the colour profile cannot be used; colours are taken for sRGB");
	} else if (cmsGetColorSpace(c.from) == cmsSigGrayData) {
		gray_to_srgb(&c, decoded);
		decoded->facts.profile_applied = true;
	} else if (!is_srgb(&c, decoded->native)) {
		status = rows_to_srgb(&c, decoded, name);
		decoded->facts.profile_applied = true;
	}
	conversion_release(&c);
	return status;
}
