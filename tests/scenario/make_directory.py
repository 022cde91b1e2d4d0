# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the domain of systemd_directory.py: CORP, corp.example, on a controller that has not been started yet. Run by PREPARE.

    make_directory.py FOLDER ADDRESS    the controller's files go to FOLDER, it will listen on ADDRESS
"""
import subprocess
import sys

from ldb import FLAG_MOD_REPLACE, Dn, Message, MessageElement
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

ADMIN_PASSWORD = "Admin-Word-17"
PASSWORD = "Right-Word-17"
GROUPS = 300
PEOPLE = ("carl", "many", "nested", "must", "lapsed", "disabled", "ended", "away", "outsider")
BYPASS_LAST_SET = "local_oid:1.3.6.1.4.1.7165.4.3.20:0"    # Samba's own control: an age for a password
LONG_AGO = "131592384000000000"                             # 2018, in Windows' time


def provision(folder, address):
    subprocess.run(["samba-tool", "domain", "provision", "--server-role=dc", "--use-rfc2307", "--dns-backend=SAMBA_INTERNAL", "--realm=CORP.EXAMPLE",
                    "--domain=CORP", "--host-name=dc", "--host-ip=" + address, "--adminpass=" + ADMIN_PASSWORD, "--targetdir=" + folder,
                    "--option=interfaces=lo " + address + "/24", "--option=bind interfaces only=yes"], check=True)


def fill(folder):
    lp = LoadParm()
    lp.load(folder + "/etc/smb.conf")
    db = SamDB(url=folder + "/private/sam.ldb", session_info=system_session(), lp=lp)

    def set_attribute(user, name, value, controls=()):
        found = db.search(base=db.domain_dn(), expression="(sAMAccountName=%s)" % user, attrs=[])
        m = Message(Dn(db, str(found[0].dn)))
        m[name] = MessageElement(value, FLAG_MOD_REPLACE, name)
        db.modify(m, list(controls))
    db.transaction_start()
    for user in PEOPLE:
        db.newuser(user, PASSWORD)
    for n in range(GROUPS):
        db.newgroup("Group No %d" % n)
    db.newgroup("Linux People")
    db.newgroup("Desk Users")
    db.newgroup("Inner Circle")
    for n in range(GROUPS):
        db.add_remove_group_members("Group No %d" % n, ["many"], add_members_operation=True)
    db.add_remove_group_members("Inner Circle", ["nested"], add_members_operation=True)
    db.add_remove_group_members("Desk Users", ["Inner Circle", "carl"], add_members_operation=True)
    db.add_remove_group_members("Linux People", ["Desk Users", "many", "must", "lapsed", "disabled", "ended", "away"], add_members_operation=True)
    set_attribute("carl", "userPrincipalName", "c.long@corp.example")
    set_attribute("must", "pwdLastSet", "0")
    set_attribute("lapsed", "pwdLastSet", LONG_AGO, [BYPASS_LAST_SET])
    set_attribute("ended", "accountExpires", LONG_AGO)
    set_attribute("disabled", "userAccountControl", "514")
    db.transaction_commit()


if __name__ == "__main__":
    provision(sys.argv[1], sys.argv[2])
    fill(sys.argv[1])
