"""A run as one zip that a stranger can read and repeat; and the way back, from a zip to a run."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from nme_core.exceptions import RunFolderError
from nme_core.io import RunFolder, durable
from nme_core.io.run_folder import FILES
from nme_core.reports import TABLE_FORMATS, require_finished, words
from nme_core.reports.script import notebook, script

#: Most that is taken out of a zip: bytes in all.
LARGEST = 8 * 2**30
#: Most members of a zip.
MOST_MEMBERS = 10_000
_RUN = "run"
# Zips hold local times; a fixed one gives the same bytes for the same run.
_TIME = (1980, 1, 1, 0, 0, 0)


def write_bundle(
    folder: RunFolder,
    out: str | os.PathLike[str],
    *,
    extra: Mapping[str, bytes] | None = None,
    data: Mapping[str, str | os.PathLike[str]] | None = None,
) -> list[str]:
    """Write a finished run with its tables, words, script and notebook as one zip.

    Parameters
    ----------
    folder : RunFolder
        The run.
    out : path
        The zip.
    extra : mapping of name → bytes, optional
        More members, such as reports and figures.
    data : mapping of name → path, optional
        Files of data, which come under ``data/``; without them the bundle holds their
        fingerprints only.

    Returns
    -------
    list of str
        Names of the members, in order.

    Raises
    ------
    RunFolderError
        Where the run is not finished.
    """
    require_finished(folder)
    folder.require_whole()
    members: dict[str, bytes | Path] = {"README.txt": b""}
    for name in (*FILES, "status.json"):
        if (folder.path / name).is_file():
            members[f"{_RUN}/{name}"] = folder.path / name
    members |= _words(folder)
    members |= dict(extra or {})
    members |= {f"data/{name}": Path(path) for name, path in (data or {}).items()}
    members["README.txt"] = _readme(folder, [*members], bool(data)).encode()
    durable.sweep(Path(out).parent)
    with (
        durable.beside(Path(out), private=False) as new,
        zipfile.ZipFile(new, "w", zipfile.ZIP_DEFLATED) as archive,
    ):
        prints = {name: _add(archive, name, content) for name, content in members.items()}
        manifest = json.dumps({"sha256": prints}, indent=2).encode()
        _add(archive, "MANIFEST.json", manifest)
    return [*members, "MANIFEST.json"]


def _words(folder: RunFolder) -> dict[str, bytes]:
    said = words(folder)
    members = {
        "words.txt": said.text.encode(),
        "words.docx": said.docx,
        "references.bib": said.bibtex.encode(),
        "analysis.py": script(folder).encode(),
        "analysis.ipynb": notebook(folder).encode(),
    }
    for table in said.tables:
        for ending in ("csv", "html", "tex"):
            members[f"tables/{table.name}.{ending}"] = TABLE_FORMATS[ending](table)
    return members


def _add(archive: zipfile.ZipFile, name: str, content: bytes | Path) -> str:
    """Add a member, from memory or a file, a part at a time; its SHA-256."""
    entry = zipfile.ZipInfo(name, date_time=_TIME)
    entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
    digest = hashlib.sha256()
    with archive.open(entry, "w", force_zip64=True) as member:
        if isinstance(content, bytes):
            digest.update(content)
            member.write(content)
        else:
            with content.open("rb") as file:
                while part := file.read(2**20):
                    digest.update(part)
                    member.write(part)
    return digest.hexdigest()


def _readme(folder: RunFolder, names: list[str], with_data: bool) -> str:
    config, inputs = folder.config, folder.data["inputs"]
    lines = [
        "A run of Neural Mixed Effects, to read and to repeat. Research use, not diagnosis.",
        "",
        f"Command: {config['command']}",
        f"Seed: {config['seed']}",
        f"Versions: {', '.join(f'{name} {one}' for name, one in config['versions'].items())}",
        *(f"Data: {one['name']}, SHA-256 {one['sha256']}" for one in inputs),
        "The data themselves are in data/." if with_data else "The data themselves are not here.",
        "Tables in run/ hold results of single people under the ids of the data; predictions.csv "
        "also holds their observed outcomes, covariates.csv their covariates.",
        "",
        "Repeat it, and see whether the numbers are the same:",
        "    nme rerun BUNDLE.zip LONG.csv [--covariates C.csv] --out RUN2",
        "",
        "SHA-256 of every file: MANIFEST.json",
        *names,
    ]
    return "\n".join(lines) + "\n"


def open_bundle(path: str | os.PathLike[str], to: str | os.PathLike[str]) -> RunFolder:
    """Take the run folder out of a bundle.

    Only files that a run folder has are taken, by their names, so nothing is written elsewhere.
    Their sums have to be those of ``MANIFEST.json``.

    Parameters
    ----------
    path : path
        The zip, which may come from anybody.
    to : path
        Folder to write into.

    Raises
    ------
    RunFolderError
        Where it is no bundle, is damaged, or would fill more than `LARGEST` bytes.
    """
    wanted = {f"{_RUN}/{name}": name for name in (*FILES, "status.json")}
    target = RunFolder(to)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS:
                raise _refused(path, f"has more than {MOST_MEMBERS:,} members")
            if f"{_RUN}/config.json" not in archive.namelist():
                raise _refused(path, "holds no run")
            if sum(one.file_size for one in members if one.filename in wanted) > LARGEST:
                raise _refused(path, "holds more than a run folder may")
            prints = dict(json.loads(_manifest(archive, path))["sha256"])
            durable.make_folder(target.path)
            left = LARGEST
            for member in members:
                name = wanted.get(member.filename)
                if name is not None:
                    left -= _take(archive, member, target.path / name, left, path, prints)
    except (
        zipfile.BadZipFile,
        ValueError,
        LookupError,
        TypeError,
        RuntimeError,
        zlib.error,
    ) as error:
        raise _refused(path, f"cannot be read ({error})") from error
    return target


def _manifest(archive: zipfile.ZipFile, path: str | os.PathLike[str]) -> bytes:
    member = archive.getinfo("MANIFEST.json")
    if member.file_size > 2**22:
        raise _refused(path, "has too large a manifest")
    return archive.read(member)


def _take(
    archive: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    to: Path,
    left: int,
    path: str | os.PathLike[str],
    prints: Mapping[str, str],
) -> int:
    """Write one member, counting what really comes out; its size."""
    digest, size = hashlib.sha256(), 0
    with archive.open(member) as source, to.open("wb") as file:
        while part := source.read(2**20):
            size += len(part)
            if size > left:
                raise _refused(path, "holds more than a run folder may")
            digest.update(part)
            file.write(part)
    if digest.hexdigest() != prints[member.filename]:
        raise _refused(path, f"is damaged: {member.filename} is not what was packed")
    return size


def _refused(path: str | os.PathLike[str], why: str) -> RunFolderError:
    return RunFolderError(f"{Path(path).name} {why}.", remedy="Give a zip that `nme bundle` wrote.")


def run_of(path: str | os.PathLike[str], scratch: str | os.PathLike[str]) -> RunFolder:
    """A run folder as it is, or the one in a bundle, which is taken out into `scratch`."""
    if Path(path).is_dir():
        return RunFolder(path)
    if not Path(path).is_file():
        raise RunFolderError(
            f"{path} was not found.", remedy="Give a run folder, or a zip of `nme bundle`."
        )
    return open_bundle(path, scratch)
