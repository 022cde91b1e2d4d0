# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of this world, straight from /proc."""
import os
import pwd

PAGE = os.sysconf("SC_PAGE_SIZE")


def _read(pid, name, mode="rb"):
    try:
        with open("/proc/%s/%s" % (pid, name), mode) as f:
            return f.read()
    except OSError:
        return b"" if "b" in mode else ""


def _fields(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


class Process:
    def __init__(self, pid):
        self.pid = pid
        self.argv = [a.decode("utf-8", "replace") for a in _read(pid, "cmdline").split(b"\0")[:-1]]
        self.name = os.path.basename(self.argv[0]) if self.argv else ""
        self.status = _fields(_read(pid, "status", "r"))

    @property
    def uid(self):
        return int(self.status.get("Uid", "-1").split()[0])

    @property
    def ppid(self):
        return int(self.status.get("PPid", "-1"))

    @property
    def zombie(self):
        return self.status.get("State", "Z").startswith("Z")

    @property
    def exe(self):
        try:
            return os.path.basename(os.readlink("/proc/%d/exe" % self.pid))
        except OSError:
            return ""

    def environ(self):
        return dict(e.split(b"=", 1) for e in _read(self.pid, "environ").split(b"\0") if b"=" in e)

    def ticks(self):
        """CPU ticks used so far (10 ms each)."""
        text = _read(self.pid, "stat", "r")
        fields = text[text.rindex(")") + 2:].split()
        return int(fields[11]) + int(fields[12])

    def cpu_us(self):
        """Microseconds of CPU used so far, of the threads that there are."""
        total = 0
        for task in os.listdir("/proc/%d/task" % self.pid):
            total += int(_read(self.pid, "task/%s/schedstat" % task, "r").split()[0])
        return total // 1000

    def __repr__(self):
        return "%d:%s(uid %d)" % (self.pid, " ".join(self.argv)[:60] or self.exe, self.uid)


def processes():
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            p = Process(int(entry))
            if p.status and not p.zombie:
                found.append(p)
    return found


def of_user(user):
    uid = pwd.getpwnam(user).pw_uid
    return [p for p in processes() if p.uid == uid]


def named(name):
    """Processes whose program has this name (the kernel cuts `comm` at 15 bytes, so the executable's name counts)."""
    return [p for p in processes() if p.exe == name]


def alive(pid):
    return bool(Process(pid).status) and not Process(pid).zombie


def threads(pid):
    """Thread ids, each with the fields of its status file."""
    found = {int(task): _fields(_read(pid, "task/%s/status" % task, "r")) for task in os.listdir("/proc/%d/task" % pid)}
    return {task: status for task, status in found.items() if status}


def pss(pid):
    """KiB of memory, what is shared divided by those that share it; 0: there is no such process."""
    try:
        with open("/proc/%d/smaps_rollup" % pid) as f:
            return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    except (OSError, StopIteration):
        return 0


def in_use(pages, at, length):
    """Is a page of this range in memory or in swap? `pages`: /proc/PID/pagemap, of eight bytes for each (pagemap.rst of the kernel)."""
    first, last = at // PAGE, (at + length - 1) // PAGE
    try:
        pages.seek(8 * first)
        entries = pages.read(8 * (last - first + 1))
    except OSError:
        return True
    return any(top & 0xC0 for top in entries[7::8]) or not entries


def memory_contains(pid, needles):
    """Which of the byte strings stand in the readable memory of a process."""
    found = set()
    try:
        with open("/proc/%d/maps" % pid) as f:
            maps = f.read().splitlines()
        mem, pages = open("/proc/%d/mem" % pid, "rb", buffering=0), open("/proc/%d/pagemap" % pid, "rb", buffering=0)
    except OSError:
        return found
    with mem, pages:
        for line in maps:
            fields = line.split()
            if not fields[1].startswith("r") or (len(fields) > 5 and fields[5] in ("[vvar]", "[vsyscall]")):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            if end - start > 1 << 32:
                continue    # a sanitizer's shadow
            anonymous = fields[1].endswith("p") and fields[4] == "0"
            at, tail = start, b""
            while at < end:
                most = min(1 << 22, end - at)
                if anonymous and not in_use(pages, at, most):
                    at, tail = at + most, b""
                    continue
                try:
                    mem.seek(at)
                    block = mem.read(most)
                except (OSError, ValueError, OverflowError):
                    break
                if not block:
                    break
                data = tail + block
                found.update(n for n in needles if n in data)
                tail = data[-1024:]
                at += len(block)
    return found
