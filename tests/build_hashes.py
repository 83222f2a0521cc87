# SPDX-License-Identifier: Apache-2.0
"""Hashes of the monitor and the image of each example, built in a folder of its own: `make hashes`."""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
from pathlib import Path

from parclose import paths, pipeline


def hashes(layout: Path) -> dict[str, str]:
    """SHA-256 of what a build of `layout` leaves, in a folder that is new and then removed."""
    with tempfile.TemporaryDirectory() as folder:
        out = pipeline.build(layout, Path(folder, "out")).image.parent
        files = {"monitor": out / "monitor.elf", "image": out / "image.elf"}
        return {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()}


def main() -> None:
    """Print them: a line for each file, or one JSON document."""
    parser = argparse.ArgumentParser(description="Hashes of the monitor and the image of each example.")
    parser.add_argument("examples", nargs="?", type=Path, default=paths.data("examples"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {layout.parent.name: hashes(layout) for layout in sorted(options.examples.glob("*/layout.yaml"))}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for example, files in found.items():
        for name, digest in files.items():
            print(f"{digest}  {example}/{name}.elf")


if __name__ == "__main__":
    main()
