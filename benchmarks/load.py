"""Load on a server of this machine, by h2load of nghttp2."""

import re
import shutil
import statistics
import subprocess
from pathlib import Path
from typing import NamedTuple


class Load(NamedTuple):
    """What one run measured: requests a second, and milliseconds."""

    per_second: float
    p50: float
    p99: float


def check_installed() -> None:
    """Raises a SystemExit that says what to install."""
    if shutil.which("h2load") is None:
        raise SystemExit(
            "The load comes from h2load, which is not installed: "
            "apt-get install nghttp2-client, or brew install nghttp2."
        )


def load(
    url: str,
    body: Path,
    *,
    headers: dict[str, str],
    connections: int,
    seconds: float,
    http1: bool = False,
) -> Load:
    """Posts `body` over and over, one request at a time on each connection.

    Args:
        url: At this machine.
        body: A file.
        headers: Of every request.
        connections: Open at once.
        seconds: How long, after two seconds that are not counted.
        http1: HTTP/1.1 in place of HTTP/2.

    Raises:
        RuntimeError: If any request was not answered with status 200.
    """
    log = body.with_suffix(".log")
    log.unlink(missing_ok=True)
    command = ["h2load", f"--clients={connections}", "--threads=1"]
    command += ["--max-concurrent-streams=1", f"--duration={max(1, round(seconds))}"]
    command += ["--warm-up-time=2", f"--data={body}", f"--log-file={log}"]
    command += [f"--header={name}: {value}" for name, value in headers.items()]
    command += ["--h1"] if http1 else []
    done = subprocess.run([*command, url], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"h2load failed: {done.stderr or done.stdout}")
    counted = re.search(r"^requests: .*", done.stdout, re.M)[0]
    if ", 0 failed, 0 errored, 0 timeout" not in counted or " 0 done" in counted:
        raise RuntimeError(f"Of requests to {url} not all were answered: {counted}")
    # Microseconds since 1970, HTTP status, microseconds until the answer was there;
    # what was begun before the two seconds were over has no status.
    rows = [line.split("\t") for line in log.read_text().splitlines()]
    answered = [int(row[2]) / 1000 for row in rows if row[1] == "200"]
    return summary(answered, max(1, round(seconds)))


def summary(milliseconds: list[float], seconds: float) -> Load:
    """Rate and percentiles of the calls that were made within `seconds`."""
    cuts = statistics.quantiles(milliseconds, n=100, method="inclusive")
    per_second = len(milliseconds) / seconds
    return Load(round(per_second, 1), round(cuts[49], 3), round(cuts[98], 3))
