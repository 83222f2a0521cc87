# SPDX-License-Identifier: Apache-2.0
"""Where the time of a build goes: `python -m bench.stages`, seconds of each stage, cold and with a changed layout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.guest import LINE, NotMeasured

# Runs in a process of its own, so that imports count. Each stage is a function that the pipeline calls by its module.
_TIMED = """
import json, sys, time
begun = time.perf_counter()
from pathlib import Path
from parclose import check, pipeline
spent = {"start and imports": time.perf_counter() - begun}
def timed(module, name):
    function = getattr(module, name)
    def wrapper(*words, **options):
        start = time.perf_counter()
        try:
            return function(*words, **options)
        finally:
            spent[name] = spent.get(name, 0) + time.perf_counter() - start
    setattr(module, name, wrapper)
stages = {check: ["check"]}
for alias, names in {"compile": ["compile_system", "compile_generated"], "link": ["link"], "plan": ["plan"],
                     "pagetables": ["build"], "generate": ["generate"], "image": ["image"], "audit": ["audit"]}.items():
    stages[getattr(pipeline, alias + "_stage")] = names
stages |= {pipeline.report: ["make", "text"], pipeline.publish: ["publish"]}
for module, names in stages.items():
    for name in names:
        timed(module, name)
pipeline.build(Path(sys.argv[1]), Path(sys.argv[2]))
spent["in all"] = time.perf_counter() - begun
print(json.dumps(spent))
"""
_NAMES = {"build": "page tables", "make": "report", "text": "report as text"}


def measure(layout: Path, out: Path, cache: Path) -> dict[str, float]:
    """Seconds of each stage of one build of `layout`. Raises `NotMeasured`."""
    done = subprocess.run(
        [sys.executable, "-c", _TIMED, str(layout), str(out)],
        env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise NotMeasured(f"the stages could not be timed: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout)
    return {_NAMES.get(name, name): seconds for name, seconds in found.items()}


def summary(spent: dict[str, float]) -> str:
    """One line, the longest first."""
    parts = sorted(spent.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {seconds:.2f} s" for name, seconds in parts if seconds >= 0.005)


def cold() -> str:
    """One line for a build with nothing cached."""
    with tempfile.TemporaryDirectory() as place:
        return summary(measure(LINE, Path(place, "out"), Path(place, "cache")))


def layout() -> str:
    """One line for a build after a change of the layout."""
    with tempfile.TemporaryDirectory() as place:
        out, cache = Path(place, "out"), Path(place, "cache")
        copy = Path(shutil.copytree(LINE.parent, Path(place, "line"))) / LINE.name
        measure(copy, out, cache)
        copy.write_text(changed(copy.read_text(), "3 MiB"))
        return summary(measure(copy, out, cache))


def changed(text: str, size: str) -> str:
    """The layout `text` with the memory of its partition 'sensor' set to `size`. Raises `NotMeasured`: it has none."""
    found = re.sub(r"^(  sensor:\n)", rf"\g<1>    memory: {size}\n", text, flags=re.MULTILINE)
    if found == text:
        raise NotMeasured("examples/line has no partition 'sensor' any more: choose another to change")
    return found


def main() -> int:
    """Print both."""
    print(f"cold:   {cold()}\nlayout: {layout()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
