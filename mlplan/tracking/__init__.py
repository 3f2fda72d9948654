"""What a training script may import, with the standard library alone, and how its metrics are read back.

shim/         a folder for the job's PYTHONPATH: `mlplan.log_metric`, and the calls of the retired system's SDK
job.py        the variables that tell it where it is
metrics.py    reads `outputs/metrics.json` and `outputs/metrics.jsonl` into the run's metrics
"""
