# SPDX-License-Identifier: GPL-3.0-or-later
"""A wire between client and server that counts, can be cut, stalled, and comes from any loopback address."""
import selectors
import socket
import struct
import threading
import time


class Wire:
    """Listens on a loopback port and carries each connection to `target`. Thread: its own."""

    def __init__(self, target, source="127.0.0.1"):
        self.target, self.source = target, source
        self.up = self.down = 0       # bytes to the server, to the client
        self.refuse = False           # new connections are closed at once
        self.stalled = False          # nothing is carried any more, nothing is closed
        self.connections = 0
        self.first = None             # time.monotonic() of the first connection
        self._pairs = []
        self._lock = threading.Lock()
        self._stop = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop:
            for key, _ in self._selector.select(0.05):
                if key.data is None:
                    self._accept()
                elif not self.stalled:
                    self._carry(key.fileobj, key.data)
            if self.stalled:
                threading.Event().wait(0.02)

    def _accept(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        self.connections += 1
        self.first = self.first or time.monotonic()
        if self.refuse:
            client.close()
            return
        server = socket.socket()
        try:
            server.bind((self.source, 0))
            server.connect(self.target)
        except OSError:
            client.close()
            server.close()
            return
        for s in (client, server):
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._pairs.append((client, server))
            self._selector.register(client, selectors.EVENT_READ, (server, True))
            self._selector.register(server, selectors.EVENT_READ, (client, False))

    def _carry(self, source, data):
        to, up = data
        try:
            block = source.recv(262144)
            if block:
                to.sendall(block)
                if up:
                    self.up += len(block)
                else:
                    self.down += len(block)
                return
        except OSError:
            pass
        self._drop(source)

    def _drop(self, end):
        with self._lock:
            for pair in [p for p in self._pairs if end in p]:
                self._pairs.remove(pair)
                for s in pair:
                    try:
                        self._selector.unregister(s)
                    except (KeyError, ValueError):
                        pass
                    s.close()

    def cut(self, reset=True):
        """End all connections now; with `reset` both ends get a RST, as when a link dies and its state with it."""
        with self._lock:
            ends = [p[0] for p in self._pairs]
            for pair in self._pairs:
                for s in pair:
                    if reset:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for end in ends:
            self._drop(end)

    @property
    def open(self):
        return len(self._pairs)

    def close(self):
        self._stop = True
        self.cut()
        self._thread.join(2)
        self._listener.close()
