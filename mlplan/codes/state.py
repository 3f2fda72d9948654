"""Codes MLP4xxx: the workspace, its log, its lease and its artifacts.

MLP40xx is the log, MLP41xx the lease, MLP42xx artifacts and files, MLP43xx a folder as workspace, MLP44xx a bucket.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP4001 = Code("MLP4001", "A commit of the log is damaged")
"""A file of the workspace's log doesn't hold what was written to it.

Why: each commit carries the digest of its own bytes. When they don't match, the file was cut, edited or damaged by
the disk. mlplan doesn't guess what it said: a run could be repeated, or a service left running unrecorded.

What to do: put back the file from a backup, or, in a bucket with versioning, its earlier version. If it is the last
file of the log and there is no backup, move it away and remove the checkpoint; mlplan then goes on from the commit
before, and the next plan compares that with what it finds in the world:

    mv .mlplan/log/00000000000000000042.json damaged.json
    rm -f .mlplan/checkpoint.json .mlplan/cache/seen.json
"""

MLP4002 = Code("MLP4002", "A commit of the log is missing")
"""The workspace's log has a gap, or ends before a commit that is known to have been there.

Why: commits are numbered without gaps and never removed by mlplan. What the missing one recorded (a version, a
finished run, a service) would be lost without a word.

What to do: put the file back from a backup, or, in a bucket with versioning, undelete it. If the end of the log was
removed on purpose, also remove what remembers it:

    rm -f .mlplan/checkpoint.json .mlplan/cache/seen.json
"""

MLP4003 = Code("MLP4003", "The history of the log was changed")
"""A commit doesn't follow from the one before it.

Why: each commit carries the digest of its predecessor. A mismatch means that a file was replaced by another one,
or that two histories were mixed: for example by copying one workspace over another, or by restoring only a part of
a backup.

What to do: restore the whole folder `log/` from one backup. If another history was put in place on purpose, remove
what remembers the old one:

    rm -f .mlplan/checkpoint.json .mlplan/cache/seen.json
"""

MLP4004 = Code("MLP4004", "The workspace was written by a newer mlplan")
"""A record in the workspace has a format that this version of mlplan doesn't know.

Why: reading it as if it were an older one could overlook what it says. Nothing was changed.

What to do: use the version of mlplan that the team uses, or a newer one:

    python -m pip install --upgrade mlplan
"""

MLP4005 = Code("MLP4005", "The workspace belongs to another project")
"""The log says that it records another project than the manifest declares.

Why: two projects in one workspace would delete each other's services, since each sees the other's as undeclared.

What to do: give each project a workspace of its own (`workspace:` in the manifest). A project that was renamed
keeps its old name in `project:`, or starts with a new workspace.
"""

MLP4006 = Code("MLP4006", "The workspace was moved")
"""The workspace that the manifest names was moved to another place by `mlplan workspace migrate`.

Why: its history goes on there. Two that go on side by side would each think the other's services and versions absent.
What is recorded here can still be read.

What to do: name the new place in the manifest, as the message says it:

    workspace: s3://bucket/prefix
"""

MLP4007 = Code("MLP4007", "Another history is in that place")
"""A workspace was to be copied to a place that holds commits which aren't its own.

Why: a copy is made into an empty place, or goes on with a copy of the same workspace that was interrupted. One
history on top of another would destroy both. Nothing was changed.

What to do: choose a place (another prefix, another folder) that is empty. A place that this same workspace was once
moved away from isn't: its log ends with that move.
"""

MLP4008 = Code("MLP4008", "The archive can't be read")
"""A file given to `mlplan workspace import` isn't a whole archive that `mlplan workspace export` made.

Why: half a workspace must not be taken for a whole one.

What to do: check that the file was copied completely, or export the workspace again.
"""

MLP4009 = Code("MLP4009", "There is nothing to move")
"""The workspace that was to be moved or exported holds no commit.

Why: a place that nothing was recorded in is as good as any other, and an archive of it would be no backup.

What to do: check that the manifest (or the profile) names the place you mean. If it does, name the new place there,
and apply:

    workspace: s3://bucket/prefix
"""

MLP4101 = Code("MLP4101", "The workspace is held by another apply")
"""Another mlplan is at work on this project, and only one at a time may change the world.

Why: two applies side by side could start the same training twice or take each other's port.

What to do: wait for it, or let mlplan wait:

    mlplan apply --lock-timeout 10m

The message names the holder. If that process is gone and mlplan can't tell (it ran on another machine), its lease
runs out by itself; the manual way out is:

    mlplan unlock
"""

MLP4102 = Code("MLP4102", "The lease on the workspace was lost")
"""This apply no longer holds the workspace, so it stopped before its next effect.

