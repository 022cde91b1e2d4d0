# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login gives its programs: limits, masks, priorities. A session of Oriel's and a login by ssh on the same machine are compared."""
import os
import subprocess

from . import users
from .world import wait_for

SCRIPT = """
report() {
    ulimit -S -a | sed 's/^/soft /'
    ulimit -H -a | sed 's/^/hard /'
    echo "umask $(umask)"
    echo "nice $(nice)"
    echo "ionice $(ionice)"
    chrt -p $$ | sed -n 's/.*current scheduling/schedule/p'
    echo "oom $(cat /proc/self/oom_score_adj)"
    echo "slack $(cat /proc/self/timerslack_ns)"
    grep -E '^(Groups|Sig(Blk|Ign)|Shd|Cap|NoNewPrivs|Seccomp|Cpus_allowed)' /proc/self/status
}
report >$1.new 2>&1
mv $1.new $1
"""


def write_script(user):
    user.write("report.sh", SCRIPT)


def of_session(user):
    """What the session's start-up wrote: it runs `bash ~/report.sh ~/of-session`."""
    return wait_for(lambda: user.read("of-session"), 10, "the session's report").splitlines()


def of_ssh(user, port, key):
    """The same of a login by ssh, with the user's key."""
    user.remove("of-ssh")
    users.run("ssh", "-i", key, "-p", str(port), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
              "%s@127.0.0.1" % user.name, "bash ~/report.sh ~/of-ssh", stdin=subprocess.DEVNULL, timeout=60)
    return user.read("of-ssh").splitlines()


def make_key(user, folder):
    """A key that lets root's ssh in as the user. Returns its file."""
    key = os.path.join(folder, "key-of-" + user.name)
    if os.path.exists(key):
        os.unlink(key)
    users.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    with open(key + ".pub") as f:
        user.write(".ssh/authorized_keys", f.read(), 0o600)
    return key


def differences(ours, theirs):
    return ["ssh: %s / session: %s" % (b, a) for a, b in zip(ours, theirs) if a != b] + (
        [] if len(ours) == len(theirs) else ["%d lines, and by ssh %d" % (len(ours), len(theirs))])
