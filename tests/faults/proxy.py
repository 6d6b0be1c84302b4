"""A small TCP proxy that can cut connections after so many bytes."""

import socket
import struct
import threading
from contextlib import suppress

RESET = struct.pack("ii", 1, 0)


class Proxy:
    """Forwards 127.0.0.1:`port` to `target`; one order cuts one connection."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.cuts = 0
        self._left: int | None = None
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_after(self, count: int) -> None:
        """Cut, in the middle of what it carries, the connection that brings the count full."""
        with self._lock:
            self._left = count

    def cut_nothing(self) -> None:
        """Take the order back."""
        with self._lock:
            self._left = None

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _address = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self.target), timeout=10)
        except OSError:
            _reset(near)
            return
        for end in (near, far):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                allowed = self._allowed(len(data))
                if allowed < len(data):
                    sink.sendall(data[:allowed])
                    _reset(source)
                    break
                sink.sendall(data)
        except OSError:
            pass
        finally:
            _reset(sink)
            _reset(source)

    def _allowed(self, size: int) -> int:
        with self._lock:
            if self._left is None:
                return size
            if size < self._left:
                self._left -= size
                return size
            allowed, self._left = self._left, None
            self.cuts += 1
            return min(allowed, size - 1)


def _reset(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        end.close()
