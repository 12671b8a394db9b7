# SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
"""python3 -m tapcut: a tap on a photo, as `tapcut cut` does it."""

from __future__ import annotations

import argparse
import sys
from typing import List, Optional, Tuple

import tapcut
from tapcut._png import read_photo, write_png


def _point(text: str) -> Tuple[int, int]:
    try:
        x, y = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f'expected X,Y in whole pixels, such as 320,200, found "{text}"') from None
    return x, y


class _Tap(argparse.Action):
    """--tap and --not, in their order."""

    def __call__(self, parser, namespace, values, option_string=None) -> None:  # type: ignore[no-untyped-def]
        namespace.taps = [*(namespace.taps or []), (*values, option_string == "--tap")]


def _arguments(argv: Optional[List[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python3 -m tapcut", description="Cut an object out of a photo with a tap.",
        epilog="example: python3 -m tapcut cut dog.png --tap 320,200 --cutout dog-cutout.png")
    parser.add_argument("--version", action="version", version=f"tapcut {tapcut.version()}")
    commands = parser.add_subparsers(dest="command", required=True)
    cut = commands.add_parser("cut", help="the object at a tap, as mask or cutout")
    cut.add_argument("photo", help="PNG or PPM; with Pillow whatever that reads")
    cut.add_argument("--tap", dest="taps", type=_point, action=_Tap, metavar="X,Y", help="a tap on the object")
    cut.add_argument("--not", dest="taps", type=_point, action=_Tap, metavar="X,Y", help="a tap on what is not")
    cut.add_argument("--mask", metavar="OUT.png", help="the mask: 255 object, 0 not")
    cut.add_argument("--cutout", metavar="OUT.png", help="the object on a transparent background")
    cut.add_argument("--model", metavar="FILE", help="weights file")
    cut.add_argument("--threads", type=int, default=1, metavar="N")
    arguments = parser.parse_args(argv)
    if not arguments.taps:
        cut.error("where is the object? --tap X,Y is missing")
    if not arguments.mask and not arguments.cutout:
        cut.error("nothing to do: give --mask or --cutout")
    return arguments


def main(argv: Optional[List[str]] = None) -> int:
    """The exit code: 0 done, 1 failed or nothing selected, 2 wrong usage (by argparse)."""
    a = _arguments(argv)
    try:
        photo = read_photo(a.photo)
        session = tapcut.Model(a.model).session(threads=a.threads)
        session.set_image(photo)
        for x, y, positive in a.taps:
            session.tap(x, y, positive)
        if a.mask:
            write_png(a.mask, session.mask())
        if a.cutout:
            session.set_feather(2 + (session.width + session.height) / 4000)
            write_png(a.cutout, tapcut.cutout(photo, session.alpha()))
        if session.box() is None:
            raise ValueError("nothing is selected: tap on another part of the object")
    except (tapcut.TapcutError, OSError, ValueError, ImportError) as error:
        print(f"python3 -m tapcut: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
