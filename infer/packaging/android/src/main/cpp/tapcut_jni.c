/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
/* libtapcut for Java and Kotlin: org.tapcut.Model and org.tapcut.Session. Handles are pointers; a refused call throws
 * org.tapcut.TapcutException with the library's status and message. No array is held while the network runs. */
#include <jni.h>
#include <stdint.h>
#include <stdlib.h>

#include "tapcut.h"
#include "tapcut_edit.h"

#ifdef __ANDROID__
#include <android/bitmap.h>
#endif

#define MODEL(name) JNICALL Java_org_tapcut_Model_##name
#define SESSION(name) JNICALL Java_org_tapcut_Session_##name

static void fail(JNIEnv *env, enum tapcut_status status, const char *message)
{
	jclass type = (*env)->FindClass(env, "org/tapcut/TapcutException");
	jmethodID make = type ? (*env)->GetMethodID(env, type, "<init>", "(ILjava/lang/String;)V") : NULL;
	jstring text = make ? (*env)->NewStringUTF(env, message) : NULL;
	jobject error = text ? (*env)->NewObject(env, type, make, (jint)status, text) : NULL;
	if (error)
		(*env)->Throw(env, error);
}

static void no_memory(JNIEnv *env)
{
	fail(env, TAPCUT_NO_MEMORY, "no memory for the pixels");
}

static struct tapcut_session *session_of(jlong handle)
{
	return (struct tapcut_session *)(intptr_t)handle;
}

static void check(JNIEnv *env, jlong handle, enum tapcut_status status)
{
	if (status != TAPCUT_OK)
		fail(env, status, tapcut_session_message(session_of(handle)));
}

/* --- org.tapcut.Model ------------------------------------------------------ */

JNIEXPORT jstring MODEL(version)(JNIEnv *env, jclass type)
{
	(void)type;
	return (*env)->NewStringUTF(env, tapcut_version());
}

JNIEXPORT jlong MODEL(loadMemory)(JNIEnv *env, jclass type, jbyteArray data)
{
	char message[TAPCUT_MESSAGE_SIZE] = "";
	struct tapcut_model *model = NULL;
	(void)type;
	jsize size = (*env)->GetArrayLength(env, data);
	jbyte *bytes = (*env)->GetByteArrayElements(env, data, NULL);
	if (!bytes)
		return 0; /* Java has its OutOfMemoryError */
	enum tapcut_status status = tapcut_model_load_memory(bytes, (size_t)size, &model, message);
	(*env)->ReleaseByteArrayElements(env, data, bytes, JNI_ABORT);
	if (status != TAPCUT_OK)
		fail(env, status, message);
	return (jlong)(intptr_t)model;
}

JNIEXPORT jlong MODEL(loadFile)(JNIEnv *env, jclass type, jstring path)
{
	char message[TAPCUT_MESSAGE_SIZE] = "";
	struct tapcut_model *model = NULL;
	(void)type;
	const char *name = (*env)->GetStringUTFChars(env, path, NULL);
	if (!name)
		return 0;
	enum tapcut_status status = tapcut_model_load_file(name, &model, message);
	(*env)->ReleaseStringUTFChars(env, path, name);
	if (status != TAPCUT_OK)
		fail(env, status, message);
	return (jlong)(intptr_t)model;
}

JNIEXPORT jint MODEL(defaultSize)(JNIEnv *env, jclass type, jlong handle)
{
	struct tapcut_model_info info;
	(void)env, (void)type;
	tapcut_model_get_info((const struct tapcut_model *)(intptr_t)handle, &info);
	return info.default_size;
}

JNIEXPORT void MODEL(free)(JNIEnv *env, jclass type, jlong handle)
{
	(void)env, (void)type;
	tapcut_model_free((struct tapcut_model *)(intptr_t)handle);
}

/* --- org.tapcut.Session ---------------------------------------------------- */

