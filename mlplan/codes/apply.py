"""Codes MLP7xxx: applying: what went wrong while the world was being changed.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP7002 = Code("MLP7002", "The decision changed while the plan was applied")
"""Just before it makes a change, mlplan decides again, and what it would do now isn't what the plan announced.

Why: an apply does what the plan said, or less; never something that nobody saw. A file was edited, or somebody else
changed the world, in between. Nothing was done to the resource.

What to do: look at the new plan, and apply that.

    mlplan plan
"""

MLP7003 = Code("MLP7003", "Stopped before it began")
"""The apply was asked to stop while this change still waited for its turn.

Why: nothing was done to the resource.

What to do: apply again; it goes on from there.

    mlplan apply
"""

MLP7004 = Code("MLP7004", "Applied, but the plan after it isn't empty")
"""After every apply, mlplan plans again. What it just brought about should leave nothing to do.

Why: a plan that never comes out empty teaches people to ignore plans. Either a file changes while it is read (a
script that writes into its own source folder, say), or a service doesn't stay as it was deployed.

What to do: the message names the field and both values. Look at what writes there; then look again.

    mlplan plan
"""

MLP7005 = Code("MLP7005", "Stopped on the way")
"""The apply was asked to stop while it brought a service up.

Why: the new service didn't serve anybody yet, so it was ended. What served before still does.

What to do: apply again; it goes on from there.

    mlplan apply
"""

MLP7010 = Code("MLP7010", "The run left no model")
"""A run completed, but its outputs hold nothing at the model's `path`.

Why: a model is registered from what its run wrote; there is nothing to register.

What to do: let the script write the file, or mend `path`. The run isn't repeated for a mended `path`.
"""

MLP7011 = Code("MLP7011", "Bytes changed while they were read")
"""The file of a model or dataset isn't what it was a moment ago, when the plan looked at it.

Why: registering it would give a version to bytes that nobody saw.

What to do: wait until nothing writes to it, and apply again.
"""

MLP7012 = Code("MLP7012", "A gate is not met")
"""A model doesn't reach what its `require` asks for.

Why: a gate keeps a worse model from being registered and deployed. Nothing was; the service goes on with what it
served. The run and its outputs are kept.

What to do: train a better model, or change the gate. `mlplan run show NAME` tells the metrics.
"""

MLP7020 = Code("MLP7020", "A run failed")
"""The script of a run ended with an error, by a signal, or at its time limit.

Why: what depends on it isn't begun. Its output is kept.

What to do: read the log, mend the script, and apply again. What was done before isn't repeated.

    mlplan run logs NAME
    mlplan apply
"""

MLP7022 = Code("MLP7022", "A run was canceled")
"""A run was ended because the apply was asked to stop.

Why: what it had written is kept, but it doesn't count as completed.

What to do: apply again; the run starts anew.
"""

MLP7023 = Code("MLP7023", "What a run left can't be taken now")
"""A run has ended, and its outputs can't be copied to where they are kept.

Why: more often than not there is no room on the disk. The run and its outputs stay where they are.

What to do: make room, and apply again. The run isn't executed again for that.

    mlplan apply
"""

MLP7024 = Code("MLP7024", "A run goes on without its apply", severity="warning")
"""The apply that started a run, or waited for it, lost the workspace while it ran.

Why: the store couldn't be reached, or the machine slept, and by now another apply may be at work. So this one begins
nothing more. A training that runs is left alone: hours of it shall not be lost to a minute without network.

What to do: once the workspace can be reached, look at what it prints, and apply again on this machine. That waits for
the run, or takes what it left; it isn't started anew.

    mlplan run logs NAME --follow
    mlplan apply
"""

MLP7030 = Code("MLP7030", "A secret is not at hand")
"""A value mentions `${{ secret.NAME }}`, and nothing provides it.

Why: secrets are read at the moment of use, and never stored.

What to do: set the environment variable `MLPLAN_SECRET_NAME`, the name in capitals and `-` as `_`; or set
`MLPLAN_SECRETS_COMMAND` to a command that is started with the secret's name as its last word and prints the secret.
docs/secrets.md tells more.
"""

MLP7031 = Code("MLP7031", "No such version")
"""A deployment pins a model's version that isn't registered.

Why: there are no bytes to serve.

What to do: name a version that exists, or leave the number out for the current one.

    mlplan model list
"""

MLP7032 = Code("MLP7032", "The service serves something else")
"""A new service started, but says that it serves another model than the one it was given, or isn't healthy.

Why: a service is only put in place of the old one once it has told the digest of the model it serves. The old one
still serves.

What to do: read its log; then apply again.

    mlplan service logs NAME
"""

MLP7033 = Code("MLP7033", "A test request was answered wrongly")
"""A new service answers a request of `test` otherwise than `expect` says.

