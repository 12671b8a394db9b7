"""Writes golden/tiny_*.tapcut: small weights files made from infer/FORMAT.md alone, with nothing of ours, so that the
reader is tested against the document and not against our own writer. Run from the project root:
python3 tests/infer/make_tiny_tapcut.py"""
import struct
import zlib

STEPS = [  # op, relu, inputs, args, number, tensors
    (1, 1, [0], [3, 3, 2, 1, 1], 0.0, [0, 1]),   # value 2: conv2d 3 -> 4, stride 2, relu
    (6, 0, [1], [2, 2, 0, 1], 0.0, [-1, -1]),    # value 3: max_pool2d of the clicks
    (1, 0, [3], [1, 1, 1, 0, 1], 0.0, [2, -1]),  # value 4: conv2d 3 -> 4, no bias
    (11, 1, [2, 4], [], 0.0, [-1, -1]),          # value 5: add, relu
    (14, 0, [5], [], 0.0, [3, 4]),               # value 6: channel_affine
    (2, 0, [6], [2, 2, 0], 0.0, [5, 6]),         # value 7: conv_transpose2d 4 -> 1: the logits
]
DIMS = [(4, 3, 3, 3), (4, 1, 1, 1), (4, 3, 1, 1), (4, 1, 1, 1), (4, 1, 1, 1), (4, 1, 2, 2), (1, 1, 1, 1)]

# Version 2, with ranges: value -> (scale, zero); scale 0: the image, sums for the add, the logits.
STEPS_8_BIT = [
    (1, 0, [0], [3, 3, 2, 1, 1], 0.0, [0, 1]),   # value 2: conv2d 3 -> 4, sums
    (6, 0, [1], [2, 2, 0, 1], 0.0, [-1, -1]),    # value 3: max_pool2d of the clicks, with their range
    (1, 0, [3], [1, 1, 1, 0, 1], 0.0, [2, -1]),  # value 4: conv2d 3 -> 4, sums
    (11, 1, [2, 4], [], 0.0, [-1, -1]),          # value 5: add, relu
    (3, 0, [5], [], 0.0, [-1, -1]),              # value 6: relu
    (1, 0, [6], [1, 1, 1, 0, 1], 0.0, [3, 4]),   # value 7: conv2d 4 -> 1
    (9, 0, [7], [2], 0.0, [-1, -1]),             # value 8: the logits
]
DIMS_8_BIT = [(4, 3, 3, 3), (4, 1, 1, 1), (4, 3, 1, 1), (1, 4, 1, 1), (1, 1, 1, 1)]
RANGES = [(0, 0), (1, 0), (0, 0), (1, 0), (0, 0), (0.25, 7), (0.5, 0), (0, 0), (0, 0)]



def number(tensor, i):
    """Exact in float16 and, times the scale 1/64, in int8."""
    return ((i * 37 + tensor * 11) % 101 - 50) / 64


def count(dims):
    return dims[0] * dims[1] * dims[2] * dims[3]


def model_record(weights, steps, dims, ranges):
    return (b"tiny".ljust(64, b"\0") + struct.pack("<IIBBBB", weights, 32, 1, 0, 1, bool(ranges))
            + struct.pack("<3f", 104, 117, 123) + struct.pack("<3f", 1, 1, 1)
            + struct.pack("<3f", 5, 64, 255) + struct.pack("<II", len(steps), len(dims)))


def step_record(op, relu, inputs, args, value, tensors):
    return struct.pack("<BBBB4i6if2i", op, relu, len(inputs), 0, *(inputs + [-1] * (4 - len(inputs))),
                       *(args + [0] * (6 - len(args))), value, *tensors)


def kind(tensor, weights, dims):
    """(type, planes, axis, entries - 1): the odd tensors of f32 and f16 files are in planes, vectors of others are
    f16."""
    vector = dims[tensor][1:] == (1, 1, 1)
    if weights == 2 and not vector:
        return 2, 0, 1 if tensor == 5 else 0, 0
    if weights == 3 and not vector:
        return 3, 0, 0, len(table(tensor, dims)) - 1
    return min(weights, 1), tensor % 2, 0, 0


def table(tensor, dims):
    return sorted({number(tensor, i) for i in range(count(dims[tensor]))})


def tensor_data(tensor, weights, dims):
    stored, planes, axis, _ = kind(tensor, weights, dims)
    n = count(dims[tensor])
    numbers = [number(tensor, i) for i in range(n)]
    if stored == 2:
        scales = struct.pack("<%df" % dims[tensor][axis], *[1 / 64] * dims[tensor][axis])
        return scales + struct.pack("<%db" % n, *[int(x * 64) for x in numbers])
    if stored == 3:
        entries = table(tensor, dims)
        return struct.pack("<%df" % len(entries), *entries) + bytes(entries.index(x) for x in numbers)
    width = 4 if stored == 0 else 2
    data = struct.pack("<%d%s" % (n, "f" if stored == 0 else "e"), *numbers)
    return b"".join(data[b::width] for b in range(width)) if planes else data


def content(weights, steps, dims, ranges):
    parts = [model_record(weights, steps, dims, ranges)] + [step_record(*s) for s in steps]
    parts += [struct.pack("<BBBB4I", *kind(t, weights, dims), *dims[t]) for t in range(len(dims))]
    parts += [struct.pack("<fBBBB", scale, zero, 0, 0, 0) for scale, zero in ranges]
    return b"".join(parts + [tensor_data(t, weights, dims) for t in range(len(dims))])


def envelope(inner, packed, version):
    payload = zlib.compress(inner, 9) if packed else inner
    head = b"\x89TAPCUT\n" + struct.pack("<5I", version, packed, 32 + len(payload), len(inner), zlib.crc32(inner))
    return head + payload + struct.pack("<I", zlib.crc32(head + payload))


def write(name, data):
    with open("tests/infer/golden/tiny_%s.tapcut" % name, "wb") as f:
        f.write(data)


for file, stored, compress in (("f32", 0, 1), ("f16", 1, 0), ("int8", 2, 1)):
    write(file, envelope(content(stored, STEPS, DIMS, []), compress, 1))
write("codebook", envelope(content(3, STEPS, DIMS, []), 1, 2))
write("8bit", envelope(content(2, STEPS_8_BIT, DIMS_8_BIT, RANGES), 1, 2))