Why: it showed no life for longer than its lease lasts (the machine slept, the process was stopped, the workspace
could not be reached), or somebody ran `mlplan unlock`. Another apply may be at work, and its word counts now.

What to do: nothing that finished is lost. Go on with:

    mlplan apply
"""

MLP4103 = Code("MLP4103", "No lease is held")
"""Something was to be recorded by a command that doesn't hold the workspace.

Why: only the holder of the lease may have effects. A command that comes here has a bug: it should have taken the
lease first. Nothing was changed.

What to do: report it, with the command that you ran.
"""

MLP4201 = Code("MLP4201", "A kept artifact is missing")
"""The workspace doesn't hold bytes that a version, a run or a snapshot refers to.

Why: somebody removed files below `artifacts/`, or the workspace was copied without them. What refers to them can't
be restored, served or checked.

What to do: put `artifacts/` back from a backup. Otherwise `mlplan plan` says what will be made anew: datasets and
models are registered again from their sources, runs run again.
"""

MLP4202 = Code("MLP4202", "A kept artifact is damaged")
"""Kept bytes no longer match the digest that they are kept under.

Why: the file was edited, cut or damaged by the disk. mlplan checks what it hands out and never passes on bytes that
are not those that were recorded.

What to do: restore the named file below `artifacts/` from a backup, or remove it: then `mlplan plan` says what will
be made anew.
"""

MLP4203 = Code("MLP4203", "A link leads out of the folder")
"""A symbolic link in a folder that is to be kept points to something outside that folder, or to nothing.

Why: mlplan keeps content, and only content of the folder it was told to keep; following such a link could take in
a whole home folder.

What to do: copy the file to where the link is, or name its real place in the manifest.
"""

MLP4204 = Code("MLP4204", "A file changed while it was read")
"""A file was written to while mlplan read it.

Why: half of the old and half of the new content is a version of neither.

What to do: let the program that writes it finish, then start the command again.
"""

MLP4205 = Code("MLP4205", "A file can't be read")
"""The operating system doesn't let mlplan read a file, or it is no plain file (a socket, a pipe, a device).

Why: what can't be read can't be kept or compared.

What to do: correct its permissions, or leave it out: by an ignore file (`.mlplanignore`) where it lies in a `source`
folder, or by naming other files.
"""

MLP4206 = Code("MLP4206", "A file isn't valid JSON or YAML")
"""A file that mlplan reads by its values (a test request, for example) can't be parsed.

Why: its content decides what a service is asked or compared with.

What to do: correct the file at the place that the message names.
"""

MLP4301 = Code("MLP4301", "No access to the workspace")
"""The operating system doesn't let mlplan read the workspace, or write to it.

Why: every effect is recorded before it begins. Without a place to record it, nothing is begun.

What to do: check who owns the folder, and whether its file system is mounted read-only:

    ls -ld .mlplan
"""

MLP4302 = Code("MLP4302", "No space is left in the workspace")
"""The disk (or the quota) that the workspace stands on is full.

Why: every effect is recorded before it begins. Without room to record it, nothing more is begun; what was recorded
is whole.

What to do: make room, then start the command again. What nothing refers to any more is removed by:

    mlplan gc
"""

MLP4303 = Code("MLP4303", "The file system can't hold a workspace")
"""The folder's file system has no hard links, by which mlplan creates a file only if it is absent.

Why: without that, two applies could each believe that they wrote the same commit.

What to do: put the workspace on another file system (`workspace: /path/on/another/disk` in the manifest).
"""

MLP4304 = Code("MLP4304", "Reading or writing the workspace failed")
"""The operating system reported an error while mlplan read or wrote the workspace.

Why: the message says what it reported. Nothing is believed that was not wholly written.

What to do: check the disk or the network file system that the workspace stands on, then start the command again.
"""

MLP4305 = Code("MLP4305", "Unknown kind of workspace")
"""The manifest's `workspace` names a kind of place that mlplan doesn't know.

Why: a workspace is a folder, or a bucket. A bucket's place has no room for keys, tokens or queries: the manifest is
committed, and read by many.

What to do: write a path, such as `.mlplan`, or a bucket: `s3://bucket/prefix`, `az://container/prefix`,
`gs://bucket/prefix`.
"""

MLP4306 = Code("MLP4306", "The workspace is committed")
"""git tracks files of `.mlplan`, or of the folder that the manifest names as the workspace.

Why: a plan believes what is recorded there, and what is cached there. In a checkout these files are what the author
of the branch wants them to say, such as that a changed script has run already. They also hold what one machine alone
knows, and two branches can't be merged in them.

What to do: take them out of git and keep them on this machine, or use a bucket as the workspace.

    git rm -r --cached .mlplan
