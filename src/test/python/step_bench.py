"""The yardstick of `simclr bench step`: the same training step as a plain PyTorch loop.

    python step_bench.py WIDTH VIEWS [SECONDS]

ResNet-18 with CIFAR's stem and a projection head with batch norm, NT-Xent at temperature 0.2, SGD with momentum 0.9, on
random images; float32 and bfloat16 (autocast), both memory layouts. Prints views a second: median and quartiles of the steps.
"""
import statistics
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F


class Block(nn.Module):
    def __init__(self, inside, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.skip = None
        if stride > 1 or inside != out:
            self.skip = nn.Sequential(nn.Conv2d(inside, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        y = self.bn2(self.conv2(y))
        return F.relu(y + (x if self.skip is None else self.skip(x)), inplace=True)


def network(width):
    w = round(64 * width)
    layers = [nn.Conv2d(3, w, 3, 1, 1, bias=False), nn.BatchNorm2d(w), nn.ReLU(inplace=True)]
    inside = w
    for stage in range(4):
        for block in range(2):
            out = w << stage
            layers.append(Block(inside, out, 2 if block == 0 and stage > 0 else 1))
            inside = out
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, inside, bias=False), nn.BatchNorm1d(inside),
               nn.ReLU(inplace=True), nn.Linear(inside, 64 if width < 1 else 128, bias=False),
               nn.BatchNorm1d(64 if width < 1 else 128)]
    return nn.Sequential(*layers)


def nt_xent(z, t=0.2):
    z = F.normalize(z.float(), dim=1)
    logits = z @ z.t() / t
    n = len(z)
    logits.fill_diagonal_(float('-inf'))
    return F.cross_entropy(logits, (torch.arange(n) + n // 2) % n)


def main():
    width, views = float(sys.argv[1]), int(sys.argv[2])
    seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 20
    torch.manual_seed(1)
    x = torch.rand(views, 3, 32, 32)
    for half in (False, True):
        for last in (False, True):
            net = network(width)
            images = x
            if last:
                net = net.to(memory_format=torch.channels_last)
                images = x.contiguous(memory_format=torch.channels_last)
            sgd = torch.optim.SGD(net.parameters(), 0.03, momentum=0.9)
            rates = []
            end = time.perf_counter() + seconds
            while time.perf_counter() < end:
                start = time.perf_counter()
                with torch.autocast('cpu', torch.bfloat16, enabled=half):
                    z = net((images - 0.5) / 0.25)
                loss = nt_xent(z)
                sgd.zero_grad(set_to_none=True)
                loss.backward()
                sgd.step()
                rates.append(views / (time.perf_counter() - start))
            rates = rates[3:]
            q = statistics.quantiles(rates, n=4)
            print(f"{'bfloat16' if half else 'float32'} {'channels_last' if last else 'channels_first'}: "
                  f"{q[1]:.0f} views/s, quartiles {q[0]:.0f} {q[2]:.0f}", flush=True)


main()
