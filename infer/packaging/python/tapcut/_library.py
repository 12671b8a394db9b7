# SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
"""libtapcut as ctypes sees it: its structs and functions, as tapcut.h and tapcut_edit.h have them; where it lies."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from functools import lru_cache
from typing import Any, List

MESSAGE_SIZE = 256
STATUS_NAMES = {1: "NO_MEMORY", 2: "IO", 3: "FORMAT", 4: "LIMIT", 5: "ARGUMENT", 6: "CANCELLED"}

_c = ctypes
_HERE = os.path.dirname(os.path.abspath(__file__))


class Info(_c.Structure):
    _fields_ = [("architecture", _c.c_char_p), ("weights", _c.c_char_p), ("parameters", _c.c_size_t),
        ("steps", _c.c_size_t), ("file_bytes", _c.c_size_t), ("default_size", _c.c_int), ("arithmetic", _c.c_int)]


class Options(_c.Structure):
    _fields_ = [("struct_size", _c.c_size_t), ("size", _c.c_int), ("first_size", _c.c_int), ("no_zoom", _c.c_int),
        ("threshold", _c.c_float), ("keep_all", _c.c_int), ("hole_limit", _c.c_int), ("arithmetic", _c.c_int),
        ("threads", _c.c_int), ("graph_cut", _c.c_int), ("feather", _c.c_float), ("one_look", _c.c_int)]


class Filter(_c.Structure):
    _fields_ = [("name", _c.c_char_p), ("label", _c.c_char_p), ("help", _c.c_char_p), ("min", _c.c_float),
        ("max", _c.c_float), ("initial", _c.c_float), ("where", _c.c_int)]


class Picture(_c.Structure):
    _fields_ = [("rgb", _c.c_void_p), ("width", _c.c_int), ("height", _c.c_int), ("stride", _c.c_size_t)]


class Edit(_c.Structure):
    _fields_ = [("filter", _c.c_int), ("amount", _c.c_float), ("where", _c.c_int), ("colours", (_c.c_ubyte * 3) * 2),
        ("picture", Picture), ("depth", _c.c_float), ("top", _c.c_int), ("ground", _c.c_int)]


class Photo(_c.Structure):
    _fields_ = [("rgb", _c.c_void_p), ("rgb_stride", _c.c_size_t), ("alpha", _c.c_void_p),
        ("alpha_stride", _c.c_size_t), ("width", _c.c_int), ("height", _c.c_int)]


class Rows(_c.Structure):
    _fields_ = [("rgb", _c.c_void_p), ("alpha", _c.c_void_p), ("rgb_stride", _c.c_size_t),
        ("alpha_stride", _c.c_size_t), ("first", _c.c_int), ("count", _c.c_int)]


_handle = _c.c_void_p
_FUNCTIONS = {
    "tapcut_version": (_c.c_char_p, []),
    "tapcut_model_load_file": (_c.c_int, [_c.c_char_p, _c.POINTER(_handle), _c.c_char_p]),
    "tapcut_model_load_memory": (_c.c_int, [_c.c_char_p, _c.c_size_t, _c.POINTER(_handle), _c.c_char_p]),
    "tapcut_model_free": (None, [_handle]),
    "tapcut_model_get_info": (None, [_handle, _c.POINTER(Info)]),
    "tapcut_session_new": (_c.c_int, [_handle, _c.POINTER(Options), _c.POINTER(_handle), _c.c_char_p]),
    "tapcut_session_free": (None, [_handle]),
    "tapcut_session_set_image": (_c.c_int, [_handle, _c.c_void_p, _c.c_int, _c.c_int, _c.c_size_t]),
    "tapcut_session_click": (_c.c_int, [_handle, _c.c_int, _c.c_int, _c.c_int]),
    "tapcut_session_cancel": (None, [_handle]),
    "tapcut_session_undo": (_c.c_int, [_handle]),
    "tapcut_session_reset": (None, [_handle]),
    "tapcut_session_click_count": (_c.c_int, [_handle]),
    "tapcut_session_mask": (_c.c_int, [_handle, _c.c_void_p, _c.c_size_t]),
    "tapcut_session_labels": (_c.c_int, [_handle, _c.c_void_p, _c.c_size_t]),
    "tapcut_model_class": (_c.c_char_p, [_handle, _c.c_int]),
    "tapcut_session_alpha": (_c.c_int, [_handle, _c.c_void_p, _c.c_size_t]),
    "tapcut_session_preview": (_c.c_int, [_handle, _c.c_void_p, _c.c_int, _c.c_int, _c.c_size_t]),
    "tapcut_session_set_feather": (_c.c_int, [_handle, _c.c_float]),
    "tapcut_session_message": (_c.c_char_p, [_handle]),
    "tapcut_session_bytes": (_c.c_size_t, [_handle]),
    "tapcut_filter_count": (_c.c_int, []),
    "tapcut_filter_at": (_c.POINTER(Filter), [_c.c_int]),
    "tapcut_filter_find": (_c.c_int, [_c.c_char_p]),
    "tapcut_edit_init": (None, [_c.POINTER(Edit), _c.c_int]),
    "tapcut_edit_apply": (_c.c_int, [_c.POINTER(Edit), _c.c_int, _c.POINTER(Photo), _c.c_void_p, _c.c_char_p]),
    "tapcut_cutout_workspace": (_c.c_size_t, [_c.c_int, _c.c_int]),
    "tapcut_cutout_rows": (_c.c_int, [_c.c_int, _c.c_int, _c.POINTER(Rows), _c.c_int, _c.c_int, _c.c_int, _c.c_void_p,
        _c.c_size_t, _c.c_void_p, _c.c_char_p]),
}


def _candidates() -> List[str]:
    """TAPCUT_LIBRARY, the package's own, the system's."""
    named = os.environ.get("TAPCUT_LIBRARY")
    if named:
        return [named]
    own = os.path.join(_HERE, "lib")
    found = [os.path.join(own, name) for name in sorted(os.listdir(own))] if os.path.isdir(own) else []
    return found + [ctypes.util.find_library("tapcut") or "libtapcut.so"]


@lru_cache(maxsize=None)
def library() -> Any:
    """libtapcut, loaded when it is first needed."""
    errors = []
    for path in _candidates():
        try:
            lib = _c.CDLL(path)
            for name, (result, arguments) in _FUNCTIONS.items():
                function = getattr(lib, name)
                function.restype, function.argtypes = result, arguments
            return lib
        except (OSError, AttributeError) as error:
            errors.append(f"{path}: {error}")
    raise ImportError("libtapcut cannot be loaded: " + "; ".join(errors)
        + ". Install the wheel, or name the library in TAPCUT_LIBRARY.")


def find_model() -> str:
    """The weights file that comes with the package, or with an installed libtapcut; TAPCUT_MODEL names another."""
    places = [os.environ.get("TAPCUT_MODEL"), os.path.join(_HERE, "models", "base.tapcut")]
    places += [os.path.join(prefix, "share", "tapcut", "models", "base.tapcut") for prefix in ("/usr/local", "/usr")]
    for place in places:
        if place and os.path.exists(place):
            return place
    raise FileNotFoundError("no model: name a weights file, Model(\"base.tapcut\"), or set TAPCUT_MODEL")
