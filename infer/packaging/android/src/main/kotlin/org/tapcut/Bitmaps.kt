/* SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors. */
package org.tapcut

import android.graphics.Bitmap

/** A new photo from a Bitmap (ARGB_8888, upright), whose pixels are read in place. Forgets all taps. */
fun Session.setImage(bitmap: Bitmap) {
    require(bitmap.config == Bitmap.Config.ARGB_8888) { "expected a Bitmap of ARGB_8888, found ${bitmap.config}" }
    Session.setBitmap(open(), bitmap)
    tookImage(bitmap.width, bitmap.height)
}

/** The object on a transparent background. */
fun Session.cutout(bitmap: Bitmap): Bitmap {
    val pixels = IntArray(bitmap.width * bitmap.height)
    bitmap.getPixels(pixels, 0, bitmap.width, 0, 0, bitmap.width, bitmap.height)
    return Bitmap.createBitmap(cutout(pixels), bitmap.width, bitmap.height, Bitmap.Config.ARGB_8888)
}

/** The soft mask as a Bitmap of ALPHA_8, for drawing. */
fun Session.alphaBitmap(): Bitmap {
    val bitmap = Bitmap.createBitmap(width, height, Bitmap.Config.ALPHA_8)
    val alpha = alpha()
    val rows = java.nio.ByteBuffer.allocate(bitmap.rowBytes * height)
    for (y in 0 until height) {
        rows.position(y * bitmap.rowBytes)
        rows.put(alpha, y * width, width)
    }
    rows.rewind()
    bitmap.copyPixelsFromBuffer(rows)
    return bitmap
}
