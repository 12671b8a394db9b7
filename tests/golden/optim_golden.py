#!/usr/bin/python3
"""Writes optim_golden.h, for tests/core/test_optim.c: ten steps of PyTorch's SGD, Adam and AdamW on two parameters.

Run from the project root: tests/golden/optim_golden.py > tests/golden/optim_golden.h (made with PyTorch 1.13.1).

A weight of the trunk (decays, learning rate x 0.2) and a bias of the decoder (does not decay). Gradients are given
numbers, so that an error in one step does not feed on itself; the fifth is large, so that clipping is seen to begin and
end.
"""
import re

import torch

STEPS, WEIGHT, BIAS = 10, 5, 3
LR, TRUNK_SCALE = 0.05, 0.2

CASES = [
    # name, class, options, weight decay, clip
    ("OPTIM_SGD", torch.optim.SGD, dict(momentum=0.0), 0.0, 0.0),
    ("OPTIM_SGD", torch.optim.SGD, dict(momentum=0.9), 0.01, 0.0),
    ("OPTIM_SGD", torch.optim.SGD, dict(momentum=0.9), 0.01, 1.5),
    ("OPTIM_ADAM", torch.optim.Adam, dict(betas=(0.9, 0.999)), 0.0, 0.0),
    ("OPTIM_ADAM", torch.optim.Adam, dict(betas=(0.8, 0.95)), 0.1, 1.5),
    ("OPTIM_ADAMW", torch.optim.AdamW, dict(betas=(0.9, 0.999)), 0.1, 0.0),
    ("OPTIM_ADAMW", torch.optim.AdamW, dict(betas=(0.9, 0.99)), 0.1, 1.5),
]


def numbers(values):
    return "{" + ", ".join(re.sub("0+p", "p", float(v).hex()) for v in values) + "}"


def run(optimiser, options, decay, clip, values, grads):
    weight = values[:WEIGHT].clone().requires_grad_()
    bias = values[WEIGHT:].clone().requires_grad_()
    groups = [dict(params=[weight], lr=LR * TRUNK_SCALE, weight_decay=decay), dict(params=[bias], weight_decay=0.0)]
    optim = optimiser(groups, lr=LR, **options)
    for step in range(STEPS):
        weight.grad, bias.grad = grads[step, :WEIGHT].clone(), grads[step, WEIGHT:].clone()
        if clip:
            torch.nn.utils.clip_grad_norm_([weight, bias], clip)
        optim.step()
        yield torch.cat([weight, bias]).detach()


def main():
    torch.manual_seed(1)
    values = torch.randn(WEIGHT + BIAS)
    grads = torch.randn(STEPS, WEIGHT + BIAS) * 0.4
    grads[4] *= 20
    print("/* Written by optim_golden.py: PyTorch's optimisers, ten steps. */")
    print("#ifndef TESTS_GOLDEN_OPTIM_GOLDEN_H\n#define TESTS_GOLDEN_OPTIM_GOLDEN_H\n")
    print("#include \"core/optim.h\"\n")
    print(f"enum {{ GOLDEN_STEPS = {STEPS}, GOLDEN_WEIGHT = {WEIGHT}, GOLDEN_BIAS = {BIAS} }};")
    print("enum { GOLDEN_TOTAL = GOLDEN_WEIGHT + GOLDEN_BIAS };")
    print(f"static const double golden_lr = {LR}, golden_trunk_scale = {TRUNK_SCALE};\n")
    print(f"static const float golden_values[GOLDEN_TOTAL] = {numbers(values)};\n")
    print("static const float golden_grads[GOLDEN_STEPS][GOLDEN_TOTAL] = {")
    for row in grads:
        print(f"\t{numbers(row)},")
    print("};\n\nstatic const struct golden_case {\n\tenum optim_kind kind;")
    print("\tdouble momentum, beta1, beta2, weight_decay, clip_norm;")
    print("\tfloat values[GOLDEN_STEPS][GOLDEN_TOTAL]; /* after each step */\n} golden_cases[] = {")
    for kind, optimiser, options, decay, clip in CASES:
        momentum, betas = options.get("momentum", 0.0), options.get("betas", (0.0, 0.0))
        print(f"\t{{{kind}, {momentum}, {betas[0]}, {betas[1]}, {decay}, {clip}, {{")
        for row in run(optimiser, options, decay, clip, values, grads):
            print(f"\t\t{numbers(row)},")
        print("\t}},")
    print("};\n\n#endif")


main()
