# SPDX-License-Identifier: Apache-2.0
"""From a layout's file to a `System`, with every problem found on the way."""

from __future__ import annotations

from pathlib import Path

from parclose import paths
from parclose.board import load_board
from parclose.checks import CHECKS, programs
from parclose.errors import Problem, UsageError
from parclose.files import is_file
from parclose.layout import RawLayout
from parclose.layout_reader import read_layout
from parclose.model import Board, System
from parclose.monitor_time import monitor_time
from parclose.problems import Collector, at
from parclose.resolve import resolve
from parclose.scope import Scope
from parclose.source import Node, read
from parclose.values import Reader
from parclose.wording import listing, nearest

_FILES_OF_PROGRAMS = (programs.program_file, programs.source_files)


def check(
    layout_path: Path, board: str | None = None, *, with_programs: bool = True
) -> tuple[System | None, tuple[Problem, ...]]:
    """The system that a layout describes, and all problems found: errors, for which the system is None, and warnings.

    `board` is a name or path that replaces the layout's board. Spans name files as they were given here, so that
    `layout_path` relative to the current directory gives messages that an editor can follow. Without `with_programs`
    nobody asks for the files of programs: they may have yet to be written. Raises `UsageError` when there is no such
    layout, or no such board where `board` names one.
    """
    _must_be_file(layout_path)
    problems = Collector()
    node = _read(layout_path, problems)
    layout = read_layout(node, layout_path, Reader(problems)) if node is not None else None
    if layout is None:
        return None, problems.all()
    scope = Scope(layout, *_board(layout, board, problems))
    for each in CHECKS:
        if with_programs or each not in _FILES_OF_PROGRAMS:
            each(scope, problems)
    if problems.failed or scope.board is None:
        return None, problems.all()
    system = resolve(scope, scope.board)
    for short in monitor_time(system)[1]:
        problems.error(short.code, short.message, *short.labels, help=short.help)
    return None if problems.failed else system, problems.all()


def _read(path: Path, problems: Collector) -> Node | None:
    try:
        return read(path, problems)
    except OSError as failed:
        raise UsageError(f"{path} cannot be read: {failed.strerror}", "check its permissions") from failed


def _must_be_file(path: Path) -> None:
    if path.is_dir():
        inside = path / "layout.yaml"
        hint = f"did you mean {inside}?" if inside.is_file() else "name the .yaml file in it"
        raise UsageError(f"{path} is a folder, not a layout", hint)
    if path.is_file():
        _must_be_utf8(path)
        return
    there = [each.name for each in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
    near = nearest(path.name, there)
    hint = f"did you mean {path.parent / near}?" if near else "`parclose new NAME` writes one that works"
    raise UsageError(f"there is no layout {path}", hint)


def _must_be_utf8(path: Path) -> None:
    try:
        path.name.encode()
    except UnicodeEncodeError as wrong:
        raise UsageError(f"the layout's name {path} is not UTF-8: the image holds it", "rename it") from wrong


def _board(layout: RawLayout, override: str | None, problems: Collector) -> tuple[Board | None, bool]:
    if override is not None:
        path = find_board(override, layout.path)
        if path is None:
            raise UsageError(f"there is no board '{override}'", _boards_there(layout.path, override))
        return _load(path, problems)
    name = layout.board.value
    if name is None:
        return None, False
    path = find_board(name, layout.path)
    if path is not None:
        return _load(path, problems)
    text = f"there is no board '{name[:60]}'"
    here = at(layout.board.span, "not found"), at(layout.span, "in this layout")
    problems.error("P010", text, *here, help=_boards_there(layout.path, name))
    return None, False


def _load(path: Path, problems: Collector) -> tuple[Board | None, bool]:
    try:
        return load_board(path, problems)
    except OSError as failed:
        raise UsageError(f"the board {path} cannot be read: {failed.strerror}", "check its permissions") from failed


def find_board(name: str, layout_path: Path) -> Path | None:
    """The file of a board: a path (relative to the layout, or as it is) where `name` ends in .yaml or holds a slash,
    else NAME.yaml in the first of `paths.board_folders` that has it. None when there is none."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        candidates = [layout_path.parent / name, Path(name)]
    else:
        candidates = [folder / f"{name}.yaml" for folder in paths.board_folders(layout_path)]
    return next((path for path in candidates if is_file(path)), None)


def _boards_there(layout_path: Path, name: str) -> str:
    names = sorted({each.stem for folder in paths.board_folders(layout_path) for each in folder.glob("*.yaml")})
    near = nearest(name, names)
    return f"did you mean '{near}'?" if near else f"boards found: {listing(names) or 'none'}"
