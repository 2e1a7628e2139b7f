"""Run every command of the tutorial and write what it prints into the page.

Run as ``python docs/run_tutorial.py FILE``, FILE being Online Retail as Parquet. In the page a
block that begins with ```` ```console ```` holds commands behind ``$`` and what they print;
``console 8`` keeps the first eight lines of that. Other blocks are left as they are.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = Path(__file__).parent / "tutorial.md"
WIDTH = 140
_BLOCK = re.compile(r"```console(?: (?P<keep>\d+))?\n(?P<body>.*?)```\n", re.DOTALL)


def run_block(body: str, keep: int | None, folder: Path) -> tuple[str, Path]:
    """The block with fresh answers, and the folder in which its last command left the shell."""
    lines: list[str] = []
    for command in re.findall(r"^\$ (.*)$", body, flags=re.MULTILINE):
        lines.append(f"$ {command}")
        if command.startswith("cd "):
            folder = folder / command.removeprefix("cd ")
            continue
        shown, succeeded = _run(command, folder)
        if not succeeded:
            sys.exit(f"'{command}' failed:\n{shown}")
        answer = [_shorten(line) for line in shown.rstrip().splitlines()]
        more = keep is not None and len(answer) > keep
        lines += [*answer[:keep], "..."] if more else answer
    return "\n".join(lines) + "\n", folder


def _run(command: str, folder: Path) -> tuple[str, bool]:
    environment = {**os.environ, "COLUMNS": str(WIDTH), "NO_COLOR": "1"}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout.replace(str(folder), "."), done.returncode == 0


def _shorten(line: str) -> str:
    line = line.rstrip()
    return line if len(line) <= WIDTH else line[: WIDTH - 1] + "…"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="Online Retail as Parquet")
    source = parser.parse_args().file
    text = PAGE.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as home:
        folder, parts, at = Path(home), [], 0
        shutil.copy(source, folder / "online_retail.parquet")
        for block in _BLOCK.finditer(text):
            keep = int(block["keep"]) if block["keep"] else None
            body, folder = run_block(block["body"], keep, folder)
            head = f"```console {keep}\n" if keep else "```console\n"
            parts += [text[at : block.start()], head, body, "```\n"]
            at = block.end()
            print(body)
    PAGE.write_text("".join([*parts, text[at:]]), encoding="utf-8")


if __name__ == "__main__":
    main()