JNIEXPORT jlong SESSION(create)(JNIEnv *env, jclass type, jlong model, jintArray numbers, jfloat threshold,
				jfloat feather)
{
	jint n[8];
	char message[TAPCUT_MESSAGE_SIZE] = "";
	struct tapcut_session *session = NULL;
	(void)type;
	(*env)->GetIntArrayRegion(env, numbers, 0, 8, n);
	if ((*env)->ExceptionCheck(env))
		return 0;
	struct tapcut_options options = {
		.struct_size = sizeof options,
		.size = n[0],
		.first_size = n[1],
		.no_zoom = n[2],
		.threshold = threshold,
		.keep_all = n[3],
		.hole_limit = n[4],
		.threads = n[5],
		.graph_cut = n[6],
		.feather = feather,
		.one_look = n[7],
	};
	enum tapcut_status status =
		tapcut_session_new((const struct tapcut_model *)(intptr_t)model, &options, &session, message);
	if (status != TAPCUT_OK)
		fail(env, status, message);
	return (jlong)(intptr_t)session;
}

/* Pixels 0xAARRGGBB of a Java array to rows of R,G,B; NULL after an exception. The caller frees them. */
static uint8_t *rgb_of(JNIEnv *env, jintArray argb, size_t count)
{
	uint8_t *rgb = malloc(3 * count);
	if (!rgb) {
		no_memory(env);
		return NULL;
	}
	jint *pixels = (*env)->GetPrimitiveArrayCritical(env, argb, NULL);
	if (!pixels) {
		free(rgb);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t pixel = (uint32_t)pixels[i];
		rgb[3 * i] = (uint8_t)(pixel >> 16);
		rgb[3 * i + 1] = (uint8_t)(pixel >> 8);
		rgb[3 * i + 2] = (uint8_t)pixel;
	}
	(*env)->ReleasePrimitiveArrayCritical(env, argb, pixels, JNI_ABORT);
	return rgb;
}

JNIEXPORT void SESSION(setPixels)(JNIEnv *env, jclass type, jlong handle, jintArray argb, jint width, jint height)
{
	(void)type;
	uint8_t *rgb = rgb_of(env, argb, (size_t)width * (size_t)height);
	if (!rgb)
		return;
	check(env, handle, tapcut_session_set_image(session_of(handle), rgb, width, height, 3 * (size_t)width));
	free(rgb);
}

JNIEXPORT void SESSION(click)(JNIEnv *env, jclass type, jlong handle, jint x, jint y, jboolean positive)
{
	(void)type;
	check(env, handle, tapcut_session_click(session_of(handle), x, y, positive));
}

JNIEXPORT void SESSION(cancel)(JNIEnv *env, jclass type, jlong handle)
{
	(void)env, (void)type;
	tapcut_session_cancel(session_of(handle));
}

JNIEXPORT void SESSION(undo)(JNIEnv *env, jclass type, jlong handle)
{
	(void)type;
	check(env, handle, tapcut_session_undo(session_of(handle)));
}

JNIEXPORT void SESSION(reset)(JNIEnv *env, jclass type, jlong handle)
{
	(void)env, (void)type;
	tapcut_session_reset(session_of(handle));
}

JNIEXPORT jint SESSION(taps)(JNIEnv *env, jclass type, jlong handle)
{
	(void)env, (void)type;
	return tapcut_session_click_count(session_of(handle));
}

/* what: 0 the mask, 1 alpha, 2 a preview of width x height. */
JNIEXPORT void SESSION(read)(JNIEnv *env, jclass type, jlong handle, jbyteArray to, jint width, jint height, jint what)
{
	struct tapcut_session *session = session_of(handle);
	size_t size = width > 0 && height > 0 ? (size_t)width * (size_t)height : 1;
	uint8_t *plane = malloc(size);
	(void)type;
	if (!plane) {
		no_memory(env);
		return;
	}
	enum tapcut_status status = what == 0   ? tapcut_session_mask(session, plane, (size_t)width)
				    : what == 1 ? tapcut_session_alpha(session, plane, (size_t)width)
						: tapcut_session_preview(session, plane, width, height, (size_t)width);
	if (status == TAPCUT_OK)
		(*env)->SetByteArrayRegion(env, to, 0, (jsize)size, (const jbyte *)plane);
	else
		check(env, handle, status);
	free(plane);
}

