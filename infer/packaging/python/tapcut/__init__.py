# SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
"""Select an object in a photo with one tap: libtapcut for Python, through ctypes, without other packages.

    import tapcut
    model = tapcut.Model()                       # the model that comes with the package
    session = model.session()
    session.set_image(photo)                     # height x width x 3 bytes, RGB: NumPy, Pillow, memoryview
    session.tap(320, 200)
    mask = numpy.asarray(session.mask())         # height x width, 255 for the object; no copy
    cutout = tapcut.cutout(photo, session.alpha())

A model may serve sessions on many threads at once; a session belongs to one thread at a time, but for cancel(). Calls
that work release the interpreter's lock. What goes wrong is a TapcutError, and the session is as it was before it.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Iterable, List, NamedTuple, Optional, Sequence, Tuple, Union

from ._library import Edit as _Edit
from ._library import Info as _Info
from ._library import MESSAGE_SIZE, Options as _Options, Photo as _Photo, Rows as _Rows
from ._library import STATUS_NAMES, find_model, library

__all__ = ["Box", "Edit", "Filter", "Model", "ModelInfo", "Session", "TapcutError", "apply_edits", "cutout", "filters",
    "version"]


class TapcutError(Exception):
    """A call that libtapcut refused. `status` is its name: "NO_MEMORY", "IO", "FORMAT", "LIMIT", "ARGUMENT" or
    "CANCELLED"."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = STATUS_NAMES.get(status, str(status))


def _check(status: int, message: bytes) -> None:
    if status:
        raise TapcutError(status, message.decode("utf-8", "replace"))


def version() -> str:
    """The library's version."""
    return library().tapcut_version().decode()


# --- pixels -----------------------------------------------------------------------------------------------------------


class _Pixels(NamedTuple):
    """Rows of bytes for the library, and what keeps them alive."""

    pointer: Any
    width: int
    height: int
    stride: int
    owner: Any


def _view(image: Any) -> memoryview:
    if hasattr(image, "mode") and hasattr(image, "tobytes") and hasattr(image, "size"):  # a Pillow image
        image = image.convert("L") if image.mode == "L" else image.convert("RGB")
        width, height = image.size
        shape = [height, width] if image.mode == "L" else [height, width, 3]
        return memoryview(image.tobytes()).cast("B", shape)
    return memoryview(image)


def _pixels(image: Any, channels: int, what: str, writable: bool = False) -> _Pixels:
    """height x width x 3 bytes, or height x width where channels is 1, in rows that may lie apart."""
    view = _view(image)
    wanted = "height x width x 3" if channels == 3 else "height x width"
    if view.format not in ("B", "b", "c") or view.ndim != (3 if channels == 3 else 2) or (
            channels == 3 and view.shape[2] != 3):
        raise TypeError(f"{what}: expected {wanted} unsigned bytes, found {view.ndim} dimensions {view.shape} of "
            f'type "{view.format}"')
    height, width = view.shape[0], view.shape[1]
    inner = view.strides[1:] == ((3, 1) if channels == 3 else (1,))
    if not inner or view.strides[0] < channels * width or (writable and view.readonly):
        if writable:
            raise TypeError(f"{what}: expected {wanted} bytes that lie row after row and may be written")
        view = memoryview(view.tobytes()).cast("B", view.shape)
    stride = view.strides[0]
    if view.nbytes == 0:
        raise TypeError(f"{what}: there are no pixels")
    return _Pixels(*_address(view), width, height, stride, view)


class _Buffer(ctypes.Structure):
    """Py_buffer, as far as its beginning is needed (CPython's stable ABI)."""

    _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("rest", ctypes.c_byte * 128)]


def _address(view: memoryview) -> Tuple[Any]:
    buffer = _Buffer()
    api = ctypes.pythonapi
    strides = 0x0010 | 0x0008  # PyBUF_STRIDES
    if api.PyObject_GetBuffer(ctypes.py_object(view), ctypes.byref(buffer), strides) != 0:
        raise TypeError("these bytes cannot be read in place")
    address = buffer.buf
    api.PyBuffer_Release(ctypes.byref(buffer))  # the view itself keeps the memory
    return (ctypes.c_void_p(address),)


def _plane(width: int, height: int, channels: int = 1) -> Tuple[memoryview, Any]:
    bytes_ = bytearray(width * height * channels)
    shape = [height, width] if channels == 1 else [height, width, channels]
    view = memoryview(bytes_).cast("B", shape)
    return view, (ctypes.c_ubyte * len(bytes_)).from_buffer(bytes_)


# --- model and session ------------------------------------------------------------------------------------------------


class ModelInfo(NamedTuple):
    """What a weights file says of itself. default_size: the long side, in pixels, at which it sees photos best."""

    architecture: str
    weights: str
    parameters: int
    steps: int
    file_bytes: int
    default_size: int


