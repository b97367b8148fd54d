"""Makes names under `unanswered.invalid` take what libc takes while no name server answers.

Python imports this at the start of a process whose PYTHONPATH leads here: the server that the bench spawns. A name
server that never answers would have to be in the machine's own /etc/resolv.conf. As in libc, the calling thread is
blocked, does not hold the interpreter, and gets EAI_AGAIN in the end.
"""

import socket
import time
from typing import Any

ZONE = ".unanswered.invalid"
GIVES_UP_SECONDS = 30.0
"""Three name servers, asked twice for 5 s each: libc's defaults (resolv.conf(5))."""

_answered = socket.getaddrinfo


def _getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
    if isinstance(host, str) and host.endswith(ZONE):
        time.sleep(GIVES_UP_SECONDS)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return _answered(host, *arguments, **options)


socket.getaddrinfo = _getaddrinfo
