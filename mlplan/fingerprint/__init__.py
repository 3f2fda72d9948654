"""Fingerprints: the digest of everything that decides a resource's result, kept part by part.

Pure: what is digested is handed in. Python sources become meaning in `python.py`.
"""

from mlplan.fingerprint.parts import Part, Parts, Role, fingerprint, is_known, known, unknown

__all__ = ["Part", "Parts", "Role", "fingerprint", "is_known", "known", "unknown"]
