# SPDX-License-Identifier: GPL-3.0-or-later
"""A view-only client of a session, by the monitor's control socket and the display protocol (session/proto/control.h, display.h)."""
import array
import socket
import struct


def message(number, payload):
    return struct.pack("<BBHI", 1, 0, number, len(payload)) + payload


class Viewer:
    def __init__(self, service, session, width=800, height=600):
        control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control.connect(service.run_dir + "/control.sock")
        control.settimeout(5)
        control.send(message(8, struct.pack("<Q", session)))
        data, ancillary, _, _ = control.recvmsg(65536, socket.CMSG_SPACE(16))
        number = struct.unpack_from("<H", data, 2)[0]
        assert number == 103, "no viewer: message %d %r" % (number, data[8:200])
        fds = array.array("i")
        for level, kind, block in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(block[:len(block) - len(block) % fds.itemsize])
        self.link = socket.socket(fileno=fds[0])
        self.link.settimeout(5)
        self.control = control
        monitor = struct.pack("<iiIIIIIIB", 0, 0, width, height, 0, 0, 100, 0, 1)
        self.link.send(message(1, struct.pack("<I", 1) + monitor + struct.pack("<III", 0x409, 4, 0) + struct.pack("<H", 0)))

    def read(self):
        """The number of the next message."""
        data, _, _, _ = self.link.recvmsg(65536, socket.CMSG_SPACE(64))
        return struct.unpack_from("<H", data, 2)[0] if data else None

    def close(self):
        self.link.close()
        self.control.close()
