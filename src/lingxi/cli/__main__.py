"""``python -m lingxi.cli``: the same as ``lingxi``."""

from lingxi.cli import main

if __name__ == "__main__":
    main(prog_name="lingxi")
