"""Measurements of the assistant by itself: ``assistant bench``."""
