# SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
"""Photos in and PNG out for `python3 -m tapcut` where Pillow is not installed: PNG with 8 bits a sample, not
interlaced, and PPM (PNG specification, second edition, sections 7, 9 and 11). With Pillow everything that it reads."""

from __future__ import annotations

import struct
import zlib
from typing import Any, Tuple

_CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}
_MOST_PIXELS = 100_000_000


def _paeth(a: int, b: int, c: int) -> int:
    p = a + b - c
    pa, pb, pc = abs(p - a), abs(p - b), abs(p - c)
    return a if pa <= pb and pa <= pc else b if pb <= pc else c


def _unfilter(kind: int, row: bytearray, above: bytes, step: int, path: str) -> None:
    for i in range(len(row)):
        left = row[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + above[i]) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + above[i]) // 2) & 255
        elif kind == 4:
            row[i] = (row[i] + _paeth(left, above[i], above[i - step] if i >= step else 0)) & 255
        elif kind:
            raise ValueError(f"{path}: PNG: no filter {kind}")


def _to_rgb(row: bytes, channels: int) -> bytes:
    if channels == 3:
        return bytes(row)
    out = bytearray(3 * (len(row) // channels))
    for c in range(3):
        plane = row[0::channels] if channels < 3 else row[c::channels]
        if channels in (2, 4):  # over white
            alpha = row[channels - 1 :: channels]
            plane = bytes(255 - (255 - v) * a // 255 for v, a in zip(plane, alpha))
        out[c::3] = plane
    return bytes(out)


def _read_png(data: bytes, path: str) -> memoryview:
    at, packed = 8, []
    width = height = channels = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlace = struct.unpack(">IIBBBBB", body[:13])
            channels = _CHANNELS.get(colour, 0)
            if depth != 8 or interlace or not channels or not 0 < width * height <= _MOST_PIXELS:
                raise ValueError(f"{path}: expected a PNG with 8 bits a sample, not interlaced, without a palette; "
                    "install Pillow to read others")
        elif kind == b"IDAT":
            packed.append(body)
        at += 12 + length
    stride = width * channels
    rows = zlib.decompressobj().decompress(b"".join(packed), (stride + 1) * height)
    if not stride or len(rows) != (stride + 1) * height:
        raise ValueError(f"{path}: PNG: the file ends before the picture is complete")
    above, out = bytes(stride), bytearray()
    for y in range(height):
        begin = y * (stride + 1)
        row = bytearray(rows[begin + 1 : begin + 1 + stride])
        _unfilter(rows[begin], row, above, channels, path)
        above = bytes(row)
        out += _to_rgb(above, channels)
    return memoryview(bytes(out)).cast("B", [height, width, 3])


def _read_ppm(data: bytes, path: str) -> memoryview:
    fields = data.split(None, 4)
    if len(fields) < 5 or fields[3] != b"255":
        raise ValueError(f"{path}: expected a PPM with 8 bits a sample")
    width, height = int(fields[1]), int(fields[2])
    size = 3 * width * height
    if not 0 < width * height <= _MOST_PIXELS or len(data) < size:
        raise ValueError(f"{path}: PPM: the file ends before the picture is complete")
    return memoryview(data[len(data) - size :]).cast("B", [height, width, 3])


def read_photo(path: str) -> Any:
    """height x width x 3 bytes, upright."""
    try:
        from PIL import Image, ImageOps
    except ImportError:
        pass
    else:
        with Image.open(path) as image:
            return ImageOps.exif_transpose(image).convert("RGB")
    with open(path, "rb") as file:
        data = file.read()
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _read_png(data, path)
    if data[:2] == b"P6":
        return _read_ppm(data, path)
    raise ValueError(f"{path}: without Pillow only PNG and PPM are read: python3 -m pip install pillow")


def write_png(path: str, pixels: memoryview) -> None:
    """height x width, or height x width x 3 or 4."""
    shape: Tuple[int, ...] = pixels.shape
    height, width, channels = shape[0], shape[1], shape[2] if len(shape) == 3 else 1
    data, stride = pixels.tobytes(), width * channels
    rows = b"".join(b"\0" + data[y * stride : (y + 1) * stride] for y in range(height))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6))
            + chunk(b"IEND", b""))
