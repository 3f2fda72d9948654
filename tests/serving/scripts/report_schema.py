"""The shape that a report tool asks in: nested inputs of several types, a global parameter, results under a name."""

import numpy as np
import pandas as pd
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType
from inference_schema.schema_decorators import input_schema, output_schema


def init():
    global factor
    factor = 2.0


numpy_sample_input = NumpyParameterType(np.array([[1, 2, 3], [4, 5, 6]], dtype="float64"))
pandas_sample_input = PandasParameterType(pd.DataFrame({"name": ["Ada", "Alan"], "age": [25, 26]}))
standard_sample_input = StandardPythonParameterType(0.0)
sample_input = StandardPythonParameterType(
    {"input1": numpy_sample_input, "input2": pandas_sample_input, "input3": standard_sample_input}
)
sample_global_parameters = StandardPythonParameterType(1.0)
sample_output = StandardPythonParameterType([1.0, 1.0])
outputs = StandardPythonParameterType({"Results": sample_output})


@input_schema("Inputs", sample_input)
@input_schema("GlobalParameters", sample_global_parameters)
@output_schema(outputs)
def run(Inputs, GlobalParameters):
    data = Inputs["input1"]
    assert isinstance(data, np.ndarray)
    assert isinstance(Inputs["input2"], pd.DataFrame)
    result = data.sum(axis=1) * factor + Inputs["input2"]["age"].to_numpy() * GlobalParameters
    return {"Results": result.tolist()}
