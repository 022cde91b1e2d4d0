# SPDX-License-Identifier: GPL-3.0-or-later
"""A small RDP client that says exactly what a story wants: any credentials, any channel, any stall. It shows nothing; it records what
the server sends. Wire formats: MS-RDPBCGR 2.2.1 (connection sequence), T.125 (MCS), T.124 (GCC), ITU-T X.224."""
import socket
import ssl
import struct
import threading
import time

PROTOCOL_RDP, PROTOCOL_SSL, PROTOCOL_HYBRID, PROTOCOL_HYBRID_EX = 0, 1, 2, 8
NEG_RESPONSE, NEG_FAILURE = 2, 3
IO_CHANNEL = 1003
CHANNELS = ("rdpdr", "rdpsnd", "cliprdr", "drdynvc")
INFO_FLAGS = 0x1 | 0x2 | 0x8 | 0x10 | 0x20 | 0x40 | 0x100   # mouse, no CAD, autologon, Unicode, maximised, notify, Windows key


class Closed(Exception):
    """The server ended the connection."""


class Refused(Exception):
    """The negotiation failed; `code` says why (MS-RDPBCGR 2.2.1.2.2)."""

    def __init__(self, code):
        super().__init__("negotiation failure %d" % code)
        self.code = code


def per_length(n):
    return struct.pack(">H", n | 0x8000) if n > 0x7F else struct.pack("B", n)


def ber_length(n):
    return struct.pack(">BH", 0x82, n)


def utf16(text):
    return text.encode("utf-16-le") if isinstance(text, str) else text


