"""Encoders' features → projection → strategy → soft tokens or logits.

Read in this order: :mod:`config` (one dataclass holds all that a checkpoint needs to know),
:mod:`data` (pictures with captions, questions or classes), :mod:`encoders` and :mod:`features`
(vectors of a picture, a sound or a text, cached on disk), :mod:`strategies` (how modalities meet),
:mod:`task` (what is learned: one class a task), :mod:`training` (the loop), :mod:`checkpoint`.

What runs in the assistant needs numpy only: :mod:`runtime`, :mod:`connector`, :mod:`grid`.
"""
