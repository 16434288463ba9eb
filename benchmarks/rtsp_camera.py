"""`sameface watch` on a camera that speaks RTSP, by a server of another maker: it is named, lost when the server dies, and seen again.

pip install 'aio-rtsp-toolkit[server]'        # 0.1.4 was tried; only this script needs it
python benchmarks/rtsp_camera.py [--site FOLDER]

The server runs on loopback alone, in a process of its own, and sends H.264 over RTSP by TCP. It asks for no password; one is in the address all the
same, and must be shown nowhere.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from tests.ports import free_port  # noqa: E402

FRAMES_A_SECOND, SECONDS = 10, 8


def film(path: Path) -> None:
    """Obama, a little to and fro, in H.264."""
    import av
    import numpy as np
    from PIL import Image

    with Image.open(ROOT / "examples" / "photos" / "obama2.jpg") as picture:
        portrait = np.asarray(picture.convert("RGB").resize((320, 480)))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FRAMES_A_SECOND)
        stream.width, stream.height, stream.pix_fmt = 360, 480, "yuv420p"
        for number in range(FRAMES_A_SECOND * SECONDS):
            scene = np.full((480, 360, 3), 120, np.uint8)
            left = 20 + round(15 * np.sin(number / 5))
            scene[:, left : left + 320] = portrait
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene, format="rgb24")))
        container.mux(stream.encode(None))


def serve(folder: Path, port: int) -> None:
    """The other maker's server, for ever."""
    from aio_rtsp_toolkit import server

    asyncio.run(server.serve(str(folder), "127.0.0.1", port, control_port=None))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--site", type=Path, help="folder in which the server's packages lie, where they are not installed"
    )
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.site is not None:
        sys.path.append(str(given.site))
    if given.serve is not None:
        serve(Path(given.serve[0]), int(given.serve[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        film(folder / "door.mp4")
        site = ["--site", str(given.site)] if given.site is not None else []
        command = [sys.executable, __file__, *site, "--serve", str(folder), str(port)]
        log = (folder / "server.log").open("w")

        def begun() -> subprocess.Popen[bytes]:
            return subprocess.Popen(command, stdout=log, stderr=log)

        shown = [sys.executable, "-m", "sameface"]
        enrolled = ["enroll", "Obama", str(ROOT / "examples/photos/obama.jpg"), "-g", str(folder / "people.db")]
        subprocess.run([*shown, *enrolled], check=True, capture_output=True)
        server = begun()
        time.sleep(2)
        address = f"door=rtsp://me:s3cret@127.0.0.1:{port}/door.mp4"
        watching = subprocess.Popen(
            [*shown, "watch", address, "-g", str(folder / "people.db"), "--json", "--seconds", str(given.seconds)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ,
        )
        time.sleep(given.seconds / 4)
        server.kill()
        server.wait()
        time.sleep(given.seconds / 8)
        server = begun()
        out, err = watching.communicate(timeout=given.seconds + 120)
        server.kill()
        server.wait()
        log.close()
        events = [json.loads(line) for line in out.splitlines()]
        for event in events:
            print(event["event"], event["name"], event["time"])
        counts = Counter(event["event"] for event in events)
        names = {event["name"] for event in events if event["event"] == "known"}
        asked = (folder / "server.log").read_text(encoding="utf-8", errors="replace")
        print(f"exit code {watching.returncode}; events {dict(counts)}; names {sorted(names)}")
        print(f"the server was asked to: {[word for word in ('DESCRIBE', 'SETUP', 'PLAY') if word in asked]}")
        print(err.decode())
        good = watching.returncode == 0 and names == {"Obama"} and counts["lost"] and counts["back"]
        print("good" if good and b"s3cret" not in out + err else "NOT as it should be")


if __name__ == "__main__":
    main()
