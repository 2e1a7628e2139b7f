"""Segments of a shop: what API, pages, CLI and files ask of them."""
