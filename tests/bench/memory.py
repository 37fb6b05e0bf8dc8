"""How much memory this process has held. Imports next to nothing, so that it adds nothing to what it measures."""

from __future__ import annotations

import resource
import sys


def peak_mib() -> float:
    """The most memory this process has held (MiB).

    Linux's own record is read where there is one: what `getrusage` tells includes the process that started this one.
    """
    try:
        with open("/proc/self/status", encoding="utf-8") as file:
            status = file.read()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1024 / (1024 if sys.platform == "darwin" else 1)
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
