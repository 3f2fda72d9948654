"""Records as a DataFrame, a method as text with a default."""

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema

data_sample = PandasParameterType(pd.DataFrame({"when": pd.Series(["2020-01-01"], dtype="datetime64[ns]"), "n": [1]}))
method_sample = StandardPythonParameterType("predict")
result_sample = NumpyParameterType(np.array([0]))


def init():
    pass


@input_schema("method", method_sample, convert_to_provided_type=False)
@input_schema("data", data_sample)
@output_schema(result_sample)
def run(data, method="predict"):
    days = (data["when"] - pd.Timestamp("2020-01-01")).dt.days
    return (days + data["n"]).tolist() if method == "predict" else [method]
