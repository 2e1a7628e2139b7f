"""Definitions of a shop as a folder of files: what would change, changing it, writing it out."""
