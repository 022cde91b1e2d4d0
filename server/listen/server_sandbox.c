/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What oriel-server and all its children can never do, capabilities or not. */
#include "server/listen/daemon.h"

#include <errno.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <sys/prctl.h>

static const int forbidden[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
    SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(init_module),
    SCMP_SYS(finit_module), SCMP_SYS(delete_module), SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key),
    SCMP_SYS(reboot), SCMP_SYS(swapon), SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), SCMP_SYS(adjtimex), SCMP_SYS(open_by_handle_at), SCMP_SYS(name_to_handle_at),
    SCMP_SYS(quotactl), SCMP_SYS(iopl), SCMP_SYS(ioperm), SCMP_SYS(personality),
    /* other ways to another identity than the one that is checked below */
    SCMP_SYS(setuid), SCMP_SYS(setgid), SCMP_SYS(setreuid), SCMP_SYS(setregid), SCMP_SYS(setfsuid), SCMP_SYS(setfsgid)};

static const uint64_t namespaces[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
    CLONE_NEWPID, CLONE_NEWNET};

/* In a user namespace of its own the process could map any id of the host to one that is allowed below: another user's,
 * or a group's. */
static int forbid_namespaces(scmp_filter_ctx f)
{
    /* clone3 hides its flags from the filter; the C library falls back to clone. */
    int r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    for (size_t i = 0; i < sizeof namespaces / sizeof namespaces[0] && r == 0; i++)
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
            SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]));
    return r;
}

/* Kill for `from` … `to` (inclusive) of one argument. libseccomp takes one comparison of an argument in a rule, so the
 * interval is cut into blocks that one mask describes: at most 62. */
static int forbid_between(scmp_filter_ctx f, int call, unsigned arg, uint64_t from, uint64_t to)
{
    int r = 0;
    while (from <= to && r == 0) {
        uint64_t size = from ? from & -from : 1ull << 32;
        while (size - 1 > to - from)
            size /= 2;
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_MASKED_EQ, ~(size - 1), from));
        from += size;
    }
    return r;
}

struct range {
    uint64_t first, end;
};

/* Only ids in one of two ranges (the lower one first; it may be empty). -1, "unchanged", is above every range. */
static int only_ranges(scmp_filter_ctx f, int call, struct range low, struct range high)
{
    int r = 0;
    for (unsigned arg = 0; arg < 3 && r == 0; arg++) {
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_GE, high.end));
        if (r == 0 && low.first == low.end)
            r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_LT, high.first));
        else if (r == 0)
            r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, call, 1, SCMP_CMP64(arg, SCMP_CMP_LT, low.first));
        if (r == 0 && low.first < low.end && low.end < high.first)
            r = forbid_between(f, call, arg, low.end, high.first - 1);
    }
    return r;
}

/* The peers' ids and, if there is one, the encoder's. */
static int only_ours(scmp_filter_ctx f, int call, struct range peers, bool has_encoder, uint32_t encoder)
{
    struct range other = {encoder, (uint64_t)encoder + 1};
    if (!has_encoder || (encoder >= peers.first && encoder < peers.end))
        return only_ranges(f, call, (struct range){peers.first, peers.first}, peers);
    return encoder < peers.first ? only_ranges(f, call, other, peers) : only_ranges(f, call, peers, other);
}

int server_sandbox(uint32_t first_uid, unsigned slots, const struct encoder_account *encoder)
{
    const struct range peers = {first_uid, (uint64_t)first_uid + slots};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -errno;
    scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
    if (!f)
        return -ENOMEM;
    int r = 0;
    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0] && r == 0; i++)
        r = seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, forbidden[i], 0);
    r = r ? r : forbid_namespaces(f);
    r = r ? r : only_ours(f, SCMP_SYS(setresuid), peers, encoder != NULL, encoder ? encoder->uid : 0);
    r = r ? r : only_ours(f, SCMP_SYS(setresgid), peers, encoder != NULL, encoder ? encoder->gid : 0);
    r = r ? r : seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, SCMP_SYS(setgroups), 1, SCMP_A0(SCMP_CMP_NE, 0));
    r = r ? r : seccomp_load(f);
    seccomp_release(f);
    return r;
}
