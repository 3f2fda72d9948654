"""Codes MLP8xxx: targets: what is missing or in the way where jobs and services run.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP8001 = Code("MLP8001", "Field has no effect on this target", severity="warning")
"""A limit is asked for that the compute's type can't set.

Why: mlplan says so rather than accept a field that does nothing. Everything else goes on as asked.

What to do: leave the field out, or choose a compute whose type has it.
"""

MLP8002 = Code("MLP8002", "Port is taken")
"""A service can't listen on its port, because another program does.

Why: two programs can't answer on one port. mlplan found out before it changed anything: what served
before still does.

What to do: end the other program, or give the deployment another `port`. Where the other program is a service that
mlplan knows, `mlplan service list` shows it.
"""

MLP8003 = Code("MLP8003", "Command not found")
"""The program that a run's `command` begins with is not on the PATH of its job.

Why: a job gets the PATH of the shell that runs mlplan, with the `bin` folder of its environment in front.

What to do: install the program, write its whole path, or add the package that brings it to the run's `environment`.
"""

MLP8004 = Code("MLP8004", "Job can't be started")
"""The target could not begin to execute a run.

Why: the operating system refused to start its program, or the job's folder could not be made. Nothing was left
behind, and nothing of the run was executed.

What to do: see what the message says of the reason; then run `mlplan apply` again.
"""

MLP8005 = Code("MLP8005", "Job is not known")
"""The results of a run are asked for, and its target has no such job, or it has not ended.

Why: the job's folder below the workspace's `runs` was removed or altered by something else than mlplan.

What to do: run `mlplan apply`: the run is executed again.
"""

MLP8006 = Code("MLP8006", "Metrics can't be read")
"""A file in which a run reports its metrics is not what it should be.

Why: `outputs/metrics.json` has to hold one JSON object: names and their values. `outputs/metrics.jsonl`, which
`mlplan.log_metric` writes, holds one such record a line.

What to do: let the script write the file with `json.dump`, NaN and infinity replaced, or call `mlplan.log_metric`
instead of writing it.
"""

MLP8007 = Code("MLP8007", "Service did not start")
"""A new service, started beside the one that serves, did not become ready to answer.

Why: its `init()` raised, a package is missing in its environment, or it took too long. It was ended; what served
before still does.

What to do: see the last lines of its log in the message, mend the entry script or the environment, and run
`mlplan apply` again.
"""

MLP8008 = Code("MLP8008", "Service did not take over")
"""A new service was ready and passed its tests, but could not take the port over from the one that served.

Why: one of the two ended in that moment, or something else took the port. The new one was ended.

What to do: run `mlplan apply` again. `mlplan service list` shows what serves now.
"""

MLP8101 = Code("MLP8101", "uv is missing")
"""A Python environment has to be built, and the program that builds it is not there.

Why: mlplan installs uv beside itself; here it was removed.

What to do:

    python -m pip install uv
"""

MLP8102 = Code("MLP8102", "Python version is missing")
"""No interpreter of the version that an environment asks for is on this machine, and none could be fetched.

Why: packages are locked for one version of Python, and another one may take other builds of them.

What to do: install it, or ask for a version that is here:

    uv python install 3.11
"""

MLP8103 = Code("MLP8103", "Packages can't be installed")
"""An environment's locked packages could not be downloaded, checked against their hashes, or built.

Why: the network failed, the index no longer has one of them, or one has no build for this machine.

What to do: run `mlplan apply` again where the network failed. Else change the pin and resolve again with
`mlplan lock`.
"""

MLP8104 = Code("MLP8104", "Target doesn't work on this system")
"""The target `local` runs on Linux and macOS.

Why: it ends jobs by process groups and guards its folders by file locks, which this system has no equal of.

What to do: run mlplan in a Linux container or in the Windows Subsystem for Linux.
"""
