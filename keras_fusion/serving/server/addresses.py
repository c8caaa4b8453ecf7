"""Where a server listens, and by which names it is asked."""

import errno
import socket

from keras_fusion.common.errors import InputError

# What a browser calls this machine. A page of the web whose name was bound to this
# machine asks by that name.
LOCAL_NAMES = ["localhost", "127.0.0.1", "[::1]"]


def listen(host: str, port: int) -> socket.socket:
    """A socket that is bound and that nobody else can bind.

    Raises:
        ValueError: If the port is in use or the host is none of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, so that asyncio sends small answers at once: without, 40 ms later.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    # A server that has just stopped leaves connections that die out.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise InputError(
                f"Port {port} on {host} is in use: stop what listens there or choose "
                "another port."
            ) from error
        raise InputError(f"Cannot listen on {host}:{port}: {error}.") from error
    return listening