struct cutout {
	uint8_t *rgb, *alpha, *rgba;
	void *workspace;
};

static enum tapcut_status make_cutout(struct tapcut_session *session, const struct cutout *c, int width, int height,
				      char *message)
{
	struct tapcut_rows rows = {c->rgb, c->alpha, 3 * (size_t)width, (size_t)width, 0, height};
	enum tapcut_status status = tapcut_session_alpha(session, c->alpha, (size_t)width);
	return status ? status
		      : tapcut_cutout_rows(width, height, &rows, 0, height, 0, c->rgba, 4 * (size_t)width, c->workspace,
					   message);
}

JNIEXPORT void SESSION(cutout)(JNIEnv *env, jclass type, jlong handle, jintArray argb, jintArray to, jint width,
			       jint height)
{
	char message[TAPCUT_MESSAGE_SIZE] = "there is no photo yet";
	size_t count = (size_t)width * (size_t)height;
	(void)type;
	struct cutout c = {rgb_of(env, argb, count), malloc(count + 1), malloc(4 * count + 1),
			   malloc(tapcut_cutout_workspace(width, height) + 1)};
	if (c.rgb && (!c.alpha || !c.rgba || !c.workspace)) {
		no_memory(env);
	} else if (c.rgb) {
		enum tapcut_status status = make_cutout(session_of(handle), &c, width, height, message);
		jint *pixels = status ? NULL : (*env)->GetPrimitiveArrayCritical(env, to, NULL);
		for (size_t i = 0; i < count && pixels; i++) {
			const uint8_t *p = c.rgba + 4 * i;
			pixels[i] = (jint)((uint32_t)p[3] << 24 | (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2]);
		}
		if (pixels)
			(*env)->ReleasePrimitiveArrayCritical(env, to, pixels, 0);
		if (status != TAPCUT_OK)
			fail(env, status, message);
	}
	free(c.rgb);
	free(c.alpha);
	free(c.rgba);
	free(c.workspace);
}

JNIEXPORT void SESSION(free)(JNIEnv *env, jclass type, jlong handle)
{
	(void)env, (void)type;
	tapcut_session_free(session_of(handle));
}

#ifdef __ANDROID__
JNIEXPORT void SESSION(setBitmap)(JNIEnv *env, jclass type, jlong handle, jobject bitmap)
{
	AndroidBitmapInfo info;
	void *pixels;
	(void)type;
	if (AndroidBitmap_getInfo(env, bitmap, &info) != 0 || info.format != ANDROID_BITMAP_FORMAT_RGBA_8888 ||
	    AndroidBitmap_lockPixels(env, bitmap, &pixels) != 0) {
		fail(env, TAPCUT_ARGUMENT, "expected a Bitmap of ARGB_8888 whose pixels can be read");
		return;
	}
	size_t count = (size_t)info.width * info.height;
	uint8_t *rgb = malloc(3 * count + 1);
	for (size_t y = 0; rgb && y < info.height; y++) {
		const uint8_t *from = (const uint8_t *)pixels + y * info.stride;
		uint8_t *row = rgb + 3 * y * info.width;
		for (size_t x = 0; x < info.width; x++)
			for (int c = 0; c < 3; c++)
				row[3 * x + (size_t)c] = from[4 * x + (size_t)c];
	}
	AndroidBitmap_unlockPixels(env, bitmap);
	if (!rgb)
		no_memory(env);
	else
		check(env, handle,
		      tapcut_session_set_image(session_of(handle), rgb, (int)info.width, (int)info.height,
					       3 * (size_t)info.width));
	free(rgb);
}
#endif
