"""Make tiny random classifiers of sounds of the true architectures: a wav2vec 2.0 and an audio spectrogram transformer.

Run: python -m tests.make_tiny_ear KIND FOLDER, with KIND one of wav2vec2, ast.
The same weights come out every time; none has more than some 50,000.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

EMOTIONS = ("angry", "neutral", "sad")
SIZES: dict[str, Any] = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "id2label": dict(enumerate(EMOTIONS)),
    "label2id": {name: number for number, name in enumerate(EMOTIONS)},
}


def wav2vec2(folder: Path, head: bool = True, leaning: float = 0.0) -> Path:
    """Write a wav2vec 2.0, with a classifier on it where ``head``; its feature extractor takes 16 kHz.

    A random model is unsure of everything; ``leaning`` is added to the score of its first label.
    """
    import torch
    from transformers import (
        Wav2Vec2Config,
        Wav2Vec2FeatureExtractor,
        Wav2Vec2ForSequenceClassification,
        Wav2Vec2Model,
    )

    torch.manual_seed(0)
    config = Wav2Vec2Config(
        **SIZES,
        vocab_size=8,
        conv_dim=(16, 16),
        conv_stride=(20, 16),
        conv_kernel=(40, 16),
        num_feat_extract_layers=2,
        num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2,
        classifier_proj_size=8,
    )
    model = (Wav2Vec2ForSequenceClassification if head else Wav2Vec2Model)(config)
    if leaning:
        model.classifier.bias.data[0] += leaning
    model.save_pretrained(folder)
    Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return folder


def ast(folder: Path) -> Path:
    """Write an audio spectrogram transformer that may hear several things at once."""
    import torch
    from transformers import ASTConfig, ASTFeatureExtractor, ASTForAudioClassification

    torch.manual_seed(0)
    config = ASTConfig(**SIZES, patch_size=8, max_length=64, num_mel_bins=16, problem_type="multi_label_classification")
    ASTForAudioClassification(config).save_pretrained(folder)
    ASTFeatureExtractor(max_length=64, num_mel_bins=16).save_pretrained(folder)
    return folder


KINDS = {"wav2vec2": wav2vec2, "ast": ast}

if __name__ == "__main__":
    print(KINDS[sys.argv[1]](Path(sys.argv[2])))
