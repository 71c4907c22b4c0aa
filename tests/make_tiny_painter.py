"""Make a tiny random Stable Diffusion pipeline: true architecture, no weights worth having.

Run: python -m tests.make_tiny_painter FOLDER [--prim]; with --prim its safety checker objects to every picture.
The same weights come out every time. Pictures are 64 × 64.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

LONGEST = 77
"""Tokens of a text, as in CLIP."""


def tokenizer(folder: Path) -> Any:
    """Return a CLIP tokenizer of letters: one token a letter, another where the letter ends a word."""
    from tokenizers import pre_tokenizers
    from transformers import CLIPTokenizer

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    names = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({name: number for number, name in enumerate(names)}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return CLIPTokenizer.from_pretrained(folder, model_max_length=LONGEST)


def stable_diffusion(folder: Path, prim: bool = False) -> Path:
    """Write the pipeline as files of safetensors; ``prim`` adds a safety checker that objects to everything."""
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what importing the library uses of torch
        from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel

    words = tokenizer(folder / "tokenizer")
    torch.manual_seed(0)
    text = CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(words),
            hidden_size=32,
            intermediate_size=64,
            projection_dim=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=LONGEST,
            bos_token_id=words.bos_token_id,
            eos_token_id=words.eos_token_id,
            pad_token_id=words.pad_token_id,
            initializer_factor=10.0,
        )
    )
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16, 32),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=32,
        attention_head_dim=4,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        sample_size=64,
        block_out_channels=(8, 8, 16, 16),  # four levels: a latent stands for 8 × 8 pixels
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=4,
    )
    pipeline = StableDiffusionPipeline(
        text_encoder=text,
        tokenizer=words,
        unet=unet,
        vae=vae,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, steps_offset=1
        ),
        requires_safety_checker=prim,
        **(_prim() if prim else {"safety_checker": None, "feature_extractor": None}),
    )
    pipeline.save_pretrained(folder, safe_serialization=True)
    # The files of models that people use name the class without the library behind it, which is torchvision's or not.
    index = folder / "model_index.json"
    index.write_text(index.read_text("utf-8").replace("CLIPImageProcessorPil", "CLIPImageProcessor"), "utf-8")
    return folder


def _prim() -> dict[str, Any]:
    """Return a safety checker to whose every threshold any picture comes up, and what prepares its pictures."""
    import torch
    from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
    from transformers import CLIPConfig, CLIPImageProcessorPil

    config = CLIPConfig(
        vision_config={
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 32,
            "patch_size": 8,
        },
        projection_dim=16,
    )
    checker = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-2.0)  # no cosine is below it
    images = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return {"safety_checker": checker, "feature_extractor": images}


if __name__ == "__main__":
    print(stable_diffusion(Path(sys.argv[1]), "--prim" in sys.argv))
