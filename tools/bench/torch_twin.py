#!/usr/bin/env python3
"""The PyTorch twin of `tapcut bench --against torch`: the same network, batch, loss and optimiser, on fixed data.

    torch_twin.py CONFIG    CONFIG is a JSON object as tools/bench/torch.c writes it (configs/README.md has the keys)

Speaks in lines on stdin and stdout, so that one process can be measured in turns with ours:

    first line out     {"torch": "1.13.1", "parameters": 1103009, "macs": 695934976}, or {"skipped": "why"}
    nchw STEPS SECONDS, or channels_last STEPS SECONDS in: trains so many steps in that memory format, or those of so
    many seconds, and answers {"samples": 80, "seconds": 2.9, "best": 0.27, "cpu": 5.6} (best: of one step; cpu: of
    all threads); the end of its input ends it

By hand: echo "channels_last 10 5" | torch_twin.py '{"size": 256, "batch": 8, "threads": 2}' (other keys: DEFAULTS)."""
import json
import sys
import time

DEFAULTS = {
    "size": 256, "batch": 8, "threads": 1, "seed": 1,
    "trunk": "squeezenet1_1", "decoder": "sharpmask_light", "widths": [64, 48, 32, 16], "context_width": 96,
    "global_context": True, "click_entry": "stem_coarse", "click_planes": 3, "feature_scale": 1 / 32, "dropout": 0,
    "batch_norm": False,
    "nfl_weight": 1, "nfl_alpha": 0.5, "nfl_gamma": 2, "bce_weight": 0, "dice_weight": 0, "iou_weight": 0,
    "optim": "adam", "lr": 1e-3, "trunk_lr_scale": 0.2, "momentum": 0.9, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8,
    "weight_decay": 0, "clip_norm": 1, "ema_decay": 0.999,
}


def say(**message):
    print(json.dumps(message), flush=True)


try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    say(skipped="%s has no PyTorch: %s" % (sys.executable, error))
    sys.exit(0)

# Torchvision's `features` of SqueezeNet: (squeeze, expand) of a fire module, None where the map is pooled.
TRUNKS = {
    "squeezenet1_0": (96, 7, [None, (16, 64), (16, 64), (32, 128),
                              None, (32, 128), (48, 192), (48, 192), (64, 256),
                              None, (64, 256)]),
    "squeezenet1_1": (64, 3, [None, (16, 64), (16, 64),
                              None, (32, 128), (32, 128),
                              None, (48, 192), (48, 192), (64, 256), (64, 256)]),
}


class Fire(nn.Module):
    def __init__(self, channels, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, x):
        x = F.relu(self.squeeze(x), inplace=True)
        return torch.cat([F.relu(self.expand1x1(x), inplace=True), F.relu(self.expand3x3(x), inplace=True)], 1)


