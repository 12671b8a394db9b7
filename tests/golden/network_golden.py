#!/usr/bin/env python3
"""Makes tests/golden/network.txt: what PyTorch says about tapcut's default network.

    apt-get install python3-torch
    /usr/bin/python3 tests/golden/network_golden.py [../shared/data/weights/squeezenet_v1_1_imagenet.safetensors]

Parameters, image, clicks and target come from an integer hash (fill below), so that the C test makes the same numbers
without a file. Recorded: logits; the loss; every named gradient; the losses of ten Adam steps and every parameter after
them; and, with the ImageNet file, the four trunk maps. Everything in float32 on one thread."""
import json
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
SIZE, BATCH, STEPS = 64, 2, 10
WIDTHS, CONTEXT, FEATURE_SCALE = [64, 48, 32, 16], 96, 1 / 32
LR, TRUNK_LR_SCALE, CLIP = 1e-3, 0.2, 1.0
NFL, BCE, DICE = 1.0, 0.5, 0.25


def name_hash(name):
    h = 0x811C9DC5
    for c in name.encode():
        h = ((h ^ c) * 0x01000193) & 0xFFFFFFFF
    return h


def fill(name, count):
    """`count` numbers in [-1, 1) that depend on name and position alone."""
    with np.errstate(over="ignore"):
        h = np.uint32(name_hash(name)) + np.arange(count, dtype=np.uint32) * np.uint32(2654435761)
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return ((h >> np.uint32(8)).astype(np.float32) / np.float32(1 << 23) - np.float32(1)).astype(np.float32)


params = {}


def param(name, *shape):
    if name not in params:
        fan_in = int(np.prod(shape[1:])) if len(shape) == 4 else 0
        bound = np.float32(np.sqrt(6.0 / fan_in)) if fan_in else np.float32(0.1)
        if name == "decoder.logits.weight":
            bound *= np.float32(1 / 16)  # logits of a few units: a saturated sigmoid would hide the gradients
        values = fill(name, int(np.prod(shape))) * bound
        params[name] = torch.from_numpy(values.reshape(shape)).requires_grad_(True)
    return params[name]


def conv(x, name, channels, kernel, padding=0, stride=1, dilation=1, bias=True):
    w = param(name + ".weight", channels, x.shape[1], kernel, kernel)
    b = param(name + ".bias", channels) if bias else None
    return F.conv2d(x, w, b, stride=stride, padding=padding, dilation=dilation)


def fire(x, name, squeeze, expand):
    s = F.relu(conv(x, name + ".squeeze", squeeze, 1))
    narrow = F.relu(conv(s, name + ".expand1x1", expand, 1))
    wide = F.relu(conv(s, name + ".expand3x3", expand, 3, 1))
    return torch.cat([narrow, wide], 1)


def pool(x):
    return F.max_pool2d(x, 3, 2, ceil_mode=True)


def trunk(stem):
    half = F.relu(stem)
    quarter = fire(fire(pool(half), "features.3", 16, 64), "features.4", 16, 64)
    eighth = fire(fire(pool(quarter), "features.6", 32, 128), "features.7", 32, 128)
    x = fire(fire(pool(eighth), "features.9", 48, 192), "features.10", 48, 192)
    sixteenth = fire(fire(x, "features.11", 64, 256), "features.12", 64, 256)
    return half, quarter, eighth, sixteenth


