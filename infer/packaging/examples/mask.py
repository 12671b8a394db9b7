#!/usr/bin/env python3
"""mask.py MODEL.tapcut PHOTO.ppm MASK.pgm X,Y [X,Y ...] [-X,Y ...]

What mask.c does, through ctypes and the standard library alone. The shared library is looked for by its name;
TAPCUT_LIBRARY names another file. A tap with a minus sign is on what is not the object."""
import ctypes
import os
import sys

MESSAGE_SIZE = 256  # TAPCUT_MESSAGE_SIZE


def load_library():
    """libtapcut with the argument types of tapcut.h: without them ctypes passes pointers as int."""
    lib = ctypes.CDLL(os.environ.get("TAPCUT_LIBRARY", "libtapcut.so.0.5"))
    handle, text, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t
    out = ctypes.POINTER(ctypes.c_void_p)
    lib.tapcut_model_load_file.argtypes = [text, out, text]
    lib.tapcut_model_free.argtypes = [handle]
    lib.tapcut_model_free.restype = None
    lib.tapcut_session_new.argtypes = [handle, handle, out, text]
    lib.tapcut_session_free.argtypes = [handle]
    lib.tapcut_session_free.restype = None
    lib.tapcut_session_set_image.argtypes = [handle, text, ctypes.c_int, ctypes.c_int, size]
    lib.tapcut_session_click.argtypes = [handle, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    lib.tapcut_session_mask.argtypes = [handle, text, size]
    lib.tapcut_session_message.argtypes = [handle]
    lib.tapcut_session_message.restype = text
    return lib


class Tapcut:
    """A model and a session on it. A model may serve several sessions; here there is one."""

    def __init__(self, model_path):
        self.lib = load_library()
        self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.width = self.height = 0
        message = ctypes.create_string_buffer(MESSAGE_SIZE)
        if self.lib.tapcut_model_load_file(os.fsencode(model_path), ctypes.byref(self.model), message):
            raise ValueError(message.value.decode())
        if self.lib.tapcut_session_new(self.model, None, ctypes.byref(self.session), message):
            self.close()
            raise ValueError(message.value.decode())

    def close(self):
        self.lib.tapcut_session_free(self.session)
        self.lib.tapcut_model_free(self.model)
        self.model, self.session = ctypes.c_void_p(), ctypes.c_void_p()

    def check(self, status):
        if status:
            raise ValueError(self.lib.tapcut_session_message(self.session).decode())

    def set_image(self, rgb, width, height):
        if len(rgb) != 3 * width * height:
            raise ValueError("the photo has %d bytes, expected %d" % (len(rgb), 3 * width * height))
        self.check(self.lib.tapcut_session_set_image(self.session, rgb, width, height, 3 * width))
        self.width, self.height = width, height

    def tap(self, x, y, positive=True):
        self.check(self.lib.tapcut_session_click(self.session, x, y, int(positive)))

    def mask(self):
        """A byte per pixel: 255 is object, 0 is not."""
        mask = ctypes.create_string_buffer(self.width * self.height)
        self.check(self.lib.tapcut_session_mask(self.session, mask, self.width))
        return mask.raw


def read_ppm(path):
    with open(path, "rb") as file:
        data = file.read()
    fields, at = [], 0
    while len(fields) < 4 and at < len(data):
        if data[at : at + 1].isspace():
            at += 1
        elif data[at : at + 1] == b"#":
            at = data.index(b"\n", at)
        else:
            end = at
            while end < len(data) and not data[end : end + 1].isspace():
                end += 1
            fields.append(data[at:end])
            at = end
    if len(fields) != 4 or fields[0] != b"P6" or fields[3] != b"255":
        raise ValueError(path + ": not a PPM photo of 8 bits a channel")
    return data[at + 1 :], int(fields[1]), int(fields[2])


def main(arguments):
    if len(arguments) < 4:
        print(__doc__, file=sys.stderr)
        return 2
    model, photo, out, *taps = arguments
    tapcut = Tapcut(model)
    tapcut.set_image(*read_ppm(photo))
    for tap in taps:
        x, y = tap.lstrip("-").split(",")
        tapcut.tap(int(x), int(y), positive=not tap.startswith("-"))
    with open(out, "wb") as file:
        file.write(b"P5\n%d %d\n255\n" % (tapcut.width, tapcut.height) + tapcut.mask())
    tapcut.close()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, ValueError) as error:
        sys.exit("mask.py: %s" % error)
