# SPDX-License-Identifier: MIT. Copyright (c) 2026 the tapcut authors.
"""build_wheel.py LIBRARY MODEL VERSION LICENSE FOLDER: the wheel of the Python package, from the library that was built
and a weights file, with nothing but Python itself (the binary distribution format, packaging.python.org). The same
input gives the same bytes. Prints the wheel's path."""

import base64
import hashlib
import os
import sys
import sysconfig
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def package_files(library: str, model: str) -> dict:
    """Name in the wheel: bytes."""
    files = {}
    source = os.path.join(HERE, "tapcut")
    for name in sorted(os.listdir(source)):
        path = os.path.join(source, name)
        if os.path.isfile(path):
            files["tapcut/" + name] = open(path, "rb").read()
    files["tapcut/lib/libtapcut.so"] = open(library, "rb").read()
    files["tapcut/models/base.tapcut"] = open(model, "rb").read()
    return files


def metadata(version: str, tag: str, license_file: str) -> dict:
    info = f"tapcut-{version}.dist-info/"
    readme = open(os.path.join(HERE, "README.md"), encoding="utf-8").read()
    return {
        info + "METADATA": ("Metadata-Version: 2.1\nName: tapcut\n" + f"Version: {version}\n"
            "Summary: Select an object in a photo with one tap\nLicense: MIT\nRequires-Python: >=3.8\n"
            "Description-Content-Type: text/markdown\n\n" + readme).encode(),
        info + "WHEEL": f"Wheel-Version: 1.0\nGenerator: tapcut\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        info + "LICENSE": open(license_file, "rb").read(),
    }


def record(files: dict, name: str) -> bytes:
    lines = []
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(data)}")
    return "\n".join([*lines, name + ",,", ""]).encode()


def main() -> int:
    library, model, version, license_file, folder = sys.argv[1:]
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    tag = f"py3-none-{platform}"
    files = {**package_files(library, model), **metadata(version, tag, license_file)}
    name = f"tapcut-{version}.dist-info/RECORD"
    files[name] = record(files, name)
    path = os.path.join(folder, f"tapcut-{version}-{tag}.whl")
    os.makedirs(folder, exist_ok=True)
    with zipfile.ZipFile(path + ".new", "w", zipfile.ZIP_DEFLATED) as wheel:
        for entry, data in files.items():
            info = zipfile.ZipInfo(entry, (2026, 1, 1, 0, 0, 0))
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(info, data)
    os.replace(path + ".new", path)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
