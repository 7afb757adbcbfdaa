"""The last filter of a process that sees, put up once the probes are through: it can read, think, and write records.

The first filter (seccomp.py) keeps everything from being written, but lets the probes look at the process's own
account in /proc. What they need, a process that was taken over could speak with: each file it opens, page it evicts,
processor it chooses or thread it starts can be seen by somebody else on the machine. So all of it ends here.

Invariants:
    * A second filter over the first: the kernel takes the stricter answer of the two (seccomp(2)).
    * Signals' masks and handlers stay as they are: asking to change them succeeds and does nothing, since the C
      library does so around each lock and believes no refusal.
    * Errors are told no more: only the outlet, the buttons (``SealPlan.buttons``) and event counters take bytes.
"""

from __future__ import annotations

from typing import Final

from appliance.unit.sandbox import seccomp
from appliance.unit.sandbox.plan import SealPlan
from appliance.unit.sandbox.seccomp import ALLOW, DENY, Instruction
from appliance.unit.sandbox.syscalls import Machine, numbered

_DONE: Final = 0x00050000
"""SECCOMP_RET_ERRNO with errno 0: the call returns 0 and was not made."""
_LOAD: Final = 0x20
_JEQ: Final = 0x15
_NR: Final = 0
_ARGS: Final = 16

# Nothing that another process could see, beyond what memory and time cannot but show (see docs/privacy.md).
_CLOSED: Final = """
open:2:- openat:257:56 openat2:437:437 readlink:89:- readlinkat:267:78 getdents64:217:61 getdents:78:- chdir:80:49
fchdir:81:50 fadvise64:221:223 readahead:187:213 mincore:27:232 msync:26:227 mlock:149:228 mlock2:325:284
munlock:150:229 sched_setaffinity:203:122 clone:56:220 clone3:435:435 seccomp:317:277 prctl:157:167
setitimer:38:103 alarm:37:- writev:20:66 statfs:137:43 capget:125:90 pselect6:270:72 epoll_pwait2:441:441
rt_sigsuspend:130:133 rt_sigtimedwait:128:137 futex_waitv:449:449
"""
_NOTHING_HAPPENS: Final = "rt_sigaction:13:134 rt_sigprocmask:14:135 sigaltstack:131:132"
_MADVISE: Final = "madvise:28:233"
_WRITE: Final = "write:1:64"
_IOCTL: Final = "ioctl:16:29"
_FUTEX: Final = "futex:202:98"
_MMAP: Final = "mmap:9:222"
_POLLS: Final = (("ppoll:271:73", 3), ("epoll_pwait:281:22", 4))
"""Calls that may bring a signal mask of their own, and the argument where it stands."""
_SIGNALS: Final = (("kill:62:129", 1), ("tgkill:234:131", 2))
_READS: Final = "read:0:63 readv:19:65 pread64:17:67 preadv:295:69 preadv2:327:286"
_AGAIN: Final = 0x00050000 | 11
"""EAGAIN: whoever waits for a thread's end (pthread_join, the one shared wait of the C library) looks again."""
_PRIVATE: Final = 0x80
"""FUTEX_PRIVATE_FLAG: without it, whoever maps the same file can be woken."""
_SHARED_OR_LOCKED: Final = 0x1 | 0x2000  # MAP_SHARED, MAP_LOCKED
_ABORT: Final = 6  # SIGABRT: what the C library ends itself with
_ADVICE: Final = (
    4,
    8,
    14,
    15,
)  # MADV_DONTNEED, FREE, HUGEPAGE, NOHUGEPAGE: what allocators say of their own memory
_CAMERA: Final = (
    0xC058560F,
    0xC0585611,
    0x40045613,
)  # VIDIOC_QBUF, DQBUF, STREAMOFF: the next frame, and the last


def _ret(k: int) -> Instruction:
    return Instruction(0x06, 0, 0, k)


def _only(argument: int, values: tuple[int, ...], otherwise: int) -> list[Instruction]:
    """Allow if the low word of an argument is one of ``values``, else answer ``otherwise``."""
    block = [Instruction(_LOAD, 0, 0, _ARGS + 8 * argument)]
    for value in values:
        block += [Instruction(_JEQ, 0, 1, value), _ret(ALLOW)]
    return [*block, _ret(otherwise)]


def _with_bit(argument: int, bit: int, otherwise: int) -> list[Instruction]:
    """Allow where ``bit`` is set in the low word of an argument, else answer ``otherwise``."""
    load = Instruction(_LOAD, 0, 0, _ARGS + 8 * argument)
    return [load, Instruction(0x45, 0, 1, bit), _ret(ALLOW), _ret(otherwise)]


def _without_bits(argument: int, bits: int) -> list[Instruction]:
    """Deny where one of ``bits`` is set in the low word of an argument, else allow."""
    return [
        Instruction(_LOAD, 0, 0, _ARGS + 8 * argument),
        Instruction(0x45, 0, 1, bits),
        _ret(DENY),
        _ret(ALLOW),
    ]


def _without_pointer(argument: int) -> list[Instruction]:
    """Allow where an argument is NULL, both its words, else deny."""
    low, high = _ARGS + 8 * argument, _ARGS + 8 * argument + 4
    return [
        Instruction(_LOAD, 0, 0, low),
        Instruction(_JEQ, 0, 3, 0),
        Instruction(_LOAD, 0, 0, high),
        Instruction(_JEQ, 0, 1, 0),
        _ret(ALLOW),
        _ret(DENY),
    ]


def _refusing(argument: int, values: tuple[int, ...]) -> list[Instruction]:
    """Deny where the low word of an argument is one of ``values``, else allow."""
    block = [Instruction(_LOAD, 0, 0, _ARGS + 8 * argument)]
    for value in values:
        block += [Instruction(_JEQ, 0, 1, value), _ret(DENY)]
    return [*block, _ret(ALLOW)]


def program(plan: SealPlan, machine: Machine) -> tuple[Instruction, ...]:
    """The filter for ``plan``, which allows whatever it does not name: the first filter has said no to the rest."""
    steps = [Instruction(_LOAD, 0, 0, _NR)]

    def rule(table: str, block: list[Instruction]) -> None:
        for _, number in numbered(table, machine):
            steps.extend([Instruction(_JEQ, 0, len(block), number), *block])

    rule(_WRITE, _refusing(0, (plan.complaints,) if plan.complaints != plan.buttons else ()))
    # What stands for standard input and output is /dev/null, which others can watch being read (inotify).
    rule(_READS, _refusing(0, tuple(fd for fd in (0, 1) if fd not in plan.readable)))
    rule(_FUTEX, _with_bit(1, _PRIVATE, _AGAIN))
    rule(_MMAP, _without_bits(3, _SHARED_OR_LOCKED))
    for table, argument in _POLLS:
        rule(table, _without_pointer(argument))
    for table, argument in _SIGNALS:
        rule(table, _only(argument, (_ABORT,), DENY))
    rule(_MADVISE, _only(2, _ADVICE, DENY))
    if all(path.startswith("/dev/video") for path in plan.device_paths):
        rule(_IOCTL, _only(1, _CAMERA if plan.device_paths else (), DENY))
    for table, answer in ((_CLOSED, DENY), (_NOTHING_HAPPENS, _DONE)):
        rule(table, [_ret(answer)])
    return (*steps, _ret(ALLOW))


def install(plan: SealPlan, machine: Machine) -> int:
    """Put the filter on every thread, for ever; its length. OSError where the kernel refuses it."""
    steps = program(plan, machine)
    seccomp.install(steps, machine)
    return len(steps)
