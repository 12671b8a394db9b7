/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
package org.tapcut;

/** Options of a session, as struct tapcut_options of tapcut.h; 0 and false stand for the default of every field. */
public final class Options {
    /** Long side in pixels at which the network sees the photo. */
    public int size;
    public int firstSize;
    public boolean noZoom;
    public float threshold;
    public boolean keepAll;
    public int holeLimit;
    /** Threads that run the network; any number gives the same mask. */
    public int threads;
    public boolean graphCut;
    /** Over how many pixels alpha fades. */
    public float feather;
    public boolean oneLook;
}
