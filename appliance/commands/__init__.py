"""Commands of ``leftfield`` that belong to no single room: the processes, the tools, the manual."""
