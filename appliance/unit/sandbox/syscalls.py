"""System calls by name, for the two processors we ship on: which are harmless, which are looked into, which kill.

Invariants:
    * The lists are closed: a name that is not here is denied with EPERM.
    * Each entry reads ``name:x86_64:aarch64``; ``-`` where that processor has no such call.
    * Numbers are those of the kernel's own headers (asm/unistd_64.h, asm-generic/unistd.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final


@unique
class Machine(Enum):
    """A processor the filter is written for; the value is its name in ``uname -m``."""

    X86_64 = "x86_64"
    AARCH64 = "aarch64"

    @property
    def audit_arch(self) -> int:
        """AUDIT_ARCH_* of linux/audit.h: ELF machine, 64 bit, little endian."""
        return 0xC000003E if self is Machine.X86_64 else 0xC00000B7

    @property
    def seccomp(self) -> int:
        """Number of the call that installs the filter."""
        return 317 if self is Machine.X86_64 else 277


# Reading, waiting, memory that cannot be executed, time that cannot be set: no way out for a picture.
_HARMLESS: Final = """
read:0:63 readv:19:65 pread64:17:67 preadv:295:69 preadv2:327:286 lseek:8:62 close:3:57
close_range:436:436 fstat:5:80 newfstatat:262:79 stat:4:- lstat:6:- statx:332:291 access:21:-
faccessat:269:48 faccessat2:439:439 readlink:89:- readlinkat:267:78 getdents64:217:61 getdents:78:-
getcwd:79:17 statfs:137:43 fstatfs:138:44 fadvise64:221:223 readahead:187:213 chdir:80:49 fchdir:81:50
brk:12:214 munmap:11:215 mremap:25:216 madvise:28:233 mincore:27:232 msync:26:227 mlock:149:228
mlock2:325:284 munlock:150:229 membarrier:324:283 get_mempolicy:239:236 futex:202:98 futex_waitv:449:449
set_robust_list:273:99 get_robust_list:274:100 rseq:334:293 set_tid_address:218:96 sched_yield:24:124
sched_getaffinity:204:123 sched_setaffinity:203:122 sched_getparam:143:121 sched_getscheduler:145:120
sched_get_priority_max:146:125 sched_get_priority_min:147:126 getcpu:309:168 gettid:186:178
getpid:39:172 getppid:110:173 exit:60:93 exit_group:231:94 rt_sigaction:13:134 rt_sigprocmask:14:135
rt_sigreturn:15:139 rt_sigpending:127:136 rt_sigtimedwait:128:137 rt_sigsuspend:130:133
sigaltstack:131:132 restart_syscall:219:128 pause:34:- clock_gettime:228:113 clock_getres:229:114
clock_nanosleep:230:115 nanosleep:35:101 gettimeofday:96:169 time:201:- times:100:153 adjtimex:159:171
clock_adjtime:305:266 getrusage:98:165 sysinfo:99:179 uname:63:160 getrandom:318:278 getitimer:36:102
setitimer:38:103 alarm:37:- poll:7:- ppoll:271:73 select:23:- pselect6:270:72 epoll_create1:291:20
epoll_create:213:- epoll_ctl:233:21 epoll_wait:232:- epoll_pwait:281:22 epoll_pwait2:441:441
timerfd_create:283:85 timerfd_settime:286:86 timerfd_gettime:287:87 getuid:102:174 geteuid:107:175
getgid:104:176 getegid:108:177 getresuid:118:148 getresgid:120:150 getgroups:115:158 getpgrp:111:-
getpgid:121:155 getsid:124:156 capget:125:90 getrlimit:97:163
"""

# Needed, but only with some arguments: see policy() in seccomp.py.
_LOOKED_INTO: Final = """
open:2:- openat:257:56 write:1:64 writev:20:66 pwrite64:18:68 pwritev:296:70 pwritev2:328:287 mmap:9:222
mprotect:10:226 clone:56:220 clone3:435:435 openat2:437:437 ioctl:16:29 fcntl:72:25 prctl:157:167
prlimit64:302:261 tgkill:234:131 kill:62:129 recvmsg:47:212 getsockopt:55:209 seccomp:317:277
"""

# No honest library of a sensing process asks for these: whoever does has taken the process over.
_DEADLY: Final = """
process_vm_readv:310:270 process_vm_writev:311:271 process_madvise:440:440 pidfd_getfd:438:438
bpf:321:280 perf_event_open:298:241 userfaultfd:323:282 io_uring_setup:425:425 io_uring_enter:426:426
io_uring_register:427:427 kexec_load:246:104 kexec_file_load:320:294 init_module:175:105
finit_module:313:273 delete_module:176:106 mount:165:40 umount2:166:39 pivot_root:155:41 chroot:161:51
move_mount:429:429 open_tree:428:428 fsopen:430:430 fsconfig:431:431 fsmount:432:432 fspick:433:433
mount_setattr:442:442 setns:308:268 unshare:272:97 swapon:167:224 swapoff:168:225 reboot:169:142
acct:163:89 quotactl:179:60 settimeofday:164:170 clock_settime:227:112 iopl:172:- ioperm:173:-
modify_ldt:154:- add_key:248:217 request_key:249:218 keyctl:250:219 open_by_handle_at:304:265
"""


@dataclass(frozen=True, slots=True)
class Calls:
    """The call numbers of one processor; a call it does not have is absent."""

    harmless: tuple[int, ...]
    looked_into: tuple[tuple[str, int], ...]
    deadly: tuple[int, ...]


def numbered(table: str, machine: Machine) -> tuple[tuple[str, int], ...]:
    """The entries of a table that ``machine`` has: name and number."""
    column = 1 if machine is Machine.X86_64 else 2
    entries = [entry.split(":") for entry in table.split()]
    return tuple((entry[0], int(entry[column])) for entry in entries if entry[column] != "-")


def names(machine: Machine) -> dict[str, int]:
    """Return every call of the three lists that ``machine`` has, by name."""
    return dict(numbered(f"{_HARMLESS} {_LOOKED_INTO} {_DEADLY}", machine))


def calls(machine: Machine) -> Calls:
    """Return the three lists for ``machine``.

    >>> dict(calls(Machine.AARCH64).looked_into)["openat"]
    56
    """
    return Calls(
        harmless=tuple(number for _, number in numbered(_HARMLESS, machine)),
        looked_into=numbered(_LOOKED_INTO, machine),
        deadly=tuple(number for _, number in numbered(_DEADLY, machine)),
    )
