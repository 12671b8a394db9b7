/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
package org.tapcut;

/**
 * A weights file in memory. It may serve sessions on any number of threads at once; close it after them.
 */
public final class Model implements AutoCloseable {
    static {
        System.loadLibrary("tapcut_jni");
    }

    private long handle;
    private int sessions;

    /** From a file's bytes: on Android, of an asset. */
    public Model(byte[] data) {
        if (data == null)
            throw new NullPointerException("data");
        handle = loadMemory(data);
    }

    /** From a file. */
    public Model(String path) {
        if (path == null)
            throw new NullPointerException("path");
        handle = loadFile(path);
    }

    /** The library's version. */
    public static native String version();

    /** Long side, in pixels, at which the model sees whole photos best. */
    public synchronized int getDefaultSize() {
        return defaultSize(open());
    }

    /** A session with default options. */
    public Session newSession() {
        return new Session(this, new Options());
    }

    public Session newSession(Options options) {
        return new Session(this, options);
    }

    /** Frees the model; refused while sessions of it are open. */
    @Override
    public synchronized void close() {
        if (sessions > 0)
            throw new IllegalStateException(sessions + " sessions of this model are open: close them first");
        long old = handle;
        handle = 0;
        if (old != 0)
            free(old);
    }

    /** For Session: the handle, which stays while the session is open. */
    synchronized long takeSession() {
        long value = open();
        sessions++;
        return value;
    }

    synchronized void giveSession() {
        sessions--;
    }

    private long open() {
        if (handle == 0)
            throw new IllegalStateException("the model is closed");
        return handle;
    }

    private static native long loadMemory(byte[] data);

    private static native long loadFile(String path);

    private static native int defaultSize(long handle);

    private static native void free(long handle);
}
