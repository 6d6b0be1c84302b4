"""A pool that lends one connection of the server by the transaction, as pgbouncer does.

It speaks just enough of PostgreSQL's protocol: it greets each client itself, passes what a
client sends to the one server connection, and gives that to the next client whenever the server
says that no transaction is open.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from typing import Any, Final

import psycopg2

_TOLD: Final = {"server_version": "18", "client_encoding": "UTF8", "DateStyle": "ISO, MDY",
                "standard_conforming_strings": "on", "integer_datetimes": "on"}  # fmt: skip


class Pool:
    """Lends `server`, an open connection of psycopg2, to whoever connects."""

    def __init__(self, server: Any) -> None:
        self.kept = server
        self.server = socket.socket(fileno=os.dup(server.fileno()))
        self.server.setblocking(True)
        self.turn = threading.Lock()
        self.door = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._let_in, daemon=True).start()

    def client(self) -> Any:
        """A new client's connection through the pool."""
        port = self.door.getsockname()[1]
        made = psycopg2.connect(host="127.0.0.1", port=port, user="x", dbname="x",
                                sslmode="disable", gssencmode="disable")  # fmt: skip
        made.autocommit = True
        return made

    def close(self) -> None:
        self.door.close()
        self.server.close()
        self.kept.close()

    def _let_in(self) -> None:
        while True:
            try:
                client, _address = self.door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        _read(client, struct.unpack("!I", _read(client, 4))[0] - 4)
        told = b"".join(_message(b"S", f"{k}\0{v}\0".encode()) for k, v in _TOLD.items())
        client.sendall(_message(b"R", struct.pack("!I", 0)) + told + _message(b"Z", b"I"))
        is_mine = False
        try:
            while True:
                kind, body = _next(client)
                if kind == b"X":
                    return
                if not is_mine:
                    self.turn.acquire()
                    is_mine = True
                self.server.sendall(_message(kind, body))
                if self._answered(client) == b"I":
                    self.turn.release()
                    is_mine = False
        except OSError:
            return

    def _answered(self, client: socket.socket) -> bytes:
        """Pass on all that the server says, to the state that it is in then."""
        while True:
            kind, body = _next(self.server)
            client.sendall(_message(kind, body))
            if kind == b"Z":
                return body


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _next(source: socket.socket) -> tuple[bytes, bytes]:
    kind, size = struct.unpack("!cI", _read(source, 5))
    return kind, _read(source, size - 4)


def _read(source: socket.socket, count: int) -> bytes:
    held = b""
    while len(held) < count:
        piece = source.recv(count - len(held))
        if not piece:
            raise OSError("closed")
        held += piece
    return held
