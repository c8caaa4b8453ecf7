"""A connection is closed where its client does nothing for too long."""

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol


def patient(seconds: float) -> type[asyncio.Protocol]:
    """uvicorn's protocol, which aborts after so many seconds in which nothing moved.

    A client that says nothing, or sends half of its headers, or does not read what it
    asked for, holds memory and a file descriptor. The server itself answers sooner.
    """

    class Patient(AutoHTTPProtocol):
        def connection_made(self, transport):
            self._connection, self._timer = transport, None
            self._begin_anew()
            super().connection_made(transport)

        def data_received(self, data):
            self._begin_anew()
            super().data_received(data)

        def pause_writing(self):
            self._begin_anew()
            super().pause_writing()

        def resume_writing(self):
            self._begin_anew()
            super().resume_writing()

        def connection_lost(self, error):
            self._timer.cancel()
            super().connection_lost(error)

        def _begin_anew(self):
            if self._timer:
                self._timer.cancel()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, self._connection.abort)

    return Patient
