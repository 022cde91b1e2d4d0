# SPDX-License-Identifier: GPL-3.0-or-later
"""The scripted client with the profile of Microsoft's own: it asks for HYBRID_EX, has monitors, dynamic channels, RDPGFX 10.7, display control
and the reconnect cookie. What it knows of a frame is its commands; it decodes no pictures."""
import struct
import time

from harness.rdp import INFO_FLAGS, PROTOCOL_HYBRID, PROTOCOL_HYBRID_EX, PROTOCOL_SSL, Rdp

GRAPHICS, CONTROL = "Microsoft::Windows::RDS::Graphics", "Microsoft::Windows::RDS::DisplayControl"
ALL = PROTOCOL_SSL | PROTOCOL_HYBRID | PROTOCOL_HYBRID_EX
CHUNK_FIRST_LAST = 3
CAPS_107, CAPS_8 = 0x000A0701, 0x00080004
# MS-RDPEGFX 2.2.2
WIRE_1, WIRE_2, FILL, COPY, CREATE, DELETE, START, END, ACK, RESET, MAP, ADVERTISE, CONFIRM, OFFER, IMPORTED = (
    0x1, 0x2, 0x4, 0x5, 0x9, 0xA, 0xB, 0xC, 0xD, 0xE, 0xF, 0x12, 0x13, 0x10, 0x11)


def _tokens():
    """MS-RDPEGFX 3.1.9.1.2: (prefix bits, prefix): (value bits, is match, base or literal)."""
    t = {(1, 0): (8, False, None)}
    for bits, prefix, value, base in ((5, 17, 5, 0), (5, 18, 7, 32), (5, 19, 9, 160), (5, 20, 10, 672), (5, 21, 12, 1696), (6, 44, 14, 5792),
                                      (6, 45, 15, 22176), (7, 92, 18, 54944), (7, 93, 20, 317088), (8, 188, 20, 1365664),
                                      (8, 189, 21, 2414240), (9, 380, 22, 4511392), (9, 381, 23, 8705696), (9, 382, 24, 17094304)):
        t[bits, prefix] = (value, True, base)
    literals = ((5, 24, (0, 1)), (6, 52, (2, 3, 255)), (7, 110, (4, 5, 6, 7, 8, 9, 10, 11, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x80)),
                (8, 252, (12, 0x38, 0x39, 0x66)))
    for bits, prefix, values in literals:
        for i, v in enumerate(values):
            t[bits, prefix + i] = (0, False, v)
    return t


class Unpacker:
    """RDP8 bulk decompression with its history."""
    TOKENS = _tokens()
    HISTORY = 2500000

    def __init__(self):
        self.history = bytearray()

    def message(self, data):
        if data[0] == 0xE0:
            return self.segment(data[1:])
        assert data[0] == 0xE1, data[0]
        count, total = struct.unpack_from("<HI", data, 1)
        at, out = 7, b""
        for _ in range(count):
            n = struct.unpack_from("<I", data, at)[0]
            out += self.segment(data[at + 4:at + 4 + n])
            at += 4 + n
        assert len(out) == total
        return out

    def segment(self, data):
        assert data[0] & 0x0F == 4
        out = self.unpack(data[1:]) if data[0] & 0x20 else bytes(data[1:])
        if not data[0] & 0x20:
            self.keep(out)
        return out

    def keep(self, out):
        self.history += out
        del self.history[:-self.HISTORY]

    def unpack(self, data):
        bits = "".join(format(b, "08b") for b in data[:-1])
        end, at, out = len(bits) - data[-1], 0, bytearray()
        h = self.history
        start = len(h)
        while at < end:
            n = 1
            while (n, int(bits[at:at + n], 2)) not in self.TOKENS:
                n += 1
            value_bits, match, base = self.TOKENS[n, int(bits[at:at + n], 2)]
            at += n
            v = int(bits[at:at + value_bits] or "0", 2)
            at += value_bits
            if not match:
                h.append(v if base is None else base)
                continue
            distance = base + v
            if distance == 0:
                count = int(bits[at:at + 15], 2)
                at = (at + 15 + 7) // 8 * 8
                h += bytes(int(bits[at + 8 * i:at + 8 * i + 8], 2) for i in range(count))
                at += 8 * count
                continue
            count, extra = 3, 0
            if bits[at] == "1":
                count, extra = 4, 2
                at += 1
                while bits[at] == "1":
                    count, extra, at = count * 2, extra + 1, at + 1
            at += 1
            count += int(bits[at:at + extra] or "0", 2)
            at += extra
            for _ in range(count):
                h.append(h[-distance])
        out = bytes(h[start:])
        del h[:-self.HISTORY]
        return out


