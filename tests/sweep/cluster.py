"""A Slurm cluster of one node on this machine, for the time of a test: munged, slurmctld and slurmd with free ports, in
one folder, as whoever runs the test. In containers, too: processes are tracked by linuxproc, not by control groups."""
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "squeue", "scancel", "scontrol", "sinfo")


def find(name):
    # Debian's daemons are not on every user's path.
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing():
    return [name for name in DAEMONS + CLIENTS if find(name) is None]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    def __init__(self, cpus=2):
        self.folder = tempfile.mkdtemp(prefix="sluice-slurm-")
        os.chmod(self.folder, 0o755)  # munge wants nobody else to be able to write to the way to its socket
        self.processes = []
        self.environment = dict(os.environ, SLURM_CONF=self.path("slurm.conf"))
        try:
            self._start(cpus)
        except BaseException:
            self.stop()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def _start(self, cpus):
        user = pwd.getpwuid(os.getuid()).pw_name
        node = socket.gethostname().split(".")[0]
        control, daemon = free_ports(2)
        with open(os.open(self.path("munge.key"), os.O_WRONLY | os.O_CREAT, 0o400), "wb") as key:
            key.write(secrets.token_bytes(128))
        for name in ("state", "spool"):
            os.mkdir(self.path(name), 0o755)
        with open(self.path("slurm.conf"), "w") as conf:
            conf.write(f"""ClusterName=sluice
SlurmctldHost={node}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={daemon}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={self.path("munge.socket")},cred_expire=5
StateSaveLocation={self.path("state")}
SlurmdSpoolDir={self.path("spool")}
SlurmctldPidFile={self.path("slurmctld.pid")}
SlurmdPidFile={self.path("slurmd.pid")}
SlurmctldLogFile={self.path("slurmctld.log")}
SlurmdLogFile={self.path("slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=10000
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=1
NodeName={node} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes={node} Default=YES MaxTime=INFINITE State=UP
""")
        self._daemon("munged", "--foreground", "--force", f"--socket={self.path('munge.socket')}", f"--key-file={self.path('munge.key')}",
                     f"--pid-file={self.path('munge.pid')}", f"--log-file={self.path('munge.log')}", f"--seed-file={self.path('munge.seed')}")
        self._wait("munged", lambda: os.path.exists(self.path("munge.socket")))
        self._daemon("slurmctld", "-D", "-c")
        self._daemon("slurmd", "-D", "-c")
        self._wait("the node", lambda: self.run("sinfo", "--noheader", "--format=%T").stdout.strip() == "idle")

    def _daemon(self, name, *arguments):
        with open(self.path(name + ".out"), "wb") as out:
            self.processes.append(subprocess.Popen([find(name), *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                                                   stderr=subprocess.STDOUT, start_new_session=True))

    def _wait(self, what, is_ready, seconds=60):
        end = time.monotonic() + seconds
        while not is_ready():
            for process in self.processes:
                if process.poll() is not None:
                    raise RuntimeError(f"{process.args[0]} ended with {process.returncode}:\n" + self.logs())
            if time.monotonic() > end:
                raise RuntimeError(f"{what} did not come up in {seconds} s:\n" + self.logs())
            time.sleep(0.05)

    def logs(self):
        text = ""
        for name in sorted(os.listdir(self.folder)):
            if name.endswith((".log", ".out")):
                with open(self.path(name), errors="replace") as log:
                    text += f"--- {name}\n" + log.read()[-4000:]
        return text

    def run(self, *command):
        return subprocess.run([find(command[0]), *command[1:]], env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)

    def stop(self):
        if len(self.processes) == len(DAEMONS):
            # What still runs could not tell a controller that is gone that it ended, and would stay.
            self.run("scancel", "--user=" + pwd.getpwuid(os.getuid()).pw_name)
            end = time.monotonic() + 20
            while self.run("squeue", "--noheader").stdout.strip() and time.monotonic() < end:
                time.sleep(0.1)
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
