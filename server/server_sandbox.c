/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What oriel-server and all its children can never do, capabilities or not. */
#include "server/daemon.h"

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>

static const int forbidden[] = {
    SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root),
    SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key),
    SCMP_SYS(request_key), SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at), SCMP_SYS(quotactl),
    SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(personality),
    /* other ways to another identity than the one that is checked below */
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid),
};

/* Two rules an argument: libseccomp takes one comparison of each in a rule. -1, "unchanged", is above every range. */
static int only_range(scmp_filter_ctx f, int call, uint32_t first, unsigned slots)
{
    int r = 0;
    for (unsigned arg = 0; arg < 3 && r == 0; arg++) {
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_LT, first));
        r = r ? r : seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_GE, (uint64_t)first + slots));
    }
    return r;
}

int server_sandbox(uint32_t first_uid, unsigned slots)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    if (!f)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0] && r == 0; i++)
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);
    r = r ? r : only_range(f, SCMP_SYS(setresuid), first_uid, slots);
    r = r ? r : only_range(f, SCMP_SYS(setresgid), first_uid, slots);
    r = r ? r : seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(setgroups), 1, SCMP_A0(SCMP_CMP_NE, 0));
    r = r ? r : seccomp_load(f);
    seccomp_release(f);
    return r;
}
