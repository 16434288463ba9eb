"""Whole processes from cold: "are these two photos the same person?", sameface beside face_recognition, in one run.

    python benchmarks/cold_start.py [--repeats 15] [--peer-venv DIR]

Makes a virtual environment for the peer (face_recognition 1.3.0 with the dlib-bin wheel) the first time. Prints medians and their ratio, and
JSON with --json. The one-time conversion of weights is done before the first timed run.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

from whole_process import whole_process

PHOTOS = Path(__file__).parent.parent / "examples" / "photos"
PAIR = [str(PHOTOS / "obama.jpg"), str(PHOTOS / "obama2.jpg")]
PEER = """
import sys, face_recognition as fr
a, b = (fr.face_encodings(fr.load_image_file(path))[0] for path in sys.argv[1:])
sys.exit(0 if fr.compare_faces([a], b)[0] else 1)
"""


def make_peer(folder: Path) -> Path:
    """The peer's own interpreter; installs it as its users do today: dlib as a wheel, setuptools that still has pkg_resources."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet"]
        subprocess.run([*pip, "dlib-bin", "setuptools<81", "numpy", "pillow", "Click"], check=True)
        subprocess.run([*pip, "face_recognition_models==0.3.0"], check=True)
        subprocess.run([*pip, "--no-deps", "face_recognition==1.3.0"], check=True)
    return python


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--peer-venv", type=Path, default=Path("/tmp/sameface-bench-face-recognition"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    script = Path(sys.executable).parent / "sameface"
    commands = {
        "sameface (mtcnn)": [str(script), "verify", *PAIR],
        "face_recognition + dlib-bin": [str(make_peer(options.peer_venv)), "-W", "ignore", "-c", PEER, *PAIR],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    for command in commands.values():
        whole_process(command)
    runs = {name: [] for name in commands}
    for _ in range(options.repeats):  # in turns, so that a slow minute hits all of them
        for name, command in commands.items():
            runs[name].append(whole_process(command))
    own = statistics.median(seconds for seconds, _ in runs["sameface (mtcnn)"])
    table = [
        {
            "process": name,
            "median_s": round(statistics.median(seconds for seconds, _ in done), 3),
            "times_ours": round(statistics.median(seconds for seconds, _ in done) / own, 2),
            "peak_mb": round(statistics.median(memory for _, memory in done)),
        }
        for name, done in runs.items()
    ]
    if options.json:
        print(json.dumps(table, indent=1))
    else:
        print(f"{'process':32}{'median s':>10}{'× ours':>10}{'peak MB':>10}")
        for row in table:
            print(f"{row['process']:32}{row['median_s']:>10.3f}{row['times_ours']:>10.2f}{row['peak_mb']:>10}")


if __name__ == "__main__":
    main()
