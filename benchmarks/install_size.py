"""How large the default install is, part by part: a fresh virtual environment, `pip install .`, then the folders of site-packages.

python benchmarks/install_size.py [FOLDER]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent


def size_of(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return sum(file.stat().st_size for file in files)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp(prefix="sameface-size-"))
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", str(ROOT)], check=True)
    [packages] = folder.glob("lib/python3*/site-packages")
    sizes = sorted(((size_of(entry), entry.name) for entry in packages.iterdir()), reverse=True)
    print(f"{'part of site-packages':44}{'MB':>8}")
    for size, name in sizes:
        if size > 2e6:
            print(f"{name:44}{size / 1e6:8.1f}")
    print(f"{'everything below 2 MB':44}{sum(size for size, _ in sizes if size <= 2e6) / 1e6:8.1f}")
    print(f"{'all':44}{sum(size for size, _ in sizes) / 1e6:8.1f}")


if __name__ == "__main__":
    main()
