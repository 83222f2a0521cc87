# SPDX-License-Identifier: Apache-2.0
"""Fetches the sources that a layout names by their hash, once for all builds, and unpacks them into the cache.

They come from the registry that apt is set up for here, through apt's own client. A file that stands in the cache
already is taken from there, so that a machine without a network can be given it.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from parclose import paths, tools
from parclose.errors import MissingTool, ParcloseError
from parclose.model import Fetch, Partition, System

_CLIENT = "/usr/lib/apt/apt-helper"  # downloads one file as apt would, and compares its hash
_SITES = ("apt-get", "indextargets", "--no-release-info", "--format", "$(SITE)", "Created-By: Packages")


class Unreachable(ParcloseError):
    """No registry gave the archive."""


def fetch(system: System) -> System:
    """The same system with `folder` of each `Fetch` filled in.

    Raises `Unreachable`, and `ParcloseError` for an archive that is not the one named, or has not what is named in it.
    """
    if not any(each.program.fetch for each in system.partitions):
        return system
    return replace(system, partitions=tuple(_fetched(each) for each in system.partitions))


def _fetched(partition: Partition) -> Partition:
    wanted = partition.program.fetch
    if wanted is None:
        return partition
    folder = paths.cache() / "fetched" / wanted.sha256
    if not folder.is_dir():
        _unpack(_archive(wanted), folder)
    for path in (*wanted.sources, *wanted.include):
        if not (folder / path).exists():
            raise ParcloseError(f"{wanted.archive} has no '{path}' in it", f"it was unpacked into {folder}")
    return replace(partition, program=replace(partition.program, fetch=replace(wanted, folder=folder)))


def _archive(wanted: Fetch) -> bytes:
    """The archive's bytes, with the hash that the layout names."""
    file = paths.cache() / "fetched" / wanted.archive
    if not file.is_file():
        tools.tell(f"fetch: {wanted.archive} ({wanted.licence}), for programs of this layout only\n")
        _download(wanted, file)
    data = file.read_bytes()
    found = hashlib.sha256(data).hexdigest()
    if found != wanted.sha256:
        file.unlink()
        raise ParcloseError(
            f"{wanted.archive} is not the archive that the layout names: its SHA-256 is {found}, not {wanted.sha256}",
            "somebody changed it, or the layout means another version; what came was thrown away",
        )
    return data


def _download(wanted: Fetch, file: Path) -> None:
    # Debian's pool has a folder for each letter, and for "liba" to "libz".
    letter = wanted.package[: 4 if wanted.package.startswith("lib") else 1]
    place = f"pool/main/{letter}/{wanted.package}/{wanted.archive}"
    file.parent.mkdir(parents=True, exist_ok=True)
    said = "apt knows no place to fetch packages from"
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        for site in dict.fromkeys(_sites()):
            try:
                tools.run([_CLIENT, "download-file", f"{site}/{place}", file.name], cwd=Path(folder))
            except MissingTool:
                break
            except ParcloseError as problem:
                said = problem.message
                continue
            os.replace(Path(folder, file.name), file)
            return
    raise Unreachable(f"{wanted.archive} could not be fetched: {said}", f"without a network, put the file at {file}")


def _sites() -> list[str]:
    try:
        return tools.run(_SITES).split()
    except (MissingTool, ParcloseError):
        return []


def _unpack(data: bytes, folder: Path) -> None:
    """Write the files of an archive into `folder`, without its first folder; the whole or nothing."""
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts[1:]
                content = archive.extractfile(member) if member.isfile() and ".." not in parts else None
                if content is not None and parts:
                    target = beside.joinpath(*parts)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(content.read())
        if not folder.is_dir():  # another build may have been quicker
            os.rename(beside, folder)
    except (OSError, tarfile.TarError) as problem:
        if not folder.is_dir():
            raise ParcloseError(f"the archive cannot be unpacked into {folder}: {problem}") from problem
    finally:
        shutil.rmtree(beside, ignore_errors=True)
