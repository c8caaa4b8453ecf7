"""The page of the playground, for this machine alone."""

import json
from collections.abc import Callable
from importlib import resources

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import Response
from starlette.routing import Route

from keras_fusion.common.escaping import printable
from keras_fusion.playground.judge import Judge
from keras_fusion.playground.shown import shown
from keras_fusion.serving.server.addresses import LOCAL_NAMES, listen

HOST = "127.0.0.1"
_FILES = {"": "text/html", "page.js": "text/javascript", "page.css": "text/css"}
_HEADERS = {
    # Nothing comes from elsewhere, and no name of a person's becomes a script.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; connect-src 'self'; img-src data:; media-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


class Playground:
    """Answers the requests of one page.

    Args:
        judge: The model and its rows.
        title: What the page is called.

    Attributes:
        application: What an ASGI server runs.
    """

    def __init__(self, judge: Judge, title: str):
        self._judge, self._title = judge, title
        routes = [
            Route(f"/{name}", _file(name or "page.html", mime))
            for name, mime in _FILES.items()
        ]
        routes += [
            Route("/about", self._about),
            Route("/rows/{row:int}", self._row),
            Route("/rows/{row:int}/answer", self._asking(self._judge.answer)),
            Route(
                "/rows/{row:int}/contributions",
                self._asking(self._judge.contributions),
            ),
        ]
        local = Middleware(TrustedHostMiddleware, allowed_hosts=LOCAL_NAMES)
        self.application = Starlette(routes=routes, middleware=[local])

    def _about(self, request):
        rows = self._judge.rows
        return _json(
            {
                "title": printable(self._title),
                "modalities": list(map(printable, self._judge.modalities)),
                "rows": list(map(printable, rows.names)),
                "notes": list(map(printable, rows.notes)),
            }
        )

    def _row(self, request):
        row, rows = request.path_params["row"], self._judge.rows
        if row >= len(rows.names):
            return _refused(404, f"There are {len(rows.names)} rows.")
        seen = [
            [
                {
                    "name": printable(column.name),
                    "value": shown(column.kind, column.values[row]),
                }
                for column in rows.seen[modality]
            ]
            for modality in self._judge.modalities
        ]
        return _json({"present": self._judge.present(row), "seen": seen})

    def _asking(self, ask):
        """`ask` about the row, and the modalities off, that a request names."""
        count, rows = len(self._judge.modalities), len(self._judge.rows.names)
        known = list(map(str, range(count)))

        def answer(request):
            row = request.path_params["row"]
            off = [n for n in request.query_params.get("off", "").split(",") if n]
            if row >= rows or not set(off) <= set(known):
                sentence = f"Expected a row below {rows}, and modalities of {known}."
                return _refused(404, sentence)
            return _json(ask(row, set(map(int, off))))

        return answer


def run(judge: Judge, title: str, port: int, say: Callable[[str], None]) -> None:
    """Serves the page until Ctrl-C.

    Raises:
        ValueError: If the port is in use.
    """
    with listen(HOST, port) as listening:
        listening.listen()  # from now on a browser waits
        say(f"http://{HOST}:{listening.getsockname()[1]}/ has the page; Ctrl-C stops")
        try:
            server(judge, title).run(sockets=[listening])
        except KeyboardInterrupt:
            say("stopped")


def server(judge: Judge, title: str) -> uvicorn.Server:
    """What runs the page on a socket."""
    application = Playground(judge, title).application
    return uvicorn.Server(
        uvicorn.Config(application, log_config=None, access_log=False, lifespan="off")
    )


def _file(name, mime):
    content = resources.files(__package__).joinpath(name).read_bytes()

    async def give(request):
        return Response(content, headers=_HEADERS, media_type=mime)

    return give


def _json(content, status=200):
    text = json.dumps(content, allow_nan=False)
    return Response(text, status, headers=_HEADERS, media_type="application/json")


def _refused(status, sentence):
    return _json({"error": sentence}, status)