"""

MLP4401 = Code("MLP4401", "The bucket doesn't exist")
"""The workspace's bucket or container is not there.

Why: an absent bucket is not an empty workspace: taking it for one would plan to make everything anew.

What to do: check its name in the manifest (`workspace:`) and the account that your credentials belong to, or create
the bucket. mlplan creates none, since its place, encryption and retention are for you to decide.
"""

MLP4402 = Code("MLP4402", "Access to the bucket is denied")
"""The bucket's server doesn't accept the credentials, or they don't allow what is needed.

Why: mlplan looks for credentials where the cloud's own tools do. It needs to list, read and write below the
workspace's prefix, and to delete there for `mlplan gc` and the lease.

What to do: see whether the cloud's own tool can list the place:

    aws s3 ls s3://bucket/prefix/
    az storage blob list --container-name container --prefix prefix/ --auth-mode login
    gcloud storage ls gs://bucket/prefix/
"""

MLP4403 = Code("MLP4403", "This machine's clock is wrong")
"""The bucket's server refused a request because of the time it was signed with.

Why: requests are signed with the time, and a server takes none that is some minutes off.

What to do: set the clock, and have it synchronised:

    timedatectl set-ntp true
"""

MLP4404 = Code("MLP4404", "The bucket is in another region")
"""The bucket's server says that the request belongs to another region.

Why: S3 requests are signed for a region.

What to do: name the bucket's region:

    export AWS_REGION=eu-central-1
"""

MLP4405 = Code("MLP4405", "The bucket can't be reached")
"""The bucket's server didn't answer, or answered with an error that lasted through several tries.

Why: every effect is recorded before it begins. Without the workspace nothing more is begun.

What to do: check the network and the provider's status page, then start the command again. Nothing half-written is
ever read as whole, and what an interrupted apply began is settled by the next one.
"""

MLP4406 = Code("MLP4406", "The workspace is encrypted")
"""The bucket holds a workspace that was encrypted before it was sent, and no key was provided.

Why: without the key nobody can read it; that is what it is for.

What to do: provide the key, or a command that prints it:

    export MLPLAN_WORKSPACE_KEY=...
    export MLPLAN_WORKSPACE_KEY_COMMAND="pass show team/mlplan"
"""

MLP4407 = Code("MLP4407", "The key doesn't open the workspace")
"""The key that was provided isn't the one by which the workspace's own key is wrapped.

Why: it belongs to another workspace, or another one took its place.

What to do: provide the key that was set last; who ran `mlplan workspace rotate-key` knows it. Without it nothing in
the bucket can be read: only a bucket that keeps versions still has the `key.json` that an older key opens.
"""

MLP4408 = Code("MLP4408", "The workspace isn't encrypted")
"""A key was provided, and the bucket holds a workspace that was begun without one.

Why: you would believe that what is sent is encrypted, and it would not be.

What to do: take it to another place that is encrypted from its beginning. Without the key, write it to a file; name a
new prefix in the manifest; with the key, read it in:

    mlplan workspace export everything.zip
    mlplan workspace import everything.zip

Then remove the old prefix and the file, and with them what was readable. To go on without encryption, unset
`MLPLAN_WORKSPACE_KEY` and `MLPLAN_WORKSPACE_KEY_COMMAND`.
"""

MLP4409 = Code("MLP4409", "No usable key is provided")
"""What should provide a key for the workspace provides none, or something that is no key.

Why: a key is 32 random bytes, written as base64. A password that somebody thought of is too easy to guess for who has
the bucket's bytes.

What to do: make a key, and keep it where your other secrets are:

    openssl rand -base64 32
"""

MLP4410 = Code("MLP4410", "What encrypts isn't installed")
"""A key for the workspace is provided, and the package that encrypts isn't there.

Why: few need it, and it is large; so mlplan doesn't bring it by itself.

What to do:

    python -m pip install "mlplan[encryption]"
"""

MLP4411 = Code("MLP4411", "The bucket can't be asked with these settings")
"""What the environment or the cloud's own files say of the bucket is incomplete or unreadable.

Why: the message names what is wrong: `MissingAccount` (Azure needs the storage account's name), `MissingAccessKeyId`
(one half of a pair of keys), `InvalidAccessKey`, `OpenCredentials` and `DecodeCredentials` (a file of credentials
that isn't there, or is no such file). It shows no value, since that may be a secret.

What to do: set what is missing. For Azure, at least:

    export AZURE_STORAGE_ACCOUNT_NAME=...

For S3, both of `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, or neither; `AWS_ENDPOINT_URL` begins with http:// or
https://. For Google, `GOOGLE_APPLICATION_CREDENTIALS` is the path of a file.
"""
