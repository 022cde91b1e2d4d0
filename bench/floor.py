#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What TCP alone makes of a key beside a film, on an emulated link: no server, no picture, no decoder.

  bench/floor.py --programs FOLDER [--profile lossy] [--film 5@30,3@30,2@30,1@30,2@15,0] [--seconds 240]

Of each film N@R, N full packets R times a second, a connection of its own: one end sends them, the other acknowledges each picture, as clients do, and sends a
key every 150 ms, which is answered by one small packet. Prints how long keys took. Needs root."""
import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from run import PROFILES, emulate, world  # noqa: E402

HEAD = struct.Struct("<BIH")  # kind, number, bytes that follow
KEY, ECHO, PICTURE, ACK = range(4)
PACKET = 1400                 # of a picture: with TLS's and TCP's heads a full one
KEY_MS, KEY_BYTES, ECHO_BYTES, ACK_BYTES = 150, 40, 180, 55


class End:
    """One end of a connection: whole messages, from any thread."""

    def __init__(self, s):
        self.s, self.lock, self.file = s, threading.Lock(), s.makefile("rb")
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, kind, number, size):
        with self.lock:
            self.s.sendall(HEAD.pack(kind, number, size) + bytes(size))

    def receive(self):
        """(kind, number), or None at the end."""
        head = self.file.read(HEAD.size)
        if len(head) < HEAD.size:
            return None
        kind, number, size = HEAD.unpack(head)
        self.file.read(size)
        return kind, number


def every(seconds, do):
    """Until do() says no, at fixed times."""
    due = time.monotonic()
    while do():
        due += seconds
        time.sleep(max(0, due - time.monotonic()))


def film(end, packets, rate):
    def picture():
        try:
            end.send(PICTURE, 0, packets * PACKET)
        except OSError:
            return False
        return True
    every(1 / rate, picture)


def serve(s, packets, rate):
    end = End(s)
    if packets:
        threading.Thread(target=film, args=(end, packets, rate), daemon=True).start()
    while (m := end.receive()) is not None:
        if m[0] == KEY:
            end.send(ECHO, m[1], ECHO_BYTES)


def type_keys(end, pressed, seconds):
    stop = time.monotonic() + seconds

    def key():
        pressed.append(time.monotonic())
        end.send(KEY, len(pressed) - 1, KEY_BYTES)
        return time.monotonic() < stop
    every(KEY_MS / 1000, key)
    time.sleep(2)  # the last ones' answers
    end.s.shutdown(socket.SHUT_RDWR)


def connect(host, port, seconds):
    """The client's end: prints the milliseconds that each key took."""
    end, pressed, took = End(socket.create_connection((host, port))), [], []
    threading.Thread(target=type_keys, args=(end, pressed, seconds), daemon=True).start()
    while (m := end.receive()) is not None:
        if m[0] == ECHO:
            took.append((time.monotonic() - pressed[m[1]]) * 1000)
        end.send(ACK, 0, ACK_BYTES)
    print(json.dumps(took))


def measure(args, packets, rate):
    """Start both ends; returns the client's process."""
    listener = socket.create_server((args.host, 0))
    client = subprocess.Popen(args.prefix + [sys.executable, __file__, "--connect", f"{args.host}:{listener.getsockname()[1]}", "--seconds",
                                             str(args.seconds)], stdout=subprocess.PIPE, text=True)
    s = listener.accept()[0]
    if os.fork() == 0:
        try:
            serve(s, packets, rate)
        except OSError:
            pass
        os._exit(0)
    s.close()
    return client


def row(packets, rate, took, limit):
    took.sort()
    n = len(took)
    name = f"{packets} packets, {rate} times a second" if packets else "none"
    late = sum(t > limit for t in took) * 100 / n
    return f"| {name} | {n} | {took[n // 2]:.1f} | {took[int(n * 0.95)]:.1f} | {late:.1f} % |"


def arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--programs", help="folder with the bench's programs")
    p.add_argument("--profile", default="lossy", choices=list(PROFILES))
    p.add_argument("--film", default="5@30,3@30,2@30,1@30,2@15,0", help="packets a picture @ pictures a second; 0: no film")
    p.add_argument("--seconds", type=float, default=240)
    p.add_argument("--connect", help=argparse.SUPPRESS)
    args = p.parse_args()
    if not args.connect and not args.programs:
        p.error("--programs is needed")
    args.films = [(int(n), int(r or 0)) for n, _, r in (f.partition("@") for f in args.film.split(","))]
    return args


def main():
    args = arguments()
    if args.connect:
        host, _, port = args.connect.partition(":")
        connect(host, int(port), args.seconds)
        return
    world()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)  # names of namespaces
    args.prefix = emulate(args)
    clients = []
    for packets, rate in args.films:
        clients.append(measure(args, packets, rate))
        time.sleep(0.0061)  # no two films' pictures at once
    rtt = PROFILES[args.profile][1]
    print(f"{args.profile}\n| film | keys | p50 ms | p95 ms | over {rtt + 30} ms |\n|---|---|---|---|---|")
    for (packets, rate), client in zip(args.films, clients):
        print(row(packets, rate, json.loads(client.communicate()[0]), rtt + 30), flush=True)


if __name__ == "__main__":
    main()
