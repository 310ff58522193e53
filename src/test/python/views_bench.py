"""The yardstick of ViewsBench: the same views by torchvision's transforms of Pillow images, on one thread.

python views_bench.py FOLDER [ROUNDS [SECONDS]]

FOLDER holds JPEG photographs of 32x32 pixels, for example those of CIFAR-10. A round makes views for so many seconds; the script
prints the median and the quartiles of the rounds, by the clock and by the time of the processor, which leaves out other programs.
Images are decoded beforehand; 256x256 ones are the same photographs, enlarged.
Needs torch, torchvision and pillow.
"""
import glob
import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from PIL import Image
from torchvision import transforms as T
from torchvision.transforms import InterpolationMode

folder = sys.argv[1]
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
seconds = float(sys.argv[3]) if len(sys.argv) > 3 else 2
torch.set_num_threads(1)
files = sorted(glob.glob(folder + "/**/*.jpg", recursive=True))
photos = [Image.open(f).convert("RGB") for f in files[:: max(1, len(files) // 512)][:512]]


def simclr(size, strength, blur):
    """Chen et al. 2020, appendix A, as in most PyTorch programs; the kernel of the blur is a tenth of the side."""
    jitter = T.ColorJitter(0.8 * strength, 0.8 * strength, 0.8 * strength, 0.2 * strength)
    parts = [
        T.RandomResizedCrop(size, scale=(0.08, 1.0), interpolation=InterpolationMode.BICUBIC),
        T.RandomHorizontalFlip(),
        T.RandomApply([jitter], 0.8),
        T.RandomGrayscale(0.2),
    ]
    if blur:
        parts.append(T.RandomApply([T.GaussianBlur(size // 10 // 2 * 2 + 1, (0.1, 2.0))], 0.5))
    return T.Compose(parts + [T.ToTensor()])


settings = [
    ("simclr-cifar, 32 -> 32", simclr(32, 0.5, False), [p.resize((32, 32)) for p in photos]),
    ("simclr, 256 -> 224", simclr(224, 1.0, True), [p.resize((256, 256), Image.BICUBIC) for p in photos]),
]
rates = [([], []) for _ in settings]
torch.manual_seed(1)
for r in range(-1, rounds):
    for (_, view, images), rate in zip(settings, rates):
        made = 0
        cpu = time.process_time()
        start = time.perf_counter()
        while time.perf_counter() - start < seconds:
            for _ in range(16):
                view(images[made % len(images)])
                made += 1
        if r >= 0:
            rate[0].append(made / (time.perf_counter() - start))
            rate[1].append(made / (time.process_time() - cpu))


def summary(rate):
    low, median, high = statistics.quantiles(rate, n=4, method="inclusive")
    return f"{median:.0f} views/s (quartiles {low:.0f} to {high:.0f})"


for (name, _, _), (clock, processor) in zip(settings, rates):
    print(f"torchvision, {name}: {summary(clock)} of the clock, {summary(processor)} of the CPU", flush=True)
