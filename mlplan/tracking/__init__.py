"""What a training script may import, with the standard library alone.

`mlplan.log_metric` and the calls that scripts of the retired system make.
"""
