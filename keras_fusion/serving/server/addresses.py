"""Where a server listens, and by which names it is asked."""

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from keras_fusion.errors import InputError


def names_this_machine(host: str) -> bool:
    """Whether a `Host` header is localhost or an address, with or without a port.

    A page of the web whose name was bound to this machine asks by that name.
    """
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def is_loopback(listening: socket.socket) -> bool:
    """Whether only this machine reaches the socket."""
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


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
