"""Encoders' features → projection → strategy → soft tokens or logits."""
