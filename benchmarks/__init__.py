"""Measurements and fits that made the constants and figures of this project."""
