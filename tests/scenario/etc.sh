#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes the /etc of the private world (world.sh) in a folder. What tells where the installed programs have their libraries, certificates
# and fonts is copied from the machine. All else is written here, as on a Debian that nobody has used yet: accounts, PAM, start-up files,
# desktops, language, time zone. So an account, a group, a desktop or a setting of the machine has no part in a test.
#
#   tests/scenario/etc.sh FOLDER OWNER    OWNER: the numeric user id that the source tree belongs to
set -euo pipefail
etc=$1 owner=$2

made() { # PATH [MODE]: from standard input
    mkdir -p "$(dirname "$etc/$1")"
    cat >"$etc/$1"
    chmod "${2:-0644}" "$etc/$1"
}
copied() { # PATH...: as it is on the machine, if it is there
    local path
    for path in "$@"; do
        [ -e "/etc/$path" ] || [ -L "/etc/$path" ] || continue
        mkdir -p "$(dirname "$etc/$path")"
        cp -a "/etc/$path" "$etc/$path"
    done
}
# A choice between programs that do the same (update-alternatives): the one that Oriel's own packages bring.
chosen() { # NAME PROGRAM
    rm -f "$etc/alternatives/$1"
    [ ! -e "$2" ] || ln -s "$2" "$etc/alternatives/$1"
}

mkdir -p "$etc"
chmod 0755 "$etc"

# --- what is installed, and how it is found ----------------------------------------------------------------------------------------
copied ld.so.cache ld.so.conf ld.so.conf.d ssl ca-certificates alternatives apt dpkg debian_version os-release lsb-release
copied protocols services rpc mime.types magic xattr.conf
chosen x-terminal-emulator /usr/bin/lxterm # of xterm: the one that Debian prefers
chosen x-session-manager /usr/bin/openbox-session
chosen x-window-manager /usr/bin/openbox
chosen x-www-browser ''

