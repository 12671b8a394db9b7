"""python_test.py PNG WANTED_MASK: the Python package on one photo. Prints a line per test; ends with 1 where one fails.
The folder of the package is in PYTHONPATH, without anything of this project beside it."""

import gc
import os
import resource
import sys
import threading
import time

sys.modules["PIL"] = None  # the same readers whether Pillow is installed or not

import tapcut
from tapcut.__main__ import main
from tapcut._png import read_photo, write_png

PHOTO, WANTED = sys.argv[1:]
photo = read_photo(PHOTO)
height, width = photo.shape[:2]
model = tapcut.Model()


def opened(**options):
    session = model.session(**options)
    session.set_image(photo)
    return session


def refused(kind, status, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as error:
        assert status is None or error.status == status, error
        assert str(error), "an error without a message"
        return
    raise AssertionError(f"{call} took {arguments}")


def same_mask_as_the_program():
    session = opened(threads=2)
    session.tap(160, 120)
    assert session.mask().tobytes() == bytes(read_photo(WANTED).tobytes()[0::3])
    assert session.taps == 1 and session.memory_bytes > 1000
    box = session.box()
    assert 0 <= box.x0 < box.x1 <= width and 0 <= box.y0 < box.y1 <= height


def undo_and_reset():
    session = opened()
    assert session.box() is None
    session.tap(160, 120)
    before = session.mask().tobytes()
    session.tap(20, 20, positive=False)
    session.undo()
    assert session.mask().tobytes() == before
    session.reset()
    assert session.taps == 0 and set(session.mask().tobytes()) == {0}
    refused(tapcut.TapcutError, "ARGUMENT", session.undo)


def wrong_calls():
    session = model.session()
    refused(tapcut.TapcutError, "ARGUMENT", session.tap, 1, 1)
    refused(tapcut.TapcutError, "ARGUMENT", session.mask)
    refused(TypeError, None, session.set_image, b"abc")
    refused(TypeError, None, session.set_image, memoryview(bytes(12)).cast("i", [3]))
    refused(TypeError, None, session.set_image, "photo.png")
    session.set_image(photo)
    refused(tapcut.TapcutError, "ARGUMENT", session.tap, -1, 5)
    refused(tapcut.TapcutError, "ARGUMENT", session.tap, width, 5)
    refused(tapcut.TapcutError, "ARGUMENT", session.set_feather, 1000.0)
    refused(tapcut.TapcutError, "ARGUMENT", session.preview, 0, 5)
    assert model.classes() == []
    refused(tapcut.TapcutError, "ARGUMENT", session.labels)
    refused(TypeError, None, model.session, no_such_option=1)
    refused(tapcut.TapcutError, "ARGUMENT", model.session, size=7)
    refused(tapcut.TapcutError, "IO", tapcut.Model, "no/such.tapcut")
    refused(tapcut.TapcutError, "FORMAT", tapcut.Model, b"not a model")
    refused(ValueError, None, tapcut.apply_edits, photo, session.mask(), [tapcut.Edit("no_such_filter")])
    refused(tapcut.TapcutError, "ARGUMENT", tapcut.apply_edits, photo, session.mask(), [tapcut.Edit("exposure", 99)])
    refused(ValueError, None, tapcut.cutout, photo, memoryview(bytes(4)).cast("B", [2, 2]))


def rows_that_lie_apart():
    """A slice of a larger picture: its rows have a stride, and columns left out must not be read."""
    numpy = __import__("numpy")
    large = numpy.zeros((height + 4, width + 6, 3), numpy.uint8)
    large[2:-2, 3:-3] = numpy.asarray(photo)
    a, b = opened(), model.session()
    b.set_image(large[2:-2, 3:-3])
    for session in (a, b):
        session.tap(160, 120)
    assert a.mask() == b.mask()
    b.set_image(numpy.asarray(photo)[:, ::-1])  # columns backwards: copied
    b.tap(width - 161, 120)
    refused(TypeError, None, b.set_image, numpy.zeros((4, 4, 3), numpy.float32))


def edits_and_cutouts():
    session = opened()
    session.tap(160, 120)
    before = photo.tobytes()
    result = tapcut.apply_edits(photo, session.alpha(),
        [tapcut.Edit("focus", 8), tapcut.Edit("exposure", 0.2, "inside")])
    assert result.shape == photo.shape and result.tobytes() != before and photo.tobytes() == before
    assert tapcut.apply_edits(photo, session.alpha(), []).tobytes() == before
    white = tapcut.apply_edits(photo, session.mask(), [tapcut.Edit("background", colours=[(255, 255, 255)])])
    mask = session.mask()
    outside = next((x, y) for y in range(height) for x in range(width) if max(
        mask[min(max(y + dy, 0), height - 1), min(max(x + dx, 0), width - 1)]
        for dx in (-9, 0, 9) for dy in (-9, 0, 9)) == 0)
    assert [white[outside[1], outside[0], c] for c in range(3)] == [255, 255, 255]
    cut = tapcut.cutout(photo, session.alpha())
    assert cut.shape == (height, width, 4) and cut[outside[1], outside[0], 3] == 0
    names = [f.name for f in tapcut.filters()]
    assert len(names) == len(set(names)) > 20 and "focus" in names


def cancelled_tap():
    session = opened(size=1024, first_size=1024)
    session.tap(160, 120)
    before = session.mask().tobytes()
    outcomes = set()
    for delay in (0.001, 0.01, 0.03):
        done = threading.Event()
        canceller = threading.Thread(target=lambda: (time.sleep(delay), session.cancel(), done.set()))
        canceller.start()
        try:
            session.tap(20, 20, positive=False)
            outcomes.add("done")
            session.undo()
        except tapcut.TapcutError as error:
            outcomes.add(error.status)
        done.wait()
        canceller.join()
        assert session.taps == 1 and session.mask().tobytes() == before
    assert "CANCELLED" in outcomes, outcomes


def threads_at_once():
    masks = []

    def work():
        session = opened()
        session.tap(160, 120)
        masks.append(session.mask().tobytes())

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(masks) == 4 and len(set(masks)) == 1


def memory_comes_back():
    def megabytes():
        gc.collect()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

    for _ in range(3):
        opened().tap(160, 120)
    before = megabytes()
    for _ in range(40):
        opened().tap(160, 120)
    assert megabytes() < before + 20, f"{before:.0f} MB, then {megabytes():.0f} MB"


def command_line():
    folder = os.path.dirname(PHOTO)
    out = os.path.join(folder, "py-mask.png")
    assert main(["cut", PHOTO, "--tap", "160,120", "--mask", out]) == 0
    assert read_photo(out) == read_photo(WANTED)
    assert main(["cut", PHOTO, "--not", "160,120", "--mask", out]) == 1
    assert main(["cut", os.path.join(folder, "absent.png"), "--tap", "1,1", "--mask", out]) == 1
    write_png(out, memoryview(bytes(range(24))).cast("B", [2, 3, 4]))


failed = 0
for test in (same_mask_as_the_program, undo_and_reset, wrong_calls, rows_that_lie_apart, edits_and_cutouts,
        cancelled_tap, threads_at_once, memory_comes_back, command_line):
    try:
        test()
        print("ok", test.__name__)
    except ModuleNotFoundError as error:
        print("skip", test.__name__, error)
    except Exception as error:  # every test is told
        failed += 1
        print("FAILED", test.__name__, type(error).__name__, error)
sys.exit(failed > 0)