def up2(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def network(image, clicks):
    stem = conv(image, "features.0", 64, 3, 1, 2) + conv(clicks, "clicks.stem", 64, 3, 1, 2, bias=False)
    maps = [m * FEATURE_SCALE for m in reversed(trunk(stem))]
    x = torch.cat([maps[0], F.max_pool2d(clicks, 16, 16) * FEATURE_SCALE], 1)
    x = F.relu(conv(x, "decoder.context.reduce", CONTEXT, 1))
    for rate in (2, 4):
        x = x + F.relu(conv(x, "decoder.context.dilated%d" % rate, CONTEXT, 3, rate, 1, rate))
    x = x + F.relu(conv(x.mean((2, 3), keepdim=True), "decoder.context.global", CONTEXT, 1))
    m = F.relu(conv(x, "decoder.coarse", WIDTHS[0], 3, 1))
    for stage in (1, 2, 3):
        name = "decoder.refine%d" % stage
        s = F.relu(conv(maps[stage], name + ".skip1", WIDTHS[stage], 1))
        s = conv(s, name + ".skip2", WIDTHS[stage], 3, 1)
        m = F.relu(up2(conv(m, name + ".mask", WIDTHS[stage], 3, 1)) + s)
    m = F.relu(conv(m, "decoder.head", WIDTHS[3], 3, 1))
    return up2(conv(m, "decoder.logits", 1, 3, 1))


def loss_of(logits, target):
    """Mean over the samples of NFL + BCE + Dice, each over the sample's valid pixels."""
    total = 0
    for z, t in zip(logits, target):
        valid = t >= 0
        z, y = z[valid], t[valid]
        p = torch.sigmoid(z)
        pt = 1 - (y - p).abs()
        beta = (1 - pt) ** 2
        mult = (z.numel() / (beta.sum() + 1e-12)).detach()
        nfl = (-0.5 * beta * mult * torch.log(torch.clamp(pt + 1e-12, max=1))).mean()
        bce = F.binary_cross_entropy_with_logits(z, y)
        dice = 1 - (2 * (p * y).sum() + 1) / (p.sum() + y.sum() + 1)
        total = total + NFL * nfl + BCE * bce + DICE * dice
    return total / len(target)


def inputs():
    image = fill("image", BATCH * 3 * SIZE * SIZE).reshape(BATCH, 3, SIZE, SIZE) * np.float32(120)
    clicks = fill("clicks", BATCH * 3 * SIZE * SIZE).reshape(BATCH, 3, SIZE, SIZE)
    clicks = np.where(clicks > 0.9, np.float32(64), np.float32(0))
    target = fill("target", BATCH * SIZE * SIZE).reshape(BATCH, 1, SIZE, SIZE)
    target = np.where(target > 0.8, np.float32(-1), np.where(target > 0.2, np.float32(1), np.float32(0)))
    return [torch.from_numpy(a.astype(np.float32)) for a in (image, clicks, target)]


def record(out, kind, name, tensor):
    """Norm, projection on a hash vector, and four values spread over the tensor."""
    v = tensor.detach().double().numpy().ravel()
    projection = float(np.dot(v, fill("projection " + name, v.size).astype(np.float64)))
    picks = [v[i * (v.size - 1) // 3] for i in range(4)]
    out.write("%s %s %.9g %.9g %s\n" % (kind, name, np.linalg.norm(v), projection, " ".join("%.9g" % p for p in picks)))


def train(out):
    image, clicks, target = inputs()
    logits = network(image, clicks)
    record(out, "logits", "logits", logits)
    loss = loss_of(logits, target)
    loss.backward()
    for name, p in params.items():
        record(out, "grad", name, p.grad)
        p.grad = None
    groups = [
        {"params": [p for n, p in params.items() if n.startswith("features.")], "lr": LR * TRUNK_LR_SCALE},
        {"params": [p for n, p in params.items() if not n.startswith("features.")], "lr": LR},
    ]
    optimiser = torch.optim.Adam(groups)
    for _ in range(STEPS):
        optimiser.zero_grad()
        loss = loss_of(network(image, clicks), target)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(list(params.values()), CLIP)
        out.write("step loss %.9g %.9g 0 0 0 0\n" % (loss.item(), norm.item()))
        optimiser.step()
    for name, p in params.items():
        record(out, "after", name, p)


def imagenet(out, path):
    with open(path, "rb") as f:
        header = json.loads(f.read(struct.unpack("<Q", f.read(8))[0]))
        data = f.read()
    params.clear()
    for name, t in header.items():
        if name != "__metadata__":
            begin, end = t["data_offsets"]
            params[name] = torch.from_numpy(np.frombuffer(data[begin:end], "<f4").reshape(t["shape"]).copy())
    image = inputs()[0]
    maps = trunk(conv(image, "features.0", 64, 3, 1, 2))
    for name, m in zip(("half", "quarter", "eighth", "sixteenth"), maps):
        record(out, "map", name, m)


with open("tests/golden/network.txt", "w") as golden:
    golden.write("# PyTorch %s, by tests/golden/network_golden.py: kind name norm projection four-values\n"
                 % torch.__version__)
    train(golden)
    if len(sys.argv) > 1:
        imagenet(golden, sys.argv[1])
