"""How long a connection may wait for its client, and how many may."""

import asyncio
import time


async def keep(connections: set, most: int, seconds: float) -> None:
    """Closes what waits too long: for a request, or to be read. Runs until cancelled.

    A client that says nothing, or sends half of its headers, or does not read what it
    asked for, holds memory and a file descriptor; the time of a request itself is the
    application's.

    Args:
        connections: uvicorn's protocols of the connections that are open now.
        most: Beyond these the ones that have waited longest are closed at once.
        seconds: That the others may wait.
    """
    since = {}
    while True:
        now = time.monotonic()
        waiting = [(c, c.cycle) for c in connections if _waits(c)]
        since = {key: since.get(key, now) for key in waiting}
        oldest = sorted(since, key=since.get)
        for i, (connection, cycle) in enumerate(oldest):
            over = i < len(connections) - most
            if over or now - since[connection, cycle] > seconds:
                connection.transport.abort()
        await asyncio.sleep(min(seconds / 4, 0.25))


def _waits(connection):
    """Whether its client is to act next; a new request is a new cycle."""
    cycle = connection.cycle
    idle = cycle is None or cycle.response_complete
    return idle or connection.flow.write_paused
