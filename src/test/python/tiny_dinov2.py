"""Writes a network of DINOv2's architecture (Oquab et al. 2023: a vision transformer with patches of 14 pixels, a class token, position
embeddings that are interpolated to the image's size, and layer scale) with random weights, exported as docs/teacher.md says.

    python tiny_dinov2.py ../../../cli/src/test/resources/dinov2/tiny-dinov2.onnx
    python tiny_dinov2.py dinov2-small.onnx --dim 384 --depth 12 --heads 6 --grid 37

The first is the file of the tests, the second has the size of DINOv2-small. Needs torch, onnx and onnxscript.
"""
import argparse

import torch
import torch.nn.functional as F
from torch import nn

PATCH = 14


class LayerScale(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(dim).uniform_(0.2, 1.5))

    def forward(self, x):
        return x * self.gamma


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.scale = (dim // heads) ** -0.5
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x):
        b, n, c = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        x = (q * self.scale @ k.transpose(-2, -1)).softmax(dim=-1) @ v
        return self.proj(x.transpose(1, 2).reshape(b, n, c))


class Block(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.ls1 = LayerScale(dim)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))
        self.ls2 = LayerScale(dim)

    def forward(self, x):
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class DinoV2(nn.Module):
    """Returns the class token behind the last norm, [batch, dim], as DINOv2's own forward does."""

    def __init__(self, dim, depth, heads, grid):
        super().__init__()
        self.grid = grid
        self.patch_embed = nn.Conv2d(3, dim, PATCH, PATCH)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + grid * grid, dim) * 0.1)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim, eps=1e-6)

    def positions(self, height, width):
        patches = self.pos_embed[:, 1:].reshape(1, self.grid, self.grid, -1).permute(0, 3, 1, 2)
        patches = F.interpolate(patches, size=(height, width), mode="bicubic", antialias=False)
        return torch.cat([self.pos_embed[:, :1], patches.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)

    def forward(self, image):
        x = self.patch_embed(image)
        height, width = x.shape[-2:]
        x = x.flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(x.shape[0], -1, -1), x], dim=1) + self.positions(height, width)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)[:, 0]


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("out")
    arguments.add_argument("--dim", type=int, default=24)
    arguments.add_argument("--depth", type=int, default=2)
    arguments.add_argument("--heads", type=int, default=2)
    arguments.add_argument("--grid", type=int, default=18, help="side of the position embeddings, 37 in DINOv2")
    a = arguments.parse_args()
    torch.manual_seed(1)
    teacher = DinoV2(a.dim, a.depth, a.heads, a.grid).eval()
    # As docs/teacher.md has it.
    torch.onnx.export(teacher, torch.zeros(2, 3, 224, 224), a.out, input_names=["image"], output_names=["embedding"],
                      dynamic_axes={"image": {0: "batch"}, "embedding": {0: "batch"}}, opset_version=17, dynamo=False)


if __name__ == "__main__":
    main()
