"""A small stand-in for the scoring runtime: it speaks the same contract and serves a digest, nothing else.

For the laws and faults of services, without a model or NumPy. Its `settings` make it misbehave:
`fail`: `init()` raises; `stuck`: it never gets ready; `no_go_live`: it dies when it is told to go live.
"""
