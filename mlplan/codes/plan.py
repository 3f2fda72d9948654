"""Codes MLP5xxx: planning: gates, policies, plan files that no longer fit.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP5001 = Code("MLP5001", "Unknown name")
"""What the command line names isn't there: an address or a version that the manifest doesn't declare and the state
doesn't record, a template, a schema, a code.

Why: a plan narrowed to a misspelt address would say that nothing is to do.

What to do: the message offers the nearest name. An address is `kind.name`, such as `run.train`; this lists all.

    mlplan plan --verbose
"""

MLP5002 = Code("MLP5002", "Protected resource would be destroyed")
"""The plan would delete or replace a resource that was applied with `protect: true`.

Why: protection is remembered in the state, so that deleting the block from the manifest doesn't get round it.

What to do: keep the resource, or apply it once with `protect: false`; then it can go.
"""

MLP5003 = Code("MLP5003", "The plan is stale")
"""Something moved between the plan that was shown and the apply of it.

Why: an apply does what was shown, or refuses. Nothing was done.

What to do: make the plan again, and read it.

    mlplan plan
"""

MLP5004 = Code("MLP5004", "Nobody can be asked")
"""A command that changes the world asks before it does, and there is no terminal to ask on.

Why: silence is no yes.

What to do: say it beforehand.

    mlplan apply -y
"""

MLP5005 = Code("MLP5005", "Nothing to go back to")
"""A rollback names something that has no such earlier version, or that serves nothing.

Why: a rollback puts kept bytes back in service; without them there is nothing to put back.

What to do: name a deployment, or a model that is deployed, and a version that is kept.

    mlplan model list
"""

MLP5101 = Code("MLP5101", "Two sources want one path")
"""Two items of a dataset's `source` would have the same path in the dataset.

Why: a single file and a URL are kept by their last name alone, so `a/x.csv` and `b/x.csv` are both `x.csv`. One would
hide the other.

What to do: name the folder that holds both, or a glob: they keep the layout below them.

    source: [data]
"""

MLP5102 = Code("MLP5102", "Source names no file")
"""A folder or glob of a dataset's `source` holds or fits nothing, or the folder that a model's `file` names is empty.

Why: a dataset or a model without its files would be registered, and what reads it would fail later.

