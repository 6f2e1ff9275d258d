"""The same step in PyTorch, as an expert tunes it: channels last, of the last layer only the pictures' own filters,
frozen weights, no graph but the one that is needed. Speaks JSON, one line a request on stdin, one a reply on stdout.
Started by `phosphene bench --peers`, which sets the allocator so that no page faults are left."""

import json
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

last = torch.channels_last


def prepare(request):
    """Reads the weights: for each convolution its kernel [filters, channels, 3, 3] and its bias, float32, in order."""
    numbers = torch.from_numpy(np.fromfile(request["weights"], dtype=np.float32))
    layers, at = [], 0
    for convolution in request["convolutions"]:
        filters, channels = convolution["filters"], convolution["channels"]
        count = filters * channels * 9
        kernel = numbers[at : at + count].reshape(filters, channels, 3, 3)
        bias = numbers[at + count : at + count + filters]
        at += count + filters
        layers.append((convolution["block"], kernel.contiguous(memory_format=last), bias.contiguous()))
    return layers


def step_of(layers, place, units, grouped):
    """x ⇒ x after one update of the Keras blog: x + g / (rms(g) + 1e-5), g of the mean of each picture's own map."""
    kernel, bias = layers[place][1][units], layers[place][2][units]
    count = len(units)

    def own_maps(x):
        if grouped:
            x = x.contiguous().reshape(1, -1, *x.shape[2:])
            return F.conv2d(x, kernel.contiguous(), bias, padding=1, groups=count)[0]
        maps = F.conv2d(x, kernel, bias, padding=1)
        return maps[torch.arange(count), torch.arange(count)]

    def step(x):
        leaf = x.detach().requires_grad_(True)
        value, block = leaf, 0
        for own, weights, biases in layers[:place]:
            value = F.max_pool2d(value, 2) if own > block else value
            value = F.conv2d(value, weights, biases, padding=1).relu_()
            block = own
        value = F.max_pool2d(value, 2) if layers[place][0] > block else value
        objective = own_maps(value).relu().mean((1, 2)).sum()
        (gradient,) = torch.autograd.grad(objective, leaf)
        with torch.no_grad():
            rms = gradient.square().mean((1, 2, 3), keepdim=True).sqrt()
            return x + gradient / (rms + 1e-5)

    return step


def timed(step, x, steps):
    started = time.perf_counter()
    for _ in range(steps):
        x = step(x)
    return (time.perf_counter() - started) * 1000 / steps / len(x)


layers, step, x = [], None, None
for line in sys.stdin:
    request = json.loads(line)
    if request["do"] == "prepare":
        layers = prepare(request)
        torch.set_num_threads(request["threads"])
        reply = {"version": torch.__version__}
    elif request["do"] == "layer":
        pictures = np.fromfile(request["pictures"], dtype=np.float32).reshape(request["dims"])
        x = torch.from_numpy(pictures).contiguous(memory_format=last)
        forms = [step_of(layers, request["place"], request["units"], grouped) for grouped in (False, True)]
        for form in forms:
            timed(form, x, 1)
        step = min(forms, key=lambda form: timed(form, x, 2))
        np.asarray(step(x).contiguous()).tofile(request["moved"])
        reply = {}
    else:
        reply = {"ms": timed(step, x, request["steps"])}
    print(json.dumps(reply), flush=True)
