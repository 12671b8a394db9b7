/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
package org.tapcut;

/**
 * Taps on one photo after another. A session belongs to one thread at a time, but for cancel(). Coordinates are whole
 * pixels of the photo as given (turn it upright before), origin top left.
 */
public final class Session implements AutoCloseable {
    private final Model model;
    private long handle;
    private int width, height;

    Session(Model model, Options o) {
        this.model = model;
        long owner = model.takeSession();
        try {
            handle = create(owner, new int[] {o.size, o.firstSize, o.noZoom ? 1 : 0, o.keepAll ? 1 : 0, o.holeLimit,
                o.threads, o.graphCut ? 1 : 0, o.oneLook ? 1 : 0}, o.threshold, o.feather);
        } finally {
            if (handle == 0)
                model.giveSession();
        }
    }

    /** A new photo: width x height pixels 0xAARRGGBB, as android.graphics.Bitmap.getPixels gives them; alpha is not
     * looked at. Forgets all taps. */
    public void setImage(int[] argb, int width, int height) {
        if (width <= 0 || height <= 0 || argb.length < (long)width * height)
            throw new IllegalArgumentException("expected " + width + " x " + height + " pixels, found " + argb.length);
        this.width = this.height = 0;
        setPixels(open(), argb, width, height);
        this.width = width;
        this.height = height;
    }

    /** A tap on the object. */
    public void tap(int x, int y) {
        tap(x, y, true);
    }

    /** A tap on the object, or (positive false) on what is not the object. */
    public void tap(int x, int y, boolean positive) {
        click(open(), x, y, positive);
    }

    /** From another thread: the tap that is running ends with a TapcutException, CANCELLED, and without effect. */
    public void cancel() {
        long value = handle;
        if (value != 0)
            cancel(value);
    }

    /** Takes back the last tap. */
    public void undo() {
        undo(open());
    }

    /** Takes back all taps. */
    public void reset() {
        reset(open());
    }

    public int getTaps() {
        return taps(open());
    }

    public int getWidth() {
        return width;
    }

    public int getHeight() {
        return height;
    }

    /** width x height bytes: -1 (255) for the object, 0 for what is not. */
    public byte[] mask() {
        byte[] result = new byte[width * height];
        read(open(), result, width, height, 0);
        return result;
    }

    /** The same with a soft edge that follows the photo's: an alpha channel. */
    public byte[] alpha() {
        byte[] result = new byte[width * height];
        read(open(), result, width, height, 1);
        return result;
    }

    /** alpha() at another size of at most the photo's: fast, for the screen. */
    public byte[] preview(int width, int height) {
        byte[] result = new byte[Math.max(width, 1) * Math.max(height, 1)];
        read(open(), result, width, height, 2);
        return result;
    }

    /** The photo's colours with alpha(): the object on a transparent background, 0xAARRGGBB, not premultiplied. The
     * colours of soft edges are the object's own. */
    public int[] cutout(int[] argb) {
        if (argb.length < width * height)
            throw new IllegalArgumentException("expected " + width + " x " + height + " pixels, found " + argb.length);
        int[] result = new int[width * height];
        cutout(open(), argb, result, width, height);
        return result;
    }

    /** Frees the session. No other call may be running. */
    @Override
    public void close() {
        long old = handle;
        handle = 0;
        if (old != 0) {
            free(old);
            model.giveSession();
        }
    }

    /** For the Kotlin part on Android, which hands a Bitmap through without an array. */
    long open() {
        if (handle == 0)
            throw new IllegalStateException("the session is closed");
        return handle;
    }

    void tookImage(int width, int height) {
        this.width = width;
        this.height = height;
    }

    private static native long create(long model, int[] numbers, float threshold, float feather);

    private static native void setPixels(long handle, int[] argb, int width, int height);

    private static native void click(long handle, int x, int y, boolean positive);

    private static native void cancel(long handle);

    private static native void undo(long handle);

    private static native void reset(long handle);

    private static native int taps(long handle);

    private static native void read(long handle, byte[] to, int width, int height, int what);

    private static native void cutout(long handle, int[] argb, int[] to, int width, int height);

    private static native void free(long handle);

    /** android.graphics.Bitmap, ARGB_8888; its pixels are read in place. Only in Android's build of the library. */
    static native void setBitmap(long handle, Object bitmap);
}
