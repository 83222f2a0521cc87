# SPDX-License-Identifier: Apache-2.0
"""Events beyond the first 64 of a partition: all of them arrive, in whatever way it takes them, and no others."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from parclose import emulator, paths, pipeline

CHANNELS = 200
EXACT = ("-icount", "shift=0,sleep=off")  # the clock counts instructions: a busy host cannot steal a turn
LAYOUT = f"""# SPDX-License-Identifier: Apache-2.0
layout: 1
board: qemu-q35
partitions:
  hub:
    program: {{sources: [hub.c], define: {{PATIENCE_MS: PATIENCE}}}}
    channels: {{{", ".join(f"c{number}: {{to: ringer, data: 4 KiB}}" for number in range(CHANNELS))}}}
  ringer:
    program: {{sources: [ringer.c]}}
regions:
  go: {{size: 4 KiB, write: hub, read: [ringer]}}
  done: {{size: 4 KiB, write: ringer, read: [hub]}}
"""


def _boot(boot: Callable[..., Any], folder: Path, patience: int, **sources: Path) -> Any:
    made = Path(shutil.copytree(Path(__file__).parent / "events", folder / "events"))
    (made / "layout.yaml").write_text(LAYOUT.replace(": PATIENCE", f": {patience}"))
    result = pipeline.build(made / "layout.yaml", folder / "out", **sources)  # type: ignore[arg-type]
    return boot(emulator.machine(result.system.board, result.image), timeout=60, extra=EXACT)


def test_events_of_every_word(tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    machine = _boot(parclose_boot, tmp_path, 5000)
    last, wrong = map(int, machine.expect(r"events up to (\d+): 12 rounds, (\d+) wrong").groups())
    assert last >= CHANNELS - 1 and wrong == 0
    assert machine.finish().end("hub").status == 0


def test_a_monitor_that_looks_at_two_words_only(tmp_path: Path, parclose_boot: Callable[..., Any]) -> None:
    """The attack on the test above: events of the other words are lost."""
    sources = Path(shutil.copytree(paths.data("monitor_asm"), tmp_path / "monitor_asm"))
    shutil.copytree(paths.data("abi"), tmp_path / "abi")
    text = (sources / "event.h").read_text()
    assert text.count("atomic_exchange(&partition->pending, 0);") == 1
    (sources / "event.h").write_text(text.replace("&partition->pending, 0);", "&partition->pending, 0) & 0xffff;"))
    machine = _boot(parclose_boot, tmp_path, 200, monitor_sources=sources)
    wrong = re.search(r"12 rounds, (\d+) wrong", machine.expect(r"events up to .* wrong").group())
    assert wrong and int(wrong[1]) >= 3
