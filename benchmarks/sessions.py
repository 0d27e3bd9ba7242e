"""Twenty people at once: how long a page takes, and what a session costs the server's memory.

Each session is a websocket to a server of its own on loopback, as a browser holds one: it opens the
app with a run of 200 people in view, and goes from page to page with a pause in between. A page's
time goes from the click to the end of its script, tables and figures received. The researcher's
view is taken, whose pages have more.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from benchmarks.browser import serve
from benchmarks.dashboard import trained
from benchmarks.home import at_home
from benchmarks.table import Row

#: Sessions, pages that each opens, and the mean pause between them in seconds.
SESSIONS, PAGES, PAUSE_S = 20, 12, 5.0
#: A page may take so long at the 95th percentile, and a session so many bytes.
MOST_S, MOST_BYTES = 3.0, 10e6
_PATIENCE_S, _HIGHEST_MESSAGE = 60, 2**28
_DONE = ForwardMsg.ScriptFinishedStatus.Value("FINISHED_SUCCESSFULLY")


def run(*, small: bool = False) -> list[Row]:
    """Measure."""
    sessions, pages, pause = (2, 3, 0.1) if small else (SESSIONS, PAGES, PAUSE_S)
    people, steps = (20, 12) if small else (200, 40)
    with tempfile.TemporaryDirectory(prefix="nme-sessions-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        with at_home(home):
            from dashboard.services import settings

            settings.set_view("researcher")
            identity = trained("nme-crf", people, steps)
        with serve(home) as (address, process):
            # first what is once in a server's life
            _, before = asyncio.run(_all(process, address, identity, 1, 2 * pages, 0.0))
            times, after = asyncio.run(_all(process, address, identity, sessions, pages, pause))
    each = (after - before) / sessions
    late = float(np.quantile(times, 0.95))
    what = f"{sessions} sessions at once, nme-crf, {people} people"
    spent = f"{len(times)} pages, median {np.median(times):.2f} s, longest {max(times):.2f} s"
    return [
        Row(f"{what}: page, p95", f"≤ {MOST_S:g} s", f"{late:.2f} s", late <= MOST_S, spent),
        Row(f"{what}: memory of a session", f"≤ {MOST_BYTES / 1e6:g} MB", f"{each / 1e6:.1f} MB",
            each <= MOST_BYTES, "the server's while all are open less that before, by session"),
    ]  # fmt: skip


async def _all(
    process: psutil.Process, address: str, identity: str, sessions: int, pages: int, pause_s: float
) -> tuple[list[float], int]:
    """Seconds of all pages, and the server's memory while all sessions are still open."""
    async with AsyncExitStack() as opened:
        sockets = [
            await opened.enter_async_context(
                connect(
                    f"{address.replace('http', 'ws', 1)}/_stcore/stream",
                    origin=Origin(address),
                    subprotocols=[Subprotocol("streamlit")],
                    max_size=_HIGHEST_MESSAGE,
                )
            )
            for _ in range(sessions)
        ]
        walks = (_walk(one, identity, pages, pause_s, k) for k, one in enumerate(sockets))
        found = await asyncio.gather(*walks)
        return [time for times in found for time in times], process.memory_info().rss


async def _walk(
    socket: ClientConnection, identity: str, pages: int, pause_s: float, seed: int
) -> list[float]:
    """Seconds of each page that one session opens."""
    rng, times = random.Random(seed), []
    known = await _open(socket, identity, "")
    for k in range(pages):
        await asyncio.sleep(rng.expovariate(1 / pause_s) if pause_s else 0)
        start = time.perf_counter()
        await _open(socket, identity, known[(k + seed) % len(known)])
        times.append(time.perf_counter() - start)
    return times


async def _open(socket: ClientConnection, identity: str, page: str) -> list[str]:
    """Open a page and wait for its end; the hashes of all pages."""
    wanted = BackMsg()
    wanted.rerun_script.query_string = f"run={identity}"
    wanted.rerun_script.page_script_hash = page
    await socket.send(wanted.SerializeToString())
    pages: list[str] = []
    while True:
        told = ForwardMsg()
        told.ParseFromString(await asyncio.wait_for(socket.recv(decode=False), _PATIENCE_S))
        kind = told.WhichOneof("type")
        if kind == "navigation":
            pages = [one.page_script_hash for one in told.navigation.app_pages]
        if kind == "delta" and told.delta.new_element.WhichOneof("type") == "exception":
            raise RuntimeError(f"A page failed: {told.delta.new_element.exception.message}")
        if kind == "script_finished" and told.script_finished == _DONE:  # and no run follows
            return pages
