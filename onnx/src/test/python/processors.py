"""Writes src/test/resources/.../foreign/processors.json: configurations of image processors as transformers writes them, and what
these processors make of two pictures. Run with torch, torchvision and transformers 5.18; no network is needed."""
import json
from pathlib import Path

import numpy as np
import transformers

OUT = Path(__file__).parent.parent / "resources/io/github/simclr4j/onnx/foreign/processors.json"
# No crop of these cuts off an odd number of pixels that transformers halves otherwise than torchvision.
PICTURES = ((150, 100), (80, 120))
# A prime, so that the places are spread over all columns.
SAMPLES = 61


def picture(width, height):
    """The one of Foreign.picture."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    return ((3 * x * x + 7 * y + 50 * c + x * y) & 255).astype(np.uint8)


def case(name, processor, config=None):
    config = config or json.loads(processor.to_json_string())
    entry = {"name": name, "config": config, "pictures": []}
    for width, height in PICTURES:
        values = np.asarray(processor(picture(width, height), return_tensors="np")["pixel_values"])[0]
        entry["shape"] = values.shape
        places = [i * values.size // SAMPLES for i in range(SAMPLES)]
        entry["pictures"].append({"size": [width, height],
                                  "values": [round(float(values.reshape(-1)[p]), 3) for p in places]})
    return entry


def default(name, **kwargs):
    kind = getattr(transformers, name + "ImageProcessor")
    return case(name + str(kwargs or ""), kind(**kwargs))


def legacy(name, config):
    """A file of the years of feature extractors, read by today's class."""
    kind = getattr(transformers, name + "ImageProcessor")
    return case(name + " legacy", kind.from_dict(dict(config)), {"feature_extractor_type": name + "FeatureExtractor", **config})


def refused(name, **kwargs):
    kind = getattr(transformers, name + "ImageProcessor")
    return {"name": name, "config": json.loads(kind(**kwargs).to_json_string())}


def square(side):
    return {"height": side, "width": side}


IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "do_normalize": True, "do_resize": True}
EFFICIENT_STD = [0.47853944, 0.4732864, 0.47434163]
cases = [
    default("ViT", size=square(32)),
    default("ViT", size={"height": 24, "width": 40}, resample=1),
    default("DeiT", size=square(36), crop_size=square(32)),
    default("DeiT", size=square(40), crop_size={"height": 24, "width": 32}),
    default("Flava", size=square(32), crop_size=square(32)),
    default("CLIP", size={"shortest_edge": 32}, crop_size=square(32)),
    default("Bit", size={"shortest_edge": 36}, crop_size=square(32)),
    default("ChineseCLIP", size={"shortest_edge": 32}, crop_size=square(32)),
    default("MobileNetV1", size={"shortest_edge": 36}, crop_size=square(32)),
    default("MobileNetV2", size={"shortest_edge": 36}, crop_size=square(32)),
    default("MobileViT", size={"shortest_edge": 36}, crop_size=square(32)),
    default("ConvNext", size={"shortest_edge": 28}),
    default("ConvNext", size={"shortest_edge": 384}),
    default("PoolFormer", size={"shortest_edge": 28}, crop_size=square(28), crop_pct=0.875),
    default("PoolFormer", size=square(36), crop_size=square(32)),
    default("PoolFormer", size={"shortest_edge": 400}, crop_size=square(400), crop_pct=0.9),
    default("Levit", size={"shortest_edge": 28}, crop_size=square(28)),
    default("Levit", size=square(36), crop_size=square(32)),
    default("Beit", size=square(32), crop_size=square(16)),
    default("Beit", size=square(36), crop_size=square(32), do_center_crop=True),
    default("EfficientNet", size=square(32), image_std=EFFICIENT_STD, image_mean=[0.485, 0.456, 0.406], resample=0),
    default("EfficientNet", size=square(32), rescale_offset=True, include_top=False),
    default("EfficientNet", size=square(32), rescale_offset=True, do_normalize=False),
    default("Siglip", size=square(32)),
    default("Blip", size=square(32)),
    default("Pvt", size=square(32)),
    default("DPT", size=square(32)),
    default("DINOv3ViT", size=square(32)),
    default("Segformer", size=square(32)),
    default("OwlViT", size=square(32)),
    default("Tipsv2", size=square(32)),
    default("Sam2", size=square(32)),
    legacy("ViT", {"size": 32, "resample": 2, **IMAGENET}),
    legacy("DeiT", {"size": 40, "crop_size": 32, "do_center_crop": True, "resample": 3, **IMAGENET}),
    legacy("CLIP", {"size": 36, "crop_size": 32, "do_center_crop": True, "resample": 3, **IMAGENET}),
    legacy("Levit", {"size": 224, "do_center_crop": True, "resample": 3, **IMAGENET}),
    legacy("PoolFormer", {"size": 224, "crop_pct": 0.9, "do_resize_and_center_crop": True, "resample": 3, **IMAGENET}),
    legacy("ConvNext", {"size": 56, "crop_pct": 0.875, "resample": 3, **IMAGENET}),
    legacy("MobileViT", {"size": 36, "crop_size": 32, "do_center_crop": True, "do_flip_channel_order": True, "do_resize": True,
                         "resample": 2}),
    legacy("Beit", {"size": 40, "crop_size": 32, "do_center_crop": False, "resample": 3, **IMAGENET}),
    refused("MobileViT"),
    refused("Perceiver"),
    refused("PPLCNet"),
    refused("TextNet"),
    refused("Vilt"),
    refused("BridgeTower"),
    refused("Detr"),
    refused("RfDetr"),
    refused("Donut"),
    refused("VitPose"),
    refused("Owlv2"),
    refused("Sam"),
    refused("DPT", keep_aspect_ratio=True, ensure_multiple_of=14),
    refused("DepthPro"),
    refused("UVDoc"),
    refused("Aria"),
    refused("GLPN"),
    refused("Pixtral"),
    refused("Qwen2VL"),
    refused("Siglip2"),
    refused("LlavaNext"),
    refused("Emu3"),
    refused("PI0"),
    refused("SuperPoint", do_grayscale=True),
    refused("ImageGPT"),
    refused("Bit", do_center_crop=False),
    refused("DeiT", size={"height": 256, "width": 240}),
]
OUT.write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
print(OUT, OUT.stat().st_size, transformers.__version__)