class Mstsc(Rdp):
    def __init__(self, port, monitors=None, primary=0, capsets=((CAPS_107, b"\0\0\0\0"),), ack=True, refuse=(), scale=100, messages=True, **kw):
        super().__init__(port, **kw)
        self.messages = messages     # whether it has the message channel
        self.measured, self.characteristics = [], []
        self.results = (10, 400000)  # what it says of a bandwidth measurement: ms, bytes
        self.monitors, self.primary, self.capsets, self.ack, self.refuse, self.scale = monitors, primary, capsets, ack, refuse, scale
        self.dynamic, self.parts, self.ids = {}, {}, {}    # id: name; id: (total, bytes); name: id
        self.unpacker = Unpacker()
        self.commands, self.frames, self.confirmed, self.resets = [], 0, [], []
        self.control_caps = None
        self.cookie = None
        self.others = ()             # names of further dynamic channels that it has
        self.told = []               # (name, message) of those

    def gcc(self, channels):
        """With early capabilities (error info, monitor layout, GFX, heartbeat, 32 bit) and, where there are several, monitors."""
        out = bytearray(super().gcc(channels))
        early = 0x1 | 0x2 | 0x8 | 0x40 | 0x80 | 0x100 | 0x400
        mark = struct.pack("<HHIHHH", 0xCA01, 1, 0, 24, 0xF, 0x1 | 0x2 | 0x100)
        at = out.index(mark)
        out[at:at + len(mark)] = struct.pack("<HHIHHH", 0xCA01, 1, 0, 24, 0xF, early)
        blocks = bytes(out[out.index(b"Duca") + 6:])
        if self.monitors:
            body = struct.pack("<II", 0, len(self.monitors))
            for i, (x, y, w, h) in enumerate(self.monitors):
                body += struct.pack("<iiiiI", x, y, x + w - 1, y + h - 1, 1 if i == self.primary else 0)
            blocks += struct.pack("<HH", 0xC005, len(body) + 4) + body
        if self.messages:
            blocks += struct.pack("<HHI", 0xC006, 8, 0)
        rest = b"\0\x08\0\x10\0\x01\xc0\0Duca" + struct.pack(">H", len(blocks) | 0x8000) + blocks
        return b"\0\x05\0\x14\x7c\0\x01" + struct.pack(">H", len(rest) | 0x8000) + rest

    def login(self, user="", password="", protocols=ALL, **kw):
        return super().login(user, password, protocols=protocols, **kw)

    def reconnect_cookie(self, logon_id, verifier):
        return struct.pack("<III", 28, 1, logon_id) + verifier

    # --- static channels ---
    def chunk(self, name, data, flags, total):
        """One chunk, with whatever its header shall say (MS-RDPBCGR 2.2.6.1)."""
        channel = next(i for i, n in self.channels.items() if n == name)
        self.send_data(struct.pack("<II", total, flags) + data, channel)

    # --- dynamic channels ---
    def drdynvc(self, pdu):
        self.chunk("drdynvc", pdu, CHUNK_FIRST_LAST, len(pdu))

    def step(self):
        n = len(self.seen)
        super().step()
        for kind, channel, data in self.seen[n:]:
            if kind == "channel" and channel == "drdynvc":
                self.on_dynamic(data[8:])
            elif kind == "channel" and channel == str(self.message_channel) and struct.unpack_from("<H", data)[0] & 0x1000:
                self.on_measure(*struct.unpack_from("<HH", data, 6), data[10:])
            elif kind == "data-38" and struct.unpack_from("<I", data)[0] == 3:
                fields = struct.unpack_from("<HI", data, 4)
                if fields[1] & 1:
                    self.cookie = struct.unpack_from("<IIII16s", data, 10)[3:]

    def answer_measure(self, sequence, kind, body=b""):
        pdu = struct.pack("<BBHH", 6 + len(body), 1, sequence, kind) + body
        self.send_data(struct.pack("<HH", 0x2000, 0) + pdu, self.message_channel)

    def on_measure(self, sequence, kind, body):
        """MS-RDPBCGR 2.2.14.1: round trip, start and stop of a bandwidth measurement, and what came of it."""
        self.measured.append(kind)
        if kind == 0x0001:
            self.answer_measure(sequence, 0)
        elif kind == 0x0429:
            self.answer_measure(sequence, 0x000B, struct.pack("<II", *self.results))
        elif kind == 0x08C0:
            self.characteristics.append(struct.unpack("<III", body))

    def on_dynamic(self, p):
        command, size = p[0] >> 4, 1 << (p[0] & 3)
        if command == 5:
            self.drdynvc(b"\x50\0" + p[2:4])
            return
        ident = int.from_bytes(p[1:1 + size], "little")
        rest = p[1 + size:]
        if command == 1:
            name = rest.split(b"\0")[0].decode()
            refused = name in self.refuse or name not in (GRAPHICS, CONTROL, *self.others)
            self.drdynvc(p[:1 + size] + struct.pack("<I", 0xC0000001 if refused else 0))
            if not refused:
                self.dynamic[ident], self.ids[name] = name, ident
                if name == GRAPHICS:
                    self.unpacker = Unpacker()    # a new channel has no history
                    self.advertise()
        elif command == 4:
            self.drdynvc(p[:1 + size])
            self.parts.pop(ident, None)
            if self.ids.get(self.dynamic.pop(ident, None)) == ident:
                self.ids = {n: i for n, i in self.ids.items() if i != ident}
        elif command == 2:
            n = 1 << (p[0] >> 2 & 3)
            self.parts[ident] = (int.from_bytes(rest[:n], "little"), rest[n:])
        elif command == 3 and ident in self.parts:
            total, have = self.parts[ident]
            self.parts[ident] = (total, have + rest)
        elif command == 3:
            self.on_message(ident, rest)
        if ident in self.parts and len(self.parts[ident][1]) >= self.parts[ident][0]:
            self.on_message(ident, self.parts.pop(ident)[1])

    def tell(self, name, payload):
        """One dynamic message, cut as needed."""
        ident = self.ids[name]
        if len(payload) <= 1598:
            self.drdynvc(bytes([0x30, ident]) + payload)
            return
        self.drdynvc(bytes([0x28, ident]) + struct.pack("<I", len(payload)) + payload[:1594])
        for at in range(1594, len(payload), 1598):
            self.drdynvc(bytes([0x30, ident]) + payload[at:at + 1598])

    def on_message(self, ident, data):
        if self.dynamic.get(ident) == CONTROL:
            self.control_caps = struct.unpack("<IIIII", data)
        elif self.dynamic.get(ident) == GRAPHICS:
            self.on_graphics(self.unpacker.message(data))
        elif ident in self.dynamic:
            self.told.append((self.dynamic[ident], data))
            self.on_other(self.dynamic[ident], data)

    def on_other(self, name, data):
        pass

    # --- graphics ---
    def gfx(self, command, body):
        self.tell(GRAPHICS, struct.pack("<HHI", command, 0, len(body) + 8) + body)

    def advertise(self):
        body = struct.pack("<H", len(self.capsets)) + b"".join(struct.pack("<II", v, len(d)) + d for v, d in self.capsets)
        self.gfx(ADVERTISE, body)

    def acknowledge(self, frame, depth=0):
        self.gfx(ACK, struct.pack("<III", depth, frame, self.frames))

    def on_graphics(self, data):
        at = 0
        while at < len(data):
            command, _, size = struct.unpack_from("<HHI", data, at)
            body = data[at + 8:at + size]
            self.commands.append((command, body))
            if command == CONFIRM:
                self.confirmed.append(struct.unpack_from("<III", body))
            elif command == RESET:
                self.resets.append(struct.unpack_from("<III", body))
            elif command == END:
                self.frames += 1
                if self.ack:
                    self.acknowledge(struct.unpack("<I", body)[0])
            at += size

    def count(self, command):
        return sum(1 for c, _ in self.commands if c == command)

    # --- display control ---
    def ask_layout(self, monitors, primary=0):
        body = struct.pack("<II", 40, len(monitors))
        for i, (x, y, w, h) in enumerate(monitors):
            body += struct.pack("<IiiIIIIIII", 1 if i == primary else 0, x, y, w, h, 300, 200, 0, self.scale, 100)
        self.tell(CONTROL, struct.pack("<II", 2, len(body) + 8) + body)

    def settle(self, seconds=15):
        """Until nothing has come for 0.7 s: the picture is exact."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            n = len(self.commands) + len(self.updates())
            self.run(0.7)
            if n == len(self.commands) + len(self.updates()):
                return
        raise AssertionError("never quiet")

    def until(self, condition, seconds=10, what="condition"):
        end = time.monotonic() + seconds
        if not self.run(seconds, lambda: condition() or None) and not condition():
            raise AssertionError("closed before " + what)
        assert condition(), "no %s within %.1f s" % (what, seconds + time.monotonic() - end)


__all__ = ["ALL", "GRAPHICS", "CONTROL", "INFO_FLAGS", "Mstsc"]