class Model:
    """A weights file in memory: a path, its bytes, or None for the one that comes with the package."""

    def __init__(self, source: Union[str, "os.PathLike[str]", bytes, None] = None) -> None:
        self._handle = ctypes.c_void_p()
        message = ctypes.create_string_buffer(MESSAGE_SIZE)
        if isinstance(source, (bytes, bytearray, memoryview)):
            data = bytes(source)
            status = library().tapcut_model_load_memory(data, len(data), ctypes.byref(self._handle), message)
        else:
            path = os.fsencode(find_model() if source is None else source)
            status = library().tapcut_model_load_file(path, ctypes.byref(self._handle), message)
        _check(status, message.value)

    def info(self) -> ModelInfo:
        """What the file is."""
        info = _Info()
        library().tapcut_model_get_info(self._handle, ctypes.byref(info))
        return ModelInfo(info.architecture.decode(), info.weights.decode(), info.parameters, info.steps,
            info.file_bytes, info.default_size)

    def classes(self) -> List[str]:
        """The names of what a model that labels scenes knows, the background first; [] of one that selects."""
        names: List[str] = []
        while True:
            name = library().tapcut_model_class(self._handle, len(names))
            if name is None:
                return names
            names.append(name.decode("utf-8", "replace"))

    def session(self, **options: float) -> "Session":
        """Session(self, ...)."""
        return Session(self, **options)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            library().tapcut_model_free(self._handle)
            self._handle = None


class Box(NamedTuple):
    """Pixels x0 <= x < x1, y0 <= y < y1."""

    x0: int
    y0: int
    x1: int
    y1: int


class Session:
    """Taps on one photo after another. Options are those of tapcut.h, 0 standing for the default: size, first_size,
    no_zoom, threshold, keep_all, hole_limit, arithmetic, threads, graph_cut, feather, one_look."""

    def __init__(self, model: Model, **options: float) -> None:
        self._handle = ctypes.c_void_p()
        self.model = model
        self.width = self.height = 0
        values = _Options()
        values.struct_size = ctypes.sizeof(values)
        for name, value in options.items():
            if name == "struct_size" or name not in dict(_Options._fields_):
                raise TypeError(f"no option {name}: expected one of "
                    + ", ".join(n for n, _ in _Options._fields_ if n != "struct_size"))
            setattr(values, name, float(value) if name in ("threshold", "feather") else int(value))
        message = ctypes.create_string_buffer(MESSAGE_SIZE)
        _check(library().tapcut_session_new(model._handle, ctypes.byref(values), ctypes.byref(self._handle), message),
            message.value)

    def _must(self, status: int) -> None:
        _check(status, library().tapcut_session_message(self._handle))

    def set_image(self, photo: Any) -> None:
        """A new photo: height x width x 3 bytes, RGB, upright. Forgets all taps."""
        p = _pixels(photo, 3, "photo")
        self.width = self.height = 0
        self._must(library().tapcut_session_set_image(self._handle, p.pointer, p.width, p.height, p.stride))
        self.width, self.height = p.width, p.height

    def tap(self, x: int, y: int, positive: bool = True) -> None:
        """A tap on the object, or with positive=False on what is not the object."""
        self._must(library().tapcut_session_click(self._handle, x, y, int(positive)))

    def cancel(self) -> None:
        """From another thread: the tap that is running ends with a TapcutError, "CANCELLED", and without effect."""
        library().tapcut_session_cancel(self._handle)

    def undo(self) -> None:
        """Takes back the last tap."""
        self._must(library().tapcut_session_undo(self._handle))

    def reset(self) -> None:
        """Takes back all taps."""
        library().tapcut_session_reset(self._handle)

    @property
    def taps(self) -> int:
        """How many taps there are."""
        return library().tapcut_session_click_count(self._handle)

    @property
    def memory_bytes(self) -> int:
        """What the session holds for this photo, the model not counted."""
        return library().tapcut_session_bytes(self._handle)

    def set_feather(self, pixels: float) -> None:
        """Over how many pixels alpha fades: 0 to 200."""
        self._must(library().tapcut_session_set_feather(self._handle, pixels))

    def mask(self) -> memoryview:
        """height x width bytes: 255 for the object, 0 for what is not."""
        view, array = _plane(self.width, self.height) if self.width else _plane(1, 1)
        self._must(library().tapcut_session_mask(self._handle, array, self.width))
        return view

    def labels(self) -> memoryview:
        """height x width bytes: the class of each pixel, by its place in model.classes(). Taps play no part."""
        view, array = _plane(self.width, self.height) if self.width else _plane(1, 1)
        self._must(library().tapcut_session_labels(self._handle, array, self.width))
        return view

    def alpha(self) -> memoryview:
        """The same with a soft edge that follows the photo's."""
        view, array = _plane(self.width, self.height) if self.width else _plane(1, 1)
        self._must(library().tapcut_session_alpha(self._handle, array, self.width))
        return view

    def preview(self, width: int, height: int) -> memoryview:
        """alpha() at another size of at most the photo's: fast."""
        view, array = _plane(max(width, 1), max(height, 1))
        self._must(library().tapcut_session_preview(self._handle, array, width, height, width))
        return view

    def box(self) -> Optional[Box]:
        """What encloses the object; None where nothing is selected."""
        mask = self.mask()
        bytes_ = bytes(mask)
        rows = [y for y in range(self.height) if 255 in bytes_[y * self.width : (y + 1) * self.width]]
        if not rows:
            return None
        lines = [bytes_[y * self.width : (y + 1) * self.width] for y in rows]
        return Box(min(line.find(255) for line in lines), rows[0], max(line.rfind(255) for line in lines) + 1,
            rows[-1] + 1)

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            library().tapcut_session_free(self._handle)
            self._handle = None


# --- edits ------------------------------------------------------------------------------------------------------------


class Filter(NamedTuple):
    """What a user interface needs to know of a filter; where: "everywhere", "inside" or "outside"."""

    name: str
    label: str
    help: str
    min: float
    max: float
    initial: float
    where: str


_WHERE = ("everywhere", "inside", "outside")


def filters() -> List[Filter]:
    """All filters, in the order in which a user interface may show them."""
    lib = library()
    found = []
    for index in range(lib.tapcut_filter_count()):
        f = lib.tapcut_filter_at(index).contents
        found.append(Filter(f.name.decode(), f.label.decode(), f.help.decode(), f.min, f.max, f.initial,
            _WHERE[f.where]))
    return found


class Edit(NamedTuple):
    """One edit: a filter's name; amount, where and depth: None for the filter's own. colours: of "background" (the
    first) and of "duotone" (dark, light). picture: what "background" shows instead of a colour."""

    filter: str
    amount: Optional[float] = None
    where: Optional[str] = None
    colours: Sequence[Tuple[int, int, int]] = ()
    picture: Any = None
    depth: Optional[float] = None


def _fill(edit: Edit, to: _Edit) -> Optional[_Pixels]:
    lib = library()
    index = lib.tapcut_filter_find(edit.filter.encode())
    if index < 0:
        raise ValueError(f'no filter "{edit.filter}": expected one of ' + ", ".join(f.name for f in filters()))
    lib.tapcut_edit_init(ctypes.byref(to), index)
    if edit.amount is not None:
        to.amount = edit.amount
    if edit.depth is not None:
        to.depth = edit.depth
    if edit.where is not None:
        if edit.where not in _WHERE:
            raise ValueError(f'where: expected one of {", ".join(_WHERE)}, found "{edit.where}"')
        to.where = _WHERE.index(edit.where)
    for i, colour in enumerate(edit.colours[:2]):
        to.colours[i] = (ctypes.c_ubyte * 3)(*colour)
    if edit.picture is None:
        return None
    picture = _pixels(edit.picture, 3, "picture")
    to.picture.rgb, to.picture.width, to.picture.height = picture.pointer, picture.width, picture.height
    to.picture.stride = picture.stride
    return picture


def apply_edits(photo: Any, alpha: Any, edits: Iterable[Edit]) -> memoryview:
    """The photo with the edits, one after the other; the photo itself stays. height x width x 3 bytes."""
    source, soft = _pixels(photo, 3, "photo"), _pixels(alpha, 1, "alpha")
    if (source.width, source.height) != (soft.width, soft.height):
        raise ValueError(f"alpha: expected {source.width} x {source.height} pixels as the photo has, found "
            f"{soft.width} x {soft.height}")
    listed = list(edits)
    array = (_Edit * max(len(listed), 1))()
    pictures = [_fill(edit, array[i]) for i, edit in enumerate(listed)]
    result = bytearray(source.owner.tobytes())
    pixels = (ctypes.c_ubyte * len(result)).from_buffer(result)
    canvas = _Photo(ctypes.cast(pixels, ctypes.c_void_p), 3 * source.width, soft.pointer, soft.stride, source.width,
        source.height)
    message = ctypes.create_string_buffer(MESSAGE_SIZE)
    _check(library().tapcut_edit_apply(array, len(listed), ctypes.byref(canvas), None, message), message.value)
    del pictures
    return memoryview(result).cast("B", [source.height, source.width, 3])


def cutout(photo: Any, alpha: Any, premultiplied: bool = False) -> memoryview:
    """The object on a transparent background: height x width x 4 bytes, RGBA. Colours of soft edges are the object's
    own."""
    source, soft = _pixels(photo, 3, "photo"), _pixels(alpha, 1, "alpha")
    if (source.width, source.height) != (soft.width, soft.height):
        raise ValueError(f"alpha: expected {source.width} x {source.height} pixels as the photo has, found "
            f"{soft.width} x {soft.height}")
    lib = library()
    view, array = _plane(source.width, source.height, 4)
    workspace = ctypes.create_string_buffer(max(lib.tapcut_cutout_workspace(source.width, source.height), 1))
    rows = _Rows(source.pointer, soft.pointer, source.stride, soft.stride, 0, source.height)
    message = ctypes.create_string_buffer(MESSAGE_SIZE)
    _check(lib.tapcut_cutout_rows(source.width, source.height, ctypes.byref(rows), 0, source.height,
        int(premultiplied), array, 4 * source.width, workspace, message), message.value)
    return view