Why: a service takes traffic only after it has passed its tests. What served before still does.

What to do: mend the model, the entry script or the expectation, and apply again. Numbers count as the same within
one part in a million.
"""

MLP7034 = Code("MLP7034", "The service doesn't answer")
"""A service was asked, and nobody answered.

Why: it isn't running, or it is busy beyond the time limit.

What to do: see whether it runs, and what its log says.

    mlplan service list
    mlplan service logs NAME
"""

MLP7035 = Code("MLP7035", "A limit of golden requests is exceeded")
"""A new service answers golden requests too differently from the one that is live, or too slowly.

Why: `limits` beside the file of requests says how far it may be, and a service takes traffic only within them. What
served before still does.

What to do: look at the answers that changed; a plan tells them as long as this very candidate would be asked again.
Mend the model, or change the limit, and apply again.

    mlplan plan
"""

MLP7036 = Code("MLP7036", "Golden requests were asked", severity="note")
"""A new service was asked a file of golden requests before it takes traffic, beside the service that is live.

Why: changed answers and a changed latency are seen before they are everybody's. Numbers count as the same within the
test's `tolerance`.

What to do: nothing. To have a difference stop the switch, write `limits` beside `requests`.
"""

MLP7037 = Code("MLP7037", "The keys of a service can't be read")
"""The file with a service's keys doesn't hold them as mlplan writes them.

Why: it was edited or damaged. Without it no request can be let in; to make others silently would shut clients out.

What to do: restore the file, or remove it: then the next apply makes new keys, for you to hand to the clients.

    mlplan apply
    mlplan service keys NAME
"""

MLP7101 = Code("MLP7101", "URL can't be downloaded")
"""The server refuses to give what a dataset's URL names, or the URL leads nowhere.

Why: without its files the dataset can't be registered, and nothing that reads it can run.

What to do: mend the URL in the dataset's `source`. For 401 and 403, see that you may read it: signed URLs expire.
"""

MLP7102 = Code("MLP7102", "Download given up")
"""A download broke off, or the host couldn't be reached, several times in a row.

Why: it may pass, but not soon. The bytes that came are kept, and the next apply goes on behind them, where the server
can give the rest.

What to do: see that this machine has a network and the host is up, then go on:

    mlplan apply
"""

MLP7103 = Code("MLP7103", "No secure connection")
"""A server's certificate isn't trusted, or no secure connection came about.

Why: without it, anyone on the way could hand over other data. So nothing was asked.

What to do: see that the URL's host is right. Where the certificate comes from an authority of your own, name
its file:

    SSL_CERT_FILE=/path/to/authority.pem mlplan apply
"""

MLP7104 = Code("MLP7104", "Content differs from the lock")
"""A URL gives other bytes than `mlplan.lock` pins for it.

Why: whoever trained before had other data, so the same manifest would no longer mean the same thing. Nothing of what
was found is used.

What to do: where the change is meant, take the new content into the lock file, and commit it:

    mlplan lock --upgrade URL

Where it isn't, ask who keeps the file.
"""

MLP7105 = Code("MLP7105", "Download can't be stored")
"""The disk is full, or the folder for downloads can't be written to.

Why: a dataset is kept whole. The bytes that came are there, and the next apply goes on behind them.

What to do: free some space or mend the permissions, then go on:

    mlplan apply
"""

MLP7106 = Code("MLP7106", "Download stopped")
"""The apply was asked to stop while files were being downloaded.

Why: nothing was registered. The bytes that came are kept.

What to do: apply again; it goes on behind them, where the server can give the rest.

    mlplan apply
"""

MLP7110 = Code("MLP7110", "Packages can't be resolved")
"""uv found no set of packages that fits what an environment asks for.

Why: two requirements contradict each other, a name or version doesn't exist, or it doesn't exist for this Python.

What to do: uv says above which ones. Change the pin in the manifest or in the environment's file.
"""

MLP7111 = Code("MLP7111", "No uv to resolve packages with")
"""The program `uv`, which resolves and builds environments, isn't where mlplan was installed.

Why: mlplan depends on the package `uv`, so the installation is damaged.

What to do: install it anew:

    pip install --force-reinstall uv
"""

MLP7112 = Code("MLP7112", "No package index")
"""uv couldn't reach a package index, so what an environment asks for can't be resolved.

Why: a plan needs no network, nor does what `mlplan.lock` pins already; only what is new has to be looked up.

What to do: see to the network, or to the index that uv asks (its settings are UV_DEFAULT_INDEX and UV_INDEX), then:

    mlplan lock
"""

MLP7113 = Code("MLP7113", "Nothing to upgrade by this name")
"""`mlplan lock --upgrade` names no package and no URL that `mlplan.lock` pins.

Why: it would do nothing, though it was asked to do something.

What to do: name a package or a URL as it stands in `mlplan.lock`.
"""