# Fonts without the administrator's own rules and those that change how letters are drawn everywhere.
copied fonts
rm -f "$etc"/fonts/local.conf "$etc"/fonts/conf.d/*{no-antialias,autohint,unhinted,hinting-full,hinting-none,sub-pixel-,yes-bitmaps}*

# Applications of scripts/check --apps: those are packages, too.
copied libreoffice firefox-esr firefox chromium chromium.d gtk-2.0 gtk-3.0 gtk-4.0

# --- X: the scripts of Debian's x11-common and dbus-x11, and no desktop's ----------------------------------------------------------
copied X11/Xsession X11/Xreset X11/rgb.txt X11/Xresources/x11-common X11/openbox xdg/openbox
for path in /etc/X11/Xsession.d/*x11-common_* /etc/X11/Xsession.d/*dbus*; do copied "${path#/etc/}"; done
mkdir -p "$etc"/X11/{Xsession.d,Xreset.d,xorg.conf.d,app-defaults} "$etc"/xdg/autostart
copied X11/app-defaults/XTerm X11/app-defaults/XTerm-color
made X11/Xsession.options <<'END'
allow-failsafe
allow-user-resources
allow-user-xsession
use-ssh-agent
use-session-dbus
END

# --- accounts and groups: those that each Debian has ------------------------------------------------------------------------------
awk -F: -v OFS=: '{ $2 = "x"; print }' /usr/share/base-passwd/passwd.master | made passwd
awk -F: -v OFS=: '{ $2 = "x"; print }' /usr/share/base-passwd/group.master | made group
cat >>"$etc/group" <<'END'
input:x:101:
render:x:102:
kvm:x:103:
messagebus:x:104:
_ssh:x:105:
END
echo 'messagebus:x:104:104::/nonexistent:/usr/sbin/nologin' >>"$etc/passwd"
if [ "$owner" != 0 ] && ! cut -d: -f3 "$etc/passwd" | grep -qx "$owner"; then
    echo "tree-owner:x:$owner:$owner::/run/tree-owner:/bin/sh" >>"$etc/passwd"
    echo "tree-owner:x:$owner:" >>"$etc/group"
fi
awk -F: -v OFS=: '{ print $1, "*", 19000, 0, 99999, 7, "", "", "" }' "$etc/passwd" | made shadow 0640
awk -F: -v OFS=: '{ print $1, "*", "", "" }' "$etc/group" | made gshadow 0640
chgrp shadow "$etc/shadow" "$etc/gshadow" 2>/dev/null || true
: | made subuid
: | made subgid
printf '%s\n' /bin/sh /usr/bin/sh /bin/bash /usr/bin/bash /bin/rbash /bin/dash /usr/bin/dash /bin/zsh /usr/bin/zsh /usr/bin/fish /bin/ksh /usr/bin/ksh |
    made shells
# The kernel counts processes, locks and queues of a user id over all namespaces: people here have none of the machine's ids.
made login.defs <<'END'
MAIL_DIR /var/mail
FTMP_FILE /var/log/btmp
UMASK 022
HOME_MODE 0755
USERGROUPS_ENAB yes
UID_MIN 20000
UID_MAX 60000
SYS_UID_MIN 500
SYS_UID_MAX 999
GID_MIN 20000
GID_MAX 60000
SYS_GID_MIN 500
SYS_GID_MAX 999
PASS_MAX_DAYS 99999
PASS_MIN_DAYS 0
PASS_WARN_AGE 7
ENCRYPT_METHOD YESCRYPT
LOGIN_TIMEOUT 60
DEFAULT_HOME yes
ENV_SUPATH PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV_PATH PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games
END
made default/useradd <<'END'
SHELL=/bin/sh
CREATE_MAIL_SPOOL=no
END

# --- PAM: passwords of /etc/shadow and nothing else --------------------------------------------------------------------------------
common() { # TYPE FIRST-LINE
    printf '%s\n' "$2" "$1 requisite pam_deny.so" "$1 required pam_permit.so"
}
common auth 'auth [success=1 default=ignore] pam_unix.so nullok' | made pam.d/common-auth
common account 'account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so' | made pam.d/common-account
# with the line that libpam-gnome-keyring adds on every Debian that has it
{ common password 'password [success=1 default=ignore] pam_unix.so obscure yescrypt' && echo '-password optional pam_gnome_keyring.so'; } |
    made pam.d/common-password
{ common session 'session [default=1] pam_permit.so' && echo 'session required pam_unix.so'; } | made pam.d/common-session
cp "$etc/pam.d/common-session" "$etc/pam.d/common-session-noninteractive"
printf '@include common-%s\n' auth account password session | made pam.d/other
printf '@include common-password\n' | made pam.d/chpasswd
cp "$etc/pam.d/chpasswd" "$etc/pam.d/passwd"
printf '%s\n' 'auth sufficient pam_rootok.so' 'session required pam_limits.so' 'session required pam_unix.so' | made pam.d/runuser
cp "$etc/pam.d/runuser" "$etc/pam.d/runuser-l"
{ printf '%s\n' 'auth sufficient pam_rootok.so' 'session required pam_limits.so' && cat "$etc/pam.d/other"; } | made pam.d/su
cp "$etc/pam.d/su" "$etc/pam.d/su-l"
for name in access group limits namespace pam_env sepermit time faillock pwquality capability; do : | made "security/$name.conf"; done
mkdir -p "$etc"/security/{limits.d,namespace.d}
: | made environment

# --- language, time, names of hosts ------------------------------------------------------------------------------------------------
echo LANG=C.UTF-8 | made default/locale
echo Etc/UTC | made timezone
ln -s /usr/share/zoneinfo/Etc/UTC "$etc/localtime"
copied locale.alias
echo oriel-test | made hostname
printf '%s\n' '127.0.0.1 localhost' '127.0.1.1 oriel-test' '::1 localhost ip6-localhost ip6-loopback' | made hosts
printf '%s: files\n' passwd group shadow gshadow hosts networks protocols services ethers rpc | made nsswitch.conf
: | made resolv.conf
echo 'multi on' | made host.conf
echo 0123456789abcdef0123456789abcdef | made machine-id 0444
ln -s ../proc/self/mounts "$etc/mtab"

# --- what shells read --------------------------------------------------------------------------------------------------------------
mkdir -p "$etc/profile.d"
made profile </usr/share/base-files/profile
made bash.bashrc <<'END'
[ -z "${PS1-}" ] || PS1='\u@\h:\w\$ '
END
made skel/.profile <<'END'
if [ -n "$BASH_VERSION" ] && [ -f "$HOME/.bashrc" ]; then . "$HOME/.bashrc"; fi
if [ -d "$HOME/bin" ]; then PATH="$HOME/bin:$PATH"; fi
if [ -d "$HOME/.local/bin" ]; then PATH="$HOME/.local/bin:$PATH"; fi
END
made skel/.bashrc <<'END'
case $- in *i*) ;; *) return ;; esac
PS1='\u@\h:\w\$ '
END
: | made issue
: | made fuse.conf
