# SPDX-License-Identifier: GPL-3.0-or-later
"""Oriel's own messages in Python: just those that a fake monitor and a fake drawer need (session/proto/*.h)."""
import array
import socket
import struct

MESSAGE_MAX = 65536


def text(s):
    b = s.encode()
    return struct.pack("<H", len(b)) + b


def data(b):
    return struct.pack("<I", len(b)) + b


def pack(ident, payload=b""):
    return struct.pack("<BBHI", 1, 0, ident, len(payload)) + payload


def send(sock, ident, payload=b"", fds=()):
    socket.send_fds(sock, [pack(ident, payload)], list(fds))


def receive(sock):
    """(id, payload, fds), or None when the other end closed."""
    msg, fds, _, _ = socket.recv_fds(sock, MESSAGE_MAX, 4)
    if not msg:
        return None
    version, _, ident, length = struct.unpack_from("<BBHI", msg)
    assert version == 1 and length == len(msg) - 8, (version, length, len(msg))
    return ident, msg[8:], fds


class Reader:
    def __init__(self, b):
        self.b, self.at = b, 0

    def take(self, fmt):
        v = struct.unpack_from("<" + fmt, self.b, self.at)
        self.at += struct.calcsize("<" + fmt)
        return v if len(v) > 1 else v[0]

    def text(self):
        n = self.take("H")
        s = self.b[self.at:self.at + n]
        self.at += n
        return s.decode()

    def data(self):
        n = self.take("I")
        s = self.b[self.at:self.at + n]
        self.at += n
        return s
