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

Why: two programs can't answer on one port. A plan warns of it, and so does an apply before it begins, since the port
may be free by the time the service comes up. Where it isn't, that one change stops: what served before still does,
and a run that went before is kept.

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

What to do: let the script write the file with `json.dump` of a dict, or call `mlplan.log_metric` instead of writing
it.
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

MLP8009 = Code("MLP8009", "Another process is at work there")
"""A run or a service can't be touched, because another process of mlplan is in the middle of its work at it.

Why: it held the workspace before, and lost it: it was frozen (Ctrl-Z), or `mlplan unlock` declared it gone. What it
records is refused, but while it still acts, nobody else may act at the same place.

What to do: end it, by the command that the message shows, or wait until it is done. Nothing is lost by ending it.
Then go on with `mlplan apply`.
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

MLP8105 = Code("MLP8105", "Cache can't be written")
"""The folder in which mlplan builds Python environments can't be written to.

Why: the disk is full, or the folder belongs to somebody else. Environments are kept outside the project, so that
projects share them: in `MLPLAN_CACHE_DIR`, or else in the system's folder for caches.

What to do: make room, or name another folder:

    export MLPLAN_CACHE_DIR=/path/with/room
"""

MLP8201 = Code("MLP8201", "No Docker engine answers")
"""A compute of type `docker` needs a Docker engine on this machine, and none answers.

Why: the engine isn't installed or isn't running, or `DOCKER_HOST` points elsewhere.

What to do: start it, then see that this answers:

    docker version
"""

MLP8202 = Code("MLP8202", "Docker engine may not be used")
"""A Docker engine is there, but this user may not open its socket.

Why: the socket belongs to root and to the group `docker`, and who may use it may do anything on the machine.

What to do: let an administrator add the user to that group, then log in again; or use a rootless engine:

    sudo usermod -aG docker $USER
"""

MLP8203 = Code("MLP8203", "Docker engine is on another machine")
"""`DOCKER_HOST` or the current context of `docker` names an engine on another machine.

Why: containers read datasets and keys from this machine's folders, which an engine elsewhere doesn't see.

What to do: run mlplan on that machine, or use an engine here:

    unset DOCKER_HOST
    docker context use default
"""

MLP8204 = Code("MLP8204", "Base image is missing")
"""The image that others are built from is neither here nor could it be fetched.

Why: its name is misspelt, its registry can't be reached or wants a login, or it was made on another machine.

What to do: fetch it by hand to see why, or name another one as `base_image` of the compute:

    docker pull IMAGE
"""

MLP8205 = Code("MLP8205", "Image can't be built")
"""A step of a rendered Dockerfile failed.

Why: most often a package could not be downloaded or built, or the base image lacks Python, `venv` or `pip`. The
message has the step and its last lines. Nothing was started.

What to do: mend what the lines name, and run `mlplan apply` again. `mlplan render` writes the Dockerfile, to be tried
by hand.
"""

MLP8206 = Code("MLP8206", "Docker engine has no room")
"""The disk that the engine keeps its images and containers on is full.

Why: an image or a container's files need more than is left. What was begun was removed again.

What to do: see what takes the room, and remove what isn't used:

    docker system df
    docker builder prune
    mlplan gc
"""

MLP8207 = Code("MLP8207", "Base image is not pinned", severity="warning")
"""The base image is named by a tag, which can come to mean another image.

Why: a rebuild on another day or machine may then give another image, although nothing changed here.

What to do: pin it as the compute's `base_image: NAME@sha256:DIGEST`. This shows the digest:

    docker image inspect --format '{{index .RepoDigests 0}}' IMAGE
"""

MLP8208 = Code("MLP8208", "Docker engine has no BuildKit", severity="warning")
"""Images are to be built by BuildKit, and this engine doesn't have it, so its older builder builds them.

Why: the engine is older than version 18.09, or is another program with the same interface. Images are the same, but
packages are downloaded anew for each environment.

What to do: nothing, or write `buildkit: false` in the compute: then it isn't said again.
"""

MLP8209 = Code("MLP8209", "Container can't be started")
"""The engine refused to make or start a container.

Why: the message has its words. What was made of it was removed again.

What to do: mend what they name, and run `mlplan apply` again.
"""

MLP8210 = Code("MLP8210", "Package index is not passed on", severity="warning")
"""A package index needs a password or is a folder of this machine, so the build of an image can't use it.

Why: what a build is given stays readable in the history of what it makes, and it sees no folders but its own. It is a
warning where `PIP_INDEX_URL` or `UV_DEFAULT_INDEX` is left out, and an error where an environment names the index.

What to do: use a mirror that asks for no password where images are built.
"""

MLP8211 = Code("MLP8211", "GPUs are not available")
"""A run or a service asks for GPUs, and the Docker engine has no driver for them.

Why: containers get GPUs by the NVIDIA Container Toolkit, which isn't set up for this engine.

What to do: install it, or leave `gpus` out. This shows whether it works:

    docker run --rm --gpus all ubuntu nvidia-smi
"""

MLP8212 = Code("MLP8212", "Container can't read a folder")
"""A job or a service runs as a user of its own inside its container, and that user may not read a folder it is given.

Why: mlplan was started by root, and a container never runs as root. So the folder has to be readable by everybody.

What to do: make it readable, or run mlplan as the user who owns the project:

    chmod -R a+rX FOLDER
"""

MLP8213 = Code("MLP8213", "Container has no packages", severity="warning")
"""A run or a service names no environment, and its compute no base image: its container has Python alone.

Why: on a local compute such a run uses the packages that mlplan itself is installed with. A container has none of
them.

What to do: name what the code imports, or an image that has it:

    environment: {packages: [scikit-learn==1.5.2]}
    base_image: my-image@sha256:DIGEST
"""
