"""Programs that run inside containers: standard library alone, Python 3.9 or newer, nothing of mlplan.

`job.py` is the first process of a job, `service.py` of a service, `door.py` keeps a service's port.
"""
