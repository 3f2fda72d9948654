"""Codes MLP2xxx: what the published schema of the manifest catches.

How to add one: `mlplan/codes/__init__.py`.
"""

from __future__ import annotations

from mlplan.codes import Code

MLP2001 = Code("MLP2001", "Unknown key")

MLP2002 = Code("MLP2002", "Missing key")

MLP2003 = Code("MLP2003", "Wrong type")

MLP2004 = Code("MLP2004", "Unknown choice")

MLP2005 = Code("MLP2005", "Out of range")

MLP2006 = Code("MLP2006", "Wrong form")

MLP2007 = Code("MLP2007", "Name can't be used")

MLP2008 = Code("MLP2008", "Keys exclude each other")

MLP2009 = Code("MLP2009", "Nothing given")

MLP2010 = Code("MLP2010", "Unknown manifest version")

MLP2011 = Code("MLP2011", "Repeated item")
