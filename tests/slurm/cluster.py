"""A SLURM cluster of one node on this machine, for tests; needs root and Debian's slurm-wlm.

``python tests/slurm/cluster.py`` starts one and keeps it until Ctrl-C.
"""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

# The plugin's inner srun looks for it here and nowhere else (it does not see SLURM_CONF).
CONF = Path("/etc/slurm/slurm.conf")
MARK = "# written by tilesearch's tests\n"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel")
MUNGE = ("/etc/munge", "/run/munge", "/var/lib/munge", "/var/log/munge")

CONFIG = """\
ClusterName=tilesearch
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
ReturnToService=2
SwitchType=switch/none
MpiDefault=none
MinJobAge=3600
KillWait=5
SchedulerParameters=batch_sched_delay=1,sched_interval=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str:
    """Why no cluster can be started here, or ""."""
    if os.geteuid() != 0:
        return "a SLURM cluster is started by root alone"
    if CONF.exists() and not CONF.read_text().startswith(MARK):
        return f"{CONF} belongs to a cluster of this machine"
    absent = [name for name in PROGRAMS if not shutil.which(name)]
    if absent:
        return f"{absent[0]} is missing: apt-get install slurm-wlm munge"
    return ""


def install() -> None:
    """Install what is missing, where that is possible."""
    absent = any(not shutil.which(name) for name in PROGRAMS)
    if absent and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "slurm-wlm", "munge"]):
            subprocess.run(["apt-get", "-q", *command], env=environment, check=False, timeout=600)


class Cluster:
    """Started daemons, each stopped by its process id.

    Parameters
    ----------
    folder : path
        For state, spool and logs.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}
        self.munged: int | None = None

    def __enter__(self) -> "Cluster":
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *exception) -> None:
        self.stop()

    def _start(self) -> None:
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        host = socket.gethostname().split(".")[0]
        controller, daemon = _free_ports(2)
        megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
        text = CONFIG.format(
            host=host,
            folder=self.folder,
            controller=controller,
            daemon=daemon,
            memory=min(20_000, megabytes * 8 // 10),
        )
        CONF.parent.mkdir(parents=True, exist_ok=True)
        CONF.write_text(MARK + text)
        self._start_munge()
        self.start("slurmctld", "-D", "-c")
        self.start("slurmd", "-D", "-c", "-N", host)
        self.wait_until_idle()

    def _start_munge(self) -> None:
        if _succeeds("munge", "-n"):
            return  # one is running already: it stays
        user = pwd.getpwnam("munge")
        for path in MUNGE:
            os.makedirs(path, exist_ok=True)
            os.chown(path, user.pw_uid, user.pw_gid)
        os.chmod("/run/munge", 0o755)  # noqa: S103 (munged's clients look into it)
        # It goes into the background by itself and writes its process id.
        subprocess.run(["runuser", "-u", "munge", "--", "munged", "--force"], check=True)
        wait(lambda: _succeeds("munge", "-n"), 20, "munged does not answer")
        self.munged = int(Path("/run/munge/munged.pid").read_text())

    def start(self, name: str, *arguments: str) -> None:
        """Start a daemon in the foreground of a process of its own."""
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen(
                [name, *arguments], stdout=out, stderr=out, start_new_session=True
            )

    def wait_until_idle(self) -> None:
        """Wait until the node takes jobs."""

        def idle() -> bool:
            found = subprocess.run(
                ["sinfo", "-h", "-o", "%T"], capture_output=True, text=True, check=False
            )
            return found.stdout.strip() in ("idle", "mixed", "allocated")

        wait(idle, 60, f"the node does not come up, see {self.folder}")

    def kill(self, name: str) -> None:
        """kill -9 of one daemon; what it started lives on."""
        process = self.daemons.pop(name)
        process.kill()
        process.wait()

    def restart_slurmd(self) -> None:
        """Start slurmd anew; without -c it takes up the jobs that run."""
        self.start("slurmd", "-D", "-N", socket.gethostname().split(".")[0])
        self.wait_until_idle()

    def stop(self) -> None:
        """Cancel all jobs and stop what was started, by process id."""
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--user=root"], check=False, timeout=30)
            time.sleep(1)
        for name in ("slurmd", "slurmctld"):
            process = self.daemons.pop(name, None)
            if process is not None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if self.munged is not None:
            os.kill(self.munged, signal.SIGTERM)
            self.munged = None
        if CONF.exists() and CONF.read_text().startswith(MARK):
            CONF.unlink()


def wait(condition, seconds: float, message: str) -> None:
    """Wait until `condition()` is true; TimeoutError with `message` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.2)


def queue() -> list[tuple[str, str, str]]:
    """Id, name (of the rule) and state of all jobs that SLURM remembers."""
    command = ["squeue", "-h", "-r", "--states=all", "-o", "%i|%k|%T"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [tuple(line.split("|")) for line in lines]


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _free_ports(number: int) -> list[int]:
    sockets = [socket.socket() for _ in range(number)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def main() -> None:
    """Keep a cluster until Ctrl-C."""
    install()
    reason = missing()
    if reason:
        raise SystemExit(reason)
    folder = Path("/tmp/tilesearch-slurm")  # noqa: S108
    with Cluster(folder):
        print(f"up, logs in {folder}; Ctrl-C stops it", flush=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        signal.pause()


if __name__ == "__main__":
    main()