class Rdp:
    more_capabilities = ()    # (type, body), beside its own

    def __init__(self, port, host="127.0.0.1", source=None, timeout=10, width=1024, height=768, layout=0x409, name="story"):
        self.socket = socket.create_connection((host, port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.width, self.height, self.layout, self.name = width, height, layout, name
        self.message_channel = None
        self.channels = {}            # id: name
        self.seen = []                # (kind, channel name, bytes) of all that came after Client Info
        self.error_info = None
        self.active = False
        self.user = 0
        self.share = 0
        self.logon_info = []          # bodies of Save Session Info PDUs
        self.tls = False
        self._buffer = b""

    # --- bytes ------------------------------------------------------------------------------------------------------------------
    def _recv(self, n):
        while len(self._buffer) < n:
            try:
                block = self.socket.recv(65536)
            except (ConnectionError, ssl.SSLError, socket.timeout, OSError) as e:
                raise Closed(str(e)) from e
            if not block:
                raise Closed("end of stream")
            self._buffer += block
        out, self._buffer = self._buffer[:n], self._buffer[n:]
        return out

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as e:
            raise Closed(str(e)) from e

    def read_pdu(self):
        """(True, payload of a TPKT) or (False, fast-path update)."""
        head = self._recv(1)
        if head[0] == 3:
            rest = self._recv(3)
            return True, self._recv(struct.unpack(">H", rest[1:])[0] - 4)
        n = self._recv(1)[0]
        if n & 0x80:
            n = (n & 0x7F) << 8 | self._recv(1)[0]
            return False, self._recv(n - 3)
        return False, self._recv(n - 2)

    @staticmethod
    def tpkt(payload):
        return struct.pack(">BBH", 3, 0, len(payload) + 4) + payload

    def mcs(self, payload):
        self.send(self.tpkt(b"\x02\xf0\x80" + payload))

    # --- steps of the connection ------------------------------------------------------------------------------------------------
    @staticmethod
    def connection_request(protocols=PROTOCOL_SSL, cookie="story"):
        body = b"\xe0\0\0\0\0\0" + (b"Cookie: mstshash=%s\r\n" % cookie.encode() if cookie else b"")
        body += struct.pack("<BBHI", 1, 0, 8, protocols)
        return Rdp.tpkt(bytes([len(body)]) + body)

    def negotiate(self, protocols=PROTOCOL_SSL, cookie="story"):
        self.send(self.connection_request(protocols, cookie))
        _, answer = self.read_pdu()
        kind, _, _, value = struct.unpack("<BBHI", answer[7:15])
        if kind == NEG_FAILURE:
            raise Refused(value)
        assert kind == NEG_RESPONSE, answer
        self.selected = value
        return value

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            self.socket = context.wrap_socket(self.socket)
        except (OSError, ValueError) as e:
            raise Closed(str(e)) from e
        self.tls = True
        return self.socket.getpeercert(True)

    def gcc(self, channels):
        core = struct.pack("<IHHHHII", 0x0008000D, self.width, self.height, 0xCA01, 0xAA03, self.layout, 19041)
        core += utf16(self.name[:15]).ljust(32, b"\0") + struct.pack("<III", 4, 0, 12) + bytes(64)
        core += struct.pack("<HHIHHH", 0xCA01, 1, 0, 24, 0xF, 0x1 | 0x2 | 0x100) + bytes(64)
        core += struct.pack("<BBI", 6, 0, self.selected)
        net = struct.pack("<I", len(channels)) + b"".join(c.encode().ljust(8, b"\0") + struct.pack("<I", 0x80000000) for c in channels)
        blocks = b"".join(struct.pack("<HH", t, len(d) + 4) + d for t, d in
                          ((0xC001, core), (0xC004, struct.pack("<II", 0x0D, 0)), (0xC002, struct.pack("<II", 0, 0)), (0xC003, net)))
        rest = b"\0\x08\0\x10\0\x01\xc0\0Duca" + struct.pack(">H", len(blocks) | 0x8000) + blocks
        return b"\0\x05\0\x14\x7c\0\x01" + per_length(len(rest)) + rest

    def connect_mcs(self, channels=CHANNELS):
        def params(*values):
            body = b"".join(b"\x02" + bytes([len(v)]) + v for v in values)
            return b"\x30" + bytes([len(body)]) + body
        gcc = self.gcc(channels)
        big, one, zero = b"\0\xff\xff", b"\x01", b"\0"
        body = b"\x04\x01\x01\x04\x01\x01\x01\x01\xff"
        body += params(b"\x22", b"\x02", zero, one, zero, one, big, b"\x02")
        body += params(one, one, one, one, zero, one, b"\x04\x20", b"\x02")
        body += params(big, b"\0\xfc\x17", big, one, zero, one, big, b"\x02")
        body += b"\x04" + ber_length(len(gcc)) + gcc
        self.mcs(b"\x7f\x65" + ber_length(len(body)) + body)
        _, answer = self.read_pdu()
        at = answer.index(b"McDn") + 4
        at += 2 if answer[at] & 0x80 else 1
        ids, io = [], IO_CHANNEL
        while at + 4 <= len(answer):
            kind, size = struct.unpack_from("<HH", answer, at)
            if size < 4:
                break
            if kind == 0x0C03:
                io, n = struct.unpack_from("<HH", answer, at + 4)
                ids = list(struct.unpack_from("<%dH" % n, answer, at + 8))
            elif kind == 0x0C04:
                self.message_channel = struct.unpack_from("<H", answer, at + 4)[0]
            at += size
        self.io = io
        self.channels = dict(zip(ids, channels))
        self.mcs(b"\x04\x01\0\x01\0")
        self.mcs(b"\x28")
        _, answer = self.read_pdu()
        assert answer[3] & 0xFC == 0x2C, answer
        self.user = struct.unpack(">H", answer[5:7])[0] + 1001
        for channel in [self.user, io] + [c for c in [self.message_channel] if c] + ids:
            self.mcs(struct.pack(">BHH", 0x38, self.user - 1001, channel))
            _, answer = self.read_pdu()
            assert answer[3] & 0xFC == 0x3C and answer[4] == 0, answer

    def send_data(self, payload, channel=None):
        self.mcs(struct.pack(">BHHB", 0x64, self.user - 1001, channel or self.io, 0x70) + per_length(len(payload)) + payload)

    def client_info(self, user="", password="", domain="", flags=INFO_FLAGS, cookie=b"", shell=""):
        """Strings may be bytes: then they are sent as they are, instead of UTF-16."""
        fields = [utf16(x) for x in (domain, user, password, shell, "")]
        body = struct.pack("<IIHHHHH", 0, flags, *[len(f) for f in fields]) + b"".join(f + b"\0\0" for f in fields)
        address, folder = utf16("127.0.0.1\0"), utf16("C:\\x\0")
        body += struct.pack("<HH", 2, len(address)) + address + struct.pack("<H", len(folder)) + folder
        body += bytes(172) + struct.pack("<IIH", 0, 0, len(cookie)) + cookie
        self.send_data(struct.pack("<HH", 0x40, 0) + body)

    def login(self, user="", password="", protocols=PROTOCOL_SSL, channels=CHANNELS, **kw):
        """Everything up to and with Client Info."""
        self.negotiate(protocols)
        self.start_tls()
        self.connect_mcs(channels)
        self.client_info(user, password, **kw)
        return self

    # --- afterwards -------------------------------------------------------------------------------------------------------------
    def share_control(self, kind, body):
        self.send_data(struct.pack("<HHH", len(body) + 6, kind | 0x10, self.user) + body)

    def data_pdu(self, kind, body):
        self.share_control(7, struct.pack("<IBBHBBH", self.share, 0, 1, len(body) + 18, kind, 0, 0) + body)

    def confirm_active(self):
        caps = [
            (1, struct.pack("<HHHHHHHHHBB", 1, 3, 0x200, 0, 0, 0x0400 | 0x0001 | 0x0004 | 0x0008, 0, 0, 0, 1, 1)),
            (2, struct.pack("<HHHHHHHHBBHHH", 32, 1, 1, 1, self.width, self.height, 0, 1, 1, 0, 1, 1, 0)),
            (3, bytes(16) + struct.pack("<IHHHHHHH", 0, 1, 20, 0, 1, 0, 0x2 | 0x8 | 0x20, 0) + bytes(32) + struct.pack("<HHIIHHHH", 0, 0, 0, 480 * 480, 0, 0, 0, 0)),
            (8, struct.pack("<HHH", 1, 20, 20)),
            (13, struct.pack("<HHIIII", 0x1 | 0x4 | 0x10 | 0x20, 0, self.layout, 4, 0, 12) + bytes(64)),
            (20, struct.pack("<II", 0, 1600)),
            (9, struct.pack("<HH", 0, 0)),
            (14, struct.pack("<HH", 1, 0)),
            *self.more_capabilities,
        ]
        sets = b"".join(struct.pack("<HH", t, len(d) + 4) + d for t, d in caps)
        body = struct.pack("<IHHH", self.share, 0x03EA, 6, len(sets) + 4) + b"MSTSC\0" + struct.pack("<HH", len(caps), 0) + sets
        self.share_control(3, body)
        self.data_pdu(31, struct.pack("<HH", 1, 1002))
        self.data_pdu(20, struct.pack("<HHI", 4, 0, 0))
        self.data_pdu(20, struct.pack("<HHI", 1, 0, 0))
        self.data_pdu(39, struct.pack("<HHHH", 0, 0, 3, 50))
        self.active = True

    def step(self):
        """Read one PDU and do what a client does with it. Raises Closed."""
        slow, p = self.read_pdu()
        if not slow:
            self.seen.append(("update", "fast-path", p))
            return
        kind = p[3] & 0xFC if len(p) > 3 else 0
        if kind == 0x20:      # DisconnectProviderUltimatum
            raise Closed("ultimatum")
        if kind != 0x68:
            return
        channel = struct.unpack(">H", p[6:8])[0]
        at = 10 if p[9] & 0x80 == 0 else 11
        data = p[at:]
        if channel != self.io:
            self.seen.append(("channel", self.channels.get(channel, str(channel)), data))
            return
        self._io(data)

    def _io(self, data):
        flags = struct.unpack_from("<H", data)[0]
        if flags & 0x80 and len(data) >= 4 and struct.unpack_from("<H", data, 2)[0] in (0, flags):
            if not self.share:
                self.seen.append(("licence", "io", data))
                return
        total, kind = struct.unpack_from("<HH", data)
        kind &= 0xF
        if kind == 1:
            self.share = struct.unpack_from("<I", data, 6)[0]
            self.seen.append(("demand-active", "io", data))
            self.confirm_active()
        elif kind == 7:
            what = data[14]
            body = data[18:]
            if what == 0x2F:
                self.error_info = struct.unpack_from("<I", body)[0]
            elif what == 0x26:
                self.logon_info.append(body)
            self.seen.append(("data-%d" % what, "io", body))
        else:
            self.seen.append(("control-%d" % kind, "io", data))

    def run(self, seconds=None, until=None):
        """Live as a client until `until()` or the time is over. Returns False when the server closed."""
        end = time.monotonic() + (seconds if seconds is not None else 10)
        try:
            while time.monotonic() < end:
                if until and until():
                    return True
                self.socket.settimeout(max(0.02, min(0.1, end - time.monotonic())))
                try:
                    block = self.socket.recv(65536)
                except (socket.timeout, ssl.SSLWantReadError):
                    continue
                except OSError as e:
                    raise Closed(str(e)) from e
                if not block:
                    raise Closed("end of stream")
                self._buffer += block
                self.socket.settimeout(5)
                while self._whole():
                    self.step()
            return True
        except Closed:
            return False

    def _whole(self):
        b = self._buffer
        if len(b) < 3:
            return False
        if b[0] == 3:
            return len(b) >= 4 and len(b) >= struct.unpack(">H", b[2:4])[0]
        n = (b[1] & 0x7F) << 8 | b[2] if b[1] & 0x80 else b[1]
        return len(b) >= n

    def run_in_background(self):
        t = threading.Thread(target=self.run, args=(3600,), daemon=True)
        t.start()
        return t

    # --- input ------------------------------------------------------------------------------------------------------------------
    def fastpath_input(self, events):
        for i in range(0, len(events), 15):
            part = events[i:i + 15]
            body = b"".join(part)
            n = len(body) + 3
            self.send(struct.pack(">BH", len(part) << 2, n | 0x8000) + body)

    def type_unicode(self, text):
        self.fastpath_input([struct.pack("<BH", release | 4 << 5, ord(c)) for c in text for release in (0, 1)])

    def scancode(self, code, extended=False, down=None):
        flags = 2 if extended else 0
        events = []
        if down is None or down:
            events.append(struct.pack("BB", flags, code))
        if down is None or not down:
            events.append(struct.pack("BB", flags | 1, code))
        self.fastpath_input(events)

    def click(self, x, y):
        for flags in (0x0800, 0x9000, 0x1000):    # move; the left button down and up
            self.fastpath_input([struct.pack("<BHHH", 1 << 5, flags, x, y)])

    def updates(self):
        return [s for s in self.seen if s[0] == "update" or s[0] == "data-2"]

    def channel_data(self):
        return [s for s in self.seen if s[0] == "channel"]

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass
