"""Written for Windows and macOS too: every module is imported with what only POSIX or Linux has made absent.

What functions use is checked by mypy for each platform (`make check`); locks without fcntl by `test_file_locks`.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

#: Modules of the standard library that Windows does not have, and Linux's own.
MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
#: Of `os`, `signal` and others, likewise.
NAMES = {
    "os": """
        O_CLOEXEC O_DIRECTORY O_DIRECT O_NOFOLLOW O_NONBLOCK O_SYNC ST_RDONLY WNOHANG chown chroot copy_file_range
        eventfd fchdir fchmod fchown fdatasync fork forkpty fstatvfs getegid geteuid getgid getgroups getpgid getpgrp
        getpriority getsid getuid killpg lockf memfd_create mkfifo mknod nice posix_fadvise posix_fallocate posix_spawn
        pread preadv pwrite pwritev register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile setegid
        seteuid setgid setpriority setsid setuid splice statvfs sync sysconf uname wait3 wait4
    """,
    "signal": """
        SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 alarm pause
        pthread_sigmask setitimer
    """,
    "time": "clock_settime pthread_getcpuclockid tzset",
    "socket": "AF_UNIX SO_REUSEPORT sethostname",
}

_PROGRAM = f"""
import importlib, pkgutil, sys, sameface

def all_of_ours(skip):
    for module in pkgutil.walk_packages(sameface.__path__, "sameface.", onerror=lambda _: None):
        if not module.name.startswith(skip) and not module.name.endswith("__main__"):
            yield importlib.import_module(module.name)

skip = tuple(sys.argv[1:]) or ("-",)
before = len(list(all_of_ours(skip)))  # with them the libraries, which have ways of their own for each system
for name in [name for name in sys.modules if name == "sameface" or name.startswith("sameface.")]:
    del sys.modules[name]
for name in {MODULES!r}:
    sys.modules[name] = None
for module, names in {NAMES!r}.items():
    for name in names.split():
        vars(importlib.import_module(module)).pop(name, None)
import sameface
print(before, len(list(all_of_ours(skip))))
"""


def test_every_module_is_imported_without_what_only_posix_has() -> None:
    skip = [] if importlib.util.find_spec("torch") else ["sameface.training", "sameface.cli.train_result"]
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *skip], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    before, after = map(int, done.stdout.split())
    assert before == after > 200
