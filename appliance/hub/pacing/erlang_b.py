"""How often everybody is busy: Erlang's loss formula.

Formula: B(0) = 1, B(s) = a B(s-1) / (s + a B(s-1)) for ``a`` erlangs offered to ``s`` servers (Erlang 1917; the
recursion in Cooper 1981, Introduction to Queueing Theory, sec. 3.3).

>>> round(blocking(servers=2, load=1.0), 2)
0.2
"""

from __future__ import annotations


def blocking(*, servers: int, load: float) -> float:
    """Share of calls that find all ``servers`` busy, in [0, 1], when ``load`` >= 0 erlangs are offered."""
    blocked = 1.0
    for server in range(1, servers + 1):
        blocked = load * blocked / (server + load * blocked)
    return blocked
