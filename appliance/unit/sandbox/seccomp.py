"""The system-call filter of process SENSE: a small assembler, the policy, and its installation.

Invariants:
    * Allow-list: what is not named is denied (EPERM); what only an intruder would ask for kills the process.
    * No rule depends on a pointer's contents (the kernel cannot follow one, and another thread could change it).
    * The program is plain numbers for either processor, so it is tested for both on either.

The order matters for speed only: calls with rules come first, then the harmless ones. Kernels from 5.11 keep a
bitmap of the calls a filter always allows, so those cost nothing at all.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from appliance.unit.sandbox import kernel
from appliance.unit.sandbox.syscalls import Machine, calls

# struct seccomp_data { int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]; }, little endian
_NR: Final = 0
_ARCH: Final = 4
_ARGS: Final = 16

# Opcodes of classic BPF (linux/bpf_common.h): class | size or operation | mode or source
_LOAD: Final = 0x20  # A = 32-bit word at offset k
_AND: Final = 0x54  # A &= k
_JEQ: Final = 0x15  # A == k
_JGE: Final = 0x35  # A >= k
_JSET: Final = 0x45  # A & k != 0
_RET: Final = 0x06

ALLOW: Final = 0x7FFF0000
KILL: Final = 0x80000000
_ERRNO: Final = 0x00050000
DENY: Final = _ERRNO | 1
"""Fail with EPERM."""
ABSENT: Final = _ERRNO | 38
"""Fail with ENOSYS: the C library then takes its older way, which the filter can look into."""

_X32: Final = 0x40000000  # the x32 ABI shares x86_64's architecture number and would be a second door

# Flags of openat(2); the same on both processors (asm-generic/fcntl.h)
_OPEN_TO_WRITE: Final = 0o3 | 0o100 | 0o1000 | 0o20000000  # O_ACCMODE, O_CREAT, O_TRUNC, __O_TMPFILE
_PROT_EXEC: Final = 4
_THREAD: Final = 0x10000 | 0x100 | 0x800  # CLONE_THREAD | CLONE_VM | CLONE_SIGHAND
_NEW_NAMESPACES: Final = 0x7E020080  # every CLONE_NEW* flag
_FCNTL: Final = (1, 2, 3, 4)  # F_GETFD, F_SETFD, F_GETFL, F_SETFL: none makes a descriptor
# PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NAME, PR_GET_SECCOMP, PR_CAPBSET_READ, PR_GET_TIMERSLACK,
# PR_GET_NO_NEW_PRIVS, PR_GET_MDWE. Not the names of threads and memory (PR_SET_NAME, PR_SET_VMA): everybody can
# read those in /proc, and libraries do not mind being refused.
_PRCTL: Final = (2, 3, 16, 21, 23, 30, 39, 66)
_IOCTL: Final = (0x5401, 0x5413, 0x541B, 0x5450, 0x5451, 0x5421)
# TCGETS, TIOCGWINSZ, FIONREAD, FIONCLEX, FIOCLEX, FIONBIO: so isatty() works and nothing else about a terminal


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction of classic BPF: struct sock_filter."""

    code: int
    jt: int
    jf: int
    k: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the filter must know about the process it is for.

    ``writable``: the descriptors that may be written to, each with the most bytes one write may carry.
    ``vectored``: those of them that may also be written with writev (the C library's abort message).
    ``listening``: netlink sockets a USB library may read from; nothing may be sent on them.
    ``ioctl_families``: the type bytes (bits 8 to 15) of the device requests allowed, e.g. ``ord("V")``.
    ``pid``: the process; signals go nowhere else.
    """

    writable: tuple[tuple[int, int], ...]
    vectored: tuple[int, ...] = ()
    listening: tuple[int, ...] = ()
    ioctl_families: tuple[int, ...] = ()
    pid: int


def _ret(k: int) -> Instruction:
    return Instruction(_RET, 0, 0, k)


def _low(argument: int) -> Instruction:
    return Instruction(_LOAD, 0, 0, _ARGS + 8 * argument)


def _high(argument: int) -> Instruction:
    return Instruction(_LOAD, 0, 0, _ARGS + 8 * argument + 4)


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    """Allow if the low word of an argument is one of ``values``, else deny."""
    block = [_low(argument)]
    for value in values:
        block += [Instruction(_JEQ, 0, 1, value), _ret(ALLOW)]
    return [*block, _ret(DENY)]


def _none_of_bits(argument: int, bits: int) -> list[Instruction]:
    """Deny if any of ``bits`` is set in the low word of an argument, else allow."""
    return [_low(argument), Instruction(_JSET, 0, 1, bits), _ret(DENY), _ret(ALLOW)]


def _write(policy: Policy) -> list[Instruction]:
    """Allow write(fd, _, count) for a writable fd and a count up to its limit."""
    block = []
    for fd, limit in policy.writable:
        block += [
            _low(0),
            Instruction(_JEQ, 0, 6, fd),
            _high(2),
            Instruction(_JEQ, 0, 3, 0),
            _low(2),
            Instruction(_JGE, 1, 0, limit + 1),
            _ret(ALLOW),
            _ret(DENY),
        ]
    return [*block, _ret(DENY)]


def _clone() -> list[Instruction]:
    """Allow a thread of this process; deny a process and any new namespace."""
    return [
        _low(0),
        Instruction(_AND, 0, 0, _THREAD | _NEW_NAMESPACES),
        Instruction(_JEQ, 0, 1, _THREAD),
        _ret(ALLOW),
        _ret(DENY),
    ]


def _ioctl(policy: Policy) -> list[Instruction]:
    """Allow the few requests of any descriptor, and whole families for the devices of the plan."""
    block = _one_of(1, _IOCTL)[:-1]
    block.append(Instruction(_AND, 0, 0, 0xFF00))
    for family in policy.ioctl_families:
        block += [Instruction(_JEQ, 0, 1, family << 8), _ret(ALLOW)]
    return [*block, _ret(DENY)]


def _read_limits() -> list[Instruction]:
    """Allow prlimit64 to read a limit (new_limit is NULL), never to set one."""
    return [
        _low(2),
        Instruction(_JEQ, 0, 3, 0),
        _high(2),
        Instruction(_JEQ, 0, 1, 0),
        _ret(ALLOW),
        _ret(DENY),
    ]


def _last_filter() -> list[Instruction]:
    """Allow one more filter for all threads (SECCOMP_SET_MODE_FILTER, TSYNC): shut.py. No listener, no other flag."""
    return [
        _low(0),
        Instruction(_JEQ, 0, 3, 1),
        _low(1),
        Instruction(_JEQ, 0, 1, 1),
        _ret(ALLOW),
        _ret(DENY),
    ]


def _socket_family() -> list[Instruction]:
    """Allow asking which family a socket is of (SO_DOMAIN), nothing else about it, and no setting at all.

    systemd gives complaints as a socket: the probes ask again once the filter stands, and believe no answer from
    before.
    """
    return [
        _low(1),
        Instruction(_JEQ, 0, 3, kernel.SOL_SOCKET),
        _low(2),
        Instruction(_JEQ, 0, 1, kernel.SO_DOMAIN),
        _ret(ALLOW),
        _ret(DENY),
    ]


def _rules(policy: Policy) -> dict[str, list[Instruction]]:
    return {
        "write": _write(policy),
        "writev": _one_of(0, policy.vectored),
        "pwrite64": [_ret(DENY)],
        "pwritev": [_ret(DENY)],
        "pwritev2": [_ret(DENY)],
        "mmap": _none_of_bits(2, _PROT_EXEC),
        "mprotect": _none_of_bits(2, _PROT_EXEC),
        "openat": _none_of_bits(2, _OPEN_TO_WRITE),
        "open": _none_of_bits(1, _OPEN_TO_WRITE),
        "openat2": [_ret(ABSENT)],  # its flags stand behind a pointer
        "clone": _clone(),
        "clone3": [_ret(ABSENT)],  # its flags stand behind a pointer
        "ioctl": _ioctl(policy),
        "fcntl": _one_of(1, _FCNTL),
        "prctl": _one_of(0, _PRCTL),
        "prlimit64": _read_limits(),
        "tgkill": _one_of(0, (policy.pid,)),
        "kill": _one_of(0, (policy.pid,)),
        "recvmsg": _one_of(0, policy.listening),
        "getsockopt": _socket_family(),
        "seccomp": _last_filter(),
    }


def compile_policy(policy: Policy, machine: Machine) -> tuple[Instruction, ...]:
    """Return the filter program of ``policy`` for ``machine``."""
    table = calls(machine)
    program = [
        Instruction(_LOAD, 0, 0, _ARCH),
        Instruction(_JEQ, 1, 0, machine.audit_arch),
        _ret(KILL),
        Instruction(_LOAD, 0, 0, _NR),
    ]
    if machine is Machine.X86_64:
        program += [Instruction(_JGE, 0, 1, _X32), _ret(KILL)]
    rules = _rules(policy)
    for name, number in table.looked_into:
        program += [Instruction(_JEQ, 0, len(rules[name]), number), *rules[name]]
    for number in table.harmless:
        program += [Instruction(_JEQ, 0, 1, number), _ret(ALLOW)]
    for number in table.deadly:
        program += [Instruction(_JEQ, 0, 1, number), _ret(KILL)]
    return (*program, _ret(DENY))


def assemble(program: tuple[Instruction, ...]) -> bytes:
    """Return the program as the kernel reads it: struct sock_filter { u16 code; u8 jt, jf; u32 k; }."""
    return b"".join(struct.pack("<HBBI", step.code, step.jt, step.jf, step.k) for step in program)


def install(program: tuple[Instruction, ...], machine: Machine) -> None:
    """Put the filter on every thread of this process, for ever. Needs no_new_privs.

    Raises OSError if the kernel has no seccomp filter or a thread has one that the others have not.
    """
    kernel.install_filter(assemble(program), machine.seccomp)