What to do: mend the pattern (`*` stops at a slash, `**` doesn't), or put the files there first.
"""

MLP5103 = Code("MLP5103", "Source can't be taken")
"""Below a dataset's `source`, or a model's `file`, lies something that can't be kept: a link to nothing or in a
circle, a socket, a pipe, a folder without permission.

Why: a dataset or a model is its files by content, and these have none that can be read.

What to do: remove it from the data, or mend its permissions.
"""

MLP5104 = Code("MLP5104", "Name can't be kept")
"""A file's name is not UTF-8, or a URL's path ends in no name.

Why: datasets are listed by path, and listings are UTF-8 so that every machine reads them alike.

What to do: rename the file; give a URL whose path ends in the file's name.
"""

MLP5105 = Code("MLP5105", "Credential in the clear", severity="warning")
"""A URL of a dataset holds a password, a token or a signature: written down, or filled in from a variable or `env`.

Why: what stands in the manifest stands in git, and values of variables and of `env` are shown in plans and kept in
`.mlplan/cache`. mlplan leaves it out of the lock file and of messages, and can't of everything.

What to do: make it a secret, and mention that. docs/secrets.md says where secrets come from.

    source: "https://example.org/data.csv?sig=${{ secret.SIGNATURE }}"
"""

MLP5106 = Code("MLP5106", "Data among the code", severity="warning")
"""The `source` folder of a run or an inference holds files of a dataset that it doesn't refer to.

Why: whatever lies in a source folder is packed and counts as code, so that each change of the data would run the
training again, or deploy the service anew, though it may never look at them.

What to do: where the script reads the files, say so by a reference, in an argument or in `env`. They stay in the
folder as well, and count once: as data.

    arguments: [--data, "${{ dataset.sales.path }}"]

Where it doesn't read them, list them in the file `.mlplanignore` of the source folder, or give the scripts a folder
of their own.
"""

MLP5111 = Code("MLP5111", "Source folder can't be packed")
"""Below the `source` of a run or an inference lies something that can't go into its snapshot: a link out of the
folder or to nothing, a socket, a pipe, a file without permission.

Why: the snapshot is all that the code gets to see, on any machine. What lies outside of it wouldn't be there.

What to do: put a copy in the link's place, or list the path in `.mlplanignore` of that folder.
"""

MLP5006 = Code("MLP5006", "File exists already")
"""A command would write a file where there is one.

Why: nothing of yours is overwritten unasked.

What to do: name another folder, or move the file away.
"""

MLP5007 = Code("MLP5007", "File can't be read")
"""A file that was named on the command line, such as a saved plan or a request for a service, is missing or can't be
opened.

Why: there is nothing to work on.

What to do: mend the path. A saved plan is made by

    mlplan plan --out FILE
"""

MLP5008 = Code("MLP5008", "Unknown revision")
"""`plan --base REV` names a revision that git doesn't have here.

Why: what a change adds is found by comparing two commits, and one of them is missing. Clones in CI are often shallow.

What to do: fetch it first.

    git fetch --no-tags --depth=100 origin main
    mlplan plan --base origin/main
"""

MLP5009 = Code("MLP5009", "No git repository")
"""`plan --base REV` compares two revisions, and the project's folder is in no git repository, or there is no git.

Why: without revisions there is nothing to compare.

What to do: plan on the state.

    mlplan plan
"""

MLP5010 = Code("MLP5010", "Clone isn't whole")
"""git has the revision, and lacks what is needed to compare it: a shallow clone doesn't reach back to where the
branch began, a partial clone lacks files, or an object is damaged.

Why: nothing is fetched while planning. Compared with another commit than that at which the branch began, the plan
would show what others did meanwhile as if this change undid it.

What to do: fetch the rest.

    git fetch --unshallow origin
"""

MLP5011 = Code("MLP5011", "Can't be applied")
"""`plan --base REV --out FILE` asks for a plan file of what two revisions differ by.

Why: `apply FILE` makes exactly what the file says, and what two revisions differ by isn't what leads from the world
as it is to the manifest.

What to do: keep it as JSON to read, or make a plan on the state.

    mlplan plan --base REV --format json
    mlplan plan --out FILE
"""

MLP5012 = Code("MLP5012", "No project in either revision")
"""`plan --base REV` finds the manifest in neither of the two revisions.

Why: a manifest that isn't committed is in no revision.

What to do: commit it, or name its folder with `-C DIR`.
"""

MLP5013 = Code("MLP5013", "The base can't be read")
"""`plan --base REV` finds errors in the project as REV has it. They are listed, with places such as
`origin/main:mlplan.yaml:12:5`.

Why: what a change adds can only be told against something that can be read. To take a broken base for an empty one
would show everything as new, and hide what is deleted.

What to do: mend the base first. Where this change is what mends it, review the whole plan instead.

    mlplan plan
"""

MLP5014 = Code("MLP5014", "Unknown impact")
"""`plan --fail-on` names something that no change has as its impact.

Why: a gate that is misspelt would let everything pass.

What to do: name some of `cosmetic`, `serve-only`, `retrain`, `contract`, `destructive`.

    mlplan plan --fail-on destructive,contract
"""

MLP5015 = Code("MLP5015", "Gated impact")
"""The plan has a change whose impact `plan --fail-on` stops. The exit code is 3.

Why: somebody decided that such a change needs a decision of its own.

What to do: take the change out, or have it decided: by a run of the check without that impact in `--fail-on`.
"""

MLP5016 = Code("MLP5016", "Plan file can't be kept there")
"""`mlplan plan --out FILE` can't write FILE, or FILE holds something else than a plan, or it lies where the project
would count it as its own code or data.

Why: what is no plan would be lost. And `apply FILE` makes exactly what the file says, or refuses it as stale: a plan
file that is part of a run's `source` changes that run, and so the plan that it holds.

What to do: call it `mlplan-plan.json`, which no `source` counts at its top; put it elsewhere; or list it in the
ignore file of that folder.

    mlplan plan --out mlplan-plan.json
    mlplan apply mlplan-plan.json
"""

MLP5017 = Code("MLP5017", "The plan file says what to look at")
"""`mlplan apply FILE` was given `--only`, `--exclude` or `--replace` as well.

Why: the file holds the selection that its plan was made with, and `apply FILE` makes exactly that plan.

What to do: leave them out, or make another plan with them.

    mlplan plan --only run.train --out mlplan-plan.json
"""

MLP5018 = Code("MLP5018", "Keys are on another machine")
"""The service asks for a key, and its keys aren't below this folder's `.mlplan`.

Why: keys are made where a service is applied, and stay there. A workspace that is shared holds none.

What to do: ask for them in the checkout that applied it (`mlplan history` says who and where), and hand them on by a
channel of your own:

    mlplan service keys show NAME
"""

MLP5019 = Code("MLP5019", "File can't be written")
"""A file or folder that was named on the command line can't be written.

Why: its folder isn't there, it is a folder itself, or the operating system doesn't let you write there.

What to do: mend the path, or make its folder:

    mkdir -p DIR
"""

MLP5020 = Code("MLP5020", "Service serves from elsewhere")
"""A service was started from another checkout of the project, which shares this one's workspace. From here it can't
be changed, removed, or looked into.

Why: a service's processes, its keys and its log belong to the checkout that started it. To change it from here
would start a second one beside it, and nobody would know of the first.

What to do: apply there. What doesn't touch the service can be applied here; the plan there then shows what is left:

    mlplan apply --exclude deployment.NAME

To have it serve from here, end it there, then apply here:

    mlplan destroy --only deployment.NAME

Where that checkout or its machine is gone for good, start it anew from here:

    mlplan apply --replace deployment.NAME

Should that machine come back, `mlplan gc` there ends what serves there still.
"""

MLP5021 = Code("MLP5021", "Checkout belongs to another user")
"""git doesn't look into a repository that another user owns, and what it was to tell can't be done without: what two
revisions hold, or whether a branch brings a workspace along.

Why: a repository's configuration can name programs to run, so git keeps away from one that somebody else may have
made. In a job's container it is common: the checkout belongs to the user outside.

What to do: where you trust who owns it, say so:

    git config --global --add safe.directory /path/of/the/checkout
"""