class Trunk(nn.Module):
    """Maps at 1/2, 1/4, 1/8 and 1/16; the click planes are added to the first convolution."""

    def __init__(self, config):
        super().__init__()
        width, kernel, features = TRUNKS[config["trunk"]]
        self.stem = nn.Conv2d(3, width, kernel, 2, kernel // 2)
        self.fires = nn.ModuleList()
        self.pooled_before = []
        self.channels = []
        for feature in features:
            self.pooled_before.append(feature is None)
            if feature is None:
                self.channels.append(width)
                continue
            self.fires.append(Fire(width, *feature))
            width = 2 * feature[1]
        self.channels.append(width)

    def forward(self, image, click_stem):
        x = F.relu(self.stem(image) + click_stem, inplace=True)
        maps, fires = [], iter(self.fires)
        for pooled in self.pooled_before:
            if pooled:
                maps.append(x)
                x = F.max_pool2d(x, 3, 2, ceil_mode=True)
            else:
                x = next(fires)(x)
        return maps + [x]


class Block(nn.Sequential):
    """Convolution, batch norm if the config has it, relu."""

    def __init__(self, config, channels, out, kernel, dilation=1):
        layers = [nn.Conv2d(channels, out, kernel, padding=kernel // 2 * dilation, dilation=dilation)]
        if config["batch_norm"]:
            layers.append(nn.BatchNorm2d(out))
        super().__init__(*layers, nn.ReLU(inplace=True))


class Context(nn.Module):
    def __init__(self, config, channels):
        super().__init__()
        width = config["context_width"]
        self.reduce = Block(config, channels, width, 1)
        self.dilated = nn.ModuleList([Block(config, width, width, 3, rate) for rate in (2, 4)])
        self.whole = nn.Conv2d(width, width, 1) if config["global_context"] else None

    def forward(self, x):
        x = self.reduce(x)
        for block in self.dilated:
            x = x + block(x)
        if self.whole is not None:
            x = x + F.relu(self.whole(x.mean((2, 3), keepdim=True)))
        return x


def double(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


class RefineLight(nn.Module):
    def __init__(self, config, mask, features, width):
        super().__init__()
        self.skip1 = Block(config, features, width, 1)
        self.skip2 = nn.Conv2d(width, width, 3, padding=1)
        self.mask = nn.Conv2d(mask, width, 3, padding=1)

    def forward(self, m, features):
        return F.relu(double(self.mask(m)) + self.skip2(self.skip1(features)), inplace=True)


class RefinePublished(nn.Module):
    def __init__(self, config, mask, features, last):
        super().__init__()
        half, skip = max(mask // 2, 1), 32 if last else 64
        self.skip1 = Block(config, features, skip, 3)
        self.skip2 = Block(config, skip, mask, 3)
        self.skip3 = nn.Conv2d(mask, half, 3, padding=1)
        self.mask1 = Block(config, mask, mask, 3)
        self.mask2 = nn.Conv2d(mask, half, 3, padding=1)

    def forward(self, m, features):
        m = F.relu(self.mask2(self.mask1(m)) + self.skip3(self.skip2(self.skip1(features))), inplace=True)
        return F.interpolate(m, scale_factor=2, mode="nearest")


class Light(nn.Module):
    def __init__(self, config, maps, coarse):
        super().__init__()
        w = config["widths"]
        self.coarse = Block(config, coarse, w[0], 3)
        self.refine = nn.ModuleList([RefineLight(config, w[i - 1], maps[3 - i], w[i]) for i in (1, 2, 3)])
        self.head = Block(config, w[3], w[3], 3)
        self.logits = nn.Conv2d(w[3], 1, 3, padding=1)

    def forward(self, coarse, maps):
        m = self.coarse(coarse)
        for refine, features in zip(self.refine, reversed(maps[:3])):
            m = refine(m, features)
        return double(self.logits(self.head(m)))


class Published(nn.Module):
    def __init__(self, config, maps, coarse):
        super().__init__()
        k = config["widths"][0]
        self.coarse = Block(config, coarse, k, 1)
        self.refine = nn.ModuleList()
        for stage in range(4):
            self.refine.append(RefinePublished(config, k, maps[3 - stage], stage == 3))
            k = max(k // 2, 1)
        self.logits = nn.Conv2d(k, 1, 3, padding=1)

    def forward(self, coarse, maps):
        m = self.coarse(coarse)
        for refine, features in zip(self.refine, reversed(maps)):
            m = refine(m, features)
        return self.logits(m)


class Transposed(nn.Module):
    def __init__(self, config, maps, coarse):
        super().__init__()
        self.score = nn.Conv2d(coarse, 1, 1)
        self.logits = nn.ConvTranspose2d(1, 1, 32, 16, 8)

    def forward(self, coarse, maps):
        return self.logits(self.score(coarse))


DECODERS = {"sharpmask_light": Light, "sharpmask": Published, "transposed": Transposed}


class Network(nn.Module):
    def __init__(self, config):
        super().__init__()
        if config["click_entry"] not in ("stem", "stem_coarse"):
            say(skipped="clicks that enter at \"%s\" have no twin" % config["click_entry"])
            sys.exit(0)
        width, kernel, _ = TRUNKS[config["trunk"]]
        self.scale, self.dropout = config["feature_scale"], config["dropout"]
        self.planes_at_coarse = config["click_entry"] == "stem_coarse"
        self.clicks_stem = nn.Conv2d(config["click_planes"], width, kernel, 2, kernel // 2, bias=False)
        self.trunk = Trunk(config)
        coarse = self.trunk.channels[3] + (config["click_planes"] if self.planes_at_coarse else 0)
        self.context = Context(config, coarse) if config["context_width"] else None
        coarse = config["context_width"] or coarse
        self.decoder = DECODERS[config["decoder"]](config, self.trunk.channels, coarse)

    def forward(self, image, clicks):
        maps = [m * self.scale for m in self.trunk(image, self.clicks_stem(clicks))]
        x = maps[3]
        if self.planes_at_coarse:
            x = torch.cat([x, F.max_pool2d(clicks, 16, 16) * self.scale], 1)
        if self.dropout:
            x = F.dropout(x, self.dropout)
        if self.context is not None:
            x = self.context(x)
        return self.decoder(x, maps)


def loss_of(config, logits, target):
    """The losses of core/ops, mean over the samples. No pixel is ignored here, so nothing is masked out."""
    p = torch.sigmoid(logits)
    dims, total = (1, 2, 3), 0
    if config["nfl_weight"]:
        is_object = target > 0.5
        pt = torch.where(is_object, p, 1 - p)
        beta = (1 - pt) ** config["nfl_gamma"]
        mult = (target[0].numel() / (beta.sum(dims, keepdim=True) + 1e-12)).detach()
        alpha = config["nfl_alpha"]
        if alpha != 0.5:
            alpha = torch.where(is_object, alpha, 1 - alpha)
        nfl = -alpha * beta * mult * torch.log(torch.clamp(pt + 1e-12, max=1))
        total = total + config["nfl_weight"] * nfl.mean()
    if config["bce_weight"]:
        total = total + config["bce_weight"] * F.binary_cross_entropy_with_logits(logits, target)
    both = (p * target).sum(dims) if config["dice_weight"] or config["iou_weight"] else None
    if config["dice_weight"]:
        dice = 1 - (2 * both + 1) / (p.sum(dims) + target.sum(dims) + 1)
        total = total + config["dice_weight"] * dice.mean()
    if config["iou_weight"]:
        iou = 1 - (both + 1) / (p.sum(dims) + target.sum(dims) - both + 1)
        total = total + config["iou_weight"] * iou.mean()
    return total


def optimiser_of(config, network):
    trunk = {id(p) for p in network.trunk.parameters()}
    groups = [
        {"params": [p for p in network.parameters() if id(p) in trunk], "lr": config["lr"] * config["trunk_lr_scale"]},
        {"params": [p for p in network.parameters() if id(p) not in trunk], "lr": config["lr"]},
    ]
    if config["optim"] == "sgd":
        return torch.optim.SGD(groups, config["lr"], config["momentum"], weight_decay=config["weight_decay"])
    kind = torch.optim.AdamW if config["optim"] == "adamw" else torch.optim.Adam
    # foreach: the fastest of PyTorch's loops over the parameters.
    return kind(groups, config["lr"], (config["beta1"], config["beta2"]), config["epsilon"],
                weight_decay=config["weight_decay"], foreach=True)


class Trainer:
    def __init__(self, config, memory_format):
        self.config = config
        torch.manual_seed(config["seed"])
        size, batch = config["size"], config["batch"]
        self.network = Network(config).to(memory_format=memory_format)
        self.image = (torch.randn(batch, 3, size, size) * 60).contiguous(memory_format=memory_format)
        clicks = (torch.rand(batch, config["click_planes"], size, size) > 0.999) * 64.0
        self.clicks = clicks.contiguous(memory_format=memory_format)
        self.target = (torch.rand(batch, 1, size, size) > 0.5).float()
        self.params = list(self.network.parameters())
        self.average = [p.detach().clone() for p in self.params] if config["ema_decay"] else None
        self.optimiser = optimiser_of(config, self.network)

    def step(self):
        self.optimiser.zero_grad(set_to_none=True)
        loss = loss_of(self.config, self.network(self.image, self.clicks), self.target)
        loss.backward()
        if self.config["clip_norm"]:
            nn.utils.clip_grad_norm_(self.params, self.config["clip_norm"])
        self.optimiser.step()
        if self.average:
            decay = self.config["ema_decay"]
            with torch.no_grad():
                torch._foreach_mul_(self.average, decay)
                torch._foreach_add_(self.average, self.params, alpha=1 - decay)
        return loss.item()

    def measure(self, steps, seconds):
        times, cpu = [time.perf_counter()], time.process_time()
        while len(times) <= steps and times[-1] - times[0] < seconds:
            self.step()
            times.append(time.perf_counter())
        say(samples=(len(times) - 1) * self.config["batch"], seconds=times[-1] - times[0],
            best=min(b - a for a, b in zip(times, times[1:])), cpu=time.process_time() - cpu)


def count_macs(network, config):
    """Multiply-adds of all convolutions for one sample, as core/ops counts them."""
    macs = 0

    def count(module, inputs, output):
        nonlocal macs
        pixels = (inputs[0] if isinstance(module, nn.ConvTranspose2d) else output)[0, 0].numel()
        macs += pixels * module.weight.numel()

    convolutions = [m for m in network.modules() if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d))]
    hooks = [m.register_forward_hook(count) for m in convolutions]
    network.eval()
    with torch.no_grad():
        network(torch.zeros(1, 3, config["size"], config["size"]),
                torch.zeros(1, config["click_planes"], config["size"], config["size"]))
    network.train()
    for hook in hooks:
        hook.remove()
    return macs


FORMATS = {"nchw": torch.contiguous_format, "channels_last": torch.channels_last}


def main():
    config = dict(DEFAULTS, **json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}"))
    torch.set_num_threads(config["threads"])
    network, trainers = Network(config), {}
    parameters = sum(p.numel() for p in network.parameters()) + sum(
        b.numel() for name, b in network.named_buffers() if not name.endswith("num_batches_tracked"))
    say(torch=torch.__version__, parameters=parameters, macs=count_macs(network, config))
    for line in sys.stdin:
        name, steps, seconds = line.split()
        if name not in trainers:
            trainers[name] = Trainer(config, FORMATS[name])
            trainers[name].step()  # oneDNN makes its kernels in the first one
        trainers[name].measure(int(steps), float(seconds))


main()
